# SPDX-License-Identifier: Apache-2.0
"""The mock gateway as a process: it keeps what it was handed, and refuses what BSN's refuses."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from notary.ledgers.bsn import open_ledger
from notary.ledgers.bsn.ledger import BsnLedger
from notary.ledgers.table import Table
from tests.ledgers.contract import NOW, around, checkpoint

ROOT = Path(__file__).parents[2]


@contextmanager
def served(folder: Path, how: signal.Signals) -> Iterator[dict[str, Any]]:
    """A process that serves, and is ended so; the ledger's table."""
    (folder / "ledger.json").unlink(missing_ok=True)
    command = [sys.executable, "-m", "tests.bsn.gateway", str(folder)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert b"no live network of BSN" in process.stdout.readline()
        yield json.loads((folder / "ledger.json").read_text(encoding="utf-8"))
        process.send_signal(how)
        process.wait(20)


def ledger_of(table: dict[str, Any], folder: Path) -> BsnLedger:
    """The ledger that the process' own table makes."""
    faults: list[str] = []
    ledger = open_ledger(Table("Ledger 1 (bsn)", table, folder, faults), around())
    assert faults == []
    assert ledger is not None
    return ledger


def test_what_was_anchored_is_there_after_the_process_was_killed(tmp_path: Path) -> None:
    """Blocks, keys and certificates are the same ones; a line that was cut off is no block."""
    with served(tmp_path, signal.SIGKILL) as table:
        ledger = ledger_of(table, tmp_path)
        reference = ledger.submit(checkpoint(3), None, NOW)
        assert ledger.confirm(checkpoint(3), reference) == "submitted"
        while ledger.confirm(checkpoint(3), reference) != "verified":
            time.sleep(0.05)
        evidence = ledger.evidence(checkpoint(3), reference)
    with (tmp_path / "chain.ndjson").open("a", encoding="utf-8") as kept:
        kept.write('{"number": 2, "hash": "00')
    with served(tmp_path, signal.SIGTERM) as table:
        again = ledger_of(table, tmp_path)
        assert again.submit(checkpoint(3), None, NOW) == reference
        assert again.evidence(checkpoint(3), reference) == evidence
        assert again.trust() == ledger.trust()
        other = again.submit(checkpoint(4), None, NOW)
        while again.confirm(checkpoint(4), other) != "verified":
            time.sleep(0.05)
