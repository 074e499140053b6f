# SPDX-License-Identifier: Apache-2.0
"""
A small honest notary for tests: it makes records, batches, a log and receipts.

Trees come from the slow reference, signatures from a library; keys and salts are made
from numbers, so everything is the same in each run. Receipts and trust files are dicts:
tests change them as an attacker would.
"""

import hashlib
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from notary.core import note
from notary.core.checkpoint import Checkpoint, format_checkpoint
from notary.core.descriptor import Descriptor, descriptor_leaf, format_descriptor
from notary.core.hashing import EMPTY_ROOT, RootHash
from notary.core.ledger_entry import LedgerEntry, format_entry
from notary.core.receipt import row_leaf
from notary.core.runs import Run, format_run, run_leaf, source_tag
from notary.core.statement import Statement, format_statement, statement_leaf
from tests.core import reference
from tests.core.signing import Signer

ORIGIN = "notary.example/log"
START = datetime(2026, 11, 24, 8, tzinfo=UTC)
SECOND = timedelta(seconds=1)

LOG = Signer(ORIGIN, seed=1)
OTHER_LOG = Signer(ORIGIN, seed=2)
LEDGER = Signer(f"{ORIGIN}/file-ledger", seed=3)
OTHER_LEDGER = Signer(f"{ORIGIN}/file-ledger", seed=4)
WITNESSES = [Signer(f"witness{i}.example", note.KIND_COSIGNATURE, seed=10 + i) for i in range(3)]
STRANGER = Signer("stranger.example", note.KIND_COSIGNATURE, seed=20)
SAME_NAME = Signer("witness0.example", note.KIND_COSIGNATURE, seed=20)


def salt(*words: object) -> bytes:
    """32 bytes that stand for random ones."""
    return hashlib.sha256(repr(words).encode()).digest()


@dataclass(frozen=True)
class Made:
    """A record with all that opens it, and where it was sealed."""

    statement: Statement
    payload: bytes
    salt: bytes | None

    @property
    def text(self) -> str:
        """The statement's text."""
        return format_statement(self.statement)

    @property
    def leaf(self) -> bytes:
        """The hash of the statement's text."""
        return statement_leaf(self.text)


@dataclass
class Batch:
    """What was sealed at once: the leaves in order, the run list, the descriptor's text."""

    descriptor: str
    leaves: list[bytes]
    runs: list[str] = field(default_factory=list)
    run_of: dict[str, int] = field(default_factory=dict)


