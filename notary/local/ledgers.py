# SPDX-License-Identifier: Apache-2.0
"""
`make run LEDGER=KIND`: one more ledger beside the file ledger, brought up on this machine.

A kind has a module with `begin(local) -> Trial`. What the notary must know of it is written
to ./var/notary.toml, anew at each run.
"""

from collections.abc import Mapping
from importlib import import_module
from typing import Final, Protocol

from iot_ingest.feeds_file import DEFAULT as OWN_FEED
from notary.local.client import Client
from notary.local.errors import LocalError
from notary.local.folder import write_private
from notary.local.stage import Local

MODULES: Final = {"bsn": "notary.local.bsn_trial", "evm": "notary.local.evm_trial"}
Value = str | int | bool | list[str]
"""Of a key of notary.toml."""


class Trial(Protocol):
    """A ledger that runs; `table` is its `[[ledgers]]` table."""

    table: Mapping[str, Value]

    def story(self, local: Local, client: Client) -> bool:
        """
        Show what is anchored there by the receipt ./var/receipt.json, and say what was
        checked; whether all of it held.
        """


def open_trial(local: Local) -> Trial | None:
    """
    The ledger that LEDGER names, with ./var/notary.toml for it; None without LEDGER.

    Raises:
        LocalError: it isn't known, or can't be brought up.
    """
    kind = local.env.get("LEDGER", "")
    if not kind:
        return None
    if kind not in MODULES:
        raise LocalError(f"LEDGER={kind} is not known: {', '.join(MODULES)}.")
    if "NOTARY_CONFIG" in local.env:
        raise LocalError(f"LEDGER={kind} writes a notary.toml of its own: unset NOTARY_CONFIG.")
    trial: Trial = import_module(MODULES[kind]).begin(local)
    lines = [f"{name} = {_toml(value)}\n" for name, value in trial.table.items()]
    text = "# SPDX-License-Identifier: Apache-2.0\n# Written by make run, anew each time.\n\n"
    config = local.var / "notary.toml"
    write_private(config, text + OWN_FEED + "\n[[ledgers]]\n" + "".join(lines))
    local.more_settings["NOTARY_CONFIG"] = str(config)
    return trial


def _toml(value: Value) -> str:
    """A value as TOML has it; texts without quotes and backslashes."""
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return f'"{value}"' if isinstance(value, str) else str(value)
