# SPDX-License-Identifier: Apache-2.0
"""The end of every sealing: a batch becomes the next leaf of the log."""

from dataclasses import dataclass
from datetime import datetime

from notary.core.descriptor import Descriptor, descriptor_leaf, format_descriptor
from notary.store.logtiles import append_leaf
from notary.store.pool import Transaction
from notary.usecases.gate import OpenLog, read_incarnation
from notary.usecases.marks import StateRefused


@dataclass(frozen=True, slots=True)
class Sealed:
    """A batch that is in the log: its index there, the dataset, how many leaves it has."""

    index: int
    dataset: str
    number: int
    count: int


def lock_log(tx: Transaction, log: OpenLog) -> int | None:
    """
    Lock the log's row until the end of the transaction and return its size: the index of
    the next batch. None: another sealer is at it.

    Raises:
        StateRefused: the database was exchanged.
    """
    if tx.row("try_sealer") == (False,):
        return None
    # The fence: from here to the commit nobody else appends to this log.
    index: int = tx.rows("lock_log")[0][2]
    if not read_incarnation(tx).same_life(log.incarnation):
        raise StateRefused("The database was exchanged.", reason="exchanged")
    return index


def append_batch(
    tx: Transaction,
    index: int,
    dataset: int,
    descriptor: Descriptor,
    source_count: int,
    now: datetime,
) -> Sealed:
    """
    Put a batch into the log, as `lock_log` said where; `source_count` is the dataset's.

    Raises:
        MalformedDescriptor: the descriptor isn't one.
    """
    text = format_descriptor(descriptor)
    leaf = descriptor_leaf(text)
    tx.do(
        "add_batch",
        index=index,
        dataset=dataset,
        number=descriptor.number,
        count=descriptor.count,
        leaf=leaf,
        now=now,
        descriptor=text,
    )
    append_leaf(tx, index, leaf)
    tx.do("advance_dataset", dataset=dataset, source_count=source_count, leaf=leaf)
    tx.do("advance_log", size=index + 1)
    return Sealed(index, descriptor.dataset, descriptor.number, descriptor.count)
