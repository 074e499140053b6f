# SPDX-License-Identifier: Apache-2.0
"""
Signed acceptances of what is accepted (docs/spec/acceptance-v1.md).

They are made after the commit, from the records as they are stored, so nothing is ever signed
that isn't durable; and again, the same, whenever they are asked for again.
"""

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from notary.core import canonical
from notary.core.acceptance import (
    KEY_SUFFIX,
    SignedAcceptance,
    format_acceptance,
    make_promise,
)
from notary.core.statement import statement_leaf
from notary.keys import Signer
from notary.store.pool import Pool
from notary.usecases.outbox import Answer
from notary.usecases.record import statement_text


class Place(NamedTuple):
    """Where a record is: the ids as in statements."""

    dataset: str
    source: str
    chain: int
    n: int


class Promiser:
    """
    Signs for one process. `sealed_within` is how long after it was received a record is in
    the log at the latest; the log's origin is in the key's name.
    """

    def __init__(self, pool: Pool, signer: Signer, sealed_within: timedelta) -> None:
        self._pool = pool
        self._signer = signer
        self._sealed_within = sealed_within

    def sign(self, places: Sequence[Place]) -> list[str | None]:
        """
        An acceptance for each place, all under one signature; None where there is no record,
        or one that was altered in the store: that one an audit finds.

        Raises:
            StoreUnavailable: try again.
        """
        found = self._read(places)
        texts = {at: statement_text(row) for at, row in found.items()}
        leaves = {at: statement_leaf(text) for at, text in texts.items()}
        whole = [at for at in sorted(found) if leaves[at] == found[at]["leaf"]]
        if not whole:
            return [None] * len(places)
        sealed_by = max(found[at]["received"] for at in whole) + self._sealed_within
        origin = self._signer.name.removesuffix(KEY_SUFFIX)
        promise, tree = make_promise(origin, [leaves[at] for at in whole], sealed_by)
        note = self._signer.sign(promise)
        signed: list[str | None] = [None] * len(places)
        for index, at in enumerate(whole):
            path = tuple(tree.inclusion_path(index))
            salt = None if found[at]["is_open"] else found[at]["salt"]
            made = SignedAcceptance(texts[at], index, path, note, salt)
            signed[at] = format_acceptance(made)
        return signed

    def complete(self, answers: Sequence[Answer]) -> list[str]:
        """The texts of the answers of one commit; signed acceptances put in where asked for."""
        opened = [json.loads(answer.text) if answer.signed else None for answer in answers]
        accepted = [
            (reading, Place(told["dataset"], reading.get("source", told["source"]), *_at(reading)))
            for told in opened
            if told is not None
            for reading in told["readings"]
            if reading["state"] != "refused"
        ]
        signed = self.sign([place for _, place in accepted]) if accepted else []
        for (reading, _), text in zip(accepted, signed, strict=True):
            if text is not None:
                reading["signed"] = text
        return [
            answer.text if told is None else canonical.dumps(told)
            for answer, told in zip(answers, opened, strict=True)
        ]

    def _read(self, places: Sequence[Place]) -> dict[int, dict[str, Any]]:
        """The records by the order of their places."""
        with self._pool.transaction(read_only=True) as tx:
            rows = tx.maps(
                "find_promised",
                datasets=[place.dataset for place in places],
                sources=[place.source for place in places],
                chains=[place.chain for place in places],
                ns=[place.n for place in places],
            )
        return {row["place"] - 1: row for row in rows}


def _at(reading: dict[str, Any]) -> tuple[int, int]:
    return reading["chain"], reading["n"]
