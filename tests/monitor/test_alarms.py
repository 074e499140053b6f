# SPDX-License-Identifier: Apache-2.0
"""Each lie raises its alarm, and no honest notary raises any."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from notary.core import canonical
from notary.core.descriptor import format_descriptor, parse_descriptor
from notary.core.fork import verify_fork
from notary.core.ledger_entry import LedgerEntry
from notary.core.runs import Run
from notary.monitor.alarms import KINDS
from tests.core import growing
from tests.core.maker import (
    LOG,
    OTHER_LEDGER,
    OTHER_LOG,
    WITNESSES,
    Batch,
    City,
    ledger_note,
    make,
)
from tests.core.promises import KEY, acceptance, trusting
from tests.core.signing import Signer
from tests.monitor.shown import DAY, Shown, Watch, after, reseal
from tests.outside.raw import Raw

WEEK: dict[str, Any] = {"checkpoint_within": 7 * 86_400.0, "anchor_within": 7 * 86_400.0}


@pytest.fixture
def shown() -> Shown:
    """Three batches of one dataset, one anchor."""
    made = Shown(make(rounds=3))
    made.anchor()
    return made


@pytest.fixture
def server(shown: Shown) -> Iterator[Raw]:
    """It, over HTTP."""
    with Raw(shown, keeps=True) as running:
        yield running


def grow(city: City, rounds: int = 1, **members: Any) -> None:
    """More batches like those before."""
    for _ in range(rounds):
        for source in ("s0", "s1", "s1", "s2"):
            city.accept(source, b"more", **members)
        city.seal()


def test_an_honest_notary_raises_no_alarm(shown: Shown, server: Raw, tmp_path: Path) -> None:
    """However often it is looked at while it grows, with all that can be looked at."""
    folder = tmp_path / "acceptances"
    folder.mkdir()
    city = shown.city
    watch = Watch(tmp_path / "state", trusting(quorum=2), acceptances=folder)
    shown.signing = {"witnesses": WITNESSES[:2]}
    for step in range(4):
        assert watch.look(server, after(city)) == [], watch.report().alarms
        made = city.accept("s1", b"%d" % step)
        (folder / f"{step}.json").write_text(canonical.dumps(acceptance(city, [made])))
        grow(city)
        if step == 2:
            city.seal_version([b"a,b\n"], b"a,b\n")
        shown.anchor()
    assert watch.look(server, after(city)) == []
    report = watch.report()
    assert (report.size, report.batches, report.standing) == (8, 8, 0)
    assert (report.records, report.rows) == (12 + 4 * 5, 1)
    assert report.origin == LOG.verifier.name
    assert report.fingerprint.hex() == LOG.verifier.fingerprint
    assert report.checkpoint == city.checkpoint(8, witnesses=WITNESSES[:2])
    assert [(one.what, one.reason) for one in report.not_checked] == [("ledger:file", "no-file")]


def test_a_log_of_many_tiles_is_followed(tmp_path: Path) -> None:
    """Full tiles and bundles, partial ones, and two levels."""
    city = City()
    for step in range(300):
        city.accept("s0", b"%d" % step)
        city.seal()
    shown = Shown(city)
    watch = Watch(tmp_path, trusting(ledgers=[]))
    with Raw(shown, keeps=True) as server:
        for size in (1, 255, 256, 257, 300):
            shown.size = size
            assert watch.look(server, after(city)) == []
    assert watch.report().batches == 300
    paths = {path for path in shown.asked if "tile" in path}
    assert {"/log/tile/0/000", "/log/tile/1/000.p/1", "/log/tile/0/001.p/44"} <= paths
    assert {"/log/tile/entries/000", "/log/tile/entries/001.p/44"} <= paths


# -- lies about the log


@pytest.mark.parametrize("size", [3, 4, 5], ids=["same-size", "larger", "larger-yet"])
def test_a_fork_is_proved(shown: Shown, server: Raw, tmp_path: Path, size: int) -> None:
    """A second state under the same key that no one log has both: the file shows it to anybody."""
    watch = Watch(tmp_path)
    assert watch.look(server, after(shown.city)) == []
    honest = shown.city
    shown.city = growing.liar(at=2, size=size)
    assert watch.look(server, after(shown.city)) == ["fork"]
    (file,) = tmp_path.glob("fork-*.json")
    verdict = verify_fork(file.read_text(), watch.trust)
    assert verdict.subject["one_root"] != verdict.subject["two_root"]
    (alarm,) = watch.report().alarms
    assert alarm.facts == {"one": 3, "two": size, "file": file.name}
    # It stays, whatever is shown afterwards, and what was followed is followed on.
    shown.city = honest
    grow(honest, 3)
    assert watch.look(server, after(honest)) == ["fork"]
    assert watch.report().size == 6
    assert len(list(tmp_path.glob("fork-*.json"))) == 1


def test_a_fork_to_a_smaller_state_is_proved(shown: Shown, server: Raw, tmp_path: Path) -> None:
    """It isn't only old: it contradicts what was shown."""
    watch = Watch(tmp_path)
    watch.look(server, after(shown.city))
    shown.city = growing.liar(at=1, size=2)
    assert watch.look(server, after(shown.city)) == ["fork"]


