# SPDX-License-Identifier: Apache-2.0
"""
Seal versions: each is a batch of its own.

Its tree stands since it was accepted and never changes, so both roots are computed from the
stored leaves before the log is locked, a subtree at a time. Then descriptor and leaf of the
log are one transaction; a crash anywhere leaves the version waiting.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from notary.core.descriptor import Descriptor
from notary.core.growing_tree import GrowingTree
from notary.store.pool import Pool
from notary.usecases.gate import OpenLog
from notary.usecases.log_writing import Sealed, append_batch, lock_log
from notary.usecases.second_root import RootsDisagree, SecondRoot, check_roots

TILES_AT_ONCE = 64
SUBTREE_LEAVES = 65_536
"""The second root is taken over complete subtrees of so many leaves, then over their roots."""


def seal_versions(
    pool: Pool, log: OpenLog, second: SecondRoot | None, now: datetime
) -> list[Sealed]:
    """
    Seal every version that waits, of each dataset in the order of their numbers.

    Raises:
        StateRefused: the database was exchanged.
        RootsDisagree: nothing more is sealed until a person looked.
    """
    sealed: list[Sealed] = []
    while True:
        with pool.transaction(read_only=True) as tx:
            waiting = tx.maps("waiting_versions")
        done = [_seal(pool, log, version, second, now) for version in waiting]
        sealed += [batch for batch in done if batch is not None]
        if not waiting or None in done:
            return sealed


def stored_leaves(pool: Pool, version: int) -> Iterator[list[bytes]]:
    """The leaf hashes of a version in their order, some at a time."""
    after = -1
    while True:
        with pool.transaction(read_only=True) as tx:
            rows = tx.rows("version_leaves", id=version, after=after, limit=TILES_AT_ONCE)
        if not rows:
            return
        joined = b"".join(row[1] for row in rows)
        yield [joined[at : at + 32] for at in range(0, len(joined), 32)]
        after = rows[-1][0]


def both_roots(leaves: Iterable[list[bytes]], second: SecondRoot | None) -> tuple[int, bytes]:
    """
    Count leaves and compute their root by our tree, and by somebody else's, in bounded memory.

    Raises:
        RootsDisagree.
    """
    tree, held, roots = GrowingTree(), [], []
    for some in leaves:
        for _ in tree.extend(some):
            pass
        if second is None:
            continue
        held += some
        while len(held) >= SUBTREE_LEAVES:
            # A complete subtree: what lies before it in the tree doesn't change its root.
            roots.append(second(held[:SUBTREE_LEAVES]))
            del held[:SUBTREE_LEAVES]
    if held and second is not None:
        roots.append(second(held))
    if tree.size:
        check_roots(roots, tree.root, second)
    return tree.size, tree.root


def _seal(
    pool: Pool, log: OpenLog, waiting: dict[str, Any], second: SecondRoot | None, now: datetime
) -> Sealed | None:
    count, root = both_roots(stored_leaves(pool, waiting["id"]), second)
    if (count, root) != (waiting["count"], waiting["root"]):
        raise RootsDisagree(got=root.hex(), want=waiting["root"].hex())
    with pool.transaction() as tx:
        index = lock_log(tx, log)
        if index is None:
            return None
        dataset = waiting["dataset"]
        name, number, known, prev = tx.rows("get_sealing_dataset", dataset=dataset)[0]
        rows = tx.maps("lock_waiting_version", dataset=dataset)
        if not rows or rows[0]["id"] != waiting["id"]:
            return None
        row, is_open = rows[0], tx.rows("is_dataset_open", dataset=dataset)[0][0]
        descriptor = Descriptor(
            dataset=name,
            kind="version",
            number=number,
            prev=prev,
            count=count,
            root=root,
            first=row["received"],
            last=row["received"],
            version=row["version"],
            profile=row["profile"],
            digest=row["hash"] if is_open else None,
            commitment=None if is_open else row["hash"],
            corrects=row["corrects"],
        )
        tx.do("mark_version", id=row["id"], batch=index)
        sealed = append_batch(tx, index, dataset, descriptor, known, now)
    # Committed: the version is in the log for good, not yet under a checkpoint.
    return sealed
