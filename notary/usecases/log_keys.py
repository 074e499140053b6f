# SPDX-License-Identifier: Apache-2.0
"""
The log's keys: brought in beside the old one, ended, given up after a theft.

Which key serves which sizes stands in the mark, outside the database, and in the trust file.
Each change is one write of the mark, made while the log's row is held: whoever commits a
larger (size, root) later reads the keys after that, so it signs with those that serve it. A
crash before that write changes nothing; a new key's file that it left is taken the next time.
"""

from dataclasses import replace
from functools import partial

from notary.core.errors import NotaryError
from notary.core.hashing import RootHash
from notary.core.note import parse_note
from notary.core.proof import verify_consistency
from notary.core.tiles import consistency_path_from_tiles, root_from_tiles
from notary.core.trust import Good, LogKey
from notary.keys import KeyRing, Signer, load_key, make_key
from notary.store.logtiles import read_log_tile
from notary.store.pool import Pool, Transaction
from notary.usecases.gate import Gate
from notary.usecases.marks import Mark, MarkFile


class KeyChangeRefused(NotaryError):
    """The log's keys can't be changed so."""

    code = "key-change-refused"


def rotate(pool: Pool, gate: Gate, marks: MarkFile, ring: KeyRing) -> tuple[LogKey, bool]:
    """
    Bring a new key in: from the newest checkpoint on it signs beside the old one.

    Returns the key, and whether it is new: while two sign, none is added.

    Raises:
        StateRefused: the gate is closed.
        KeyRefused: the new key's file can't be written, or is another's.
    """
    origin = gate.open().origin
    with pool.transaction() as tx:
        size, mark = _locked(tx, marks)
        signing = _open_keys(mark, origin)
        if len(signing) > 1:
            return signing[-1], False
        new = LogKey(next_key(ring, mark, origin).verifier, size, None)
        marks.change(lambda known: replace(known, keys=(*known.log_keys, new)))
    return new, True


def end(pool: Pool, gate: Gate, marks: MarkFile) -> tuple[LogKey, bool]:
    """
    End the older one of two keys with the newest checkpoint, which both signed.

    Returns the key that ended, and whether it did so now.

    Raises:
        StateRefused: the gate is closed.
        KeyChangeRefused: one key alone signs, or the newer one has signed nothing yet.
    """
    origin = gate.open().origin
    with pool.transaction() as tx:
        size, mark = _locked(tx, marks)
        signing = _open_keys(mark, origin)
        if len(signing) < 2:
            ended = [key for key in mark.log_keys if key.origin == origin and key not in signing]
            if ended:
                return ended[-1], False
            raise KeyChangeRefused(
                "One key alone signs the log: `notary log-keys rotate` brings another one in.",
                reason="one-key",
            )
        old, new = signing[0], signing[-1]
        if not _has_signed(tx, new):
            raise KeyChangeRefused(
                "The new key has signed no checkpoint yet: let `notary sealer` run, then end "
                "the old one.",
                reason="not-signed",
            )
        done = replace(old, last_size=size)
        marks.change(partial(_put, old=old, new=done))
    return done, True


def give_up(
    pool: Pool, gate: Gate, marks: MarkFile, ring: KeyRing, key_id: str | None, good_size: int
) -> tuple[LogKey, LogKey]:
    """
    Close a key that somebody else may have at the last size that is the log's own beyond
    doubt, and let another one go on, which is made unless there is one.

    Returns the closed key and the one that signs now. Again for the same size it changes
    nothing.

    Raises:
        StateRefused: the gate is closed.
        KeyChangeRefused: there is no such key or size, or it was given up at another size.
    """
    origin = gate.open().origin
    with pool.transaction() as tx:
        size, mark = _locked(tx, marks)
        old = _named(mark, origin, key_id, good_size)
        good = Good(good_size, _good_root(tx, mark, old, size, good_size))
        closed = replace(old, last_size=good_size, good=good)
        if old.good is not None and old.good != good:
            raise KeyChangeRefused(
                f"This key was given up at size {old.good.size} before.",
                reason="given-up",
            )
        keys = [closed if key == old else key for key in mark.log_keys]
        if not any(key.origin == origin and key.last_size is None for key in keys):
            # It signs the newest checkpoint anew, whatever the stolen key's thief made of it.
            keys.append(LogKey(next_key(ring, mark, origin).verifier, size, None))
        changed = marks.change(lambda known: replace(known, keys=tuple(keys)))
    return closed, _open_keys(changed, origin)[-1]


def next_key(ring: KeyRing, mark: Mark, origin: str) -> Signer:
    """
    The private key for the next place in the list: made, or left by a try that broke off.

    Raises:
        KeyRefused: its file may be read by others, or is no key of that log.
    """
    path = ring.path(len(mark.log_keys) + 1)
    if not path.exists():
        return make_key(origin, path)
    signer = load_key(path)
    known = {key.verifier.public_key for key in mark.log_keys}
    if signer.name != origin or signer.public in known:
        raise KeyChangeRefused(
            f"{path} is there already, and is no new key of {origin}: move it away.",
            reason="other-key",
        )
    return signer


def _locked(tx: Transaction, marks: MarkFile) -> tuple[int, Mark]:
    """Hold the log's row: the newest committed size, and the mark."""
    tx.rows("lock_log")
    newest = tx.row("newest_committed_checkpoint")
    return (0 if newest is None else int(newest[0])), marks.change(lambda mark: mark)


def _open_keys(mark: Mark, origin: str) -> list[LogKey]:
    """The keys that sign today, the oldest first."""
    return [key for key in mark.log_keys if key.origin == origin and key.last_size is None]


def _has_signed(tx: Transaction, key: LogKey) -> bool:
    newest = tx.row("newest_checkpoint")
    lines = parse_note(newest[2]).unverified if newest is not None else ()
    return (key.verifier.name, key.verifier.key_id) in {(one.name, one.key_id) for one in lines}


def _put(mark: Mark, *, old: LogKey, new: LogKey) -> Mark:
    return replace(mark, keys=tuple(new if key == old else key for key in mark.log_keys))


def _named(mark: Mark, origin: str, key_id: str | None, good_size: int) -> LogKey:
    keys = [key for key in mark.log_keys if key.origin == origin]
    if key_id is None:
        # Again, after it was done: the key that was given up so.
        keys = [key for key in keys if key.good and key.good.size == good_size] or keys
    if key_id is None and len(keys) > 1:
        raise KeyChangeRefused(
            "The log has had several keys: say which with --key; `notary log-keys list` names "
            "them.",
            reason="several-keys",
        )
    found = [key for key in keys if key_id in (None, key.verifier.key_id.hex())]
    if len(found) != 1:
        raise KeyChangeRefused(f"The log has no key {key_id}.", reason="no-key")
    return found[0]


def _good_root(tx: Transaction, mark: Mark, key: LogKey, size: int, good_size: int) -> RootHash:
    """The root of the good size: that of a beginning of what the mark knows."""
    last = size if key.last_size is None else key.last_size
    if not max(key.first_size, 1) <= good_size <= last:
        raise KeyChangeRefused(
            f"The key served the sizes {max(key.first_size, 1)} to {last}: the last good one is "
            "one of them.",
            reason="no-size",
        )
    read = partial(read_log_tile, tx)
    root = root_from_tiles(read, good_size)
    if good_size <= mark.size:
        path = consistency_path_from_tiles(read, good_size, mark.size)
        verify_consistency(good_size, root, mark.size, RootHash(bytes.fromhex(mark.root)), path)
    return root