def test_an_older_state_is_told_until_it_is_the_newest_again(
    shown: Shown, server: Raw, tmp_path: Path
) -> None:
    """A cache may do it as well as a liar."""
    watch = Watch(tmp_path)
    watch.look(server, after(shown.city))
    shown.size = 2
    assert watch.look(server, after(shown.city)) == ["went-back"]
    shown.size = None
    assert watch.look(server, after(shown.city)) == []
    assert [alarm.kind for alarm in watch.report().alarms] == ["went-back"]


def _key(shown: Shown) -> None:
    shown.signing = {"log": [OTHER_LOG]}


def _origin(shown: Shown) -> None:
    shown.signing = {"origin": "other.example/log"}


def _garbage(shown: Shown) -> None:
    shown.instead["/log/checkpoint"] = b"<html>Welcome</html>"


def _spoiled(shown: Shown) -> None:
    note = shown.city.checkpoint().encode()
    shown.instead["/log/checkpoint"] = note.replace(b"\n3\n", b"\n2\n")


@pytest.mark.parametrize("lie", [_key, _origin, _garbage, _spoiled])
@pytest.mark.parametrize("is_known", [True, False])
def test_what_the_log_did_not_sign_is_no_state_of_it(
    shown: Shown, server: Raw, tmp_path: Path, lie: Callable[[Shown], None], is_known: bool
) -> None:
    """Whether it was followed before or not; and nothing of it is remembered."""
    watch = Watch(tmp_path)
    if is_known:
        watch.look(server, after(shown.city))
    lie(shown)
    assert watch.look(server, after(shown.city)) == ["bad-checkpoint"]
    shown.signing, shown.instead = {}, {}
    assert watch.look(server, after(shown.city)) == []


def test_a_state_without_its_quorum_is_told_after_the_delay(
    shown: Shown, server: Raw, tmp_path: Path
) -> None:
    """Witnesses may take a while; not for ever."""
    watch = Watch(tmp_path, trusting(quorum=2), **WEEK)
    shown.signing = {"witnesses": WITNESSES[:1]}
    begin = after(shown.city)
    assert watch.look(server, begin) == []
    assert watch.look(server, begin + timedelta(minutes=59)) == []
    assert watch.look(server, begin + timedelta(minutes=60)) == ["unwitnessed"]
    shown.signing = {"witnesses": WITNESSES[:2]}
    assert watch.look(server, begin + timedelta(minutes=61)) == []


PARTS = {
    "entries": "/log/tile/entries/000.p/4",
    "tile": "/log/tile/0/000.p/4",
    "runs": "/v1/batches/3/runs",
    "leaves": "/v1/batches/3/leaves",
    "anchors": "/v1/anchors?limit=100",
    "checkpoint": "/log/checkpoint",
}


@pytest.mark.parametrize(
    ("part", "how"),
    [
        *((part, "gone") for part in PARTS),
        *((part, how) for part in PARTS if part != "checkpoint" for how in ("empty", "cut")),
    ],
)
def test_what_is_withheld_is_told_until_it_is_there(
    shown: Shown, server: Raw, tmp_path: Path, part: str, how: str
) -> None:
    """Whichever part of what the signed log has isn't handed out, or only some of it."""
    watch, path = Watch(tmp_path, **WEEK), PARTS[part]
    assert watch.look(server, after(shown.city)) == []
    grow(shown.city)
    shown.anchor()
    whole = shown.honest(path)
    assert whole is not None
    shown.instead[path] = {"gone": None, "empty": b"", "cut": whole[:-1]}[how]
    kinds = watch.look(server, after(shown.city))
    # Nothing may be a whole list of a batch of nothing: then it isn't that of the log.
    is_other = how == "empty" and part in ("runs", "leaves")
    assert kinds == (["rewritten"] if is_other else ["withheld"])
    followed = 3 if part in ("entries", "tile", "runs", "leaves", "checkpoint") else 4
    assert watch.report().batches == followed
    del shown.instead[path]
    assert watch.look(server, after(shown.city)) == []
    assert watch.report().batches == 4


