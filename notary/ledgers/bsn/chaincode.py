# SPDX-License-Identifier: Apache-2.0
"""
The preset chaincode of BSN (FabricBaseChaincode), in key trust mode: the gateway signs and sends
the transaction, and answers when it was endorsed, before there is a block.

    set         {"baseKey": SHA-256 of the log's origin in hex, "-", size; "baseValue": root in hex}
                refused where the key is there already, which keeps a root from being replaced
    getHistory  key -> JSON list of {"txId", "dataInfo", "txTime", "isDelete"}
"""

import base64
import json
import os
from dataclasses import dataclass
from typing import Final

from notary.ledgers.bsn.gateway import TX, Declined, Gateway, number, said, text
from notary.ledgers.bsn.text_to_sign import REQ_CHAIN_CODE
from notary.ledgers.port import Anchorable, LedgerUnavailable

NONCE_BYTES: Final = 24
OK: Final = 200
MAX_HISTORY: Final = 16
"""A key that is only ever `set` has one entry; no more than these are looked into."""


class NotTaken(LedgerUnavailable):
    """The chaincode or the gateway says no to a call, and signs it."""


@dataclass(frozen=True, slots=True)
class Chaincode:
    """The app's chaincode, called in the name of a user; "" where the app has no users."""

    gateway: Gateway
    name: str
    user_name: str

    def set(self, checkpoint: Anchorable) -> str:
        """
        Have a root set under its key; the id of the transaction that may come into a block.

        Raises:
            NotTaken: it is no transaction: the key is there already, say.
            LedgerUnavailable: nobody knows.
        """
        value = {"baseKey": key_of(checkpoint), "baseValue": checkpoint.root.hex()}
        return self._call("set", json.dumps(value))[0]

    def history(self, checkpoint: Anchorable) -> list[str]:
        """
        The transactions that the gateway names for the key, the first few; none of it believed.

        Raises:
            LedgerUnavailable: the answer is no such list.
        """
        try:
            _, data = self._call("getHistory", key_of(checkpoint))
        except NotTaken:
            return []
        try:
            entries = json.loads(data) or []
            found = [entry["txId"] for entry in entries[:MAX_HISTORY]]
        except (ValueError, RecursionError, LookupError, TypeError):
            raise LedgerUnavailable(
                f"{self.gateway.place} answers getHistory with what is no history."
            ) from None
        return [tx for tx in found if isinstance(tx, str) and TX.fullmatch(tx)]

    def _call(self, function: str, argument: str) -> tuple[str, str]:
        """Call a function; the transaction's id and what the chaincode returned."""
        body = {
            "userName": self.user_name,
            "nonce": base64.b64encode(os.urandom(NONCE_BYTES)).decode(),
            "chainCode": self.name,
            "funcName": function,
            "args": [argument],
            "transientData": {},
        }
        try:
            answer = self.gateway.ask(REQ_CHAIN_CODE, body)
        except Declined as error:
            raise NotTaken(error.detail) from None
        result, block = answer.get("ccRes"), answer.get("blockInfo")
        if not isinstance(result, dict) or not isinstance(block, dict):
            raise LedgerUnavailable(f"{self.gateway.place} answers {function} without a result.")
        data = result.get("ccData")
        if number(result, "ccCode") != OK:
            words = said(data if isinstance(data, str) else None)
            raise NotTaken(f"The chaincode {self.name} says no to {function}: {words}")
        tx = text(block, "txId")
        if not TX.fullmatch(tx):
            raise LedgerUnavailable(f"{self.gateway.place} answers {function} without a txId.")
        return tx, text(result, "ccData")


def key_of(checkpoint: Anchorable) -> str:
    """The key of a checkpoint: never used twice, and no name in it."""
    return f"{checkpoint.origin_hash.hex()}-{checkpoint.size}"
