# SPDX-License-Identifier: Apache-2.0
"""
Keys of other uses than signing the log (acceptances, COSE receipts): a private key, and beside
it the list of public keys that the trust file names, the newest first.
"""

import os
from pathlib import Path

from notary.config import Settings
from notary.core import acceptance, cose_receipt
from notary.keys import Signer, load_key, make_key

USES = {
    acceptance.KEY_USE: acceptance.KEY_SUFFIX,
    cose_receipt.KEY_USE: cose_receipt.KEY_SUFFIX,
}
"""Uses, and what stands behind the origin in the names of their keys."""


def rotate_key(key_file: Path, list_file: Path, name: str, *, stolen: bool) -> Signer:
    """
    Put a new key in the place of one, which stays listed unless it was `stolen`.

    1. the new private key, in a file beside; 2. the list; 3. the new file takes the old one's
    place. A crash between them leaves a key that signs and is listed; the same call goes on.

    Raises:
        KeyRefused: a file isn't a key, or may be read by others.
    """
    old = load_key(key_file)
    beside = key_file.with_name(f"{key_file.name}.new")
    new = load_key(beside) if beside.exists() else make_key(name, beside)
    dropped = {old.vkey} if stolen else set()
    kept = [vkey for vkey in read_list(list_file) if vkey not in {new.vkey} | dropped]
    _write(list_file, "".join(f"{vkey}\n" for vkey in [new.vkey, *kept]))
    os.replace(beside, key_file)
    return new


def key_files(settings: Settings, use: str) -> tuple[Path, Path]:
    """The private key of a use, and the list of its public keys."""
    if use == acceptance.KEY_USE:
        return settings.acceptance_key, settings.acceptance_vkey
    return settings.receipt_key, settings.receipt_vkey


def rename_keys(settings: Settings, origin: str) -> None:
    """For a log that goes on under another name: keys of that name, the old ones stay listed."""
    for use, suffix in USES.items():
        key_file, list_file = key_files(settings, use)
        if key_file.exists() and load_key(key_file).name != origin + suffix:
            rotate_key(key_file, list_file, origin + suffix, stolen=False)


def read_list(list_file: Path) -> list[str]:
    """The public keys that are listed, the newest first; none where there is no list."""
    return list_file.read_text(encoding="utf-8").split() if list_file.exists() else []


def _write(path: Path, text: str) -> None:
    new = path.with_name(f"{path.name}.new")
    with new.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(new, path)
