# SPDX-License-Identifier: Apache-2.0
"""A checkpoint is three lines and nothing else, and only its own log can sign it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notary.core import note
from notary.core.checkpoint import (
    Checkpoint,
    format_checkpoint,
    open_checkpoint,
    parse_checkpoint,
)
from notary.core.errors import BadSignature, MalformedNote, UnknownSigner
from notary.core.hashing import EMPTY_ROOT, RootHash
from tests.core.signing import Signer

ORIGIN = "city.example/log"
ROOT = RootHash(bytes(range(32)))
ROOT_TEXT = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
TEXT = f"{ORIGIN}\n42\n{ROOT_TEXT}\n"
CHECKPOINT = Checkpoint(ORIGIN, 42, ROOT)
LOG = Signer(ORIGIN)
WITNESS = Signer("witness.example/w1", note.KIND_COSIGNATURE, seed=2)


def test_the_three_lines() -> None:
    """Origin, size, root."""
    assert format_checkpoint(CHECKPOINT) == TEXT
    assert parse_checkpoint(TEXT) == CHECKPOINT


def test_an_empty_log_has_a_checkpoint() -> None:
    """Of size 0, with the hash of nothing as its root."""
    empty = Checkpoint(ORIGIN, 0, EMPTY_ROOT)
    assert parse_checkpoint(format_checkpoint(empty)) == empty


@given(
    st.text("abc./-:\u6e2f", min_size=1),
    st.integers(1, 2**63 - 1),
    st.binary(min_size=32, max_size=32),
)
def test_checkpoints_are_read_back(origin: str, size: int, root: bytes) -> None:
    """Every size and root, and names in any writing."""
    checkpoint = Checkpoint(origin, size, RootHash(root))
    assert parse_checkpoint(format_checkpoint(checkpoint)) == checkpoint


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "\n\n\n",
        TEXT[:-1],
        TEXT + "\n",
        TEXT + "extension\n",
        TEXT + "timestamp 1700000000\n",
        "\n" + TEXT,
        TEXT.replace("\n", "\r\n"),
        TEXT.replace("\n42", " 42"),
        f"{ORIGIN}\n42\n",
        f"42\n{ROOT_TEXT}\n",
        f"\n42\n{ROOT_TEXT}\n",
        f"city example\n42\n{ROOT_TEXT}\n",
        f"city+example\n42\n{ROOT_TEXT}\n",
        f"city\texample\n42\n{ROOT_TEXT}\n",
        f"city\u00a0example\n42\n{ROOT_TEXT}\n",
        f"city\u2028example\n42\n{ROOT_TEXT}\n",
        f"\ud800\n42\n{ROOT_TEXT}\n",
        TEXT.replace("42", ""),
        TEXT.replace("42", "042"),
        TEXT.replace("42", "00"),
        TEXT.replace("42", "+42"),
        TEXT.replace("42", "-42"),
        TEXT.replace("42", "-0"),
        TEXT.replace("42", " 42"),
        TEXT.replace("42", "42 "),
        TEXT.replace("42", "4_2"),
        TEXT.replace("42", "42.0"),
        TEXT.replace("42", "4e1"),
        TEXT.replace("42", "0x2a"),
        TEXT.replace("42", "\u0664\u0662"),
        TEXT.replace("42", "9223372036854775808"),
        TEXT.replace("42", "9" * 5000),
        TEXT.replace("42", "0"),
        TEXT.replace(ROOT_TEXT, ""),
        TEXT.replace(ROOT_TEXT, ROOT_TEXT[:-1]),
        TEXT.replace(ROOT_TEXT, ROOT_TEXT + "="),
        TEXT.replace(ROOT_TEXT, ROOT_TEXT[:-2] + "9="),
        TEXT.replace(ROOT_TEXT, ROOT_TEXT + " "),
        TEXT.replace(ROOT_TEXT, ROOT_TEXT[4:]),
        TEXT.replace(ROOT_TEXT, "AAAA" + ROOT_TEXT),
        TEXT.replace(ROOT_TEXT, ROOT.hex()),
        TEXT.replace(ROOT_TEXT, ROOT_TEXT.replace("A", "-")),
        TEXT.replace(ROOT_TEXT, ROOT_TEXT.replace("A", "\u0410")),
    ],
    ids=lambda text: ascii(text)[:60],
)
def test_what_is_not_exactly_a_checkpoint_is_refused(text: str) -> None:
    """Lines of extension, other numbers, another base64, a root that is no root."""
    with pytest.raises(MalformedNote):
        parse_checkpoint(text)


@pytest.mark.parametrize(
    ("origin", "size", "root"),
    [
        ("", 42, ROOT),
        ("a b", 42, ROOT),
        (None, 42, ROOT),
        (ORIGIN, -1, ROOT),
        (ORIGIN, 2**63, ROOT),
        (ORIGIN, True, ROOT),
        (ORIGIN, 42.0, ROOT),
        (ORIGIN, "42", ROOT),
        (ORIGIN, 0, ROOT),
        (ORIGIN, 42, ROOT[:31]),
        (ORIGIN, 42, ROOT + b"\x00"),
        (ORIGIN, 42, ROOT.hex()),
        (ORIGIN, 42, bytearray(ROOT)),
    ],
)
def test_a_checkpoint_that_could_not_be_read_back_cannot_be_made(
    origin: object, size: object, root: object
) -> None:
    """So whatever is signed can be opened."""
    with pytest.raises(MalformedNote):
        Checkpoint(origin, size, root)  # type: ignore[arg-type]


def test_a_signed_checkpoint_opens() -> None:
    """With the log's signature and a witness's."""
    written = note.format_note(TEXT, [LOG.sign(TEXT), WITNESS.sign(TEXT)])
    checkpoint, opened = open_checkpoint(written, [LOG.verifier, WITNESS.verifier.vkey])
    assert checkpoint == CHECKPOINT
    assert [item.time for item in opened.verified] == [None, 1_700_000_000]


@pytest.mark.parametrize(
    "signer",
    [
        WITNESS,
        Signer("other.example/log", seed=1),
        Signer(ORIGIN + "/", seed=1),
        Signer(ORIGIN, note.KIND_COSIGNATURE, seed=1),
    ],
    ids=lambda signer: signer.verifier.vkey,
)
def test_a_checkpoint_that_its_log_did_not_sign_is_refused(signer: Signer) -> None:
    """Trusted keys of others don't speak for this log, nor does its key as a cosigner."""
    written = note.format_note(TEXT, [signer.sign(TEXT)])
    with pytest.raises(UnknownSigner):
        open_checkpoint(written, [LOG.verifier, signer.verifier])


def test_a_checkpoint_with_a_failing_signature_is_refused() -> None:
    """The log's or a witness's."""
    for bad in (LOG.sign("x" + TEXT), WITNESS.sign("x" + TEXT)):
        written = note.format_note(TEXT, [bad, LOG.sign(TEXT)])
        with pytest.raises(BadSignature):
            open_checkpoint(written, [LOG.verifier, WITNESS.verifier])


def test_a_signed_text_that_is_no_checkpoint_is_refused() -> None:
    """Even when the log itself signed it."""
    for text in (TEXT + "extension\n", TEXT.replace("42", "042"), "good morning\n"):
        with pytest.raises(MalformedNote):
            open_checkpoint(note.format_note(text, [LOG.sign(text)]), [LOG.verifier])
