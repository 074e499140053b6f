# SPDX-License-Identifier: Apache-2.0
"""
The file that proves a run of records of one source. Format `window/1`, canonical JSON.

    {"asked":{"by":"received","from":"2026-…Z","to":"2026-…Z"},"head":"<statement>",
     "receipt":{…},"rest":[{"d":"<43 characters>","o":"…","r":3600000000}, …],"v":"window/1"}

`head` is the first statement carried, `rest` the following ones in compact form: `d` the
digest or commitment (base64url without padding), `r` microseconds since the record before,
`o` observed, `k` key, `m` message (base64url), `b` by and `t` type where they change.
n and prev follow. `receipt` proves the last one. `erased`, where it is there, lists
{n, at, ground, record}: the notary's word. See docs/spec/window-v1.md.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final, Literal

from notary.core import canonical
from notary.core.errors import MalformedText, MalformedWindow
from notary.core.receipt_format import erased_members, format_receipt, parse_erased, receipt_from
from notary.core.receipt_parts import Erased, Receipt, RecordPart
from notary.core.statement import (
    Statement,
    format_statement,
    parse_statement,
    statement_leaf,
    write_statement,
)
from notary.core.words import (
    MAX_OBSERVED_CHARACTERS,
    check_by,
    check_count,
    check_key,
    check_observed,
    check_string,
    check_type,
    parse_time,
)

VERSION: Final = "window/1"
MAX_WINDOW_BYTES: Final = 256 << 20
MAX_RECORDS: Final = 1_000_000

AskedBy = Literal["n", "received", "observed"]

_REQUIRED = frozenset({"asked", "head", "receipt", "rest", "v"})
_COMPACT = frozenset({"b", "d", "k", "m", "o", "r", "t"})
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for, half-open: n as integers, times as text."""

    by: AskedBy
    start: int | str
    stop: int | str


@dataclass(frozen=True, slots=True)
class Window:
    """A window, parsed and not yet verified: all statements carried, and the receipt."""

    asked: Asked
    statements: tuple[Statement, ...]
    receipt: Receipt
    erased: Mapping[int, Erased]


def format_window(window: Window) -> str:
    """
    Write a window as its canonical text.

    Raises:
        MalformedWindow: `parse_window` would not give it back.
    """
    if not window.statements:
        raise MalformedWindow("A window carries at least one record.")
    try:
        text = _write(window)
    except MalformedText as error:
        raise error.renamed(MalformedWindow) from None
    if parse_window(text) != window:
        raise MalformedWindow("The window doesn't survive being written.")
    return text


def parse_window(text: str) -> Window:
    """
    Read a window and rebuild its statements, each linked to the one before.

    Raises:
        MalformedWindow: not canonical, a member missing, unknown or out of range.

    docs/spec/window-v1.md, rules 1 to 8.
    """
    try:
        return _read(canonical.loads(text.removesuffix("\n"), max_bytes=MAX_WINDOW_BYTES))
    except MalformedText as error:
        raise error.renamed(MalformedWindow) from None


def _write(window: Window) -> str:
    receipt = format_receipt(window.receipt)
    following = pairwise(window.statements)
    members: dict[str, object] = {
        "v": VERSION,
        "asked": {"by": window.asked.by, "from": window.asked.start, "to": window.asked.stop},
        "head": format_statement(window.statements[0]),
        "rest": [compact(statement, before) for before, statement in following],
        "receipt": canonical.loads(receipt, max_bytes=MAX_WINDOW_BYTES),
    }
    if window.erased:
        members["erased"] = [
            {"n": n, **erased_members(erased)} for n, erased in sorted(window.erased.items())
        ]
    return canonical.dumps(members)


def compact(statement: Statement, before: Statement) -> dict[str, object]:
    """The members of a statement in compact form, as it follows the one before."""
    members: dict[str, object] = {
        "d": _base64url(statement.digest or statement.commitment or b""),
        "r": (statement.received - before.received) // _MICROSECOND,
    }
    if statement.observed is not None:
        members["o"] = statement.observed
    if statement.key is not None:
        members["k"] = statement.key
    if statement.message is not None:
        members["m"] = _base64url(statement.message)
    if statement.by != before.by:
        members["b"] = statement.by
    if statement.type != before.type:
        members["t"] = statement.type
    return members


