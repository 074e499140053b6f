# SPDX-License-Identifier: Apache-2.0
"""
A time-stamping authority as a ledger: the reference of an anchor is its token.

The authority keeps nothing that could be asked for later. So `submit` checks a token by the
check that receipts undergo before it returns it, a token that was lost on its way is asked for
anew, and another root for a known size is not noticed here: the notary's database holds one
root for a size, commits it before it is handed over, and the audit compares.
"""

import base64
import binascii
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from notary.core.errors import ReceiptRefused
from notary.core.words import format_time
from notary.evidence.rfc3161 import MAX_TOKEN_BYTES, Stamped, check_token
from notary.evidence.rfc3161_trust import Trusted
from notary.ledgers.http import Endpoint
from notary.ledgers.port import Anchorable, AnchorState, LedgerUnavailable
from notary.ledgers.rfc3161.exchange import query, token_in

QUERY: Final = "application/timestamp-query"
NONCE_BITS: Final = 64
MAX_ANSWER_BYTES: Final = MAX_TOKEN_BYTES + 4_096


class TimeStampLedger:
    """An authority at an address, its tokens held against the roots and policies given."""

    kind = "rfc3161"
    own_word = False
    remembers = False

    def __init__(
        self,
        name: str,
        required: bool,
        interval: timedelta | None,
        endpoint: Endpoint,
        trusted: Trusted,
    ) -> None:
        self.name = name
        self.required = required
        self.interval = interval
        self._endpoint = endpoint
        self._trusted = trusted

    def submit(self, checkpoint: Anchorable, reference: str | None, now: datetime) -> str:
        """
        Have the checkpoint stamped, unless the reference is a token that holds for it.

        Raises:
            LedgerUnavailable: no token came that holds; nothing is claimed.
        """
        if reference is not None and self._stamped(checkpoint, reference) is not None:
            return reference
        token, _ = self._ask(checkpoint.octets)
        return base64.b64encode(token).decode()

    def confirm(self, checkpoint: Anchorable, reference: str | None) -> AnchorState:
        """`verified` where the reference is a token that holds for it, else `unknown`."""
        return "unknown" if self._stamped(checkpoint, reference) is None else "verified"

    def evidence(self, checkpoint: Anchorable, reference: str | None) -> Mapping[str, object]:
        """The token. Raises LedgerUnavailable where there is none that holds."""
        if self._stamped(checkpoint, reference) is None:
            raise LedgerUnavailable(f"There is no token for size {checkpoint.size}.")
        return {"token": reference}

    def newest(self, origin: str) -> tuple[int, bytes] | None:
        """None: an authority keeps nothing."""
        return None

    def trust(self) -> Mapping[str, object]:
        """Its roots, what else leads to them, and its policies."""
        return self._trusted.members

    def probe(self) -> Mapping[str, object]:
        """
        Have random octets stamped, which are anchored nowhere, and say what the token says.

        Raises:
            LedgerUnavailable: no token came that holds.
        """
        _, stamped = self._ask(secrets.token_bytes(72))
        told: dict[str, object] = {"authority": stamped.who, "policy": stamped.policy}
        if stamped.accuracy is not None:
            told["accuracy"] = f"{stamped.accuracy.total_seconds():.6f}"
        return {**told, "time": format_time(stamped.time)}

    def _ask(self, message: bytes) -> tuple[bytes, Stamped]:
        """A new token over a message, which holds and is the answer to this very question."""
        nonce = secrets.randbits(NONCE_BITS)
        policy = next(iter(self._trusted.policies), None)
        status, answer = self._endpoint.post(query(message, nonce, policy), QUERY)
        who = self._endpoint.place
        if status != 200:
            raise LedgerUnavailable(f"{who} answered with HTTP status {status}.")
        token = token_in(answer, who)
        if len(token) > MAX_TOKEN_BYTES:
            raise LedgerUnavailable(f"The token of {who} has more than {MAX_TOKEN_BYTES:,} bytes.")
        try:
            stamped = check_token(token, message, self._trusted)
        except ReceiptRefused as error:
            raise LedgerUnavailable(
                f"{who} sent a token that doesn't hold by root_file and policies: {error.detail}"
            ) from None
        if stamped.nonce != nonce:
            raise LedgerUnavailable(f"{who} sent a token that answers another request.")
        return token, stamped

    def _stamped(self, checkpoint: Anchorable, reference: str | None) -> Stamped | None:
        """What the token in a reference says, where it holds for the checkpoint."""
        try:
            token = base64.b64decode(reference or "", validate=True)
            return check_token(token, checkpoint.octets, self._trusted)
        except (binascii.Error, ValueError, ReceiptRefused):
            return None
