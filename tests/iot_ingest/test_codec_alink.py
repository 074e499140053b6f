# SPDX-License-Identifier: Apache-2.0
"""Alink: a post of properties or of an event is one reading; each bad member has a reason."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iot_ingest.codecs import Decoded, Fault, Members, codecs
from tests.examples import examples

POST = {
    "id": "123",
    "version": "1.0",
    "sys": {"ack": 0},
    "method": "thing.event.property.post",
    "params": {
        "Power": {"value": "on", "time": 1524448722000},
        "WF": {"value": 23.6, "time": 1524448722100},
    },
}


def decode(message: bytes) -> Decoded | Fault:
    """What the codec finds: always one."""
    (found,) = codecs()["alink"].decode(message, Members())
    assert found.payload == message
    return found


def post(**members: Any) -> bytes:
    """A post with other members; None leaves one out."""
    named = {**POST, **members}
    return json.dumps({name: value for name, value in named.items() if value is not None}).encode()


def test_the_message_is_the_reading_with_the_latest_of_its_times() -> None:
    """Byte for byte; the id is the key, and the topic names the device."""
    message = post()
    assert decode(message) == Decoded(message, "1524448722100", "123", None)


def test_numbers_keep_their_text() -> None:
    """10.0 stays 10.0: the platform demands a decimal, and the evidence is the bytes."""
    message = b'{"id":"1","version":"1.0","params":{"t":{"value":10.0,"time":1524448722000}}}'
    found = decode(message)
    assert isinstance(found, Decoded)
    assert b"10.0" in found.payload


@pytest.mark.parametrize(
    ("members", "observed"),
    [
        ({"params": {"a": {"value": 1, "time": 9}, "b": {"value": 2, "time": 10}}}, "10"),
        ({"params": {"a": {"value": 1, "time": 10}, "b": 2}}, "10"),
        ({"params": {"a": {"value": 1, "time": 10}, "b": {"value": 2}}}, "10"),
        ({"params": {"a": 1}}, None),
        ({"params": {"a": {"value": 1}}}, None),
        ({"params": {"a": {"time": "not a time: the property's own member"}}}, None),
        ({"params": {"time": 7}}, None),
        ({"params": {"time": {"value": 1, "time": 7}}}, "7"),
        ({"method": "thing.event.alarm.post", "params": {"value": {"a": 1}, "time": 7}}, "7"),
        ({"method": "thing.event.alarm.post", "params": {"value": {"a": 1}}}, None),
        ({"method": None, "params": {"value": {"a": 1}, "time": 7}}, "7"),
        ({"method": None, "params": {"a": {"value": 1, "time": 7}}}, "7"),
        ({"id": 123}, "1524448722100"),
        ({"sys": None}, "1524448722100"),
    ],
)
def test_the_senders_time_is_found_where_the_format_puts_it(
    members: dict[str, Any], observed: str | None
) -> None:
    """In each property, or beside an event's value. Without any the id is no key."""
    message = post(**members)
    assert decode(message) == Decoded(message, observed, "123" if observed else None)


def test_a_restarted_device_without_times_loses_nothing() -> None:
    """Its ids begin anew, so an equal message is another reading: no key, no time."""
    found = decode(post(params={"WF": 23.6}))
    assert isinstance(found, Decoded)
    assert (found.key, found.observed) == (None, None)


@pytest.mark.parametrize(
    ("members", "reason", "word"),
    [
        ({"id": None}, "missing", "id"),
        ({"id": ""}, "bad-value", "key"),
        ({"id": True}, "bad-value", "id"),
        ({"id": {}}, "bad-value", "id"),
        ({"id": "a\nb"}, "bad-value", "key"),
        ({"id": "1" * 129}, "bad-value", "key"),
        ({"version": None}, "missing", "version"),
        ({"version": ""}, "bad-value", "version"),
        ({"version": 1.0}, "bad-value", "version"),
        ({"params": None}, "missing", "params"),
        ({"params": []}, "bad-value", "params"),
        ({"params": "a"}, "bad-value", "params"),
        ({"params": {}}, "empty", "params"),
        ({"params": {"a": {"value": 1, "time": "1524448722000"}}}, "bad-value", "params.a.time"),
        ({"params": {"a": {"value": 1, "time": 1.5}}}, "bad-value", "params.a.time"),
        ({"params": {"a": {"value": 1, "time": -1}}}, "bad-value", "params.a.time"),
        ({"params": {"a": {"value": 1, "time": 10**16}}}, "bad-value", "params.a.time"),
        ({"params": {"a": {"value": 1, "time": 10**70}}}, "bad-value", "time"),
        ({"params": {"a": {"value": 1, "time": {}}}}, "bad-value", "params.a.time"),
        (
            {"method": "thing.event.alarm.post", "params": {"value": 1, "time": "x"}},
            "bad-value",
            "params.time",
        ),
        ({"method": 1}, "bad-value", "method"),
        ({"method": "thing.event.property.pack.post"}, "bad-value", "method"),
        ({"method": "thing.event.property.batch.post"}, "bad-value", "method"),
        ({"method": "thing.service.property.set"}, "bad-value", "method"),
    ],
)
def test_a_bad_member_has_its_reason(members: dict[str, Any], reason: str, word: str) -> None:
    """And a sentence that names it."""
    found = decode(post(**members))
    assert isinstance(found, Fault)
    assert (found.reason, word in found.detail) == (reason, True), found.detail


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (b"", "not-json"),
        (b"[]", "bad-value"),
        (b"1", "bad-value"),
        (b"\xff", "not-utf-8"),
        (b'{"id":"1","id":"2","version":"1.0","params":{"a":1}}', "bad-value"),
        (b'{"id":"1","version":"1.0","params":{"a":1,"a":2}}', "bad-value"),
        (b'{"id":"1","version":"1.0","params":{"a":NaN}}', "bad-value"),
        (b'{"id":"\\ud800","version":"1.0","params":{"a":1}}', "bad-value"),
        (b'{"a":' * 40_000, "too-deep"),
    ],
)
def test_what_is_no_object_has_its_reason(message: bytes, reason: str) -> None:
    """The rules of strict JSON."""
    found = decode(message)
    assert isinstance(found, Fault)
    assert found.reason == reason


def test_a_message_larger_than_a_reading_may_be_is_refused() -> None:
    """By the feed's own limit."""
    (found,) = codecs()["alink"].decode(post(), Members(max_bytes=10))
    assert isinstance(found, Fault)
    assert found.reason == "too-large"


PLAIN = st.one_of(st.booleans(), st.integers(-(2**60), 2**60), st.text(max_size=8))


@given(
    st.dictionaries(
        st.text(min_size=1, max_size=8),
        st.one_of(PLAIN, st.tuples(PLAIN, st.none() | st.integers(0, 10**15))),
        min_size=1,
        max_size=5,
    ),
    st.from_regex(r"\A[0-9]{1,10}\Z"),
)
@examples(300)
def test_every_post_of_the_formats_form_is_read(properties: dict[str, Any], id_: str) -> None:
    """Whatever its properties are called and hold; the time is the largest."""
    params: dict[str, Any] = {}
    times = []
    for name, value in properties.items():
        params[name] = value
        if isinstance(value, tuple):
            params[name] = {"value": value[0]}
            if value[1] is not None:
                params[name]["time"] = value[1]
                times.append(value[1])
    found = decode(post(id=id_, params=params))
    text = json.dumps(params)
    if "\\u0000" in text or "\\ud" in text.lower():
        return
    assert isinstance(found, Decoded)
    assert found.observed == (str(max(times)) if times else None)
    assert found.key == (id_ if times else None)
