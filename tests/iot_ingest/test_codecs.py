# SPDX-License-Identifier: Apache-2.0
"""Codecs: bytes in, readings and faults out, and nothing is ever raised."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from iot_ingest.codecs import MAX_PAYLOAD_BYTES, Decoded, Fault, Members, codecs
from iot_ingest.codecs.json_object import MAX_LINES
from tests.examples import examples

MEMBERS = Members("time", "id")
WITH_MEMBERS = ["json", "ndjson"]
AS_SENT = ["json", "json-array", "ndjson", "raw"]
"""Codecs whose payloads stand in the message."""

BREAKING = {
    b'{"id":"\\ud800"}': "bad-value",
    b'{"a":"\\uDFFFx"}': "bad-value",
    b'{"\\ud800":1}': "bad-value",
    b'{"a":["\\ud83d"]}': "bad-value",
    b'{"a":"\\u0000"}': "bad-value",
    b'{"a":"\0"}': "not-json",
    b'{"a":"\n"}': "not-json",
    b'{"a":' + b"7" * 5000 + b"}": "bad-value",
    b'{"a":-' + b"7" * 5000 + b"}": "bad-value",
    b'{"a":0.' + b"7" * 5000 + b"}": "bad-value",
    b'{"a":' + b"7" * 310 + b"}": "bad-value",
    b'{"a":1e400}': "bad-value",
    b'{"a":-1E+999}': "bad-value",
    b'{"a":1e99999999999999999999}': "bad-value",
    b'{"a":NaN}': "bad-value",
    b'{"a":Infinity}': "bad-value",
    b'{"a":-Infinity}': "bad-value",
    b"[" * 200_000: "too-deep",
    b'{"a":' * 40_000: "too-deep",
    b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}": "too-deep",
    b'{"a":1,"a":2}': "bad-value",
    b'{"x":{"id":1,"id":1}}': "bad-value",
    b"\xff\xfe": "not-utf-8",
    b'{"a":"\xed\xa0\x80"}': "not-utf-8",
    b'{"a":"\xc0\xaf"}': "not-utf-8",
    b'\xef\xbb\xbf{"a":1}': "not-json",
    b"[]": "bad-value",
    b"1": "bad-value",
    b'"text"': "bad-value",
    b"null": "bad-value",
    b'{"a":1} {"a":2}': "not-json",
    b"{'a':1}": "not-json",
    b'{"a":01}': "not-json",
    b'{"a":1,}': "not-json",
    b'{"id":{}}': "bad-value",
    b'{"id":["x"]}': "bad-value",
    b'{"id":true}': "bad-value",
    b'{"time":false}': "bad-value",
    b'{"a":"' + b"x" * MAX_PAYLOAD_BYTES + b'"}': "too-large",
}


@pytest.mark.parametrize("name", WITH_MEMBERS)
@pytest.mark.parametrize(
    ("payload", "reason"), BREAKING.items(), ids=lambda value: repr(value)[:24]
)
def test_a_string_that_breaks_gets_a_reason(name: str, payload: bytes, reason: str) -> None:
    """The classics, each with its bytes and a sentence."""
    found = codecs()[name].decode(payload, MEMBERS)
    if name == "ndjson" and b"\n" in payload:
        assert all(isinstance(one, Fault) for one in found)
        return
    (fault,) = found
    assert isinstance(fault, Fault)
    assert (fault.payload, fault.reason) == (payload, reason)
    assert fault.detail


def test_breaking_lines_do_not_sink_their_neighbours() -> None:
    """Every one of them between two good lines of one pack."""
    bad = [line for line in BREAKING if b"\n" not in line]
    good = [b'{"id":"%d"}' % number for number in range(len(bad) + 1)]
    lines = [line for pair in zip(good, bad, strict=False) for line in pair] + [good[-1]]
    found = codecs()["ndjson"].decode(b"\n".join(lines), MEMBERS)
    assert [one.payload for one in found] == lines
    assert [one.payload for one in found if isinstance(one, Decoded)] == good


def test_a_lines_bytes_are_kept_as_they_came() -> None:
    """CR, blanks and the order of members belong to the evidence; blank lines are no reading."""
    lines = [b' {"b":1,"a":2}\r', b'\t{"a": 1.0 }', b'{"a":"\xe6\xb8\xa9"} ']
    message = b"\r\n".join([b"", lines[0][:-1], b" \t", b""]) + lines[1] + b"\n\n" + lines[2]
    found = codecs()["ndjson"].decode(message, MEMBERS)
    assert [one.payload for one in found] == lines
    assert all(isinstance(one, Decoded) for one in found)


@pytest.mark.parametrize("message", [b"", b"\n", b" \r\n\t\n"])
def test_a_pack_without_a_line_is_a_fault(message: bytes) -> None:
    """Nothing is dropped silently, not even nothing."""
    (fault,) = codecs()["ndjson"].decode(message, MEMBERS)
    assert isinstance(fault, Fault)
    assert fault.reason == "empty"


def test_a_pack_of_too_many_lines_is_one_fault() -> None:
    """One message doesn't become a million rows."""
    (fault,) = codecs()["ndjson"].decode(b"{}\n" * (MAX_LINES + 1), MEMBERS)
    assert isinstance(fault, Fault)
    assert fault.reason == "too-many"
    assert len(codecs()["ndjson"].decode(b"{}\n" * MAX_LINES, MEMBERS)) == MAX_LINES


