# SPDX-License-Identifier: Apache-2.0
"""
Who a server runs as, and where its files lie so that this user can reach them.

PostgreSQL refuses to run as root and mosquitto leaves root by itself. Started by root,
both run as `nobody`; nobody can't enter a home of mode 700, so there the server's files
lie outside, in a folder of their own, and the folder asked for keeps a note of where.
A folder's permissions are never widened: only what is made here is.

Outside is /var/lib/city-notary, or what `NOTARY_OUTSIDE` says (the tests say a folder that
goes with them). Who removes the folder asked for gets new, empty files the next time, and
the old ones are removed then.
"""

import hashlib
import os
import pwd
import secrets
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from notary.local.errors import FolderInUse, LocalError

_NOTE = "elsewhere"
_OWNER = "belongs-to"


@dataclass(frozen=True)
class Account:
    """The user that a server runs as."""

    uid: int
    gid: int


def outside() -> Path:
    """Where files lie that the server's user could not reach."""
    return Path(os.environ.get("NOTARY_OUTSIDE") or "/var/lib/city-notary")


def servant() -> Account | None:
    """
    Name the user for servers when we are root; None when servers run as ourselves.

    Raises:
        LocalError: this user has no name, which PostgreSQL doesn't accept.
    """
    uid = os.geteuid()
    try:
        entry = pwd.getpwnam("nobody") if uid == 0 else pwd.getpwuid(uid)
    except KeyError:
        who = "nobody" if uid == 0 else f"number {uid}"
        raise LocalError(
            f"The user {who} has no entry in /etc/passwd, and PostgreSQL won't run without "
            "one: add it (useradd), or bring your own servers by NOTARY_DATABASE_URL and "
            "NOTARY_MQTT_URL."
        ) from None
    return Account(entry.pw_uid, entry.pw_gid) if uid == 0 else None


def home_of(folder: Path, account: Account | None) -> Path:
    """
    Make and return the folder for a server's files: `folder` itself, or one outside.

    Raises:
        FolderInUse: the folder is a copy of another one whose server's files lie outside.
    """
    folder = folder.resolve()
    _make(folder, 0o755 if account else 0o700)
    if account is None or _reachable(folder, account):
        return folder
    note = folder / _NOTE
    if note.exists():
        home = Path(note.read_text().strip())
    else:
        _remove_what_was_left_of(folder)
        home = outside() / f"{_short_name(folder)}-{secrets.token_hex(4)}"
    _make(home, 0o755)
    _claim(home, folder)
    note.write_text(f"{home}\n")
    return home


def hand_over(path: Path, account: Account | None) -> None:
    """Give one file or folder to the server's user."""
    if account is not None:
        os.chown(path, account.uid, account.gid)


def reachable_copy(parts: Mapping[str, Path], name: str, account: Account | None) -> Path | None:
    """
    Copy folders outside where the server's user can't run them; None: it can as they lie.

    `parts` names each folder by its place in the copy, `name` tells one version from the
    next. Made once, then found.
    """
    if account is None or all(_reachable(part, account) for part in parts.values()):
        return None
    copy = outside() / "programs" / name
    if not copy.exists():
        _make(copy.parent, 0o755)
        _copy(parts, copy)
    return copy


def _make(folder: Path, mode: int) -> None:
    """Make the missing folders of a path with this mode, whatever the umask."""
    if not folder.exists():
        _make(folder.parent, mode)
        folder.mkdir()
        folder.chmod(mode)


def _reachable(path: Path, account: Account) -> bool:
    """Tell whether the user can enter the folder by the permissions of all above it."""
    for step in (path, *path.parents):
        status = step.stat()
        bit = 0o100 if status.st_uid == account.uid else 0o001
        if not status.st_mode & bit:
            return False
    return True


def _claim(home: Path, folder: Path) -> None:
    """Note whose files these are; a moved folder keeps them, a copied one doesn't get them."""
    owner = home / _OWNER
    if owner.exists():
        first = Path(owner.read_text().strip())
        if first != folder and (first / _NOTE).exists():
            raise FolderInUse(
                f"{folder} is a copy of {first}, whose data lie in {home}: remove "
                f"{folder / _NOTE} to begin with an empty one."
            )
    owner.write_text(f"{folder}\n")


def _short_name(folder: Path) -> str:
    return hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]


def _remove_what_was_left_of(folder: Path) -> None:
    """Remove the files of a folder of this path whose note, and password, were removed."""
    for home in outside().glob(f"{_short_name(folder)}-*"):
        shutil.rmtree(home)


def _copy(parts: Mapping[str, Path], copy: Path) -> None:
    """Copy the folders, open to all, so that a reader finds them whole or not at all."""
    draft = Path(tempfile.mkdtemp(dir=copy.parent))
    try:
        for place, part in parts.items():
            shutil.copytree(part, draft / place, symlinks=True)
        for path in (draft, *draft.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
        draft.rename(copy)
    except OSError:
        # Another process may have been first; then its copy is as good.
        shutil.rmtree(draft, ignore_errors=True)
        if not copy.exists():
            raise
