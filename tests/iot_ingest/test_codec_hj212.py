# SPDX-License-Identifier: Apache-2.0
"""HJ 212 frames: what a reading is, and a reason for each thing that can be wrong."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iot_ingest.codecs import Decoded, Fault, Members, codecs
from iot_ingest.codecs.crc import crc16_hj212, crc16_modbus
from iot_ingest.codecs.hj212 import MAX_FRAMES
from tests.examples import examples

CODEC = codecs()["hj212"]
SECRET = "s3cr3t"
HEAD = {
    "QN": "20260301100000123",
    "ST": "22",
    "CN": "2011",
    "PW": SECRET,
    "MN": "010000A8900016F000169DC0",
    "Flag": "9",
}
CP = "DataTime=20260301095900;a34004-Rtd=35.0,a34004-Flag=N"
# HJ 212-2017, the example of its annex on messages: extraction of the real-time interval.
STANDARD = (
    b"##0101QN=20160801085857223;ST=32;CN=1062;PW=100000;MN=010000A8900016F000169DC0;Flag=5;"
    b"CP=&&RtdInterval=30&&1C80\r\n"
)


def slow_crc(data: bytes) -> int:
    """HJ 212-2017, annex A, bit by bit and without a table."""
    register = [1] * 16
    for byte in data:
        high = register[:8]
        register = [0] * 8 + [bit ^ (byte >> (7 - at) & 1) for at, bit in enumerate(high)]
        for _ in range(8):
            out, register = register[15], [0, *register[:15]]
            if out:
                register = [bit ^ (0xA001 >> (15 - at) & 1) for at, bit in enumerate(register)]
    return int("".join(map(str, register)), 2)


def framed(segment: bytes) -> bytes:
    """A whole frame around a data segment."""
    return b"##%04d%s%04X\r\n" % (len(segment), segment, slow_crc(segment))


def frame(content: str = CP, **fields: str | None) -> bytes:
    """A frame with other fields; None leaves one out."""
    named = {**HEAD, **fields}
    head = "".join(f"{name}={value};" for name, value in named.items() if value is not None)
    return framed(f"{head}CP=&&{content}&&".encode())


def decode(message: bytes) -> list[Decoded | Fault]:
    """What the codec finds."""
    return list(CODEC.decode(message, Members()))


def fault(message: bytes) -> Fault:
    """The one fault of a message."""
    (found,) = decode(message)
    assert isinstance(found, Fault), found
    assert found.payload == message
    assert SECRET not in found.detail
    return found


def test_the_standards_own_example_is_read() -> None:
    """Without DataTime the sender's time is QN."""
    qn, mn = "20160801085857223", "010000A8900016F000169DC0"
    assert decode(STANDARD) == [Decoded(STANDARD, qn, qn, mn)]


@pytest.mark.parametrize(
    ("segment", "crc"),
    [
        (STANDARD[6:-6], 0x1C80),
        # The test vector of another implementation, hutool's.
        (
            b"QN=20160801085857223;ST=23;CN=2011;PW=123456;MN=010000A8900016F000169DC0;Flag=5;"
            b"CP=&&DataTime=20160801085857; LA-Rtd=50.1&&",
            0x1E00,
        ),
    ],
)
def test_the_crc_is_that_of_published_frames(segment: bytes, crc: int) -> None:
    """Computed by others, by the table, and bit by bit."""
    assert crc16_hj212(segment) == slow_crc(segment) == crc


def test_the_crc_of_modbus_is_another() -> None:
    """Its check value, as the catalogues have it."""
    assert crc16_modbus(b"123456789") == 0x4B37
    assert crc16_hj212(b"123456789") != 0x4B37


@given(st.binary(max_size=200))
def test_the_crc_by_table_is_the_crc_bit_by_bit(data: bytes) -> None:
    """For any bytes."""
    assert crc16_hj212(data) == slow_crc(data)