@pytest.mark.parametrize(
    ("sent", "text"),
    [
        (b'"2026-01-01T00:00:00Z"', "2026-01-01T00:00:00Z"),
        (b"1700000000", "1700000000"),
        (b"1700000000.50", "1700000000.50"),
        (b"1e2", "1e2"),
        (b"-0", "-0"),
        (b"10.0", "10.0"),
        (b"9007199254740993", "9007199254740993"),
        (b'"\\u6e29"', "温"),
        (b'"\\ud83d\\ude00"', "\U0001f600"),
        (b"null", None),
    ],
)
def test_time_and_id_are_the_text_that_was_sent(sent: bytes, text: str | None) -> None:
    """A number's decimals and exponent aren't lost on the way."""
    (one,) = codecs()["json"].decode(b'{"id":%s,"time":%s}' % (sent, sent), MEMBERS)
    assert one == Decoded(one.payload, text, text)


def test_without_names_nothing_is_looked_for() -> None:
    """A feed that names no members gets none."""
    (one,) = codecs()["json"].decode(b'{"id":true,"time":{}}', Members())
    assert one == Decoded(b'{"id":true,"time":{}}')


def test_raw_takes_any_bytes_up_to_the_limit() -> None:
    """Nothing is known of them."""
    decode = codecs()["raw"].decode
    assert list(decode(b"\xff\0", Members(max_bytes=2))) == [Decoded(b"\xff\0")]
    (fault,) = decode(b"\xff\0x", Members(max_bytes=2))
    assert isinstance(fault, Fault)
    assert fault.reason == "too-large"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
BYTES = st.one_of(
    st.binary(max_size=200),
    st.text(alphabet='{}[]":,\\u0dD8eE+-.9 \n\r\t', max_size=60).map(str.encode),
    JSON.map(lambda value: json.dumps(value).encode()),
    JSON.map(lambda value: json.dumps({"id": value, "time": value}, ensure_ascii=False)
             .encode("utf-8", "surrogatepass")),
    st.lists(st.sampled_from([*BREAKING][:12]), max_size=3).map(b"\n".join),
)  # fmt: skip


@given(st.sampled_from(AS_SENT), BYTES)
@example("json", b'{"id":1e400}')
@examples(1000)
def test_whatever_comes_is_a_reading_or_a_fault(name: str, message: bytes) -> None:
    """No exception leaves a codec; its bytes are the message's; its texts are fit to store."""
    found = codecs()[name].decode(message, MEMBERS)
    assert found
    for one in found:
        assert one.payload in message
        if isinstance(one, Decoded):
            for text in (one.observed, one.key):
                assert text is None or "\0" not in text
                assert text is None or text.encode().decode() == text
        else:
            assert one.reason.replace("-", "").isalnum()
            assert one.detail


@given(JSON)
@examples(300)
def test_an_object_that_json_can_write_is_read_unless_it_breaks(value: object) -> None:
    """Strict, and not stricter than it says."""
    text = json.dumps({"value": value}, ensure_ascii=False)
    breaks = any(word in text for word in ("NaN", "Infinity", "\\u0000")) or any(
        0xD800 <= ord(letter) < 0xE000 for letter in text
    )
    (one,) = codecs()["json"].decode(text.encode("utf-8", "surrogatepass"), MEMBERS)
    assert isinstance(one, Decoded) or breaks
