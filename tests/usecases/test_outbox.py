# SPDX-License-Identifier: Apache-2.0
"""The outbox: answers that are as durable as what they say, and no more lasting than needed."""

import json
from datetime import UTC, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notary.core import canonical
from notary.store.errors import StoreUnavailable
from notary.store.pool import Transaction
from notary.usecases.accept import Acceptor
from notary.usecases.outbox import (
    ANCHORED,
    ANSWER,
    SEALED,
    Answer,
    Outbox,
    OutboxReader,
    write_answer,
    write_notices,
)
from notary.usecases.quarantine import Rejected, put_aside
from notary.usecases.reading import Acceptance, Address, Asked, Reading, Refusal
from tests.usecases.world import World

PROCESS = "city-notary"
AGE = timedelta(hours=1)


class Desk:
    """An accepting side with an outbox, and the side that publishes."""

    def __init__(self, world: World, ledgers: tuple[str, ...] = ("file",)) -> None:
        self.world = world
        self.woken = 0
        self.outbox = Outbox(PROCESS, self._wake)
        self.acceptor: Acceptor = world.parts.acceptor(self.outbox)
        self.reader = OutboxReader(world.pool, PROCESS, ledgers)

    def _wake(self) -> None:
        self.woken += 1

    def accept(self, *readings: Reading) -> None:
        """Have readings accepted as the ingest process does."""
        self.acceptor.accept_free(list(readings), self.world.now)

    def reject(self, *rejected: Rejected) -> None:
        """Put something into quarantine."""
        put_aside(self.world.pool, list(rejected), self.world.now, self.outbox)

    def texts(self, stage: int = ANSWER, broker: str = "default") -> list[str]:
        """What is to be published."""
        rows = self.reader.next_rows(broker, stage)
        return [answer.text for row in rows for answer in row.answers]

    def answers(self, stage: int = ANSWER) -> list[dict[str, Any]]:
        """The same as JSON; each is in canonical form."""
        found = []
        for text in self.texts(stage):
            value = canonical.loads(text, max_bytes=1 << 20)
            assert isinstance(value, dict)
            found.append(value)
        return found

    def publish(self, stage: int = ANSWER) -> list[str]:
        """Publish what is due."""
        rows = self.reader.next_rows("default", stage)
        self.reader.published([row.id for row in rows], stage)
        return [answer.text for row in rows for answer in row.answers]

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return int(str(self.world.rows("SELECT count(*) FROM outbox")[0][0]))


@pytest.fixture
def desk(world: World) -> Desk:
    """With an open dataset."""
    world.dataset("air", lane_count=4)
    return Desk(world)


def to(topic: str = "notary/v1/air/s/down", of: int = 1, **more: Any) -> Address:
    """Where a message's answer goes."""
    return Address("default", topic, b"c", "air", "s", of, **more)


def reading(address: Address | None, place: int = 0, key: str | None = "k", **more: Any) -> Reading:
    """A reading that wants an answer."""
    members = {"source": "s", "payload": b'{"v":1}', **more}
    return Reading(
        "air",
        type="application/json",
        by="acl",
        key=key,
        answer_to=None if address is None else Asked(address, place),
        **members,
    )


def test_an_acceptance_is_answered_with_its_place_leaf_and_time(desk: Desk) -> None:
    """As the record has them, under the message's topic and correlation data."""
    desk.accept(reading(to()))
    ((leaf,),) = desk.world.rows("SELECT leaf FROM records")
    assert isinstance(leaf, bytes)
    assert desk.answers() == [
        {
            "dataset": "air",
            "source": "s",
            "state": "accepted",
            "readings": [
                {
                    "state": "accepted",
                    "chain": 0,
                    "n": 0,
                    "key": "k",
                    "leaf": leaf.hex(),
                    "received": "2031-03-05T06:07:08.123456Z",
                }
            ],
            "v": "acceptances/1",
        }
    ]
    ((row),) = desk.reader.next_rows("default", ANSWER)
    assert (row.answers[0].topic, row.answers[0].correlation) == ("notary/v1/air/s/down", b"c")
    assert desk.woken == 1


def test_a_duplicate_is_answered_with_the_record_that_was_there(desk: Desk) -> None:
    """The same n and leaf as the first time."""
    desk.accept(reading(to()))
    desk.world.pass_by(5)
    desk.accept(reading(to()))
    first, second = (answer["readings"][0] for answer in desk.answers())
    assert second == {**first, "state": "duplicate"}


