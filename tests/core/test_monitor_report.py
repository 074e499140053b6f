# SPDX-License-Identifier: Apache-2.0
"""monitor/1: what it says survives being written and read, and nothing else is one."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from notary.core import canonical
from notary.core.errors import MalformedReport
from notary.core.monitor_report import (
    MAX_FACTS,
    MAX_LISTED,
    Alarm,
    NotChecked,
    Report,
    format_report,
    parse_report,
)
from tests.core.maker import LOG, make

PAGE = (Path(__file__).parents[2] / "docs" / "spec" / "monitor-v1.md").read_text(encoding="utf-8")
AT = datetime(2026, 11, 24, 9, tzinfo=UTC)
CITY = make()
REPORT = Report(
    origin=LOG.verifier.name,
    fingerprint=bytes.fromhex(LOG.verifier.fingerprint),
    checkpoint=CITY.checkpoint(),
    size=3,
    root=bytes.fromhex(CITY.anchor(0)["root"]),
    since=AT,
    followed=AT + timedelta(minutes=1),
    batches=3,
    records=12,
    rows=0,
    standing=1,
    alarms=(
        Alarm("late-anchor", AT, None, {"ledger": "file", "size": 3, "since": "x"}),
        Alarm("withheld", AT, AT, {}),
    ),
    not_checked=(NotChecked("ledger:file", "no-file"),),
)


def members(**changed: Any) -> dict[str, Any]:
    """The report as an object, with members changed."""
    found: dict[str, Any] = json.loads(format_report(REPORT))
    return {**found, **changed}


def test_a_report_survives_being_written_and_read() -> None:
    """As canonical JSON with a newline, with or without which it is read."""
    text = format_report(REPORT)
    assert text.endswith("}\n")
    assert parse_report(text) == parse_report(text[:-1]) == REPORT
    assert text == canonical.dumps(json.loads(text)) + "\n"


def test_the_example_of_the_page_is_one() -> None:
    """So the page says what the code does."""
    (example,) = re.findall(r"^```monitor\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    report = parse_report(canonical.dumps(json.loads(example)))
    assert (report.size, report.standing, len(report.alarms)) == (3, 0, 1)


@pytest.mark.parametrize("text", ["", "x", "[]", "null", "{}", '{"v":"monitor/1"}', "[" * 9999])
def test_what_is_no_such_object_is_refused(text: str) -> None:
    """With the error of this format."""
    with pytest.raises(MalformedReport):
        parse_report(text)


@pytest.mark.parametrize(
    "respell",
    [
        lambda text: " " + text,
        lambda text: text + "\n",
        lambda text: text.replace(",", ", ", 1),
        lambda text: text.replace('"size":3', '"size":3.0'),
        lambda text: text.replace("}\n", ',"zz":1}\n'),
        lambda text: text.replace('"rows":0,', ""),
        lambda text: text.replace('"rows":0,', '"rows":0,"rows":0,'),
    ],
)
def test_it_has_one_spelling(respell: Callable[[str], str]) -> None:
    """And exactly its members."""
    with pytest.raises(MalformedReport):
        parse_report(respell(format_report(REPORT)))


def alarm(**changed: Any) -> list[dict[str, Any]]:
    """A list of one alarm."""
    return [{"at": "2026-11-24T09:00:00.000000Z", "facts": {}, "kind": "withheld", **changed}]


WRONG: list[dict[str, Any]] = [
    {"v": "monitor/2"},
    {"origin": ""},
    {"origin": 7},
    {"origin": "a+b"},
    {"origin": "other.example/log"},
    {"fingerprint": "ab"},
    {"fingerprint": "AB" * 32},
    {"checkpoint": "no note"},
    {"checkpoint": None},
    {"checkpoint": CITY.checkpoint(2)},
    {"size": 2},
    {"size": -1},
    {"size": True},
    {"root": "ab" * 32},
    {"since": "2026-11-24"},
    {"followed": "2026-11-24T08:59:59.000000Z"},
    {"batches": 4},
    {"records": "12"},
    {"rows": -1},
    {"standing": 0},
    {"standing": None},
    {"alarms": {}},
    {"alarms": alarm() * (MAX_LISTED + 1), "standing": MAX_LISTED + 1},
    {"alarms": [7]},
    {"alarms": alarm(more=1)},
    {"alarms": alarm(kind="a b")},
    {"alarms": alarm(at="now")},
    {"alarms": alarm(ended="2026-11-24T08:59:59.999999Z")},
    {"alarms": alarm(facts=[])},
    {"alarms": alarm(facts={"a b": 1})},
    {"alarms": alarm(facts={"a": None})},
    {"alarms": alarm(facts={"a": True})},
    {"alarms": alarm(facts={"a": ""})},
    {"alarms": alarm(facts={"a": "\x1b[2J"})},
    {"alarms": alarm(facts={"a": "x" * 501})},
    {"alarms": alarm(facts={f"a{i}": i for i in range(MAX_FACTS + 1)})},
    {"not_checked": [{"what": "x"}]},
    {"not_checked": [{"what": "x", "reason": "a b"}]},
    {"not_checked": [{"what": "", "reason": "x"}]},
    {"not_checked": ["x"]},
]


@pytest.mark.parametrize("changed", WRONG, ids=range(len(WRONG)))
def test_what_breaks_a_rule_is_refused(changed: dict[str, Any]) -> None:
    """Each member has its form, and none contradicts another."""
    with pytest.raises(MalformedReport):
        parse_report(canonical.dumps(members(**changed)))


@pytest.mark.parametrize(
    "changed",
    [
        {"root": b"short"},
        {"fingerprint": b""},
        {"batches": 4},
        {"since": AT + timedelta(hours=1)},
        {"alarms": (Alarm("x", AT, None, {"a": "\x00"}),)},
        {"alarms": (Alarm("x", AT, None, {"a": 2**60}),)},
    ],
)
def test_what_would_not_be_read_is_not_written(changed: dict[str, Any]) -> None:
    """The writer refuses as the reader does."""
    with pytest.raises(MalformedReport):
        format_report(replace(REPORT, **changed))


def test_a_report_has_a_bounded_size() -> None:
    """Larger ones aren't even looked at."""
    with pytest.raises(MalformedReport):
        parse_report(canonical.dumps(members(origin="x" * (9 << 20))))
