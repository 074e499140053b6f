# SPDX-License-Identifier: Apache-2.0
"""
What an erasure takes away, in the transaction that records it.

Of a record: payload and salt, and all that was remembered by them: look-up and deduplication
prints, answers under an Idempotency-Key, messages in quarantine, the key in answers to
devices. Of a version: the file, salt, secret, digest and size, name and reason, and which row
begins where. What its statement or descriptor needs stays, so that every leaf stands.
"""

import json
from collections.abc import Mapping
from typing import Any

from notary.core.canonical import dumps
from notary.store.pool import Transaction
from notary.usecases.datasets import DatasetFacts
from notary.usecases.prints import key_print, payload_print, source_prints
from notary.usecases.quarantine import take


def forget_prints(
    tx: Transaction, dataset: DatasetFacts, row: Mapping[str, Any], secret: bytes
) -> None:
    """
    Forget by what a record would be known again; `row` is that of the query
    `find_erasable_record`. Where its key isn't kept, all prints are looked through.
    """
    if not dataset.is_open or row["key"] is not None or row["observed"] is not None:
        place = {"chain": row["chain"], "n": row["n"], "received": row["received"]}
        tx.do("erase_duplicate", **place, **_prints(dataset, row, secret))


def erase_record(tx: Transaction, dataset: DatasetFacts, row: Mapping[str, Any]) -> None:
    """
    Erase a record's content, and all else that was made of it.

    It locks the lane of the record: who sends the same again now waits, and finds nothing.
    """
    tx.rows("lock_lanes", ids=[row["lane"]])
    of_source = {"source": row["source_id"], "chain": row["chain"], "n": row["n"]}
    tx.do("erase_record", lane=row["lane"], is_open=dataset.is_open, **of_source)
    if row["digest_in_statement"] is not None:
        tx.do("erase_digest", digest=row["digest_in_statement"], **of_source)
    leaf = row["leaf"].hex()
    tx.do("erase_idempotency", word=leaf)
    if row["key"] is None:
        _erase_key_in_answers(tx, dataset.id, leaf)
    _erase_in_quarantine(tx, dataset.name, row)
    tx.do("erase_words_of_grant", **of_source)
    tx.do("erase_words_of_erasure", **of_source)


def erase_version(tx: Transaction, dataset: DatasetFacts, row: Mapping[str, Any]) -> None:
    """
    Erase a version's content; `row` is all that is stored of it.

    It locks the dataset, so that no upload is found to be this version meanwhile.
    """
    tx.do("lock_dataset", dataset=dataset.id)
    tx.do("erase_version", id=row["id"])
    tx.do("erase_version_parts", id=row["id"])
    tx.do("erase_version_marks", id=row["id"])
    uploads = [id_ for (id_,) in tx.rows("erase_uploads", dataset=dataset.id)]
    tx.do("erase_uploaded", ids=uploads)
    tx.do("erase_idempotency", word=version_answer(dataset.name, row["version"]))


def version_answer(dataset: str, version: int) -> str:
    """What is kept under an Idempotency-Key for the version that came with it."""
    return dumps({"dataset": dataset, "version": version})


def _prints(dataset: DatasetFacts, row: Mapping[str, Any], secret: bytes) -> dict[str, int | None]:
    """
    The prints by which the record was known again; None for what can't be told any more.

    Where the key isn't in the statement, a neighbour with the same content and n of the
    same day is forgotten too: sent again, it would be a new record.
    """
    source = source_prints(secret, dataset.id, row["label"])
    content = None
    if dataset.is_open or row["payload"] is not None:
        digest = row["digest_in_statement"] if dataset.is_open else None
        content = payload_print(secret, digest, row["payload"] or b"")
    return {
        "key_print": key_print(secret, source, row["key"], row["observed"]),
        "payload_print": content,
    }


def _erase_key_in_answers(tx: Transaction, dataset: int, leaf: str) -> None:
    """Drop what the sender called the record from answers that are still kept."""
    for id_, answers in tx.rows("find_answers_of", dataset=dataset, leaf=leaf):
        kept = json.loads(answers)
        for answer in kept:
            told = json.loads(answer[2])
            for reading in told["readings"]:
                if reading.get("leaf") == leaf:
                    reading.pop("key", None)
            answer[2] = dumps(told)
        tx.do("set_answers", id=id_, answers=json.dumps(kept))


def _erase_in_quarantine(tx: Transaction, dataset: str, row: Mapping[str, Any]) -> None:
    asked = {"dataset": dataset, "payload": row["payload"] or None, "received": row["received"]}
    found = tx.rows("find_quarantined_with", **asked)
    if found:
        take(tx, [id_ for (id_,) in found])
