# SPDX-License-Identifier: Apache-2.0
"""
Messages that went to quarantine by the real way in, tried again: packs of which a part failed,
signatures that came beside a message, brokers. Nothing is lost, and nothing doubled without keys.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from threading import Thread

import pytest

from iot_ingest.feeds import Feeds
from iot_ingest.feeds_file import parse_feeds
from iot_ingest.inbox import Inbox, Message, Properties
from iot_ingest.pipeline import Pipeline
from iot_ingest.redrive import Accepts, Redriven, redrive
from notary.keys import read_secret
from notary.store.pool import Transaction
from notary.usecases.accept import Acceptor, Limits
from notary.usecases.quarantine import (
    MAX_KEPT_BYTES,
    Choice,
    choose_quarantined,
    count_quarantine,
    put_aside,
    take_from_quarantine,
)
from notary.usecases.reading import Outcome, Reading
from notary.usecases.sources import NewSource, register
from tests.iot_ingest.signing import ED_KEY, jws
from tests.iot_ingest.support import senders
from tests.usecases.world import World

TOPIC = "gw/s-1/up"


def feeds(**lines: str) -> Feeds:
    """One feed of gateways' topics at each of two brokers; each value as it is written."""
    table = {
        "filter": '"gw/+/up"',
        "template": '"gw/{source}/up"',
        "dataset": '"air"',
        "codec": '"ndjson"',
        "sources": '"open"',
        **lines,
    }
    text = '[[brokers]]\nname = "plant"\nurl = "mqtt://h"\n'
    for broker in ("default", "plant"):
        table |= {"name": f'"{broker}-feed"', "broker": f'"{broker}"'}
        text += "[[feeds]]\n" + "".join(f"{name} = {value}\n" for name, value in table.items())
        table["dataset"] = '"plant"'
    return parse_feeds(text, "notary.toml")


@pytest.fixture
def air(world: World) -> World:
    """A notary with two open datasets."""
    world.dataset("air")
    world.dataset("plant")
    return world


def come(world: World, by: Feeds, *messages: Message) -> None:
    """Messages that came from a broker, through the pipeline to the end."""
    inbox = Inbox(1000)
    inbox.put(messages)
    inbox.close()
    Pipeline(
        by,
        inbox,
        world.acceptor(),
        senders(world),
        lambda rejected, now: put_aside(world.pool, rejected, now),
        lambda tickets: None,
        lambda: world.now,
    ).run()


def again(world: World, by: Feeds, acceptor: Accepts | None = None) -> list[Redriven]:
    """All that is there, tried again."""
    return list(
        redrive(
            world.pool, by, acceptor or world.acceptor(), senders(world), lambda: world.now,
            Choice(),
        )
    )  # fmt: skip


def kept(world: World) -> dict[str, tuple[int, int]]:
    """(readings, rows) by reason, as counted; the rows must say the same."""
    rows = choose_quarantined(world.pool, Choice(), limit=10_000)
    found: dict[str, tuple[int, int]] = {}
    for row in rows:
        readings, count = found.get(row["reason"], (0, 0))
        found[row["reason"]] = (readings + len(row["places"]), count + 1)
    counts = {
        str(reason): (kept, rows)
        for reason, kept, rows in world.rows(
            "SELECT reason, sum(kept)::integer, sum(rows)::integer FROM quarantine_counts "
            "GROUP BY reason HAVING sum(kept) > 0 OR sum(rows) > 0"
        )
    }
    assert counts == found
    return found


def payloads(world: World, dataset: str = "air") -> list[bytes]:
    """What was recorded, in order."""
    rows = world.rows(
        "SELECT r.payload FROM records r JOIN sources s ON s.id = r.source "
        "JOIN datasets d ON d.id = s.dataset WHERE d.name = %s ORDER BY s.label, r.n",
        dataset,
    )
    return [bytes(row[0]) for row in rows]  # type: ignore[call-overload]


def lines(count: int, start: int = 0) -> list[bytes]:
    """Readings without any key."""
    return [b'{"v":%d}' % number for number in range(start, start + count)]


def test_a_pack_of_an_unknown_source_becomes_records_once_it_is_registered(air: World) -> None:
    """All of it, more readings than rows are kept of a topic; each names its message."""
    pack = b"\n".join(lines(300))
    by = feeds(sources='"registered"')
    come(air, by, Message(TOPIC, pack))
    assert kept(air) == {"unknown-source": (300, 1)}
    assert [one.why.reason for one in again(air, by) if one.why] == ["unknown-source"]
    secret = read_secret(air.parts.settings.secret_file)
    register(air.pool, secret, air.datasets["air"], [NewSource("s-1")], air.now)
    assert [(one.records, one.why) for one in again(air, by)] == [(300, None)]
    assert payloads(air) == lines(300)
    assert air.rows("SELECT DISTINCT message FROM records") == [(sha256(pack).digest(),)]
    assert kept(air) == {}
    air.settle()
    assert air.audit().findings == ()


