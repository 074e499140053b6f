# SPDX-License-Identifier: Apache-2.0
"""
The file that proves a run of records of one source. Format `window/1`, canonical JSON.

    {"asked":{"by":"received","from":"2026-…Z","to":"2026-…Z"},"head":"<statement>",
     "receipt":{…},"rest":[{"d":"<43 characters>","o":"…","r":3600000000}, …],"v":"window/1"}

`head` is the first statement carried, `rest` the following ones in compact form: `d` the
digest or commitment (base64url without padding), `r` microseconds since the record before,
`o` observed, `k` key, `m` message (base64url), `b` by and `t` type where they change.
n and prev follow. `receipt` proves the LAST one; whatever is left out, altered, reordered
or doubled breaks the chain of prev up to it. See docs/spec/window-v1.md.
"""

import base64
import binascii
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final, Literal

from notary.core import canonical
from notary.core.errors import MalformedText, MalformedWindow, PayloadMismatch
from notary.core.hashing import commitment, digest
from notary.core.receipt import verify_receipt
from notary.core.receipt_format import format_receipt, receipt_from
from notary.core.receipt_parts import Receipt, RecordPart
from notary.core.statement import Statement, format_statement, parse_statement, statement_leaf
from notary.core.trust import Trust
from notary.core.verdict import Verdict
from notary.core.words import check_count, check_string, format_time, parse_time

VERSION: Final = "window/1"
MAX_WINDOW_BYTES: Final = 256 << 20
MAX_RECORDS: Final = 1_000_000

AskedBy = Literal["n", "received", "observed"]

_COMPACT = frozenset({"b", "d", "k", "m", "o", "r", "t"})


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


@dataclass(frozen=True, slots=True)
class WindowVerdict:
    """
    A window that holds: records first..last of the chain are all there.

    `asked_first`..`asked_last` are those that were asked for (None: none lie in the span).
    `open_start`, `open_end`: nothing before or after shows that the span ends there.
    """

    dataset: str
    source: str
    chain: int
    first: int
    last: int
    asked_first: int | None
    asked_last: int | None
    open_start: bool
    open_end: bool
    payloads_checked: int
    receipt: Verdict


def format_window(window: Window) -> str:
    """
    Write a window as its canonical text.

    Raises:
        MalformedWindow: `parse_window` would not give it back.
    """
    first, *following = window.statements
    members = {
        "v": VERSION,
        "asked": {"by": window.asked.by, "from": window.asked.start, "to": window.asked.stop},
        "head": format_statement(first),
        "rest": [
            _compact(statement, before)
            for before, statement in zip(window.statements, following, strict=False)
        ],
        "receipt": canonical.loads(format_receipt(window.receipt), max_bytes=MAX_WINDOW_BYTES),
    }
    text = canonical.dumps(members)
    if parse_window(text) != window:
        raise MalformedWindow("The window doesn't survive being written.")
    return text


def parse_window(text: str) -> Window:
    """
    Read a window and rebuild its statements.

    Raises:
        MalformedWindow: not canonical, a member missing, unknown or out of range.
    """
    try:
        members = canonical.loads(text.removesuffix("\n"), max_bytes=MAX_WINDOW_BYTES)
        return _read(members)
    except MalformedText as error:
        raise MalformedWindow(error.detail) from None


def verify_window(
    window: Window | str,
    trust: Trust | str,
    payloads: Iterable[tuple[bytes | None, bytes]] | None = None,
) -> WindowVerdict:
    """
    Check that nothing is missing between the first and the last record carried.

    `payloads`: (salt or None, payload) of each record carried, in order.

    Raises:
        MalformedText: the window or a text in it is malformed.
        PayloadMismatch: a payload is another one, missing or too many.
        ReceiptRefused, RootMismatch and what else `verify_receipt` raises: the last record
            isn't proved, so none is.

    docs/spec/window-v1.md, steps 1 to 5.
    """
    if isinstance(window, str):
        window = parse_window(window)
    head, last = window.statements[0], window.statements[-1]
    # The chain was rebuilt from the head by prev; it must end in the proved statement.
    if not isinstance(
        window.receipt.subject, RecordPart
    ) or window.receipt.subject.statement != format_statement(last):
        raise MalformedWindow("The statements don't lead to the one that the receipt proves.")
    verdict = verify_receipt(window.receipt, trust)
    checked = _check_payloads(window.statements, payloads) if payloads is not None else 0
    inside = [s.n for s in window.statements if _is_asked(window.asked, s)]
    return WindowVerdict(
        dataset=head.dataset,
        source=head.source,
        chain=head.chain,
        first=head.n,
        last=last.n,
        asked_first=inside[0] if inside else None,
        asked_last=inside[-1] if inside else None,
        open_start=_is_open_start(window.asked, head),
        open_end=_is_open_end(window.asked, last),
        payloads_checked=checked,
        receipt=verdict,
    )


