# SPDX-License-Identifier: Apache-2.0
"""What becomes of messages by who sent them: on a real database, messages from a list."""

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from iot_ingest.feeds_file import parse_feeds
from iot_ingest.inbox import Inbox, Message, Properties
from iot_ingest.pipeline import Pipeline
from iot_ingest.senders.stage import Senders
from notary.core.statement import parse_statement
from notary.keys import read_secret
from notary.usecases import sources
from notary.usecases.quarantine import put_aside
from notary.usecases.reading import FUTURE_DATED, REPLAYED, Address
from notary.usecases.source_book import REFRESH_SECONDS, SourceBook
from notary.usecases.sources import NewKey, NewSource
from tests.iot_ingest.signing import (
    ED2,
    ED2_PUBLIC,
    ED_KEY,
    ES,
    ES_KEY,
    MAC_KEY,
    cose,
    jws,
    mac,
    user,
)
from tests.iot_ingest.support import quarantined
from tests.usecases.world import World


def feed(name: str, **more: object) -> str:
    """A feed on `<name>/<dataset>/<source>`."""
    table = {
        "name": name, "filter": f"{name}/+/+", "template": f"{name}/{{dataset}}/{{source}}",
        "codec": "json", "observed": "time", "key": "id", **more,
    }  # fmt: skip
    lines = [f"{key} = {json.dumps(value)}" for key, value in table.items() if value is not None]
    return "\n".join(["[[feeds]]", *lines, ""])


FEEDS = "\n".join(
    [
        feed("plain"),
        feed("open", sources="open", max_sources=3),
        feed("must", signature="require", signed_by="jws"),
        feed("openmust", sources="open", signature="require", signed_by="jws"),
        feed("may", signature="record", signed_by="jws"),
        feed("openmay", sources="open", signature="record", signed_by="hmac"),
        feed("mac", signature="require", signed_by="hmac"),
        feed("cose", signature="require", signed_by="cose"),
        feed("maycose", signature="record", signed_by="cose"),
        feed("peel", signature="ignore", signed_by="cose", by="none"),
        feed("lines", codec="ndjson", observed=None, signature="require", signed_by="jws"),
        feed("coselines", codec="ndjson", observed=None, signature="require", signed_by="cose"),
        feed("bare", codec="raw", observed=None, key=None, signature="require", signed_by="jws"),
        feed("bareplain", codec="raw", observed=None, key=None),
    ]
)


