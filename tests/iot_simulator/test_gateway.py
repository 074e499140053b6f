# SPDX-License-Identifier: Apache-2.0
"""A gateway keeps a reading until it is answered, and sends it again until then."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from iot_simulator.answers import read_answer
from iot_simulator.gateway import Gateway
from iot_simulator.listing import Listing, Sent, read_list
from iot_simulator.order import Chances
from iot_simulator.plan import Plan

NOW = datetime(2026, 3, 1, 10, tzinfo=UTC)
PLAN = Plan("air", 7, count=100, rate=10.0, window=5, again=2.0)


class Wire:
    """A connection that notes what is handed to it."""

    def __init__(self, ready: bool = True) -> None:
        self.ready = ready
        self.published: list[Sent] = []

    def publish(self, sent: Sent) -> None:
        assert self.ready
        self.published.append(sent)

    def ids(self) -> list[int]:
        """The numbers of the messages, in order, forgotten then."""
        numbers = [one.number for one in self.published]
        self.published.clear()
        return numbers


def gateway(plan: Plan = PLAN, path: Path | None = None) -> tuple[Gateway, Listing]:
    """Gateway 0 of a plan."""
    listing = Listing(path, plan.repeatable(), NOW)
    return Gateway(plan, 0, listing), listing


def told(n: int, state: str = "accepted", **more: Any) -> dict[str, Any]:
    """What the notary says of a reading."""
    if state == "refused":
        return {"state": state, "reason": "no", "detail": "No.", **more}
    return {"state": state, "chain": 0, "n": n, "leaf": f"{n:064x}", "source": "s", **more}


def answer(one: Gateway, number: int, n: int | None = None, **more: Any) -> None:
    """The notary answers a message of one reading."""
    one.answered(f"sim-7-0/{number}", {0: told(number if n is None else n, **more)}, NOW)


def test_readings_are_sent_at_the_rate_and_not_beyond_the_window() -> None:
    """The first at once; what is answered makes room."""
    one, wire = *gateway()[:1], Wire()
    one.send(0.0, NOW, wire)
    assert wire.ids() == [0]
    one.send(0.25, NOW, wire)
    assert wire.ids() == [1, 2]
    one.send(60.0, NOW, wire)
    assert wire.ids() == [3, 4]
    answer(one, 2)
    one.send(60.0, NOW, wire)
    assert wire.ids() == [5]
    assert (one.counts.sent, one.counts.answered) == (6, 1)


def test_nothing_is_sent_or_listed_while_the_connection_isn_t_ready(tmp_path: Path) -> None:
    """It is taken later; the list never says that something was sent that can't have been."""
    one, listing = gateway(path=tmp_path / "list")
    one.send(60.0, NOW, Wire(ready=False))
    assert one.counts.sent == 0
    listing.close()
    found = read_list(tmp_path / "list")
    assert found is not None
    assert found.sent == {}


def test_what_is_not_answered_is_sent_again_ever_more_seldom() -> None:
    """Same bytes, same id; but not while the connection still has it."""
    one, wire = *gateway()[:1], Wire()
    one.send(0.0, NOW, wire)
    first = wire.published[0]
    one.send_again(99.0, wire)
    assert wire.ids() == [0]
    one.acknowledged(first.id, NOW, taken=True)
    times = []
    for tenth in range(0, 200):
        one.send_again(tenth / 10, wire)
        if wire.published:
            assert wire.published == [first]
            times.append(tenth / 10)
            one.acknowledged(first.id, NOW, taken=True)
            wire.ids()
    assert times == [2.0, 4.0, 8.0, 16.0]
    assert one.counts.again == 4
    answer(one, 0)
    one.send_again(999.0, wire)
    assert wire.ids() == []


def test_a_new_connection_has_all_unanswered_ones_sent_again_soon() -> None:
    """The broker may have lost what it had acknowledged."""
    one, wire = *gateway(replace(PLAN, again=1_000.0))[:1], Wire()
    one.send(1.0, NOW, wire)
    wire.ids()
    for number in range(4):
        one.acknowledged(f"sim-7-0/{number}", NOW, taken=True)
    answer(one, 1)
    one.reconnected(50.0)
    one.send_again(51.1, wire)
    assert wire.ids() == [0, 2, 3]


