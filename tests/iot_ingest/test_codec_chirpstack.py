# SPDX-License-Identifier: Apache-2.0
"""ChirpStack uplinks: the event is the reading; each bad member has a reason."""

import json
from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iot_ingest.codecs import Decoded, Fault, Members, codecs
from iot_ingest.feeds_file import parse_feeds
from tests.examples import examples

FEED = """
[[feeds]]
name = "lorawan"
filter = "application/+/device/+/event/up"
template = "application/+/device/{source}/event/up"
dataset = "meters"
codec = "chirpstack"
"""
EVENT = {
    "deduplicationId": "3ac7e3c4-4401-4b8d-9386-a5c902f9202d",
    "time": "2022-07-18T09:34:15.775023242+00:00",
    "deviceInfo": {"tenantName": "city", "devEui": "0101010101010101"},
    "devAddr": "00189440",
    "dr": 1,
    "fCnt": 10,
    "fPort": 1,
    "data": "qg==",
}


def decode(message: bytes) -> Decoded | Fault:
    """What the codec finds: always one."""
    (found,) = codecs()["chirpstack"].decode(message, Members())
    assert found.payload == message
    return found


def event(**members: Any) -> bytes:
    """An uplink with other members; None leaves one out."""
    named = {**EVENT, **members}
    return json.dumps({name: value for name, value in named.items() if value is not None}).encode()


def test_the_event_is_the_reading_with_its_time_key_and_device() -> None:
    """Nine digits of a second stay nine digits."""
    message = event()
    assert decode(message) == Decoded(
        message,
        "2022-07-18T09:34:15.775023242+00:00",
        "3ac7e3c4-4401-4b8d-9386-a5c902f9202d",
        "0101010101010101",
    )


@pytest.mark.parametrize("name", ["fCnt", "data", "time", "fPort", "dr"])
def test_what_the_network_server_leaves_out_may_be_missing(name: str) -> None:
    """Versions up to 4.0 left out a counter of 0, and all leave out empty data."""
    assert isinstance(decode(event(**{name: None})), Decoded)
    assert isinstance(decode(json.dumps({**EVENT, name: None}).encode()), Decoded)


def test_a_device_has_one_name_in_large_and_small_letters() -> None:
    """An EUI is a number; ChirpStack itself writes small letters."""
    found = decode(event(deviceInfo={"devEui": "ABCDEF0123456789"}))
    assert isinstance(found, Decoded)
    assert found.source == "abcdef0123456789"


@pytest.mark.parametrize(
    ("members", "reason", "word"),
    [
        ({"deduplicationId": None}, "missing", "deduplicationId"),
        ({"deduplicationId": ""}, "bad-value", "deduplicationId"),
        ({"deduplicationId": 1}, "bad-value", "deduplicationId"),
        ({"deduplicationId": "a\tb"}, "bad-value", "key"),
        ({"deduplicationId": "a" * 129}, "bad-value", "key"),
        ({"time": ""}, "bad-value", "time"),
        ({"time": 1658136855}, "bad-value", "time"),
        ({"time": "2" * 65}, "bad-value", "time"),
        ({"time": {}}, "bad-value", "time"),
        ({"deviceInfo": None}, "missing", "deviceInfo"),
        ({"deviceInfo": []}, "bad-value", "deviceInfo"),
        ({"deviceInfo": {}}, "missing", "deviceInfo.devEui"),
        ({"deviceInfo": {"devEui": None}}, "missing", "deviceInfo.devEui"),
        ({"deviceInfo": {"devEui": 101010101010101}}, "bad-value", "devEui"),
        ({"deviceInfo": {"devEui": "010101010101010"}}, "bad-value", "devEui"),
        ({"deviceInfo": {"devEui": "01010101010101012"}}, "bad-value", "devEui"),
        ({"deviceInfo": {"devEui": "010101010101010g"}}, "bad-value", "devEui"),
        ({"deviceInfo": {"devEui": "０101010101010101"}}, "bad-value", "devEui"),
        ({"fCnt": -1}, "bad-value", "fCnt"),
        ({"fCnt": 1.0}, "bad-value", "fCnt"),
        ({"fCnt": "10"}, "bad-value", "fCnt"),
        ({"fCnt": True}, "bad-value", "fCnt"),
        ({"fCnt": 2**32}, "bad-value", "fCnt"),
        ({"fCnt": 10**20}, "bad-value", "fCnt"),
        ({"data": 1}, "bad-value", "data"),
        ({"data": "qg="}, "bad-value", "data"),
        ({"data": "q g=="}, "bad-value", "data"),
        ({"data": "qg==é"}, "bad-value", "data"),
        ({"data": ["qg=="]}, "bad-value", "data"),
    ],
)
def test_a_bad_member_has_its_reason(members: dict[str, Any], reason: str, word: str) -> None:
    """And a sentence that names it."""
    found = decode(event(**members))
    assert isinstance(found, Fault)
    assert (found.reason, word in found.detail) == (reason, True), found.detail


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (b"", "not-json"),
        (b"[]", "bad-value"),
        (b"\x0a\x24", "not-json"),
        (b'{"deduplicationId":"a","deduplicationId":"b"}', "bad-value"),
        (b'{"deviceInfo":{"devEui":"0101010101010101","devEui":"0101010101010102"}}', "bad-value"),
        (b"[" * 100_000, "too-deep"),
    ],
)
def test_what_is_no_event_has_its_reason(message: bytes, reason: str) -> None:
    """Also the events that ChirpStack sends as Protobuf, when it is configured so."""
    found = decode(message)
    assert isinstance(found, Fault)
    assert found.reason == reason


def test_a_message_larger_than_a_reading_may_be_is_refused() -> None:
    """By the feed's own limit."""
    (found,) = codecs()["chirpstack"].decode(event(), Members(max_bytes=10))
    assert isinstance(found, Fault)
    assert found.reason == "too-large"


@given(
    st.uuids(),
    st.datetimes(),
    st.integers(0, 2**64 - 1),
    st.integers(0, 2**32 - 1),
    st.binary(max_size=255),
)
@examples(200)
def test_every_uplink_of_the_formats_form_is_read(
    id_: Any, time: Any, eui: int, count: int, data: bytes
) -> None:
    """Source, time and key are those that were sent."""
    message = event(
        deduplicationId=str(id_),
        time=time.isoformat(),
        deviceInfo={"devEui": f"{eui:016x}"},
        fCnt=count,
        data=b64encode(data).decode(),
    )
    assert decode(message) == Decoded(message, time.isoformat(), str(id_), f"{eui:016x}")


@pytest.mark.parametrize(
    ("topic", "reason"),
    [
        ("0101010101010101", None),
        ("ABCDEF0123456789", "bad-source"),
        ("010101010101010", "bad-source"),
    ],
)
def test_no_device_hands_in_for_another(topic: str, reason: str | None) -> None:
    """The broker's ACL guards the topic; a message that names another device is refused."""
    feed = parse_feeds(FEED, "f").all[0]
    readings, faults = feed.read("meters", topic, event())
    assert [fault.reason for fault in faults] == ([] if reason is None else [reason])
    assert [one.source for one in readings] == ([topic] if reason is None else [])


def test_letters_of_the_topic_may_be_large() -> None:
    """The source is in small letters, as ChirpStack writes it."""
    found, _ = (
        parse_feeds(FEED, "f")
        .all[0]
        .read("meters", "ABCDEF0123456789", event(deviceInfo={"devEui": "abcdef0123456789"}))
    )
    assert [one.source for one in found] == ["abcdef0123456789"]
