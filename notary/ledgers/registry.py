# SPDX-License-Identifier: Apache-2.0
"""
From settings to ledgers: the only place that knows which adapters there are.

The embedded file ledger is always there. Others stand in notary.toml, each in a table:

    [[ledgers]]
    name = "city-tsa"                  # its id in the trust file, for good
    kind = "rfc3161"                   # rfc3161, bsn-fabric, evm
    required = false                   # whether a record is anchored only once it is here
    interval_seconds = 3600            # unless set NOTARY_ANCHOR_SECONDS

docs/ledgers.md has the keys of each kind.
"""

import tomllib
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from notary.config import Settings, SettingsRefused
from notary.core.errors import MalformedText, NotaryError
from notary.core.words import check_id
from notary.keys import KeyRefused, load_key
from notary.ledgers.file import FileLedger
from notary.ledgers.port import Ledger, Surroundings
from notary.ledgers.table import Table

ADAPTERS: Final = {
    "rfc3161": ("notary.ledgers.rfc3161", "pip install 'city-notary[rfc3161]'"),
    "bsn-fabric": ("notary.ledgers.bsn", "pip install city-notary"),
    "evm": ("notary.ledgers.evm", "pip install 'city-notary[evm]'"),
}
"""By kind: the module whose `open_ledger` makes the adapter, and what installs what it needs."""
FILE: Final = "file"
MAX_LEDGERS: Final = 16


def make_ledgers(settings: Settings, around: Surroundings) -> list[Ledger]:
    """
    The configured ledgers, the file ledger first.

    Raises:
        KeyRefused: the file ledger's key is missing.
        SettingsRefused: with one sentence for each fault of the tables.
    """
    signer = load_key(settings.ledger_key) if around.writes else None
    try:
        vkey = signer.vkey if signer else settings.ledger_vkey.read_text(encoding="ascii").strip()
    except OSError:
        raise KeyRefused(
            f"{settings.ledger_vkey} can't be read: run `notary init`, or copy it here."
        ) from None
    others = load_ledgers(settings.feeds_file, around)
    return [FileLedger(settings.ledger_file, vkey, signer), *others]


def load_ledgers(file: Path | None, around: Surroundings) -> list[Ledger]:
    """
    The ledgers of a notary.toml, in its order; none without one.

    Raises:
        SettingsRefused: with one sentence for each fault.
    """
    if file is None:
        return []
    faults: list[str] = []
    found = [_open(table, around) for table in read_tables(file, faults)]
    if faults:
        raise SettingsRefused(" ".join(faults), faults=faults)
    return [ledger for ledger in found if ledger is not None]


def read_tables(file: Path, faults: list[str]) -> list[Table]:
    """The tables of ledgers of a notary.toml, in its order; what is wrong is added to `faults`."""
    tables = []
    for number, raw in enumerate(_raw_tables(file, faults), 1):
        named = name_of(raw)
        if isinstance(raw, dict):
            tables.append(Table(f"Ledger {number} ({named})", raw, file.parent, faults))
            _check(tables[-1])
        else:
            faults.append(f"Ledger {number} ({named}): it is not a table.")
    names = [table.name for table in tables if table.name]
    faults += [
        f"Two ledgers have the name {one}." for one in sorted(set(names)) if names.count(one) > 1
    ]
    return tables


def name_of(raw: object) -> str:
    """How a table calls itself, for people."""
    name = raw.get("name") if isinstance(raw, dict) else None
    return name[:64] if isinstance(name, str) and name and name.isprintable() else "without a name"


def _raw_tables(file: Path, faults: list[str]) -> list[Any]:
    try:
        tables = tomllib.loads(file.read_text(encoding="utf-8")).get("ledgers", [])
    except tomllib.TOMLDecodeError as error:
        faults.append(f"{file} is not TOML: {error}")
        return []
    except (OSError, ValueError, RecursionError) as error:
        faults.append(f"{file} can't be read: {error}")
        return []
    if not isinstance(tables, list):
        faults.append(f"{file}: ledgers must be tables, [[ledgers]].")
        return []
    if len(tables) > MAX_LEDGERS:
        faults.append(f"{file} has more than {MAX_LEDGERS} ledgers.")
        return []
    return tables


def _open(table: Table, around: Surroundings) -> Ledger | None:
    """The ledger of a table; None where it has a fault."""
    if table.kind not in ADAPTERS:
        return None
    module, install = ADAPTERS[table.kind]
    try:
        ledger: Ledger | None = import_module(module).open_ledger(table, around)
    except ImportError as error:
        table.fault(f"kind {table.kind} needs the package {error.name}: {install}")
        return None
    except NotaryError as error:
        table.fault(error.detail)
        return None
    return ledger


def _check(table: Table) -> None:
    if table.kind and table.kind not in ADAPTERS:
        table.fault(f"kind must be one of {', '.join(ADAPTERS)}.")
    if table.name == FILE:
        table.fault(f"the name {FILE} is the embedded ledger's.")
    elif table.name:
        try:
            check_id(table.name, "name")
        except MalformedText as error:
            table.fault(error.detail)