def test_what_the_broker_didn_t_take_is_sent_again_too() -> None:
    """Where it is full for a while, and where no acceptances come as well."""
    one, wire = *gateway(replace(PLAN, acceptances="off"))[:1], Wire()
    one.send(0.0, NOW, wire)
    wire.ids()
    one.acknowledged("sim-7-0/0", NOW, taken=False)
    assert one.counts.answered == 0
    one.send_again(3.0, wire)
    assert wire.ids() == [0]
    one.acknowledged("sim-7-0/0", NOW, taken=True)
    assert (one.counts.answered, one.counts.wrong) == (1, 0)


def test_an_answer_in_parts_is_whole_only_with_the_last(tmp_path: Path) -> None:
    """Each part is listed as it comes; the message is kept until all are there."""
    plan = replace(PLAN, formats=("ndjson",), pack=4)
    one, listing = gateway(plan, tmp_path / "list")
    wire = Wire()
    one.send(0.0, NOW, wire)
    one.answered("sim-7-0/0", {0: told(0), 2: told(2, "refused")}, NOW)
    assert list(one.waiting) == ["sim-7-0/0"]
    found = read_list(tmp_path / "list")
    assert found is not None
    assert found.sent["sim-7-0/0"].unanswered == {1, 3}
    one.answered("sim-7-0/0", {1: told(1), 3: told(3)}, NOW)
    assert one.waiting == {}
    assert (one.counts.answered, one.counts.refused) == (4, 1)
    listing.close()


def test_the_last_message_holds_what_is_left_of_the_count() -> None:
    """Ten readings in packs of four are 4, 4 and 2."""
    one = gateway(replace(PLAN, formats=("ndjson",), pack=4, count=10))[0]
    wire = Wire()
    one.send(60.0, NOW, wire)
    assert [len(sent.message.readings) for sent in wire.published] == [4, 4, 2]
    assert one.ended


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        ([told(0), told(0, "duplicate")], None),
        ([told(0), told(1)], "a second answer says something else"),
        ([told(0), told(0, leaf="ff" * 32)], "a second answer says something else"),
        ([told(0), told(0, chain=1)], "a second answer says something else"),
        ([told(0), told(0, "refused")], "a second answer says something else"),
        ([told(0, "refused")], "refused: No."),
    ],
)
def test_a_notary_that_contradicts_itself_is_told(
    said: list[dict[str, Any]], wrong: str | None
) -> None:
    """A known key must never be two records; a good reading must not be refused."""
    one, wire = *gateway()[:1], Wire()
    one.send(0.0, NOW, wire)
    for what in said:
        one.answered("sim-7-0/0", {0: what}, NOW)
    assert one.counts.answered == 1
    assert one.counts.wrong == (wrong is not None)
    assert one.first_wrong == (None if wrong is None else f"sim-7-0/0 (json): {wrong}")


def test_a_reading_without_key_and_time_may_be_two_records() -> None:
    """The format says so, and both are listed."""
    one, wire = *gateway(replace(PLAN, formats=("raw",)))[:1], Wire()
    one.send(0.0, NOW, wire)
    for n in (0, 1):
        one.answered("sim-7-0/0", {0: told(n)}, NOW)
    assert (one.counts.answered, one.counts.wrong) == (1, 0)


def test_spoilt_bytes_that_are_accepted_are_told() -> None:
    """And refused they are as they should be."""
    one, wire = *gateway(replace(PLAN, chances=Chances(bad=1)))[:1], Wire()
    one.send(0.1, NOW, wire)
    answer(one, 0, state="refused")
    assert one.counts.wrong == 0
    answer(one, 1)
    assert one.first_wrong == "sim-7-0/1 (json): accepted, and its bytes are spoilt"


