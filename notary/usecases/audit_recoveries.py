# SPDX-License-Identifier: Apache-2.0
"""The part of an audit that looks at recoveries, and at batches whose records are lost."""

from notary.core.descriptor import parse_descriptor
from notary.core.note import open_note
from notary.core.recovery import Recovery, parse_recovery
from notary.core.runs import check_run_list, parse_run, run_leaf
from notary.core.tree import root
from notary.store.pool import Transaction
from notary.usecases.audit_batches import Differs, Facts, naming
from notary.usecases.marks import Mark


def read_lost(tx: Transaction, facts: Facts) -> None:
    """Which batches are said to be lost; `look_at_recoveries` says whether they may be."""
    for row in tx.maps("list_lost_batches"):
        with naming(f"lost batch {row['batch']}"):
            facts.lost[row["batch"]] = parse_descriptor(row["descriptor"])
        facts.lossy.add(row["dataset"])


def look_at_recoveries(tx: Transaction, facts: Facts, mark: Mark | None) -> int:
    """
    Each recovery was signed by the log's key and stands in the mark; each lost batch lies in the
    gap of one, and what is kept of it leads to its descriptor.
    """
    gaps: list[range] = []
    rows = tx.maps("list_recoveries")
    for row in rows:
        with naming(f"recovery {row['chain']}"):
            said = _read(row["note"], mark)
        stored = row["chain"], row["origin"], row["goes_on"]
        if stored != (said.chain, said.origin, said.goes_on) or row["last_size"] > said.kept:
            raise Differs(f"recovery {row['chain']}: the signed note says something else")
        if not said.is_closed:
            gaps.append(range(said.kept, said.size))
    for (number,) in tx.rows("audit_aside"):
        raise Differs(f"segment {number}: it is set aside, and no recovery tells of it")
    for row in tx.maps("list_lost_batches"):
        name = f"lost batch {row['batch']}"
        if not any(row["batch"] in gap for gap in gaps):
            raise Differs(f"{name}: its records are missing, and no recovery tells of it")
        with naming(name):
            _look_at_lost(name, facts, row["batch"], row["run_list"], row["leaves"])
    return len(rows)


def _read(note: str, mark: Mark | None) -> Recovery:
    if mark is None or note not in mark.recoveries:
        raise Differs("a recovery: the mark doesn't know it")
    return parse_recovery(open_note(note, [key.verifier for key in mark.log_keys]).text)


def _look_at_lost(
    name: str, facts: Facts, index: int, run_list: str | None, leaves: bytes | None
) -> None:
    said = facts.lost[index]
    if run_list is not None:
        lines = run_list.splitlines()
        check_run_list([parse_run(line) for line in lines], said.count)
        if root([run_leaf(line) for line in lines]) != said.runs:
            raise Differs(f"{name}: the run list is another one")
    if leaves is not None:
        hashes = [leaves[at : at + 32] for at in range(0, len(leaves), 32)]
        if len(leaves) != 32 * said.count or root(hashes) != said.root:
            raise Differs(f"{name}: the leaves are others")
