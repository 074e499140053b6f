# SPDX-License-Identifier: Apache-2.0
"""Signed notes and verifier keys are those of C2SP, and have one spelling each."""

import base64
import hashlib
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notary.core import note
from notary.core.errors import BadSignature, MalformedNote, UnknownSigner
from notary.core.vkey import decode_base64, encode_base64
from tests.core.signing import Signer

SPEC_VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
TEXT = "the harbour\n\nseven degrees\n"
LOG = Signer("city.example/log")
WITNESS = Signer("witness.example/w1", note.KIND_COSIGNATURE, seed=2)
STRANGER = Signer("stranger.example", seed=3)
TRUSTED = [LOG.verifier, WITNESS.verifier]
LOG_LINE = note.signature_line(LOG.sign(TEXT))
NOTE = note.format_note(TEXT, [LOG.sign(TEXT), WITNESS.sign(TEXT)])


def line(name: str, blob: bytes) -> str:
    return f"\u2014 {name} {base64.b64encode(blob).decode()}\n"


def vkey(name: str, blob: bytes, identity: str | None = None) -> str:
    """A verifier key as it would be spelled, whatever it says."""
    own = hashlib.sha256(name.encode("utf-8", "surrogatepass") + b"\n" + blob).hexdigest()[:8]
    return f"{name}+{identity or own}+{base64.b64encode(blob).decode()}"


class TestVerifierKeys:
    def test_the_specifications_key_is_read(self) -> None:
        """Name, id, kind and key; and it is written back as it was."""
        key = note.parse_vkey(SPEC_VKEY)
        assert (key.name, key.key_id.hex(), key.kind) == ("example.com/foo", "530d903a", 1)
        assert key.vkey == SPEC_VKEY
        assert note.format_vkey(key.name, key.kind, key.public_key) == SPEC_VKEY

    def test_the_fingerprint_is_of_kind_and_key(self) -> None:
        """So people compare the key itself, whatever its name."""
        want = hashlib.sha256(b"\x04" + WITNESS.verifier.public_key).hexdigest()
        assert WITNESS.verifier.fingerprint == want

    @given(
        st.text(min_size=1, max_size=40).filter(lambda name: not set("+ ") & set(name)),
        st.sampled_from([1, 4]),
        st.binary(min_size=32, max_size=32),
    )
    def test_keys_are_read_back(self, name: str, kind: int, key: bytes) -> None:
        """Whatever is written is read, also where base64 has a plus sign in it."""
        try:
            text = note.format_vkey(name, kind, key)
        except MalformedNote:
            assert any(c.isspace() or c < " " for c in name)
            return
        read = note.parse_vkey(text)
        assert (read.name, read.kind, read.public_key) == (name, kind, key)
        assert read.vkey == text

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "+",
            "++",
            "name",
            "name+530d903a",
            "name+530d903a+",
            SPEC_VKEY.replace("530d903a", "530d903b"),
            SPEC_VKEY.replace("530d903a", "530D903A"),
            SPEC_VKEY.replace("530d903a", "530d903"),
            SPEC_VKEY.replace("530d903a", "0530d903a"),
            SPEC_VKEY.replace("530d903a", "530d903\u0661"),
            SPEC_VKEY.replace("foo", "bar"),
            SPEC_VKEY.replace("+530", "++530"),
            SPEC_VKEY + "\n",
            SPEC_VKEY + "=",
            SPEC_VKEY[:-1],
            SPEC_VKEY[:-1] + "l",
            SPEC_VKEY.replace("+Aek", "+ Aek"),
            SPEC_VKEY.replace("+Aek", "+-ek"),
            SPEC_VKEY.replace("+Aek", "+\u0410ek"),
            " " + SPEC_VKEY,
            "PRIVATE+KEY+" + SPEC_VKEY,
            vkey("", b"\x01" + bytes(32)),
            vkey("a b", b"\x01" + bytes(32)),
            vkey("a\u00a0b", b"\x01" + bytes(32)),
            vkey("a\u2028b", b"\x01" + bytes(32)),
            vkey("a\tb", b"\x01" + bytes(32)),
            vkey("a\x00b", b"\x01" + bytes(32)),
            vkey("a\nb", b"\x01" + bytes(32)),
            vkey("\ud800", b"\x01" + bytes(32)),
            vkey("a", b"\x01" + bytes(31)),
            vkey("a", b"\x01" + bytes(33)),
            vkey("a", b"\x01"),
            vkey("a", b"\x00" + bytes(32)),
            vkey("a", b"\x02" + bytes(32)),
            vkey("a", b"\x05" + bytes(32)),
            vkey("a", b"\x06" + bytes(1312)),
            vkey("a", b"\xff" + bytes(32)),
        ],
        ids=lambda text: ascii(text[:60]),
    )
    def test_a_key_that_is_not_exactly_a_key_is_refused(self, text: str) -> None:
        """Another id, another spelling, a kind that cannot be verified here."""
        with pytest.raises(MalformedNote):
            note.parse_vkey(text)

    @pytest.mark.parametrize("text", [None, 7, SPEC_VKEY.encode(), [SPEC_VKEY]])
    def test_a_key_that_is_not_text_is_refused(self, text: object) -> None:
        """Not guessed at."""
        with pytest.raises(MalformedNote):
            note.parse_vkey(text)  # type: ignore[arg-type]

    def test_a_verifier_cannot_be_made_with_another_keys_id(self) -> None:
        """Nor with a kind or key that has none."""
        key = LOG.verifier
        for kind, identity in [(1, b"\x00" * 4), (4, key.key_id), (True, key.key_id)]:
            with pytest.raises(MalformedNote):
                note.Verifier(key.name, identity, kind, key.public_key)
        with pytest.raises(MalformedNote):
            note.Verifier(key.name, key.key_id, 1, bytearray(key.public_key))  # type: ignore[arg-type]
        with pytest.raises(MalformedNote):
            note.Verifier(None, key.key_id, 1, key.public_key)  # type: ignore[arg-type]


