# SPDX-License-Identifier: Apache-2.0
"""
The portable file that proves one record, one row of a version or a version's file.
Format `receipt/1`, canonical JSON. See docs/spec/receipt-v1.md.

Common members: `v`, `kind`, `descriptor` (text), `log` {index, path}, `checkpoint` (note),
`anchors` [{ledger, kind, size, root, path, evidence}], perhaps `consistency` {size, path}.
kind `record`: `statement` (text), `path`, `run` {entry (text), index, size, path}, and
where they are: `payload` (base64), `salt`, `tag_salt` (hex), `erased` {at, ground, record}.
kind `row`: `row` {number, bytes (base64), salt (hex)}, `path`.
kind `file`: `file` {salt}, perhaps `erased`.
"""

import base64
import binascii
from typing import Final

from notary.core import canonical
from notary.core.errors import MalformedReceipt, MalformedText
from notary.core.receipt_parts import (
    Anchor,
    Consistency,
    Erased,
    FilePart,
    Receipt,
    RecordPart,
    RowPart,
    RunPart,
    Subject,
)
from notary.core.words import (
    check_count,
    check_id,
    check_string,
    format_time,
    parse_hash,
    parse_time,
)

VERSION: Final = "receipt/1"
MAX_RECEIPT_BYTES: Final = 48 << 20
MAX_PATH: Final = 63
MAX_ANCHORS: Final = 1000
MAX_ERASED_CHARACTERS: Final = 500

_COMMON = frozenset({"v", "kind", "descriptor", "log", "checkpoint", "anchors"})
_RECORD = _COMMON | {"statement", "run", "path"}
_RECORD_OPTIONAL = frozenset({"consistency", "erased", "payload", "salt", "tag_salt"})


def parse_receipt(text: str) -> Receipt:
    """
    Read a receipt: canonical JSON, perhaps with one final newline.

    Raises:
        MalformedReceipt: not canonical, a member missing, unknown or out of range.

    docs/spec/receipt-v1.md, rules 1 to 9.
    """
    try:
        return receipt_from(canonical.loads(text.removesuffix("\n"), max_bytes=MAX_RECEIPT_BYTES))
    except MalformedText as error:
        raise error.renamed(MalformedReceipt) from None


def receipt_from(members: object) -> Receipt:
    """
    Read the members of a receipt, as they also stand inside a window.

    Raises:
        MalformedText: a member missing, unknown or out of range.
    """
    if not isinstance(members, dict) or members.get("v") != VERSION:
        raise MalformedText(f"The version must be {VERSION}.")
    subject = _subject(members)
    log = _object(members["log"], {"index", "path"})
    return Receipt(
        subject=subject,
        descriptor=_text(members["descriptor"]),
        log_index=check_count(log["index"], "index"),
        log_path=_path(log["path"]),
        checkpoint=_text(members["checkpoint"]),
        anchors=tuple(_anchor(item) for item in _list(members["anchors"], MAX_ANCHORS)),
        consistency=_consistency(members["consistency"]) if "consistency" in members else None,
        erased=parse_erased(members["erased"]) if "erased" in members else None,
    )


def format_receipt(receipt: Receipt) -> str:
    """
    Write a receipt as its canonical text, without final newline.

    Raises:
        MalformedReceipt: `parse_receipt` would not give it back.
    """
    members: dict[str, object] = {
        "v": VERSION,
        "kind": receipt.kind,
        "descriptor": receipt.descriptor,
        "log": {"index": receipt.log_index, "path": _hexes(receipt.log_path)},
        "checkpoint": receipt.checkpoint,
        "anchors": [_anchor_members(anchor) for anchor in receipt.anchors],
    }
    if receipt.consistency is not None:
        path = _hexes(receipt.consistency.path)
        members["consistency"] = {"size": receipt.consistency.size, "path": path}
    try:
        if receipt.erased is not None:
            members["erased"] = erased_members(receipt.erased)
        text = canonical.dumps(members | _subject_members(receipt.subject))
    except MalformedText as error:
        raise error.renamed(MalformedReceipt) from None
    if parse_receipt(text) != receipt:
        raise MalformedReceipt("The receipt doesn't survive being written.")
    return text


def parse_erased(value: object) -> Erased:
    """When, on what ground and by which record; as it also stands in a window."""
    members = _object(value, {"at", "ground", "record"})
    return Erased(
        at=parse_time(members["at"], "time of erasure"),
        ground=check_string(members["ground"], "ground", MAX_ERASED_CHARACTERS),
        record=check_string(members["record"], "record", MAX_ERASED_CHARACTERS),
    )


def erased_members(erased: Erased) -> dict[str, object]:
    """The members that `parse_erased` reads."""
    return {"at": format_time(erased.at), "ground": erased.ground, "record": erased.record}


