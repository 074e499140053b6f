# SPDX-License-Identifier: Apache-2.0
"""
Proof of misconduct: two signed checkpoints that no append-only log can have both. Format
`fork/1`, canonical JSON. See docs/spec/fork-v1.md.

    {"one":"<note>","path":["<hash>", …],"two":"<note>","v":"fork/1"}

Either both have one size and two roots, and the path is empty; or `one` is the smaller, and the
path leads to the root of `two` and, for the size of `one`, to another root than its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from notary.core.checkpoint import Checkpoint
from notary.core.checkpoint_pair import (
    Kind,
    as_trust,
    check_one_log,
    read_pair,
    write_pair,
)
from notary.core.errors import (
    ForkRefused,
    LogForked,
    MalformedFork,
    MalformedText,
    RootMismatch,
)
from notary.core.note import format_note
from notary.core.proof import roots_from_consistency
from notary.core.receipt_signers import Signed, check_checkpoint
from notary.core.tiles import TileReader, hashes_from_tiles, root_from_tiles
from notary.core.tree import Node, consistency_nodes
from notary.core.trust import Trust
from notary.core.verdict import Findings, Verdict

KIND: Final = Kind("fork/1", "one", "two")


@dataclass(frozen=True, slots=True)
class Fork:
    """Two notes and a path of 32-byte hashes, not yet verified."""

    one: str
    two: str
    path: tuple[bytes, ...] = ()


def parse_fork(text: str) -> Fork:
    """
    Read a fork: canonical JSON, perhaps with one final newline.

    Raises:
        MalformedFork: not canonical, a member missing, unknown or out of range.

    docs/spec/fork-v1.md, rules 1 to 4.
    """
    try:
        return Fork(*read_pair(text, KIND))
    except MalformedText as error:
        raise error.renamed(MalformedFork) from None


def format_fork(fork: Fork) -> str:
    """Write a fork as its canonical text. Raises MalformedFork as `parse_fork`."""
    try:
        return write_pair(KIND, fork.one, fork.two, fork.path)
    except MalformedText as error:
        raise error.renamed(MalformedFork) from None


def verify_fork(fork: Fork | str, trust: Trust | str) -> Verdict:
    """
    Check that a fork proves misconduct: of the log named in it, to anybody with its key.

    Raises:
        MalformedFork, MalformedTrust: one of the files is malformed.
        MalformedNote, BadSignature, UnknownSigner, ReceiptRefused: a checkpoint isn't signed
            by a log key of the trust file that served its size.
        MalformedProof, RootMismatch: the path isn't one of the larger log.
        ForkRefused: nothing is proved; `facts["reason"]` says why.
    """
    # fork-v1.md, step 1: the files are of their formats.
    trust = as_trust(trust)
    fork = fork if isinstance(fork, Fork) else parse_fork(fork)
    # fork-v1.md, step 2: keys of the log signed both checkpoints.
    one, two = (check_checkpoint(text, trust) for text in (fork.one, fork.two))
    # fork-v1.md, step 3: they are one log's.
    check_one_log(one, two, ForkRefused)
    # fork-v1.md, step 4: neither may be a thief's.
    _check_accusable(one, two)
    # fork-v1.md, step 5: they contradict each other.
    _check_contradiction(one.checkpoint, two.checkpoint, fork.path)
    first, second = one.checkpoint, two.checkpoint
    facts = {
        "one": first.size,
        "one_root": first.root.hex(),
        "two": second.size,
        "two_root": second.root.hex(),
    }
    findings, fingerprint = Findings(), two.log.verifier.fingerprint
    findings.held("checkpoint", origin=second.origin, fingerprint=fingerprint)
    reason = "size" if first.size == second.size else "grown"
    findings.held("fork", reason=reason, **facts)
    return Verdict("fork", facts, trust.name, second.origin, fingerprint, tuple(findings.checks))


def check_growth(one: Signed, two: Signed, read: TileReader) -> tuple[bytes, ...]:
    """
    Check by the tiles of a log that it grew from one checkpoint to the other; the path.

    Requires both to be of one log and one.size <= two.size; nothing but the smaller one's
    being the beginning of the larger is said of it.

    Raises:
        LogForked: they contradict each other; `fork` proves it.
        RootMismatch: the tiles don't lead to the root of `two`: whoever serves them lies, and
            nothing is proved.
        MalformedTile, ForkRefused: a tile has another length; the fork may be a thief's.
    """
    size1, size2 = one.checkpoint.size, two.checkpoint.size
    if size1 == size2 and one.checkpoint.root != two.checkpoint.root:
        raise forked(one, two)
    if size1 in (0, size2):
        return ()
    root = root_from_tiles(read, size2)
    if root != two.checkpoint.root:
        raise RootMismatch(got=root.hex(), want=two.checkpoint.root.hex())
    nodes = hashes_from_tiles(read, fork_nodes(size1, size2), size2)
    if roots_from_consistency(size1, size2, nodes) != (one.checkpoint.root, root):
        raise forked(one, two, nodes)
    return tuple(nodes[1:] if _is_complete(size1) else nodes)


def forked(one: Signed, two: Signed, path: Sequence[bytes] = ()) -> LogForked:
    """
    The error with which a contradiction goes up; `fork` is the file that proves it, text alone
    of its log's signatures: lines of others could spoil it.

    Raises:
        ForkRefused: nothing is proved, or a thief of a key may have signed one of them.
        RootMismatch, MalformedProof: the path isn't one of the larger log.
    """
    _check_contradiction(one.checkpoint, two.checkpoint, path)
    _check_accusable(one, two)
    fork = Fork(_bare(one), _bare(two), tuple(path))
    return LogForked(
        fork=format_fork(fork),
        origin=one.checkpoint.origin,
        one=one.checkpoint.size,
        two=two.checkpoint.size,
    )


def fork_nodes(size1: int, size2: int) -> list[Node]:
    """
    The nodes of a fork's path: those of a consistency path, the first always among them.

    Requires 1 <= size1 < size2 < 2^63. Raises MalformedProof.
    """
    nodes = consistency_nodes(size1, size2)
    return [(size1.bit_length() - 1, 0), *nodes] if _is_complete(size1) else nodes


def _is_complete(size: int) -> bool:
    """Whether a tree of that size is one complete subtree of any larger one."""
    return size & (size - 1) == 0


def _bare(signed: Signed) -> str:
    lines = [
        item.signature
        for item in signed.note.verified
        if item.verifier.name == signed.checkpoint.origin
    ]
    return format_note(signed.note.text, lines)


def _check_accusable(*both: Signed) -> None:
    """A thief of a log's key must not be able to accuse the log."""
    for signed in both:
        good = signed.log.good
        if good is not None:
            state = (signed.checkpoint.size, signed.checkpoint.root)
            if state != (good.size, good.root):
                raise ForkRefused("A thief of the key may have signed it.", reason="compromised")


def _check_contradiction(one: Checkpoint, two: Checkpoint, path: Sequence[bytes]) -> None:
    if one.size == two.size and not path:
        contradicts = one.root != two.root
    else:
        old, new = roots_from_consistency(one.size, two.size, path)
        if new != two.root:
            raise RootMismatch(got=new.hex(), want=two.root.hex())
        contradicts = old != one.root
    if not contradicts:
        raise ForkRefused("One log can have both checkpoints.", reason="no-fork")
