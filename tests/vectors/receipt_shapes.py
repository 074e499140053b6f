# SPDX-License-Identifier: Apache-2.0
"""Receipts of rows and files whose members are missing, of another sort, or too many."""

import json
from collections.abc import Iterator
from typing import Any

from tests.core.maker import make
from tests.vectors.receipt_attacks import changed
from tests.vectors.receipt_valid import CONTENT, ERASED, ROWS, Case, case, with_version

FORM = "malformed-receipt"
WRONG: tuple[Any, ...] = (None, True, -1, "x", [], {}, ["x"])
RIGHT: dict[str, tuple[type, ...]] = {
    "anchors": (list,),
    "path": (list,),
    "checkpoint": (str,),
    "descriptor": (str,),
    "bytes": (),
    "salt": (),
    "number": (),
}
"""What a member may be as far as its form goes; others have one value or members of their own."""


def cases() -> Iterator[Case]:
    """A row's and a file's, in a closed dataset: it has most."""
    city = with_version(is_open=False)
    row = city.row_receipt(3, 1, ROWS[1])
    file = city.file_receipt(3)
    yield from _shapes("row", row)
    yield from _shapes("file", file)
    yield from _foreign(row, file)


def _shapes(kind: str, receipt: dict[str, Any]) -> Iterator[Case]:
    ways: list[tuple[str | int, ...]] = [(name,) for name in receipt]
    ways += [(kind, name) for name in receipt[kind]]
    ways += [("log", name) for name in receipt["log"]]
    for way in ways:
        said = ".".join(map(str, way))
        yield case(f"{kind}: without {said}", _plain(changed(receipt, *way, to=...)), FORM)
        for wrong in WRONG:
            if type(wrong) in RIGHT.get(str(way[-1]), ()) and wrong != ["x"]:
                continue
            told = f"{kind}: {said} is {json.dumps(wrong)}"
            yield case(told, _plain(changed(receipt, *way, to=wrong)), FORM)
    for inner in (kind, "log"):
        yield case(f"{kind}: more in {inner}", changed(receipt, inner, "more", to=1), FORM)
    for bad in ("AA==\n", "AA", "AB==", "A A=", "AA=A", "====", "_w==", "é"):
        if kind == "row":
            yield case(f"row: bytes {bad!a}", changed(receipt, "row", "bytes", to=bad), FORM)
    for bad in ("00" * 31, "00" * 33, "GG" * 32, "AA" * 32, " " + "0" * 63, "0" * 63):
        told = f"{kind}: a salt {bad[:2]!a} of {len(bad)}"
        yield case(told, changed(receipt, kind, "salt", to=bad), FORM)


def _plain(receipt: dict[str, Any]) -> str:
    """As canonical JSON spells it, also what it refuses."""
    return json.dumps(receipt, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _foreign(row: dict[str, Any], file: dict[str, Any]) -> Iterator[Case]:
    """One kind's members in another's receipt, and one kind called another."""
    record = make().receipt("s1", 2)
    for kind, receipt in (("record", record), ("row", row), ("file", file)):
        for other in ("record", "row", "file"):
            if other != kind:
                yield case(f"{kind}: called {other}", receipt | {"kind": other}, FORM)
        for kind2, source in (("record", record), ("row", row), ("file", file)):
            extra = sorted(source.keys() - receipt.keys())
            for name in extra if kind2 != kind else ():
                mixed = receipt | {name: source[name]}
                yield case(f"{kind}: with the {name} of a {kind2}", mixed, FORM)
    for kind, receipt in (("row", row), ("file", file)):
        for name in ("payload", "salt", "tag_salt", "statement", "run", "logs", "v2"):
            if name not in receipt:
                yield case(f"{kind}: with {name}", receipt | {name: "00" * 32}, FORM)
    for desc, given in (
        ("its first byte alone", CONTENT[:1]),
        ("its first half", CONTENT[: len(CONTENT) // 2]),
        ("without its last byte", CONTENT[:-1]),
        ("with a BOM", b"\xef\xbb\xbf" + CONTENT),
        ("with CRLF", CONTENT.replace(b"\n", b"\r\n")),
        ("twice", CONTENT * 2),
        ("in reverse", CONTENT[::-1]),
        ("its rows alone", b"".join(ROWS)),
    ):
        yield case(f"file: given {desc}", file, "payload-mismatch", payload=given)
    gone = file | {"erased": ERASED}
    for bad in (None, {}, [], "today", {"at": ERASED["at"]}):
        yield case(f"file: erased {json.dumps(bad)}", gone | {"erased": bad}, FORM)
