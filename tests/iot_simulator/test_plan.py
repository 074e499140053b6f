# SPDX-License-Identifier: Apache-2.0
"""Wrong options end in sentences; topics and feeds fit each other."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from iot_ingest.addresses import Addresses
from iot_ingest.feeds import Route
from iot_ingest.feeds_file import parse_feeds
from iot_ingest.inbox import Message, Properties
from iot_simulator.feeds import write_feeds
from iot_simulator.formats import formats
from iot_simulator.order import Chances
from iot_simulator.plan import Plan
from notary.cli import main
from notary.core.errors import MalformedText

GOOD = Plan("air", 7, count=1)
BEGIN = datetime(2026, 3, 1, 10, tzinfo=UTC)
WRONG: list[tuple[dict[str, Any], str]] = [
    ({"dataset": "a b"}, "The dataset must be"),
    ({"dataset": ""}, "The dataset must be"),
    ({"formats": ("jsno",)}, "There is no format jsno; there are json,"),
    ({"formats": ("json", "json"), "gateways": 2}, "named twice"),
    ({"formats": ("json", "raw")}, "2 formats need as many --gateways."),
    ({"count": None}, "Say --count or --seconds"),
    ({"seconds": 1.0}, "and not both"),
    ({"gateways": 0}, "--gateways must lie between 1 and 1000."),
    ({"gateways": 1_001}, "--gateways must"),
    ({"rate": 0.0}, "--rate must"),
    ({"rate": float("nan")}, "--rate must"),
    ({"rate": float("inf")}, "--rate must"),
    ({"count": 0}, "--count must"),
    ({"count": None, "seconds": 0.0}, "--seconds must"),
    ({"pack": 0}, "--pack must"),
    ({"pack": 2}, "No message of json holds a --pack."),
    ({"seed": -1}, "--seed must"),
    ({"chances": Chances(duplicates=1.1)}, "--duplicates must lie between 0 and 1."),
    ({"chances": Chances(reorder=-0.1)}, "--reorder must"),
    ({"chances": Chances(late=2)}, "--late must"),
    ({"chances": Chances(bad=float("nan"))}, "--bad must"),
    ({"formats": ("raw",), "chances": Chances(bad=0.1)}, "--bad: any bytes are a good message"),
    ({"skew": -1.0}, "--skew must"),
    ({"window": 0}, "--window must"),
    ({"window": 20_001}, "--window must"),
    ({"again": 0.0}, "--again must"),
    ({"patience": 0.0}, "--patience must"),
    ({"acceptances": "maybe"}, "--acceptances must be one of response, fixed, reply, off."),
    ({"acceptances": "reply", "answers": "a/{source}"}, "--answers belongs to"),
    ({"acceptances": "off", "answers": "a/{source}"}, "--answers belongs to"),
    ({"acceptances": "reply", "topic": "plant/{source}"}, "must not hold {source}."),
    ({"topic": "plant/+/{source}"}, "--topic must be a topic"),
    ({"topic": "plant/#{source}"}, "--topic must be a topic"),
    ({"topic": "plant/{source}/\n"}, "--topic must be a topic"),
    ({"topic": "{source}" + "x" * 500}, "--topic must be a topic"),
    ({"topic": "plant/{sources}/{source}"}, "--topic: the fields are"),
    ({"topic": "plant/{source"}, "--topic: the fields are"),
    ({"topic": "plant/up"}, "--topic must hold {source}: json doesn't name it."),
    ({"answers": "{nobody}"}, "--answers: the fields are"),
]


@pytest.mark.parametrize(("options", "sentence"), WRONG, ids=[sentence for _, sentence in WRONG])
def test_a_wrong_option_is_told_by_a_sentence(options: dict[str, Any], sentence: str) -> None:
    """And nothing is begun."""
    with pytest.raises(MalformedText) as refused:
        replace(GOOD, **options)
    assert sentence in refused.value.detail


def test_all_wrong_options_are_told_at_once() -> None:
    """Nobody has to mend them one by one."""
    with pytest.raises(MalformedText) as refused:
        Plan("a b", 7, ("x", "y"), gateways=0, rate=-1)
    faults = refused.value.facts["faults"]
    assert isinstance(faults, list)
    assert len(faults) == 7


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((), "Say --count or --seconds, and not both."),
        (("--count", "1", "--broker", "http://x"), "A broker's address is"),
        (("--count", "1", "--broker", "mqtt://u:secret@h:99999"), "A broker's address is"),
        (("--count", "1", "--begin", "yesterday"), "--begin must be a time with its zone"),
        (("--count", "1", "--begin", "2026-11-24T00:00:00"), "--begin must be a time with its"),
        (("--count", "1", "--begin", "0001-01-01T00:00:00Z"), "from 1990 to 2200."),
        (("--count", "1", "--list", "/dev/null"), "/dev/null is no file that can be gone on with."),
        (("--count", "1", "--list", "/"), "The list / can't be written: Is a directory."),
        (
            ("--count", "1", "--list", "/nowhere/list"),
            "The list /nowhere/list can't be written: No such file or directory.",
        ),
    ],
)
def test_the_command_ends_with_2_and_a_sentence(
    words: tuple[str, ...], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """On standard error, and no password in it."""
    assert main(["simulate", "--dataset", "air", *words]) == 2
    said = capsys.readouterr()
    assert sentence in said.err
    assert "secret" not in said.err + said.out


def test_a_file_that_is_no_list_is_refused_and_stays_as_it_is(
    tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """Somebody's letter isn't written over."""
    file = tmp_path / "letter.txt"
    file.write_text("Dear Sir\n")
    assert main(["simulate", "--dataset", "air", "--count", "1", "--list", str(file)]) == 2
    assert "line 1 is not of a list" in capsys.readouterr().err
    assert file.read_text() == "Dear Sir\n"


TOPICS = {
    "notary/v1/{dataset}/{source}/{format}": tuple(formats()),
    "notary/v1/{dataset}/{format}/{source}": tuple(formats()),
    "/sys/product/{source}/thing/event/property/post": ("alink",),
    "$oc/devices/{source}/sys/properties/report": ("iotda",),
    "v1.1/Datastreams({source})/Observations": ("sensorthings",),
    "v1.1/CreateObservations": ("sensorthings-dataarray",),
    "application/x/device/{source}/event/up": ("chirpstack",),
    "orion/ld": ("ngsi-ld",),
}


@pytest.mark.parametrize(
    ("topic", "acceptances"),
    [
        (topic, acceptances)
        for topic in TOPICS
        for acceptances in ("response", "fixed", "reply")
        if acceptances != "reply" or not topic.endswith("{source}")
    ],
)
def test_answers_go_where_the_gateway_listens(topic: str, acceptances: Any) -> None:
    """By the feeds that are printed, and by the notary's own rule of where it may answer."""
    for name in TOPICS[topic]:
        plan = Plan("air", 7, (name,), count=1, topic=topic, acceptances=acceptances)
        feeds = parse_feeds(write_feeds(plan), "notary.toml")
        route = feeds.route(plan.topic_of(0))
        assert isinstance(route, Route)
        sent = Properties(response_topic=plan.answers_of(0))
        address = Addresses(feeds).find(route, Message(plan.topic_of(0), b"", None, sent))
        assert address is not None
        assert address.topic == plan.answers_of(0)


