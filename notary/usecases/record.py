# SPDX-License-Identifier: Apache-2.0
"""From a row of the store back to the statement that its leaf was made of."""

from collections.abc import Mapping
from typing import Any

from notary.core.hashing import commitment, digest
from notary.core.statement import Statement, write_statement
from notary.core.words import ZERO_HASH


def statement_text(row: Mapping[str, Any]) -> str:
    """
    The canonical statement of a record.

    `row` has the columns of the query `find_record`. The digest or commitment follows
    from the payload; where that was erased, it is the one that was kept.
    """
    payload, kept = row["payload"], row["digest"]
    if payload is not None:
        salt = row["salt"]
        kept = digest(payload) if row["is_open"] else commitment(salt, payload)
    return write_statement(
        Statement(
            dataset=row["dataset"],
            source=row["source"],
            chain=row["chain"],
            n=row["n"],
            prev=row["prev"] or ZERO_HASH,
            received=row["received"],
            by=row["by_word"],
            type=row["type"],
            digest=kept if row["is_open"] else None,
            commitment=None if row["is_open"] else kept,
            observed=row["observed"],
            key=row["key"],
            message=row["message"],
        )
    )