class TestStructure:
    def test_text_and_signatures_are_taken_apart(self) -> None:
        """The text ends before the last empty line, and may have others."""
        parsed = note.parse_note(NOTE)
        assert parsed.text == TEXT
        assert parsed.verified == ()
        assert parsed.unverified == (LOG.sign(TEXT), WITNESS.sign(TEXT))
        assert note.parse_note(NOTE.encode()) == parsed

    def test_the_shortest_note(self) -> None:
        """One empty line as the text and one signature of one byte."""
        parsed = note.parse_note("\n\n" + line("a", b"12345"))
        assert parsed == note.Note("\n", (), (note.Signature("a", b"1234", b"5"),))

    @given(
        st.text(max_size=200),
        st.lists(
            st.tuples(st.text(min_size=1, max_size=9), st.binary(min_size=1, max_size=80)),
            min_size=1,
            max_size=100,
        ),
    )
    def test_notes_are_read_back(self, text: str, lines: list[tuple[str, bytes]]) -> None:
        """What can be written is read as it was meant; the rest is refused in writing."""
        signatures = tuple(note.Signature(name, b"1234", blob) for name, blob in lines)
        try:
            written = note.format_note(text, signatures)
        except MalformedNote:
            return
        assert note.parse_note(written) == note.Note(text, (), signatures)
        assert note.parse_note(written.encode()) == note.Note(text, (), signatures)

    @pytest.mark.parametrize(
        "text", ["", "x", "x\n\n\ny", f"x\n\n{LOG_LINE[:-1]}", "x\r\n", "x\x00\n", "\ud800\n"]
    )
    def test_a_text_that_would_not_be_read_back_is_not_written(self, text: str) -> None:
        """It must end in a newline and have no control character."""
        with pytest.raises(MalformedNote):
            note.format_note(text, [LOG.sign(TEXT)])

    @pytest.mark.parametrize("count", [0, 101])
    def test_a_note_is_not_written_with_too_few_or_too_many_signatures(self, count: int) -> None:
        """1 to 100."""
        with pytest.raises(MalformedNote):
            note.format_note(TEXT, [LOG.sign(TEXT)] * count)

    @pytest.mark.parametrize(
        "signature",
        [
            note.Signature("", b"1234", b"x"),
            note.Signature("a b", b"1234", b"x"),
            note.Signature("a+b", b"1234", b"x"),
            note.Signature("a", b"123", b"x"),
            note.Signature("a", b"12345", b"x"),
            note.Signature("a", b"1234", b""),
        ],
    )
    def test_a_signature_that_would_not_be_read_back_is_not_written(
        self, signature: note.Signature
    ) -> None:
        """A name that is none, an id of another length, nothing after it."""
        with pytest.raises(MalformedNote):
            note.signature_line(signature)

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "\n",
            "\n\n",
            TEXT,
            TEXT + "\n",
            TEXT + LOG_LINE,
            TEXT + "\n" + LOG_LINE[:-1],
            TEXT + "\n" + LOG_LINE + "\n",
            TEXT + "\n" + LOG_LINE + "more\n",
            TEXT + "\n" + LOG_LINE + "more",
            TEXT + "\n" + "more\n" + LOG_LINE,
            TEXT + "\r\n" + LOG_LINE,
            TEXT + "\n" + LOG_LINE[:-1] + "\r\n",
            TEXT + "\n" + LOG_LINE[:-1] + " \n",
            TEXT + "\n " + LOG_LINE,
            "\n" + LOG_LINE,
            TEXT + "\n" + LOG_LINE.replace("\u2014", "-"),
            TEXT + "\n" + LOG_LINE.replace("\u2014", "\u2013"),
            TEXT + "\n" + LOG_LINE.replace("\u2014", "\u2015"),
            TEXT + "\n" + LOG_LINE.replace("\u2014 ", "\u2014"),
            TEXT + "\n" + LOG_LINE.replace("\u2014 ", "\u2014  "),
            TEXT + "\n" + LOG_LINE.replace("\u2014 ", "\u2014\u00a0"),
            TEXT + "\n" + LOG_LINE.replace("/log ", "/log  "),
            TEXT + "\n" + LOG_LINE.replace("/log ", "/log\u2028"),
            TEXT + "\n" + LOG_LINE.replace("/log", "+log"),
            TEXT + "\n" + LOG_LINE.replace("/log ", "/log\n"),
            TEXT + "\n" + LOG_LINE.replace("=\n", "\n"),
            TEXT + "\n" + LOG_LINE.replace("=\n", "==\n"),
            TEXT + "\n" + LOG_LINE.replace("=\n", "=x\n"),
            TEXT + "\n\u2014 a \n",
            TEXT + "\n\u2014 a\n",
            TEXT + "\n\u2014 \n",
            TEXT + "\n\u2014  MTIzNDU=\n",
            TEXT + "\n\u2014 a MTIzNDU\n",
            TEXT + "\n\u2014 a MTIzNDV=\n",
            TEXT + "\n\u2014 a MTIz NDU=\n",
            TEXT + "\n\u2014 a MTIz-NDU=\n",
            TEXT + "\n\u2014 a \uff2dTIzNDU=\n",
            TEXT + "\n" + line("a", b"1234"),
            TEXT + "\n" + line("a", b""),
            "tab\t\n" + NOTE,
            "nul\x00\n" + NOTE,
            "escape\x1b[31m\n" + NOTE,
            "carriage\r\n" + NOTE,
            "half a pair \ud83d\n" + NOTE,
            b"\xef\xbf" + NOTE.encode(),
            b"\xc0\xae" + NOTE.encode(),
            b"\xed\xa0\x80" + NOTE.encode(),
            NOTE.encode("utf-16"),
            "x" * (1 << 20) + NOTE,
            "\u6e2f" * (1 << 19) + NOTE,
            TEXT + "\n" + line("a", b"12345") * 101,
            None,
            7,
            bytearray(NOTE.encode()),
            [NOTE],
        ],
        ids=lambda text: ascii(text)[-70:],
    )
    def test_what_is_not_exactly_a_note_is_refused(self, text: object) -> None:
        """Line ends, dashes, spaces, base64, control characters, encoding, size."""
        with pytest.raises(MalformedNote):
            note.parse_note(text)  # type: ignore[arg-type]
        with pytest.raises(MalformedNote):
            note.open_note(text, TRUSTED)  # type: ignore[arg-type]

    def test_the_limits_themselves_are_allowed(self) -> None:
        """100 signatures, and 1 MiB to the byte."""
        many = note.parse_note(TEXT + "\n" + line("a", b"12345") * 100)
        assert len(many.unverified) == 100
        tail = "\n\n" + line("a", b"12345")
        full = "x" * ((1 << 20) - len(tail.encode())) + tail
        assert len(full.encode()) == 1 << 20
        assert note.parse_note(full).text == full[: -len(tail)] + "\n"
        with pytest.raises(MalformedNote):
            note.parse_note("x" + full)

    @pytest.mark.parametrize("cut", [LOG_LINE[:-1], LOG_LINE[1:], "x" + LOG_LINE, ""])
    def test_a_single_line_is_read_as_strictly(self, cut: str) -> None:
        """As a witness's answer brings it."""
        assert note.parse_signature_line(LOG_LINE) == LOG.sign(TEXT)
        with pytest.raises(MalformedNote):
            note.parse_signature_line(cut)