def test_without_acceptances_nobody_listens() -> None:
    """And the feed says so."""
    plan = replace(GOOD, acceptances="off")
    assert plan.answers_of(0) is None
    assert 'acceptances = "off"' in write_feeds(plan)


def test_gateways_take_formats_in_turn_and_have_names_of_their_own() -> None:
    """Sources of a format are told apart by seed and number."""
    plan = Plan("air", 7, ("json", "raw"), gateways=5, count=1)
    assert [plan.format_name(number) for number in range(5)] == ["json", "raw"] * 2 + ["json"]
    names = {plan.station(number).name for number in range(5)}
    assert names == {f"sim-7-{number}" for number in range(5)}


def test_clocks_are_wrong_by_no_more_than_the_skew_and_each_by_its_own() -> None:
    """Always by the same, for one gateway."""
    plan = replace(GOOD, gateways=50, skew=90.0)
    wrong = [plan.clock(number, BEGIN).time(0) - BEGIN for number in range(50)]
    assert max(wrong) <= timedelta(seconds=90)
    assert min(wrong) >= timedelta(seconds=-90)
    assert len(set(wrong)) == 50
    assert max(wrong) > timedelta(seconds=30)
    assert min(wrong) < timedelta(seconds=-30)
    assert wrong == [plan.clock(number, BEGIN).time(0) - BEGIN for number in range(50)]
    assert replace(GOOD).clock(0, BEGIN).time(0) == BEGIN