class Watch:
    """A stopwatch that stands still until told otherwise."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Door:
    """A pipeline on a real notary; every message is brought to its end."""

    def __init__(self, world: World) -> None:
        self.world, self.watch = world, Watch()
        self.inbox = Inbox(10_000)
        self.acknowledged: list[object] = []
        self.secret = read_secret(world.parts.settings.secret_file)
        self.pipeline = Pipeline(
            parse_feeds(FEEDS, "f"),
            self.inbox,
            world.acceptor(),
            Senders(SourceBook(world.pool, self.secret, self.watch)),
            lambda rejected, now: put_aside(world.pool, rejected, now),
            self.acknowledged.extend,
            lambda: world.now,
        )
        self.sent = 0

    def register(self, source: str, *keys: NewKey, dataset: str = "air") -> None:
        """Register a source with keys."""
        facts = self.world.datasets[dataset]
        new = [NewSource(source, keys=keys)]
        sources.register(self.world.pool, self.secret, facts, new, self.world.now)

    def revoke(self, source: str, key: str | None = None) -> None:
        """Revoke it, and let the moment pass until that is heeded."""
        air = self.world.datasets["air"]
        sources.revoke(self.world.pool, air, source, key, self.world.now)
        self.watch.now += REFRESH_SECONDS

    def send(self, topic: str, payload: bytes, *told: tuple[str, str]) -> None:
        """One message."""
        self.send_all([(topic, payload, user(*told) if told else None)])

    def send_all(self, messages: Sequence[tuple[str, bytes, Properties | None]]) -> None:
        """Some messages in one batch; all are acknowledged after it."""
        for topic, payload, told in messages:
            self.inbox.put([Message(topic, payload, self.sent, told)])
            self.sent += 1
        while self.pipeline.depth:
            self.pipeline.go_round()
        assert sorted(self.acknowledged) == list(range(self.sent))  # type: ignore[type-var]

    def records(self) -> list[tuple[Any, ...]]:
        """(source, by, flags, payload) of all records, in the order of chains."""
        return self.world.rows(
            "SELECT s.label, f.by_word, r.flags, r.payload FROM records r "
            "JOIN sources s ON s.id = r.source JOIN forms f ON f.id = r.form ORDER BY s.id, r.n"
        )

    def said(self) -> list[tuple[str, ...]]:
        """(source, by) of all records."""
        return [row[:2] for row in self.records()]

    def reasons(self) -> list[str]:
        """Why messages are in quarantine."""
        return [str(row[3]) for row in quarantined(self.world)]


@pytest.fixture
def door(world: World) -> Door:
    """An open dataset, and a source `s1` with a key of each kind."""
    world.dataset("air", lane_count=2)
    door = Door(world)
    door.register("s1", ED_KEY, ES_KEY, MAC_KEY)
    return door


def reading(n: int = 0, **more: object) -> bytes:
    """A reading with a key of its own."""
    return json.dumps({"id": str(n), "time": "2031-03-05T06:00:00Z", **more}).encode()


def signed(topic: str, payload: bytes, **header: Any) -> tuple[str, bytes, Properties]:
    """A message with a JWS."""
    return topic, payload, user(("jws", jws(topic, payload, **header)))


# -- which sources are known


def test_an_unknown_source_goes_to_quarantine_with_that_reason(door: Door) -> None:
    """A registered one's reading becomes a record beside it."""
    door.send_all([("plain/air/s1", reading(), None), ("plain/air/s2", reading(), None)])
    assert door.said() == [("s1", "acl")]
    assert quarantined(door.world)[0][1:4] == ("plain/air/s2", "air", "unknown-source")


def test_a_source_with_records_is_known(door: Door) -> None:
    """Whatever door they came in by."""
    door.world.add("air", 1, sources=1)
    door.send("plain/air/s0", reading())
    assert door.reasons() == []


def test_a_source_that_is_registered_just_now_is_known_at_once(door: Door) -> None:
    """What isn't known is asked for; only what is known is remembered."""
    door.send("plain/air/s2", reading())
    door.register("s2")
    door.send("plain/air/s2", reading(1))
    assert (door.said(), door.reasons()) == ([("s2", "acl")], ["unknown-source"])


def test_an_open_feed_lets_new_sources_in_up_to_its_quota(door: Door) -> None:
    """s1 is one of the three; in one batch or in several, those that are in stay in."""
    new = [(f"open/air/n{i}", reading(), None) for i in range(4)]
    door.send_all(new)
    assert [row[0] for row in door.records()] == ["n0", "n1"]
    door.send_all(new)
    door.send("open/air/s1", reading())
    door.send("open/air/n1", reading(2))
    assert [row[0] for row in door.records()] == ["s1", "n0", "n1", "n1"]
    assert set(door.reasons()) == {"unknown-source"}


def test_the_first_feed_that_may_lets_a_source_in(door: Door) -> None:
    """In one batch with a message on a feed that lets nobody in."""
    door.send_all([("plain/air/n0", reading(), None), ("open/air/n0", reading(1), None)])
    door.send_all([("open/air/n1", reading(), None), ("plain/air/n1", reading(1), None)])
    assert {row[0] for row in door.records()} == {"n0", "n1"}


def test_a_dataset_that_is_not_there_is_told_as_before(door: Door) -> None:
    """It is the dataset that is wrong, not the source."""
    door.send("plain/fog/s1", reading())
    door.send("open/fog/s1", reading())
    door.send_all([signed("must/fog/s1", reading())])
    assert door.reasons() == ["unknown-dataset"] * 3


