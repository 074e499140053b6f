# SPDX-License-Identifier: Apache-2.0
"""
Prove: from a record to its receipt (docs/spec/receipt-v1.md).

What a batch adds to a receipt (descriptor, path in the log, checkpoint, anchors) is made
once and kept once it can't change any more. A receipt costs one query beyond that, and of
each tree the hashes around its own path, whatever the log's size.
"""

import json
from base64 import b64encode
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from threading import Lock
from typing import Any, Literal

from notary.core.canonical import dumps
from notary.core.errors import NotaryError
from notary.core.runs import Run, format_run
from notary.core.statement import statement_leaf
from notary.core.tiles import TILE_WIDTH, inclusion_path_from_tiles
from notary.core.trust import LogKey
from notary.ledgers.port import Ledger
from notary.store.logtiles import read_log_tile
from notary.store.pool import Pool, Transaction
from notary.usecases.closed_logs import Origins, read_origins
from notary.usecases.erased import erased_of
from notary.usecases.prove_signers import find_batch, path_to_good
from notary.usecases.record import statement_text
from notary.usecases.rights import Caller, NotFound
from notary.usecases.seal import RECORDS_TREE, RUNS_TREE

Until = Literal["signed", "witnessed", "anchored"]

MAX_BATCHES = 512
MAX_BYTES = 64 << 20
"""Of anchors that are kept in mind: evidence may be a whole block of another chain."""
GROUP_HEIGHT = 4
"""A path is read from tiles of 16 hashes: a part of a stored tile, or its `middle`."""


_Upper = dict[tuple[int, int, int], list[list[bytes]]]


class NotYet(NotaryError):
    """The record is accepted; what was asked for isn't there yet."""

    code = "not-yet"

    def __init__(self, state: str, retry_after_seconds: int) -> None:
        super().__init__(state=state, retry_after_seconds=retry_after_seconds)
        self.state = state
        self.retry_after_seconds = retry_after_seconds


class NoWitnesses(NotaryError):
    """No witness is asked here, so nothing becomes witnessed."""

    code = "no-witnesses"


class StoreDamaged(NotaryError):
    """The stored record is not the one that was sealed; run an audit."""

    code = "store-damaged"


@dataclass(frozen=True, slots=True)
class Proof:
    """
    A receipt as text; `final` once every required witness and every ledger is in it, `public`
    where anybody may read it. Of which record: its source, chain and leaf.
    """

    text: str
    final: bool
    public: bool
    source: str
    chain: int
    leaf: bytes


@dataclass(frozen=True, slots=True)
class BatchPart:
    """
    What all receipts of a batch share: `json` holds its members, ready to be put in, and
    `upper` of each tree the groups of hashes above the lowest ones.
    `witnessed`: its checkpoint has the quorum of witnesses; None where none is required.
    `anchored`: every required ledger is in it; `missing`: the ledgers that aren't yet.
    """

    run_count: int
    count: int
    json: Mapping[str, str]
    anchored: bool
    witnessed: bool | None
    missing: tuple[str, ...]
    upper: tuple[_Upper, _Upper] = field(default_factory=lambda: ({}, {}))

    @property
    def final(self) -> bool:
        """Whether every required witness and every ledger is in it."""
        return self.is_enough and not self.missing

    @property
    def is_enough(self) -> bool:
        """Whether every required witness and ledger is in it."""
        return self.anchored and self.witnessed is not False

    def demand(self, until: Until) -> None:
        """
        Raises:
            NotYet: what is asked for isn't there yet.
            NoWitnesses: it will never be.
        """
        if until == "witnessed" and self.witnessed is None:
            raise NoWitnesses()
        if until == "witnessed" and not self.witnessed:
            raise NotYet("signed", 2)
        if until == "anchored" and not self.anchored:
            raise NotYet("witnessed" if self.witnessed else "signed", 5)


