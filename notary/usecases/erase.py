# SPDX-License-Identifier: Apache-2.0
"""
Erase: a record or a version loses its content on an order, for good.

The erasure is a record itself, of a closed dataset that the notary keeps for the owner: who
ordered it, who did it, on what legal ground. It is accepted in the one transaction in which
the content goes; a crash anywhere leaves both or neither. What is erased and what stays is
said in erase_content.py and by `what_remains`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from notary.core.canonical import dumps
from notary.core.errors import MalformedText
from notary.core.words import check_string, format_time
from notary.store.pool import Pool, Transaction
from notary.usecases.accept import Acceptor
from notary.usecases.datasets import DatasetFacts, add_kept_dataset
from notary.usecases.erase_content import erase_record, erase_version, forget_prints
from notary.usecases.lanes import is_id
from notary.usecases.reading import Acceptance, Outcome, Reading
from notary.usecases.rights import Caller, NotFound
from notary.usecases.versions import get_version

ORDER, GROUND, NAME = 500, 500, 200
"""How many characters an order, a legal ground and a name have at most."""
FORMAT = "erasure/1"
OPERATOR = "none"


@dataclass(frozen=True, slots=True)
class RecordPlace:
    """A record of a dataset; without a chain the current one."""

    source: str
    n: int
    chain: int | None = None


@dataclass(frozen=True, slots=True)
class VersionPlace:
    """A version of a dataset."""

    version: int


@dataclass(frozen=True, slots=True)
class Order:
    """Who ordered it (a letter, a judgement), the legal ground, and the name of who does it."""

    order: str
    ground: str
    done_by: str


class _ErasedMeanwhile(Exception):
    """Somebody else was first: nothing of ours may be recorded."""


class Eraser:
    """Erases for one process; `secret` is the instance secret, under which prints are made."""

    def __init__(self, pool: Pool, acceptor: Acceptor, secret: bytes) -> None:
        self._pool = pool
        self._acceptor = acceptor
        self._secret = secret

    def erase(
        self,
        dataset: DatasetFacts,
        what: RecordPlace | VersionPlace,
        order: Order,
        caller: Caller | None,
        now: datetime,
    ) -> dict[str, Any]:
        """
        Erase the content of a record or a version; without a caller it is the operator who
        does. Returns the erasure, `is_new` False where it was erased before: then nothing is
        done, and the first order stands.

        Raises:
            MalformedText: the order, the ground or the name is no text.
            NotFound: there is no such record or version.
        """
        check_string(order.order, "order", ORDER)
        check_string(order.ground, "legal ground", GROUND)
        check_string(order.done_by, "name of who does it", NAME)
        row = self.look(dataset, what)
        known = self._known(dataset, row)
        if known is not None:
            return {**known, "is_new": False, "remains": what_remains(dataset, row)}
        log = add_kept_dataset(self._pool, dataset.owner, now, "erasing")
        by = OPERATOR if caller is None else f"api:{caller.key_id}"
        told = {**_words_of(dataset, row), **_words(order), "at": format_time(now)}
        payload = dumps({**told, "v": FORMAT, "by": by}).encode()

        def within(tx: Transaction, outcomes: Mapping[int, Outcome]) -> None:
            accepted = outcomes[0]
            assert isinstance(accepted, Acceptance)
            self._erase(tx, dataset, what, order, accepted, now)

        reading = Reading(log, dataset.name, payload, "application/json", by)
        is_new = True
        try:
            (outcome,) = self._acceptor.accept([reading], now, within)
            if not isinstance(outcome, Acceptance):
                raise MalformedText(outcome.detail, reason=outcome.reason)
        except _ErasedMeanwhile:
            is_new = False
        done = self._known(dataset, row)
        assert done is not None
        return {**done, "is_new": is_new, "remains": what_remains(dataset, row)}

    def look(self, dataset: DatasetFacts, what: RecordPlace | VersionPlace) -> dict[str, Any]:
        """What is stored of what is to be erased. Raises NotFound."""
        with self._pool.transaction(read_only=True) as tx:
            return _find(tx, dataset, what)

    def _erase(
        self,
        tx: Transaction,
        dataset: DatasetFacts,
        what: RecordPlace | VersionPlace,
        order: Order,
        accepted: Acceptance,
        now: datetime,
    ) -> None:
        """Our own record is written; now the content goes. One transaction."""
        row = _find(tx, dataset, what)
        added = tx.do(
            "add_erasure",
            dataset=dataset.id,
            **_place(row),
            ordered=order.order,
            done_by=order.done_by,
            ground=order.ground,
            now=now,
            log=accepted.dataset,
            told_source=accepted.source,
            told_chain=accepted.chain,
            told_n=accepted.n,
        )
        if added == 0:
            raise _ErasedMeanwhile
        if isinstance(what, VersionPlace):
            erase_version(tx, dataset, row)
        else:
            # This may take its time, so nobody has to wait for the lane meanwhile.
            forget_prints(tx, dataset, row, self._secret)
            erase_record(tx, dataset, row)

    def _known(self, dataset: DatasetFacts, row: Mapping[str, Any]) -> dict[str, Any] | None:
        """The erasure of a record or a version that was erased before."""
        with self._pool.transaction(read_only=True) as tx:
            found = tx.maps("list_erasures", dataset=dataset.id, after=-1, limit=1, **_place(row))
        return found[0] if found else None


def list_erasures(
    pool: Pool, dataset: DatasetFacts, after: int, limit: int
) -> list[dict[str, Any]]:
    """What was erased of a dataset, in the order in which it was, beginning after `after`."""
    nothing = {"source": None, "chain": None, "n": None, "version": None}
    with pool.transaction(read_only=True) as tx:
        return tx.maps("list_erasures", dataset=dataset.id, after=after, limit=limit, **nothing)


def what_remains(dataset: DatasetFacts, row: Mapping[str, Any]) -> Sequence[str]:
    """
    What an erasure can't take away, as words that the texts explain.

    `hash`: the digest of an open dataset's content, by which it can be guessed; `commitment`:
    a hash with a salt that is erased, which says nothing. `names`: the sender's time and key.
    """
    remains = ["statement" if "leaf" in row else "descriptor"]
    remains.append("hash" if dataset.is_open else "commitment")
    if dataset.is_open and "leaf" not in row and row["count"]:
        remains.append("rows")
    if row.get("message") is not None:
        remains.append("message")
    if row.get("observed") is not None or row.get("key") is not None:
        remains.append("names")
    return [*remains, "elsewhere"]


def _find(
    tx: Transaction, dataset: DatasetFacts, what: RecordPlace | VersionPlace
) -> dict[str, Any]:
    """The row of a record, with what its statement says of its payload; or of a version."""
    if isinstance(what, VersionPlace):
        return get_version(tx, dataset, what.version)
    asked = {"source": what.source, "chain": what.chain, "n": what.n, "is_open": dataset.is_open}
    rows = []
    if is_id(what.source):
        rows = tx.maps("find_erasable_record", dataset=dataset.id, **asked)
    if not rows:
        raise NotFound(f"There is no record {what.n} of {what.source} in {dataset.name} here.")
    return rows[0]


def _place(row: Mapping[str, Any]) -> dict[str, Any]:
    """By which a record or a version is known."""
    if "leaf" in row:
        names = {"source": row["source_id"], "chain": row["chain"], "n": row["n"]}
        return {**names, "version": None}
    return {"source": None, "chain": None, "n": None, "version": row["version"]}


def _words_of(dataset: DatasetFacts, row: Mapping[str, Any]) -> dict[str, Any]:
    """The same in words; a record by its leaf too, which says nothing of its payload."""
    if "leaf" not in row:
        return {"dataset": dataset.name, "version": row["version"]}
    place = {"source": row["source"], "chain": row["chain"], "n": row["n"]}
    return {"dataset": dataset.name, **place, "leaf": row["leaf"].hex()}


def _words(order: Order) -> dict[str, str]:
    return {"order": order.order, "ground": order.ground, "done_by": order.done_by}
