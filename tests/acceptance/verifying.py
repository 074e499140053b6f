# SPDX-License-Identifier: Apache-2.0
"""What the verifier says of a receipt, in a process that has nothing but files."""

import subprocess
import sys
from pathlib import Path


def verify(
    folder: Path, receipt: str, trust: str, *options: str, pyz: Path | None = None
) -> tuple[int, str]:
    """Exit code and all that it says; `pyz`: the single file, without any package."""
    (folder / "receipt.json").write_text(receipt)
    (folder / "trust.json").write_text(trust)
    program = [sys.executable, "-m", "notary.cli", "verify"]
    if pyz is not None:
        program = [sys.executable, "-I", "-S", str(pyz)]
    done = subprocess.run(
        [*program, "receipt.json", "--trust", "trust.json", *options],
        cwd=folder, env={}, capture_output=True, check=False,
    )  # fmt: skip
    return done.returncode, (done.stdout + done.stderr).decode()
