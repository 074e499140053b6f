# SPDX-License-Identifier: Apache-2.0
"""
What a witness says against this log, and whether signing must stop for it.

Proof (a state signed by the log's key that this log can't have) stops it, whoever showed it. The
mere word of a witness that it has another root stops it as long as the rule in force asks that
witness: who is asked for cosignatures may keep the log from signing, never make it sign.
"""

from collections.abc import Sequence
from functools import partial

from notary.core.errors import BadSignature, ForkRefused, ReceiptRefused, UnknownSigner
from notary.core.fork import verify_fork
from notary.core.note import parse_vkey
from notary.core.receipt_signers import check_checkpoint
from notary.core.tiles import root_from_tiles
from notary.core.trust import LogKey, Trust
from notary.store.logtiles import read_log_tile
from notary.store.pool import Transaction
from notary.usecases.marks import StateRefused


def check_alarms(tx: Transaction, origin: str, size: int, keys: Sequence[LogKey]) -> None:
    """
    Demand that no witness stands against the log of this name, which has `size` leaves and has
    had these `keys`.

    Raises:
        StateRefused: one does, by proof or by its word; nothing is to be signed.
    """
    for vkey, evidence in tx.rows("witness_alarms"):
        name = parse_vkey(vkey).name
        if evidence is None:
            raise StateRefused(
                f"The witness {name} says that it cosigned another root of this log. Nothing is "
                "signed: run `notary audit`; if it is the witness that errs, take it out of the "
                "policy.",
                reason="fork-claimed",
            )
        if not _is_settled(tx, evidence, origin, size, keys):
            raise StateRefused(
                f"The witness {name} shows a state of this log, signed with its key, that this "
                "database can't have: it was set back, or the key was used elsewhere. Nothing is "
                "signed.",
                reason="fork",
            )


def _is_settled(
    tx: Transaction, evidence: str, origin: str, size: int, keys: Sequence[LogKey]
) -> bool:
    """
    Whether what was shown is another log's, may be a thief's by today's list of keys, or (once
    lost leaves were found) is a state of this log.
    """
    trust = Trust("log", tuple(keys), (), 0, (), 0)
    try:
        if evidence.startswith("{"):
            return verify_fork(evidence, trust).origin != origin
        shown = check_checkpoint(evidence, trust).checkpoint
    except (BadSignature, ForkRefused, ReceiptRefused, UnknownSigner):
        return True
    if shown.origin != origin:
        return True
    return (
        shown.size <= size and root_from_tiles(partial(read_log_tile, tx), shown.size) == shown.root
    )
