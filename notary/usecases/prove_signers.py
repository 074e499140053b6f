# SPDX-License-Identifier: Apache-2.0
"""
Under which checkpoint a batch is proved, where the log has had several keys.

The first one that a key signed which served its size, by today's list of keys. One signed by
a key that was given up comes with the way to its last good state (docs/spec/receipt-v1.md,
step 8); one beyond that state by such a key alone proves nothing any more and is passed over.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

from notary.core.note import parse_note
from notary.core.tiles import consistency_path_from_tiles
from notary.core.trust import LogKey
from notary.store.logtiles import read_log_tile
from notary.store.pool import Transaction


def signing_key(note: str, size: int, keys: Sequence[LogKey]) -> LogKey | None:
    """The key that a verifier takes of those that signed a note and served its size, or None."""
    lines = {(line.name, line.key_id) for line in parse_note(note).unverified}
    signed = [
        key
        for key in keys
        if (key.verifier.name, key.verifier.key_id) in lines and key.served(size)
    ]
    return min(signed, key=lambda key: key.good is not None, default=None)


def find_batch(
    tx: Transaction, index: int, keys: Sequence[LogKey], start: int
) -> tuple[dict[str, Any], LogKey | None]:
    """
    A batch with the first checkpoint of at least `start` leaves that still counts, and its key.

    Where there is no such checkpoint yet, `note` is None. Of a log that has had one key, or none
    that is known here, any signed one counts, and the key is not told.
    """
    while True:
        found = tx.maps("find_batch", index=index, start=start)[0]
        if found["note"] is None or len(keys) < 2:
            return found, None
        key = signing_key(found["note"], found["size"], keys)
        if key is not None:
            return found, key
        # On to where a key serves again: at most once for each key, and one checkpoint more.
        start = found["size"] + 1
        if not any(key.served(start) for key in keys):
            start = min((key.first_size for key in keys if key.first_size > start), default=start)


def path_to_good(tx: Transaction, size: int, key: LogKey) -> tuple[int, list[bytes]] | None:
    """The last good size of a key that was given up, and the path there from `size`."""
    if key.good is None or key.good.size == size:
        return None
    path = consistency_path_from_tiles(partial(read_log_tile, tx), size, key.good.size)
    return key.good.size, path
