# SPDX-License-Identifier: Apache-2.0
"""A server's own folder: held by one process at a time, with its secret in it."""

import fcntl
import os
import secrets
from pathlib import Path

from notary.local.errors import FolderInUse


class Hold:
    """
    A folder held for as long as this process lives.

    The lock goes with the process, however that ends: who gets it knows that a server
    which still runs in the folder is an orphan.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._descriptor: int | None = None

    def take(self) -> None:
        """
        Take the folder, unless it is held already by this object.

        Raises:
            FolderInUse: another process, or another object of this one, holds it.
        """
        if self._descriptor is not None:
            return
        lock = self._folder / "lock"
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            raise FolderInUse(
                f"{self._folder} is in use by another run: end that one first, or give this "
                "one another folder."
            ) from None
        self._descriptor = descriptor

    def release(self) -> None:
        """Let others have the folder."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def kept_secret(path: Path) -> str:
    """Read a secret, made of 256 random bits at the first time."""
    if not path.exists():
        write_private(path, secrets.token_urlsafe(32) + "\n")
    return path.read_text(encoding="utf-8").strip()
