# SPDX-License-Identifier: Apache-2.0
"""NGSI notifications: each entity is a reading, byte for byte, and nothing is fetched."""

import json
import socket
from typing import Any

import pytest

from iot_ingest.codecs import Decoded, Fault, Members
from tests.iot_ingest.decoding import decode, fault, readings

LD, V2 = "ngsi-ld", "ngsi-v2"
ID, NOTIFIED = "urn:ngsi-ld:Notification:1", "2026-03-01T10:00:01Z"
TIME = "2026-03-01T10:00:00Z"
ENTITY = {
    LD: '{"id":"urn:ngsi-ld:Air:7", "type":"Air",\n'
    f'"pm25":{{"type":"Property","value":12.0,"unitCode":"GQ","observedAt":"{TIME}"}}}}',
    V2: '{"id":"urn:ngsi-ld:Air:7", "type":"Air",\n"pm25":{"type":"Number","value":12.0},'
    f'"TimeInstant":{{"type":"DateTime","value":"{TIME}","metadata":{{}}}}}}',
}
GOOD = {
    LD: Decoded(ENTITY[LD].encode(), TIME, ID, "urn:ngsi-ld:Air:7"),
    V2: Decoded(ENTITY[V2].encode(), TIME, None, "urn:ngsi-ld:Air:7"),
}
BOTH = pytest.mark.parametrize("codec", [LD, V2])


def notification(codec: str, data: str | None, **members: Any) -> str:
    """One with `data` as text and other members; `...` leaves one out."""
    named: dict[str, Any] = {"subscriptionId": "urn:ngsi-ld:Subscription:1"}
    if codec == LD:
        named |= {"id": ID, "type": "Notification", "notifiedAt": NOTIFIED}
    named |= {"x": 0, **members}
    text = json.dumps({name: value for name, value in named.items() if value is not ...})
    return text if data is None else f'{text[:-1]}, "data" :{data} }}'


@BOTH
def test_an_entity_is_kept_as_it_stands(codec: str) -> None:
    """Blanks, line breaks and 12.0 included; the source is its id."""
    other = '{ "type":"Air","id":"b","name":"\\u6e29温" }'
    found = readings(codec, notification(codec, f"[ {ENTITY[codec]} ,\n{other} ]"))
    assert found[0] == GOOD[codec]
    is_ld = codec == LD
    assert found[1] == Decoded(
        other.encode(), NOTIFIED if is_ld else None, ID if is_ld else None, "b"
    )


def test_a_notification_by_mqtt_has_its_body_beside_metadata() -> None:
    """ETSI GS CIM 009 section 7.2."""
    body = notification(LD, f"[{ENTITY[LD]}]")
    message = f'{{"metadata":{{"Content-Type":"application/ld+json"}},"body": {body} }}'
    assert readings(LD, message) == [GOOD[LD]]
    assert fault(LD, '{"body":1}').reason == "bad-value"
    assert fault(LD, '{"body":{}}').reason == "missing"
    assert fault(LD, '{"body":{"body":{}}}').reason == "missing"


def attribute(time: object) -> dict[str, Any]:
    return {"type": "Property", "value": 1, "observedAt": time}


@pytest.mark.parametrize(
    ("attributes", "observed"),
    [
        ({}, NOTIFIED),
        ({"a": attribute(TIME)}, TIME),
        ({"a": attribute(TIME), "b": attribute(TIME), "c": {"value": 1}, "d": 1}, TIME),
        ({"a": attribute(TIME), "b": attribute("2026-03-01T09:00:00Z")}, NOTIFIED),
        ({"a": [attribute(TIME), attribute(TIME)]}, TIME),
        ({"a": [attribute(TIME), attribute("x")]}, NOTIFIED),
        ({"a": attribute(None)}, NOTIFIED),
        ({"a": {"value": {"observedAt": TIME}}}, NOTIFIED),
    ],
)
def test_the_time_is_the_one_that_all_attributes_share(
    attributes: dict[str, Any], observed: str
) -> None:
    """Else the notification's."""
    entity = json.dumps({"id": "a", "type": "Air", **attributes})
    assert [one.observed for one in readings(LD, notification(LD, f"[{entity}]"))] == [observed]


@pytest.mark.parametrize("instant", [TIME, {"value": TIME}, {"value": None}, None, {}])
def test_the_time_of_ngsi_v2_is_its_time_instant(instant: Any) -> None:
    """As an attribute or as its value alone (keyValues); there need be none."""
    entity = json.dumps({"id": "a", "type": "Air", "pm25": 1, "TimeInstant": instant})
    (one,) = readings(V2, notification(V2, f"[{entity}]"))
    assert (one.observed, one.key) == (TIME if TIME in str(instant) else None, None)


@BOTH
@pytest.mark.parametrize("id_", ["a b", "urn:x/y", "温", "..", "d" * 129, "http://a/b"])
def test_an_id_that_is_no_sources_needs_a_feed_that_names_it(codec: str, id_: str) -> None:
    """Nothing is mapped, or two entities would be one source."""
    message = notification(codec, json.dumps([{"id": id_, "type": "Air"}]))
    assert fault(codec, message).reason == "bad-source"
    (one,) = readings(codec, message, Members(names_source=False))
    assert one.source is None