class City:
    """One notary with one dataset: sources s0, s1, s2 in the order of their numbers."""

    def __init__(self, dataset: str = "weather", is_open: bool = True) -> None:
        self.dataset = dataset
        self.is_open = is_open
        self.records: dict[str, list[Made]] = {"s0": [], "s1": [], "s2": []}
        self.sealed: dict[tuple[str, int], int] = {}
        self.waiting: dict[str, int] = dict.fromkeys(self.records, 0)
        self.batches: list[Batch] = []
        self.now = START

    # -- accept

    def accept(self, source: str, payload: bytes, **members: Any) -> Made:
        """One more record of a source, received a second after the one before."""
        chain = self.records[source]
        self.now += SECOND
        secret = None if self.is_open else salt(self.dataset, source, len(chain))
        hashed = hashlib.sha256((secret or b"") + payload).digest()
        statement = Statement(
            dataset=self.dataset,
            source=source,
            chain=0,
            n=len(chain),
            prev=chain[-1].leaf if chain else bytes(32),
            received=self.now,
            by="acl",
            type="application/json",
            digest=hashed if self.is_open else None,
            commitment=None if self.is_open else hashed,
        )
        made = Made(replace(statement, **members), payload, secret)
        chain.append(made)
        return made

    def tag_salt(self, source: str) -> bytes:
        """What the source's tag is made with."""
        return b"" if self.is_open else salt("tag", self.dataset, source)

    # -- seal

    def seal(self) -> Batch:
        """Put all that waits into a batch and its descriptor into the log."""
        made: list[Made] = []
        runs: list[str] = []
        run_of: dict[str, int] = {}
        for number, (source, chain) in enumerate(self.records.items()):
            first, fresh = self.waiting[source], chain[self.waiting[source] :]
            if fresh:
                run_of[source] = len(runs)
                runs.append(format_run(self._run(number, source, first, fresh, len(made))))
                made += fresh
                self.waiting[source] = len(chain)
        for item in made:
            self.sealed[item.statement.source, item.statement.n] = len(self.batches)
        leaves = [item.leaf for item in made]
        times = sorted(item.statement.received for item in made)
        return self.append(
            Descriptor(
                dataset=self.dataset,
                kind="records",
                number=len(self.batches),
                prev=self._last_descriptor(),
                count=len(made),
                root=reference.mth(leaves),
                first=times[0],
                last=times[-1],
                runs=reference.mth([run_leaf(text) for text in runs]),
            ),
            leaves,
            runs,
            run_of,
        )

    def _run(self, number: int, source: str, first: int, fresh: Sequence[Made], offset: int) -> Run:
        return Run(
            number=number,
            tag=source_tag(self.dataset, source, self.tag_salt(source)),
            chain=0,
            first=first,
            count=len(fresh),
            offset=offset,
            prev=fresh[0].statement.prev,
            last=fresh[-1].leaf,
        )

    def seal_version(self, rows: Sequence[bytes], content: bytes) -> Batch:
        """Put a version of a table into the log."""
        self.now += SECOND
        leaves: list[bytes] = [
            row_leaf("csv-v1", self.row_salt(i), row) for i, row in enumerate(rows)
        ]
        hashed = hashlib.sha256(self.file_salt() + content).digest()
        descriptor = Descriptor(
            dataset=self.dataset,
            kind="version",
            number=len(self.batches),
            prev=self._last_descriptor(),
            count=len(rows),
            root=reference.mth(leaves) if leaves else EMPTY_ROOT,
            first=self.now,
            last=self.now,
            version=1,
            profile="csv-v1" if rows else "none",
            digest=hashed if self.is_open else None,
            commitment=None if self.is_open else hashed,
        )
        return self.append(descriptor, leaves)

    def row_salt(self, number: int) -> bytes:
        """Empty in an open dataset."""
        return b"" if self.is_open else salt("row", number)

    def file_salt(self) -> bytes:
        """Empty in an open dataset."""
        return b"" if self.is_open else salt("file")

    def append(
        self,
        descriptor: Descriptor,
        leaves: list[bytes],
        runs: Sequence[str] = (),
        run_of: dict[str, int] | None = None,
    ) -> Batch:
        """Append any descriptor to the log."""
        text = format_descriptor(descriptor)
        self.batches.append(Batch(text, leaves, list(runs), run_of or {}))
        return self.batches[-1]

    def _last_descriptor(self) -> bytes:
        if not self.batches:
            return bytes(32)
        return descriptor_leaf(self.batches[-1].descriptor)

    # -- sign, anchor

    def log_leaves(self, size: int | None = None) -> list[bytes]:
        """The leaves of the log, the first `size` of them."""
        leaves: list[bytes] = [descriptor_leaf(batch.descriptor) for batch in self.batches]
        return leaves[:size]

    def checkpoint(
        self,
        size: int | None = None,
        *,
        log: Sequence[Signer] = (LOG,),
        witnesses: Sequence[Signer] = (),
        time: int | None = None,
        origin: str = ORIGIN,
    ) -> str:
        """The log's signed checkpoint, with cosignatures made a minute from now."""
        leaves = self.log_leaves(size)
        root = RootHash(reference.mth(leaves))
        text = format_checkpoint(Checkpoint(origin, len(leaves), root))
        seconds = int(self.now.timestamp()) + 60 if time is None else time
        signatures = [signer.sign(text, seconds) for signer in [*log, *witnesses]]
        return note.format_note(text, signatures)

    def anchor(self, index: int, size: int | None = None, **members: Any) -> dict[str, Any]:
        """The file ledger's anchor of the checkpoint of that size, for a descriptor."""
        leaves = self.log_leaves(size)
        root = reference.mth(leaves)
        entry = LedgerEntry(
            sequence=5,
            prev=salt("ledger"),
            origin_hash=hashlib.sha256(ORIGIN.encode()).digest(),
            size=len(leaves),
            root=root,
            time=self.now + timedelta(minutes=2),
        )
        return {
            "ledger": "file",
            "kind": "file",
            "size": len(leaves),
            "root": root.hex(),
            "path": hexes(reference.path(index, leaves)),
            "evidence": {"note": ledger_note(replace(entry, **members))},
        }

    # -- prove

    def receipt(self, source: str = "s1", n: int = 1, **checkpoint: Any) -> dict[str, Any]:
        """A record's receipt, with its payload."""
        made = self.records[source][n]
        index = self.sealed[source, n]
        batch = self.batches[index]
        position = batch.run_of[source]
        members = self._common("record", index, **checkpoint) | {
            "statement": made.text,
            "path": hexes(reference.path(batch.leaves.index(made.leaf), batch.leaves)),
            "run": {
                "entry": batch.runs[position],
                "index": position,
                "size": len(batch.runs),
                "path": hexes(reference.path(position, [run_leaf(text) for text in batch.runs])),
            },
            "payload": b64encode(made.payload).decode(),
        }
        if made.salt is not None:
            members |= {"salt": made.salt.hex(), "tag_salt": self.tag_salt(source).hex()}
        return members

    def row_receipt(self, index: int, number: int, row: bytes) -> dict[str, Any]:
        """The receipt of a version's row."""
        leaves = self.batches[index].leaves
        return self._common("row", index) | {
            "row": {
                "number": number,
                "bytes": b64encode(row).decode(),
                "salt": self.row_salt(number).hex(),
            },
            "path": hexes(reference.path(number, leaves)),
        }

    def file_receipt(self, index: int) -> dict[str, Any]:
        """The receipt of a version's file."""
        return self._common("file", index) | {"file": {"salt": self.file_salt().hex()}}

    def window(
        self,
        asked: dict[str, Any],
        first: int = 0,
        last: int | None = None,
        source: str = "s1",
        **checkpoint: Any,
    ) -> dict[str, Any]:
        """The window of the records first..last, with the receipt of the last one."""
        made = self.records[source][first : None if last is None else last + 1]
        statements = [item.statement for item in made]
        receipt = self.receipt(source, statements[-1].n, **checkpoint)
        return {
            "v": "window/1",
            "asked": asked,
            "head": made[0].text,
            "rest": [compact(one, other) for one, other in pairwise(statements)],
            "receipt": receipt,
        }

    def _common(self, kind: str, index: int, **checkpoint: Any) -> dict[str, Any]:
        leaves = self.log_leaves(checkpoint.get("size"))
        return {
            "v": "receipt/1",
            "kind": kind,
            "descriptor": self.batches[index].descriptor,
            "log": {"index": index, "path": hexes(reference.path(index, leaves))},
            "checkpoint": self.checkpoint(**checkpoint),
            "anchors": [self.anchor(index)],
        }


