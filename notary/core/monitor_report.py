# SPDX-License-Identifier: Apache-2.0
"""
What a monitor says of a log that it follows. Format `monitor/1`, canonical JSON.

    {"alarms":[{"at":"…","facts":{…},"kind":"withheld"}],"batches":3,"checkpoint":"<note>",
     "fingerprint":"…","followed":"…","not_checked":[{"reason":"…","what":"…"}],
     "origin":"…","records":12,"root":"…","rows":0,"since":"…","size":3,"standing":1,
     "v":"monitor/1"}

It is the monitor's own word. See docs/spec/monitor-v1.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from notary.core import canonical
from notary.core.checkpoint import parse_checkpoint
from notary.core.errors import MalformedNote, MalformedReport, MalformedText
from notary.core.note import parse_note
from notary.core.vkey import check_name
from notary.core.words import (
    check_count,
    check_hash,
    check_id,
    check_string,
    format_time,
    parse_hash,
    parse_time,
)

VERSION: Final = "monitor/1"
MAX_REPORT_BYTES: Final = 8 << 20
MAX_LISTED: Final = 1000
MAX_FACTS: Final = 32
MAX_FACT_CHARACTERS: Final = 500

_MEMBERS = frozenset(
    {"alarms", "batches", "checkpoint", "fingerprint", "followed", "not_checked", "origin"}
    | {"records", "root", "rows", "since", "size", "standing", "v"}
)
_ALARM = frozenset({"at", "facts", "kind"})

Facts = Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class Alarm:
    """What is wrong: one of the spec's kinds, when it was raised, and perhaps when it ended."""

    kind: str
    at: datetime
    ended: datetime | None = None
    facts: Facts = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NotChecked:
    """What the monitor doesn't look at, and why."""

    what: str
    reason: str


@dataclass(frozen=True, slots=True)
class Report:
    """
    How far a monitor followed a log: to `checkpoint` (a whole note, not verified here) of that
    `size` and `root`; the first `batches` entries were looked at whole. Hashes have 32 bytes,
    times are aware UTC. `standing`: how many alarms stand, listed or not.
    """

    origin: str
    fingerprint: bytes
    checkpoint: str
    size: int
    root: bytes
    since: datetime
    followed: datetime
    batches: int
    records: int
    rows: int
    standing: int
    alarms: tuple[Alarm, ...] = ()
    not_checked: tuple[NotChecked, ...] = ()


def format_report(report: Report) -> str:
    """
    Write a report as its canonical text, final newline included.

    Raises:
        MalformedReport: a member isn't what the format demands.
    """
    try:
        text = canonical.dumps(_write(report)) + "\n"
    except MalformedText as error:
        raise error.renamed(MalformedReport) from None
    parse_report(text)
    return text


def parse_report(text: str) -> Report:
    """
    Read a report: canonical JSON, perhaps with one final newline.

    Raises:
        MalformedReport: not canonical, a member missing, unknown or out of range.

    docs/spec/monitor-v1.md, section Rules, rules 1 to 7.
    """
    try:
        members = canonical.loads(text.removesuffix("\n"), max_bytes=MAX_REPORT_BYTES)
        if not isinstance(members, dict) or members.keys() != _MEMBERS:
            raise MalformedText("A member is missing or unknown.")
        report = _read(members)
        _check_checkpoint(report)
    except (MalformedText, MalformedNote) as error:
        raise error.renamed(MalformedReport) from None
    return report


def _write(report: Report) -> dict[str, object]:
    return {
        "alarms": [_write_alarm(alarm) for alarm in report.alarms],
        "batches": report.batches,
        "checkpoint": report.checkpoint,
        "fingerprint": check_hash(report.fingerprint, "fingerprint").hex(),
        "followed": format_time(report.followed),
        "not_checked": [{"reason": one.reason, "what": one.what} for one in report.not_checked],
        "origin": report.origin,
        "records": report.records,
        "root": check_hash(report.root, "root").hex(),
        "rows": report.rows,
        "since": format_time(report.since),
        "size": report.size,
        "standing": report.standing,
        "v": VERSION,
    }


def _write_alarm(alarm: Alarm) -> dict[str, object]:
    ended = {} if alarm.ended is None else {"ended": format_time(alarm.ended)}
    facts = dict(alarm.facts)
    return {"at": format_time(alarm.at), "facts": facts, "kind": alarm.kind, **ended}


def _read(members: dict[str, object]) -> Report:
    if members["v"] != VERSION:
        raise MalformedText(f"The version must be {VERSION}.")
    checkpoint, origin = members["checkpoint"], members["origin"]
    if not isinstance(checkpoint, str) or not isinstance(origin, str):
        raise MalformedText("The checkpoint and the origin must be text.")
    check_name(origin)
    report = Report(
        origin=origin,
        fingerprint=parse_hash(members["fingerprint"], "fingerprint"),
        checkpoint=checkpoint,
        size=check_count(members["size"], "size"),
        root=parse_hash(members["root"], "root"),
        since=parse_time(members["since"], "first time"),
        followed=parse_time(members["followed"], "last time"),
        batches=check_count(members["batches"], "number of batches"),
        records=check_count(members["records"], "number of records"),
        rows=check_count(members["rows"], "number of rows"),
        standing=check_count(members["standing"], "number of alarms"),
        alarms=tuple(_alarm(item) for item in _list(members["alarms"])),
        not_checked=tuple(_not_checked(item) for item in _list(members["not_checked"])),
    )
    if report.batches > report.size or report.followed < report.since:
        raise MalformedText("More was looked at than there is, or before the first time.")
    if sum(alarm.ended is None for alarm in report.alarms) > report.standing:
        raise MalformedText("More alarms stand than are counted.")
    return report


def _check_checkpoint(report: Report) -> None:
    """Rule 5; who signed the note is not looked at."""
    checkpoint = parse_checkpoint(parse_note(report.checkpoint).text)
    if (checkpoint.origin, checkpoint.size, checkpoint.root) != (
        report.origin,
        report.size,
        report.root,
    ):
        raise MalformedText("The checkpoint is another one than the report names.")


def _list(value: object) -> list[object]:
    if not isinstance(value, list) or len(value) > MAX_LISTED:
        raise MalformedText(f"A list of at most {MAX_LISTED} items is expected.")
    return value


def _alarm(item: object) -> Alarm:
    if not isinstance(item, dict) or item.keys() not in (_ALARM, _ALARM | {"ended"}):
        raise MalformedText("An alarm has the members at, facts, kind and perhaps ended.")
    at, facts = parse_time(item["at"], "time of an alarm"), item["facts"]
    ended = parse_time(item["ended"], "end of an alarm") if "ended" in item else None
    if ended is not None and ended < at:
        raise MalformedText("An alarm ends before it was raised.")
    if not isinstance(facts, dict) or len(facts) > MAX_FACTS:
        raise MalformedText(f"The facts of an alarm are an object of at most {MAX_FACTS} members.")
    read = {check_id(name, "name of a fact"): _fact(value) for name, value in facts.items()}
    return Alarm(check_id(item["kind"], "kind of an alarm"), at, ended, read)


def _fact(value: object) -> str | int:
    if type(value) is int:
        return value
    return check_string(value, "fact", MAX_FACT_CHARACTERS)


def _not_checked(item: object) -> NotChecked:
    if not isinstance(item, dict) or item.keys() != {"reason", "what"}:
        raise MalformedText("What is not checked has the members reason and what.")
    what = check_string(item["what"], "part that is not checked", MAX_FACT_CHARACTERS)
    return NotChecked(what, check_id(item["reason"], "reason"))
