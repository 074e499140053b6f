# SPDX-License-Identifier: Apache-2.0
"""
Sharing: an owner grants another department a dataset or a version of it, and takes it back.

Each grant, withdrawal and hand-over is a record itself, of a closed dataset that the notary
keeps for the owner: one source (of random name) for each department that was granted
something. What it says is erasable; it names records by leaf and never by the digest of a
payload, which would outlive the payload's erasure. It is accepted in the transaction in which
the grant changes, and before anything is handed over.
"""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from notary.core.canonical import dumps
from notary.core.errors import MalformedText, NotaryError
from notary.core.words import check_id, check_string, format_time
from notary.store.pool import Pool, Transaction
from notary.usecases.accept import Acceptor
from notary.usecases.datasets import DatasetFacts, Grant, add_kept_dataset
from notary.usecases.reading import Acceptance, Outcome, Reading
from notary.usecases.rights import Caller, NotFound

PURPOSE, APPROVAL = 500, 128
"""How many characters a purpose and an approval's number have at most."""
OPERATOR = "none"
_REFUSED = {
    "kept": "The notary keeps this dataset for its owner; it can't be granted.",
    "open": "An open dataset needs no grant: anybody may read it.",
    "not-shared": "This dataset is not shared: change its sharing attribute first.",
    "own": "The department owns this dataset itself.",
}


class GrantRefused(NotaryError):
    """The dataset can't be granted so."""

    code = "grant-refused"


@dataclass(frozen=True, slots=True)
class NewGrant:
    """To whom, what for, by which approval; without a version the whole dataset."""

    to: str
    purpose: str
    approval: str
    version: int | None = None
    until: datetime | None = None


class Sharer:
    """Grants, withdraws and notes what is handed over; `acceptor` makes it durable."""

    def __init__(self, pool: Pool, acceptor: Acceptor) -> None:
        self._pool = pool
        self._acceptor = acceptor

    def grant(
        self, dataset: DatasetFacts, new: NewGrant, caller: Caller | None, now: datetime
    ) -> str:
        """
        Grant a dataset of the caller's and return the grant's id. Without a caller it is the
        operator who does.

        Raises:
            MalformedText: a text isn't one, or the end is no later than now.
            GrantRefused: the dataset is open, not shared, the notary's, or the department's own.
            NotFound: there is no such department, or no such version.
        """
        _check(dataset, new, now)
        log = add_kept_dataset(self._pool, dataset.owner, now)
        id_ = f"g.{secrets.token_hex(12)}"
        row = {
            "id": id_,
            "dataset": dataset.id,
            "version": new.version,
            "department": new.to,
            "purpose": new.purpose,
            "approval": new.approval,
            "now": now,
            "until": new.until,
        }

        def add(tx: Transaction) -> None:
            if tx.row("hold_department", id=new.to) is None:
                raise NotFound(f"There is no open department {new.to}.")
            asked = {"dataset": dataset.id, "version": new.version}
            if new.version is not None and tx.row("has_version", **asked) is None:
                raise NotFound(f"There is no version {new.version} of {dataset.name}.")
            tx.do("add_grant", **row)

        said = {
            "purpose": new.purpose,
            "approval": new.approval,
            **({} if new.version is None else {"version": new.version}),
            **({} if new.until is None else {"until": format_time(new.until)}),
        }
        about = _About("grant", id_, dataset.name, new.to, log)
        self._note(about, said, _by(caller), now, add)
        return id_

    def withdraw(
        self, dataset: DatasetFacts, grant: str, caller: Caller | None, now: datetime
    ) -> None:
        """Take a grant back: kept, with its time. Raises NotFound."""
        with self._pool.transaction(read_only=True) as tx:
            found = tx.maps("get_grant", id=grant, department=dataset.owner, only=[dataset.id])
        if not found:
            raise _no_grant(grant)

        def end(tx: Transaction) -> None:
            if tx.do("withdraw_grant", id=grant, now=now) == 0:
                raise _no_grant(grant)

        log = add_kept_dataset(self._pool, dataset.owner, now)
        about = _About("withdrawal", grant, dataset.name, found[0]["department"], log)
        self._note(about, {}, _by(caller), now, end)

    def hand_over(
        self,
        dataset: DatasetFacts,
        grant: Grant,
        what: Mapping[str, Any],
        caller: Caller,
        now: datetime,
    ) -> None:
        """
        Note what is about to be handed over. When this returns it is durable.

        Raises:
            NotFound: the grant was withdrawn meanwhile; nothing may be handed over.
        """

        def hold(tx: Transaction) -> None:
            if tx.row("hold_grant", id=grant.id, now=now) is None:
                raise NotFound(f"There is no dataset {dataset.name} here.")

        about = _About("hand-over", grant.id, dataset.name, caller.department, grant.log)
        self._note(about, {"what": dict(what)}, _by(caller), now, hold)

    def _note(
        self,
        about: "_About",
        said: Mapping[str, Any],
        by: str,
        now: datetime,
        change: Any,
    ) -> None:
        payload = dumps(
            {
                **said,
                "v": "sharing/1",
                "kind": about.kind,
                "grant": about.grant,
                "dataset": about.dataset,
                "to": about.to,
                "by": by,
                "at": format_time(now),
            }
        )
        reading = Reading(about.log, about.to, payload.encode(), "application/json", by)

        def within(tx: Transaction, outcomes: Mapping[int, Outcome]) -> None:
            change(tx)
            accepted = outcomes[0]
            assert isinstance(accepted, Acceptance)
            tx.do(
                "add_grant_record",
                grant=about.grant,
                kind=about.kind,
                received=accepted.received,
                dataset=accepted.dataset,
                source=accepted.source,
                chain=accepted.chain,
                n=accepted.n,
            )

        (outcome,) = self._acceptor.accept([reading], now, within)
        if not isinstance(outcome, Acceptance):
            raise MalformedText(outcome.detail, reason=outcome.reason)