def test_a_revoked_source_is_refused_by_every_feed(door: Door) -> None:
    """Also by an open one, and signed rightly."""
    door.send("plain/air/s1", reading())
    door.revoke("s1")
    door.send("plain/air/s1", reading(1))
    door.send("open/air/s1", reading(2))
    door.send_all([signed("must/air/s1", reading(3)), signed("may/air/s1", reading(4))])
    assert (len(door.records()), door.reasons()) == (1, ["revoked-source"] * 4)


# -- signatures


@pytest.mark.parametrize(
    ("feed_name", "key", "made"),
    [
        ("must", "ed-1", lambda t, p: (t, p, user(("jws", jws(t, p))))),
        ("must", "es-1", lambda t, p: (t, p, user(("jws", jws(t, p, ES, "es-1"))))),
        ("may", "ed-1", lambda t, p: (t, p, user(("jws", jws(t, p))))),
        ("mac", "mac-1", lambda t, p: (t, p, user(("hmac", mac(t, p)), ("key", "mac-1")))),
        ("cose", "ed-1", lambda t, p: (t, cose(t, p), None)),
        ("maycose", "es-1", lambda t, p: (t, cose(t, p, ES, b"es-1"), None)),
    ],
)
def test_a_rightly_signed_reading_names_its_key(
    door: Door, feed_name: str, key: str, made: Any
) -> None:
    """In the statement of a record that audits well."""
    door.send_all([made(f"{feed_name}/air/s1", reading())])
    ((source, by, flags, _),) = door.records()
    assert (source, by, flags) == ("s1", f"key:{key}", 0)
    door.world.settle()
    text = door.world.prover().receipt("air", "s1", 0, caller=None).text
    assert parse_statement(json.loads(text)["statement"]).by == f"key:{key}"
    assert door.world.audit().findings == ()


UNSIGNED: tuple[tuple[str, str], ...] = ()


@pytest.mark.parametrize(
    ("told", "reason", "by"),
    [
        (UNSIGNED, "unsigned", "acl"),
        ((("other", "x"),), "unsigned", "acl"),
        ((("hmac", mac("{t}", reading())), ("key", "mac-1")), "unsigned", "acl"),
        ((("jws", ""),), "bad-signature", "bad-signature:-"),
        ((("jws", jws("may/air/s2", reading())),), "bad-signature", "bad-signature:ed-1"),
        ((("jws", "{good}"), ("jws", "{good}")), "bad-signature", "bad-signature:-"),
        ((("jws", "{other}"),), "bad-signature", "bad-signature:ed-1"),
        ((("jws", "{unknown}"),), "bad-signature", "bad-signature:ed-9"),
        ((("jws", "{cut}"),), "bad-signature", "bad-signature:ed-1"),
    ],
)
def test_what_is_not_rightly_signed(
    door: Door, told: tuple[tuple[str, str], ...], reason: str, by: str
) -> None:
    """Goes to quarantine where a signature is demanded, and is recorded as what it is elsewhere."""
    for name in ("must", "may"):
        topic = f"{name}/air/s1"
        good = jws(topic, reading())
        values = {
            "{good}": good, "{other}": jws(topic, reading(), ED2),
            "{unknown}": jws(topic, reading(), kid="ed-9"), "{cut}": good[:-2],
        }  # fmt: skip
        door.send(topic, reading(), *((key, values.get(text, text)) for key, text in told))
    assert door.reasons() == [reason]
    assert door.said() == [("s1", by)]


def test_what_is_no_cose_message_is_unsigned(door: Door) -> None:
    """Recorded as it is where no signature is demanded."""
    door.send("cose/air/s1", reading())
    door.send("maycose/air/s1", reading(1))
    assert (door.reasons(), door.said()) == (["unsigned"], [("s1", "acl")])


def test_a_cose_message_is_the_evidence_whole(door: Door) -> None:
    """What is inside is read, looked at or not; what is kept is the message with its signature."""
    message = cose("cose/air/s1", reading())
    door.send("cose/air/s1", message)
    door.send("peel/air/s1", cose("elsewhere", reading(1), ED2))
    rows = door.world.rows(
        "SELECT r.payload, r.key, f.type, f.by_word FROM records r JOIN forms f ON f.id = r.form "
        "ORDER BY n"
    )
    assert rows[0] == (message, "0", "application/cose", "key:ed-1")
    assert rows[1][1:] == ("1", "application/cose", "none")


