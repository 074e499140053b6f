# SPDX-License-Identifier: Apache-2.0
"""
`notary log follow`: hold the newest checkpoint of a notary against the one that was seen last,
as anybody can who only remembers one. The state is the note itself: `notary verify --since`
takes it.
"""

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from notary.core.errors import NotaryError
from notary.core.fork import check_growth
from notary.core.note import MAX_NOTE_BYTES
from notary.core.receipt_signers import Signed, check_checkpoint, check_good, check_quorum
from notary.core.trust import Trust
from notary.core.verdict import Findings
from notary.outside.errors import BadAnswer
from notary.outside.notary import Notary

How = Literal["first", "same", "grown", "went-back"]
MODE: Final = 0o644


class StateUnusable(NotaryError):
    """The file with the checkpoint that was seen last can't be used."""

    code = "state-unusable"


@dataclass(frozen=True, slots=True)
class Followed:
    """The newest checkpoint, the one that was seen before it, and how they follow."""

    how: How
    newest: Signed
    note: str
    before: int | None


def follow(notary: Notary, trust: Trust, remembered: str | None) -> Followed:
    """
    Fetch the newest checkpoint and see that the log only grew from the remembered one.

    went-back: what is shown is the beginning of what is remembered. It may be an old copy.

    Raises:
        Unreachable, BadAnswer: nobody answered, or not with what was asked for.
        LogForked: both contradict each other; `fork` proves it.
        StateUnusable: what is remembered isn't signed by this log.
        MalformedNote, BadSignature, UnknownSigner, ReceiptRefused, QuorumNotMet: what is shown
            as the checkpoint isn't one of this log.
        RootMismatch, MalformedTile: the tiles aren't those of the signed root.
        ForkRefused: a contradiction that may be a thief's, by the trust file.
    """
    note = notary.checkpoint()
    newest = check_checkpoint(note, trust)
    _check_key(newest, trust)
    if remembered is None:
        return Followed("first", newest, note, None)
    seen = _opened(remembered, newest, trust)
    size, before = newest.checkpoint.size, seen.checkpoint.size
    if size < before:
        # Who shows an old copy has no tiles of what was added since.
        with suppress(BadAnswer):
            check_growth(newest, seen, notary.tile)
        return Followed("went-back", newest, note, before)
    check_growth(seen, newest, notary.tile)
    return Followed("same" if size == before else "grown", newest, note, before)


def read_state(path: Path) -> str | None:
    """The note that was seen last, or None where there is no file yet. Raises StateUnusable."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_NOTE_BYTES + 1)
        return data.decode()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not text"
        raise StateUnusable(reason="unreadable", path=str(path), why=why) from None


def write_state(path: Path, note: str, expected: str | None) -> None:
    """
    Remember a note in one step: after a crash the file holds it, or what it held before.

    Raises:
        StateUnusable: it can't be written, or isn't what was `expected` any more.
    """
    beside = path.with_name(f".notary-{secrets.token_hex(8)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _locked(path.parent):
            if read_state(path) != expected:
                raise StateUnusable(reason="changed", path=str(path))
            number = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, MODE)
            with os.fdopen(number, "w", encoding="utf-8", newline="") as file:
                file.write(note)
                file.flush()
                os.fsync(file.fileno())
            os.replace(beside, path)
    except OSError as error:
        why = error.strerror or "no place"
        raise StateUnusable(reason="unwritable", path=str(path), why=why) from None
    finally:
        with suppress(OSError):
            beside.unlink()


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Alone in this folder; what was written in it is durable at the end."""
    number = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # some file systems know no locks of folders
            fcntl.flock(number, fcntl.LOCK_EX)
        yield
        with suppress(OSError):
            os.fsync(number)
    finally:
        os.close(number)


def _opened(remembered: str, newest: Signed, trust: Trust) -> Signed:
    try:
        seen = check_checkpoint(remembered, trust)
    except NotaryError as error:
        raise StateUnusable(reason="not-signed", why=error.detail) from None
    if seen.checkpoint.origin != newest.checkpoint.origin:
        raise StateUnusable(
            reason="other-log", seen=seen.checkpoint.origin, shown=newest.checkpoint.origin
        )
    return seen


def _check_key(newest: Signed, trust: Trust) -> None:
    """What a thief of a key signed is no state of the log."""
    if newest.log.good is not None:
        findings = Findings()
        check_good(newest, None, trust.quorum, findings)
        check_quorum(newest.note, trust, findings)