def test_a_key_used_again_is_told(desk: Desk) -> None:
    """Other bytes under a known key are a new record, flagged."""
    desk.accept(reading(to()), reading(to(), payload=b'{"v":2}'))
    first, second = (answer["readings"][0] for answer in desk.answers())
    assert "key_reused" not in first
    assert (second["key_reused"], second["n"], second["state"]) == (True, 1, "accepted")


def test_one_row_a_commit_however_many_messages(desk: Desk) -> None:
    """Over all lanes; and none where nobody asks."""
    desk.accept(*(reading(to(), source=f"s{i % 20}", key=str(i)) for i in range(500)))
    assert (desk.rows, len(desk.texts()), desk.woken) == (1, 500, 1)
    desk.accept(*(reading(None, key=str(i)) for i in range(500, 600)))
    assert (desk.rows, desk.woken) == (1, 1)


def test_a_pack_has_one_answer_in_its_own_order(desk: Desk) -> None:
    """Accepted, unreadable, too large and duplicate, as they stood in the message."""
    address = to(of=5)
    address.refused[1] = Refusal("not-json", "It is not JSON.")
    desk.accept(
        reading(address, 0, "a"),
        reading(address, 2, "b", payload=b"x" * 300_000),
        reading(address, 3, "a"),
        reading(address, 4, "c", source="other"),
    )
    (answer,) = desk.answers()
    states = [(one["state"], one.get("reason"), one.get("n")) for one in answer["readings"]]
    assert states == [
        ("accepted", None, 0),
        ("refused", "not-json", None),
        ("refused", "too-large", None),
        ("duplicate", None, 0),
        ("accepted", None, 0),
    ]
    assert [one.get("source") for one in answer["readings"]] == [None, None, None, None, "other"]
    assert answer["source"] == "s"
    # What was told with the commit is not told by quarantine again.
    desk.reject(rejected(Asked(address, 1)), rejected(Asked(address, 2)))
    assert desk.rows == 1


def rejected(asked: Asked | None, detail: str = "It is not JSON.") -> Rejected:
    """What goes to quarantine."""
    topic = "notary/v1/air/s/up"
    return Rejected("own", topic, "air", "not-json", detail, b"x", answer_to=asked)


def test_a_message_that_is_refused_whole_is_answered_from_quarantine(desk: Desk) -> None:
    """In its transaction; and it goes once it is published: nothing follows a refusal."""
    address = to(of=2)
    desk.reject(rejected(Asked(address, 0)), rejected(Asked(address, 1)), rejected(None))
    (answer,) = desk.answers()
    assert answer["state"] == "refused"
    assert [one["reason"] for one in answer["readings"]] == ["not-json", "not-json"]
    assert desk.woken == 1
    desk.publish()
    assert desk.rows == 0


def test_a_message_that_needs_two_commits_has_two_answers_with_the_places(desk: Desk) -> None:
    """Where a lane was held, say: each says of how many readings which it is about."""
    address = to(of=3)
    desk.accept(reading(address, 0, "a"), reading(address, 2, "b"))
    desk.accept(reading(address, 1, "c"))
    first, second = desk.answers()
    assert (first["at"], first["of"], len(first["readings"])) == ([0, 2], 3, 2)
    assert (second["at"], second["of"], len(second["readings"])) == ([1], 3, 1)


def test_a_message_that_names_its_sources_is_answered_with_them(desk: Desk) -> None:
    """The topic names none: the first that is known stands for all, without one none is told."""
    address = Address("default", "gateway/g1/down", None, "air", "", 3)
    address.refused[0] = Refusal("not-json", "no")
    desk.accept(reading(address, 1, "a", source="one"), reading(address, 2, "b", source="two"))
    (answer,) = desk.answers()
    assert answer["source"] == "one"
    assert [one.get("source") for one in answer["readings"]] == [None, None, "two"]
    nobody = Address("default", "gateway/g1/down", None, "air", "")
    desk.reject(rejected(Asked(nobody, 0)))
    assert "source" not in desk.answers()[1]


def test_what_breaks_a_text_is_written_as_text(desk: Desk) -> None:
    """Halves of surrogate pairs, quotes, control characters, very long sentences."""
    desk.reject(rejected(Asked(to(), 0), '\ud800"\n\x00' + "x" * 10_000))
    (answer,) = desk.answers()
    assert answer["readings"][0]["detail"].startswith('?"\n\x00xxx')
    assert len(answer["readings"][0]["detail"]) == 500


def test_a_password_in_a_sentence_is_not_published(desk: Desk) -> None:
    """What quarantine masks is masked here too."""
    desk.reject(rejected(Asked(to(), 0), "Bad frame PW=123456;MN=1"))
    assert "123456" not in desk.texts()[0]