def test_an_old_batch_that_is_withheld_is_found_out(
    shown: Shown, server: Raw, tmp_path: Path
) -> None:
    """One is looked at again each time, by chance."""
    watch = Watch(tmp_path)
    watch.look(server, after(shown.city))
    shown.instead["/v1/batches/1/leaves"] = None
    for _ in range(40):
        if watch.look(server, after(shown.city)):
            break
    assert watch.kinds() == {"withheld"}
    del shown.instead["/v1/batches/1/leaves"]
    # And the alarm ends as soon as it is there again.
    assert watch.look(server, after(shown.city)) == []


def _entry(city: City) -> tuple[str, bytes]:
    changed = Shown(growing.liar(at=3, size=4)).honest(PARTS["entries"])
    assert changed is not None
    return PARTS["entries"], changed


def _tile(city: City) -> tuple[str, bytes]:
    return PARTS["tile"], bytes(32) * 4


def _runs(city: City) -> tuple[str, bytes]:
    return PARTS["runs"], "".join(f"{line}\n" for line in city.batches[2].runs).encode()


def _leaves(city: City) -> tuple[str, bytes]:
    leaves = city.batches[3].leaves
    return PARTS["leaves"], b"".join(leaves[:-1]) + bytes(32)


def _order(city: City) -> tuple[str, bytes]:
    leaves = city.batches[3].leaves
    return PARTS["leaves"], b"".join([leaves[1], leaves[0], *leaves[2:]])


LIES = [_entry, _runs, _leaves, _order]


@pytest.mark.parametrize(
    ("lie", "when"), [(_tile, "new"), *((lie, when) for lie in LIES for when in ("new", "old"))]
)
def test_what_is_rewritten_after_signing_is_told(
    shown: Shown, server: Raw, tmp_path: Path, lie: Callable[[City], tuple[str, bytes]], when: str
) -> None:
    """
    Something of its form, that isn't what the signed log has: at once where it is new, by chance
    where it was looked at before (a tile once only: all proofs would break that need it).
    """
    watch = Watch(tmp_path)
    grow(shown.city)
    if when == "old":
        assert watch.look(server, after(shown.city)) == []
    path, data = lie(shown.city)
    shown.instead[path] = data
    for _ in range(1 if when == "new" else 40):
        if watch.look(server, after(shown.city)):
            break
    shown.instead.clear()
    assert watch.look(server, after(shown.city)) == []
    assert [alarm.kind for alarm in watch.report().alarms] == ["rewritten"]


def test_entries_and_tiles_that_are_both_gone_are_withheld(
    shown: Shown, server: Raw, tmp_path: Path
) -> None:
    """Entries of another log, and no tile that shows which: nothing is proved."""
    watch = Watch(tmp_path)
    watch.look(server, after(shown.city))
    grow(shown.city)
    path, data = _entry(shown.city)
    shown.instead |= {path: data, PARTS["tile"]: None}
    assert watch.look(server, after(shown.city)) == ["withheld"]
    shown.instead.clear()
    assert watch.look(server, after(shown.city)) == []


def test_a_witness_with_an_impossible_time_dates_nothing(
    shown: Shown, server: Raw, tmp_path: Path
) -> None:
    """Its clock is no calendar's; it counts as the latest there is, which others must confirm."""
    watch = Watch(tmp_path, trusting(quorum=2), **WEEK)
    text, city = shown.city.checkpoint(), shown.city
    for witness, time in ((WITNESSES[0], 2**63 - 1), (WITNESSES[1], 1), (WITNESSES[2], 2)):
        text += city.checkpoint(witnesses=[witness], time=time).splitlines(keepends=True)[-1]
    shown.instead["/log/checkpoint"] = text.encode()
    assert watch.look(server, after(city)) == []
    shown.instead.clear()
    shown.signing = {"witnesses": WITNESSES}
    grow(city)
    assert watch.look(server, after(city)) == []


