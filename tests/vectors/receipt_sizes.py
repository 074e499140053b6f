# SPDX-License-Identifier: Apache-2.0
"""Receipts in trees of 2^k - 1, 2^k and 2^k + 1 leaves: batch, run list, log, at both ends."""

from collections.abc import Iterator
from typing import Any

from tests.core.maker import City
from tests.vectors.receipt_attacks import changed, flip
from tests.vectors.receipt_valid import RECORD, Case, case, valid

MISMATCH, PATH = "root-mismatch", "malformed-proof"
SIZES = (2, 3, 4, 7, 8, 9)
WANT = RECORD | {"payload": "not-checked", "anchor": "not-checked"}
ROW_SIZES = (2, 8, 9)
ROW_WANT = {
    name: WANT[name] for name in ("payload", "log", "checkpoint", "witnesses", "time", "anchor")
} | {"row": "held", "payload": "held"}


def cases() -> Iterator[Case]:
    """For each size the first leaf of everything, and the last one."""
    for size in SIZES:
        yield from _records(size, at_end=False)
        yield from _records(size, at_end=True)
    for is_open, name in ((True, "open"), (False, "closed")):
        for size in ROW_SIZES:
            yield from _rows(size, is_open, f"{name}, {size} rows")


def city_of(size: int, *, at_end: bool) -> City:
    """As many batches as the size says; the first or the last holds one record of each source."""
    city = City()
    city.records = {f"s{number}": [] for number in range(size)}
    city.waiting = dict.fromkeys(city.records, 0)
    for place in range(size):
        is_whole = place == (size - 1 if at_end else 0)
        for source in city.records if is_whole else ("s0",):
            city.accept(source, b"%d" % place)
        city.seal()
    return city


def _records(size: int, *, at_end: bool) -> Iterator[Case]:
    city = city_of(size, at_end=at_end)
    source = f"s{size - 1}" if at_end else "s0"
    receipt = bare(city.receipt(source, 0))
    title = f"{'last' if at_end else 'first'} of {size} leaves"
    yield valid(f"{title}: as it is", receipt, WANT)
    ways: dict[str, tuple[int, tuple[str, ...]]] = {
        "batch": (6, ("path",)),
        "run": (5, ("run", "path")),
        "log": (8, ("log", "path")),
    }
    for name, (step, way) in ways.items():
        path: Any = receipt
        for part in way:
            path = path[part]
        for desc, other, error in changed_path(path):
            yield case(f"{title}: {name}, {desc}", changed(receipt, *way, to=other), error, step)
    other = changed(receipt, "log", "index", to=0 if at_end else 1)
    same = size & (size - 1) == 0 or not at_end
    if same:
        yield case(f"{title}: another index in the log", other, MISMATCH, 8)
    beyond = changed(receipt, "log", "index", to=size)
    yield case(f"{title}: an index beyond the log", beyond, PATH, 8)
    beyond = changed(receipt, "run", "index", to=size)
    yield case(f"{title}: an index beyond the run list", beyond, PATH, 5)


def bare(receipt: dict[str, Any]) -> dict[str, Any]:
    """Without payload and anchors, to be short."""
    return {name: receipt[name] for name in receipt if name != "payload"} | {"anchors": []}


def changed_path(path: list[str]) -> Iterator[tuple[str, list[str], str]]:
    """What may be done to a path, and what must follow."""
    for place in sorted({0, len(path) - 1}):
        other = [*path[:place], flip(path[place], 31), *path[place + 1 :]]
        yield f"a bit of hash {place}", other, MISMATCH
    yield "without its first", path[1:], PATH
    yield "with one more before it", ["aa" * 32, *path], PATH
    yield "with one more behind it", [*path, path[-1]], PATH
    if len(path) > 1:
        yield "in reverse", path[::-1], MISMATCH


def _rows(size: int, is_open: bool, title: str) -> Iterator[Case]:
    city = City(is_open=is_open)
    rows = [b"\x00\x00\x00\x01" + b"%x" % number for number in range(size)]
    city.seal_version(rows, b"".join(rows))
    for number, name in ((0, "first"), (size - 1, "last")):
        receipt = bare(city.row_receipt(0, number, rows[number]))
        yield valid(f"{title}: the {name}", receipt, ROW_WANT)
        for desc, other, error in changed_path(receipt["path"]):
            yield case(f"{title}: the {name}, {desc}", receipt | {"path": other}, error, 6)
        away = changed(receipt, "row", "number", to=size)
        yield case(f"{title}: the {name} as one beyond the end", away, PATH, 6)
        other_row = city.row_receipt(0, number ^ 1 if number ^ 1 < size else 0, b"")["row"]
        salted = changed(receipt, "row", "salt", to=other_row["salt"])
        if not is_open:
            yield case(f"{title}: the {name} with another row's salt", salted, MISMATCH, 6)
        longer = changed(receipt, "row", "bytes", to="AAAAATAw")
        yield case(f"{title}: the {name} with other bytes", longer, MISMATCH, 6)
        payload = rows[number]
        for desc, given in (
            ("its cell alone", payload[4:]),
            ("a line feed behind it", payload + b"\n"),
            ("nothing", b""),
        ):
            told = f"{title}: the {name}, given {desc}"
            yield case(told, receipt, "payload-mismatch", payload=given)