def test_a_commit_that_fails_leaves_no_answer(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither row nor word; the next try has both."""
    real = Transaction.do

    def break_(tx: Transaction, name: str, /, **values: object) -> int:
        done = real(tx, name, **values)
        if name == "raise_lanes":
            raise StoreUnavailable("gone")
        return done

    address = to(of=2)
    address.refused[1] = Refusal("not-json", "no")
    with monkeypatch.context() as patch:
        patch.setattr(Transaction, "do", break_)
        with pytest.raises(StoreUnavailable):
            desk.accept(reading(address))
    assert (desk.rows, desk.woken, address.told) == (0, 0, set())
    desk.accept(reading(address))
    assert len(desk.answers()[0]["readings"]) == 2
    assert address.told == {0, 1}


def test_a_row_stays_until_sealed_and_anchored_were_told(desk: Desk) -> None:
    """Each in its time, once; then nothing of it is left."""
    desk.accept(reading(to()))
    desk.publish()
    assert (desk.rows, desk.texts()) == (1, [])
    for stage in (SEALED, ANCHORED):
        desk.reader.find_sealed()
        assert desk.texts(stage) == []
    desk.world.seal()
    desk.reader.find_sealed()
    assert desk.texts(SEALED) == [], "in the log, and under no checkpoint yet"
    desk.world.sign()
    assert len(desk.publish(SEALED)) == 1
    assert desk.texts(SEALED) == desk.texts(ANCHORED) == []
    desk.world.anchor()
    assert len(desk.publish(ANCHORED)) == 1
    assert desk.rows == 0


def test_a_later_record_of_the_lane_does_not_hold_up_an_earlier_one(desk: Desk) -> None:
    """What was accepted after the commit is another row's matter."""
    desk.accept(reading(to(), key="a"))
    desk.publish()
    desk.world.settle()
    desk.accept(reading(None, key="b"))
    desk.reader.find_sealed()
    assert len(desk.texts(SEALED)) == 1


def test_a_duplicate_of_what_is_not_sealed_yet_waits_for_it(desk: Desk) -> None:
    """Its own commit wrote no segment."""
    desk.accept(reading(None))
    desk.accept(reading(to()))
    desk.publish()
    desk.reader.find_sealed()
    assert desk.texts(SEALED) == []
    desk.world.settle()
    desk.reader.find_sealed()
    assert len(desk.publish(SEALED)) == 1


def test_a_row_that_was_published_late_is_told_its_states_in_order(desk: Desk) -> None:
    """All was sealed and anchored before the broker came back."""
    desk.accept(reading(to()))
    desk.world.settle()
    desk.reader.find_sealed()
    assert desk.texts(SEALED) == []
    for stage in (ANSWER, SEALED, ANCHORED):
        assert len(desk.publish(stage)) == 1
    assert desk.rows == 0


def test_without_a_ledger_sealed_is_the_end(world: World) -> None:
    """Nothing would ever follow."""
    world.dataset("air")
    desk = Desk(world, ledgers=())
    desk.accept(reading(to()))
    desk.publish()
    world.settle()
    desk.reader.find_sealed()
    desk.publish(SEALED)
    assert desk.rows == 0


def test_anchored_means_on_every_ledger(world: World) -> None:
    """One that has nothing yet holds it up."""
    world.dataset("air")
    desk = Desk(world, ledgers=("file", "other"))
    desk.accept(reading(to()))
    desk.publish()
    world.settle()
    desk.reader.find_sealed()
    desk.publish(SEALED)
    assert desk.texts(ANCHORED) == []


def test_a_feed_that_wants_no_notices_gets_none(desk: Desk) -> None:
    """Its row goes with the answer."""
    desk.accept(reading(to(notices=False)))
    desk.publish()
    assert desk.rows == 0


def test_notices_name_each_run_of_records(desk: Desk) -> None:
    """Of each source its records in a row; refused ones are none."""
    address = to(of=7)
    address.refused[2] = Refusal("not-json", "no")
    sources = ["s", "s", None, "t", "s", "t"]
    desk.accept(*(reading(None, key=f"x{i}", source="t") for i in range(3)))
    desk.accept(
        *(reading(address, i, str(i), source=name) for i, name in enumerate(sources) if name),
        reading(address, 6, "x0", source="t"),
    )
    (row,) = desk.reader.next_rows("default", ANSWER)
    notices = [json.loads(text) for text in write_notices(row.answers[0], "sealed")]
    told = [(one["source"], one["chain"], one["first"], one["last"]) for one in notices]
    assert told == [("s", 0, 0, 2), ("t", 0, 0, 0), ("t", 0, 3, 4)]
    assert {one["state"] for one in notices} == {"sealed"}
    for text in write_notices(row.answers[0], "anchored"):
        assert canonical.dumps(json.loads(text)) == text


def test_a_broker_s_rows_are_its_own(desk: Desk) -> None:
    """And so are a process's."""
    far = Address("far", "t", None, "air", "s")
    desk.accept(reading(to(), key="a"), reading(far, key="b"))
    assert (desk.rows, len(desk.texts()), len(desk.texts(broker="far"))) == (2, 1, 1)
    other = OutboxReader(desk.world.pool, "another", ("file",))
    assert other.next_rows("default", ANSWER) == []
    assert other.waiting() == 0
    assert desk.reader.waiting() == 2


def test_what_is_too_old_is_dropped_and_counted(desk: Desk) -> None:
    """Answers and notices apart; of a process that is no more, too."""
    desk.accept(reading(to(), key="a"), reading(to(), key="b"))
    desk.publish()
    desk.accept(reading(to(), key="c"))
    assert desk.reader.drop(desk.world.now - AGE, 100) == (0, 0)
    other = OutboxReader(desk.world.pool, "another", ("file",))
    assert other.drop(desk.world.now + AGE, 100) == (1, 2)
    assert desk.rows == 0


def test_of_too_many_the_oldest_are_dropped_and_counted(desk: Desk) -> None:
    """In messages, not in rows; another process's count for themselves."""
    for number in range(10):
        keys = (f"{number}-{i}" for i in range(10))
        desk.accept(*(reading(to(), key=key) for key in keys))
    other = OutboxReader(desk.world.pool, "another", ("file",))
    assert other.drop(desk.world.now - AGE, 1) == (0, 0)
    assert desk.reader.drop(desk.world.now - AGE, 35) == (70, 0)
    assert [one["readings"][0]["key"][:1] for one in desk.answers()][::10] == ["7", "8", "9"]


def test_an_answer_holds_no_payload(desk: Desk) -> None:
    """What is erased must not live on in the outbox."""
    desk.accept(reading(to(), payload=b'{"name":"erase me"}'))
    ((answers,),) = desk.world.rows("SELECT answers FROM outbox")
    assert "erase me" not in str(answers)


NAMES = st.text(st.sampled_from("abz09._:-"), min_size=1, max_size=9).filter(
    lambda text: text not in (".", "..")
)
REFUSALS = st.builds(Refusal, st.text(max_size=20), st.text(max_size=600))
ACCEPTANCES = st.builds(
    Acceptance,
    st.just("air"),
    NAMES,
    st.integers(0, 3),
    st.integers(0, 2**53 - 1),
    st.binary(min_size=32, max_size=32),
    st.datetimes(timezones=st.just(UTC)),
    st.booleans(),
    st.booleans(),
)


@given(
    st.dictionaries(st.integers(0, 20), ACCEPTANCES | REFUSALS, min_size=1, max_size=8),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=128),
    st.sampled_from([0, 30]),
)
def test_every_answer_and_notice_is_in_canonical_form(
    outcomes: dict[int, Acceptance | Refusal], key: str, more: int
) -> None:
    """Whatever was sent; read again it says what became of each reading."""
    if not more:
        outcomes = dict(enumerate(outcomes.values()))
    address = Address("default", "t", None, "air", "s", len(outcomes) + more)
    part = {
        place: (reading(None, key=key, source="s") if isinstance(one, Acceptance) else None, one)
        for place, one in outcomes.items()
    }
    text = write_answer(address, part)
    told = canonical.loads(text, max_bytes=1 << 20)
    assert isinstance(told, dict)
    assert told.get("at", list(range(len(outcomes)))) == sorted(outcomes)
    assert ("at" in told) == ("of" in told) == bool(more)
    for one, place in zip(told["readings"], sorted(outcomes), strict=True):
        outcome = outcomes[place]
        assert (one["state"] == "refused") == isinstance(outcome, Refusal)
        if isinstance(outcome, Acceptance):
            assert (one["n"], one["leaf"], one["key"]) == (outcome.n, outcome.leaf.hex(), key)
            assert one.get("source", told["source"]) == outcome.source
    runs = [
        canonical.loads(notice, max_bytes=1 << 20)
        for notice in write_notices(Answer("t", None, text, False, True), "sealed")
    ]
    named = {
        (run["source"], run["chain"], n)  # type: ignore[index]
        for run in runs
        for n in range(run["first"], min(run["last"], run["first"] + 30) + 1)  # type: ignore[index]
    }
    accepted = [one for one in outcomes.values() if isinstance(one, Acceptance)]
    assert named == {(one.source, one.chain, one.n) for one in accepted}
