# SPDX-License-Identifier: Apache-2.0
"""`notary monitor` as it is called: its exit codes, what it tells whom, and what it writes."""

import argparse
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from notary.core import canonical
from notary.core.fork import verify_fork
from notary.core.monitor_report import parse_report
from notary.core.trust import parse_trust
from notary.core.words import format_time
from notary.monitor.command import add_arguments, run
from notary.monitor.state import State
from notary.texts import LANGUAGES
from tests.core import growing
from tests.core.maker import LOG, OTHER_LOG, Batch, make
from tests.core.promises import acceptance, trusting
from tests.core.signing import Signer
from tests.monitor.shown import LOST, Shown, after
from tests.outside.raw import Raw, ok

ROOT = Path(__file__).parents[2]


class Desk:
    """Who runs the command, with a trust file and a folder."""

    def __init__(self, folder: Path, shown: Shown, server: Raw) -> None:
        self.folder, self.shown, self.server = folder, shown, server
        self.state = folder / "state"
        self.trust = folder / "trust.json"
        self.trust.write_text(canonical.dumps(trusting(ledgers=[])) + "\n")
        self.now = after(shown.city)

    def run(self, *more: object, env: dict[str, str] | None = None, url: str | None = None) -> int:
        """Look once."""
        return self.call("run", url or self.server.url, "--once", *more, env=env)

    def call(self, what: str, *more: object, env: dict[str, str] | None = None) -> int:
        """One command; its exit code."""
        parser = argparse.ArgumentParser()
        add_arguments(parser)
        arguments = [what, "--trust", self.trust, "--state", self.state, *more]
        return run(parser.parse_args([str(one) for one in arguments]), env or {}, self.clock)

    def clock(self) -> datetime:
        """A moment after all that was shown."""
        return self.now

    def grow(self) -> None:
        """One more batch."""
        self.shown.city.accept("s1", b"more")
        self.shown.city.seal()
        self.now = max(self.now, after(self.shown.city))

    @property
    def metrics(self) -> dict[str, int]:
        """The metrics file."""
        text = (self.state / "metrics.prom").read_text()
        return {
            name.removeprefix("notary_monitor_"): int(value)
            for name, value in re.findall(r"^(\S+) (\d+)$", text, re.MULTILINE)
        }


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A log of three batches, and somebody who follows it."""
    shown = Shown(make(rounds=3))
    with Raw(shown, keeps=True) as server:
        yield Desk(tmp_path, shown, server)


def test_a_look_that_finds_nothing_wrong_ends_with_0(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says how far it is, and leaves a report and metrics."""
    assert desk.run() == 0
    said = capsys.readouterr()
    assert said.out == (
        "notary.example/log: followed to 3 entries, 3 looked at whole (12 records, 0 rows)."
        " Alarms that stand: 0.\n"
    )
    assert said.err == ""
    report = parse_report((desk.state / "report.json").read_text())
    assert (report.size, report.batches, report.standing) == (3, 3, 0)
    assert report.followed == report.since == desk.now
    metrics = desk.metrics
    assert (metrics["reachable"], metrics["size"], metrics["batches"]) == (1, 3, 3)
    assert metrics["followed_seconds"] == int(desk.now.timestamp())
    assert metrics['alarms{kind="fork"}'] == 0