def test_a_cose_message_of_several_readings_is_split_and_named(door: Door) -> None:
    """Each is its own evidence; the statement names the signed message."""
    inner = reading(1) + b"\n" + reading(2)
    message = cose("coselines/air/s1", inner)
    door.send("coselines/air/s1", message)
    rows = door.world.rows(
        "SELECT r.payload, r.message = sha256(%s), f.type FROM records r "
        "JOIN forms f ON f.id = r.form ORDER BY n",
        message,
    )
    assert rows == [(reading(1), True, "application/json"), (reading(2), True, "application/json")]


def test_a_signed_pack_is_signed_for_each_of_its_readings(door: Door) -> None:
    """One signature, by which all are known."""
    topic = "lines/air/s1"
    pack = b"\n".join(reading(n) for n in range(20))
    door.send_all([signed(topic, pack)])
    assert door.said() == [("s1", "key:ed-1")] * 20


def test_a_signature_is_none_for_another_source_with_the_same_key(door: Door) -> None:
    """Two devices share a key: what one signed is refused on the other's topic."""
    door.register("s2", ED_KEY)
    payload = reading()
    door.send("must/air/s2", payload, ("jws", jws("must/air/s1", payload)))
    door.send("must/air/s1", payload, ("jws", jws("must/air/s1", payload)))
    assert (door.said(), door.reasons()) == ([("s1", "key:ed-1")], ["bad-signature"])


def test_another_devices_key_is_none_of_ones_own(door: Door) -> None:
    """A registered device that signs with its own key on a neighbour's topic."""
    door.register("s2", NewKey("ed-2", "ed25519", ED2_PUBLIC))
    topic = "must/air/s1"
    door.send(topic, reading(), ("jws", jws(topic, reading(), ED2, "ed-2")))
    door.send(topic, reading(1), ("jws", jws(topic, reading(1), ED2, "ed-1")))
    assert (door.records(), door.reasons()) == ([], ["bad-signature"] * 2)


def test_a_key_of_another_dataset_is_none_here(door: Door) -> None:
    """The same device in two datasets signs for each of them."""
    door.world.dataset("fog")
    door.register("s1", NewKey("ed-2", "ed25519", ED2_PUBLIC), dataset="fog")
    topic = "must/air/s1"
    door.send(topic, reading(), ("jws", jws(topic, reading(), ED2, "ed-2")))
    assert door.reasons() == ["bad-signature"]


def test_a_key_that_is_revoked_or_new_is_heeded(door: Door) -> None:
    """A new one at once, a revoked one after a moment."""
    topic = "must/air/s1"
    door.send_all([signed(topic, reading())])
    door.register("s1", NewKey("ed-2", "ed25519", ED2_PUBLIC))
    door.send(topic, reading(1), ("jws", jws(topic, reading(1), ED2, "ed-2")))
    door.revoke("s1", "ed-1")
    door.send_all([signed(topic, reading(2))])
    assert door.said() == [("s1", "key:ed-1"), ("s1", "key:ed-2")]
    assert door.reasons() == ["bad-signature"]


def test_a_key_ends_by_our_clock(door: Door) -> None:
    """While the process runs, without any change of the registration."""
    ends = door.world.now + timedelta(hours=1)
    door.register("s2", NewKey("ed-1", "ed25519", ED_KEY.material, valid_to=ends))
    topic = "must/air/s2"
    door.send_all([signed(topic, reading())])
    door.world.pass_by(3600)
    door.send_all([signed(topic, reading(1))])
    assert (door.said(), door.reasons()) == ([("s2", "key:ed-1")], ["bad-signature"])


def test_nobody_comes_in_by_a_first_reading_that_must_be_signed(door: Door) -> None:
    """No key of it is known, and it takes no place of the quota."""
    door.send_all([signed("openmust/air/n0", reading())])
    door.send("openmay/air/n1", reading(), ("hmac", "0" * 64), ("key", "k"))
    assert door.said() == [("n1", "bad-signature:k")]
    assert door.reasons() == ["bad-signature"]
    assert door.world.rows("SELECT count(*) FROM sources") == [(2,)]


