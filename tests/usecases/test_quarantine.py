# SPDX-License-Identifier: Apache-2.0
"""Quarantine: kept with a reason, counted, and bounded whatever is thrown at it."""

import random
from collections import Counter
from dataclasses import replace
from threading import Thread

import pytest

from notary.usecases import quarantine
from notary.usecases.quarantine import (
    INTERNAL,
    MAX_KEPT,
    MAX_KEPT_BYTES,
    MAX_TOPICS,
    OTHER_TOPICS,
    Rejected,
    count_quarantine,
    list_quarantine,
    put_aside,
    show_quarantined,
)
from notary.usecases.rights import NotFound
from tests.usecases.world import World


def bad(topic: str = "t", reason: str = "not-json", payload: bytes = b"x", **more: str) -> Rejected:
    """Something bad."""
    return Rejected(
        more.get("feed", "f"), topic, more.get("dataset"), reason, "It is not.", payload
    )


def counted(world: World) -> dict[tuple[object, ...], tuple[object, ...]]:
    """(kept, only counted) by feed, topic and reason."""
    rows = world.rows("SELECT feed, topic, reason, kept, only_counted FROM quarantine_counts")
    return {row[:3]: row[3:] for row in rows}


def test_what_is_bad_is_kept_with_all_that_is_known_of_it(world: World) -> None:
    """Feed, topic, dataset, reason, sentence, size, payload, time."""
    put_aside(world.pool, [bad("a/b", payload=b"\0\xff", dataset="air")], world.now)
    (listed,) = list_quarantine(world.pool)
    shown = show_quarantined(world.pool, listed["id"])
    more = {"payload": b"\0\xff", "broker": "default", "message_bytes": 2}
    assert {**listed, **more, "places": [0], "parts": 1} == shown
    del listed["id"]
    assert listed == {
        "received": world.now,
        "feed": "f",
        "topic": "a/b",
        "dataset": "air",
        "reason": "not-json",
        "detail": "It is not.",
        "size_bytes": 2,
        "readings": 1,
    }
    assert count_quarantine(world.pool) == [{"reason": "not-json", "kept": 1, "only_counted": 0}]


def test_what_is_not_there_is_not_found(world: World) -> None:
    """By id."""
    with pytest.raises(NotFound):
        show_quarantined(world.pool, 1)


def test_a_flood_of_one_topic_is_only_counted_and_takes_nothing_from_another(world: World) -> None:
    """In one call or in many, whatever the reasons."""
    flood = [bad("loud", reason=f"reason-{number % 3}") for number in range(MAX_KEPT + 50)]
    put_aside(world.pool, flood[:70], world.now)
    put_aside(world.pool, flood[70:], world.now)
    put_aside(world.pool, [*flood[:5], bad("quiet")], world.now)
    kept = Counter(row["topic"] for row in list_quarantine(world.pool, limit=1000))
    assert kept == {"loud": MAX_KEPT, "quiet": 1}
    totals = count_quarantine(world.pool)
    assert sum(row["kept"] for row in totals) == MAX_KEPT + 1
    assert sum(row["only_counted"] for row in totals) == 55


def test_what_failed_by_our_own_fault_is_kept_beyond_a_flood(world: World) -> None:
    """Good readings that a fault of the notary's own put here are not lost for noise."""
    put_aside(world.pool, [bad()] * (MAX_KEPT + 1), world.now)
    put_aside(world.pool, [bad(reason=INTERNAL, payload=b"good")] * 30, world.now)
    assert counted(world)["f", "t", INTERNAL] == (30, 0)


