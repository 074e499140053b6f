# SPDX-License-Identifier: Apache-2.0
"""`make verifier`: what a citizen takes along (notary/offline.py, offline_page.py), as files."""

import sys
from pathlib import Path

from notary.offline import verify_pyz
from notary.offline_page import verify_html


def build(target: Path) -> Path:
    """Write the verifier for Python and return its path."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(verify_pyz())
    target.chmod(0o755)
    return target


def build_page(target: Path) -> Path:
    """Write the page for a browser and return its path."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(verify_html())
    return target


if __name__ == "__main__":
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "build")
    print(build(folder / "verify.pyz"))
    print(build_page(folder / "verify.html"))