def compact(before: Statement, statement: Statement) -> dict[str, Any]:
    """A statement as a window writes it behind the one before."""
    members: dict[str, Any] = {
        "d": short(statement.digest or statement.commitment or b""),
        "r": round((statement.received - before.received) / timedelta(microseconds=1)),
        "o": statement.observed,
        "k": statement.key,
        "m": short(statement.message) if statement.message else None,
        "b": statement.by if statement.by != before.by else None,
        "t": statement.type if statement.type != before.type else None,
    }
    return {name: value for name, value in members.items() if value is not None}


def short(hash_: bytes) -> str:
    """A hash in base64url without padding."""
    return b64encode(hash_, b"-_").decode().rstrip("=")


def ledger_note(entry: LedgerEntry, signer: Signer | None = None) -> str:
    """A signed entry of the file ledger, by its own key where no other one is given."""
    text = format_entry(entry)
    return note.format_note(text, [(signer or LEDGER).sign(text)])


def hexes(hashes: Sequence[bytes]) -> list[str]:
    """Hashes as a receipt writes them."""
    return [item.hex() for item in hashes]


def trust(**members: Any) -> dict[str, Any]:
    """The trust file for this notary; members as they are given, the others as usual."""
    return {
        "v": "trust/1",
        "name": "City of Example",
        "logs": [{"key": LOG.verifier.vkey, "from": 0, "to": None}],
        "witnesses": [signer.verifier.vkey for signer in WITNESSES],
        "quorum": 0,
        "ledgers": [{"id": "file", "kind": "file", "key": LEDGER.verifier.vkey}],
        "delay_seconds": 3600,
    } | members


def make(is_open: bool = True, dataset: str = "weather", rounds: int = 3) -> City:
    """A city with three sources and a batch for each round, s1 with two records a round."""
    city = City(dataset, is_open)
    for step in range(rounds):
        for source in ("s0", "s1", "s1", "s2"):
            payload = b'{"t":%d}' % step
            city.accept(source, payload, observed=f"2013-01-01T0{step % 10}:00:00Z")
        city.seal()
    return city
