# SPDX-License-Identifier: Apache-2.0
"""DER is read in its one encoding alone, and written in it."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notary.evidence.der import (
    BOOLEAN,
    INTEGER,
    OCTET_STRING,
    OID,
    SEQUENCE,
    NotDer,
    Reader,
    element,
    integer,
    oid,
    one,
    read_integer,
    read_oid,
    read_time,
)

INTEGERS = {0: "020100", 127: "02017f", 128: "02020080", 256: "02020100", -128: "020180",
            -129: "0202ff7f", 2**64: "0209010000000000000000"}  # fmt: skip
OIDS = {"1.2.840.113549": "06062a864886f70d", "2.16.840.1.101.3.4.2.1": "0609608648016503040201",
        "2.999.3": "0603883703", "0.0": "060100", "2.5.29.37": "0603551d25"}  # fmt: skip


@pytest.mark.parametrize("value", INTEGERS)
def test_integers_of_the_standard(value: int) -> None:
    """As X.690, 8.3 has them."""
    assert integer(value).hex() == INTEGERS[value]
    assert Reader(bytes.fromhex(INTEGERS[value])).integer("") == value


@pytest.mark.parametrize("text", OIDS)
def test_names_of_objects(text: str) -> None:
    """As X.690, 8.19 has them."""
    assert oid(text).hex() == OIDS[text]
    assert Reader(bytes.fromhex(OIDS[text])).oid("") == text


@given(st.integers(-(2**500), 2**500))
def test_an_integer_survives(value: int) -> None:
    """Written and read."""
    assert Reader(integer(value)).integer("") == value


@given(st.integers(0, 1), st.integers(0, 39), st.lists(st.integers(0, 2**32), max_size=8))
def test_a_name_survives(top: int, second: int, rest: list[int]) -> None:
    """Written and read."""
    text = ".".join(map(str, (top, second, *rest)))
    assert Reader(oid(text)).oid("") == text


@given(st.binary(max_size=300))
def test_an_element_survives(content: bytes) -> None:
    """Of any length."""
    assert Reader(element(OCTET_STRING, content)).take(OCTET_STRING, "").content == content


@pytest.mark.parametrize("size", [0, 127, 128, 255, 256, 65_535, 65_536])
def test_each_length_has_its_form(size: int) -> None:
    """The shortest."""
    data = element(OCTET_STRING, bytes(size))
    assert len(data) - size == 2 + (size > 127) + (size > 255) + (size > 65_535)
    assert len(Reader(data).take(OCTET_STRING, "").content) == size


@given(st.binary(max_size=40))
def test_whatever_is_read_was_written_so(data: bytes) -> None:
    """No second encoding of anything is read."""
    try:
        found = Reader(data).take(SEQUENCE, "it")
    except NotDer:
        return
    assert element(SEQUENCE, found.content) == found.whole == data[: len(found.whole)]


ATTACKS: dict[str, Callable[[], object]] = {
    "nothing": lambda: Reader(b"").take(SEQUENCE, "it"),
    "a tag alone": lambda: Reader(b"\x30").take(SEQUENCE, "it"),
    "an indefinite length": lambda: Reader(b"\x30\x80\0\0").take(SEQUENCE, "it"),
    "a length that DER writes shorter": lambda: Reader(b"\x30\x81\x01\0").take(SEQUENCE, "it"),
    "a length with a zero before it": lambda: Reader(b"\x30\x82\0\x80" + bytes(128)).take(
        SEQUENCE, "it"
    ),
    "a length of five octets": lambda: Reader(b"\x30\x85\x01\0\0\0\0" + bytes(9)).take(
        SEQUENCE, "it"
    ),
    "a length that is cut off": lambda: Reader(b"\x30\x82\x01").take(SEQUENCE, "it"),
    "the reserved length": lambda: Reader(b"\x30\xff" + bytes(300)).take(SEQUENCE, "it"),
    "a content that is cut off": lambda: Reader(b"\x30\x03\0\0").take(SEQUENCE, "it"),
    "another tag": lambda: Reader(b"\x31\0").take(SEQUENCE, "it"),
    "something behind": lambda: one(b"\x30\0\0", SEQUENCE, "it"),
    "an empty integer": lambda: read_integer(b"", "it"),
    "an integer with a zero before it": lambda: read_integer(b"\0\x01", "it"),
    "an integer with ones before it": lambda: read_integer(b"\xff\x80", "it"),
    "an enormous integer": lambda: read_integer(b"\x01" * 65, "it"),
    "an empty name": lambda: read_oid(b"", "it"),
    "a name that is cut off": lambda: read_oid(b"\x2a\x86", "it"),
    "a name with a zero before it": lambda: read_oid(b"\x2a\x80\x01", "it"),
    "a name that begins with a zero": lambda: read_oid(b"\x80\x01", "it"),
    "an enormous name": lambda: read_oid(b"\x2a" * 65, "it"),
    "false written out": lambda: Reader(element(BOOLEAN, b"\0")).true_if("it"),
    "another true": lambda: Reader(element(BOOLEAN, b"\x01")).true_if("it"),
    "parameters that are no NULL": lambda: Reader(
        element(SEQUENCE, oid("1.2.3"), integer(1))
    ).algorithm("it"),
    "a NULL with a content": lambda: Reader(
        element(SEQUENCE, oid("1.2.3"), element(0x05, b"\0"))
    ).algorithm("it"),
    "no name to write": lambda: oid("x"),
    "a name of one number": lambda: oid("1"),
    "a second number too large": lambda: oid("1.40"),
    "a first number too large": lambda: oid("3.1"),
    "a name with a zero in a number": lambda: oid("1.2.03"),
    "a name that is too long": lambda: oid("1.2" + ".99999999999999999999" * 10),
}


@pytest.mark.parametrize("what", ATTACKS)
def test_another_encoding_is_refused(what: str) -> None:
    """Each in a sentence."""
    with pytest.raises(NotDer):
        ATTACKS[what]()


def test_what_is_read_goes_on() -> None:
    """One element after another."""
    reader = Reader(integer(1) + oid("1.2.3") + integer(2) + integer(3))
    assert reader.integer("") == 1
    assert reader.take_if(INTEGER, "") is None
    assert reader.tag == OID
    assert reader.oid("") == "1.2.3"
    assert [read_integer(each.content, "") for each in reader.all(INTEGER, "")] == [2, 3]
    assert reader.tag is None
    reader.close("it")


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("20310305060708Z", datetime(2031, 3, 5, 6, 7, 8, tzinfo=UTC)),
        ("20310305060708.5Z", datetime(2031, 3, 5, 6, 7, 8, 500_000, tzinfo=UTC)),
        ("20310305060708.000001Z", datetime(2031, 3, 5, 6, 7, 8, 1, tzinfo=UTC)),
        ("20310305060708.1234567Z", datetime(2031, 3, 5, 6, 7, 8, 123_456, tzinfo=UTC)),
    ],
)
def test_times(text: str, time: datetime) -> None:
    """With a fraction or without."""
    assert read_time(text.encode(), "it") == time


@pytest.mark.parametrize(
    "text",
    ["", "20310305060708", "20310305060708.Z", "20310305060708.50Z", "20310305060708,5Z",
     "20310305060708+0000", "20310305060760Z", "20310305240000Z", "20311305060708Z",
     "00000305060708Z", "310305060708Z", "20310305060708Z ", "20310305060708z",
     "２０310305060708Z", "20310305060708.1234567891Z"],
)  # fmt: skip
def test_what_is_no_time_is_refused(text: str) -> None:
    """Other spellings, and days and seconds that aren't there."""
    with pytest.raises(NotDer):
        read_time(text.encode(), "it")
