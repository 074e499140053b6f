# SPDX-License-Identifier: Apache-2.0
"""Quarantine tried again after a fix of the configuration: nothing is lost or doubled."""

from collections.abc import Callable

import pytest

from iot_ingest.feeds import Feeds
from iot_ingest.feeds_file import parse_feeds
from iot_ingest.redrive import Redriven, redrive
from notary.usecases.quarantine import (
    MAX_KEPT_BYTES,
    Choice,
    Rejected,
    choose_quarantined,
    count_quarantine,
    put_aside,
    take_from_quarantine,
)
from tests.iot_ingest.support import senders
from tests.usecases.world import World

TOPIC = "gw/air/up"


def feeds(codec: str = "ndjson", key: str = 'key = "id"') -> Feeds:
    """One feed of any gateway's topics."""
    return parse_feeds(
        f"""
[[feeds]]
name = "gateways"
filter = "gw/+/up"
template = "gw/{{source}}/up"
dataset = "air"
codec = "{codec}"
sources = "open"
{key}
""",
        "notary.toml",
    )


def bad(payload: bytes, topic: str = TOPIC, reason: str = "not-json") -> Rejected:
    """What another configuration could not read."""
    return Rejected("gateways", topic, "air", reason, "It is not JSON.", payload)


@pytest.fixture
def air(world: World) -> World:
    """A notary with an open dataset."""
    world.dataset("air")
    return world


@pytest.fixture
def again(air: World) -> Callable[..., list[Redriven]]:
    """Try what was chosen again, by one configuration."""

    def call(choice: Choice | None = None, by: Feeds | None = None) -> list[Redriven]:
        return list(
            redrive(
                air.pool,
                by or feeds(),
                air.acceptor(),
                senders(air),
                lambda: air.now,
                choice or Choice(),
            )
        )

    return call


def kept(world: World) -> dict[str, int]:
    """How many are kept, by reason, as counted; and as many there must be."""
    counts = {row["reason"]: row["kept"] for row in count_quarantine(world.pool) if row["kept"]}
    rows = choose_quarantined(world.pool, Choice(), limit=10_000)
    assert sum(counts.values()) == len(rows)
    return counts


def test_what_the_new_configuration_reads_becomes_records(
    air: World, again: Callable[..., list[Redriven]]
) -> None:
    """All readings of a message, once; then it is no longer in quarantine."""
    put_aside(air.pool, [bad(b'{"id":"1"}\n{"id":"2"}\n'), bad(b'{"id":"3"}')], air.now)
    assert [(one.records, one.why) for one in again()] == [(2, None), (1, None)]
    assert air.rows("SELECT key FROM records ORDER BY n") == [("1",), ("2",), ("3",)]
    assert kept(air) == {}
    assert again() == []


def test_what_fails_again_stays_with_todays_reason(
    air: World, again: Callable[..., list[Redriven]]
) -> None:
    """Its neighbours go on; the counts move to the new reason."""
    put_aside(air.pool, [bad(b"{"), bad(b'{"id":"1"}'), bad(b'{"id":[]}')], air.now)
    assert [one.why.reason if one.why else None for one in again()] == [
        "not-json", None, "bad-value",
    ]  # fmt: skip
    assert kept(air) == {"not-json": 1, "bad-value": 1}
    assert [one.why.reason for one in again() if one.why] == ["not-json", "bad-value"]
    assert kept(air) == {"not-json": 1, "bad-value": 1}


def test_a_message_becomes_records_whole_or_not_at_all(
    air: World, again: Callable[..., list[Redriven]]
) -> None:
    """Of a message with a bad line nothing is taken: it stays as it is."""
    put_aside(air.pool, [bad(b'{"id":"1"}\n{\n')], air.now)
    assert [one.records for one in again()] == [0]
    assert air.rows("SELECT 1 FROM records") == []


@pytest.mark.parametrize(
    "one",
    [
        bad(b"{" + b" " * MAX_KEPT_BYTES + b"}"),
        bad(b'##0101QN=20260101;PW=123456;MN=A1;CP=&&&&1C80\r\n'),
        bad(b"##0101QN=20260101;PW=1234;MN=A1;CP=&&&&"),
        bad(b"{}", topic="gw/\0x/up"),
    ],
    ids=["cut", "masked", "masked by as many stars", "topic"],
)  # fmt: skip
def test_what_was_not_kept_whole_is_never_made_a_record(
    air: World, again: Callable[..., list[Redriven]], one: Rejected
) -> None:
    """It isn't what was sent; its reason stays."""
    put_aside(air.pool, [one], air.now)
    (told,) = again(by=feeds("raw", ""))
    assert told.why is not None
    assert told.why.reason == "not-whole"
    assert kept(air) == {"not-json": 1}
    assert air.rows("SELECT 1 FROM records") == []


def test_a_refusal_by_accept_keeps_the_message(world: World) -> None:
    """There is no dataset of that name yet; once there is, it goes in."""
    put_aside(world.pool, [bad(b'{"id":"1"}')], world.now)
    (told,) = redrive(
        world.pool, feeds(), world.acceptor(), senders(world), lambda: world.now, Choice()
    )
    assert told.why is not None
    assert told.why.reason == "unknown-dataset"
    assert kept(world) == {"unknown-dataset": 1}
    world.dataset("air")
    (told,) = redrive(
        world.pool, feeds(), world.acceptor(), senders(world), lambda: world.now, Choice()
    )
    assert (told.records, kept(world)) == (1, {})


def test_a_topic_too_long_for_the_list_is_tried_as_it_was(
    air: World, again: Callable[..., list[Redriven]]
) -> None:
    """And one that is counted with others too."""
    levels = "x" * 120, "y" * 120, "z" * 120
    by = parse_feeds(
        """
[[feeds]]
name = "gateways"
filter = "gw/+/+/+/up"
template = "gw/{source}/+/+/up"
dataset = "air"
codec = "raw"
sources = "open"
""",
        "notary.toml",
    )
    put_aside(air.pool, [bad(b"{}", topic=f"gw/{'/'.join(levels)}/up")], air.now)
    assert [one.why for one in again(by=by)] == [None]
    assert air.rows("SELECT label FROM sources") == [(levels[0],)]
    assert kept(air) == {}


def test_only_what_was_chosen_is_tried_or_dropped(
    air: World, again: Callable[..., list[Redriven]]
) -> None:
    """By id, feed, topic or reason; more than one page of them."""
    put_aside(air.pool, [bad(b'{"id":"%d"}' % n, f"gw/s{n % 9}/up") for n in range(250)], air.now)
    put_aside(air.pool, [bad(b"?", "gw/other/up", "bad-value")], air.now)
    first = choose_quarantined(air.pool, Choice())[0]["id"]
    assert [one.id for one in again(Choice(ids=[first, 10**9]))] == [first]
    assert again(Choice(topic="gw/none/up")) == again(Choice(feed="none")) == []
    assert len(again(Choice(reason="not-json"))) == 249
    assert kept(air) == {"bad-value": 1}
    ids = [row["id"] for row in choose_quarantined(air.pool, Choice(reason="bad-value"))]
    assert take_from_quarantine(air.pool, [*ids, 10**9]) == 1
    assert kept(air) == {}
    assert len(air.rows("SELECT 1 FROM records")) == 250


def test_a_chain_stays_whole_after_a_redrive(
    air: World, again: Callable[..., list[Redriven]]
) -> None:
    """Its records are sealed and audited as any other."""
    put_aside(air.pool, [bad(b'{"id":"%d"}' % n) for n in range(20)], air.now)
    again()
    air.settle()
    assert air.audit().findings == ()
