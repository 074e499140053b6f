# SPDX-License-Identifier: Apache-2.0
"""Windows: all records of a span and one proof, which nothing can be left out of."""

import base64
import json
from datetime import timedelta
from itertools import pairwise

import pytest

from notary.core.errors import MalformedWindow, NotaryError
from notary.core.window import WindowVerdict, parse_window, verify_window
from notary.core.window_format import Asked
from notary.core.words import format_time
from notary.usecases import prove_window
from notary.usecases.prove import NotYet
from notary.usecases.prove_window import WindowProof, WindowProver, WindowTooLong
from notary.usecases.reading import Reading
from notary.usecases.rights import NotFound
from tests.usecases.world import World

COUNT = 60
SECOND = timedelta(seconds=1)


class Station:
    """A source with a reading each second in several batches, among others' readings."""

    def __init__(self, world: World, dataset: str) -> None:
        self.world, self.dataset = world, dataset
        self.times = []
        for number in range(COUNT):
            world.now += SECOND
            self.times.append(world.now)
            world.accept([self.reading(number), Reading(dataset, "other", b"x", "a/b", "none")])
            if number % 25 == 24:
                world.settle()
        world.settle()

    def reading(self, number: int, source: str = "station-12") -> Reading:
        """One with a time (its minutes count down), a key, and now and then another sender."""
        return Reading(
            self.dataset, source, b'{"v":%d}' % number, "application/json",
            "acl" if number % 10 else "none", f"2031-01-01T00:{99 - number:02d}Z", str(number),
        )  # fmt: skip

    def prove(self, by: str, start: int | str, stop: int | str, **more: object) -> WindowProof:
        """A window by a prover with nothing in mind."""
        prover = WindowProver(self.world.pool, self.world.prover())
        asked = Asked(by, start, stop)  # type: ignore[arg-type]
        facts = self.world.datasets[self.dataset]
        return prover.window(facts, "station-12", asked, **more)  # type: ignore[arg-type]

    def check(
        self, by: str, start: int | str, stop: int | str
    ) -> tuple[WindowVerdict, WindowProof, str]:
        """The verdict over a window, with all payloads."""
        proof = self.prove(by, start, stop)
        text = text_of(proof)
        run = proof.run
        prover = WindowProver(self.world.pool, self.world.prover())
        facts = self.world.datasets[self.dataset]
        _, lines = prover.payloads(facts, "station-12", run.first, run.last, run.chain)
        found = [json.loads(line) for line in b"".join(lines).splitlines()]
        assert [one["n"] for one in found] == list(range(run.first, run.last + 1))
        opened = [
            (
                bytes.fromhex(one["salt"]) if "salt" in one else None,
                base64.b64decode(one["payload"]),
            )
            for one in found
        ]
        return verify_window(text, self.world.parts.trust(), opened), proof, text


def text_of(proof: WindowProof) -> str:
    """The file."""
    return b"".join(proof.parts).decode()


@pytest.fixture(params=["open", "closed"])
def station(world: World, request: pytest.FixtureRequest) -> Station:
    """In an open dataset and in one that isn't."""
    return Station(world, world.dataset("air" if request.param == "open" else None))


def test_a_span_of_numbers_comes_with_its_neighbours(station: Station) -> None:
    """Across batches; what lies beyond the last record is said to be open."""
    for start, stop, carried, open_end in (
        (0, 10, (0, 10), False),
        (3, 7, (2, 7), False),
        (20, 40, (19, 40), False),
        (0, 60, (0, 59), False),
        (59, 60, (58, 59), False),
        (50, 100, (49, 59), True),
    ):
        verdict, proof, text = station.check("n", start, stop)
        assert (verdict.first, verdict.last) == carried == (proof.run.first, proof.run.last)
        assert (verdict.asked_first, verdict.asked_last) == (start, min(stop, COUNT) - 1)
        assert verdict.open_end is open_end
        assert proof.final is not open_end
        assert verdict.payloads_checked == carried[1] - carried[0] + 1
        assert parse_window(text).asked == Asked("n", start, stop)


def test_a_span_of_received_times_is_half_open(station: Station) -> None:
    """From the moment of a record on, up to that of the one that is no more inside."""
    for first, last in ((0, 9), (5, 5), (20, 44), (0, 59), (58, 59)):
        start, stop = station.times[first], station.times[last] + SECOND
        verdict, _, _ = station.check("received", format_time(start), format_time(stop))
        found = (verdict.asked_first, verdict.asked_last, verdict.asked_count)
        assert found == (first, last, last - first + 1)
        assert verdict.open_end is (last == COUNT - 1)


def test_an_hour_in_which_nothing_came_is_proved_to_be_empty(station: Station) -> None:
    """By its two neighbours, the one before and the one after."""
    half = timedelta(milliseconds=500)
    start, stop = station.times[30] + half / 5, station.times[30] + half
    verdict, proof, _ = station.check("received", format_time(start), format_time(stop))
    assert (proof.run.first, proof.run.last) == (30, 31)
    assert (verdict.asked_count, verdict.open_end) == (0, False)


def test_after_the_last_record_the_end_is_open(station: Station) -> None:
    """Nothing shows that nothing came."""
    start = station.times[-1] + SECOND
    verdict, proof, _ = station.check("received", format_time(start), format_time(start + SECOND))
    assert (proof.run.first, proof.run.last, verdict.asked_count) == (59, 59, 0)
    assert verdict.open_end
    assert not proof.final


