# SPDX-License-Identifier: Apache-2.0
"""`notary anchors deploy LEDGER`: put the contract of an EVM ledger on its chain."""

import sys
from collections.abc import Sequence
from pathlib import Path

from notary.config import SettingsRefused
from notary.core.errors import MalformedText
from notary.ledgers.registry import ADAPTERS, read_tables
from notary.ledgers.table import Table
from notary.usecases.rights import NotFound


def run(file: Path | None, names: Sequence[str]) -> int:
    """
    Create the contract, and print what goes into the ledger's table.

    Raises:
        SettingsRefused: the table can't be used, or the package that signs is missing.
        LedgerUnavailable: the node can't be reached, or did not take it.
        NotFound: there is no such table.
        MalformedText: no ledger is named, or several.
    """
    if len(names) != 1:
        raise MalformedText("notary anchors deploy LEDGER")
    (name,) = names
    faults: list[str] = []
    table = _table(file, name, faults)
    try:
        # Its package is an extra.
        from notary.ledgers.evm.deploy import deploy_from_table

        deployed = deploy_from_table(table)
    except ImportError as error:
        table.fault(f"deploying needs the package {error.name}: {ADAPTERS['evm'][1]}")
        deployed = None
    if deployed is None:
        raise SettingsRefused(" ".join(faults), faults=faults)
    print(f'contract = "0x{deployed.contract.hex()}"\nfrom_block = {deployed.block}')
    print(f"These two lines go into the table of {name} in {file}.", file=sys.stderr)
    return 0


def _table(file: Path | None, name: str, faults: list[str]) -> Table:
    if file is None:
        raise NotFound("NOTARY_CONFIG is not set: the ledgers stand in the notary.toml it names.")
    for table in read_tables(file, faults):
        if table.name == name and table.kind == "evm":
            return table
    raise NotFound(f"There is no [[ledgers]] table of kind evm called {name} in {file}.")
