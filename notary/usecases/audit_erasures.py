# SPDX-License-Identifier: Apache-2.0
"""The part of an audit that holds each erasure against the record that tells of it."""

import json
from typing import Any

from notary.core.words import format_time
from notary.store.pool import Transaction
from notary.usecases.audit_batches import Differs, naming


def look_at_erasures(tx: Transaction) -> int:
    """
    Every erasure: what it is about is there, and a record of the owner's dataset of erasures
    says the same. That the content is gone is looked at with the records and versions.
    """
    rows = tx.maps("audit_erasures")
    for row in rows:
        name = f"Erasure {row['id']}"
        if row["leaf"] is None and row["version_id"] is None:
            raise Differs(f"{name}: there is no such record or version.")
        if row["told_leaf"] is None or row["told_kept_for"] != "erasing" or not row["is_owners"]:
            raise Differs(f"{name}: no record of its owner's erasures tells of it.")
        with naming(name):
            _compare(name, row)
    return len(rows)


def _compare(name: str, row: dict[str, Any]) -> None:
    if row["told_erased"]:
        if (row["ordered"], row["done_by"], row["told"]) != (None, None, None):
            raise Differs(f"{name}: its record was erased, and not all that it said.")
        return
    if row["told"] is None or row["erased_at"] is None:
        raise Differs(f"{name}: what its record says, or its time, is missing.")
    members = ["dataset", "source", "chain", "n", "version"]
    said = {member: row[member] for member in members if row[member] is not None}
    said |= {"order": row["ordered"], "ground": row["ground"], "done_by": row["done_by"]}
    said["at"] = format_time(row["erased_at"])
    if row["leaf"] is not None:
        said["leaf"] = row["leaf"].hex()
    told = json.loads(row["told"])
    if {member: told.get(member) for member in told if member not in ("v", "by")} != said:
        raise Differs(f"{name}: its record says something else.")
