# SPDX-License-Identifier: Apache-2.0
"""
Accept a version: a file is written as it comes (version_upload.py), and one last
transaction makes it the next version of its dataset, or nothing at all.
"""

import hmac
import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from notary.core.errors import NotaryError
from notary.core.words import check_string, check_type
from notary.store.pool import Pool, Transaction
from notary.usecases.accept import MAX_LIFT, ClockBehind, KeyReused
from notary.usecases.datasets import DatasetFacts
from notary.usecases.erase_content import version_answer
from notary.usecases.gate import Gate, OpenLog, read_incarnation
from notary.usecases.marks import StateRefused
from notary.usecases.rights import NotFound
from notary.usecases.version_upload import Upload, UploadLost

MAX_NAME_CHARACTERS = 255
MAX_REASON_CHARACTERS = 500


class CorrectionRefused(NotaryError):
    """There is no such version to correct, or no reason is given."""

    code = "correction-refused"


@dataclass(frozen=True, slots=True)
class NewVersion:
    """
    What is said of a file beside its bytes. `name` and `reason` are for people, and erasable;
    `corrects` is the number of the version that this one corrects.
    """

    dataset: DatasetFacts
    type: str
    by_word: str
    name: str | None = None
    corrects: int | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class VersionOnce:
    """An Idempotency-Key with its API key, and the secret under which files are remembered."""

    api_key: str
    key: str
    secret: bytes


@dataclass(frozen=True, slots=True)
class AcceptedVersion:
    """The number of the version; `is_new` is False where it was there already."""

    version: int
    is_new: bool


def accept_version(
    pool: Pool,
    gate: Gate,
    what: NewVersion,
    pieces: Iterable[bytes],
    clock: Callable[[], datetime],
    limit: int,
    once: VersionOnce | None = None,
    look: Callable[[Upload], None] | None = None,
) -> AcceptedVersion:
    """
    Make a file the next version of its dataset. Whatever fails, nothing of it is left.

    The same bytes in the same profile as the newest version are that version. `look` may
    refuse the whole file by raising, once it is there. It was received when all of it was.

    Raises:
        MalformedText: a name, a reason or the media type isn't one.
        CorrectionRefused: there is no version to correct, or no reason.
        FileTooLarge, MalformedRows: the file can't be taken, the text says why.
        KeyReused: the Idempotency-Key was used for another file.
        ClockBehind, StateRefused, StoreUnavailable, UploadLost: try again later.
    """
    log = gate.open()
    _check(what)
    with pool.transaction(read_only=True) as tx:
        _check_corrected(tx, what)
    upload = Upload(pool, what.dataset.id, is_open=what.dataset.is_open, now=clock())
    accepted = None
    try:
        upload.write(pieces, what.type, limit, clock)
        if look is not None:
            look(upload)
        with pool.transaction() as tx:
            accepted = _accept(tx, log, what, upload, clock(), once)
    finally:
        if accepted is None or not accepted.is_new:
            # Where the database is away too, the sweep does it later.
            with suppress(NotaryError):
                upload.abandon()
    return accepted


def _check(what: NewVersion) -> None:
    check_type(what.type)
    if what.name is not None:
        check_string(what.name, "file name", MAX_NAME_CHARACTERS)
    if what.reason is not None:
        check_string(what.reason, "reason", MAX_REASON_CHARACTERS)
    if (what.corrects is None) != (what.reason is None):
        raise CorrectionRefused(
            "A correction names the version that it corrects, and why.", reason="half"
        )


def _check_corrected(tx: Transaction, what: NewVersion) -> None:
    if what.corrects is None:
        return
    asked = {"dataset": what.dataset.id, "version": what.corrects}
    if tx.row("get_version", **asked) is None:
        raise CorrectionRefused(
            f"There is no version {what.corrects} to correct.", reason="none", version=what.corrects
        )


def _accept(
    tx: Transaction,
    log: OpenLog,
    what: NewVersion,
    upload: Upload,
    now: datetime,
    once: VersionOnce | None,
) -> AcceptedVersion:
    """The last transaction: a crash in here leaves an upload, no version."""
    tx.do("lock_dataset", dataset=what.dataset.id)
    if not read_incarnation(tx).same_life(log.incarnation):
        raise StateRefused("The database was exchanged.", reason="exchanged")
    if once is not None and (known := _claim(tx, what, upload, once, now)) is not None:
        return AcceptedVersion(known, is_new=False)
    newest = tx.row("newest_version", dataset=what.dataset.id)
    number, profile, digest, received = newest or (0, None, None, None)
    is_new = (profile, digest) != (upload.profile, upload.file_digest)
    if is_new:
        number += 1
        if received is not None and received - now > MAX_LIFT:
            raise ClockBehind(lift_seconds=(received - now).total_seconds())
        if tx.do("end_upload", id=upload.id) == 0:
            raise UploadLost()
        tx.do(
            "add_version",
            id=upload.id,
            dataset=what.dataset.id,
            version=number,
            profile=upload.profile,
            count=upload.count,
            root=upload.root,
            hash=upload.hash,
            received=now if received is None else max(now, received),
            corrects=what.corrects,
            salt=upload.salt,
            # Kept only where it opens something.
            secret=upload.secret if upload.count else None,
            file_digest=upload.file_digest,
            size_bytes=upload.size_bytes,
            name=what.name,
            reason=what.reason,
            type=what.type,
            by_word=what.by_word,
        )
    if once is not None:
        answer = version_answer(what.dataset.name, number)
        tx.do("set_idempotency_answer", api_key=once.api_key, key=once.key, answer=answer)
    return AcceptedVersion(number, is_new)


def _claim(
    tx: Transaction, what: NewVersion, upload: Upload, once: VersionOnce, now: datetime
) -> int | None:
    """The version that was accepted under this Idempotency-Key, or None. Raises KeyReused."""
    said = [what.dataset.name, what.type, what.name, what.corrects, what.reason]
    body = b"version " + json.dumps(said).encode() + upload.file_digest
    body_print = hmac.digest(once.secret, body, "sha256")
    who = {"api_key": once.api_key, "key": once.key}
    if tx.do("claim_idempotency_key", **who, body_print=body_print, now=now):
        return None
    row = tx.row("get_idempotency", **who)
    if row is None or row[0] != body_print:
        raise KeyReused()
    return int(json.loads(row[1])["version"])


def get_version(tx: Transaction, dataset: DatasetFacts, version: int) -> dict[str, Any]:
    """All that is stored of a version. Raises NotFound."""
    rows = tx.maps("get_version", dataset=dataset.id, version=version)
    if not rows:
        raise no_version(dataset, version)
    return rows[0]


def no_version(dataset: DatasetFacts, version: int) -> NotFound:
    """What is said where there is none."""
    return NotFound(f"There is no version {version} of {dataset.name} here.", what="version")
