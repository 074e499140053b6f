# SPDX-License-Identifier: Apache-2.0
"""Put the contract AppendOnlyLog on a chain, once; its address goes into notary.toml."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from notary.ledgers.evm.append_only_log import artefact
from notary.ledgers.evm.chain import Chain, created_address
from notary.ledgers.evm.opening import open_chain, open_sender
from notary.ledgers.evm.settings import read_settings
from notary.ledgers.evm.shapes import octets, quantity, shown
from notary.ledgers.evm.transaction import Sender
from notary.ledgers.port import LedgerUnavailable
from notary.ledgers.table import Table

PAUSE_SECONDS: Final = 1.0
MAX_LOOKS: Final = 600


@dataclass(frozen=True, slots=True)
class Deployed:
    """The contract's address (20 bytes) and the block since which it is there."""

    contract: bytes
    block: int


def deploy_from_table(table: Table) -> Deployed | None:
    """
    Create the contract by the keys of a ledger's table; None where the table has a fault.

    Raises:
        KeyRefused, ImportError: as `open_ledger`.
        LedgerUnavailable: the node can't be reached, or did not take it.
    """
    settings = read_settings(table, deploys=True)
    if settings.key_file is None:
        table.fault("key_file is missing: the account's private key, to sign with.")
    if not table.is_good:
        return None
    chain = open_chain(settings)
    sender = open_sender(table, settings, chain)
    return None if sender is None else deploy(chain, sender)


def deploy(
    chain: Chain, sender: Sender, *, pause: Callable[[float], None] = time.sleep
) -> Deployed:
    """Create the contract with the sender's account, and wait until a block has it."""
    chain.check_id()
    code = octets(artefact()["bytecode"], "the compiled contract")
    sent = sender.send(b"", code, purpose=b"deploy")
    for _ in range(MAX_LOOKS):
        receipt = chain.receipt(sent)
        if receipt is not None:
            if quantity(receipt.get("status"), "a status") != 1:
                raise LedgerUnavailable("The contract was not created: the transaction failed.")
            at = Chain(chain.node, chain.id, created_address(receipt))
            at.check_contract()
            return Deployed(at.contract, quantity(receipt.get("blockNumber"), "a block's number"))
        pause(PAUSE_SECONDS)
    raise LedgerUnavailable(
        f"No block has the transaction {shown(sent)} yet. Its receipt will tell the address."
    )