def test_of_a_pack_only_what_failed_is_tried_again(air: World) -> None:
    """Its neighbours are records already, and have no key by which they would be known."""
    pack = b'{"v":1}\n{"v":[}\n{"v":2}\n{"v":,}\n{"v":3}'
    come(air, feeds(), Message(TOPIC, pack))
    assert payloads(air) == [b'{"v":1}', b'{"v":2}', b'{"v":3}']
    assert kept(air) == {"not-json": (2, 1)}
    (told,) = again(air, feeds())
    assert (told.records, told.why and told.why.reason) == (0, "not-json")
    assert len(payloads(air)) == 3
    mended = pack.replace(b"[}", b"4}").replace(b",}", b"5}")
    air.change("UPDATE quarantine SET message = %s, message_bytes = %s", mended, len(mended))
    (told,) = again(air, feeds())
    assert (told.records, told.why) == (2, None)
    assert payloads(air)[3:] == [b'{"v":4}', b'{"v":5}']
    assert kept(air) == {}


def test_a_pack_that_is_read_in_other_parts_today_is_not_guessed_at(air: World) -> None:
    """It can't be told which of them were recorded; nothing is recorded twice."""
    come(air, feeds(), Message(TOPIC, b'{"v":1}\n{"v":}'))
    (told,) = again(air, feeds(codec='"raw"'))
    assert told.why is not None
    assert told.why.reason == "read-differently"
    assert "today it has 1" in told.why.detail
    assert payloads(air) == [b'{"v":1}']
    assert kept(air) == {"read-differently": (1, 1)}


def test_a_pack_of_which_all_failed_may_be_read_otherwise(air: World) -> None:
    """By the codec that it should have had from the beginning."""
    come(air, feeds(), Message(TOPIC, b'[\n{"v":1},\n{"v":2}]'))
    assert kept(air) == {"not-json": (3, 1)}
    (told,) = again(air, feeds(codec='"json-array"'))
    assert (told.records, told.why) == (2, None)
    assert payloads(air) == lines(2, 1)


def test_a_signature_that_came_beside_a_message_is_verified_when_it_is_tried_again(
    air: World,
) -> None:
    """Its key was registered too late; a broken one stays broken."""
    by = feeds(sources='"registered"', signature='"require"', signed_by='"jws"', codec='"json"')
    good, bad = b'{"v":1}', b'{"v":2}'
    for payload, signed in ((good, good), (bad, good)):
        user = (("jws", jws(TOPIC, signed)), ("other", "x\0y"))
        come(air, by, Message(TOPIC, payload, None, Properties(user=user)))
    come(air, by, Message(TOPIC, b'{"v":3}'))
    assert kept(air) == {"unknown-source": (3, 3)}
    secret = read_secret(air.parts.settings.secret_file)
    register(air.pool, secret, air.datasets["air"], [NewSource("s-1", keys=(ED_KEY,))], air.now)
    told = again(air, by)
    assert [one.why.reason if one.why else None for one in told] == [
        None, "bad-signature", "unsigned",
    ]  # fmt: skip
    assert payloads(air) == [good]
    assert air.rows("SELECT by_word FROM forms") == [("key:ed-1",)]


def test_a_message_is_read_by_a_feed_of_its_own_broker(air: World) -> None:
    """The same topic means another dataset at another broker."""
    broken = feeds(codec='"json"', observed='"v"')
    come(air, broken, *(Message(TOPIC, b'{"v":[]}', None, None, name) for name in ("plant",)))
    assert kept(air) == {"bad-value": (1, 1)}
    assert [one.why for one in again(air, feeds(codec='"json"'))] == [None]
    assert (payloads(air), payloads(air, "plant")) == ([], [b'{"v":[]}'])


