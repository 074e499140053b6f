# SPDX-License-Identifier: Apache-2.0
"""What is asked again and again never reads a whole table, however many records there are."""

import pytest

from notary.store import binary
from notary.store.queries import query
from tests.usecases.world import World

RECORDS = 150_000
SOURCES = 5_000
EACH = range(SOURCES)
PLACES = {"lanes": [1] * SOURCES, "sources": list(EACH)}
ASKED: dict[str, dict[str, object]] = {
    "sealing_leaves": {
        "chain": 0, **PLACES, "firsts": [20] * SOURCES, "counts": [2] * SOURCES
    },
    "find_heads": PLACES,
    "find_accepted": {**PLACES, "chains": [0] * SOURCES, "ns": [3] * SOURCES},
    "find_duplicates": {"prints": binary.array(EACH), "limit": 100},
    "find_promised": {
        "datasets": ["air"] * SOURCES, "sources": [f"s{i}" for i in EACH],
        "chains": [0] * SOURCES, "ns": [3] * SOURCES,
    },
}  # fmt: skip


@pytest.fixture
def full(world: World) -> World:
    """Tables of a notary that has run for a while, as far as the planner looks at them."""
    world.change(
        "INSERT INTO records (lane, source, n, received, chain, form, flags, leaf, payload) "
        "SELECT 1, i %% %s, i / %s, now(), 0, 1, 0, sha256(i::text::bytea), 'x' "
        "FROM generate_series(0, %s) AS i",
        SOURCES,
        SOURCES,
        RECORDS - 1,
    )
    world.change(
        "INSERT INTO duplicates SELECT hashint8extended(i, 0), i, 0, 0, 0 "
        "FROM generate_series(1, %s) AS i",
        RECORDS,
    )
    world.change("ANALYZE records, duplicates")
    return world


def test_everything_goes_by_an_index(full: World) -> None:
    """One look for each thing that is asked for, and none at what isn't."""
    reads_all = []
    with full.pool.transaction() as tx:
        for name, values in ASKED.items():
            tx.cursor.execute(f"EXPLAIN {query(name)}", values)
            plan = "\n".join(row[0] for row in tx.cursor.fetchall())
            assert "Index" in plan, plan
            if "Seq Scan on records" in plan or "Seq Scan on duplicates" in plan:
                reads_all.append(f"{name}:\n{plan}")
    assert reads_all == []
