# SPDX-License-Identifier: Apache-2.0
"""From an EVM ledger's table in notary.toml to the ledger."""

from typing import Final

from notary.keys import KeyRefused, read_secret
from notary.ledgers.evm.chain import Chain
from notary.ledgers.evm.ledger import EvmLedger
from notary.ledgers.evm.rpc import Node
from notary.ledgers.evm.settings import EvmSettings, read_settings
from notary.ledgers.evm.shapes import shown
from notary.ledgers.evm.transaction import Sender
from notary.ledgers.http import Endpoint
from notary.ledgers.port import Surroundings
from notary.ledgers.table import Table

MAX_ANSWER_BYTES: Final = 64 << 20
"""All receipts of a large block."""


def open_ledger(table: Table, around: Surroundings) -> EvmLedger | None:
    """
    The ledger of a table; None where the table has a fault. No network is used yet.

    Raises:
        KeyRefused: a file with a key is missing, may be read by others, or holds none.
        LedgerUnavailable: the file with certificates can't be used.
        ImportError: the package that signs is missing.
    """
    settings = read_settings(table)
    if around.writes and settings.key_file is None:
        table.fault("key_file is missing: the account's private key, to sign with.")
    if not table.is_good:
        return None
    chain = open_chain(settings)
    sender = open_sender(table, settings, chain) if around.writes else None
    if around.writes and sender is None:
        return None
    return EvmLedger(table.name, table.required, table.interval, chain, settings, around, sender)


def open_chain(settings: EvmSettings) -> Chain:
    """The chain behind the address. Raises KeyRefused, LedgerUnavailable as `open_ledger`."""
    headers = {}
    if settings.api_key_file is not None:
        key = read_secret(settings.api_key_file).decode("latin-1").strip()
        if not key.isascii() or not key.isprintable():
            raise KeyRefused(f"{settings.api_key_file} is not one line of letters and digits.")
        headers["x-api-key"] = key
    endpoint = Endpoint(
        settings.url, headers=headers, ca_file=settings.ca_file, max_bytes=MAX_ANSWER_BYTES
    )
    return Chain(Node(endpoint), settings.chain_id, settings.contract)


def open_sender(table: Table, settings: EvmSettings, chain: Chain) -> Sender | None:
    """What signs and sends; None, and a fault, where the table has not the key's account."""
    # Only who signs needs the package.
    from notary.ledgers.evm.account import load_account

    assert settings.key_file is not None
    account = load_account(settings.key_file, settings.password_file)
    if account.address != settings.account:
        named = f"is {shown(settings.account)}" if settings.account else "is missing"
        table.fault(f"key_file holds the key of {shown(account.address)}, and account {named}.")
        return None
    return Sender(
        chain,
        account,
        ceiling_wei=settings.ceiling_wei,
        patience_blocks=settings.patience_blocks,
    )
