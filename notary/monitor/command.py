# SPDX-License-Identifier: Apache-2.0
"""
`notary monitor`: its options, its rounds, and what it tells.

Exit 0 where no alarm stands, 1 where one does, 2 where nothing could be said; then one sentence
on standard error says why.
"""

import sqlite3
import sys
import time
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from random import SystemRandom
from typing import Final

from notary import texts
from notary.core.errors import MalformedTrust, NotaryError
from notary.core.monitor_report import Alarm, NotChecked, Report
from notary.core.receipt_ledgers import FILE_ALONE, Checker
from notary.core.trust import MAX_TRUST_BYTES, LedgerTrust, Trust, parse_trust
from notary.core.words import format_time
from notary.monitor.alarms import Alarms, changed, listed, standing
from notary.monitor.compare import compare
from notary.monitor.errors import MonitorRefused
from notary.monitor.look import ANCHOR_WITHIN, CHECKPOINT_WITHIN, Plan, look
from notary.monitor.report import report_of, write_metrics, write_report
from notary.monitor.state import State
from notary.monitor.webhook import open_webhook, tell
from notary.outside.errors import BadAnswer, Unreachable
from notary.outside.notary import Notary, witness_checkpoint
from notary.outside.web import Web
from notary.remembered import checkpoint_in

DONE, ALARM, CANNOT = 0, 1, 2
MAX_FILE_BYTES: Final = 8 << 20
MAX_SHOWN: Final = 20
Clock = Callable[[], datetime]
MakeCheckers = Callable[[Sequence[str], Sequence[LedgerTrust], Path | None], Mapping[str, Checker]]
"""What reads the evidence of ledgers, by its kind, and asks those of the items `LEDGER=URL`."""


def add_arguments(parser: ArgumentParser) -> None:
    """What `notary monitor` takes."""
    sub = parser.add_subparsers(required=True, dest="what", metavar="WHAT")

    def what(name: str, help_: str) -> ArgumentParser:
        added = sub.add_parser(name, help=help_, description=help_)
        added.add_argument("--trust", type=Path, required=True, help="got by another way")
        added.add_argument("--state", type=Path, required=True, help="the monitor's own folder")
        return added

    run_ = what("run", "follow the log of a notary")
    add = run_.add_argument
    add("url", help="the notary's address, such as https://notary.city.example")
    add("--once", action="store_true", help="look once; 1 where an alarm stands")
    add("--every", type=_seconds, default=60.0, metavar="SECONDS", help="60 unless set")
    add("--acceptances", type=Path, metavar="FOLDER", help="signed acceptances to hold it to")
    add("--ledger-file", type=Path, action="append", default=[], metavar="FILE")
    add("--online", action="append", default=[], metavar="LEDGER=URL", help="a node that is asked")
    add("--checkpoint-within", type=_seconds, default=CHECKPOINT_WITHIN, metavar="SECONDS")
    add("--anchor-within", type=_seconds, default=ANCHOR_WITHIN, metavar="SECONDS")
    add("--webhook", type=Path, metavar="FILE", help="holds the address that alarms are sent to")
    other = what("compare", "hold it against what others were shown")
    group = other.add_mutually_exclusive_group(required=True)
    group.add_argument("--witness", metavar="URL", help="a witness's address")
    group.add_argument("--with", dest="file", type=Path, metavar="FILE", help="a report, a receipt")


def run(
    arguments: Namespace,
    env: Mapping[str, str],
    clock: Clock,
    make_checkers: MakeCheckers = lambda *_: FILE_ALONE,
) -> int:
    """Do one of the two; the exit code."""
    voice = _Voice(texts.choose(env.get("LC_ALL") or env.get("LANG")))
    ca_file = Path(env["NOTARY_CA_FILE"]) if env.get("NOTARY_CA_FILE") else None
    try:
        trust = _read_trust(arguments.trust)
        if arguments.what == "compare":
            return _compare(arguments, trust, ca_file, clock, voice)
        checkers = make_checkers(arguments.online, trust.ledgers, ca_file)
        return _Rounds(arguments, trust, ca_file, clock, voice, checkers).run()
    except NotaryError as error:
        voice.warn(f"error.{error.code}", **error.facts)
    except sqlite3.Error as error:
        voice.warn("error.monitor-refused", **_unusable(arguments.state, error))
    return CANNOT