def test_a_reading_is_the_frame_with_its_time_key_and_device() -> None:
    """DataTime as sent; a CRC in small letters is the same number."""
    sent = frame()
    small = sent[:-6] + sent[-6:].lower()
    for message in {sent, small}:
        (one,) = decode(message)
        assert one == Decoded(message, "20260301095900", HEAD["QN"], HEAD["MN"])


def test_split_packets_have_keys_of_their_own() -> None:
    """They share QN; PNO tells them apart, however many zeros lead it."""
    packets = [
        frame(Flag="11", PNUM="0003", PNO=number, content=f"a34004-Rtd={number}")
        for number in ("0001", "2", "03")
    ]
    found = decode(b"".join(packets))
    assert [one.payload for one in found] == packets
    assert [one.key for one in found if isinstance(one, Decoded)] == [
        f"{HEAD['QN']}/{number}" for number in (1, 2, 3)
    ]


def test_chinese_text_counts_in_bytes() -> None:
    """The standard allows it as UTF-8."""
    message = frame(content="Info=设备停运")
    (one,) = decode(message)
    assert isinstance(one, Decoded)
    assert one.payload == message


def test_fields_that_a_later_standard_adds_are_passed_over() -> None:
    """Before CP, with a name of their own."""
    (one,) = decode(frame(Ver="2"))
    assert isinstance(one, Decoded)


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        *((name, None, "missing") for name in HEAD),
        ("QN", "2026030110000012", "bad-value"),
        ("QN", "202603011000001234", "bad-value"),
        ("QN", "2026030110000012x", "bad-value"),
        ("QN", "２0260301100000123", "bad-value"),
        ("ST", "", "bad-value"),
        ("ST", "2", "bad-value"),
        ("ST", "222", "bad-value"),
        ("CN", "201", "bad-value"),
        ("CN", "20111", "bad-value"),
        ("CN", "2o11", "bad-value"),
        ("PW", "", "bad-value"),
        ("PW", f"{SECRET} {SECRET}", "bad-value"),
        ("PW", SECRET * 11, "bad-value"),
        ("MN", "", "bad-value"),
        ("MN", "..", "bad-value"),
        ("MN", "a b", "bad-value"),
        ("MN", "a/b", "bad-value"),
        ("MN", "a" * 129, "bad-value"),
        ("MN", "站", "bad-value"),
        ("Flag", "", "bad-value"),
        ("Flag", "-1", "bad-value"),
        ("Flag", "256", "bad-value"),
        ("Flag", "0005", "bad-value"),
        ("Flag", "11", "missing"),
        ("PNO", "1", "missing"),
        ("PNUM", "1", "missing"),
    ],
)
def test_a_bad_field_has_its_reason(name: str, value: str | None, reason: str) -> None:
    """The length and the CRC are right: it is the field alone that is refused, by name."""
    found = fault(frame(**{name: value}))
    assert found.reason == reason
    assert re.search(rf"\b{name}\b", found.detail)


@pytest.mark.parametrize("pno", ["0", "4", "x", "", "00001"])
def test_a_packet_has_a_number_up_to_the_number_of_packets(pno: str) -> None:
    """Neither none nor more than there are."""
    found = fault(frame(Flag="11", PNUM="3", PNO=pno))
    assert (found.reason, "PNO" in found.detail) == ("bad-value", True)


@pytest.mark.parametrize(
    ("content", "reason", "word"),
    [
        ("DataTime=2026030109590", "bad-value", "DataTime"),
        ("DataTime=", "bad-value", "DataTime"),
        ("DataTime=2026-03-01 09:59", "bad-value", "DataTime"),
        (f"{CP};DataTime=20260301095901", "bad-value", "DataTime"),
        ("a&&b", "bad-value", "CP"),
        ("a\tb", "bad-value", "control"),
        ("a\0b", "bad-value", "control"),
        ("a\x7fb", "bad-value", "control"),
    ],
)
def test_bad_content_has_its_reason(content: str, reason: str, word: str) -> None:
    """What two readers could understand differently is no reading."""
    found = fault(frame(content))
    assert (found.reason, word in found.detail) == (reason, True)