def _read(members: object) -> Window:
    if not isinstance(members, dict) or not _REQUIRED <= members.keys() <= _REQUIRED | {"erased"}:
        raise MalformedText("A member is missing or unknown.")
    if members["v"] != VERSION:
        raise MalformedText(f"The version must be {VERSION}.")
    head, rest = members["head"], members["rest"]
    if not isinstance(head, str) or not isinstance(rest, list) or len(rest) >= MAX_RECORDS:
        raise MalformedText(f"The head must be text, the rest a list below {MAX_RECORDS} items.")
    receipt = receipt_from(members["receipt"])
    if not isinstance(receipt.subject, RecordPart):
        raise MalformedText("The receipt of a window proves a record.")
    statements = _expand_all(head, rest)
    return Window(
        parse_asked(members["asked"]),
        statements,
        receipt,
        _erased(members["erased"], statements) if "erased" in members else {},
    )


def _expand_all(head: str, rest: Sequence[object]) -> tuple[Statement, ...]:
    """Rebuild the statements; each one's text is hashed once, for the next one's prev."""
    statement = parse_statement(head)
    statements, text = [statement], head
    for item in rest:
        statement = _expand(item, statement, statement_leaf(text))
        text = write_statement(statement)
        statements.append(statement)
    return tuple(statements)


def _expand(item: object, before: Statement, leaf: bytes) -> Statement:
    if not isinstance(item, dict) or not {"d", "r"} <= item.keys() <= _COMPACT:
        raise MalformedText("A compact record has d, r and perhaps b, k, m, o, t.")
    hashed = _hash_from(item["d"])
    by, type_ = before.by, before.type
    if "b" in item:
        by = check_by(item["b"])
    if "t" in item:
        type_ = check_type(item["t"])
    if ("b" in item and by == before.by) or ("t" in item and type_ == before.type):
        raise MalformedText("b and t stand only where they change.")
    is_open = before.digest is not None
    return Statement(
        before.dataset,
        before.source,
        before.chain,
        check_count(before.n + 1, "n"),
        leaf,
        _later(before.received, item["r"]),
        by,
        type_,
        hashed if is_open else None,
        None if is_open else hashed,
        check_observed(item["o"]) if "o" in item else None,
        check_key(item["k"]) if "k" in item else None,
        _hash_from(item["m"]) if "m" in item else None,
    )


def _later(time: datetime, microseconds: object) -> datetime:
    try:
        return time + timedelta(microseconds=check_count(microseconds, "r"))
    except OverflowError:
        raise MalformedText("The received time is out of range.") from None


def parse_asked(value: object) -> Asked:
    """Read what was asked for. Raises MalformedText (rule 6)."""
    if not isinstance(value, dict) or value.keys() != {"by", "from", "to"}:
        raise MalformedText("asked has the members by, from and to.")
    by, start, stop = value["by"], value["from"], value["to"]
    if by == "n":
        asked = Asked("n", check_count(start, "from"), check_count(stop, "to", 1))
    elif by == "received":
        parse_time(start, "from")
        parse_time(stop, "to")
        asked = Asked("received", start, stop)
    elif by == "observed":
        most = MAX_OBSERVED_CHARACTERS
        first, last = check_string(start, "from", most), check_string(stop, "to", most)
        asked = Asked("observed", first, last)
    else:
        raise MalformedText("asked.by must be n, received or observed.")
    if not start < stop:
        raise MalformedText("asked.from must lie before asked.to.")
    return asked


def _erased(value: object, statements: Sequence[Statement]) -> Mapping[int, Erased]:
    if not isinstance(value, list) or not 1 <= len(value) <= len(statements):
        raise MalformedText("erased lists at least one of the records carried.")
    found: dict[int, Erased] = {}
    last = statements[0].n - 1
    for item in value:
        if not isinstance(item, dict) or "n" not in item:
            raise MalformedText("An erasure has the members n, at, ground and record.")
        n = check_count(item["n"], "n", last + 1)
        if n > statements[-1].n:
            raise MalformedText("An erasure is of a record that is not carried.")
        found[n] = parse_erased({name: item[name] for name in item if name != "n"})
        last = n
    return found


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _hash_from(value: object) -> bytes:
    if isinstance(value, str) and len(value) == 43:
        try:
            data = base64.urlsafe_b64decode(value + "=")
        except (binascii.Error, ValueError):
            data = b""
        if len(data) == 32 and _base64url(data) == value:
            return data
    raise MalformedText("A hash must be 43 characters of base64url.")
