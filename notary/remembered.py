# SPDX-License-Identifier: Apache-2.0
"""
Files that clients of a log keep: a checkpoint that they saw, and the proof of a fork.

Standard library and core alone: it also goes into the single-file verifier.
"""

import json
import os
from hashlib import sha256
from pathlib import Path
from typing import Final

TLOG_PROOF: Final = "c2sp.org/tlog-proof@v1\n"
NOTES: Final = {
    "receipt/1": ("checkpoint",),
    "window/1": ("receipt", "checkpoint"),
    "consistency/1": ("new",),
    "monitor/1": ("checkpoint",),
}
"""Where the checkpoint stands in each format that holds one."""


def checkpoint_in(content: str) -> str:
    """
    The signed note in what somebody kept: the note itself, or that of a receipt, a window, a
    consistency proof (its newer one), a monitor's report or a tlog-proof. Nothing is checked;
    what holds none comes back as it is.
    """
    if content.startswith(TLOG_PROOF):
        return content.partition("\n\n")[2]
    if not content.startswith("{"):
        return content
    try:
        found = json.loads(content)
        for name in NOTES[found["v"]]:
            found = found[name]
    except (ValueError, RecursionError, KeyError, TypeError):
        return content
    return found if isinstance(found, str) else content


def keep_fork(text: str, wanted: Path | None, folder: Path) -> Path:
    """
    Write the proof of a fork down, durably; where it lies.

    Under the name that is wanted, else (and where that is taken) in the folder under a name
    made from its hash. What is there already is never written over.

    Raises:
        OSError: it can't be written.
    """
    own = folder / f"fork-{sha256(text.encode()).hexdigest()[:16]}.json"
    for path in (wanted, own):
        if path is None:
            continue
        try:
            with path.open("x", encoding="utf-8", newline="") as file:
                file.write(text + "\n")
                file.flush()
                os.fsync(file.fileno())
            return path
        except FileExistsError:
            if _holds(path, text):
                return path
    raise FileExistsError(17, os.strerror(17), str(own))


def _holds(path: Path, text: str) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(text.encode()) + 2) == text.encode() + b"\n"
    except OSError:
        return False
