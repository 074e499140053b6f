# SPDX-License-Identifier: Apache-2.0
"""
API keys: `ntr_<id>_<secret>`; only SHA-256 of the 256-bit secret is stored.

A key ends by its expiry, by rotation (after the overlap), by being revoked, or with its
department. A giver is a caller who handles keys: one with `manage` those of its own
department, one with `admin` all; None is the operator at the command line.
"""

import hmac
import re
import secrets
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from notary.core.errors import MalformedText, NotaryError
from notary.core.words import check_id
from notary.store.pool import Pool, Transaction
from notary.usecases.datasets import find_dataset, no_dataset
from notary.usecases.rights import (
    DAILY_SCOPES,
    Caller,
    KeyUnknown,
    NotFound,
    TooManyKeys,
    check_scopes,
)

MAX_DAYS = 1_096
YEAR_DAYS = 365
MAX_OVERLAP_HOURS = 720
MAX_DATASETS = 100
MAX_KEYS = 1_000
"""As many valid keys a department has at most."""
NOTED_EACH = timedelta(hours=1)
"""The last use of a key is written at most once in so long."""
KEY_PREFIX = "ntr_"
_KEY = re.compile(r"ntr_([0-9a-f]{12})_([0-9a-f]{64})", re.ASCII)


@dataclass(frozen=True, slots=True)
class NewKey:
    """
    A key to be made: what it may do, for which datasets (names; none: for all), how long.
    """

    department: str
    scopes: Sequence[str] = DAILY_SCOPES
    datasets: Sequence[str] = ()
    days: int = YEAR_DAYS


def add_key(pool: Pool, new: NewKey, now: datetime, giver: Caller | None = None) -> str:
    """
    Make an API key and return it: the only time that it can be seen.

    Raises:
        MalformedText: no id, none of the scopes, or not 1 to 1,096 days.
        NotFound: there is no such department (or it isn't the giver's), or no such dataset.
        ScopeMissing: the giver lacks a scope that the key would have.
        KeyRestricted: the giver is for certain datasets only.
        TooManyKeys: the department has 1,000 valid ones.
    """
    check_id(new.department, "department")
    scopes = check_scopes(new.scopes)
    if not 1 <= new.days <= MAX_DAYS:
        raise MalformedText(f"A key is valid for 1 to {MAX_DAYS} days.", what="days")
    if len(new.datasets) > MAX_DATASETS:
        raise MalformedText(f"A key names at most {MAX_DATASETS} datasets.", what="datasets")
    _check_giver(giver, scopes, new.department)
    with pool.transaction() as tx:
        # Held, so that a department that is being closed gets no key that outlives it.
        if tx.row("hold_department", id=new.department) is None:
            raise _no_department(new.department)
        owner = Caller("", new.department, at=now)
        ids = [_usable(tx, name, owner) for name in new.datasets]
        return _write(tx, new.department, scopes, ids or None, now, timedelta(days=new.days))


def rotate_key(
    pool: Pool, identity: str, overlap: timedelta, now: datetime, giver: Caller | None = None
) -> str:
    """
    Make the successor of a key and return it: same department, scopes, datasets and lifetime.
    The old one ends after the overlap, if it didn't end before.

    Raises:
        MalformedText: the overlap isn't 0 to 720 hours.
        NotFound: there is no valid key of that id, or it isn't the giver's.
        ScopeMissing: the giver lacks a scope that the key has.
        KeyRestricted: the giver is for certain datasets only.
        TooManyKeys: the department has 1,000 valid ones.
    """
    if not timedelta(0) <= overlap <= timedelta(hours=MAX_OVERLAP_HOURS):
        raise MalformedText(f"The overlap is 0 to {MAX_OVERLAP_HOURS} hours.", what="overlap")
    with pool.transaction() as tx:
        row = tx.row("lock_api_key", id=identity, department=_only(giver), now=now)
        if row is None:
            raise _no_key(identity)
        department, scopes, datasets, created, expires = row
        _check_giver(giver, scopes, department)
        tx.do("end_api_key", id=identity, end=now + overlap)
        return _write(tx, department, scopes, datasets, now, expires - created)