def test_before_the_first_record_the_end_is_closed(station: Station) -> None:
    """Record 0 has none before it."""
    start = station.times[0] - 9 * SECOND
    verdict, proof, _ = station.check("received", format_time(start), format_time(start + SECOND))
    assert (proof.run.first, proof.run.last, verdict.asked_count) == (0, 0, 0)
    assert not verdict.open_end


def test_of_a_senders_times_only_the_span_of_numbers_is_complete(world: World) -> None:
    """They need not rise; whatever lies between the first and the last is carried."""
    station = Station(world, world.dataset("air"))
    verdict, proof, _ = station.check("observed", "2031-01-01T00:50Z", "2031-01-01T00:60Z")
    assert (proof.run.first, proof.run.last, verdict.asked_count) == (40, 49, 10)
    assert not proof.final
    with pytest.raises(NotFound):
        station.prove("observed", "2032", "2033")


def test_a_closed_dataset_knows_no_times_of_senders(world: World) -> None:
    """They stand in no statement, so no span of them holds anything."""
    station = Station(world, world.dataset(None))
    with pytest.raises(NotFound):
        station.prove("observed", "2031-01-01T00:50Z", "2031-01-01T00:60Z")


def test_a_record_left_out_altered_moved_or_doubled_is_refused(station: Station) -> None:
    """Each one of them, and each at either end."""
    members = json.loads(text_of(station.prove("n", 20, 40)))
    rest = members["rest"]
    for place in range(len(rest)):
        attacks = [rest[:place] + rest[place + 1 :], [*rest[: place + 1], *rest[place:]]]
        if place:
            attacks.append([*rest[: place - 1], rest[place], rest[place - 1], *rest[place + 1 :]])
        other = dict(rest[place], d=rest[place - 1]["d"])
        attacks.append([*rest[:place], other, *rest[place + 1 :]])
        for attack in attacks:
            if attack == rest:
                continue
            with pytest.raises(NotaryError):
                verify_window(written({**members, "rest": attack}), station.world.parts.trust())
    earlier = written({**members, "asked": {"by": "n", "from": 18, "to": 40}})
    with pytest.raises(MalformedWindow):
        verify_window(earlier, station.world.parts.trust())


def written(members: dict[str, object]) -> str:
    """Canonical text."""
    return json.dumps(members, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def test_only_what_is_under_a_checkpoint_is_carried(world: World) -> None:
    """The rest comes with a later one; before any, it says when to ask again."""
    station = Station(world, world.dataset("air"))
    world.now += SECOND
    world.accept([station.reading(60)])
    verdict, proof, _ = station.check("n", 55, 70)
    assert (proof.run.last, verdict.open_end) == (59, True)
    with pytest.raises(NotYet):
        station.prove("n", 60, 61)
    with pytest.raises(NotFound):
        station.prove("n", 61, 62)
    world.settle()
    assert station.check("n", 60, 61)[1].run.last == 60
    world.dataset("new")
    world.accept([Reading("new", "station-12", b"1", "a/b", "acl")])
    station.dataset = "new"
    with pytest.raises(NotYet):
        station.prove("n", 0, 1)


def test_parts_join_without_a_seam(station: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many records are read at a time, the file is the same."""
    whole = text_of(station.prove("n", 0, 60))
    for part in (1, 2, 7, 58, 59, 60):
        monkeypatch.setattr(prove_window, "PART_RECORDS", part)
        assert text_of(station.prove("n", 0, 60)) == whole
    for start, stop in pairwise(range(0, 60, 13)):
        station.check("n", start, stop)


def test_a_window_is_bounded(station: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    """Too long a span is said to be, before anything is read."""
    monkeypatch.setattr(prove_window, "MAX_RECORDS", 20)
    station.check("n", 0, 19)
    prover = WindowProver(station.world.pool, station.world.prover())
    with pytest.raises(WindowTooLong):
        station.prove("n", 0, 21)
    with pytest.raises(WindowTooLong):
        prover.payloads(station.world.datasets[station.dataset], "station-12", 0, 20)


def test_what_is_not_there_is_not_found(station: Station) -> None:
    """Neither a source, nor half a run of payloads, nor one that ends before it begins."""
    prover = WindowProver(station.world.pool, station.world.prover())
    facts = station.world.datasets[station.dataset]
    for first, last in ((0, 60), (60, 61), (5, 4)):
        with pytest.raises(NotFound):
            prover.payloads(facts, "station-12", first, last)
    with pytest.raises(NotFound):
        prover.window(facts, "nobody", Asked("n", 0, 1))


def test_a_record_costs_at_most_130_bytes(world: World) -> None:
    """Without payloads, with time and key of usual length."""
    dataset = world.dataset("air")
    readings = [
        Reading(dataset, "s", b"%d" % number, "application/json", "acl",
                f"2031-01-01T00:00:{number % 60:02d}.000000Z", str(1_000_000 + number))
        for number in range(500)
    ]  # fmt: skip
    world.accept(readings)
    world.settle()
    prover = WindowProver(world.pool, world.prover())
    sizes = []
    for stop in (100, 500):
        proof = prover.window(world.datasets[dataset], "s", Asked("n", 0, stop))
        sizes.append(len(b"".join(proof.parts)))
    assert (sizes[1] - sizes[0]) / 399 <= 130
