# SPDX-License-Identifier: Apache-2.0
"""What gateways were told, held against what the notary has: who lost what, after a fault."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from notary.core.receipt import verify_receipt
from notary.core.statement import parse_statement, statement_leaf
from tests.iot_ingest.support import records
from tests.usecases.world import World

Key = tuple[str, str]
"""Source, and the reading's key: none is sent for two readings."""
Place = tuple[int, int, str]
"""Chain, n, and the leaf in hex."""


@dataclass
class Told:
    """What gateways did and heard, by key."""

    sent: dict[Key, bytes] = field(default_factory=dict)
    """The reading's bytes."""
    puback: set[Key] = field(default_factory=set)
    """The broker said that it has it."""
    accepted: dict[Key, set[Place]] = field(default_factory=dict)
    """The notary said that it has it, and where."""
    refused: list[dict[str, Any]] = field(default_factory=list)


def judge(world: World, dataset: str, told: Told, broker_was_killed: bool = False) -> None:
    """
    Once all has settled: nothing accepted is lost, nothing is doubled, chains and log are whole.

    The audit recomputes every statement, chain, run, batch and checkpoint.
    """
    rows = records(world, dataset)
    kept = {
        (source, key): (payload, (chain, n, leaf.hex()))
        for source, chain, n, leaf, payload, key, _ in rows
    }
    assert len(kept) == len(rows), "doubled: " + _some(
        key for key, count in Counter((row[0], row[5]) for row in rows).items() if count > 1
    )
    assert not (lost := told.accepted.keys() - kept.keys()), "accepted and lost: " + _some(lost)
    moved = [key for key, places in told.accepted.items() if places != {kept[key][1]}]
    assert not moved, "not where the acceptance says: " + _some(moved)
    if not broker_was_killed:
        assert not (lost := told.puback - kept.keys()), "the broker had it: " + _some(lost)
    other = [key for key, (payload, _) in kept.items() if told.sent.get(key) != payload]
    assert not other, "nobody sent it so: " + _some(other)
    ends: dict[str, int] = {}
    for source, chain, n, *_ in rows:
        assert (chain, n) == (0, ends.get(source, -1) + 1), f"a gap in {source} before {n}"
        ends[source] = n
    assert world.rows("SELECT count(*) FROM quarantine") == [(0,)]
    fresh = world.again()
    report = fresh.audit()
    fresh.close()
    assert report.findings == (), f"the audit found {report.findings}"
    assert (report.records, report.waiting) == (len(rows), 0)
    _check_receipt(world, dataset, told)


def _check_receipt(world: World, dataset: str, told: Told) -> None:
    """The last reading that was accepted: its receipt holds offline, and proves that very leaf."""
    (source, key), places = list(told.accepted.items())[-1]
    ((chain, n, leaf),) = places
    text = world.prover().receipt(dataset, source, n, caller=None).text
    verify_receipt(text, world.parts.trust())
    statement = json.loads(text)["statement"]
    parsed = parse_statement(statement)
    assert (parsed.source, parsed.key, parsed.chain, parsed.n) == (source, key, chain, n)
    assert statement_leaf(statement).hex() == leaf


def _some(keys: Iterable[Key]) -> str:
    found = sorted(keys)
    return f"{len(found)}, such as {found[:5]}"
