# SPDX-License-Identifier: Apache-2.0
"""
What is put beside the file: its receipt, a `datapackage.json`, a `manifest-sha256.txt`.

Each is written under another name, made durable, and then given its own; what is there
already and isn't the same file's is left as it is.
"""

import errno
import json
import os
import re
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Final

from notary.core.errors import MalformedText
from notary.publishing.errors import PublishRefused
from notary.publishing.local_file import DESCRIPTOR, LocalFile
from notary.publishing.proof import read_receipt

MAX_OLD_BYTES: Final = 16 << 20
MANIFEST: Final = "manifest-sha256.txt"
BAG: Final = "bagit.txt"
BAG_TEXT: Final = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
_STRANGE: Final = re.compile(r"[^a-z0-9._-]+")
_FORMATS: Final = {"csv": "csv", "ndjson": "ndjson", "json-array": "json", "json": "json"}


def write_receipt(text: str, names: list[Path], *, private: bool) -> Path:
    """
    Put a receipt under the first of some names that is free, or that holds an older receipt
    of the same version; the path.

    Raises:
        PublishRefused: receipt-there, disk-full, unwritable.
    """
    for path in names:
        old = _read_old(path)
        if old is None:
            try:
                _write(path, text, private=private, is_new=True)
            except FileExistsError:
                continue
            return path
        if _is_same_version(old, text):
            _write(path, text, private=private, is_new=False)
            return path
    raise PublishRefused("receipt-there", path=str(names[0]))


def receipt_names(file: Path, version: int) -> list[Path]:
    """Where the receipt of a version of a file may lie."""
    return [
        file.with_name(f"{file.name}.receipt.json"),
        file.with_name(f"{file.name}.version-{version}.receipt.json"),
    ]


def write_package(local: LocalFile) -> tuple[Path, bool]:
    """
    A `datapackage.json` of this one file beside it; False: another one is there, and stays.

    Data Package v2: `hash` is `sha256:` and 64 hexadecimal digits, `bytes` the size.

    Raises:
        PublishRefused: disk-full, unwritable.
    """
    resource: dict[str, object] = {
        "name": _STRANGE.sub("-", local.path.stem.lower()).strip("-.") or "data",
        "path": local.path.name,
        "mediatype": local.type.type,
        "bytes": local.size_bytes,
        "hash": f"sha256:{local.digest.hex()}",
    }
    if local.type.kind in _FORMATS:
        resource |= {"format": _FORMATS[local.type.kind], "encoding": "utf-8"}
    package = {
        "$schema": "https://datapackage.org/profiles/2.0/datapackage.json",
        "name": resource["name"],
        "resources": [resource],
    }
    text = json.dumps(package, ensure_ascii=False, indent=2) + "\n"
    path = local.path.with_name(DESCRIPTOR)
    return path, _write_once(path, text)


def write_manifest(local: LocalFile) -> tuple[Path, bool]:
    """
    A line for the file in a `manifest-sha256.txt` (RFC 8493 section 2.1.3).

    A file in a folder `data` makes the folder above a bag: the manifest lies there, and
    `bagit.txt` with it. Any other gets one beside it, which `sha256sum -c` reads. Lines of
    other files stay; False: it says something else of this one, and stays.

    Raises:
        PublishRefused: disk-full, unwritable.
    """
    folder = local.path.absolute().parent
    is_bag = folder.name == "data"
    name = local.path.name.replace("%", "%25").replace("\n", "%0A").replace("\r", "%0D")
    if is_bag:
        folder, name = folder.parent, f"data/{name}"
        _write_once(folder / BAG, BAG_TEXT)
    path, line = folder / MANIFEST, f"{local.digest.hex()}  {name}\n"
    old = _read_old(path)
    if old is None:
        return path, _write_once(path, line)
    for known in old.splitlines():
        digest, _, known_name = known.partition(" ")
        if known_name.strip(" *\t") == name:
            return path, digest.lower() == local.digest.hex()
    text = old if old.endswith("\n") or not old else old + "\n"
    _write(path, text + line, private=False, is_new=False)
    return path, True


def _write_once(path: Path, text: str) -> bool:
    """Whether the path holds the text now: written, or there already."""
    try:
        _write(path, text, private=False, is_new=True)
    except FileExistsError:
        return _read_old(path) == text
    return True


def _read_old(path: Path) -> str | None:
    """What is there; None: nothing. What can't be read is another's."""
    if not os.path.lexists(path):
        return None
    try:
        with path.open("rb") as file:
            return file.read(MAX_OLD_BYTES).decode()
    except (OSError, UnicodeDecodeError):
        return ""


def _is_same_version(old: str, new: str) -> bool:
    try:
        (_, one), (_, other) = read_receipt(old), read_receipt(new)
    except MalformedText:
        return False
    return (one.dataset, one.version) == (other.dataset, other.version)


def _write(path: Path, text: str, *, private: bool, is_new: bool) -> None:
    """Raises FileExistsError where it must be new and isn't; PublishRefused."""
    beside = path.with_name(f".notary-{secrets.token_hex(8)}")
    try:
        number = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600 if private else 0o644)
        with os.fdopen(number, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if is_new:
            _place_new(beside, path)
        else:
            os.replace(beside, path)
    except FileExistsError:
        raise
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        reason = "disk-full" if full else "unwritable"
        raise PublishRefused(reason, path=str(path), why=error.strerror) from None
    finally:
        with suppress(OSError):
            beside.unlink()


def _place_new(beside: Path, path: Path) -> None:
    """Give it its name. Raises FileExistsError where that is taken."""
    try:
        os.link(beside, path)
    except FileExistsError:
        raise
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK):
            raise
        # Such file systems know no second names: the name is taken first, then given.
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        os.replace(beside, path)
