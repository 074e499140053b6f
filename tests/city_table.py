# SPDX-License-Identifier: Apache-2.0
"""
A real table of 7,500 rows about Chinese cities, and the forms in which programs save it.

From the wheel of PyPI `city-macro-data` 0.1.0 (MIT), which is fetched by pip with its hash and not
installed. It ships as UTF-8 with a BOM and CRLF, also within the quotes of its header.
"""

import subprocess
import sys
import zipfile
from hashlib import sha256
from pathlib import Path

from notary.local.errors import PartMissing

ROOT = Path(__file__).parents[1]
REQUIREMENTS = ROOT / "requirements" / "test-data.txt"
WHEEL = "city_macro_data-0.1.0-py3-none-any.whl"
MEMBER = "city_macro_data/data/city_macro.csv"
ROWS = 7_500
BOM = "\ufeff"

FORMS: dict[str, list[str]] = {
    "UTF-8 with a BOM, CRLF": [],
    "UTF-8, CRLF": ["bom-removed"],
    "UTF-8 with a BOM, LF": ["lines-were-crlf"],
    "UTF-8, LF": ["lines-were-crlf", "bom-removed"],
    "GB18030, CRLF": ["gb18030", "bom-removed"],
    "GB18030, LF, no last line end": [
        "gb18030",
        "lines-were-crlf",
        "bom-removed",
        "end-removed",
    ],
}
"""Each form, and what was done to the table as it ships."""


def fetch_table(folder: Path = ROOT / "var" / "data") -> bytes:
    """
    The table as it ships, from the wheel in `folder`, fetched by pip if it isn't there.

    Raises:
        PartMissing: pip can't get it, or what it got isn't what is expected.
    """
    wheel = folder / WHEEL
    if not wheel.exists():
        folder.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        command += ["--only-binary", ":all:", "--require-hashes", "-r", str(REQUIREMENTS)]
        done = subprocess.run(
            [*command, "-d", str(folder)], capture_output=True, text=True, check=False
        )
        if done.returncode or not wheel.exists():
            raise PartMissing(f"The city table can't be fetched by pip:\n{done.stderr.strip()}")
    if sha256(wheel.read_bytes()).hexdigest() not in REQUIREMENTS.read_text():
        raise PartMissing(f"{wheel} is not what is expected. Remove it, and it is fetched anew.")
    with zipfile.ZipFile(wheel) as archive:
        return archive.read(MEMBER)


def forms(table: bytes) -> dict[str, bytes]:
    """The table in each of `FORMS`."""
    text = table.decode("utf-8-sig")
    lines = text.replace("\r\n", "\n")
    made = (
        (BOM + text).encode(),
        text.encode(),
        (BOM + lines).encode(),
        lines.encode(),
        text.encode("gb18030"),
        lines[:-1].encode("gb18030"),
    )
    return dict(zip(FORMS, made, strict=True))
