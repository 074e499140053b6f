# SPDX-License-Identifier: Apache-2.0
"""
`make run LEDGER=bsn`: a mock of a PCN gateway on this machine, with a Fabric channel behind it.

No live network of BSN is asked. The mock speaks the gateway's protocol; its blocks are real ones,
signed by organisations that exist nowhere else.
"""

import base64
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from notary.core import canonical
from notary.local.client import Client
from notary.local.errors import LocalError
from notary.local.processes import Child
from notary.local.stage import Local

NAME: Final = "bsn"
ROOT: Final = Path(__file__).parents[2]
START_SECONDS: Final = 30


class BsnTrial:
    """The mock gateway that runs, and the table that leads to it."""

    def __init__(self, table: Mapping[str, Any]) -> None:
        self.table = table

    def story(self, local: Local, client: Client) -> bool:
        """The receipt's block is checked offline; with one bit of it changed it is refused."""
        receipt = json.loads((local.var / "receipt.json").read_text(encoding="utf-8"))
        anchors = [anchor for anchor in receipt["anchors"] if anchor["ledger"] == NAME]
        print(
            f"\nOn a Fabric channel too, by a MOCK of BSN's PCN gateway at {self.table['url']}: "
            "no live network of BSN was asked."
        )
        if not anchors:
            print("  The receipt carries no anchor of it.")
            return False
        anchor = anchors[-1]
        size = len(base64.b64decode(anchor["evidence"]["block"]))
        print(
            f"  The receipt carries its anchor of the log at size {anchor['size']}: a block of "
            f"{size:,} bytes,\n  with transaction {anchor['evidence']['tx']}."
        )
        print("\nThe same receipt, checked offline by `notary verify`, which can read blocks:\n")
        good = _verify(local, "receipt.json")
        block = bytearray(base64.b64decode(anchor["evidence"]["block"]))
        block[size // 2] ^= 1
        anchor["evidence"]["block"] = base64.b64encode(block).decode()
        (local.var / "bent.json").write_text(canonical.dumps(receipt), encoding="utf-8")
        print("\nThe same receipt with one bit of the block changed:\n")
        bad = _verify(local, "bent.json")
        return good == 0 and bad == 1


def begin(local: Local) -> BsnTrial:
    """
    Start the mock gateway, or go on with the channel of the last run.

    Raises:
        LocalError: this is no checkout, or the gateway doesn't start.
    """
    if not (ROOT / "tests" / "bsn" / "gateway.py").exists():
        raise LocalError("LEDGER=bsn needs the mock gateway of a checkout, tests/bsn.")
    folder = local.var / "bsn"
    table = folder / "ledger.json"
    table.unlink(missing_ok=True)
    command = [sys.executable, "-m", "tests.bsn.gateway", str(folder)]
    log = local.var / "log" / "bsn-gateway.log"
    child = local.children.add(Child.start("bsn-gateway", command, log=log, folder=ROOT))
    child.wait_until(table.exists, START_SECONDS)
    return BsnTrial(json.loads(table.read_text(encoding="utf-8")))


def _verify(local: Local, receipt: str) -> int:
    command = [sys.executable, "-m", "notary.cli", "verify", str(local.var / receipt)]
    command += ["--trust", str(local.var / "trust.json")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    print("  " + (done.stdout + done.stderr).strip().replace("\n", "\n  "))
    return done.returncode
