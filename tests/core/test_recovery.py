# SPDX-License-Identifier: Apache-2.0
"""recovery/1: what a notary says of its loss, and who may have said it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from notary.core import canonical, note
from notary.core.errors import (
    BadSignature,
    MalformedNote,
    MalformedTrust,
    NotaryError,
    RecoveryRefused,
    UnknownSigner,
)
from notary.core.hashing import EMPTY_ROOT, RootHash
from notary.core.recovery import (
    Recovery,
    format_recovery,
    open_recovery,
    parse_recovery,
    recoveries_of,
    verify_recovery,
)
from notary.core.trust import parse_trust
from tests.core.maker import LOG, ORIGIN, OTHER_LOG, START, STRANGER, trust
from tests.core.signing import Signer

PAGE = (Path(__file__).parents[2] / "docs/spec/recovery-v1.md").read_text(encoding="utf-8")
NEW = "notary.example/log-2"
NEW_LOG = Signer(NEW, seed=40)
WHOLE = Recovery(
    origin=ORIGIN,
    size=3,
    root=RootHash(b"r" * 32),
    kept=2,
    kept_root=RootHash(b"k" * 32),
    chain=1,
    goes_on=ORIGIN,
    time=START,
)
CLOSED = replace(WHOLE, goes_on=NEW)


def signed(recovery: Recovery = WHOLE, *signers: Signer) -> str:
    """The note of a recovery, signed by the log's key unless others are given."""
    text = format_recovery(recovery)
    return note.format_note(text, [signer.sign(text) for signer in signers or (LOG,)])


def trusted(**members: Any) -> str:
    """The trust file of the tests' notary, with other members."""
    return canonical.dumps(trust(**members))


def log_item(signer: Signer, first: int = 0, to: int | None = None, **members: Any) -> Any:
    """An item of `logs`."""
    return {"key": signer.verifier.vkey, "from": first, "to": to, **members}


@pytest.mark.parametrize(
    ("recovery", "reason"),
    [
        (WHOLE, "put-back"),
        (CLOSED, "closed"),
        (replace(WHOLE, kept=3, kept_root=WHOLE.root), "whole"),
        (replace(WHOLE, kept=9), "whole"),
        (replace(WHOLE, kept=0, kept_root=EMPTY_ROOT), "put-back"),
    ],
)
def test_a_recovery_is_the_notarys_own_word(recovery: Recovery, reason: str) -> None:
    """It is read back as it was written, holds, and is never called more than that."""
    assert parse_recovery(format_recovery(recovery)) == recovery
    verdict = verify_recovery(signed(recovery), trusted())
    (check,) = verdict.checks
    assert (check.code, check.status, check.facts["reason"]) == ("recovery", "own-word", reason)
    assert (verdict.kind, verdict.origin) == ("recovery", ORIGIN)
    assert verdict.fingerprint == LOG.verifier.fingerprint


CONTRADICTIONS: dict[str, dict[str, Any]] = {
    "the chain does not rise": {"chain": 0},
    "a whole log is closed": {"goes_on": NEW, "kept": 3, "kept_root": WHOLE.root},
    "a log that lost nothing is closed": {"goes_on": NEW, "kept": 4},
    "one size has two roots": {"kept": 3},
    "nothing has a root": {"kept": 0},
    "something has the root of nothing": {"root": EMPTY_ROOT},
    "a name is none": {"origin": "two words"},
    "the other name is none": {"goes_on": "a+b"},
}


@pytest.mark.parametrize("members", CONTRADICTIONS.values(), ids=CONTRADICTIONS)
def test_a_recovery_does_not_contradict_itself(members: dict[str, Any]) -> None:
    """docs/spec/recovery-v1.md, rules 2 to 4."""
    with pytest.raises(MalformedNote):
        replace(WHOLE, **members)


LINES = format_recovery(WHOLE).split("\n")