@dataclass(frozen=True, slots=True)
class _About:
    """What a record of sharing is about, and the dataset that it goes into."""

    kind: str
    grant: str
    dataset: str
    to: str
    log: str


def list_grants(
    pool: Pool, dataset: DatasetFacts, caller: Caller | None, after: str, limit: int
) -> list[dict[str, Any]]:
    """
    Grants of a dataset by id, beginning after `after`: all for its owner (and the operator,
    who is no caller), for any other its own.
    """
    owns = caller is None or dataset.owned_by(caller)
    department = None if owns or caller is None else caller.department
    asked = {"dataset": dataset.id, "department": department}
    with pool.transaction(read_only=True) as tx:
        return tx.maps("list_grants", **asked, after=after, limit=limit)


def get_grant(pool: Pool, grant: str, caller: Caller) -> dict[str, Any]:
    """A grant, for one of its two sides. Raises NotFound."""
    with pool.transaction(read_only=True) as tx:
        return _demand_side(tx, grant, caller)


def list_grant_records(
    pool: Pool, grant: str, caller: Caller, after: int, limit: int
) -> list[dict[str, Any]]:
    """The records about a grant, for both its sides, also once it has ended. Raises NotFound."""
    with pool.transaction(read_only=True) as tx:
        _demand_side(tx, grant, caller)
        rows = tx.maps("list_grant_records", grant=grant, after=after, limit=limit)
    return [_read(row) for row in rows]


def find_grant_record(pool: Pool, grant: str, number: int, caller: Caller) -> dict[str, Any]:
    """Dataset, source, chain and n of a record about a grant, for both sides. Raises NotFound."""
    with pool.transaction(read_only=True) as tx:
        _demand_side(tx, grant, caller)
        rows = tx.maps("find_grant_record", grant=grant, number=number)
    if not rows:
        raise NotFound(f"There is no record {number} of {grant} here.")
    return rows[0]


def list_handovers(
    pool: Pool, dataset: DatasetFacts, after: int, limit: int
) -> list[dict[str, Any]]:
    """What was handed over of a dataset, to whom, under which grant: for its owner."""
    with pool.transaction(read_only=True) as tx:
        rows = tx.maps("list_handovers", dataset=dataset.id, after=after, limit=limit)
    return [_read(row) for row in rows]


def _demand_side(tx: Transaction, grant: str, caller: Caller) -> dict[str, Any]:
    only = None if caller.datasets is None else list(caller.datasets)
    rows = tx.maps("get_grant", id=grant, department=caller.department, only=only)
    if not rows:
        raise _no_grant(grant)
    return rows[0]


def _read(row: dict[str, Any]) -> dict[str, Any]:
    """With what the record says; nothing once that was erased."""
    payload = row.pop("payload")
    said = {} if payload is None else json.loads(payload)
    return {**row, "says": said}


def _check(dataset: DatasetFacts, new: NewGrant, now: datetime) -> None:
    check_id(new.to, "department")
    check_string(new.purpose, "purpose", PURPOSE)
    check_string(new.approval, "number of the approval", APPROVAL)
    if new.until is not None and new.until <= now:
        raise MalformedText("A grant ends later than now.", what="until")
    refused = {
        "kept": dataset.kept_for is not None,
        "open": dataset.is_open,
        "not-shared": dataset.sharing == "not-shared",
        "own": dataset.owner == new.to,
    }
    for reason, applies in refused.items():
        if applies:
            raise GrantRefused(_REFUSED[reason], reason=reason)


def _by(caller: Caller | None) -> str:
    return OPERATOR if caller is None else f"api:{caller.key_id}"


def _no_grant(grant: str) -> NotFound:
    return NotFound(f"There is no grant {grant} here.")