@pytest.mark.parametrize("keyless", [b'{"v":1}', b'{"v":1}\n{"v":2}'])
def test_a_crash_while_it_is_taken_out_leaves_neither_half(
    air: World, keyless: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Record and quarantine are one transaction: without a key, too, nothing is doubled."""
    come(air, feeds(sources='"registered"'), Message(TOPIC, keyless))
    with monkeypatch.context() as patch:
        patch.setattr("iot_ingest.redrive.take", lambda *_: 1 // 0)
        with pytest.raises(ZeroDivisionError):
            again(air, feeds())
    assert payloads(air) == []
    assert again(air, feeds())[0].why is None
    assert payloads(air) == keyless.split(b"\n")


class Meddled:
    """An acceptor before whose commit something else happens."""

    def __init__(self, acceptor: Acceptor, meddle: Callable[[], object]) -> None:
        self._acceptor = acceptor
        self._meddle = meddle

    def accept(
        self,
        readings: Sequence[Reading],
        now: datetime,
        within: Callable[[Transaction, Mapping[int, Outcome]], None] | None = None,
    ) -> list[Outcome]:
        """As Acceptor.accept."""
        self._meddle()
        return self._acceptor.accept(readings, now, within)


def test_what_another_one_tries_at_the_same_time_is_recorded_once(air: World) -> None:
    """Or dropped by somebody meanwhile: then not at all."""
    come(air, feeds(sources='"registered"'), Message(TOPIC, b'{"v":1}'), Message(TOPIC, b'{"v":2}'))
    other = Meddled(air.acceptor(), lambda: again(air, feeds()))
    assert [one.why.reason for one in again(air, feeds(), other) if one.why] == ["gone", "gone"]
    assert payloads(air) == lines(2, 1)
    come(air, feeds(sources='"registered"'), Message("gw/x/up", b'{"v":3}'))
    (row,) = choose_quarantined(air.pool, Choice())
    dropped = Meddled(air.acceptor(), lambda: take_from_quarantine(air.pool, [row["id"]]))
    (told,) = again(air, feeds(), dropped)
    assert told.why is not None
    assert told.why.reason == "gone"
    assert (payloads(air), kept(air)) == (lines(2, 1), {})


def test_of_a_pack_that_is_accepted_in_part_the_rest_stays(air: World) -> None:
    """And the part is not recorded again with the rest."""
    pack = b'{"v":1}\n{"v":"much too long"}\n{"v":2}'
    come(air, feeds(sources='"registered"'), Message(TOPIC, pack))
    small = Acceptor(air.pool, air.gate, read_secret(air.parts.settings.secret_file), Limits(10))
    (told,) = again(air, feeds(), small)
    assert (told.records, told.why and told.why.reason) == (2, "too-large")
    assert kept(air) == {"too-large": (1, 1)}
    assert [one.records for one in again(air, feeds())] == [1]
    assert payloads(air) == [b'{"v":1}', b'{"v":2}', b'{"v":"much too long"}']
    assert kept(air) == {}


def test_of_a_pack_too_large_to_be_kept_no_part_is_recorded(air: World) -> None:
    """Its parts are there to be looked at; what they were a part of is not."""
    pack = b"\n".join(lines(10_000))
    assert len(pack) > MAX_KEPT_BYTES
    come(air, feeds(sources='"registered"'), Message(TOPIC, pack))
    (row,) = choose_quarantined(air.pool, Choice())
    assert (row["message"], row["message_bytes"]) == (None, len(pack))
    (told,) = again(air, feeds())
    assert told.why is not None
    assert told.why.reason == "not-whole"
    assert sum(count["kept"] for count in count_quarantine(air.pool)) == 10_000
    assert payloads(air) == []


def test_a_message_that_holds_four_stars_is_no_masked_one(air: World) -> None:
    """Only what the notary itself masked can't be read again."""
    come(air, feeds(sources='"registered"'), Message(TOPIC, b'{"v":"****"}'))
    assert [one.why for one in again(air, feeds())] == [None]


def test_properties_without_end_are_not_kept(air: World) -> None:
    """The message is; where a signature is demanded it then stays."""
    user = tuple(("x", "y" * 1000) for _ in range(100))
    message = Message(TOPIC, b'{"v":1}', None, Properties(user=user))
    come(air, feeds(sources='"registered"'), message)
    (row,) = choose_quarantined(air.pool, Choice())
    assert row["user_properties"] is None
    assert [one.why for one in again(air, feeds())] == [None]


def test_what_came_again_is_counted_for_its_source(air: World) -> None:
    """Whether the broker or the gateway sent it twice, in one commit with the rest."""
    by = feeds(codec='"json"', key='"id"')
    once = [Message(f"gw/s-{n % 2}/up", json.dumps({"id": str(n)}).encode()) for n in range(10)]
    come(air, by, *once)
    assert air.rows("SELECT * FROM repeats") == []
    come(air, by, *once[:4], *once[:1])
    come(air, by, *once[1:2])
    found = air.rows("SELECT s.label, r.count FROM repeats r JOIN sources s ON s.id = r.source")
    assert sorted(found) == [("s-0", 3), ("s-1", 3)]
    assert len(payloads(air)) == 10


def test_what_comes_in_meanwhile_is_counted_right(air: World) -> None:
    """Messages go to quarantine, and out of it, at the same time and for changing reasons."""
    closed, opened = feeds(sources='"registered"'), feeds()
    rounds, errors = 25, []

    def flood() -> None:
        try:
            for number in range(rounds):
                come(
                    air, closed, *(Message(f"gw/s-{n}/up", b'{"v":%d}' % number) for n in range(9))
                )
                come(air, opened, Message("gw/s-1/up", b"{"), Message("gw/s-2/up", b"{"))
        except BaseException as error:
            errors.append(error)

    thread = Thread(target=flood)
    thread.start()
    became = 0
    while thread.is_alive():
        became += sum(one.records for one in again(air, opened))
    thread.join()
    assert errors == []
    became += sum(one.records for one in again(air, opened))
    kept(air)
    recorded = int(str(air.rows("SELECT count(*) FROM records")[0][0]))
    left = sum(row["kept"] + row["only_counted"] for row in count_quarantine(air.pool))
    assert recorded + left == rounds * 11
    assert became <= recorded