@pytest.mark.parametrize(
    ("segment", "reason"),
    [
        (b"", "missing"),
        (b"QN=20260301100000123", "missing"),
        (b"CP=&&&&", "missing"),
        (b"QN=20260301100000123;CP=&&a&&", "missing"),
        (frame()[6:-8], "bad-value"),
        (frame()[6:-7], "bad-value"),
        (b"QN=20260301100000123;" + frame()[6:-6], "bad-value"),
        (b"s3cr3t;" + frame()[6:-6], "bad-value"),
        (b"=s3cr3t;" + frame()[6:-6], "bad-value"),
        (b";" + frame()[6:-6], "bad-value"),
        (frame()[6:-8] + b"\xff\xfe&&", "not-utf-8"),
        (frame()[6:-8] + "设备".encode("gbk") + b"&&", "not-utf-8"),
    ],
)
def test_a_bad_data_segment_has_its_reason(segment: bytes, reason: str) -> None:
    """In a frame whose length and CRC are right."""
    assert fault(framed(segment)).reason == reason


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (b"", "empty"),
        (b"#", "bad-start"),
        (b"##", "bad-start"),
        (b"\r\n", "bad-start"),
        (b" " + frame(), "bad-start"),
        (b"\xef\xbb\xbf" + frame(), "bad-start"),
        (frame().replace(b"##", b"#", 1), "bad-start"),
        (b"##01x1" + frame()[6:], "bad-start"),
        (b"##101" + frame()[6:], "bad-start"),
        ("##０１０１".encode() + frame()[6:], "bad-start"),
        (frame()[:-1], "bad-end"),
        (frame()[:-2], "bad-end"),
        (frame()[:-2] + b"\n", "bad-end"),
        (frame()[:-2] + b"\n\r", "bad-end"),
        (frame() + b"\r\n", "bad-end"),
        (frame() + b"\0", "bad-end"),
        (frame()[:-6] + b"12G4\r\n", "bad-end"),
        (frame()[:-6] + b"124\r\n", "bad-end"),
        (b"##0000" + frame()[6:], "bad-length"),
        (b"##9999" + frame()[6:], "bad-length"),
        (frame()[:-7] + frame()[-6:], "bad-length"),
        (frame()[:-2] + frame(), "bad-length"),
        (frame()[:-6] + b"0000\r\n", "bad-crc"),
        (frame().replace(b"35.0", b"36.0"), "bad-crc"),
        (frame().replace(b"35.0", b"3.50"), "bad-crc"),
        (frame().replace(SECRET.encode(), b"s3cr3T"), "bad-crc"),
    ],
)
def test_a_broken_frame_has_its_reason(message: bytes, reason: str) -> None:
    """Start, end, length and CRC, each for itself."""
    assert fault(message).reason == reason


def test_a_frame_under_modbus_crc_is_told_what_it_has() -> None:
    """Many senders took the wrong CRC-16; the sentence says so."""
    segment = frame()[6:-6]
    found = fault(frame()[:-6] + b"%04X\r\n" % crc16_modbus(segment))
    assert found.reason == "bad-crc"
    assert "Modbus" in found.detail


def test_no_fault_says_which_crc_would_be_right() -> None:
    """With the rest of the frame it would leave a handful of passwords to try."""
    right = frame()[-6:-2].decode()
    found = fault(frame()[:-6] + b"0000\r\n")
    assert right.lower() not in found.detail.lower()
    assert str(int(right, 16)) not in found.detail


def test_a_frame_larger_than_a_reading_may_be_is_refused() -> None:
    """By the feed's own limit."""
    (found,) = CODEC.decode(frame(), Members(max_bytes=len(frame()) - 1))
    assert isinstance(found, Fault)
    assert found.reason == "too-large"


