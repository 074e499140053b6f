# SPDX-License-Identifier: Apache-2.0
"""
Anchors on a Fabric channel of BSN, by a PCN gateway: one `set` of the preset chaincode for each.

Nothing that the gateway says counts: what is anchored is read from the bytes of a block and
checked as a stranger checks a receipt.
"""

from notary.ledgers.bsn.opening import open_ledger

__all__ = ["open_ledger"]