class Prover:
    """Makes receipts for one process; may be called from several threads."""

    def __init__(
        self,
        pool: Pool,
        ledgers: Sequence[Ledger],
        log_keys: Callable[[], tuple[LogKey, ...]] = tuple,
    ) -> None:
        self._pool = pool
        self._required = {ledger.name for ledger in ledgers if ledger.required}
        self._ledgers = {ledger.name: ledger.kind for ledger in ledgers}
        self._batches: OrderedDict[int, BatchPart] = OrderedDict()
        self._keys = log_keys
        self._known_keys: tuple[LogKey, ...] = ()
        self._lock = Lock()

    def receipt(
        self,
        dataset: str,
        source: str,
        n: int,
        *,
        caller: Caller | None,
        chain: int | None = None,
        until: Until = "signed",
        granted: bool = False,
    ) -> Proof:
        """
        The receipt of a record that the caller may read; `granted`: another's, as was seen.

        Raises:
            NotFound: there is none, or it isn't the caller's to see.
            NotYet: no signed checkpoint (or, as asked, witnesses or anchor) covers it yet.
            NoWitnesses: witnesses are asked for, and there are none.
            StoreDamaged: the stored columns don't give the leaf.
        """
        with self._pool.transaction(read_only=True, each_alone=True) as tx:
            rows = tx.prepared("find_record", dataset, source, n, chain)
            if not rows or not (granted or _may_read(rows[0], caller)):
                raise NotFound(f"There is no record {n} of {source} in {dataset} here.")
            row = rows[0]
            if row["batch"] is None:
                raise NotYet("accepted", 2)
            part = self.batch_part(tx, row["batch"])
            if part is None:
                raise NotYet("sealed", 1)
            part.demand(until)
            text = self._write(tx, row, part)
        return Proof(text, part.final, row["is_open"], row["source"], row["chain"], row["leaf"])

    def _write(self, tx: Transaction, row: dict[str, Any], part: BatchPart) -> str:
        """
        The members in the order of RFC 8785; strings by the JSON library.

        docs/spec/receipt-v1.md, section Members.
        """
        statement = statement_text(row)
        if statement_leaf(statement) != row["leaf"]:
            raise StoreDamaged(f"Record {row['n']} of {row['source']} was altered in the store.")
        run = Run(
            row["number"],
            row["tag"],
            row["chain"],
            row["first"],
            row["count"],
            row["start"],
            row["run_prev"],
            row["run_last"],
        )
        place = run.index_of(row["n"])
        records = _Groups(tx, row["batch"], RECORDS_TREE, part, place, row, "record")
        runs = _Groups(tx, row["batch"], RUNS_TREE, part, row["position"], row, "run")
        path = records.path(part.count)
        run_path = runs.path(part.run_count)
        members = {
            **part.json,
            "kind": '"record"',
            "path": hash_list(path),
            "run": f'{{"entry":{json.dumps(format_run(run))},"index":{row["position"]},'
            f'"path":{hash_list(run_path)},"size":{part.run_count}}}',
            "statement": json.dumps(statement, ensure_ascii=False),
            "v": '"receipt/1"',
        }
        if not row["is_open"]:
            members["tag_salt"] = f'"{row["tag_salt"].hex()}"'
        if row["payload"] is not None:
            members["payload"] = f'"{b64encode(row["payload"]).decode()}"'
        if row["salt"] is not None:
            members["salt"] = f'"{row["salt"].hex()}"'
        erased = erased_of(row)
        if erased is not None:
            members["erased"] = dumps(erased)
        return "{" + ",".join(f'"{name}":{members[name]}' for name in sorted(members)) + "}"

    def batch_part(self, tx: Transaction, index: int) -> BatchPart | None:
        """
        What the batch adds, or None while no signed checkpoint covers it.

        Raises:
            NotYet: one does, and isn't shown yet: its witnesses haven't cosigned.
        """
        keys = self._keys()
        if keys != self._known_keys:
            # A key was given up, say: what was kept may need the way to its last good state.
            with self._lock:
                self._batches.clear()
                self._known_keys = keys
        known = self._batches.get(index)
        if known is not None and not self._has_more(tx, index, known):
            return known
        origins = read_origins(tx) if len(keys) > 1 else Origins("")
        part = self._part(tx, index, keys, origins, index + 1)
        for _, last in origins.closed:
            if part is not None and not part.anchored and index < last:
                # The log that was closed can't be anchored any more; the one that goes on can.
                with suppress(NotYet):
                    later = self._part(tx, index, keys, origins, last + 1)
                    part = later if later is not None and later.anchored else part
        if part is not None and part.is_enough:
            with self._lock:
                self._batches[index] = part
                while len(self._batches) > MAX_BATCHES or self._bytes() > MAX_BYTES:
                    self._batches.popitem(last=False)
        return part

    def _bytes(self) -> int:
        return sum(len(part.json["anchors"]) for part in self._batches.values())

    def _has_more(self, tx: Transaction, index: int, known: BatchPart) -> bool:
        """Whether a ledger that was missing has the batch by now."""
        if not known.missing:
            return False
        return bool(tx.rows("is_anchored", ledgers=list(known.missing), index=index)[0][0])

    def _part(
        self,
        tx: Transaction,
        index: int,
        keys: tuple[LogKey, ...],
        origins: Origins,
        start: int,
    ) -> BatchPart | None:
        found, key = find_batch(tx, index, keys, start)
        if found["note"] is None:
            if found["is_signed"]:
                raise NotYet("signed", 2)
            return None
        first, last = (0, None) if key is None else origins.sizes(key.origin)
        anchors = tx.maps(
            "find_anchors", index=index, first=first, last=last, ledgers=list(self._ledgers)
        )
        # Under a name that was given to another kind they would refuse the whole receipt.
        anchors = [row for row in anchors if row["kind"] == self._ledgers[row["ledger"]]]
        there = {row["ledger"] for row in anchors}
        read = partial(read_log_tile, tx)
        log_path = inclusion_path_from_tiles(read, index, found["size"])
        return BatchPart(
            run_count=found["runs"],
            count=json.loads(found["descriptor"])["count"],
            json={
                "anchors": "[" + ",".join(self._anchor(read, index, row) for row in anchors) + "]",
                "checkpoint": json.dumps(found["note"], ensure_ascii=False),
                "descriptor": json.dumps(found["descriptor"], ensure_ascii=False),
                "log": f'{{"index":{index},"path":{hash_list(log_path)}}}',
                **_consistency(tx, found["size"], key),
            },
            anchored=there >= self._required,
            missing=tuple(name for name in self._ledgers if name not in there),
            witnessed=bool(found["is_witnessed"]) if found["needs_witnesses"] else None,
        )

    def _anchor(self, read: Any, index: int, row: Mapping[str, Any]) -> str:
        path = inclusion_path_from_tiles(read, index, row["size"])
        return json.dumps(
            {
                "ledger": row["ledger"],
                "kind": row["kind"],
                "size": row["size"],
                "root": row["root"].hex(),
                "path": [hash_.hex() for hash_ in path],
                "evidence": json.loads(row["evidence"]),
            },
            ensure_ascii=False,
            sort_keys=True,
            separators=(",", ":"),
        )


