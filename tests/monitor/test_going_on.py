# SPDX-License-Identifier: Apache-2.0
"""A monitor that is cut off anywhere goes on where it was, and accuses nobody for it."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from notary.core.note import format_note
from notary.core.recovery import Recovery, format_recovery
from notary.monitor.errors import MonitorRefused
from notary.monitor.state import State
from notary.outside.errors import Unreachable
from notary.outside.web import Web
from tests.core import growing, reference
from tests.core.maker import LOG, ORIGIN, OTHER_LOG, City, make
from tests.core.promises import trusting
from tests.core.signing import Signer
from tests.monitor.shown import Shown, Watch, after, reseal
from tests.outside.raw import Answer, Raw, ok

ALL = "SELECT * FROM {} ORDER BY 1, 2"
TABLES = ("facts", "entries", "hashes", "batches", "datasets", "ends", "anchored", "alarms")


class Killed(BaseException):
    """The process ends here, without a word."""


class Cut(Web):
    """Its process ends, or nobody answers any more, with the question of that number."""

    left: int
    how: type[BaseException]

    def _tried(self, path: str, once: Any) -> Any:
        if Cut.left == 0:
            raise Cut.how() if Cut.how is Killed else Unreachable("away", url="x", why="gone")
        Cut.left -= 1
        return super()._tried(path, once)


@pytest.fixture
def shown() -> Shown:
    """Batches, a version and an anchor."""
    city = make(rounds=2)
    city.seal_version([b"a\n", b"b\n"], b"a\nb\n")
    made = Shown(city)
    made.anchor()
    return made


@pytest.fixture
def server(shown: Shown) -> Iterator[Raw]:
    """It, over HTTP."""
    with Raw(shown, keeps=True) as running:
        yield running


def remembered(folder: Path) -> dict[str, list[Any]]:
    """All that a state holds."""
    state = State(folder)
    try:
        return {table: state.rows(ALL.format(table)) for table in TABLES}
    finally:
        state.close()


@pytest.mark.parametrize("how", [Killed, Unreachable])
def test_wherever_it_is_cut_off_it_comes_to_the_same(
    shown: Shown, server: Raw, tmp_path: Path, how: type[BaseException]
) -> None:
    """At each question of a look; the next look gives what one that wasn't cut off gives."""
    now = after(shown.city)
    whole = Watch(tmp_path / "whole")
    assert whole.look(server, now) == []
    questions = len(shown.asked)
    expected = remembered(tmp_path / "whole")
    assert questions > 10
    for number in range(questions):
        watch = Watch(tmp_path / f"cut-{number}")
        Cut.left, Cut.how = number, how
        with pytest.raises(how):
            watch.look(server, now, web=Cut)
        assert watch.look(server, now) == []
        assert remembered(watch.folder) == expected


@pytest.mark.parametrize("part", ["runs", "leaves"])
def test_what_breaks_off_once_is_asked_for_again(shown: Shown, tmp_path: Path, part: str) -> None:
    """In the middle of a batch: nothing of it counts twice."""
    broken = iter([True])

    def answer(path: str) -> Answer:
        head, body = ok(shown.honest(path) or b"")
        if path == f"/v1/batches/1/{part}" and next(broken, False):
            return [head, body[:-10]]
        return [head, body]

    with Raw(answer) as server:
        watch = Watch(tmp_path)
        assert watch.look(server, after(shown.city)) == []
    assert watch.report().records == 8


def test_entries_that_were_wrong_once_are_fetched_anew(
    shown: Shown, server: Raw, tmp_path: Path
) -> None:
    """What was fetched under no checkpoint yet doesn't stand in the way of what is right."""
    city = shown.city
    watch = Watch(tmp_path)
    watch.look(server, after(city))
    city.accept("s1", b"more")
    city.seal()
    path = "/log/tile/entries/000.p/4"
    right = shown.honest(path)
    assert right is not None
    shown.instead[path] = right.replace(b'"number":3', b'"number":5')
    assert watch.look(server, after(city)) == ["rewritten"]
    shown.instead.clear()
    assert watch.look(server, after(city)) == []
    assert watch.report().size == 4


# -- recoveries


def recovery(city: City, kept: int, chain: int = 1, **members: Any) -> dict[str, str]:
    """An entry of the trust file: the log was set back to `kept` batches, and says so."""
    size = len(city.batches)
    text = format_recovery(
        Recovery(
            **{
                "origin": ORIGIN,
                "size": size,
                "root": reference.mth(city.log_leaves(size)),
                "kept": kept,
                "kept_root": reference.mth(city.log_leaves(kept)),
                "chain": chain,
                "goes_on": ORIGIN,
                "time": city.now,
                **members,
            }
        )
    )
    return {"use": "recovery", "note": format_note(text, [LOG.sign(text)])}