# -- flags


def test_a_signed_message_that_comes_again_is_known_by_its_key_or_flagged(door: Door) -> None:
    """With a message id it is a duplicate; without, a second record that is flagged."""
    again = signed("must/air/s1", reading())
    door.send_all([again])
    door.send_all([again, again])
    assert door.said() == [("s1", "key:ed-1")]
    bare = signed("bare/air/s1", b"12.50")
    door.send_all([bare, signed("bare/air/s1", b"12.75"), bare])
    assert [row[2] for row in door.records()] == [0, 0, 0, REPLAYED]


def test_a_signature_from_long_ago_is_flagged_and_recorded(door: Door) -> None:
    """A day is allowed; further ahead than a day is flagged as well."""
    now, topic = int(door.world.now.timestamp()), "must/air/s1"
    for n, (age, flag) in enumerate(
        [(0, 0), (86_399, 0), (86_402, REPLAYED), (-86_399, 0), (-86_402, FUTURE_DATED)]
    ):
        door.send_all([signed(topic, reading(n), iat=now - age)])
        assert door.records()[-1][2] == flag
    assert door.reasons() == []


@pytest.mark.parametrize("name", ["plain", "must", "open"])
def test_a_reading_dated_far_ahead_is_flagged_and_recorded(door: Door, name: str) -> None:
    """Signed or not; what isn't understood is left alone."""
    topic = f"{name}/air/s1"
    times = ["2031-03-05T06:07:08Z", "2031-03-07T00:00:00Z", "next week", "1999999999"]
    door.send_all([signed(topic, reading(n, time=time)) for n, time in enumerate(times)])
    assert [row[2] for row in door.records()] == [0, FUTURE_DATED, 0, FUTURE_DATED]


# -- the rest of the way


def test_a_refused_sender_hears_why(door: Door) -> None:
    """The answer to its message has the reason."""
    feeds = parse_feeds(
        feed("ask", acceptances="response", signature="require", signed_by="jws"), "f"
    )
    heard: list[Address] = []
    pipeline = Pipeline(
        feeds,
        door.inbox,
        door.world.acceptor(),
        Senders(SourceBook(door.world.pool, door.secret)),
        lambda rejected, now: heard.extend(
            one.answer_to.address for one in rejected if one.answer_to is not None
        ),
        lambda tickets: None,
        lambda: door.world.now,
    )
    for ticket, source in enumerate(("s1", "s9")):
        topic = f"ask/air/{source}"
        told = Properties(response_topic=f"{topic}/down")
        door.inbox.put([Message(topic, reading(), ticket, told)])
    pipeline.go_round()
    assert [one.refused[0].reason for one in heard] == ["unsigned", "unknown-source"]


def test_a_batch_costs_few_questions(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many sources and messages; and none at all while they are in mind."""
    for n in range(300):
        door.register(f"m{n}", ED_KEY)
    asked: list[str] = []
    real = SourceBook.ask
    monkeypatch.setattr(
        SourceBook, "ask", lambda self, wanted: asked.append("ask") or real(self, wanted)
    )
    messages = [signed(f"must/air/m{n}", reading()) for n in range(300)]
    door.send_all(messages)
    door.send_all([signed(f"must/air/m{n}", reading(1)) for n in range(300)])
    assert (len(asked), len(door.records())) == (1, 600)


def test_one_bad_sender_costs_no_other_anything(door: Door) -> None:
    """Good, unknown, unsigned and broken in one batch, each by itself, in order."""
    batch = []
    for n in range(40):
        batch.append(signed("must/air/s1", reading(n)))
        batch.append(("must/air/s1", reading(n), None))
        batch.append(signed(f"must/air/x{n}", reading(n)))
        batch.append(("must/air/s1", b"{", None))
    door.send_all(batch)
    payloads = [json.loads(row[3])["id"] for row in door.records()]
    assert payloads == [str(n) for n in range(40)]
    assert sorted(set(door.reasons())) == ["not-json", "unknown-source", "unsigned"]