def test_an_alarm_ends_with_1_until_it_does_not_stand_any_more(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is told each time, by its sentence; the report lists it for good."""
    desk.run()
    desk.shown.size = 2
    for _ in range(2):
        capsys.readouterr()
        assert desk.run() == 1
        time = format_time(desk.now)
        said = capsys.readouterr().err
        assert said == f"ALARM {time} went-back: A state of 2 entries is shown, after one of 3.\n"
    assert desk.metrics['alarms{kind="went-back"}'] == 1
    desk.shown.size = None
    assert desk.run() == 0
    assert desk.metrics['alarms{kind="went-back"}'] == 0
    assert len(parse_report((desk.state / "report.json").read_text()).alarms) == 1


def test_what_was_never_this_log_is_an_alarm_too(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    """Though there is no report yet, for nothing was followed."""
    desk.shown.signing = {"log": [OTHER_LOG]}
    assert desk.run() == 1
    assert "bad-checkpoint" in capsys.readouterr().err
    assert not (desk.state / "report.json").exists()
    assert desk.metrics['alarms{kind="bad-checkpoint"}'] == 1


def _none(_: str) -> list[bytes]:
    return []


def _busy(_: str) -> list[bytes]:
    return ok(b"", status="503 Service Unavailable")


def _elsewhere(_: str) -> list[bytes]:
    return ok(b"", "Location: https://example.org/", status="302 Found")


@pytest.mark.parametrize("answer", [_none, _busy, _elsewhere])
@pytest.mark.parametrize("is_known", [True, False])
def test_a_notary_that_is_away_is_no_liar(
    desk: Desk,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    answer: Callable[[str], list[bytes]],
    is_known: bool,
) -> None:
    """2, one sentence, no alarm; what was followed stays as it was."""
    monkeypatch.setattr("time.sleep", lambda _: None)
    if is_known:
        desk.run()
        before = (desk.state / "report.json").read_text()
    capsys.readouterr()
    with Raw(answer) as away:
        assert desk.run(url=away.url) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert len(said.err.splitlines()) == 1
    assert desk.metrics["reachable"] == 0
    assert sum(value for name, value in desk.metrics.items() if name.startswith("alarms")) == 0
    if is_known:
        assert (desk.state / "report.json").read_text() == before


def test_a_notary_that_signed_nothing_yet_is_waited_for(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is new: no alarm."""
    desk.shown.instead["/log/checkpoint"] = None
    assert desk.run() == 2
    assert capsys.readouterr().err == "The notary shows no checkpoint yet (HTTP 404).\n"
    desk.shown.instead.clear()
    assert desk.run() == 0


def test_a_state_belongs_to_one_log(
    desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Another trust file, by mistake or not, is refused; nothing is forgotten."""
    desk.run()
    other = Signer("other.example/log", seed=2)
    logs = [{"key": other.verifier.vkey, "from": 0, "to": None}]
    whole = desk.trust.read_text()
    desk.trust.write_text(canonical.dumps(trusting(ledgers=[], logs=logs, keys=[])))
    assert desk.run() == 2
    assert "notary.example/log, doesn't hold under this trust file" in capsys.readouterr().err
    desk.trust.write_text(whole)
    assert desk.run() == 0


def test_only_one_follows_in_a_folder(
    desk: Desk, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other one waits a while, and then says so."""
    desk.run()
    monkeypatch.setattr("notary.monitor.state.BUSY_SECONDS", 0.05)
    with closing(State(desk.state)):
        assert desk.run() == 2
    assert f"Another monitor is at work in {desk.state}." in capsys.readouterr().err


@pytest.mark.parametrize("content", [b"no database", b"SQLite format 3\x00" + b"x" * 5000])
def test_a_state_that_is_damaged_is_refused(
    desk: Desk, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    """With a sentence, and left as it is."""
    desk.state.mkdir()
    (desk.state / "monitor.sqlite").write_bytes(content)
    assert desk.run() == 2
    assert capsys.readouterr().err.startswith(f"The state in {desk.state}")
    assert (desk.state / "monitor.sqlite").read_bytes() == content


def _trust_gone(desk: Desk) -> tuple[object, ...]:
    desk.trust.unlink()
    return ()


def _trust_bad(desk: Desk) -> tuple[object, ...]:
    desk.trust.write_text("{}")
    return ()


def _trust_binary(desk: Desk) -> tuple[object, ...]:
    desk.trust.write_bytes(b"\xff")
    return ()


def _no_folder(desk: Desk) -> tuple[object, ...]:
    return ("--acceptances", desk.folder / "nowhere")


def _no_ledger(desk: Desk) -> tuple[object, ...]:
    return ("--ledger-file", desk.folder / "nowhere")


def _no_hook(desk: Desk) -> tuple[object, ...]:
    return ("--webhook", desk.folder / "nowhere")


def _plain_hook(desk: Desk) -> tuple[object, ...]:
    (desk.folder / "hook").write_text("http://example.org/s3cret\n")
    return ("--webhook", desk.folder / "hook")


def _state_is_file(desk: Desk) -> tuple[object, ...]:
    desk.state.write_text("")
    return ()


@pytest.mark.parametrize(
    "fault",
    [
        _trust_gone,
        _trust_bad,
        _trust_binary,
        _no_folder,
        _no_ledger,
        _no_hook,
        _plain_hook,
        _state_is_file,
    ],
)
def test_what_cannot_be_used_is_named(
    desk: Desk,
    capsys: pytest.CaptureFixture[str],
    fault: Callable[[Desk], tuple[object, ...]],
) -> None:
    """2, one sentence in the user's language, no secret, no traceback."""
    more = fault(desk)
    for language in LANGUAGES:
        assert desk.run(*more, env={"LANG": language}) == 2
        said = capsys.readouterr().err
        assert len(said.splitlines()) == 1
        assert "s3cret" not in said
        assert bool(re.search("[\u4e00-\u9fff]", said)) == (language == "zh")


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "inf", "x", "99999999999"])
@pytest.mark.parametrize("option", ["--every", "--checkpoint-within", "--anchor-within"])
def test_seconds_are_bounded(desk: Desk, option: str, seconds: str) -> None:
    """Before anything is done."""
    with pytest.raises(SystemExit) as refused:
        desk.run(f"{option}={seconds}")
    assert refused.value.code == 2


# -- the webhook


class Hook:
    """Where alarms are sent; `status` is what it answers."""

    def __init__(self, desk: Desk) -> None:
        self.status = "204 No Content"
        self.server = Raw(lambda _: ok(b"", status=self.status))
        self.file = desk.folder / "hook"
        self.file.write_text(f"{self.server.url}/hook?key=s3cret\n")

    @property
    def got(self) -> list[dict[str, Any]]:
        """The messages."""
        return [json.loads(body) for body in self.server.bodies]


def test_an_alarm_is_told_to_the_webhook_when_it_is_raised_and_when_it_ends(desk: Desk) -> None:
    """Each once, and nothing where nothing changed."""
    hook = Hook(desk)
    with hook.server:
        assert desk.run("--webhook", hook.file) == 0
        desk.shown.size = 2
        for _ in range(2):
            assert desk.run("--webhook", hook.file) == 1
        desk.shown.size = None
        desk.now += timedelta(seconds=9)
        assert desk.run("--webhook", hook.file) == 0
    raised, ended = hook.got
    (alarm,) = raised["alarms"]
    assert (alarm["kind"], alarm["facts"]) == ("went-back", {"size": 2, "shown": 3})
    assert (raised["origin"], raised["standing"]) == ("notary.example/log", 1)
    assert ended["alarms"] == [{**alarm, "ended": format_time(desk.now)}]
    assert ended["standing"] == 0
    assert hook.server.asked[0].startswith("POST /hook?key=s3cret ")


def test_what_the_webhook_was_not_told_it_is_told_next_time(
    desk: Desk, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The exit code is the log's, not the webhook's; its address is never shown."""
    monkeypatch.setattr("time.sleep", lambda _: None)
    hook = Hook(desk)
    with hook.server:
        desk.run("--webhook", hook.file)
        desk.shown.size = 2
        hook.status = "500 Oops"
        assert desk.run("--webhook", hook.file) == 1
        said = capsys.readouterr().err
        assert "The webhook could not be told (500)" in said
        assert "s3cret" not in said
        hook.status = "200 OK"
        assert desk.run("--webhook", hook.file) == 1
        assert [one["alarms"][0]["kind"] for one in hook.got] == ["went-back"] * 2


# -- comparing


def test_one_log_is_told_by_what_others_were_shown(
    desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A checkpoint, a receipt, another monitor's report: older, the same, or newer."""
    desk.run()
    city = desk.shown.city
    (tmp_path / "older").write_text(city.checkpoint(2))
    (tmp_path / "same").write_text(json.dumps(city.receipt()))
    (tmp_path / "other").mkdir()
    other = Desk(tmp_path / "other", desk.shown, desk.server)
    desk.grow()
    other.now = desk.now
    other.run()
    capsys.readouterr()
    assert desk.call("compare", "--with", tmp_path / "older") == 0
    assert desk.call("compare", "--with", tmp_path / "same") == 0
    assert desk.call("compare", "--with", other.state / "report.json") == 2
    said = capsys.readouterr()
    assert [line.split(":")[0] for line in said.out.splitlines()] == ["One log", "One log"]
    assert said.err.startswith("Nothing is said yet: they were shown 4 entries, this monitor 3.")
    desk.run()
    assert desk.call("compare", "--with", other.state / "report.json") == 0


@pytest.mark.parametrize("size", [2, 3])
def test_two_views_of_one_log_are_a_fork(
    desk: Desk, capsys: pytest.CaptureFixture[str], size: int
) -> None:
    """1, an alarm that stays, and the proof for anybody."""
    desk.run()
    (desk.folder / "theirs").write_text(growing.liar(at=1, size=size).checkpoint())
    for _ in range(2):
        assert desk.call("compare", "--with", desk.folder / "theirs") == 1
        assert "The log signed two states that no log has both" in capsys.readouterr().err
    (file,) = desk.state.glob("fork-*.json")
    assert verify_fork(file.read_text(), parse_trust(desk.trust.read_text())).kind == "fork"
    assert desk.run() == 1


def test_a_witness_is_asked_for_what_it_cosigned(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the log that is followed; it may have seen none yet."""
    witness = {"answer": LOST}
    with Raw(lambda _: witness["answer"]) as server:
        assert desk.call("compare", "--witness", server.url) == 2
        assert "has followed no log yet" in capsys.readouterr().err
        assert server.asked == []
        desk.run()
        assert desk.call("compare", "--witness", server.url) == 2
        assert "has cosigned no checkpoint" in capsys.readouterr().err
        witness["answer"] = ok(desk.shown.city.checkpoint(2).encode())
        assert desk.call("compare", "--witness", server.url) == 0
        witness["answer"] = ok(growing.liar(at=1, size=3).checkpoint().encode())
        assert desk.call("compare", "--witness", server.url) == 1


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"\xff", b"x" * (9 << 20), make(rounds=1).checkpoint(log=[OTHER_LOG]).encode()],
    ids=["nothing", "json", "binary", "large", "other-key"],
)
def test_what_the_log_did_not_sign_compares_with_nothing(desk: Desk, content: bytes) -> None:
    """2, and no alarm: anybody can make such a file."""
    desk.run()
    (desk.folder / "theirs").write_bytes(content)
    assert desk.call("compare", "--with", desk.folder / "theirs") == 2
    assert desk.run() == 0


def test_the_checkpoint_of_another_log_compares_with_nothing(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    """Though the trust file lists both."""
    other = Signer("other.example/log", seed=9)
    logs = [{"key": key.verifier.vkey, "from": 0, "to": None} for key in (LOG, other)]
    desk.trust.write_text(canonical.dumps(trusting(ledgers=[], logs=logs)))
    desk.run()
    note = desk.shown.city.checkpoint(log=[other], origin="other.example/log")
    (desk.folder / "theirs").write_text(note)
    assert desk.call("compare", "--with", desk.folder / "theirs") == 2
    assert "That is the log other.example/log" in capsys.readouterr().err


def test_many_alarms_are_told_in_few_lines(
    desk: Desk, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others stand in the report."""
    for _ in range(30):
        desk.shown.city.batches.append(Batch("{}", []))
    assert desk.run() == 1
    lines = capsys.readouterr().err.splitlines()
    assert (len(lines), lines[-1]) == (21, "10 more alarms stand in the report.")


def test_a_trust_file_that_changes_is_read_anew(
    desk: Desk, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two looks: the log has a new key. Half a file changes nothing."""
    rounds = iter(("half", "new", "end"))

    def sleep(_: float) -> None:
        step = next(rounds)
        if step == "end":
            raise KeyboardInterrupt
        if step == "half":
            desk.trust.write_text(desk.trust.read_text()[:-20])
            return
        logs = [
            {"key": LOG.verifier.vkey, "from": 0, "to": 3},
            {"key": OTHER_LOG.verifier.vkey, "from": 3, "to": None},
        ]
        desk.trust.write_text(canonical.dumps(trusting(ledgers=[], logs=logs)))
        desk.shown.signing = {"log": [OTHER_LOG]}
        desk.grow()

    monkeypatch.setattr("notary.monitor.command.time.sleep", sleep)
    with pytest.raises(KeyboardInterrupt):
        desk.call("run", desk.server.url)
    said = capsys.readouterr()
    assert len(said.err.splitlines()) == 1
    report = parse_report((desk.state / "report.json").read_text())
    assert (report.size, report.standing) == (4, 0)


# -- as a process


def process(desk: Desk, *more: object) -> "subprocess.Popen[str]":
    """`notary monitor run`, as it is started."""
    arguments = ["monitor", "run", desk.server.url, "--trust", desk.trust, "--state", desk.state]
    return subprocess.Popen(
        [sys.executable, "-m", "notary.cli", *map(str, [*arguments, *more])],
        cwd=ROOT,
        env={**os.environ, "LANG": "C"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_monitor_that_is_killed_goes_on_where_it_was(desk: Desk) -> None:
    """It looks again and again until then; `compare` gets in between."""
    running = process(desk, "--every", 1)
    try:
        assert running.stdout is not None
        assert "followed to 3 entries" in running.stdout.readline()
        (desk.folder / "older").write_text(desk.shown.city.checkpoint(2))
        assert desk.call("compare", "--with", desk.folder / "older") == 0
        desk.shown.size = 2
        assert running.stderr is not None
        assert "went-back" in running.stderr.readline()
    finally:
        running.kill()
        running.communicate(timeout=300)
    desk.shown.size = None
    desk.grow()
    asked = len(desk.shown.asked)
    desk.now = datetime.now(UTC)
    assert desk.run() == 1  # the batch that is new was made long before, by the city's clock
    report = parse_report((desk.state / "report.json").read_text())
    assert (report.size, report.batches, report.standing) == (4, 4, 1)
    assert {alarm.kind for alarm in report.alarms} == {"went-back", "backdated"}
    # The new batch is looked at, and one more by chance.
    read = [path for path in desk.shown.asked[asked:] if path.endswith("leaves")]
    assert (read[0], len(read)) == ("/v1/batches/3/leaves", 2)


def test_an_acceptance_is_held_to_it(desk: Desk) -> None:
    """The folder of the command is the one that is looked at."""
    mine = desk.folder / "mine"
    mine.mkdir()
    made = desk.shown.city.accept("s1", b"promised")
    (mine / "a.json").write_text(canonical.dumps(acceptance(desk.shown.city, [made])))
    desk.shown.city.records["s1"].pop()
    assert desk.run("--acceptances", mine) == 0
    desk.now += timedelta(hours=2)
    assert desk.run("--acceptances", mine) == 1
