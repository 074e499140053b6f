# SPDX-License-Identifier: Apache-2.0
"""IoTDA reports: a reading for each service, of a device or of a gateway's sub-devices."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iot_ingest.codecs import Decoded, Fault, Members, codecs, spans
from iot_ingest.codecs.iotda import MAX_SERVICES
from tests.examples import examples

TIME = "2021-08-13T10:10:10.555Z"
AIR = f'{{"service_id": "air", "properties": {{"pm25": 10.0}}, "event_time": "{TIME}"}}'
SOIL = '{ "properties":{},\n"service_id":"soil" }'


def decode(message: str | bytes, max_bytes: int = 262_144) -> list[Decoded | Fault]:
    """What the codec finds."""
    payload = message.encode() if isinstance(message, str) else message
    return list(codecs()["iotda"].decode(payload, Members(max_bytes=max_bytes)))


def fault(message: str | bytes) -> Fault:
    """The one fault of a message, without any reading."""
    (found,) = decode(message)
    assert isinstance(found, Fault), found
    return found


def service(**members: Any) -> str:
    """A service with other members; None leaves one out."""
    named = {"service_id": "air", "properties": {"pm25": 1}, "event_time": TIME, **members}
    return json.dumps({name: value for name, value in named.items() if value is not None})


def device(services: str, id_: str = '"d1"') -> str:
    """One of a gateway's devices."""
    return f'{{"device_id": {id_}, "services": {services}}}'


def test_a_devices_service_is_evidence_as_it_stands() -> None:
    """Byte for byte, blanks and 10.0 included; the topic names the device."""
    assert decode(f' {{"services" :[ {AIR} ,{SOIL}\n] }} ') == [
        Decoded(AIR.encode(), TIME, None, None),
        Decoded(SOIL.encode(), None, None, None),
    ]


def test_a_sub_devices_service_is_resolved_by_its_devices_id() -> None:
    """The id as it was sent is put in front; nothing else is touched."""
    message = (
        f'{{"devices": [{device(f"[{AIR},{SOIL}]")}, '
        f'{{"services":[{AIR}],"x":[{{}}],"device_id":"d\\u0032"}}]}}'
    )
    assert decode(message) == [
        Decoded(f'{{"device_id":"d1",{AIR[1:]}'.encode(), TIME, None, "d1"),
        Decoded(f'{{"device_id":"d1",{SOIL[2:]}'.encode(), None, None, "d1"),
        Decoded(f'{{"device_id":"d\\u0032",{AIR[1:]}'.encode(), TIME, None, "d2"),
    ]


@pytest.mark.parametrize(
    ("members", "reason", "word"),
    [
        ({"service_id": None}, "missing", "service_id"),
        ({"service_id": ""}, "bad-value", "service_id"),
        ({"service_id": 1}, "bad-value", "service_id"),
        ({"properties": None}, "missing", "properties"),
        ({"properties": []}, "bad-value", "properties"),
        ({"properties": 10.0}, "bad-value", "properties"),
        ({"event_time": ""}, "bad-value", "event_time"),
        ({"event_time": 1628849410555}, "bad-value", "event_time"),
        ({"event_time": {}}, "bad-value", "event_time"),
        ({"event_time": "2" * 65}, "bad-value", "time"),
        ({"event_time": "a\nb"}, "bad-value", "time"),
    ],
)
@pytest.mark.parametrize("gateway", [False, True])
def test_a_bad_service_costs_only_itself(
    gateway: bool, members: dict[str, Any], reason: str, word: str
) -> None:
    """Its neighbours are readings; the sentence names place and member."""
    bad = service(**members)
    services = f"[{AIR},{bad},{SOIL}]"
    message = f'{{"devices":[{device(services)}]}}' if gateway else f'{{"services":{services}}}'
    before, found, after = decode(message)
    assert isinstance(found, Fault)
    assert (found.payload, found.reason) == (bad.encode(), reason)
    assert word in found.detail
    assert isinstance(before, Decoded)
    assert isinstance(after, Decoded)


@pytest.mark.parametrize(
    ("bad", "reason", "word"),
    [
        ("1", "bad-value", "devices[1]"),
        ("[]", "bad-value", "devices[1]"),
        ("{}", "missing", "devices[1].device_id"),
        (device("[]"), "empty", "devices[1].services"),
        (device("{}"), "bad-value", "devices[1].services"),
        (device("null"), "missing", "devices[1].services"),
        ('{"device_id":"d1"}', "missing", "devices[1].services"),
        (device(f"[{AIR}]", "null"), "missing", "devices[1].device_id"),
        (device(f"[{AIR}]", '""'), "bad-value", "devices[1].device_id"),
        (device(f"[{AIR}]", "1"), "bad-value", "devices[1].device_id"),
        (device(f"[{AIR}]", '"a b"'), "bad-value", "devices[1].device_id"),
        (device(f"[{AIR}]", '".."'), "bad-value", "devices[1].device_id"),
        (device(f"[{AIR}]", json.dumps("d" * 129)), "bad-value", "devices[1].device_id"),
        (device("[1]"), "bad-value", "devices[1].services[0]"),
    ],
)
def test_a_bad_device_costs_only_itself(bad: str, reason: str, word: str) -> None:
    """Between two good ones."""
    good = device(f"[{AIR}]", '"d9"')
    first, found, last = decode(f'{{"devices":[{good},{bad},{good}]}}')
    assert isinstance(found, Fault)
    assert (found.reason, word in found.detail) == (reason, True), found.detail
    assert found.payload.decode() in bad
    assert first == last == Decoded(f'{{"device_id":"d9",{AIR[1:]}'.encode(), TIME, None, "d9")


