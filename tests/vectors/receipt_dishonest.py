# SPDX-License-Identifier: Apache-2.0
"""Receipts of a notary that lies, and signs what it says with its true key."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from notary.core import canonical
from notary.core.descriptor import Descriptor, parse_descriptor
from notary.core.receipt import row_leaf
from notary.core.runs import run_leaf
from tests.core import reference
from tests.core.maker import City, hexes, make
from tests.vectors.receipt_attacks import refused, retold
from tests.vectors.receipt_valid import ROWS, Case, case

MISMATCH = "root-mismatch"


def cases() -> Iterator[Case]:
    """Each lie is in the log, under a true checkpoint; the receipt alone gives it away."""
    yield from _places()
    yield from _kinds()
    yield from _descriptors()


def lie(
    city: City, leaves: list[bytes], runs: list[str], source: str, n: int, **members: Any
) -> dict[str, Any]:
    """The receipt of a record in a further batch, whose leaves and runs are as told."""
    made, last = city.records[source][n], parse_descriptor(city.batches[-1].descriptor)
    honest = city.batches[city.sealed[source, n]]
    entry = runs[honest.run_of[source]]
    run_leaves: list[bytes] = [run_leaf(text) for text in runs]
    descriptor = replace(
        last,
        number=last.number + 1,
        count=len(leaves),
        root=reference.mth(leaves),
        runs=reference.mth(run_leaves),
        first=made.statement.received,
        last=made.statement.received,
    )
    city.append(replace(descriptor, **members), leaves, runs, honest.run_of)
    city.sealed[source, n] = len(city.batches) - 1
    assert json.loads(entry)
    return city.receipt(source, n)


def _runs_but(city: City, batch: int, source: str, **members: Any) -> list[str]:
    runs = list(city.batches[batch].runs)
    place = city.batches[batch].run_of[source]
    runs[place] = retold(runs[place], **members)
    return runs


def _places() -> Iterator[Case]:
    """Batch 1 again, with one thing told otherwise; s1 has its records 2 and 3 in it."""
    changes: dict[str, tuple[dict[str, Any], str]] = {
        "a run of another source": ({"tag": "aa" * 32}, "other-source"),
        "a run of another chain": ({"chain": 1}, "other-chain"),
        "a run that begins later": ({"first": 3}, "outside-run"),
        "a run that ended before": ({"first": 0, "count": 2, "prev": "00" * 32}, "outside-run"),
        "a run that reaches beyond the batch": ({"count": 4}, "run-too-long"),
        "a run that begins beyond the batch": ({"offset": 4}, "run-too-long"),
        "a run linked to another record": ({"prev": "aa" * 32}, "other-prev"),
    }
    for desc, (members, reason) in changes.items():
        city = make()
        runs = _runs_but(city, 1, "s1", **members)
        yield case(desc, lie(city, city.batches[1].leaves, runs, "s1", 2), refused(reason))
    city = make()
    runs = _runs_but(city, 1, "s1", last="aa" * 32)
    receipt = lie(city, city.batches[1].leaves, runs, "s1", 3)
    yield case("a run with another last record", receipt, refused("other-last"))
    for offset in (0, 2):
        city = make()
        runs = _runs_but(city, 1, "s1", offset=offset)
        receipt = lie(city, city.batches[1].leaves, runs, "s1", 2)
        yield case(f"a record beside its place, offset {offset}", receipt, MISMATCH, 6)
    city = make()
    leaves = city.batches[1].leaves
    receipt = lie(city, [leaves[0], leaves[2], leaves[1], leaves[3]], city.batches[1].runs, "s1", 2)
    yield case("two records in the wrong order", receipt, MISMATCH, 6)
    city = make()
    receipt = lie(city, [*leaves[:2], leaves[1], *leaves[2:]], city.batches[1].runs, "s1", 3)
    yield case("a record that stands twice", receipt, MISMATCH, 6)
    city = make()
    outside = city.accept("s1", b"{}")
    city.sealed["s1", outside.statement.n] = 1
    receipt = lie(city, [*leaves, outside.leaf], city.batches[1].runs, "s1", outside.statement.n)
    yield case("a record that no run holds", receipt, refused("outside-run"))


def _kinds() -> Iterator[Case]:
    """A row passed off as a record, and the reverse."""
    city = make()
    made = city.records["s1"][2]
    version = Descriptor(
        dataset="weather",
        kind="version",
        number=3,
        prev=bytes(32),
        count=4,
        root=reference.mth(city.batches[1].leaves),
        first=made.statement.received,
        last=made.statement.received,
        version=1,
        profile="csv-v1",
        digest=bytes(32),
    )
    honest = city.batches[1]
    city.append(version, honest.leaves, honest.runs, honest.run_of)
    city.sealed["s1", 2] = 3
    receipt = city.receipt("s1", 2)
    yield case("statements sealed as rows", receipt, refused("statement-in-version"))
    row = city.row_receipt(3, 1, made.text.encode())
    yield case("a statement shown as the bytes of a row", row, MISMATCH, 6)
    city = make()
    leaves: list[bytes] = [row_leaf("csv-v1", b"", item) for item in ROWS]
    records = replace(
        parse_descriptor(city.batches[1].descriptor), count=3, root=reference.mth(leaves)
    )
    city.append(records, leaves)
    receipt = city.row_receipt(3, 1, ROWS[1])
    yield case("rows sealed as records", receipt, refused("row-in-records"))
    faked = city.receipt("s1", 2) | {
        "descriptor": city.batches[3].descriptor,
        "log": {"index": 3, "path": hexes(reference.path(3, city.log_leaves()))},
        "statement": "row/1 csv-v1\n" + ROWS[1].decode(),
        "path": hexes(reference.path(1, leaves)),
    }
    yield case("the bytes before a row's hash as a statement", faked, "malformed-statement")
    other = make()
    other.seal_version(ROWS, b"")
    descriptor = json.loads(other.batches[3].descriptor)
    prefixed = replace(parse_descriptor(canonical.dumps(descriptor)), profile="ndjson-v1")
    other.append(prefixed, other.batches[3].leaves)
    profile = other.row_receipt(4, 1, ROWS[1])
    yield case("rows under another profile", profile, MISMATCH, 6)


def _descriptors() -> Iterator[Case]:
    times = make().records["s1"]
    early, late = times[1].statement.received, times[3].statement.received
    for desc, members in (
        ("a batch that ends before the record", {"first": early, "last": early}),
        ("a batch that begins after the record", {"first": late, "last": late}),
    ):
        city = make()
        honest = city.batches[1]
        receipt = lie(city, honest.leaves, honest.runs, "s1", 2, **members)
        yield case(desc, receipt, refused("outside-times"))
    city = make()
    honest = city.batches[1]
    receipt = lie(city, honest.leaves, honest.runs, "s1", 2, dataset="traffic")
    yield case("a batch of another dataset", receipt, refused("other-dataset"))
