# SPDX-License-Identifier: Apache-2.0
"""
Receipts signed as COSE receipts (docs/spec/cose-receipt-v1.md), by a key of their own.

Whoever writes to the database must not get a signature over what the log never signed. So
the checkpoint of each receipt is checked against the notary's own trust file first, and the
descriptor's path against the checkpoint.
"""

from collections.abc import Callable
from functools import lru_cache

from notary.core.cose_receipt import draft_cose_receipt
from notary.core.errors import NotaryError, ReceiptTooLarge
from notary.core.receipt_format import parse_receipt
from notary.core.receipt_parts import Consistency
from notary.core.receipt_signers import check_checkpoint, check_good
from notary.core.trust import parse_trust
from notary.core.verdict import Findings
from notary.core.vkey import parse_vkey
from notary.keys import Signer
from notary.usecases.prove import StoreDamaged

MAX_CHECKPOINTS = 512


class ReceiptSigner:
    """
    Signs for one process; may be called from several threads.

    `trust` gives a trust file with the log's keys as they are now; it raises StateRefused while
    the gate is closed, and then nothing is signed.
    """

    def __init__(self, signer: Signer, trust: Callable[[], str]) -> None:
        self._signer = signer
        self._key = parse_vkey(signer.vkey)
        self._trust = trust
        self._check = lru_cache(MAX_CHECKPOINTS)(_check)

    def sign(self, receipt_text: str) -> bytes:
        """
        The COSE receipt of a receipt that this notary made; always the same bytes.

        Raises:
            ReceiptTooLarge: it doesn't fit.
            StateRefused: the gate is closed.
            StoreDamaged: the stored checkpoint is none that the log signed, or the batch is
                not under it.
        """
        receipt, trust = parse_receipt(receipt_text), self._trust()
        try:
            self._check(receipt.checkpoint, receipt.consistency, trust)
            draft = draft_cose_receipt(receipt, self._key)
        except ReceiptTooLarge:
            raise
        except NotaryError as error:
            raise StoreDamaged(f"No COSE receipt is signed: {error.detail}") from None
        return draft.signed(self._signer.private.sign(draft.message))


def _check(note: str, consistency: Consistency | None, trust_text: str) -> None:
    """The log signed the checkpoint; under a key that was given up, on its way to the good one."""
    signed = check_checkpoint(note, parse_trust(trust_text))
    check_good(signed, consistency, 0, Findings())