BAD_ENTITIES = {
    "1": "bad-value", "[]": "bad-value", "null": "bad-value", '"a"': "bad-value",
    "{}": "missing", '{"id":"a"}': "missing", '{"type":"Air"}': "missing",
    '{"id":null,"type":"Air"}': "missing", '{"id":"a","type":null}': "missing",
    '{"id":1,"type":"Air"}': "bad-value", '{"id":"","type":"Air"}': "bad-value",
    '{"id":{},"type":"Air"}': "bad-value", '{"id":"a","type":1}': "bad-value",
    '{"id":"a","type":""}': "bad-value", '{"id":"a","type":[]}': "bad-value",
    '{"id":"a","type":["Air",1]}': "bad-value", '{"id":"a","type":{}}': "bad-value",
    '{"id":"a","id":"b","type":"Air"}': "bad-value", '{"id":"a","type":"Air","x":NaN}': "bad-value",
    '{"id":"a","type":"Air","x":1e400}': "bad-value", '{"id":"a","type":"\\ud800"}': "bad-value",
    '{"id":"a","type":"Air","x":"%s"}' % ("x" * 300_000): "too-large",
}  # fmt: skip
BAD_TIMES = {
    LD: ['{"a":{"observedAt":1}}', '{"a":{"observedAt":""}}', '{"a":{"observedAt":{}}}',
         '{"a":[{"observedAt":true}]}', '{"a":{"observedAt":"%s"}}' % ("2" * 65)],
    V2: ['{"TimeInstant":1}', '{"TimeInstant":""}', '{"TimeInstant":[]}', '{"TimeInstant":true}',
         '{"TimeInstant":{"value":1}}', '{"TimeInstant":{"value":""}}',
         '{"TimeInstant":"%s"}' % ("2" * 65)],
}  # fmt: skip
BAD = [(codec, *one) for codec in (LD, V2) for one in BAD_ENTITIES.items()] + [
    (codec, '{"id":"a","type":"Air",' + one[1:], "bad-value")
    for codec, times in BAD_TIMES.items()
    for one in times
]


@pytest.mark.parametrize(("codec", "bad", "reason"), BAD, ids=lambda value: repr(value)[:40])
def test_a_bad_entity_costs_only_itself(codec: str, bad: str, reason: str) -> None:
    """Between two good ones."""
    good = ENTITY[codec]
    before, found, after = decode(codec, notification(codec, f"[{good}, {bad},{good}]"))
    assert isinstance(found, Fault)
    assert (found.payload, found.reason) == (bad.encode(), reason)
    assert found.detail
    assert before == after == GOOD[codec]


BAD_MEMBERS: list[tuple[str, Any, str]] = [
    *(("subscriptionId", value, reason) for value, reason in (
        (..., "missing"), (None, "missing"), (1, "bad-value"), ("", "bad-value"),
    ([], "bad-value"))),
    *((name, value, reason) for name in ("id", "type", "notifiedAt") for value, reason in (
        (..., "missing"), (None, "missing"), (1, "bad-value"), ("", "bad-value"),
    ({}, "bad-value"))),
    ("type", "Subscription", "bad-value"), ("id", "k" * 129, "bad-value"),
    ("id", "a\tb", "bad-value"),
    ("notifiedAt", "2" * 65, "bad-value"), ("notifiedAt", "a\nb", "bad-value"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value", "reason"), BAD_MEMBERS, ids=lambda one: repr(one)[:24])
def test_a_bad_member_of_a_notification_costs_it(name: str, value: Any, reason: str) -> None:
    """With all of its bytes."""
    for codec in (LD, V2) if name == "subscriptionId" else (LD,):
        message = notification(codec, f"[{ENTITY[codec]}]", **{name: value})
        found = fault(codec, message)
        assert (found.payload, found.reason) == (message.encode(), reason)


@BOTH
@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (None, "missing"), ("null", "missing"), ("{}", "bad-value"), ('"a"', "bad-value"),
        ("[]", "empty"), ("[{}", "not-json"), ("[{},]", "not-json"),
    ('[1],"data":[1]', "bad-value"),
        ("[" + "1," * 10_000 + "1]", "too-many"), ("[" * 100_000, "too-deep"),
    ],
    ids=lambda value: repr(value)[:24],
)  # fmt: skip
def test_data_that_is_no_list_of_entities_costs_the_notification(
    codec: str, data: str | None, reason: str
) -> None:
    """Also where it stands twice, which two readers would read differently."""
    assert fault(codec, notification(codec, data)).reason == reason


@BOTH
@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (b"", "not-json"), (b"[]", "bad-value"), (b"1", "bad-value"), (b"{", "not-json"),
        (b'{"a"}', "not-json"), (b'{"a":1,}', "not-json"), (b"{a:1}", "not-json"),
        (b'{"a":1 "b":2}', "not-json"), (b'{"a":1}}', "not-json"), (b'{"a":\xff}', "not-utf-8"),
        (b'{"a":1,"a":2}', "bad-value"), (b'{"a":1,"\\u0061":2}', "bad-value"),
        (b'{"\\ud800":1}', "bad-value"), (b'{"a":NaN}', "bad-value"), (b"{1:2}", "not-json"),
    ],
)  # fmt: skip
def test_what_is_no_notification_is_one_fault(codec: str, message: bytes, reason: str) -> None:
    """Never a traceback."""
    found = fault(codec, message)
    assert (found.payload, found.reason) == (message, reason)


def test_a_context_is_never_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever it says and wherever it stands, no connection is opened."""

    def refuse(*args: object, **named: object) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    context = '"@context":["http://127.0.0.1:9/context.jsonld",{"a":"file:///etc/passwd"}]'
    entity = f'{{{context},"id":"a","type":"Air"}}'
    message = notification(LD, f"[{entity}],{context}")
    assert [one.payload for one in readings(LD, message)] == [entity.encode()]