def test_so_many_alarms_say_enough(
    shown: Shown, server: Raw, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A log that breaks every rule doesn't fill the disk."""
    monkeypatch.setattr("notary.monitor.alarms.MAX_KEPT", 3)
    for _ in range(9):
        _bad_entry(shown.city)
    watch = Watch(tmp_path)
    assert watch.look(server, after(shown.city)) == ["bad-entry"] * 3
    assert watch.report().batches == 12


# -- lies under the log's own signature


def _bad_entry(city: City) -> None:
    city.batches.append(Batch('{"v":"descriptor/1"}', []))


def _no_text(city: City) -> None:
    city.batches.append(Batch("{}\n", []))


def _descriptor(**members: Any) -> Callable[[City], None]:
    def lie(city: City) -> None:
        grow(city)
        text = city.batches[-1].descriptor
        city.batches[-1].descriptor = format_descriptor(replace(parse_descriptor(text), **members))

    return lie


def _runs_as(change: Callable[[list[Run]], list[Run | str]]) -> Callable[[City], None]:
    def lie(city: City) -> None:
        grow(city)
        reseal(city, change)

    return lie


def _with(place: int, **members: Any) -> Callable[[City], None]:
    def change(runs: list[Run]) -> list[Run | str]:
        return [replace(run, **members) if i == place else run for i, run in enumerate(runs)]

    return _runs_as(change)


def _dropped(city: City) -> None:
    """The last sealed record of s1 is gone, and its successor takes its n."""
    city.records["s1"].pop()
    city.waiting["s1"] -= 1
    grow(city)


def _forgotten(city: City) -> None:
    """Two records of s1 are left out between two batches."""
    city.accept("s1", b"one")
    city.accept("s1", b"two")
    city.waiting["s1"] += 2
    grow(city)


def _second_chain(city: City) -> None:
    """s1 begins anew, as if nothing of it had been sealed."""
    city.records["s1"] = []
    city.waiting["s1"] = 0
    grow(city, chain=1)
    reseal(city, lambda runs: [replace(run, chain=1) if run.number == 1 else run for run in runs])


def _version(**members: Any) -> Callable[[City], None]:
    def lie(city: City) -> None:
        city.seal_version([b"a\n"], b"a\n")
        city.seal_version([b"b\n"], b"b\n")
        text = city.batches[-1].descriptor
        descriptor = replace(parse_descriptor(text), **{"version": 2, **members})
        city.batches[-1].descriptor = format_descriptor(descriptor)

    return lie


SIGNED: dict[str, tuple[str, Callable[[City], None]]] = {
    "no descriptor": ("bad-entry", _bad_entry),
    "a newline": ("bad-entry", _no_text),
    "a number left out": ("broken-dataset", _descriptor(number=4)),
    "a number twice": ("broken-dataset", _descriptor(number=2)),
    "another batch before": ("broken-dataset", _descriptor(prev=b"x" * 32)),
    "an entry of another form": ("bad-runs", _runs_as(lambda runs: ["{}", *runs[1:]])),
    "an entry twice": ("bad-runs", _runs_as(lambda runs: [*runs, runs[-1]])),
    "entries in another order": ("bad-runs", _runs_as(lambda runs: [runs[1], runs[0], runs[2]])),
    "an entry left out": ("bad-runs", _runs_as(lambda runs: list(runs[:2]))),
    "a hole": ("bad-runs", _with(2, offset=4)),
    "too many": ("bad-runs", _with(2, count=2)),
    "another last": ("bad-runs", _with(1, last=b"x" * 32)),
    "another tag": ("bad-runs", _with(1, tag=b"x" * 32)),
    "a number not given": ("bad-runs", _with(2, number=7)),
    "n left out": ("broken-chain", _with(1, first=99)),
    "n again": ("broken-chain", _with(1, first=5)),
    "another record before": ("broken-chain", _with(1, prev=b"x" * 32)),
    "a sealed record dropped": ("broken-chain", _dropped),
    "an accepted record dropped": ("broken-chain", _forgotten),
    "a second chain": ("second-chain", _second_chain),
    "a version left out": ("bad-version", _version(version=3)),
    "a version twice": ("bad-version", _version(version=1)),
    "a version of another kind": ("bad-version", _version(digest=None, commitment=b"x" * 32)),
    "from the future": (
        "future-dated",
        lambda city: _descriptor(last=city.now + timedelta(minutes=5))(city),
    ),
    "before what was there": (
        "backdated",
        lambda city: _descriptor(first=city.now - timedelta(hours=2))(city),
    ),
}


@pytest.mark.parametrize("lie", SIGNED)
def test_what_breaks_the_rules_is_told_for_good(
    shown: Shown, server: Raw, tmp_path: Path, lie: str
) -> None:
    """The log's signature stands under it; the monitor goes on looking behind it."""
    kind, do = SIGNED[lie]
    watch = Watch(tmp_path)
    watch.look(server, after(shown.city))
    do(shown.city)
    assert set(watch.look(server, after(shown.city))) >= {kind}
    assert watch.report().batches == len(shown.city.batches)
    assert kind in watch.look(server, after(shown.city))


def test_one_lie_is_one_alarm(shown: Shown, server: Raw, tmp_path: Path) -> None:
    """A record that was dropped breaks its chain once; what comes after goes on from there."""
    watch = Watch(tmp_path)
    watch.look(server, after(shown.city))
    _dropped(shown.city)
    grow(shown.city, 3)
    assert watch.look(server, after(shown.city)) == ["broken-chain"]
    (alarm,) = watch.report().alarms
    facts = {"index": 3, "dataset": "weather", "number": 1, "chain": 0}
    assert alarm.facts == {**facts, "first": 5, "expected": 6}


# -- lies about times


def test_what_was_shown_without_a_record_shows_that_it_is_backdated(
    shown: Shown, server: Raw, tmp_path: Path
) -> None:
    """It says that it came hours before a state of the log that hasn't got it."""
    watch = Watch(tmp_path, **WEEK)
    watch.look(server, after(shown.city))
    watch.look(server, after(shown.city, hours=2))
    grow(shown.city)
    assert watch.look(server, after(shown.city, hours=3)) == ["backdated"]
    assert watch.report().alarms[0].facts["reason"] == "shown"


def test_the_witnesses_time_shows_that_a_record_is_backdated(
    shown: Shown, server: Raw, tmp_path: Path
) -> None:
    """The monitor came late; the witnesses had seen the log without it long after its time."""
    city = shown.city
    watch = Watch(tmp_path, trusting(quorum=2), **WEEK)
    seconds = int(after(city, hours=2).timestamp())
    shown.signing = {"witnesses": WITNESSES[:2], "time": seconds}
    watch.look(server, after(city))
    shown.signing = {"witnesses": WITNESSES[:2]}
    grow(city)
    assert watch.look(server, after(city)) == ["backdated"]


def test_one_witness_alone_dates_nothing(shown: Shown, server: Raw, tmp_path: Path) -> None:
    """The clock of one that lies, or goes wrong, must not accuse the notary."""
    city = shown.city
    watch = Watch(tmp_path, trusting(quorum=2), **WEEK)
    late, early = (int(after(city, hours=hours).timestamp()) for hours in (9, 0))
    text = city.checkpoint().encode()
    lines = [
        city.checkpoint(witnesses=[witness], time=time).encode().splitlines(keepends=True)[-1]
        for witness, time in zip(WITNESSES, (early, early, late), strict=True)
    ]
    shown.instead["/log/checkpoint"] = text + b"".join(lines)
    watch.look(server, after(city))
    shown.instead.clear()
    shown.signing = {"witnesses": WITNESSES}
    grow(city)
    assert watch.look(server, after(city)) == []


def test_a_log_that_stands_still_is_told(shown: Shown, server: Raw, tmp_path: Path) -> None:
    """After as long as is allowed; a new state ends it."""
    watch = Watch(tmp_path, checkpoint_within=86_400.0, anchor_within=WEEK["anchor_within"])
    begin = after(shown.city)
    assert watch.look(server, begin) == []
    assert watch.look(server, begin + DAY - timedelta(seconds=1)) == []
    assert watch.look(server, begin + DAY) == ["late-checkpoint"]
    shown.city.now = begin + DAY
    grow(shown.city)
    assert watch.look(server, after(shown.city)) == []


# -- lies about ledgers


def test_a_state_that_is_on_no_ledger_is_told(shown: Shown, server: Raw, tmp_path: Path) -> None:
    """After as long as is allowed since it was first seen; an anchor of a later one covers it."""
    watch = Watch(tmp_path, anchor_within=3_600.0)
    begin = after(shown.city)
    assert watch.look(server, begin) == []
    grow(shown.city)
    assert watch.look(server, begin + timedelta(minutes=5)) == []
    shown.city.now += timedelta(minutes=30)
    grow(shown.city)
    assert watch.look(server, begin + timedelta(minutes=64)) == []
    assert watch.look(server, begin + timedelta(minutes=65)) == ["late-anchor"]
    assert watch.report().alarms[0].facts["size"] == 4
    shown.anchor()
    assert watch.look(server, begin + timedelta(minutes=66)) == []


def test_an_anchor_that_waits_is_no_anchor(shown: Shown, server: Raw, tmp_path: Path) -> None:
    """It is counted once the notary says that it is verified, and looked at then."""
    shown.anchored.clear()
    shown.anchor(state="pending", evidence=None)
    watch = Watch(tmp_path)
    begin = after(shown.city)
    assert watch.look(server, begin) == []
    assert watch.look(server, begin + timedelta(hours=1)) == ["late-anchor"]
    shown.anchored.clear()
    shown.anchor()
    assert watch.look(server, begin + timedelta(hours=1)) == []


def _other_root(shown: Shown) -> None:
    shown.anchored[0]["root"] = "ab" * 32


def _no_evidence(shown: Shown) -> None:
    shown.anchored[0]["evidence"] = None


def _other_evidence(shown: Shown) -> None:
    made = shown.city.anchor(0, 2)
    shown.anchored[0]["evidence"] = made["evidence"]


def _other_key(shown: Shown) -> None:
    entry = LedgerEntry(5, bytes(32), bytes(32), 3, bytes(32), shown.city.now)
    shown.anchored[0]["evidence"] = {"note": ledger_note(entry, OTHER_LEDGER)}


@pytest.mark.parametrize("lie", [_other_root, _no_evidence, _other_evidence, _other_key])
def test_an_anchor_that_is_none_is_told_for_good(
    shown: Shown, server: Raw, tmp_path: Path, lie: Callable[[Shown], None]
) -> None:
    """Its root is the log's, and its evidence is this state's, by this ledger."""
    lie(shown)
    watch = Watch(tmp_path)
    assert watch.look(server, after(shown.city)) == ["other-anchor"]
    shown.anchored.clear()
    shown.anchor()
    assert watch.look(server, after(shown.city)) == ["other-anchor"]


def test_a_ledger_that_the_trust_file_does_not_list_is_not_checked(
    shown: Shown, server: Raw, tmp_path: Path
) -> None:
    """However many the notary names; what they are said to hold counts for nothing."""
    for n in range(300):
        shown.anchor(ledger=f"z{999 - n}", root="ab" * 32)
    watch = Watch(tmp_path)
    shown.anchored.sort(key=lambda item: item["ledger"])
    assert watch.look(server, after(shown.city)) == []
    told = [one.what for one in watch.report().not_checked if one.reason == "not-in-trust-file"]
    assert 50 < len(told) <= 100


# -- broken promises


def _give(folder: Path, city: City, source: str = "s1", **more: Any) -> None:
    """An acceptance of one more record, in a folder for the monitor."""
    folder.mkdir(exist_ok=True)
    made = city.accept(source, b"promised")
    (folder / "mine.json").write_text(canonical.dumps(acceptance(city, [made], **more)))


def _never_kept(city: City) -> None:
    city.records["s1"].pop()
    city.now += timedelta(hours=2)
    grow(city)


def _kept_late(city: City) -> None:
    city.now += timedelta(hours=2)
    grow(city)


@pytest.mark.parametrize("lie", [_never_kept, _kept_late])
def test_a_promise_that_the_log_breaks_is_told_for_good(
    shown: Shown, server: Raw, tmp_path: Path, lie: Callable[[City], None]
) -> None:
    """By the log's own clock: it holds records that came when the time was over."""
    watch = Watch(tmp_path / "state", acceptances=tmp_path / "mine", **WEEK)
    _give(tmp_path / "mine", shown.city)
    assert watch.look(server, after(shown.city)) == []
    lie(shown.city)
    assert "broken-promise" in watch.look(server, after(shown.city))
    assert "broken-promise" in watch.look(server, after(shown.city))


def test_a_promise_whose_time_is_over_is_told_until_it_is_kept(
    shown: Shown, server: Raw, tmp_path: Path
) -> None:
    """By the monitor's clock alone, so it is no proof."""
    watch = Watch(tmp_path / "state", acceptances=tmp_path / "mine", **WEEK)
    _give(tmp_path / "mine", shown.city, sealed_by=after(shown.city, minutes=10))
    assert watch.look(server, after(shown.city, minutes=10)) == []
    assert watch.look(server, after(shown.city, minutes=12)) == ["overdue"]
    shown.city.seal()
    assert watch.look(server, after(shown.city, minutes=13)) == []


@pytest.mark.parametrize("what", ["an entry", "the file"])
def test_a_promise_that_cannot_be_proved_broken_is_overdue(
    shown: Shown, server: Raw, tmp_path: Path, what: str
) -> None:
    """The log can't be held against it as a whole, or its file is gone: no proof, but an alarm."""
    watch = Watch(tmp_path / "state", acceptances=tmp_path / "mine", **WEEK)
    _give(tmp_path / "mine", shown.city)
    watch.look(server, after(shown.city))
    if what == "an entry":
        _bad_entry(shown.city)
    else:
        (tmp_path / "mine" / "mine.json").unlink()
    _never_kept(shown.city)
    kinds = set(watch.look(server, after(shown.city, minutes=2)))
    assert "overdue" in kinds
    assert "broken-promise" not in kinds


def test_a_promise_is_looked_for_in_batches_that_were_looked_at_before(
    shown: Shown, server: Raw, tmp_path: Path
) -> None:
    """Its file comes late: what is withheld or rewritten then settles nothing."""
    watch = Watch(tmp_path / "state", acceptances=tmp_path / "mine", **WEEK)
    (tmp_path / "mine").mkdir()
    _give(tmp_path / "given", shown.city)
    shown.city.seal()
    watch.look(server, after(shown.city))
    (tmp_path / "given" / "mine.json").rename(tmp_path / "mine" / "mine.json")
    path = "/v1/batches/3/leaves"
    for sent, kind in ((None, "withheld"), (bytes(32), "rewritten")):
        shown.instead[path] = sent
        assert kind in watch.look(server, after(shown.city, hours=9))
    shown.instead.clear()
    assert watch.look(server, after(shown.city, hours=9)) == []
    assert "overdue" not in {alarm.kind for alarm in watch.report().alarms}


def test_a_promise_of_another_log_is_not_usable(shown: Shown, server: Raw, tmp_path: Path) -> None:
    """It says nothing of this one."""
    origin = "other.example/log"
    key = Signer(f"{origin}/acceptances", seed=33)
    other = Signer(origin, seed=9)
    usual = trusting(KEY, key)
    usual["logs"].append({"key": other.verifier.vkey, "from": 0, "to": None})
    _give(tmp_path / "mine", shown.city, keys=[key], origin=origin)
    watch = Watch(tmp_path / "state", usual, acceptances=tmp_path / "mine")
    assert watch.look(server, after(shown.city, hours=9)) == []
    assert "not-usable" in {one.reason for one in watch.report().not_checked}


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"\xff", b"x" * (1 << 21), b'{"v":"acceptance/1"}'], ids=len
)
def test_a_file_that_is_no_acceptance_accuses_nobody(
    shown: Shown, server: Raw, tmp_path: Path, data: bytes
) -> None:
    """It is named among what isn't checked, unless it is too large to be one."""
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "other\x1b.txt").write_bytes(data)
    watch = Watch(tmp_path / "state", acceptances=folder)
    assert watch.look(server, after(shown.city)) == []
    told = [one.what for one in watch.report().not_checked if one.reason == "not-usable"]
    assert told == (["acceptance:other?.txt"] if len(data) < 1 << 20 else [])


def test_every_kind_of_alarm_is_raised_by_a_test() -> None:
    """And has its row in the specification."""
    page = Path("docs/spec/monitor-v1.md").read_text(encoding="utf-8")
    tests = "".join(path.read_text() for path in Path("tests/monitor").glob("test_*.py"))
    for kind in KINDS:
        assert f"| `{kind}` |" in page
        assert f'"{kind}"' in tests