@pytest.mark.parametrize(
    ("at", "line"),
    [
        (0, "city-notary/recovery/2"),
        (2, "03"),
        (2, "-3"),
        (2, "9" * 17),
        (2, "9" * 16),
        (3, "R" * 64),
        (4, ""),
        (5, "00"),
        (6, "1.0"),
        (7, ""),
        (8, "2026-11-24T08:00:00Z"),
        (9, "more"),
    ],
)
def test_a_line_of_another_form_is_refused(at: int, line: str) -> None:
    """docs/spec/recovery-v1.md, rule 1."""
    lines = [*LINES[:at], line, *LINES[at + 1 :]]
    with pytest.raises(MalformedNote):
        parse_recovery("\n".join(lines))


@pytest.mark.parametrize("text", ["", "\n" * 9, "\n".join(LINES[:-2]) + "\n"])
def test_what_is_no_recovery_is_refused(text: str) -> None:
    """Nothing, empty lines, one line too few."""
    with pytest.raises(MalformedNote):
        parse_recovery(text)


GIVEN_UP = {"to": 2, "good": {"size": 2, "root": "ab" * 32}}
REFUSED: dict[str, tuple[str, str, type[NotaryError]]] = {
    "nobody known signed": (signed(WHOLE, OTHER_LOG), trusted(), UnknownSigner),
    "a witness signed": (signed(WHOLE, STRANGER), trusted(), UnknownSigner),
    "the log that goes on alone signed": (
        signed(CLOSED, NEW_LOG),
        trusted(logs=[log_item(LOG, to=3), log_item(NEW_LOG, 3)]),
        RecoveryRefused,
    ),
    "it was changed": (signed().replace("\n1\n", "\n2\n"), trusted(), BadSignature),
    "a second line of a known key is false": (
        signed() + note.signature_line(LOG.signature(bytes(64))),
        trusted(),
        BadSignature,
    ),
    "the key that signed was given up": (
        signed(),
        trusted(logs=[log_item(LOG, **GIVEN_UP), log_item(OTHER_LOG, 2)]),
        RecoveryRefused,
    ),
    "it is a checkpoint": (
        note.format_note(f"{ORIGIN}\n0\nx\n", [LOG.sign(f"{ORIGIN}\n0\nx\n")]),
        trusted(),
        MalformedNote,
    ),
    "the trust file is none": (signed(), "{}", MalformedTrust),
}


@pytest.mark.parametrize(("text", "file", "error"), REFUSED.values(), ids=REFUSED)
def test_a_recovery_that_the_log_did_not_sign_is_refused(
    text: str, file: str, error: type[NotaryError]
) -> None:
    """docs/spec/recovery-v1.md, steps 1 to 3."""
    with pytest.raises(error):
        verify_recovery(text, file)


def test_a_key_that_was_never_given_up_counts_first() -> None:
    """Signed by both, the note holds though one of them was stolen."""
    file = trusted(logs=[log_item(LOG, **GIVEN_UP), log_item(OTHER_LOG, 2)])
    assert verify_recovery(signed(WHOLE, LOG, OTHER_LOG), file).fingerprint == (
        OTHER_LOG.verifier.fingerprint
    )


def test_a_trust_file_tells_of_its_recoveries() -> None:
    """Also of one that was signed by a key given up later: the file itself is trusted."""
    entries = [{"use": "recovery", "note": signed()}, {"use": "web", "key": "x"}]
    assert recoveries_of(parse_trust(trusted(keys=entries))) == (WHOLE,)
    logs = [log_item(LOG, **GIVEN_UP), log_item(OTHER_LOG, 2)]
    found = parse_trust(trusted(keys=entries, logs=logs))
    assert recoveries_of(found) == (WHOLE,)
    assert open_recovery(signed(), found)[1].good is not None


@pytest.mark.parametrize(
    "entry", [{"use": "recovery"}, {"use": "recovery", "note": 1}, {"note": signed(), "more": 1}]
)
def test_an_entry_of_another_form_is_refused(entry: dict[str, Any]) -> None:
    """It is not taken for none."""
    found = parse_trust(trusted(keys=[{"use": "recovery", **entry}]))
    with pytest.raises(MalformedTrust):
        recoveries_of(found)


def test_the_example_of_the_page_holds() -> None:
    """docs/spec/recovery-v1.md."""
    shown = PAGE.split("```recovery\n")[1].split("```")[0]
    assert shown == signed()
    assert verify_recovery(shown, trusted()).kind == "recovery"
