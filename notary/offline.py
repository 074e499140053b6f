# SPDX-License-Identifier: Apache-2.0
"""
What a citizen takes along: the verifier as one file, and the texts of what it can say.

The file is always the same bytes for the same sources: fixed times, sorted names, nothing
compressed by a library's whim. Standard library only.
"""

import io
import zipfile
from pathlib import Path
from typing import Final

from notary.core import errors
from notary.core.errors import NotaryError
from notary.texts import catalogue

MAIN: Final = """\
# SPDX-License-Identifier: Apache-2.0
import os
import sys

if sys.version_info < (3, 11):
    sys.exit("verify.pyz needs Python 3.11 or newer")

from notary.evidence import checkers
from notary.verifier.command import main

language = os.environ.get("LC_ALL") or os.environ.get("LANG") or ""
sys.exit(main(None, language, os.path.basename(sys.argv[0]), checkers()))
"""
PARTS: Final = (
    "__init__.py",
    "verifier/*.py",
    "remembered.py",
    "core/*.py",
    "evidence/__init__.py",
    "evidence/members.py",
    "evidence/evm.py",
    "evidence/patricia.py",
    "evidence/rlp.py",
    "evidence/keccak.py",
    "texts/*.py",
    "texts/*.json",
)
FIXED_TIME: Final = (2020, 1, 1, 0, 0, 0)
PREFIXES: Final = ("check.", "resaved.", "verify.", "verify-page.")
PAGE_TEXTS: Final = ("page.en", "page.zh", "page.language", "page.says-not", "page.file-digest")


def verify_pyz() -> bytes:
    """The verifier as one file that needs nothing but Python 3.11 or newer."""
    package = Path(__file__).parent
    names = sorted(path for part in PARTS for path in package.glob(part))
    file = io.BytesIO()
    file.write(b"#!/usr/bin/env python3\n")
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        _add(archive, "__main__.py", MAIN.encode())
        for path in names:
            name = f"notary/{path.relative_to(package).as_posix()}"
            _add(archive, name, path.read_bytes())
    return file.getvalue()


def page_texts(language: str) -> dict[str, str]:
    """The texts of a language by which the page says what a verification found."""
    codes = {
        error.code
        for error in vars(errors).values()
        if isinstance(error, type) and issubclass(error, NotaryError)
    }
    return {
        code: text
        for code, text in catalogue(language).items()
        if code.startswith(PREFIXES)
        or code in PAGE_TEXTS
        or (code.startswith("error.") and code.split(".")[1] in codes)
    }


def _add(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    member = zipfile.ZipInfo(name, FIXED_TIME)
    member.create_system = 3  # Unix, wherever it is built
    member.external_attr = 0o644 << 16
    archive.writestr(member, data)
