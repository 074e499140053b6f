# SPDX-License-Identifier: Apache-2.0
"""Departments: whose datasets and API keys there are."""

from datetime import datetime
from typing import Any

from notary.core.words import check_id, check_string
from notary.store.pool import Pool
from notary.usecases.rights import NotFound


def add_department(pool: Pool, identity: str, name: str, now: datetime) -> None:
    """
    Make a department known. Its id stays; the name is for people.

    Raises:
        MalformedText: the id or the name isn't one.
        NameTaken: there is a department of that id, or there was.
    """
    check_id(identity, "department")
    check_string(name, "name", 200)
    with pool.transaction() as tx:
        tx.do("add_department", id=identity, name=name, now=now)


def list_departments(pool: Pool, after: str, limit: int) -> list[dict[str, Any]]:
    """Id, name, created_at and closed_at of departments, by id, beginning after `after`."""
    with pool.transaction(read_only=True) as tx:
        return tx.maps("list_departments", after=after, limit=limit)


def name_of_department(pool: Pool, identity: str) -> str:
    """What people call a department, a closed one too. Raises NotFound."""
    with pool.transaction(read_only=True) as tx:
        row = tx.row("get_department_name", id=identity)
    if row is None:
        raise NotFound(f"There is no department {identity}.")
    return str(row[0])


def close_department(pool: Pool, identity: str, now: datetime) -> None:
    """
    End a department's keys, for good. Its datasets stay, readable as before.

    Raises:
        NotFound: there is none of that id, or it is closed.
    """
    with pool.transaction() as tx:
        if tx.do("close_department", id=identity, now=now) == 0:
            raise NotFound(f"There is no open department {identity}.")
        tx.do("end_keys_of_department", id=identity, now=now)