def test_a_service_can_not_name_another_device_than_its_own() -> None:
    """It would stand twice in the resolved object, and two readers see two devices."""
    bad = service(device_id="d2")
    found = fault(f'{{"devices":[{device(f"[{bad}]")}]}}')
    assert (found.reason, found.payload) == ("bad-value", bad.encode())


@pytest.mark.parametrize(
    ("message", "reason", "word"),
    [
        ("", "not-json", "JSON"),
        ("[]", "bad-value", "object"),
        ("{}", "bad-value", "devices or services"),
        (f'{{"services":[{AIR}],"devices":[]}}', "bad-value", "devices or services"),
        ('{"services":null}', "missing", "services"),
        ('{"services":{}}', "bad-value", "services"),
        ('{"services":"a"}', "bad-value", "services"),
        ('{"services":[]}', "empty", "services"),
        ('{"devices":null}', "bad-value", "devices"),
        ('{"devices":{}}', "bad-value", "devices"),
        ('{"devices":[]}', "empty", "devices"),
        (f'{{"services":[{AIR}],"services":[{AIR}]}}', "bad-value", "twice"),
        (f'{{"services":[{AIR[:-1]},"service_id":"b"}}]}}', "bad-value", "twice"),
        ('{"services":' + "[" * 100_000, "too-deep", "deep"),
        (b'{"services":\xff', "not-utf-8", "UTF-8"),
    ],
)
def test_a_message_that_is_no_report_is_one_fault(
    message: str | bytes, reason: str, word: str
) -> None:
    """With all of its bytes."""
    found = fault(message)
    assert found.payload == (message.encode() if isinstance(message, str) else message)
    assert (found.reason, word in found.detail) == (reason, True), found.detail


def test_a_message_of_too_many_services_is_one_fault() -> None:
    """One message doesn't become a million rows."""
    many = ",".join(['{"service_id":"a","properties":{}}'] * (MAX_SERVICES + 1))
    assert fault(f'{{"services":[{many}]}}').reason == "too-many"


@pytest.mark.parametrize("gateway", [False, True])
def test_a_service_larger_than_a_reading_may_be_is_refused(gateway: bool) -> None:
    """By the feed's own limit; the id in front counts."""
    services = f"[{SOIL},{AIR}]"
    message = f'{{"devices":[{device(services)}]}}' if gateway else f'{{"services":{services}}}'
    size = len(AIR) + (len('"device_id":"d1",') if gateway else 0)
    assert isinstance(decode(message, size)[1], Decoded)
    small, large = decode(message, size - 1)
    assert isinstance(small, Decoded)
    assert isinstance(large, Fault)
    assert large.reason == "too-large"


NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=6)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | NAMES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)
SERVICES = st.lists(st.dictionaries(NAMES, VALUES, max_size=3), min_size=1, max_size=3)


@given(
    st.dictionaries(st.from_regex(r"\A[A-Za-z0-9_-]{3,64}\Z"), SERVICES, min_size=1, max_size=3),
    st.sampled_from([None, 0, 3]),
    st.booleans(),
)
@examples(300)
def test_every_report_of_the_formats_form_is_read(
    services: dict[str, list[dict[str, Any]]], indent: int | None, ascii_only: bool
) -> None:
    """However it is written: the resolved object is the service and its device, no more."""
    report = {
        "devices": [
            {
                "device_id": id_,
                "services": [{"service_id": "s", "properties": one} for one in properties],
            }
            for id_, properties in services.items()
        ]
    }
    message = json.dumps(report, indent=indent, ensure_ascii=ascii_only)
    found = decode(message)
    expected = [
        (id_, {"device_id": id_, "service_id": "s", "properties": one})
        for id_, properties in services.items()
        for one in properties
    ]
    assert [
        (one.source, json.loads(one.payload)) for one in found if isinstance(one, Decoded)
    ] == expected


@given(VALUES, st.sampled_from([None, 0, 3]))
@examples(300)
def test_the_spans_of_a_text_are_its_parts(value: Any, indent: int | None) -> None:
    """Lists and objects, however they are written."""
    text = f" {json.dumps(value, indent=indent)}\n"
    at = spans.begin(text)
    if isinstance(value, list):
        assert [json.loads(text[a:b]) for a, b in spans.elements(text, at)] == value
    if isinstance(value, dict):
        parts = {name: json.loads(text[a:b]) for name, (a, b) in spans.members(text, at)}
        assert parts == value
