# SPDX-License-Identifier: Apache-2.0
"""
What shape a database has, as text: `schema.sql` is that of all migrations.

It isn't run by anybody: a review sees in it what a migration changes, and a test holds it
against a migrated database. To write it anew, with a database that is at head:

    python -m notary.store.snapshot postgresql://... > notary/store/schema.sql
"""

import sys
from collections.abc import Iterator
from itertools import groupby

from notary.store.pool import Pool, Transaction


def snapshot(tx: Transaction) -> str:
    """The tables with columns and constraints, indexes and sequences, all in one order."""
    return (
        "-- SPDX-License-Identifier: Apache-2.0\n"
        "-- Made by `python -m notary.store.snapshot` from all migrations; not for running.\n"
        + "".join(_tables(tx))
        + "\n"
        + "".join(f"{row[0]};\n" for row in tx.rows("snapshot_others"))
    )


def _tables(tx: Transaction) -> Iterator[str]:
    for table, rows in groupby(tx.rows("snapshot_tables"), key=lambda row: row[0]):
        lines = ",\n".join(f"    {text}" for _, text in rows)
        yield f"\nCREATE TABLE {table} (\n{lines}\n);\n"


def main(url: str) -> None:
    """Print the snapshot of a database."""
    pool = Pool(url, size=1)
    with pool.transaction(read_only=True) as tx:
        sys.stdout.write(snapshot(tx))
    pool.close()


if __name__ == "__main__":
    main(sys.argv[1])
