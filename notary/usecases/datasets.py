# SPDX-License-Identifier: Apache-2.0
"""Datasets: created, described, found by whoever may read them."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from notary.core.errors import MalformedText
from notary.core.policy import parse_keep
from notary.core.words import ZERO_HASH, check_id, check_string
from notary.store.pool import Pool, Transaction
from notary.usecases.lanes import LANES
from notary.usecases.rights import Caller, NotFound

SHARING = ("unconditional", "conditional", "not-shared")
"""The sharing attribute (State Council Order 809, article 9)."""
DESCRIBED = {
    "label": 200,
    "licence": 200,
    "catalogue": 128,
    "classification": 64,
    "update_cycle": 64,
}
"""What people are told of a dataset, and how many characters it has at most."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What a department may read of another's dataset; `log`: the dataset that keeps it."""

    id: str
    version: int | None
    log: str


@dataclass(frozen=True, slots=True)
class DatasetFacts:
    """
    What is on file of a dataset; `owner` is a department's id.

    `grants`: what the caller was granted of it, that of the whole first. `kept_for`: the
    notary alone writes it. `keep_days`: for how long content stays here; None: for good.
    """

    id: int
    name: str
    label: str
    owner: str
    is_open: bool
    random_sources: bool
    digest_index: bool
    lane_count: int
    batch_count: int
    source_count: int
    created_at: datetime
    licence: str | None
    catalogue: str | None
    sharing: str
    classification: str | None
    update_cycle: str | None
    kept_for: str | None
    keep_days: int | None = None
    grants: tuple[Grant, ...] = ()

    def owned_by(self, caller: Caller | None) -> bool:
        """Whether it is the caller's department's, and the caller's key is for it."""
        return caller is not None and caller.department == self.owner and self._is_for(caller)

    def seen_by(self, caller: Caller | None) -> bool:
        """Whether it is there for the caller at all; what the key may do is another question."""
        granted = caller is not None and bool(self.grants) and self._is_for(caller)
        return self.is_open or self.owned_by(caller) or granted

    def grant_for(self, version: int | None) -> Grant | None:
        """The grant under which the caller may read the whole, or a version of it."""
        fit = (grant for grant in self.grants if grant.version in (None, version))
        return next(fit, None)

    def _is_for(self, caller: Caller) -> bool:
        return caller.datasets is None or self.id in caller.datasets


def check_description(is_open: bool, values: Mapping[str, object]) -> None:
    """
    Demand that what is said of a dataset can be.

    Raises:
        MalformedText: a text is too long, or the sharing attribute isn't one for it.
    """
    for name, most in DESCRIBED.items():
        if values.get(name) is not None or (name == "label" and name in values):
            check_string(values[name], name.replace("_", " "), most)
    if values.get("keep") is not None:
        parse_keep(values["keep"])
    if "sharing" in values and values["sharing"] not in SHARING:
        raise MalformedText(f"The sharing attribute is one of {', '.join(SHARING)}.")
    if is_open and values.get("sharing", "unconditional") != "unconditional":
        raise MalformedText("An open dataset is shared unconditionally.", what="sharing")


def add_dataset(
    pool: Pool,
    caller: Caller,
    now: datetime,
    *,
    name: str | None,
    label: str,
    is_open: bool,
    random_sources: bool = False,
    digest_index: bool = False,
    lane_count: int = LANES,
    description: Mapping[str, str | None] | None = None,
) -> DatasetFacts:
    """
    Create a dataset that the caller's department owns. One that isn't open gets a random id.

    `description`: licence, catalogue, sharing, classification, update_cycle, keep. Unless it is
    said, what isn't open is not shared.

    Raises:
        MalformedText: the id, the label or the description isn't one.
        NameTaken: a dataset of that id exists.
        KeyRestricted: the caller's key is for certain datasets only.
    """
    caller.demand_unrestricted()
    if is_open:
        check_id(name, "id")
    said = {"sharing": "unconditional" if is_open else "not-shared", **(description or {})}
    check_description(is_open, {**said, "label": label})
    with pool.transaction() as tx:
        return _add(
            tx,
            caller.department,
            now,
            name=name if is_open else None,
            random_sources=random_sources and not is_open,
            digest_index=digest_index and is_open,
            lane_count=lane_count,
            **_with_days({**said, "label": label}),
        )


def _with_days(said: Mapping[str, str | None]) -> dict[str, Any]:
    """What is said of a dataset, with `keep` as a number of days."""
    keep = said.get("keep")
    return {**said, "keep_days": None if keep is None else parse_keep(keep)}


