# SPDX-License-Identifier: Apache-2.0
"""
The account that pays for anchors: its private key stays in this module, and in no `repr`.

The key's file has mode 0600 and holds 64 hexadecimal digits, or a keystore (JSON, version 3)
whose password is in a file of its own.
"""

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from notary.keys import KeyRefused, read_secret, write_secret

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

_KEY: Final = re.compile(r"(?:0x)?([0-9a-fA-F]{64})")


class Account:
    """One account: `address` has 20 bytes."""

    def __init__(self, local: "LocalAccount") -> None:
        self._local = local
        self.address = bytes.fromhex(local.address[2:])

    def __repr__(self) -> str:
        return f"Account({self._local.address})"

    def sign(self, transaction: Mapping[str, Any]) -> tuple[bytes, bytes]:
        """A transaction as signed bytes, and its hash. Deterministic (RFC 6979)."""
        signed = self._local.sign_transaction(dict(transaction))
        return bytes(signed.raw_transaction), bytes(signed.hash)


def load_account(key_file: Path, password_file: Path | None = None) -> Account:
    """
    Read the account's private key.

    Raises:
        KeyRefused: a file is missing, may be read by others, or holds no such key.
        ImportError: the package that signs is missing.
    """
    library = _library()
    try:
        text = read_secret(key_file).decode("ascii").strip()
        found = _KEY.fullmatch(text)
        if found:
            return Account(library.from_key(bytes.fromhex(found[1])))
        if not text.startswith("{") or password_file is None:
            raise ValueError
        password = read_secret(password_file).decode("utf-8").strip("\r\n")
        return Account(library.from_key(library.decrypt(text, password)))
    except (ValueError, TypeError, KeyError):
        # The reason could say something of the key.
        raise KeyRefused(
            f"{key_file} is neither 64 hexadecimal digits nor a keystore that its password_file "
            "opens.",
            path=str(key_file),
        ) from None


def make_account(key_file: Path) -> Account:
    """
    Make a new key in a new file of mode 0600.

    Raises:
        KeyRefused: the file is there already.
        ImportError: the package that signs is missing.
    """
    key = os.urandom(32)
    account = Account(_library().from_key(key))
    write_secret(key_file, key.hex().encode() + b"\n")
    return account


def _library() -> Any:
    """
    The package that signs, which is an extra.

    One that it imports (py_ecc) raises the limit of recursion a hundredfold, for all of the
    process: JSON that is nested deep enough, from whomever, would then end it.
    """
    limit = sys.getrecursionlimit()
    try:
        from eth_account import Account as EthAccount
    finally:
        sys.setrecursionlimit(limit)
    return EthAccount