def anew(city: City, chain: int) -> None:
    """s1 begins a chain."""
    city.records["s1"] = []
    city.waiting["s1"] = 0
    city.accept("s1", b"anew", chain=chain)
    city.seal()
    reseal(city, lambda runs: [replace(run, chain=chain) for run in runs])


def trust_with(entry: dict[str, str]) -> dict[str, Any]:
    """The usual trust file, and a recovery."""
    usual = trusting()
    return {**usual, "keys": [*usual["keys"], entry]}


def test_a_chain_that_a_recovery_announced_is_no_lie(
    shown: Shown, server: Raw, tmp_path: Path
) -> None:
    """The log's signed word stands in the trust file, before the chain is seen."""
    Watch(tmp_path).look(server, after(shown.city))
    entry = recovery(shown.city, 3)
    anew(shown.city, 1)
    assert Watch(tmp_path, trust_with(entry)).look(server, after(shown.city)) == []


@pytest.mark.parametrize("chain", [2, 7])
def test_another_chain_than_the_one_announced_is_a_second_one(
    shown: Shown, server: Raw, tmp_path: Path, chain: int
) -> None:
    """A recovery is no licence."""
    Watch(tmp_path).look(server, after(shown.city))
    entry = recovery(shown.city, 3)
    anew(shown.city, chain)
    kinds = Watch(tmp_path, trust_with(entry)).look(server, after(shown.city))
    assert kinds == ["second-chain"]


def test_a_chain_that_goes_back_is_a_second_one(shown: Shown, server: Raw, tmp_path: Path) -> None:
    """Behind a recovery nobody writes to the chain before it."""
    Watch(tmp_path).look(server, after(shown.city))
    city = shown.city
    entry = recovery(city, 3)
    old = list(city.records["s1"])
    anew(city, 1)
    city.records["s1"] = old
    city.waiting["s1"] = len(old)
    city.accept("s1", b"back")
    city.seal()
    kinds = Watch(tmp_path, trust_with(entry)).look(server, after(city))
    assert kinds == ["second-chain"]


def test_a_batch_that_a_recovery_lost_is_told_as_lost(
    shown: Shown, server: Raw, tmp_path: Path
) -> None:
    """Its records are gone, and the notary says so: no alarm, and not looked at."""
    entry = recovery(shown.city, 1)
    shown.instead["/v1/batches/1/runs"] = shown.instead["/v1/batches/1/leaves"] = None
    watch = Watch(tmp_path, trust_with(entry))
    assert watch.look(server, after(shown.city)) == []
    assert ("1 batches", "lost") in {(one.what, one.reason) for one in watch.report().not_checked}


def test_a_batch_that_no_recovery_lost_is_withheld(
    shown: Shown, server: Raw, tmp_path: Path
) -> None:
    """One of those that were kept."""
    entry = recovery(shown.city, 2)
    shown.instead["/v1/batches/1/leaves"] = None
    watch = Watch(tmp_path, trust_with(entry))
    assert watch.look(server, after(shown.city)) == ["withheld"]


def test_the_facts_of_an_alarm_hold_nothing_that_a_terminal_heeds(
    shown: Shown, tmp_path: Path
) -> None:
    """Whatever a server sends."""

    def answer(path: str) -> Answer:
        if path.startswith("/v1/anchors"):
            item = {"ledger": "x", "size": 1, "root": "\x1b[2J", "state": "verified"}
            return ok(json.dumps({"items": [item], "next": None}).encode())
        return ok(shown.honest(path) or b"")

    with Raw(answer) as server:
        watch = Watch(tmp_path)
        assert watch.look(server, after(shown.city)) == ["withheld"]
    assert "\x1b" not in str(watch.report().alarms)


# -- keys that change


def logs(*keys: tuple[Signer, int, int | None], good: Any = None) -> dict[str, Any]:
    """A trust file with these log keys, from one size to another; the first perhaps given up."""
    found = [{"key": key.verifier.vkey, "from": first, "to": last} for key, first, last in keys]
    if good is not None:
        found[0]["good"] = good
    return trusting(logs=found)


def test_a_key_that_follows_another_is_followed(shown: Shown, server: Raw, tmp_path: Path) -> None:
    """With an overlap, in which both sign."""
    watch = Watch(tmp_path, logs((LOG, 0, 3), (OTHER_LOG, 3, None)))
    assert watch.look(server, after(shown.city)) == []
    shown.signing = {"log": [LOG, OTHER_LOG]}
    assert watch.look(server, after(shown.city)) == []
    shown.signing = {"log": [OTHER_LOG]}
    shown.city.accept("s1", b"more")
    shown.city.seal()
    assert watch.look(server, after(shown.city)) == []
    assert watch.report().fingerprint.hex() == OTHER_LOG.verifier.fingerprint