def test_a_message_of_too_many_frames_is_one_fault() -> None:
    """One message doesn't become a million rows."""
    assert fault(b"##\r\n" * (MAX_FRAMES + 1)).reason == "too-many"
    assert len(decode(b"##\r\n" * MAX_FRAMES)) == MAX_FRAMES


def test_broken_frames_do_not_sink_their_neighbours() -> None:
    """Each between two good ones, even one whose length lies about where it ends."""
    good = frame()
    broken = [
        b"##9999" + good[6:],
        b"##%04d" % (2 * len(good) - 12) + good[6:],
        b"##\r\n",
        b"##0000\r\n",
        good[:-6] + b"0000\r\n",
        frame(MN=None),
    ]
    message = b"".join(good + one for one in broken) + good
    found = decode(message)
    assert b"".join(one.payload for one in found) == message
    assert [one.payload for one in found if isinstance(one, Decoded)] == [good] * 7
    assert [one.payload for one in found if isinstance(one, Fault)] == broken


VALUES = st.text(st.characters(codec="utf-8", exclude_characters="&;,"), max_size=12).filter(
    lambda text: text.isprintable() and "DataTime" not in text
)


@given(
    st.from_regex(r"\A[0-9]{17}\Z"),
    st.from_regex(r"\A[A-Za-z0-9._:-]{3,128}\Z"),
    st.integers(0, 255),
    st.lists(VALUES, max_size=5),
    st.one_of(st.none(), st.from_regex(r"\A[0-9]{14}\Z")),
    st.one_of(st.none(), st.integers(1, 9999).flatmap(
        lambda total: st.tuples(st.just(total), st.integers(1, total)))),
)  # fmt: skip
@examples(300)
def test_every_frame_of_the_standards_form_is_read(
    qn: str,
    mn: str,
    flag: int,
    values: list[str],
    time: str | None,
    packet: tuple[int, int] | None,
) -> None:
    """Whatever its values; source, time and key are those that were sent."""
    parts = [f"a{number}-Rtd={value}" for number, value in enumerate(values)]
    content = ";".join(parts if time is None else [f"DataTime={time}", *parts])
    fields = {"QN": qn, "MN": mn, "Flag": str(flag | 2 if packet else flag & ~2)}
    if packet:
        fields |= {"PNUM": str(packet[0]), "PNO": str(packet[1])}
    message = frame(content, **fields)
    key = f"{qn}/{packet[1]}" if packet else qn
    assert decode(message) == [Decoded(message, time or qn, key, mn)]


@given(st.integers(0, len(frame()) - 1), st.integers(0, 255))
@examples(500)
def test_a_changed_byte_is_never_a_reading(at: int, byte: int) -> None:
    """Anywhere in the frame; only a letter of the CRC may be small or large."""
    sent = frame()
    changed = sent[:at] + bytes([byte]) + sent[at + 1 :]
    in_crc = at >= len(sent) - 6 and changed.lower() == sent.lower()
    found = decode(changed)
    assert any(isinstance(one, Fault) for one in found) or changed == sent or in_crc


@given(st.lists(st.one_of(st.binary(max_size=30), st.sampled_from(
    [frame(), STANDARD, b"##", b"\r\n", b"##0101", b"&&", b"PW=s3cr3t;", b"1C80\r\n"])), max_size=8)
    .map(b"".join))  # fmt: skip
@examples(500)
def test_every_byte_of_a_message_is_in_a_reading_or_a_fault(message: bytes) -> None:
    """In order, none twice, none dropped; and no fault repeats the password."""
    found = decode(message)
    assert b"".join(one.payload for one in found) == message
    for one in found:
        if isinstance(one, Fault):
            assert SECRET not in one.detail
            assert re.fullmatch(r"[a-z0-9-]+", one.reason)
