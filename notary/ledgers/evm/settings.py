# SPDX-License-Identifier: Apache-2.0
"""The keys of an EVM ledger's table in notary.toml."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from notary.ledgers.table import Table

Finality = Literal["depth", "finalized"]
GWEI: Final = 10**9
_ADDRESS: Final = re.compile(r"0x[0-9a-fA-F]{40}")


@dataclass(frozen=True, slots=True)
class EvmSettings:
    """
    Where the chain is and how it is written to; addresses are 20 bytes, b"" where one is not
    given. `final`: an anchor counts once its block is `confirmations` deep (1: the newest one),
    or once the node calls it finalized.
    """

    url: str
    api_key_file: Path | None
    ca_file: Path | None
    chain_id: int
    contract: bytes
    account: bytes
    key_file: Path | None
    password_file: Path | None
    from_block: int
    final: Finality
    confirmations: int
    patience_blocks: int
    ceiling_wei: int
    """The most that is ever offered for a unit of gas."""


def read_settings(table: Table, *, deploys: bool = False) -> EvmSettings:
    """
    Read all keys; what can't be used is added to the table's faults.

    `deploys`: the contract isn't there yet, and the account may be asked for.
    """
    final = table.text("final", "depth")
    if final not in ("depth", "finalized"):
        table.fault('final must be "depth" or "finalized".')
    settings = EvmSettings(
        url=table.url("url"),
        api_key_file=table.path("api_key_file", None),
        ca_file=table.path("tls_ca_file", None),
        chain_id=table.number("chain_id", None, 1, 2**53 - 1),
        contract=_address(table, "contract", needed=not deploys),
        account=_address(table, "account", needed=not deploys),
        key_file=table.path("key_file", None),
        password_file=table.path("password_file", None),
        from_block=table.number("from_block", 0, 0, 2**63 - 1),
        final="finalized" if final == "finalized" else "depth",
        confirmations=table.number("confirmations", 12, 1, 100_000),
        patience_blocks=table.number("patience_blocks", 20, 1, 100_000),
        ceiling_wei=table.number("max_fee_gwei", 500, 1, 10**9) * GWEI,
    )
    table.check_no_more()
    return settings


def _address(table: Table, key: str, *, needed: bool) -> bytes:
    text = table.text(key) if needed else table.text(key, None)
    if not text:
        return b""
    if not _ADDRESS.fullmatch(text):
        table.fault(f"{key} must be an address: 0x and 40 hexadecimal digits.")
        return b""
    return bytes.fromhex(text[2:])
