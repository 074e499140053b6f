# SPDX-License-Identifier: Apache-2.0
"""
Asking one witness for its cosignature of the newest checkpoint (C2SP tlog-witness).

It gets the consistency path from the size that it last had; where it says that it has another
one, the path from there. Nobody is asked inside a transaction. What a witness says is believed
only as far as it is signed: by itself a cosignature, by the log's key another state of the log.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final, Literal

from notary.core.add_checkpoint import SIZE_TYPE, format_request, parse_size
from notary.core.errors import (
    BadSignature,
    LogForked,
    MalformedNote,
    NotaryError,
    ReceiptRefused,
    UnknownSigner,
)
from notary.core.fork import check_growth
from notary.core.note import Signature, Verifier, open_note, parse_note
from notary.core.receipt_signers import Signed, check_checkpoint
from notary.core.tiles import TileReader, consistency_path_from_tiles
from notary.core.trust import LogKey, Trust
from notary.outside.errors import BadAnswer, Unreachable
from notary.store.logtiles import read_log_tile
from notary.store.pool import Pool
from notary.usecases.cosignatures import keep_cosignature
from notary.usecases.witness_client import Reply, WitnessAway, WitnessClient

TRIES: Final = 4
"""So often in a row a witness may say that it has another size."""
CLOCK_SECONDS: Final = 3600
"""A cosignature whose time is further from ours is not kept: it would spoil receipts."""

Problem = Literal[
    "away", "refused", "unsettled", "bad-answer", "clock", "behind", "claims-fork", "fork"
]
"""
away: no answer in time, or it can't just now. refused: it doesn't know the log or its key, say.
unsettled: its size is another one each time. bad-answer: no cosignature of its key over this
checkpoint. clock: its time and ours are an hour apart. behind: it says that it has more of this
log than is here, and doesn't show it. claims-fork: it says that it has another root, and doesn't
show it. fork: it shows a state, signed by the log's key, that this log can't have.
"""


@dataclass(frozen=True, slots=True)
class Heard:
    """
    What came of asking: the size that it cosigned, or the problem; of the witness's size what
    is known now; whether it claims a fork (None: nothing new), and what proves one.
    """

    size: int | None = None
    problem: Problem | None = None
    status: int | None = None
    known: int | None = None
    claims: bool | None = None
    evidence: str | None = None


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest signed checkpoint: size and note."""

    size: int
    note: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A state of the log that a witness shows, as it came and as it was checked."""

    text: str
    signed: Signed


class Asking:
    """One witness of this log, asked by one thread at a time."""

    def __init__(
        self,
        pool: Pool,
        witness: Verifier,
        client: WitnessClient,
        log_keys: Callable[[], Sequence[LogKey]],
        clock: Callable[[], datetime],
    ) -> None:
        self.witness = witness
        self._pool = pool
        self._client = client
        self._log_keys = log_keys
        self._clock = clock

    def ask(self) -> Heard:
        """
        Get and keep its cosignature of the newest checkpoint.

        Raises:
            StoreUnavailable: the database went away; the witness is asked again.
        """
        try:
            heard = self._converse()
        except WitnessAway:
            heard = Heard(problem="away")
        if heard.problem is not None:
            self._note(heard)
        return heard

    def look_back(self) -> None:
        """
        Before anything is signed: see whether it remembers what this log has forgotten.

        Raises:
            StoreUnavailable: it isn't known.
        """
        with self._pool.transaction(read_only=True) as tx:
            origin: str = tx.rows("get_log")[0][0]
        shown = self._shown(origin)
        evidence = None if shown is None else self._against(shown)
        if evidence is not None:
            self._note(Heard(problem="fork", evidence=evidence))

    def _note(self, heard: Heard) -> None:
        with self._pool.transaction() as tx:
            tx.do(
                "witness_failed",
                vkey=self.witness.vkey,
                now=self._clock(),
                problem=heard.problem,
                known=heard.known,
                claims=heard.claims,
                evidence=heard.evidence,
            )

    def _converse(self) -> Heard:
        with self._pool.transaction(read_only=True) as tx:
            old: int = tx.rows("get_witness", vkey=self.witness.vkey)[0][0]
        told: int | None = None
        for _ in range(TRIES):
            newest, path = self._newest_and_path(old)
            if newest is None:
                return Heard()
            if old > newest.size:
                return self._look_closer(newest, Heard(problem="behind"))
            reply = self._client.add_checkpoint(format_request(old, path, newest.note))
            if reply.status == 200:
                return self._take(newest, reply)
            if reply.status == 409:
                told = _told_size(reply)
                if told is None:
                    return Heard(problem="bad-answer", status=409)
                if told != old:
                    old = told
                    continue
            if reply.status in (409, 422):
                # 409 with the size that was sent: so older editions say "another root".
                claims = True if old == newest.size else None
                return self._look_closer(
                    newest, Heard(None, "claims-fork", reply.status, told, claims)
                )
            problem: Problem = "away" if reply.status == 429 or reply.status >= 500 else "refused"
            return Heard(problem=problem, status=reply.status, known=told)
        return Heard(problem="unsettled")

    def _newest_and_path(self, old: int) -> tuple[Newest | None, list[bytes]]:
        with self._pool.transaction(read_only=True) as tx:
            row = tx.row("newest_checkpoint")
            if row is None:
                return None, []
            newest = Newest(row[0], row[2])
            if not 0 < old < newest.size:
                return newest, []
            return newest, consistency_path_from_tiles(partial(read_log_tile, tx), old, newest.size)

    def _take(self, newest: Newest, reply: Reply) -> Heard:
        """Keep the cosignature, if there is one of this witness over this checkpoint."""
        cosignature, time = self._cosignature(newest, reply.body)
        if cosignature is None or time is None:
            return Heard(problem="bad-answer", status=200)
        now = self._clock()
        if abs(time - now.timestamp()) > CLOCK_SECONDS:
            return Heard(problem="clock", status=200)
        keep_cosignature(self._pool, newest.size, self.witness, cosignature, now)
        return Heard(size=newest.size)

    def _cosignature(self, newest: Newest, body: bytes) -> tuple[Signature | None, int | None]:
        text = parse_note(newest.note).text
        try:
            note = open_note(f"{text}\n{body.decode()}", [self.witness])
        except (UnicodeDecodeError, MalformedNote, BadSignature, UnknownSigner):
            return None, None
        # Lines of others, if there are any, are passed over.
        return (
            (note.verified[0].signature, note.verified[0].time)
            if note.text == text
            else (None, None)
        )

    def _look_closer(self, newest: Newest, heard: Heard) -> Heard:
        """
        See what the witness shows for what it says.

        Another state of the log with the signature of the log's key is proof. Where it shows
        a state that is this log's, it contradicts itself and claims nothing.
        """
        shown = self._shown(parse_note(newest.note).text.split("\n", 1)[0])
        if shown is None:
            return heard
        evidence = self._against(shown)
        if evidence is not None:
            return Heard(None, "fork", heard.status, None, None, evidence)
        return Heard(None, "refused", heard.status, shown.signed.checkpoint.size, False)

    def _shown(self, origin: str) -> Shown | None:
        """The state of the log that it shows, signed by the log's key; None: none."""
        try:
            text = self._client.checkpoint(origin)
            signed = check_checkpoint(text, self._trust())
        except (BadAnswer, Unreachable, BadSignature, MalformedNote, ReceiptRefused, UnknownSigner):
            return None
        return Shown(text, signed) if signed.checkpoint.origin == origin else None

    def _against(self, shown: Shown) -> str | None:
        """What proves that this log can't have that state; None: it can."""
        with self._pool.transaction(read_only=True) as tx:
            row = tx.row("newest_checkpoint")
            if row is None or shown.signed.checkpoint.size > row[0]:
                return shown.text
            ours = check_checkpoint(row[2], self._trust())
            return _contradiction(shown.signed, ours, partial(read_log_tile, tx))

    def _trust(self) -> Trust:
        return Trust("log", tuple(self._log_keys()), (), 0, (), 0)


def _told_size(reply: Reply) -> int | None:
    try:
        return parse_size(reply.body) if reply.type == SIZE_TYPE else None
    except MalformedNote:
        return None


def _contradiction(theirs: Signed, ours: Signed, read: TileReader) -> str | None:
    """What proves that one log can't have both, their state being no larger than ours."""
    try:
        check_growth(theirs, ours, read)
    except LogForked as fork:
        return fork.fork
    except NotaryError:
        """Our own tiles are damaged, say: that proves nothing against us, and an audit tells."""
    return None