def test_a_gateway_goes_on_where_its_list_ends(tmp_path: Path) -> None:
    """Nothing is taken twice, the same is sent as without a break, unanswered ones again."""
    chances = Chances(duplicates=0.3, reorder=0.3, late=0.1, bad=0.2)
    plan = replace(PLAN, chances=chances, window=1_000, formats=("ndjson",), pack=3)
    whole, wire = *gateway(plan)[:1], Wire()
    whole.send(60.0, NOW, wire)
    expected = {one.id: one.message for one in wire.published}
    assert whole.ended
    seen: dict[str, Any] = {}
    for life in range(5):
        one, listing = gateway(plan, tmp_path / "list")
        assert set(one.waiting) == {id_ for id_ in seen if int(id_.split("/")[1]) % 3 == 0}
        wire = Wire()
        one.send_again(1.5, wire)
        assert {sent.id for sent in wire.published} == set(one.waiting)
        wire.ids()
        one.send(0.3 * 5 * (life + 1), NOW, wire)
        for sent in {sent.id: sent for sent in wire.published}.values():
            assert sent.id not in seen
            seen[sent.id] = sent.message
            if sent.number % 3:
                one.answered(sent.id, {p: told(p) for p in sent.unanswered}, NOW)
        listing.close()
    one, listing = gateway(plan, tmp_path / "list")
    wire = Wire()
    one.send(60.0, NOW, wire)
    seen |= {sent.id: sent.message for sent in wire.published}
    assert seen == expected
    assert one.counts.sent == whole.counts.sent
    listing.close()


def test_memory_is_bounded_and_an_answer_to_what_is_forgotten_is_listed(tmp_path: Path) -> None:
    """Whoever reads the list sees whether it says something else."""
    one, listing = gateway(replace(PLAN, rate=10_000.0, count=3_000), tmp_path / "list")
    wire = Wire()
    for number in range(3_000):
        one.send((number + 0.5) / 10_000, NOW, wire)
        answer(one, number)
    assert len(one._answered) == 2_000
    answer(one, 0, state="duplicate")
    answer(one, 1, n=77)
    one.answered("sim-7-0/999999", {0: told(1)}, NOW)
    listing.close()
    found = read_list(tmp_path / "list")
    assert found is not None
    assert [len(found.sent[f"sim-7-0/{number}"].answers[0]) for number in (0, 1)] == [1, 2]
    assert len(found.sent) == 3_000
    again, listing = gateway(replace(PLAN, rate=10_000.0, count=3_000), tmp_path / "list")
    assert again.counts.wrong == 1
    listing.close()


GOOD = (
    b'{"dataset":"air","readings":[{"chain":0,"leaf":"ab","n":1,"received":"t","state":"accepted"}'
    b'],"source":"s","state":"accepted","v":"acceptances/1"}'
)


def test_an_answer_names_the_source_of_each_reading() -> None:
    """The message's, or the reading's own."""
    found = read_answer(GOOD)
    assert found is not None
    assert found[0]["source"] == "s"
    other = read_answer(GOOD.replace(b'"n":1', b'"n":1,"source":"t"'))
    assert other is not None
    assert other[0]["source"] == "t"
    parts = read_answer(GOOD.replace(b'{"dataset"', b'{"at":[7],"of":9,"dataset"'))
    assert parts is not None
    assert list(parts) == [7]


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\xff",
        b"[]",
        b"[" * 100_000,
        GOOD.replace(b"acceptances/1", b"acceptances/2"),
        GOOD.replace(b'"n":1', b'"n":"1"'),
        GOOD.replace(b'"n":1,', b""),
        GOOD.replace(b'"leaf":"ab"', b'"leaf":7'),
        GOOD.replace(b'"state":"accepted"}', b'"state":"perhaps"}'),
        GOOD.replace(b'{"dataset"', b'{"at":[],"dataset"'),
        GOOD.replace(b'{"dataset"', b'{"at":[-1],"dataset"'),
        GOOD.replace(b'{"dataset"', b'{"at":["0"],"dataset"'),
        b'{"chain":0,"first":0,"last":0,"source":"s","state":"sealed","v":"acceptances/1"}',
    ],
)
def test_what_is_no_answer_answers_nothing(payload: bytes) -> None:
    """A reading that is kept for want of sense is sent again; one that is let go is lost."""
    assert read_answer(payload) is None
