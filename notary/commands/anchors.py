# SPDX-License-Identifier: Apache-2.0
"""`notary anchors`: what is on which ledger, whether it still holds, and what is to be done."""

import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from notary.core.errors import MalformedText
from notary.core.words import format_time
from notary.ledgers.port import Ledger
from notary.store.pool import Pool
from notary.texts import printable
from notary.usecases.anchor_check import Check, check_anchors, check_kept
from notary.usecases.anchor_look import get_anchor, ledger_status, list_anchors, retry_ledger
from notary.usecases.closed_logs import read_origins
from notary.usecases.rights import NotFound
from notary.wiring import Parts, clock

LISTED: Final = 20
SHOWN: Final = 500
"""Characters; a reference may be a whole token, which stands in the evidence as well."""
OUTCOMES: Final = {
    "held": "checked",
    "own-word": "checked, the notary's own word",
    "not-checked": "not checked",
    "differs": "DOES NOT HOLD",
}


def add_arguments(parser: ArgumentParser) -> None:
    """What `notary anchors` takes."""
    parser.add_argument("what", choices=("list", "show", "verify", "retry", "test", "deploy"))
    parser.add_argument(
        "names",
        nargs="*",
        metavar="SIZE | LEDGER",
        help="show: a size and a ledger; verify: perhaps a ledger; retry, test, deploy: a ledger",
    )


def run(arguments: Namespace, parts: Parts) -> int:
    """List anchors, show one, check all of them again, or look after a ledger."""
    names: list[str] = arguments.names
    wanted = {"list": (0,), "show": (2,), "verify": (0, 1), "retry": (1,), "test": (1,)}
    if len(names) not in wanted[arguments.what]:
        raise MalformedText(
            "notary anchors list | show SIZE LEDGER | verify [LEDGER] | retry LEDGER | test LEDGER"
        )
    if arguments.what == "list":
        return _list(parts, clock())
    if arguments.what == "show":
        return _show(parts, _size(names[0]), names[1])
    if arguments.what == "verify":
        return _verify(parts, names[0] if names else None)
    if arguments.what == "retry":
        return _retry(parts.pool, names[0], clock())
    return _test(_ledger(parts, names[0]))


def _list(parts: Parts, now: datetime) -> int:
    for one in ledger_status(parts.pool, parts.ledgers, now):
        words = [f"size {one['size']}", "required" if one["required"] else "optional"]
        words += ["the notary's own word"] if one["own_word"] else []
        words += [] if one["configured"] else ["not in the settings any more"]
        if one["unanchored_seconds"] is not None:
            words.append(f"its oldest missing batch is {span(one['unanchored_seconds'])} old")
        if one["stopped"]:
            words.append("STOPPED, see `notary anchors retry`")
        print(f"ledger {one['name']} ({one['kind']}): {', '.join(words)}")
        if one["error"]:
            print(f"    {printable(one['error'])}")
    for row in list_anchors(parts.pool, parts.ledgers, None, LISTED):
        age = (now - row["built_at"]).total_seconds()
        tried = f", tried {row['attempts']} times" if row["attempts"] > 1 else ""
        error = f"  {printable(row['error'])}" if row["error"] else ""
        print(
            f"{row['size']:>10}  {row['ledger']:16} {row['state']:9} {span(age)} ago{tried}{error}"
        )
    return 0


def _show(parts: Parts, size: int, name: str) -> int:
    row = get_anchor(parts.pool, parts.ledgers, name, size)
    for member in ("ledger", "kind", "size", "state", "attempts", "reference", "error"):
        if row[member] is not None:
            told = str(row[member])
            print(f"{member}: {printable(told[:SHOWN])}{'…' if len(told) > SHOWN else ''}")
    print(f"root: {row['root'].hex()}")
    for member in ("built_at", "submitted_at", "changed_at"):
        if row[member] is not None:
            print(f"{member}: {format_time(row[member])}")
    if row["evidence"] is None:
        return 0
    print(f"evidence: {printable(json.dumps(row['evidence'], indent=2), also=chr(10))}")
    with parts.pool.transaction(read_only=True) as tx:
        origin = read_origins(tx).at(size)
    ledger = next((one for one in parts.ledgers if one.name == name), None)
    kept: Mapping[str, Any] = {**row, "evidence": json.dumps(row["evidence"])}
    check = check_kept(kept, ledger, origin)
    print(f"offline: {_said(check)}")
    for fact, value in (check.facts or {}).items():
        print(f"    {fact}: {printable(str(value))}")
    return int(check.outcome == "differs")


def _verify(parts: Parts, only: str | None) -> int:
    if only is not None and all(ledger.name != only for ledger in parts.ledgers):
        names = {row["name"] for row in ledger_status(parts.pool, parts.ledgers, clock())}
        if only not in names:
            raise NotFound(f"There is no ledger {only}.")
    count = wrong = 0
    for checked in check_anchors(parts.pool, parts.ledgers, only):
        count += 1
        wrong += checked.differs
        print(
            f"{checked.size:>10}  {checked.ledger:16} offline: {_said(checked.offline)}; "
            f"online: {_said(checked.online)}",
            flush=True,
        )
    print(f"{count} anchors, {wrong} do not hold")
    return int(wrong > 0)


def _retry(pool: Pool, name: str, now: datetime) -> int:
    print(f"{retry_ledger(pool, name, now)} anchors are handed to {name} again by the sealer.")
    return 0


def _test(ledger: Ledger) -> int:
    for name, value in ledger.probe().items():
        print(f"{name}: {printable(str(value))}")
    print(f"{ledger.name} answers; nothing was anchored.", file=sys.stderr)
    return 0


def span(seconds: float) -> str:
    """A time that has passed, as people say it: `119 s`, `2 min`, `47 h`, `2 days`."""
    for unit, size in (("days", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size:.0f} {unit}"
    return f"{seconds:.0f} s"


def _said(check: Check) -> str:
    why = "" if check.why is None else f" ({printable(check.why)})"
    return OUTCOMES[check.outcome] + why


def _ledger(parts: Parts, name: str) -> Ledger:
    found = next((ledger for ledger in parts.ledgers if ledger.name == name), None)
    if found is None:
        known = ", ".join(ledger.name for ledger in parts.ledgers)
        raise NotFound(f"There is no ledger {name} in the settings, only {known}.")
    return found


def _size(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 16):
        raise MalformedText("notary anchors show SIZE LEDGER: the size is a whole number.")
    return int(text)
