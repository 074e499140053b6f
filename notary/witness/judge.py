# SPDX-License-Identifier: Apache-2.0
"""
The judgement of a witness: may this checkpoint be cosigned (C2SP tlog-witness, add-checkpoint)?

Everything that says something of the log's last state is looked at inside one turn of the state,
and the cosignature is made there too: it says that this is the largest tree seen so far.
"""

from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from notary.core.add_checkpoint import SIZE_TYPE, AddCheckpoint, parse_request
from notary.core.checkpoint import Checkpoint, checkpoint_lines
from notary.core.errors import (
    BadSignature,
    ForkRefused,
    LogForked,
    MalformedNote,
    MalformedProof,
    RootMismatch,
    UnknownSigner,
)
from notary.core.fork import forked
from notary.core.hashing import EMPTY_ROOT, HASH_BYTES, RootHash
from notary.core.note import Note, format_note, open_note, parse_note, signature_line
from notary.core.proof import verify_consistency
from notary.core.receipt_signers import Signed
from notary.core.tree import MAX_SIZE
from notary.core.trust import LogKey
from notary.witness.state import Head, State, Turn

TEXT: Final = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer over HTTP: status, media type, body; `log` and `size` for the operator's lines."""

    status: int
    body: str
    type: str = TEXT
    log: str | None = None
    size: int | None = None


class _Refused(Exception):
    """This and no cosignature is the answer."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class Witness:
    """Answers logs and whoever asks for what was cosigned; may be called from many threads."""

    def __init__(self, state: State) -> None:
        self._state = state

    def add_checkpoint(self, body: bytes, now: int) -> Answer:
        """
        Cosign a checkpoint, if the log only grew. `now` in POSIX seconds.

        When this returns with 200, what was cosigned is durable.

        Raises:
            WitnessRefused: the state can't be used just now; nothing was cosigned.
        """
        origin, size = None, None
        try:
            request = parse_request(body)
            origin, size, root = _lines(request.note)
            with self._state.look() as look:
                keys = look.keys(origin)
            if not keys:
                raise _Refused(404, "This witness doesn't know the log.")
            signed = _open(request, keys, size, root)
            return self._judge(request, signed, now)
        except _Refused as refused:
            return Answer(refused.status, f"{refused}\n", log=origin, size=size)
        except MalformedNote as error:
            return Answer(400, f"Malformed: {error.detail}.\n", log=origin, size=size)

    def checkpoint(self, origin_hash: str) -> Answer:
        """
        What was cosigned last of the log whose origin has this SHA-256 (hex).

        Raises:
            WitnessRefused: the state can't be used just now.
        """
        with self._state.look() as look:
            for origin in look.origins():
                if sha256(origin.encode()).hexdigest() == origin_hash:
                    head = look.head(origin)
                    if head is not None:
                        return Answer(200, head.note, log=origin, size=head.size)
        return Answer(404, "Of such a log nothing was cosigned here.\n")

    def _judge(self, request: AddCheckpoint, signed: Signed, now: int) -> Answer:
        checkpoint = signed.checkpoint
        origin, size = checkpoint.origin, checkpoint.size
        with self._state.turn() as turn:
            head = turn.head(origin)
            known = 0 if head is None else head.size
            if request.old != known:
                return Answer(409, f"{known}\n", SIZE_TYPE, origin, size)
            fault = _growth_fault(head, signed, request.path)
            if fault is not None:
                self._keep_evidence(turn, head, signed, request.path, now)
                return Answer(422, f"{fault}\n", log=origin, size=size)
            # A clock that was set back must not say that a larger tree was seen earlier.
            time = max(now, 1 if head is None else head.time)
            cosignature = self._state.cosigner.cosign(signed.note.text, time)
            lines = [item.signature for item in signed.note.verified]
            note = format_note(signed.note.text, [*lines, cosignature])
            turn.put_head(origin, Head(size, checkpoint.root, time, note))
        # Durable: a crash from here on leaves a checkpoint that is cosigned again when asked.
        return Answer(200, signature_line(cosignature), log=origin, size=size)

    def _keep_evidence(
        self,
        turn: Turn,
        head: Head | None,
        signed: Signed,
        path: tuple[bytes, ...],
        now: int,
    ) -> None:
        """Where both checkpoints prove a fork to anybody, the proof is kept."""
        if head is None or head.size == 0:
            return
        origin = signed.checkpoint.origin
        before = _open_head(head, origin, turn.keys(origin))
        if before is None:
            return
        is_same_size = before.checkpoint.size == signed.checkpoint.size
        try:
            raise forked(before, signed, () if is_same_size else path)
        except LogForked as fork:
            turn.put_evidence(origin, fork.fork, now)
        except (ForkRefused, MalformedProof, RootMismatch):
            """A wrong path alone proves nothing: anybody may hand one in."""


def _lines(note: str) -> tuple[str, int, bytes]:
    origin, size, root = checkpoint_lines(parse_note(note).text)
    if size > MAX_SIZE or len(root) != HASH_BYTES:
        raise MalformedNote("a size lies below 2^63, a root has exactly 32 bytes")
    return origin, size, root


def _open(request: AddCheckpoint, keys: list[LogKey], size: int, root: bytes) -> Signed:
    """The checkpoint with the log's key that signed it, and only then what it says of itself."""
    try:
        note = open_note(request.note, [key.verifier for key in keys])
    except BadSignature:
        raise _Refused(403, "A signature of the log's does not hold.") from None
    except UnknownSigner:
        raise _Refused(403, "No key of the log that is known here has signed.") from None
    log = _serving(note, keys, size)
    if log is None:
        raise _Refused(403, "The key that signed did not serve this size.")
    if request.old > size:
        raise _Refused(400, "The old size is larger than the checkpoint's.")
    if size == 0 and root != EMPTY_ROOT:
        raise _Refused(422, "The root of an empty log is the hash of nothing.")
    return Signed(Checkpoint(log.verifier.name, size, RootHash(root)), log, note)


def _serving(note: Note, keys: list[LogKey], size: int) -> LogKey | None:
    signers = {item.verifier for item in note.verified}
    return next((key for key in keys if key.verifier in signers and key.served(size)), None)


def _open_head(head: Head, origin: str, keys: list[LogKey]) -> Signed | None:
    """What was cosigned last as it was signed; None where its key is known no more."""
    checkpoint = Checkpoint(origin, head.size, RootHash(head.root))
    with suppress(BadSignature, UnknownSigner):
        note = open_note(head.note, [key.verifier for key in keys])
        log = _serving(note, keys, head.size)
        return None if log is None else Signed(checkpoint, log, note)
    return None


def _growth_fault(head: Head | None, signed: Signed, path: tuple[bytes, ...]) -> str | None:
    """Why the log did not grow from what was cosigned last; None: it did."""
    new = signed.checkpoint
    if head is None or head.size == 0:
        return "From size 0 there is nothing to prove: the path must be empty." if path else None
    if head.size == new.size and head.root != new.root:
        return "Another root was cosigned here for this very size: the log was forked."
    try:
        verify_consistency(head.size, RootHash(head.root), new.size, new.root, path)
    except MalformedProof as error:
        return f"The path can't be one from size {head.size} to {new.size}: {error.detail}."
    except RootMismatch:
        return f"The path doesn't lead from what was cosigned here at size {head.size}."
    return None
