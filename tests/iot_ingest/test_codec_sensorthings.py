# SPDX-License-Identifier: Apache-2.0
"""SensorThings: an Observation is a reading as it came, a row of a data array is resolved."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iot_ingest.codecs import Decoded, Fault, Members
from tests.examples import examples
from tests.iot_ingest.decoding import decode, fault, payloads, readings

TIME = "2026-03-01T10:00:00.000Z"
UNNAMED = Members(names_source=False)
ONE, MANY = "sensorthings", "sensorthings-dataarray"


def observation(**members: Any) -> str:
    """One with other members; `...` leaves one out."""
    named = {"phenomenonTime": TIME, "result": 1.5, "Datastream": {"@iot.id": 7}, **members}
    return json.dumps({name: value for name, value in named.items() if value is not ...})


def test_an_observation_is_kept_as_it_came() -> None:
    """Time, id and stream are found; not a byte is changed."""
    message = (
        '{ "result":10.0,"@iot.id":42,"phenomenonTime":"2026-03-01T10:00:00Z/PT1M",\n'
        '"resultTime":null,"Datastream":{"@iot.id":"air-7"},"more":{"a":[1e2]} }'
    )
    assert readings(ONE, message) == [
        Decoded(message.encode(), "2026-03-01T10:00:00Z/PT1M", "42", "air-7")
    ]
    assert readings(ONE, message, UNNAMED)[0].source is None


@pytest.mark.parametrize("result", ["12.50", "null", '"on"', "true", "[1,2]", '{"a":1}'])
def test_a_result_may_be_any_value(result: str) -> None:
    """Section 8.2.6: its type is what the Datastream says."""
    message = f'{{"result":{result},"MultiDatastream":{{"@iot.id":1}}}}'
    assert readings(ONE, message) == [Decoded(message.encode(), None, None, "1")]


def test_a_stream_need_not_be_named_where_the_feed_names_the_source() -> None:
    """As on the topic Datastreams(7)/Observations; elsewhere it must."""
    assert readings(ONE, '{"result":1}', UNNAMED) == [Decoded(b'{"result":1}')]
    assert fault(ONE, '{"result":1}').reason == "missing"


BAD_MEMBERS: list[tuple[str, Any, str]] = [
    ("result", ..., "missing"),
    ("phenomenonTime", 1, "bad-value"), ("phenomenonTime", {}, "bad-value"),
    ("phenomenonTime", "", "bad-value"), ("phenomenonTime", "2" * 65, "bad-value"),
    ("phenomenonTime", "a\nb", "bad-value"),
    ("resultTime", 1, "bad-value"), ("resultTime", "", "bad-value"),
    ("resultTime", [], "bad-value"),
    ("validTime", 1, "bad-value"), ("validTime", True, "bad-value"),
    ("parameters", [], "bad-value"), ("parameters", "a", "bad-value"),
    ("FeatureOfInterest", 1, "bad-value"), ("FeatureOfInterest", "a", "bad-value"),
    ("@iot.id", True, "bad-value"), ("@iot.id", {}, "bad-value"), ("@iot.id", "", "bad-value"),
    ("@iot.id", "k" * 129, "bad-value"), ("@iot.id", "a\tb", "bad-value"),
    ("Datastream", ..., "missing"), ("Datastream", None, "missing"),
    ("Datastream", 7, "bad-value"), ("Datastream", [], "bad-value"),
    ("Datastream", {}, "missing"), ("Datastream", {"@iot.id": None}, "missing"),
    ("Datastream", {"@iot.id": {}}, "bad-value"), ("Datastream", {"@iot.id": True}, "bad-value"),
    ("Datastream", {"@iot.id": "a b"}, "bad-source"),
    ("Datastream", {"@iot.id": ".."}, "bad-source"),
    ("Datastream", {"@iot.id": "d" * 129}, "bad-value"),
    ("Datastream", {"@iot.id": "a/b"}, "bad-source"),
    ("MultiDatastream", {"@iot.id": 1}, "bad-value"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value", "reason"), BAD_MEMBERS, ids=lambda one: repr(one)[:24])
def test_a_bad_member_of_an_observation_is_named(name: str, value: Any, reason: str) -> None:
    """With the whole message, and a sentence that tells the member."""
    message = observation(**{name: value})
    found = fault(ONE, message)
    assert (found.payload, found.reason) == (message.encode(), reason)
    assert (
        name.removeprefix("Multi") in found.detail
        or "observed" in found.detail
        or "key" in (found.detail)
    )


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("", "not-json"), ("[]", "bad-value"), ("1", "bad-value"), ("[" * 100_000, "too-deep"),
        ('{"result":1,"result":2}', "bad-value"), ('{"result":NaN}', "bad-value"),
        ('{"result":1e400}', "bad-value"), (b'{"result":\xff}', "not-utf-8"),
        ('{"result":"%s"}' % ("x" * 300_000), "too-large"),
    ],
    ids=lambda value: repr(value)[:24],
)  # fmt: skip
def test_what_is_no_observation_is_a_fault(message: str | bytes, reason: str) -> None:
    """Never a traceback."""
    assert fault(ONE, message).reason == reason


# -- data array

ROWS = '["2026-03-01T10:00:00Z",10.0],["2026-03-01T10:01:00Z",1e2]'


def group(**members: Any) -> str:
    """A group of three rows with other members; `...` leaves one out."""
    named = {
        "Datastream": {"@iot.id": 7},
        "components": ["phenomenonTime", "result"],
        "dataArray": [[TIME, 1.5], [TIME, 2], [None, 3]],
        **members,
    }
    return json.dumps({name: value for name, value in named.items() if value is not ...})


def test_a_row_is_resolved_to_its_observation() -> None:
    """The stream, then the components in their order, numbers as they were sent."""
    message = (
        '[ {"components":["phenomenonTime","result"],"dataArray@iot.count":2,\n'
        f'"dataArray":[{ROWS}],"Datastream":{{"@iot.id":7}}}},'
        '{"MultiDatastream":{"@iot.id":"m","x":1.0},"components":'
        '["id","resultTime","result","FeatureOfInterest/id","parameters"],'
        '"dataArray":[["o-1",null,[1.0,"\\u6e29"],9,{"b":1,"a":2}],["o-2","t",2,null,null]]} ]'
    )
    assert readings(MANY, message) == [
        Decoded(
            b'{"Datastream":{"@iot.id":7},"phenomenonTime":"2026-03-01T10:00:00Z","result":10.0}',
            "2026-03-01T10:00:00Z", None, "7",
        ),
        Decoded(
            b'{"Datastream":{"@iot.id":7},"phenomenonTime":"2026-03-01T10:01:00Z","result":1e2}',
            "2026-03-01T10:01:00Z", None, "7",
        ),
        Decoded(
            '{"MultiDatastream":{"@iot.id":"m","x":1.0},"@iot.id":"o-1","resultTime":null,'
            '"result":[1.0,"温"],"FeatureOfInterest":{"@iot.id":9},"parameters":{"b":1,"a":2}}'
            .encode(), None, "o-1", "m",
        ),
        Decoded(
            b'{"MultiDatastream":{"@iot.id":"m","x":1.0},"@iot.id":"o-2","resultTime":"t",'
            b'"result":2,"FeatureOfInterest":null,"parameters":null}', None, "o-2", "m",
        ),
    ]  # fmt: skip


def test_a_resolved_row_is_an_observation() -> None:
    """It reads as one, with the same time, key and source."""
    for one in readings(MANY, f"[{group()}]"):
        assert readings(ONE, one.payload) == [one]


BAD_GROUPS: list[tuple[str, Any, str]] = [
    ("components", ..., "missing"), ("components", None, "missing"), ("components", [], "empty"),
    ("components", {}, "bad-value"), ("components", "result", "bad-value"),
    ("components", ["phenomenonTime", 1], "bad-value"),
    ("components", [None, "result"], "bad-value"),
    ("components", ["result", "result"], "bad-value"),
    ("components", ["result", "color"], "bad-value"),
    ("components", ["result", "__proto__"], "bad-value"),
    ("components", [["result"], "id"], "bad-value"),
    ("components", ["phenomenonTime", "resultTime"], "missing"), ("components", ["id"], "missing"),
    ("dataArray", ..., "missing"), ("dataArray", None, "missing"), ("dataArray", [], "empty"),
    ("dataArray", {}, "bad-value"), ("dataArray", "x", "bad-value"),
    ("dataArray@iot.count", 2, "bad-value"), ("dataArray@iot.count", 4, "bad-value"),
    ("dataArray@iot.count", "3", "bad-value"), ("dataArray@iot.count", 3.0, "bad-value"),
    ("dataArray@iot.count", True, "bad-value"), ("dataArray@iot.count", [], "bad-value"),
    ("Datastream", ..., "missing"), ("Datastream", 7, "bad-value"), ("Datastream", {}, "missing"),
    ("Datastream", {"@iot.id": "a b"}, "bad-source"), ("Datastream", {"@iot.id": []}, "bad-value"),
    ("MultiDatastream", {"@iot.id": 8}, "bad-value"), ("Thing", {"@iot.id": 1}, "bad-value"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value", "reason"), BAD_GROUPS, ids=lambda one: repr(one)[:24])
def test_a_bad_group_costs_only_itself(name: str, value: Any, reason: str) -> None:
    """Between two good ones, with its own bytes and a sentence that names its place."""
    bad = group(**{name: value})
    found = decode(MANY, f"[{group()}, {bad} ,{group()}]")
    (broken,) = [one for one in found if isinstance(one, Fault)]
    assert (broken.payload, broken.reason) == (bad.encode(), reason)
    assert "[1]." in broken.detail
    assert len(found) == 7
    assert found[:3] == found[4:]


def test_one_id_under_two_names_is_refused() -> None:
    """`id` and `@iot.id` are one member."""
    bad = group(components=["id", "@iot.id", "result"], dataArray=[[1, 2, 3]])
    assert fault(MANY, f"[{bad}]").reason == "bad-value"


BAD_ROWS: list[Any] = [
    5, None, "x", {}, [], [TIME], [TIME, 1, 2], [1, 1], ["", 1], [True, 1], [{}, 1], ["2" * 65, 1],
]  # fmt: skip


@pytest.mark.parametrize("row", BAD_ROWS, ids=lambda one: repr(one)[:24])
def test_a_bad_row_costs_only_itself(row: Any) -> None:
    """What is set aside is a group with that row alone, which fails alike."""
    message = f"[{group(dataArray=[[TIME, 1], row, [TIME, 2]])}]"
    before, found, after = decode(MANY, message)
    assert isinstance(before, Decoded)
    assert isinstance(found, Fault)
    assert isinstance(after, Decoded)
    assert found.reason == "bad-value"
    assert json.loads(found.payload) == [json.loads(group(dataArray=[row]))]
    again = fault(MANY, found.payload)
    assert (again.reason, again.payload) == (found.reason, found.payload)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("resultTime", 1), ("validTime", {}), ("parameters", []), ("parameters", "a"),
        ("id", True), ("id", {}), ("@iot.id", ""), ("@iot.id", "k" * 129),
    ],
)  # fmt: skip
def test_a_bad_value_of_a_row_is_refused(name: str, value: Any) -> None:
    """By the rules of an observation."""
    bad = group(components=["result", name], dataArray=[[1, value]])
    assert fault(MANY, f"[{bad}]").reason == "bad-value"


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("", "not-json"), ("{}", "bad-value"), ("[]", "empty"), ("1", "bad-value"),
        ("[1]", "bad-value"), ("[[]]", "bad-value"), ("[{}", "not-json"),
    ("[" * 100_000, "too-deep"),
        ('[{"dataArray":[],"dataArray":[]}]', "bad-value"), (b"[\xff]", "not-utf-8"),
        (f"[{group(dataArray=[[TIME, 1]] * 10_001)}]", "too-many"),
        ("[" + ",".join(["{}"] * 10_001) + "]", "too-many"),
    ],
    ids=lambda value: repr(value)[:24],
)  # fmt: skip
def test_what_is_no_data_array_is_one_fault(message: str | bytes, reason: str) -> None:
    """One message doesn't become a million rows."""
    assert fault(MANY, message).reason == reason


def test_a_row_larger_than_a_reading_may_be_is_refused() -> None:
    """By what it is resolved to."""
    message = f"[{group(components=['result'], dataArray=[[1], ['x' * 20]])}]"
    small, large = decode(MANY, message, Members(max_bytes=40))
    assert isinstance(small, Decoded)
    assert isinstance(large, Fault)
    assert large.reason == "too-large"


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text('aé"\\\n/温', max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", max_size=2), inner),
    max_leaves=6,
)


@given(st.lists(VALUES, min_size=1, max_size=4), st.sampled_from([None, 0, 3]), st.booleans())
@examples(300)
def test_a_result_means_the_same_in_the_row_and_resolved(
    results: list[Any], indent: int | None, ascii_only: bool
) -> None:
    """However the message is written; and the payload doesn't tell how it was."""
    message = [{"components": ["result"], "dataArray": [[one] for one in results]}]
    text = json.dumps(message, indent=indent, ensure_ascii=ascii_only)
    found = payloads(MANY, text, UNNAMED)
    assert [json.loads(one) for one in found] == [{"result": one} for one in results]
    assert found == payloads(MANY, json.dumps(message), UNNAMED)
