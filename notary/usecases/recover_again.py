# SPDX-License-Identifier: Apache-2.0
"""
Recover, the end: the signed note becomes a record of the log that goes on, and what was set
aside is accepted again, each segment in one transaction with the word that it was.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from notary.core.errors import MalformedText
from notary.store.pool import Pool, Transaction
from notary.usecases.accept import Acceptor
from notary.usecases.prints import key_print, source_prints
from notary.usecases.reading import Acceptance, Outcome, Reading
from notary.usecases.recover_lost import OWNER

DATASET = "notary.recoveries"
SOURCE = "notary"
NOTE_TYPE = "text/plain"
MAX_NAMES = 100


def tell(pool: Pool, acceptor: Acceptor, now: datetime) -> list[str]:
    """
    Have the note of each recovery accepted as a record, in a dataset that everybody may read.

    Returns `dataset/source/chain/n` of those that are new. Requires the gate to be open.
    """
    with pool.transaction(read_only=True) as tx:
        rows = tx.maps("list_recoveries")
    if not rows:
        return []
    name = _dataset(pool, now)
    told = []
    for row in rows[-1:]:
        with pool.transaction(read_only=True, each_alone=True) as tx:
            if tx.prepared("find_record", name, SOURCE, 0, row["chain"]):
                continue
        reading = Reading(name, SOURCE, row["note"].encode(), NOTE_TYPE, "none")
        (outcome,) = acceptor.accept([reading], now)
        accepted = _accepted(outcome)
        told.append(f"{name}/{accepted.source}/{accepted.chain}/{accepted.n}")
    return told


def take_again(pool: Pool, acceptor: Acceptor, secret: bytes, now: datetime) -> int:
    """
    Accept again what was set aside. Returns how many records that were.

    Each keeps its payload, its sender's time and key; it gets a new place, and so a new leaf.
    What was erased meanwhile, or is gone, is passed over.
    """
    taken = 0
    while True:
        with pool.transaction(read_only=True) as tx:
            segments = tx.maps("segments_aside", limit=1)
            if not segments:
                return taken
            segment = segments[0]
            rows = list(_records(tx, segment))
        _forget_prints(pool, segment["chain"], rows, secret)
        number = segment["number"]

        def mark(tx: Transaction, _: Mapping[int, Outcome], number: int = number) -> None:
            if tx.do("take_segment_again", number=number) == 0:
                raise MalformedText("Another process recovers this database too.")

        readings = [_reading(row) for row in rows]
        if readings:
            for outcome in acceptor.accept(readings, now, mark):
                _accepted(outcome)
        else:
            with pool.transaction() as tx:
                mark(tx, {})
        taken += len(readings)


def _records(tx: Transaction, segment: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The records of a segment: of each source those that follow on what was taken before."""
    chain = segment["chain"]
    for source, count in zip(segment["sources"], segment["counts"], strict=True):
        asked = {"source": source, "chain": chain}
        first = tx.rows("end_of_runs", **asked)[0][0]
        first += tx.rows("taken_before", **asked, number=segment["number"])[0][0]
        for row in tx.maps("records_aside", **asked, first=first, limit=count):
            if row["payload"] is not None:
                yield row


def _forget_prints(pool: Pool, chain: int, rows: list[dict[str, Any]], secret: bytes) -> None:
    """Else each would be known again as the record that it was."""
    with pool.transaction() as tx:
        for row in rows:
            source = source_prints(secret, row["dataset_id"], row["source"])
            print_ = key_print(secret, source, row["key"], row["observed"])
            if print_ is not None:
                tx.do("forget_print", key_print=print_, chain=chain, n=row["n"])


def _reading(row: Mapping[str, Any]) -> Reading:
    return Reading(
        row["dataset"],
        row["source"],
        row["payload"],
        row["type"],
        row["by_word"],
        observed=row["observed"],
        key=row["key"],
        keeps_names=True,
        flags=row["flags"],
    )


def _accepted(outcome: Outcome) -> Acceptance:
    if not isinstance(outcome, Acceptance):
        raise MalformedText(outcome.detail, reason=outcome.reason)
    return outcome


def _dataset(pool: Pool, now: datetime) -> str:
    """The dataset of recoveries: made at the first one, and again where it was lost."""
    for number in range(1, MAX_NAMES):
        name = DATASET if number == 1 else f"{DATASET}.{number}"
        with pool.transaction() as tx:
            tx.do("add_lost_owner", id=OWNER, name="The notary itself", now=now)
            tx.row("lock_department", id=OWNER)
            row = tx.row("find_recoveries_dataset", name=name)
            if row is not None and row[1] != OWNER:
                continue  # A department took that name before.
            id_ = _add(tx, name, now) if row is None else row[0]
            if row is None or row[3] == 0:
                tx.do("add_lanes", dataset=id_, count=1)
            tx.do("keep_dataset", id=id_, kept_for="recovering")
            return name
    raise MalformedText(f"All names from {DATASET} on are taken.")


def _add(tx: Transaction, name: str, now: datetime) -> int:
    said = dict.fromkeys(("licence", "catalogue", "classification", "update_cycle", "keep_days"))
    added = tx.rows(
        "add_dataset",
        name=name,
        label="Recoveries of this notary's log",
        owner=OWNER,
        is_open=True,
        random_sources=False,
        digest_index=False,
        lane_count=1,
        sharing="unconditional",
        zero=bytes(32),
        now=now,
        **said,
    )
    return int(added[0][0])