class _Rounds:
    """`notary monitor run`: a look, or one after the other."""

    def __init__(
        self,
        arguments: Namespace,
        trust: Trust,
        ca_file: Path | None,
        clock: Clock,
        voice: "_Voice",
        checkers: Mapping[str, Checker],
    ) -> None:
        self._folder: Path = arguments.state
        self._once: bool = arguments.once
        self._every: float = arguments.every
        self._clock = clock
        self._voice = voice
        self._trust_file: Path = arguments.trust
        self._plan = Plan(
            trust=trust,
            acceptances=arguments.acceptances,
            ledger_files=tuple(arguments.ledger_file),
            checkpoint_within=arguments.checkpoint_within,
            anchor_within=arguments.anchor_within,
            checkers=checkers,
        )
        self._web = Web(arguments.url, ca_file)
        file: Path | None = arguments.webhook
        self._webhook = None if file is None else open_webhook(file, ca_file)
        self._not_checked: list[NotChecked] = []
        self._is_new = True

    def run(self) -> int:
        """Until it is killed, which it may be anywhere; with `--once` the exit code."""
        while True:
            # Between two looks the folder is free, so that `compare` gets in.
            with closing(State(self._folder)) as state:
                code = self._round(state)
            if self._once:
                return code
            time.sleep(self._every)
            self._read_trust_anew()

    def _read_trust_anew(self) -> None:
        """The log's keys change; a file that can't be read just now counts for nothing."""
        try:
            self._plan = replace(self._plan, trust=_read_trust(self._trust_file))
        except NotaryError as error:
            self._voice.warn(f"error.{error.code}", **error.facts)

    def _round(self, state: State) -> int:
        now, is_reached = self._clock(), True
        try:
            self._not_checked = look(state, Notary(self._web), self._plan, now, SystemRandom())
        except (Unreachable, MonitorRefused) as error:
            if isinstance(error, MonitorRefused) and error.reason != "nothing-signed":
                raise
            is_reached = False
            self._voice.warn(f"error.{error.code}", **error.facts)
        finally:
            self._web.close()
        report = report_of(state, self._plan.trust, self._not_checked)
        self._tell(state, report, now, is_new=self._is_new and is_reached)
        self._is_new = self._is_new and not is_reached
        if report is not None:
            write_report(state.folder, report)
        write_metrics(state, now, is_reached=is_reached)
        self._send(state)
        if not is_reached:
            return CANNOT
        return ALARM if standing(state) else DONE

    def _tell(self, state: State, report: Report | None, now: datetime, *, is_new: bool) -> None:
        """What changed; the first time how far it is, and all that stands."""
        voice = self._voice
        shown = changed(state, now)
        if is_new:
            shown = [alarm for alarm in listed(state) if alarm.ended is None]
        for alarm in shown[:MAX_SHOWN]:
            voice.alarm(alarm)
        if len(shown) > MAX_SHOWN:
            voice.warn("monitor.more", count=len(shown) - MAX_SHOWN)
        if report is not None and (is_new or shown):
            facts = {"origin": report.origin, "size": report.size, "batches": report.batches}
            counts = {"records": report.records, "rows": report.rows}
            voice.say("monitor.followed", standing=report.standing, **facts, **counts)

    def _send(self, state: State) -> None:
        if self._webhook is not None:
            why = tell(state, self._webhook)
            if why is not None:
                self._voice.warn("monitor.untold", why=why)


def _compare(
    arguments: Namespace, trust: Trust, ca_file: Path | None, clock: Clock, voice: "_Voice"
) -> int:
    note = (
        checkpoint_in(_read(arguments.file))
        if arguments.witness is None
        else _witness_note(arguments, ca_file)
    )
    with closing(State(arguments.state)) as state:
        with state:
            how, size = compare(state, trust, Alarms(state, clock()), note)
        if how == "forked":
            for alarm in listed(state):
                if alarm.kind == "fork":
                    voice.alarm(alarm)
            return ALARM
        facts = {"size": size, "followed": state.number("size")}
    if how == "newer":
        voice.warn("monitor.newer", **facts)
        return CANNOT
    voice.say(f"monitor.{how}", **facts)
    return DONE


def _witness_note(arguments: Namespace, ca_file: Path | None) -> str:
    """The note that the witness has, as it came; the folder is free while it is fetched."""
    with closing(State(arguments.state)) as state:
        origin = state.get("origin")
    if origin is None:
        raise MonitorRefused("nothing-followed", path=str(arguments.state))
    try:
        with closing(Web(arguments.witness, ca_file)) as web:
            return witness_checkpoint(web, origin)
    except BadAnswer as error:
        if error.status == 404:
            raise MonitorRefused("not-witnessed", origin=origin) from None
        raise


def _read_trust(path: Path) -> Trust:
    text = _read(path)
    if len(text) > MAX_TRUST_BYTES + 1:
        raise MalformedTrust("It is too large.")
    return parse_trust(text)


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(MAX_FILE_BYTES + 1).decode()
    except OSError as error:
        raise MonitorRefused("no-file", path=str(path), why=error.strerror) from None
    except UnicodeDecodeError:
        raise MonitorRefused("no-file", path=str(path), why="not UTF-8") from None


def _seconds(text: str) -> float:
    """A number of seconds, at least one."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 1 <= seconds <= 31_536_000:
        raise ArgumentTypeError("between 1 and 31536000 seconds")
    return seconds


def _unusable(folder: Path, error: sqlite3.Error) -> dict[str, str]:
    return {"reason": "state-unusable", "path": str(folder), "why": str(error)}


class _Voice:
    """Speaks one language, and nothing that a terminal would take for a command."""

    def __init__(self, language: str) -> None:
        self._language = language

    def say(self, code: str, /, **facts: object) -> None:
        """On standard output."""
        print(self._text(code, **facts), flush=True)

    def warn(self, code: str, /, **facts: object) -> None:
        """On standard error."""
        print(self._text(code, **facts), file=sys.stderr, flush=True)

    def alarm(self, alarm: Alarm) -> None:
        """An alarm that was raised, or has ended."""
        said = self._text(f"alarm.{alarm.kind}", **alarm.facts)
        time_ = format_time(alarm.ended or alarm.at)
        code = "monitor.alarm" if alarm.ended is None else "monitor.ended"
        self.warn(code, time=time_, kind=alarm.kind, said=said)

    def _text(self, code: str, /, **facts: object) -> str:
        return texts.printable(texts.text(self._language, code, **facts))
