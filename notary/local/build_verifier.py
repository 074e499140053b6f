# SPDX-License-Identifier: Apache-2.0
"""
`make verifier`: the verifier as one file that needs nothing but Python 3.11 or newer.

Always the same bytes for the same sources: fixed times, sorted names, nothing compressed
by a library's whim.
"""

import sys
import zipfile
from pathlib import Path

MAIN = """\
# SPDX-License-Identifier: Apache-2.0
import os
import sys

if sys.version_info < (3, 11):
    sys.exit("verify.pyz needs Python 3.11 or newer")

from notary.verifier import main

language = os.environ.get("LC_ALL") or os.environ.get("LANG") or ""
sys.exit(main(None, language, os.path.basename(sys.argv[0])))
"""
PARTS = ("__init__.py", "verifier.py", "core/*.py", "texts/*.py", "texts/*.json")
FIXED_TIME = (2020, 1, 1, 0, 0, 0)


def build(target: Path) -> Path:
    """Write the file and return its path."""
    package = Path(__file__).parents[1]
    names = sorted(path for part in PARTS for path in package.glob(part))
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as file:
        file.write(b"#!/usr/bin/env python3\n")
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            _add(archive, "__main__.py", MAIN.encode())
            for path in names:
                name = f"notary/{path.relative_to(package).as_posix()}"
                _add(archive, name, path.read_bytes())
    target.chmod(0o755)
    return target


def _add(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    member = zipfile.ZipInfo(name, FIXED_TIME)
    member.create_system = 3  # Unix, wherever it is built
    member.external_attr = 0o644 << 16
    archive.writestr(member, data)


if __name__ == "__main__":
    print(build(Path(sys.argv[1] if len(sys.argv) > 1 else "build/verify.pyz")))