def _add(tx: Transaction, owner: str, now: datetime, **said: Any) -> DatasetFacts:
    """A dataset with its lanes; without a name it is closed, and has a random id."""
    values = {
        **dict.fromkeys(DESCRIBED),
        "keep_days": None,
        "name": f"d.{secrets.token_hex(16)}",
        "sharing": "not-shared",
        "random_sources": False,
        "digest_index": False,
        "lane_count": 1,
        **{name: value for name, value in said.items() if value is not None},
    }
    is_open = said.get("name") is not None
    added = tx.rows("add_dataset", owner=owner, is_open=is_open, zero=ZERO_HASH, now=now, **values)
    tx.do("add_lanes", dataset=added[0][0], count=values["lane_count"])
    facts = _read(tx, values["name"], None)
    assert facts is not None
    return facts


def _read(tx: Transaction, name: str, caller: Caller | None) -> DatasetFacts | None:
    known = caller is not None and caller.at is not None
    rows = tx.maps(
        "get_dataset",
        name=name,
        department=caller.department if caller is not None and known else None,
        now=caller.at if caller is not None else None,
    )
    if not rows:
        return None
    grants = tuple(Grant(**grant) for grant in rows[0].pop("grants") or ())
    return DatasetFacts(**rows[0], grants=grants)


def describe_dataset(pool: Pool, facts: DatasetFacts, said: Mapping[str, str | None]) -> None:
    """
    Change what is said of a dataset, as far as it is named; None takes a word back.

    Raises:
        MalformedText: it can't be said.
    """
    check_description(facts.is_open, said)
    values = {**dict.fromkeys((*DESCRIBED, "sharing")), **_with_days(said)}
    if "keep" in said and facts.kept_for is not None:
        raise MalformedText("What the notary keeps itself, it keeps whole.", what="keep")
    with pool.transaction() as tx:
        tx.do("describe_dataset", id=facts.id, named=list(said), **values)


def get_dataset(pool: Pool, name: str, caller: Caller | None) -> DatasetFacts:
    """A dataset that is there for the caller. Raises NotFound, also for what is another's."""
    with pool.transaction(read_only=True) as tx:
        return find_dataset(tx, name, caller)


def find_dataset(tx: Transaction, name: str, caller: Caller | None) -> DatasetFacts:
    """The same inside a transaction. Raises NotFound."""
    facts = _read(tx, name, caller)
    if facts is None or not facts.seen_by(caller):
        raise no_dataset(name)
    return facts


def no_dataset(name: str) -> NotFound:
    """What is said of a name that doesn't exist, and of what is another's."""
    return NotFound(f"There is no dataset {name} here.", what="dataset", name=name)


def list_datasets(pool: Pool, caller: Caller | None, after: str, limit: int) -> list[DatasetFacts]:
    """
    The open datasets, the caller's own and those that it was granted something of, by id,
    beginning after `after`.
    """
    only = None if caller is None or caller.datasets is None else list(caller.datasets)
    with pool.transaction(read_only=True) as tx:
        rows = tx.maps(
            "list_datasets",
            owner=None if caller is None else caller.department,
            now=None if caller is None else caller.at,
            only=only,
            after=after,
            limit=limit,
        )
    return [DatasetFacts(**row) for row in rows]


def list_own_datasets(pool: Pool, caller: Caller, after: str, limit: int) -> list[DatasetFacts]:
    """What the caller's key may hand something in to, by id, beginning after `after`."""
    only = None if caller.datasets is None else list(caller.datasets)
    asked = {"owner": caller.department, "only": only, "after": after, "limit": limit}
    with pool.transaction(read_only=True) as tx:
        return [DatasetFacts(**row) for row in tx.maps("list_own_datasets", **asked)]


def add_kept_dataset(pool: Pool, owner: str, now: datetime, kept_for: str = "sharing") -> str:
    """The name of the dataset that the notary keeps for its own records about an owner's data."""
    with pool.transaction() as tx:
        tx.row("lock_department", id=owner)
        row = tx.row("find_kept_dataset", owner=owner, kept_for=kept_for)
        if row is not None:
            return str(row[0])
        made = _add(tx, owner, now, label=f"Records of {kept_for}", random_sources=True)
        tx.do("keep_dataset", id=made.id, kept_for=kept_for)
        return made.name


def list_all_datasets(pool: Pool) -> list[DatasetFacts]:
    """Every dataset by id, whoever owns it: for the operator alone."""
    with pool.transaction(read_only=True) as tx:
        return [DatasetFacts(**row) for row in tx.maps("list_all_datasets")]