@pytest.fixture
def stolen(shown: Shown) -> dict[str, Any]:
    """The trust file after a theft: the key is good up to size 2."""
    good = {"size": 2, "root": reference.mth(shown.city.log_leaves(2)).hex()}
    return logs((LOG, 0, 2), (OTHER_LOG, 3, None), good=good)


def test_a_log_whose_key_was_given_up_is_followed_on(
    shown: Shown, server: Raw, tmp_path: Path, stolen: dict[str, Any]
) -> None:
    """Its new key signs what was followed under the old one; what grew since is the log's."""
    Watch(tmp_path).look(server, after(shown.city))
    shown.signing = {"log": [OTHER_LOG]}
    watch = Watch(tmp_path, stolen)
    assert watch.look(server, after(shown.city)) == []
    shown.city.accept("s1", b"more")
    shown.city.seal()
    assert watch.look(server, after(shown.city)) == []
    assert watch.report().size == 4


@pytest.mark.parametrize("size", [2, 3, 4])
def test_a_thief_is_followed_nowhere(
    shown: Shown, server: Raw, tmp_path: Path, stolen: dict[str, Any], size: int
) -> None:
    """Whatever is signed by the stolen key alone, beyond or beside its last good state."""
    watch = Watch(tmp_path, stolen)
    shown.city = growing.liar(at=1, size=size)
    assert watch.look(server, after(shown.city)) == ["bad-checkpoint"]
    shown.size = 1
    assert watch.look(server, after(shown.city)) == ["bad-checkpoint"]


@pytest.mark.parametrize("size", [3, 4])
def test_another_log_under_the_new_key_is_told_and_accuses_nobody(
    shown: Shown, server: Raw, tmp_path: Path, stolen: dict[str, Any], size: int
) -> None:
    """What was followed may have been a thief's: no fork is proved, but it isn't this log."""
    Watch(tmp_path).look(server, after(shown.city))
    shown.city = growing.liar(at=2, size=size)
    shown.signing = {"log": [OTHER_LOG]}
    watch = Watch(tmp_path, stolen)
    assert watch.look(server, after(shown.city)) == ["rewritten"]
    assert list(tmp_path.glob("fork-*.json")) == []


def test_a_log_that_was_closed_leads_to_the_one_that_goes_on(
    shown: Shown, server: Raw, tmp_path: Path
) -> None:
    """By the trust file's word, signed by the old log: no alarm, but another folder."""
    Watch(tmp_path).look(server, after(shown.city))
    new = Signer("new.example/log", seed=2)
    entry = recovery(shown.city, 1, goes_on="new.example/log")
    usual = trusting(
        logs=[
            {"key": LOG.verifier.vkey, "from": 0, "to": 3},
            {"key": new.verifier.vkey, "from": 0, "to": None},
        ],
        keys=[entry],
        ledgers=[],
    )
    shown.size, shown.signing = 1, {"log": [new], "origin": "new.example/log"}
    with pytest.raises(MonitorRefused) as refused:
        Watch(tmp_path, usual).look(server, after(shown.city))
    assert refused.value.reason == "closed"
    assert Watch(tmp_path / "new", usual).look(server, after(shown.city)) == []


def test_what_a_thief_signs_beside_the_last_good_state_proves_nothing(
    shown: Shown, server: Raw, tmp_path: Path
) -> None:
    """By a key that was given up at the very state that was followed."""
    good = {"size": 3, "root": reference.mth(shown.city.log_leaves(3)).hex()}
    watch = Watch(tmp_path, logs((LOG, 0, 3), (OTHER_LOG, 4, None), good=good))
    assert watch.look(server, after(shown.city)) == []
    shown.city = growing.liar(at=1, size=2)
    assert watch.look(server, after(shown.city)) == ["bad-checkpoint"]
    assert list(tmp_path.glob("fork-*.json")) == []


def test_what_breaks_off_again_and_again_is_withheld(shown: Shown, tmp_path: Path) -> None:
    """Twice in one look: then it isn't handed out."""

    def answer(path: str) -> Answer:
        head, body = ok(shown.honest(path) or b"")
        return [head, body[:-10] if path == "/v1/batches/1/leaves" else body]

    with Raw(answer) as server:
        watch = Watch(tmp_path)
        assert watch.look(server, after(shown.city)) == ["withheld"]
    assert watch.report().batches == 1