def _is_asked(asked: Asked, statement: Statement) -> bool:
    value: int | str | None = statement.n
    if asked.by == "received":
        value = format_time(statement.received)
    elif asked.by == "observed":
        value = statement.observed
    if isinstance(value, int):
        return (
            isinstance(asked.start, int)
            and isinstance(asked.stop, int)
            and (asked.start <= value < asked.stop)
        )
    return value is not None and str(asked.start) <= value < str(asked.stop)


def _is_open_start(asked: Asked, head: Statement) -> bool:
    """Whether records before the head could lie in the span."""
    if head.n == 0:
        return False
    if asked.by == "n":
        return isinstance(asked.start, int) and asked.start < head.n
    if asked.by == "received":
        return format_time(head.received) >= str(asked.start)
    return True


def _is_open_end(asked: Asked, last: Statement) -> bool:
    """Whether records after the last could lie in the span."""
    if asked.by == "n":
        return isinstance(asked.stop, int) and last.n < asked.stop - 1
    if asked.by == "received":
        return format_time(last.received) < str(asked.stop)
    return True


def _check_payloads(
    statements: Sequence[Statement], payloads: Iterable[tuple[bytes | None, bytes]]
) -> int:
    count = 0
    for statement, pair in zip(statements, payloads, strict=False):
        salt, payload = pair
        wanted = statement.digest or statement.commitment
        if (digest(payload) if salt is None else commitment(salt, payload)) != wanted:
            raise PayloadMismatch(f"The payload of record {statement.n} is another one.")
        count += 1
    if count != len(statements):
        raise PayloadMismatch(f"{count} payloads were given for {len(statements)} records.")
    return count


def _compact(statement: Statement, before: Statement) -> dict[str, object]:
    delta = statement.received - before.received
    microseconds = (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds
    members: dict[str, object] = {
        "d": _base64url(statement.digest or statement.commitment or b""),
        "r": microseconds,
    }
    for name, value in (("o", statement.observed), ("k", statement.key)):
        if value is not None:
            members[name] = value
    if statement.message is not None:
        members["m"] = _base64url(statement.message)
    if statement.by != before.by:
        members["b"] = statement.by
    if statement.type != before.type:
        members["t"] = statement.type
    return members


def _read(members: object) -> Window:
    names = {"asked", "head", "receipt", "rest", "v"}
    if not isinstance(members, dict) or members.keys() != names or members["v"] != VERSION:
        raise MalformedText(f"The members or the version ({VERSION}) are others.")
    rest = members["rest"]
    if not isinstance(members["head"], str) or not isinstance(rest, list):
        raise MalformedText("The head must be text, the rest a list.")
    if len(rest) >= MAX_RECORDS:
        raise MalformedText(f"A window carries at most {MAX_RECORDS} records.")
    receipt = receipt_from(members["receipt"])
    if receipt.kind != "record":
        raise MalformedText("The receipt of a window proves a record.")
    statements = [parse_statement(members["head"])]
    text = members["head"]
    for item in rest:
        statements.append(_expand(item, statements[-1], statement_leaf(text)))
        text = format_statement(statements[-1])
    return Window(_asked(members["asked"]), tuple(statements), receipt)


def _expand(item: object, before: Statement, leaf: bytes) -> Statement:
    if not isinstance(item, Mapping) or not {"d", "r"} <= item.keys() <= _COMPACT:
        raise MalformedText("A compact record has d, r and perhaps b, k, m, o, t.")
    hashed = _hash_from(item["d"])
    try:
        received = before.received + timedelta(microseconds=check_count(item["r"], "r"))
    except OverflowError:
        raise MalformedText("The received time is out of range.") from None
    if item.get("b") == before.by or item.get("t") == before.type:
        raise MalformedText("b and t stand only where they change.")
    return replace(
        before,
        n=before.n + 1,
        prev=leaf,
        received=received,
        digest=hashed if before.digest is not None else None,
        commitment=hashed if before.commitment is not None else None,
        observed=_optional(item, "o"),
        key=_optional(item, "k"),
        message=_hash_from(item["m"]) if "m" in item else None,
        by=item.get("b", before.by),
        type=item.get("t", before.type),
    )


def _optional(item: Mapping[str, object], name: str) -> str | None:
    return check_string(item[name], name, 128) if name in item else None


def _asked(value: object) -> Asked:
    if not isinstance(value, dict) or value.keys() != {"by", "from", "to"}:
        raise MalformedText("asked has the members by, from and to.")
    by, start, stop = value["by"], value["from"], value["to"]
    if by == "n":
        return Asked("n", check_count(start, "from"), check_count(stop, "to"))
    if by == "received":
        parse_time(start, "from")
        parse_time(stop, "to")
        return Asked("received", str(start), str(stop))
    if by == "observed":
        return Asked("observed", check_string(start, "from", 64), check_string(stop, "to", 64))
    raise MalformedText("asked.by must be n, received or observed.")


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _hash_from(value: object) -> bytes:
    if isinstance(value, str) and len(value) == 43:
        try:
            data = base64.b64decode(value + "=", altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            data = b""
        if len(data) == 32 and _base64url(data) == value:
            return data
    raise MalformedText("A hash must be 43 characters of base64url.")
