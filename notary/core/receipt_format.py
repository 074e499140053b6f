# SPDX-License-Identifier: Apache-2.0
"""
The portable file that proves one record, one row of a version or a version's file.
Format `receipt/1`, canonical JSON. See docs/spec/receipt-v1.md, which numbers the steps.

Common members: `v`, `kind`, `descriptor` (text), `log` {index, path}, `checkpoint` (note),
`anchors` [{ledger, kind, size, root, path, evidence}].
kind `record`: `statement` (text), `path`, `run` {entry (text), index, size, path}, and
where they are: `payload` (base64), `salt`, `tag_salt` (hex), `erased`.
kind `row`: `row` {number, bytes (base64), salt (hex)}, `path`. kind `file`: `file` {salt}.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from notary.core import canonical
from notary.core.errors import MalformedReceipt, MalformedText
from notary.core.words import check_count, check_id, check_string, parse_hash

VERSION: Final = "receipt/1"
MAX_RECEIPT_BYTES: Final = 48 << 20
MAX_PATH: Final = 63

_COMMON = frozenset({"v", "kind", "descriptor", "log", "checkpoint", "anchors"})
_KINDS = {
    "record": (_COMMON | {"statement", "run", "path"}, {"payload", "salt", "tag_salt", "erased"}),
    "row": (_COMMON | {"row", "path"}, set()),
    "file": (_COMMON | {"file"}, set()),
}


@dataclass(frozen=True, slots=True)
class Path:
    """A place in a tree of `size` leaves (None: the checkpoint says it), hashes of 32 bytes."""

    index: int
    size: int | None
    hashes: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Anchor:
    """A checkpoint on a ledger; `path` leads from the descriptor to `root` at `size`."""

    ledger: str
    kind: str
    size: int
    root: bytes
    path: tuple[bytes, ...]
    evidence: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Row:
    """A version's row: its number is its index in the tree; `salt` is empty or 32 bytes."""

    number: int
    data: bytes
    salt: bytes


@dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt, parsed and not yet verified. Texts are kept as they are hashed."""

    kind: str
    descriptor: str
    log: Path
    checkpoint: str
    anchors: tuple[Anchor, ...]
    path: tuple[bytes, ...] = ()
    statement: str | None = None
    run_entry: str | None = None
    run_path: Path | None = None
    payload: bytes | None = None
    salt: bytes | None = None
    tag_salt: bytes | None = None
    erased: Mapping[str, object] | None = None
    row: Row | None = None
    file_salt: bytes | None = None


def parse_receipt(text: str) -> Receipt:
    """
    Read a receipt: canonical JSON, perhaps with one final newline.

    Raises:
        MalformedReceipt: not canonical, a member missing, unknown or out of range.
    """
    try:
        members = canonical.loads(text.removesuffix("\n"), max_bytes=MAX_RECEIPT_BYTES)
        return receipt_from(members)
    except MalformedText as error:
        raise MalformedReceipt(error.detail) from None


def receipt_from(members: object) -> Receipt:
    """
    Read the members of a receipt, as they also stand inside a window.

    Raises:
        MalformedText: a member missing, unknown or out of range.
    """
    if not isinstance(members, dict) or members.get("v") != VERSION:
        raise MalformedText(f"The version must be {VERSION}.")
    kind = members.get("kind")
    if kind not in ("record", "row", "file"):
        raise MalformedText("The kind must be record, row or file.")
    required, optional = _KINDS[kind]
    if not members.keys() >= required or not members.keys() <= required | optional:
        raise MalformedText("A member is missing or unknown.")
    log = _object(members["log"], {"index", "path"})
    receipt = Receipt(
        kind=kind,
        descriptor=_text(members["descriptor"]),
        log=Path(check_count(log["index"], "index"), None, _path(log["path"])),
        checkpoint=_text(members["checkpoint"]),
        anchors=tuple(_anchor(item) for item in _list(members["anchors"], 1000)),
        path=_path(members["path"]) if kind != "file" else (),
        **(_record(members) if kind == "record" else {}),  # type: ignore[arg-type]
        **(_row_or_file(kind, members)),  # type: ignore[arg-type]
    )
    if (receipt.payload is None) and receipt.salt is not None:
        raise MalformedText("A salt without its payload proves nothing.")
    return receipt


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
        "log": {"index": receipt.log.index, "path": _hexes(receipt.log.hashes)},
        "checkpoint": receipt.checkpoint,
        "anchors": [
            {
                "ledger": anchor.ledger,
                "kind": anchor.kind,
                "size": anchor.size,
                "root": anchor.root.hex(),
                "path": _hexes(anchor.path),
                "evidence": dict(anchor.evidence),
            }
            for anchor in receipt.anchors
        ],
    }
    if receipt.kind != "file":
        members["path"] = _hexes(receipt.path)
    if receipt.statement is not None:
        members["statement"] = receipt.statement
    if receipt.run_path is not None:
        members["run"] = {
            "entry": receipt.run_entry,
            "index": receipt.run_path.index,
            "size": receipt.run_path.size,
            "path": _hexes(receipt.run_path.hashes),
        }
    if receipt.payload is not None:
        members["payload"] = base64.b64encode(receipt.payload).decode()
    for name, salt in (("salt", receipt.salt), ("tag_salt", receipt.tag_salt)):
        if salt is not None:
            members[name] = salt.hex()
    if receipt.erased is not None:
        members["erased"] = dict(receipt.erased)
    if receipt.row is not None:
        data = base64.b64encode(receipt.row.data).decode()
        salt_text = receipt.row.salt.hex()
        members["row"] = {"number": receipt.row.number, "bytes": data, "salt": salt_text}
    if receipt.file_salt is not None:
        members["file"] = {"salt": receipt.file_salt.hex()}
    text = canonical.dumps(members)
    if parse_receipt(text) != receipt:
        raise MalformedReceipt("The receipt doesn't survive being written.")
    return text


def _record(members: dict[str, object]) -> dict[str, object]:
    run = _object(members["run"], {"entry", "index", "path", "size"})
    size = check_count(run["size"], "size", 1)
    return {
        "statement": _text(members["statement"]),
        "run_entry": _text(run["entry"]),
        "run_path": Path(check_count(run["index"], "index"), size, _path(run["path"])),
        "payload": _base64(members["payload"]) if "payload" in members else None,
        "salt": parse_hash(members["salt"], "salt") if "salt" in members else None,
        "tag_salt": parse_hash(members["tag_salt"], "tag salt") if "tag_salt" in members else None,
        "erased": _erased(members["erased"]) if "erased" in members else None,
    }


def _row_or_file(kind: str, members: dict[str, object]) -> dict[str, object]:
    if kind == "row":
        row = _object(members["row"], {"bytes", "number", "salt"})
        number = check_count(row["number"], "row number")
        return {"row": Row(number, _base64(row["bytes"]), _salt_or_none(row["salt"]))}
    if kind == "file":
        return {"file_salt": _salt_or_none(_object(members["file"], {"salt"})["salt"])}
    return {}


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


def _erased(value: object) -> Mapping[str, object]:
    """When, on what ground, and the record of the erasure: the notary's word."""
    members = _object(value, {"at", "ground", "record"})
    for name in ("at", "ground", "record"):
        check_string(members[name], name, 500)
    return members


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