def test_topics_without_end_are_counted_together(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that were there before are still told apart."""
    monkeypatch.setattr(quarantine, "MAX_TOPICS", 20)
    put_aside(world.pool, [bad(f"t{number}") for number in range(15)], world.now)
    put_aside(world.pool, [bad(f"u{number}") for number in range(200)], world.now)
    put_aside(world.pool, [bad("t3"), bad("new"), bad("new", feed="other")], world.now)
    places = counted(world)
    assert len([place for place in places if place[0] == "f"]) == 21
    assert places["f", "t3", "not-json"] == (2, 0)
    assert places["f", OTHER_TOPICS, "not-json"] == (MAX_KEPT, 96)
    assert places["other", "new", "not-json"] == (1, 0)
    assert MAX_TOPICS > 20


def test_a_feed_keeps_a_bounded_number_in_all(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many topics below their own limit don't fill the disk; another feed has its own place."""
    monkeypatch.setattr(quarantine, "MAX_KEPT_OF_FEED", 10)
    put_aside(world.pool, [bad(f"t{number}") for number in range(30)], world.now)
    put_aside(world.pool, [bad(reason=INTERNAL), bad(feed="other")], world.now)
    kept = Counter(row["feed"] for row in list_quarantine(world.pool, limit=1000))
    assert kept == {"f": 10, "other": 1}


def test_a_large_payload_is_cut_and_its_size_is_noted(world: World) -> None:
    """As much as a person needs to see what it was."""
    put_aside(world.pool, [bad(payload=b"ab" * MAX_KEPT_BYTES)], world.now)
    (listed,) = list_quarantine(world.pool)
    assert listed["size_bytes"] == 2 * MAX_KEPT_BYTES
    assert len(show_quarantined(world.pool, listed["id"])["payload"]) == MAX_KEPT_BYTES


def test_strings_that_break_a_database_are_kept(world: World) -> None:
    """U+0000, half surrogates, and topics too long for an index, told apart."""
    dice = random.Random(1)
    long = "".join(chr(dice.randrange(0x4E00, 0x9FFF)) for _ in range(20_000))
    strange = ["a\0b", "\ud800", long + "1", long + "2", "é" * 300, ""]
    put_aside(
        world.pool, [bad(topic, feed=topic[:200], reason="r") for topic in strange], world.now
    )
    rows = list_quarantine(world.pool)
    assert len({row["topic"] for row in rows}) == len(strange)
    put_aside(
        world.pool, [Rejected("f", "t", None, "r", "\0\ud800" * 9999, b"")], world.now
    )  # fmt: skip
    assert len(list_quarantine(world.pool)) == len(strange) + 1


def test_two_processes_with_the_same_topics_in_opposite_order_lose_nothing(world: World) -> None:
    """Neither waits for the other for ever, and every one is counted."""
    topics = [f"t{number}" for number in range(400)]
    errors: list[BaseException] = []

    def work(order: list[str]) -> None:
        try:
            for _ in range(10):
                put_aside(world.pool, [bad(topic) for topic in order], world.now)
        except BaseException as error:
            errors.append(error)

    threads = [Thread(target=work, args=(order,)) for order in (topics, topics[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    totals = count_quarantine(world.pool)[0]
    assert totals["kept"] + totals["only_counted"] == 2 * 10 * 400


def test_many_who_put_aside_together_keep_no_more_than_one(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bounds are those of all together."""
    monkeypatch.setattr(quarantine, "MAX_TOPICS", 20)

    def work(who: int) -> None:
        for number in range(10):
            put_aside(world.pool, [bad(f"{who}-{number}-{i}") for i in range(5)], world.now)

    threads = [Thread(target=work, args=(who,)) for who in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    kept = Counter(row["topic"] for row in list_quarantine(world.pool, limit=1000))
    assert len(kept) == 20 + 1
    assert kept[OTHER_TOPICS] == min(MAX_KEPT, 150 - 20)


def test_pages_of_the_list_go_on_where_the_last_one_ended(world: World) -> None:
    """By id, in order."""
    put_aside(world.pool, [bad(payload=b"%d" % number) for number in range(5)], world.now)
    first = list_quarantine(world.pool, limit=2)
    rest = list_quarantine(world.pool, after=first[-1]["id"], limit=10)
    payloads = [show_quarantined(world.pool, row["id"])["payload"] for row in first + rest]
    assert payloads == [b"0", b"1", b"2", b"3", b"4"]


def test_made_up_topics_take_no_place_from_known_sources(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither that of their topics, nor that of the feed; and theirs is bounded too."""
    monkeypatch.setattr(quarantine, "MAX_TOPICS", 20)
    monkeypatch.setattr(quarantine, "MAX_KEPT_OF_FEED", 30)
    put_aside(world.pool, [bad(f"made-up-{number}") for number in range(200)], world.now)
    assert len(list_quarantine(world.pool, limit=1000)) == 30
    known = [replace(bad(f"known-{number}"), is_known=True) for number in range(15)]
    put_aside(world.pool, known, world.now)
    kept = Counter(row["topic"] for row in list_quarantine(world.pool, limit=1000))
    assert all(kept[one.topic] == 1 for one in known)
    put_aside(world.pool, known * 20, world.now)
    assert len(list_quarantine(world.pool, limit=1000)) == 60
