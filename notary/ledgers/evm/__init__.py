# SPDX-License-Identifier: Apache-2.0
"""
Anchors on an EVM chain: one transaction to `AppendOnlyLog` (folder `contract`) for each.

The contract itself demands the consistency proof from the last checkpoint that it holds.
"""

from notary.ledgers.evm.opening import open_ledger

__all__ = ["open_ledger"]
