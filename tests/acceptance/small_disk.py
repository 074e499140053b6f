# SPDX-License-Identifier: Apache-2.0
"""A disk of some megabytes that can be filled to the last byte, and freed. Only root can mount."""

import os
import subprocess
import tempfile
from pathlib import Path
from typing import Self

MEGABYTE = 1 << 20


class SmallDisk:
    """
    A file system in memory, mounted on a new folder that every user can enter.

    with SmallDisk(parent, 200) as disk:
        disk.folder, disk.fill(), disk.free()
    """

    def __init__(self, parent: Path, megabytes: int) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="disk-", dir=parent))
        self._megabytes = megabytes
        self._ballast = self.folder / "ballast"

    def fill(self) -> None:
        """Leave no byte to anybody; what others free meanwhile is taken by the next call."""
        block = b"\0" * MEGABYTE
        with self._ballast.open("ab", buffering=0) as file:
            try:
                while file.write(block):
                    pass
            except OSError:
                # Less than a block may be left: then byte by byte would end where this does.
                self._take_the_rest(file.fileno())

    def _take_the_rest(self, number: int) -> None:
        size = MEGABYTE // 2
        while size:
            try:
                os.write(number, b"\0" * size)
            except OSError:
                size //= 2

    def free(self) -> None:
        """Give all of it back."""
        self._ballast.unlink(missing_ok=True)

    @property
    def free_bytes(self) -> int:
        """What is left."""
        found = os.statvfs(self.folder)
        return found.f_bavail * found.f_frsize

    def __enter__(self) -> Self:
        options = f"size={self._megabytes}m,mode=755"
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", self.folder], check=True)
        return self

    def __exit__(self, *exception: object) -> None:
        # Lazily: whoever still works there must not keep it.
        subprocess.run(["umount", "-l", self.folder], check=True)
        self.folder.rmdir()


def can_mount() -> bool:
    """Whether this process may make such a disk."""
    if os.geteuid() != 0:
        return False
    with tempfile.TemporaryDirectory() as folder:
        try:
            with SmallDisk(Path(folder), 1):
                return True
        except (OSError, subprocess.CalledProcessError):
            return False
