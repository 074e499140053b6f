# SPDX-License-Identifier: Apache-2.0
"""
The run list of a batch: one entry for each source, in the order of source numbers.

    {"chain":0,"count":3,"first":7,"last":"9c1a…","number":2,"offset":5,"prev":"44d0…",
     "tag":"b3f1…"}

`number` is the source's number in its dataset, given in the order of first sealing
without a gap; `tag` stands for the source in public. The leaf of an entry is
SHA-256(0x00 || text); the root over them is the descriptor's `runs`.
See docs/spec/descriptor-v1.md, section Run list.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from notary.core import canonical
from notary.core.canonical import MAX_INTEGER
from notary.core.errors import MalformedRun, MalformedText
from notary.core.hashing import LeafHash, digest, leaf_hash
from notary.core.words import ZERO_HASH, check_count, check_hash, parse_hash

MAX_RUN_BYTES: Final = 1024
_MEMBERS = frozenset({"chain", "count", "first", "last", "number", "offset", "prev", "tag"})


@dataclass(frozen=True, slots=True)
class Run:
    """
    The contiguous records of one source inside one batch.

    They are n = first .. first + count - 1 and lie in the batch at offset, offset + 1, …;
    `prev` is the leaf before the first (64 zeros at n = 0), `last` the last leaf.
    """

    number: int
    tag: bytes
    chain: int
    first: int
    count: int
    offset: int
    prev: bytes
    last: bytes

    def index_of(self, n: int) -> int:
        """
        The index in the batch at which record n of this run is legal.

        Raises:
            MalformedRun: n lies outside the run.
        """
        if not self.first <= n < self.first + self.count:
            raise MalformedRun("The record lies outside its run.")
        return self.offset + (n - self.first)


def source_tag(dataset: str, source: str, salt: bytes) -> bytes:
    """
    The tag of a source: SHA-256("tag/1 " || salt || dataset || "/" || source).

    The salt is empty in an open dataset, so that anyone can compute the one tag of a
    source, and 32 random bytes in any other, shown in receipts only.
    """
    if len(salt) not in (0, 32):
        raise MalformedRun("The salt of a tag must have 0 or 32 bytes.")
    return digest(b"tag/1 " + salt + f"{dataset}/{source}".encode())


def format_run(run: Run) -> str:
    """
    Write an entry as its canonical text.

    Raises:
        MalformedRun: a member isn't what the format demands.
    """
    for number in (run.number, run.chain, run.first, run.count, run.offset):
        if type(number) is not int or not 0 <= number <= MAX_INTEGER:
            raise MalformedRun("A number of the entry is out of range.")
    if run.count == 0 or (run.first == 0 and run.prev != ZERO_HASH):
        raise MalformedRun("The run is empty, or its first record is linked to another one.")
    try:
        last, prev, tag = (check_hash(hash_).hex() for hash_ in (run.last, run.prev, run.tag))
    except MalformedText as error:
        raise error.renamed(MalformedRun) from None
    return (
        f'{{"chain":{run.chain},"count":{run.count},"first":{run.first},"last":"{last}",'
        f'"number":{run.number},"offset":{run.offset},"prev":"{prev}","tag":"{tag}"}}'
    )


def parse_run(text: str) -> Run:
    """
    Read an entry and demand that it serialises to the same text.

    Raises:
        MalformedRun: not canonical, a member missing, unknown or out of range.
    """
    # descriptor-v1.md, step 4.
    try:
        members = canonical.loads(text, max_bytes=MAX_RUN_BYTES)
        if not isinstance(members, dict) or members.keys() != _MEMBERS:
            raise MalformedText("A member is missing or unknown.")
        run = Run(
            number=check_count(members["number"], "number"),
            tag=parse_hash(members["tag"], "tag"),
            chain=check_count(members["chain"], "chain"),
            first=check_count(members["first"], "first"),
            count=check_count(members["count"], "count", 1),
            offset=check_count(members["offset"], "offset"),
            prev=parse_hash(members["prev"], "prev"),
            last=parse_hash(members["last"], "last"),
        )
        if run.first == 0 and run.prev != ZERO_HASH:
            raise MalformedText("At n = 0 prev must be 64 zeros.")
        return run
    except MalformedText as error:
        raise error.renamed(MalformedRun) from None


def run_leaf(text: str) -> LeafHash:
    """The leaf of an entry in the tree over the run list: SHA-256(0x00 || text)."""
    return leaf_hash(text.encode())


def check_run_list(runs: Sequence[Run], count: int) -> None:
    """
    Check that the entries cover a batch of `count` records without hole or overlap.

    Raises:
        MalformedRun: an offset, the order of the numbers or the sum is wrong.

    docs/spec/descriptor-v1.md, section Run list, rule 4.
    """
    # descriptor-v1.md, step 5.
    offset, number = 0, -1
    for run in runs:
        if run.number <= number:
            raise MalformedRun("The entries are not in the order of source numbers.")
        if run.offset != offset:
            raise MalformedRun("The offsets leave a hole or overlap.")
        offset, number = offset + run.count, run.number
    if offset != count:
        raise MalformedRun("The counts don't add up to the batch's count.")


def check_continues(run: Run, last: Run | None) -> None:
    """
    Check that a run goes on where the source's last run of the same chain ended.

    Raises:
        MalformedRun: records are missing, doubled or linked to another leaf.
    """
    # descriptor-v1.md, step 6.
    expected = (0, ZERO_HASH) if last is None else (last.first + last.count, last.last)
    if (run.first, run.prev) != expected:
        raise MalformedRun("The run does not go on where the source's last run ended.")
