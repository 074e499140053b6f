# SPDX-License-Identifier: Apache-2.0
"""From settings to ledgers: the only place that knows which adapters there are."""

from notary.config import Settings
from notary.keys import KeyRefused, load_key
from notary.ledgers.file import FileLedger
from notary.ledgers.port import Ledger


def make_ledgers(settings: Settings, *, writes: bool) -> list[Ledger]:
    """
    The configured ledgers; with `writes` they can also submit.

    Raises:
        KeyRefused: a ledger's key is missing.
    """
    signer = load_key(settings.ledger_key) if writes else None
    try:
        vkey = signer.vkey if signer else settings.ledger_vkey.read_text(encoding="ascii").strip()
    except OSError:
        raise KeyRefused(
            f"{settings.ledger_vkey} can't be read: run `notary init`, or copy it here."
        ) from None
    return [FileLedger(settings.ledger_file, vkey, signer)]