def revoke_key(pool: Pool, identity: str, now: datetime, giver: Caller | None = None) -> None:
    """End a key at once, for good. Raises NotFound, KeyRestricted."""
    if giver is not None:
        giver.demand_unrestricted()
    with pool.transaction() as tx:
        if tx.do("revoke_api_key", id=identity, department=_only(giver), now=now) == 0:
            raise _no_key(identity)


def list_keys(
    pool: Pool, after: str, limit: int, giver: Caller | None = None
) -> list[dict[str, Any]]:
    """
    The keys that the giver handles, by id, beginning after `after`: never a secret.

    Raises KeyRestricted.
    """
    if giver is not None:
        giver.demand_unrestricted()
    with pool.transaction(read_only=True) as tx:
        return tx.maps("list_api_keys", department=_only(giver), after=after, limit=limit)


def find_caller(pool: Pool, key: str, now: datetime) -> Caller:
    """Who stands behind an API key. Raises KeyUnknown, always for the same reason."""
    match = _KEY.fullmatch(key)
    if match is None:
        raise KeyUnknown()
    with pool.transaction(read_only=True) as tx:
        row = tx.row("get_api_key", id=match[1], now=now)
    want = row[1] if row else bytes(32)
    if not hmac.compare_digest(_hash(match[2]), want) or row is None:
        raise KeyUnknown()
    department, _, scopes, datasets, used = row
    if used is None or used < now - NOTED_EACH:
        # Where nothing can be written, what may be read is read all the same.
        with suppress(NotaryError), pool.transaction() as tx:
            tx.do("note_use_of_api_key", id=match[1], now=now, before=now - NOTED_EACH)
    only = None if datasets is None else frozenset(datasets)
    return Caller(match[1], department, frozenset(scopes), only, now)


def find_caller_by_id(pool: Pool, identity: str, now: datetime) -> Caller:
    """Who stands behind a key that was shown before, as it is now. Raises KeyUnknown."""
    with pool.transaction(read_only=True) as tx:
        row = tx.row("get_api_key", id=identity, now=now)
    if row is None:
        raise KeyUnknown()
    department, _, scopes, datasets, _ = row
    only = None if datasets is None else frozenset(datasets)
    return Caller(identity, department, frozenset(scopes), only, now)


def _write(
    tx: Transaction,
    department: str,
    scopes: Iterable[str],
    datasets: list[int] | None,
    now: datetime,
    lifetime: timedelta,
) -> str:
    row = tx.row("count_valid_api_keys", department=department, now=now)
    if row is not None and row[0] >= MAX_KEYS:
        raise TooManyKeys(most=MAX_KEYS)
    identity, secret = secrets.token_hex(6), secrets.token_hex(32)
    tx.do(
        "add_api_key",
        id=identity,
        department=department,
        secret_hash=_hash(secret),
        scopes=list(scopes),
        datasets=datasets,
        now=now,
        expires=now + lifetime,
    )
    return f"ntr_{identity}_{secret}"


def _usable(tx: Transaction, name: str, owner: Caller) -> int:
    """A dataset that is the department's own, or that it was granted. Raises NotFound."""
    facts = find_dataset(tx, name, owner)
    if not facts.owned_by(owner) and not facts.grants:
        raise no_dataset(name)
    return facts.id


def _check_giver(giver: Caller | None, scopes: Iterable[str], department: str) -> None:
    """Nobody gives what it doesn't have, nor to others; `admin` does both."""
    if giver is None:
        return
    giver.demand_unrestricted()
    if giver.may("admin"):
        return
    if department != giver.department:
        raise _no_department(department)
    for scope in scopes:
        giver.demand(scope)


def _only(giver: Caller | None) -> str | None:
    return None if giver is None or giver.may("admin") else giver.department


def _hash(secret: str) -> bytes:
    return sha256(secret.encode()).digest()


def _no_department(identity: str) -> NotFound:
    return NotFound(f"There is no open department {identity}.")


def _no_key(identity: str) -> NotFound:
    return NotFound(f"There is no valid API key {identity}.")
