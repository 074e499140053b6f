# SPDX-License-Identifier: Apache-2.0
"""
Made on purpose, before any record: the log, API keys, datasets.

An API key is `ntr_<id>_<secret>`; only SHA-256 of its 256-bit secret is stored.
"""

import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from notary.core.errors import NotaryError
from notary.core.words import ZERO_HASH, check_id, check_string
from notary.store.pool import Pool
from notary.usecases.gate import check_server, read_mark
from notary.usecases.marks import MarkFile, StateRefused

_KEY = re.compile(r"ntr_([0-9a-f]{12})_([0-9a-f]{64})", re.ASCII)


class NotFound(NotaryError):
    """There is nothing of that name here, or it isn't yours to see."""

    code = "not-found"


class KeyUnknown(NotaryError):
    """The API key is not known here, or it was revoked."""

    code = "api-key-unknown"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: the id of the API key and the owner that it stands for."""

    key_id: str
    owner: str


@dataclass(frozen=True, slots=True)
class DatasetFacts:
    """What is on file of a dataset."""

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

    def readable_by(self, caller: Caller | None) -> bool:
        """Whether the caller may read: anybody an open one, else its owner only."""
        return self.is_open or self.writable_by(caller)

    def writable_by(self, caller: Caller | None) -> bool:
        """Whether the caller may write: its owner only."""
        return caller is not None and caller.owner == self.owner


def init_log(pool: Pool, marks: MarkFile, origin: str, vkey: str, now: datetime) -> None:
    """
    Make a new log in an empty database, on purpose, and its first mark.

    Raises:
        StateRefused: there is a log already, or a mark of one.
    """
    with pool.transaction() as tx:
        check_server(tx)
        if tx.row("get_log") is not None:
            raise StateRefused("There is a log in this database already.", reason="log-exists")
        mark = marks.read()
        if mark is not None and mark.size > 0:
            raise StateRefused(
                f"{marks.path} is the mark of the log {mark.origin}, which had size {mark.size}: "
                "this would be a second log in its place.",
                reason="log-exists",
            )
        tx.do("add_log", origin=origin, vkey=vkey, now=now)
        first = read_mark(tx, origin, vkey, 0, sha256(b"").digest())
    marks.replace(first)


def adopt(pool: Pool, marks: MarkFile) -> None:
    """
    Tie the mark to this incarnation of the database, after a move of the whole of it.

    The caller vouches that nothing accepted is missing.

    Raises:
        StateRefused: the database is behind the mark, or holds another log.
    """
    with pool.transaction() as tx:
        check_server(tx)
        log = tx.row("get_log")
        mark = marks.read()
        if log is None:
            raise StateRefused("There is no log in this database.", reason="no-log")
        newest = tx.row("newest_committed_checkpoint")
        size, root = (newest[0], newest[1]) if newest else (0, sha256(b"").digest())
        if mark is not None:
            known = tx.row("get_checkpoint", size=mark.size) if mark.size else (0, root)
            behind = known is None or (mark.size > 0 and known[1].hex() != mark.root)
            if mark.vkey != log[1]:
                raise StateRefused("The mark knows another key of the log.", reason="other-key")
            if mark.origin != log[0] or behind:
                raise StateRefused(
                    f"The mark knows {mark.origin} of size {mark.size}, which this database "
                    "doesn't hold: restore a newer state.",
                    reason="older",
                )
        adopted = read_mark(tx, log[0], log[1], size, root)
    marks.replace(adopted)


def add_key(pool: Pool, owner: str, now: datetime) -> str:
    """Make an API key for an owner and return it: the only time that it can be seen."""
    check_string(owner, "name of the key's owner", 128)
    identity, secret = secrets.token_hex(6), secrets.token_hex(32)
    with pool.transaction() as tx:
        tx.do(
            "add_api_key",
            id=identity,
            owner=owner,
            secret_hash=sha256(secret.encode()).digest(),
            now=now,
        )
    return f"ntr_{identity}_{secret}"


def revoke_key(pool: Pool, identity: str, now: datetime) -> None:
    """Revoke an API key by its id. Raises NotFound."""
    with pool.transaction() as tx:
        if tx.do("revoke_api_key", id=identity, now=now) == 0:
            raise NotFound(f"There is no valid API key {identity}.")


def list_keys(pool: Pool) -> list[dict[str, object]]:
    """Id, owner, created_at and revoked_at of all API keys."""
    with pool.transaction(read_only=True) as tx:
        return tx.maps("list_api_keys")


def find_caller(pool: Pool, key: str) -> Caller:
    """Who stands behind an API key. Raises KeyUnknown, always for the same reason."""
    match = _KEY.fullmatch(key)
    if match is None:
        raise KeyUnknown()
    with pool.transaction(read_only=True) as tx:
        row = tx.row("get_api_key", id=match[1])
    want = row[1] if row else bytes(32)
    if not hmac.compare_digest(sha256(match[2].encode()).digest(), want) or row is None:
        raise KeyUnknown()
    return Caller(match[1], row[0])


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
    lane_count: int = 1,
) -> DatasetFacts:
    """
    Create a dataset that the caller owns. One that isn't open gets a random id.

    Raises:
        MalformedText: the id or the label isn't one.
        NameTaken: a dataset of that id exists.
    """
    public = check_id(name, "id") if is_open else f"d.{secrets.token_hex(16)}"
    check_string(label, "label", 200)
    with pool.transaction() as tx:
        row = tx.rows(
            "add_dataset",
            name=public,
            label=label,
            owner=caller.owner,
            is_open=is_open,
            random_sources=random_sources and not is_open,
            digest_index=digest_index and is_open,
            lane_count=lane_count,
            zero=ZERO_HASH,
            now=now,
        )[0]
        tx.do("add_lanes", dataset=row[0], count=lane_count)
        return DatasetFacts(**tx.maps("get_dataset", name=public)[0])


def get_dataset(pool: Pool, name: str, caller: Caller | None) -> DatasetFacts:
    """A dataset that the caller may read. Raises NotFound, also for what isn't the caller's."""
    with pool.transaction(read_only=True) as tx:
        rows = tx.maps("get_dataset", name=name)
    facts = DatasetFacts(**rows[0]) if rows else None
    if facts is None or not facts.readable_by(caller):
        raise NotFound(f"There is no dataset {name} here.", what="dataset", name=name)
    return facts


def list_datasets(pool: Pool, caller: Caller | None, after: str, limit: int) -> list[DatasetFacts]:
    """The open datasets and the caller's own, by id, beginning after `after`."""
    with pool.transaction(read_only=True) as tx:
        rows = tx.maps(
            "list_datasets", owner=caller.owner if caller else None, after=after, limit=limit
        )
    return [DatasetFacts(**row) for row in rows]


def list_all_datasets(pool: Pool) -> list[DatasetFacts]:
    """Every dataset by id, whoever owns it: for the operator alone."""
    with pool.transaction(read_only=True) as tx:
        return [DatasetFacts(**row) for row in tx.maps("list_all_datasets")]