class TestOpening:
    def test_each_known_key_is_verified(self) -> None:
        """A cosignature tells its time, the log's own signature none."""
        opened = note.open_note(NOTE, TRUSTED)
        assert opened.text == TEXT
        assert opened.verified == (
            note.Verified(LOG.verifier, LOG.sign(TEXT), None),
            note.Verified(WITNESS.verifier, WITNESS.sign(TEXT), 1_700_000_000),
        )
        assert opened.unverified == ()

    def test_keys_may_be_given_as_text_and_from_any_iterable(self) -> None:
        """And twice."""
        keys: list[note.Verifier | str] = [
            LOG.verifier.vkey,
            WITNESS.verifier,
            LOG.verifier,
            WITNESS.verifier.vkey,
        ]
        assert note.open_note(NOTE, iter(keys)) == note.open_note(NOTE.encode(), TRUSTED)

    def test_unknown_lines_are_passed_over_in_any_order(self) -> None:
        """Shuffled, and with made-up lines among them, the same keys are verified."""
        known = [LOG.sign(TEXT), WITNESS.sign(TEXT)]
        unknown = [STRANGER.sign(TEXT), note.Signature("made.up", b"\x00" * 4, b"\xff" * 2424)]
        for seed in range(20):
            signatures = known + unknown
            random.Random(seed).shuffle(signatures)
            opened = note.open_note(note.format_note(TEXT, signatures), TRUSTED)
            assert {item.verifier for item in opened.verified} == set(TRUSTED)
            assert set(opened.unverified) == set(unknown)

    def test_name_or_id_alone_does_not_make_a_key_known(self) -> None:
        """A stranger's line under the log's name, or with its id, is passed over."""
        key = LOG.verifier
        others = [
            note.Signature(key.name, STRANGER.verifier.key_id, b"x" * 64),
            note.Signature("stranger.example", key.key_id, b"x" * 64),
        ]
        opened = note.open_note(note.format_note(TEXT, [*others, LOG.sign(TEXT)]), [key])
        assert opened.unverified == tuple(others)
        with pytest.raises(UnknownSigner):
            note.open_note(note.format_note(TEXT, others), [key])

    def test_a_note_that_no_known_key_signed_is_refused(self) -> None:
        """Whatever the strangers' signatures are worth; and nobody is trusted by default."""
        with pytest.raises(UnknownSigner) as caught:
            note.open_note(note.format_note(TEXT, [STRANGER.sign(TEXT)]), TRUSTED)
        assert caught.value.facts["names"] == ["stranger.example"]
        with pytest.raises(UnknownSigner):
            note.open_note(NOTE, [])

    @pytest.mark.parametrize(
        "bad",
        [
            LOG.sign(TEXT + "more\n"),
            LOG.sign(TEXT[1:]),
            LOG.signature(b"x"),
            LOG.signature(b"x" * 64),
            LOG.signature(LOG.sign(TEXT).blob[:-1]),
            LOG.signature(LOG.sign(TEXT).blob + b"\x00"),
            LOG.signature(STRANGER.sign(TEXT).blob),
            LOG.signature(WITNESS.sign(TEXT).blob),
            WITNESS.sign(TEXT + "more\n"),
            WITNESS.signature(b"x"),
            WITNESS.signature(WITNESS.sign(TEXT).blob[8:]),
            WITNESS.signature(WITNESS.private.sign(TEXT.encode())),
            WITNESS.signature(bytes(8) + WITNESS.private.sign(TEXT.encode())),
            WITNESS.signature(bytes(7) + b"\x01" + WITNESS.sign(TEXT, 0).blob[8:]),
            WITNESS.signature(b"\x80" + bytes(7) + WITNESS.sign(TEXT).blob[8:]),
            WITNESS.signature(b"\xff" * 8 + WITNESS.sign(TEXT).blob[8:]),
        ],
    )
    def test_one_failing_line_of_a_known_key_refuses_the_note(self, bad: note.Signature) -> None:
        """Before or after good ones, and also where that key has a good line as well."""
        for signatures in ([bad], [bad, LOG.sign(TEXT)], [LOG.sign(TEXT), WITNESS.sign(TEXT), bad]):
            with pytest.raises(BadSignature) as caught:
                note.open_note(note.format_note(TEXT, signatures), TRUSTED)
            assert caught.value.facts["name"] == bad.name

    def test_a_key_counts_once_however_often_it_signs(self) -> None:
        """A witness that signs twice is one witness, and its first line is the one kept."""
        signatures = [WITNESS.sign(TEXT, 10), WITNESS.sign(TEXT, 20), WITNESS.sign(TEXT, 30)]
        opened = note.open_note(note.format_note(TEXT, signatures), TRUSTED)
        assert [(item.verifier, item.time) for item in opened.verified] == [(WITNESS.verifier, 10)]
        assert opened.unverified == ()

    def test_one_key_of_two_kinds_is_two_keys(self) -> None:
        """A signature of one kind does not pass as the other, even under one name."""
        plain = Signer("w.example", note.KIND_ED25519, seed=9)
        timed = Signer("w.example", note.KIND_COSIGNATURE, seed=9)
        assert plain.verifier.key_id != timed.verifier.key_id
        written = note.format_note(TEXT, [timed.sign(TEXT)])
        with pytest.raises(UnknownSigner):
            note.open_note(written, [plain.verifier])

    def test_two_keys_with_one_name_and_id_are_refused(self) -> None:
        """They cannot be told apart in a note, so trusting both is a mistake."""
        first, second = colliding_keys()
        with pytest.raises(MalformedNote, match="share"):
            note.open_note(NOTE, [first, second])

    def test_a_trusted_key_that_is_no_key_is_refused(self) -> None:
        """Also where the others would do."""
        with pytest.raises(MalformedNote):
            note.open_note(NOTE, [LOG.verifier, "city.example/log"])

    @settings(deadline=None, max_examples=100)
    @given(st.data())
    def test_no_bit_of_text_or_signature_can_be_flipped(self, data: st.DataObject) -> None:
        """One bit anywhere in a signed note: it no longer opens with both keys."""
        raw = bytearray(NOTE.encode())
        bit = data.draw(st.integers(0, len(raw) * 8 - 1))
        raw[bit // 8] ^= 1 << bit % 8
        try:
            opened = note.open_note(bytes(raw), TRUSTED)
        except (MalformedNote, BadSignature, UnknownSigner):
            return
        assert opened.text == TEXT
        assert len(opened.verified) == 1  # a name or id was hit, and its line is a stranger's


class TestCosignatures:
    def test_what_a_witness_signs(self) -> None:
        """A header line, the time in decimal, the whole text."""
        want = b"cosignature/v1\ntime 1679315147\nlog\n5\nroot\n"
        assert note.cosigned_message(1_679_315_147, "log\n5\nroot\n") == want

    @pytest.mark.parametrize("time", [0, 1, 2**63 - 1])
    def test_every_time_below_2_to_the_63_can_be_said(self, time: int) -> None:
        """What it is worth is for the policy to judge."""
        written = note.format_note(TEXT, [WITNESS.sign(TEXT, time)])
        assert note.open_note(written, TRUSTED).verified[0].time == time

    @pytest.mark.parametrize("time", [-1, 2**63, True, 1.0, "1", None])
    def test_another_time_cannot(self, time: object) -> None:
        """Neither negative nor something that is no whole number."""
        with pytest.raises(MalformedNote):
            note.cosigned_message(time, TEXT)  # type: ignore[arg-type]


@given(st.binary(max_size=100))
def test_base64_is_read_back(data: bytes) -> None:
    """With a character more it is something else."""
    text = encode_base64(data)
    assert decode_base64(text) == data
    for other in (text + "=", text + "\n", " " + text, text + "A", text + "\u0410"):
        with pytest.raises(MalformedNote):
            decode_base64(other)


def colliding_keys() -> tuple[note.Verifier, note.Verifier]:
    """
    Two keys with one name and key id, found by trying 2^17 or so of them.

    The id has only 32 bits, so anyone can do this.
    """
    seen: dict[bytes, bytes] = {}
    for number in range(1 << 20):
        key = number.to_bytes(32, "big")
        identity = hashlib.sha256(b"x\n\x01" + key).digest()[:4]
        if identity in seen:
            first, second = seen[identity], key
            return note.Verifier("x", identity, 1, first), note.Verifier("x", identity, 1, second)
        seen[identity] = key
    raise AssertionError("no collision")