def _may_read(row: Mapping[str, Any], caller: Caller | None) -> bool:
    return row["is_open"] or (caller is not None and caller.department == row["owner"])


def _consistency(tx: Transaction, size: int, key: LogKey | None) -> dict[str, str]:
    """The way to the last good state, under a key that was given up."""
    good = None if key is None else path_to_good(tx, size, key)
    if good is None:
        return {}
    return {"consistency": f'{{"path":{hash_list(good[1])},"size":{good[0]}}}'}


def hash_list(path: Sequence[bytes]) -> str:
    """A path as a receipt has it: a list of hexadecimal hashes, as JSON."""
    return "[" + ",".join([f'"{hash_.hex()}"' for hash_ in path]) + "]"


class _Groups:
    """
    One tree of a batch as tiles of 16 hashes, for one path.

    The two lowest came with the record; of the others there are few, which stay in mind.
    """

    def __init__(
        self,
        tx: Transaction,
        batch: int,
        tree: int,
        part: BatchPart,
        index: int,
        row: Mapping[str, Any],
        name: str,
    ) -> None:
        self._tx, self._batch, self._tree, self._upper = tx, batch, tree, part.upper[tree]
        self._index = index
        self._own = {
            (0, index >> GROUP_HEIGHT): row[f"{name}_group"] or b"",
            (1, index >> 2 * GROUP_HEIGHT): row[f"{name}_middle"] or b"",
        }

    def path(self, size: int) -> list[bytes]:
        """The path of the leaf in a tree of `size` leaves."""
        cache = dict(self._upper)
        path = inclusion_path_from_tiles(
            self._read, self._index, size, cache=cache, height=GROUP_HEIGHT
        )
        for key in cache.keys() - self._upper.keys():
            if key[:2] not in self._own:
                self._upper[key] = cache[key]
        return path

    def _read(self, level: int, index: int, width: int) -> bytes:
        own = self._own.get((level, index))
        if own is not None:
            return own[: 32 * width]
        tile, group = (index, 0) if level % 2 else divmod(index, TILE_WIDTH >> GROUP_HEIGHT)
        rows = self._tx.prepared("get_batch_tile", self._batch, self._tree, level // 2, tile)
        if not rows:
            return b""
        hashes: bytes = rows[0]["middle" if level % 2 else "data"]
        return hashes[group << GROUP_HEIGHT + 5 :][: 32 * width]