def _subject(members: dict[str, object]) -> Subject:
    kind = members.get("kind")
    if kind == "record":
        _demand(members, _RECORD, _RECORD_OPTIONAL)
        return _record(members)
    if kind == "row":
        _demand(members, _COMMON | {"row", "path"}, frozenset({"consistency"}))
        row = _object(members["row"], {"bytes", "number", "salt"})
        number = check_count(row["number"], "row number")
        path = _path(members["path"])
        return RowPart(number, _base64(row["bytes"]), _salt_or_none(row["salt"]), path)
    if kind == "file":
        _demand(members, _COMMON | {"file"}, frozenset({"consistency", "erased"}))
        return FilePart(_salt_or_none(_object(members["file"], {"salt"})["salt"]))
    raise MalformedText("The kind must be record, row or file.")


def _record(members: dict[str, object]) -> RecordPart:
    run = _object(members["run"], {"entry", "index", "path", "size"})
    return RecordPart(
        statement=_text(members["statement"]),
        run=RunPart(
            entry=_text(run["entry"]),
            index=check_count(run["index"], "index"),
            size=check_count(run["size"], "size", 1),
            path=_path(run["path"]),
        ),
        path=_path(members["path"]),
        payload=_base64(members["payload"]) if "payload" in members else None,
        salt=parse_hash(members["salt"], "salt") if "salt" in members else None,
        tag_salt=parse_hash(members["tag_salt"], "tag salt") if "tag_salt" in members else None,
    )


def _subject_members(subject: Subject) -> dict[str, object]:
    if isinstance(subject, FilePart):
        return {"file": {"salt": subject.salt.hex()}}
    if isinstance(subject, RowPart):
        data = base64.b64encode(subject.data).decode()
        row = {"number": subject.number, "bytes": data, "salt": subject.salt.hex()}
        return {"row": row, "path": _hexes(subject.path)}
    run = subject.run
    path = _hexes(run.path)
    members: dict[str, object] = {
        "statement": subject.statement,
        "run": {"entry": run.entry, "index": run.index, "size": run.size, "path": path},
        "path": _hexes(subject.path),
    }
    if subject.payload is not None:
        members["payload"] = base64.b64encode(subject.payload).decode()
    for name, salt in (("salt", subject.salt), ("tag_salt", subject.tag_salt)):
        if salt is not None:
            members[name] = salt.hex()
    return members


def _anchor(item: object) -> Anchor:
    members = _object(item, {"evidence", "kind", "ledger", "path", "root", "size"})
    evidence = members["evidence"]
    if not isinstance(evidence, dict):
        raise MalformedText("The evidence of an anchor must be an object.")
    return Anchor(
        ledger=check_id(members["ledger"], "ledger"),
        kind=check_id(members["kind"], "kind"),
        size=check_count(members["size"], "size", 1),
        root=parse_hash(members["root"], "root"),
        path=_path(members["path"]),
        evidence=evidence,
    )


def _anchor_members(anchor: Anchor) -> dict[str, object]:
    return {
        "ledger": anchor.ledger,
        "kind": anchor.kind,
        "size": anchor.size,
        "root": anchor.root.hex(),
        "path": _hexes(anchor.path),
        "evidence": dict(anchor.evidence),
    }


def _consistency(value: object) -> Consistency:
    members = _object(value, {"path", "size"})
    return Consistency(check_count(members["size"], "size", 1), _path(members["path"]))


def _demand(members: dict[str, object], required: frozenset[str], optional: frozenset[str]) -> None:
    if not required <= members.keys() <= required | optional:
        raise MalformedText("A member is missing or unknown.")


def _object(value: object, names: set[str]) -> dict[str, object]:
    if not isinstance(value, dict) or value.keys() != names:
        raise MalformedText(f"An object with the members {', '.join(sorted(names))} is expected.")
    return value


def _list(value: object, most: int) -> list[object]:
    if not isinstance(value, list) or len(value) > most:
        raise MalformedText(f"A list of at most {most} items is expected.")
    return value


def _path(value: object) -> tuple[bytes, ...]:
    return tuple(parse_hash(item) for item in _list(value, MAX_PATH))


def _hexes(hashes: tuple[bytes, ...]) -> list[str]:
    return [hash_.hex() for hash_ in hashes]


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise MalformedText("Text is expected.")
    return value


def _base64(value: object) -> bytes:
    try:
        data = base64.b64decode(_text(value), validate=True)
    except (binascii.Error, ValueError):
        raise MalformedText("Base64 is expected.") from None
    if base64.b64encode(data).decode() != value:
        raise MalformedText("The base64 is not canonical.")
    return data


def _salt_or_none(value: object) -> bytes:
    return b"" if value == "" else parse_hash(value, "salt")
