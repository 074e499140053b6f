# SPDX-License-Identifier: Apache-2.0
"""
`make contract`: the EVM ledger's contract, compiled to the file that the notary ships.

By Solidity's own compiler from npm (`solc`, MIT around GPL-3.0; run here, never shipped), which
is one file that node runs. Neither metadata nor paths go into the code, so it is the same
wherever it is compiled.
"""

import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

from notary.local.errors import LocalError, PartMissing
from notary.local.npm import NpmPackage

NAME = "AppendOnlyLog"
FOLDER = Path(__file__).parents[1] / "ledgers" / "evm" / "contract"
SOURCE = FOLDER / f"{NAME}.sol"
ARTEFACT = FOLDER / f"{NAME}.json"
FETCHED = Path("var") / "data"
SOLC = NpmPackage(
    "solc@0.8.37",
    "solc-0.8.37.tgz",
    "sha512-ieUYdPDRGNKMsZpCfi9tY64Q+ASoL8tyhLuvf9cFiqDs+6ijlx8Wn2CRi0N71AlCvRx0V092rlUYu3b3PuxWlA==",
)
MEMBER = "package/soljson.js"
SETTINGS = {
    # The oldest that the compiler takes without a warning. The code has nothing newer than Istanbul
    # (a test looks): no PUSH0 above all, which some of BSN's chains don't know.
    "evmVersion": "london",
    "metadata": {"appendCBOR": False, "bytecodeHash": "none"},
    "optimizer": {"enabled": True, "runs": 1_000_000},
    "viaIR": False,
}
WANTED = ["abi", "evm.bytecode.object", "evm.deployedBytecode.object", "evm.methodIdentifiers"]
DRIVER = """
const solc = require(process.argv[1])
const given = require("fs").readFileSync(0, "utf8")
const compile = solc.cwrap("solidity_compile", "string", ["string", "number", "number"])
const version = solc.cwrap("solidity_version", "string", [])
const answer = {version: version(), output: JSON.parse(compile(given, 0, 0))}
process.stdout.write(JSON.stringify(answer))
"""
PATIENCE_SECONDS = 120


def compiled(source: str, fetched: Path = FETCHED) -> str:
    """
    The artefact's text for a Solidity source.

    Raises:
        PartMissing: node isn't there, or the compiler can't be fetched.
        LocalError: the compiler has something to say, be it a warning.
    """
    answer = _asked(source, SOLC.fetch(fetched))
    said = [fault["formattedMessage"] for fault in answer["output"].get("errors", [])]
    if said:
        raise LocalError("\n".join(said))
    contract = answer["output"]["contracts"][SOURCE.name][NAME]
    artefact = {
        "contract": NAME,
        "compiler": {"name": "solc", "version": answer["version"], "settings": SETTINGS},
        "abi": contract["abi"],
        "selectors": contract["evm"]["methodIdentifiers"],
        "bytecode": "0x" + contract["evm"]["bytecode"]["object"],
        "deployedBytecode": "0x" + contract["evm"]["deployedBytecode"]["object"],
    }
    return json.dumps(artefact, indent=1) + "\n"


def _asked(source: str, archive: Path) -> Any:
    """What the compiler in the archive answers, with its version."""
    node = shutil.which("node")
    if node is None:
        raise PartMissing("node was not found: apt-get install nodejs.")
    given = {
        "language": "Solidity",
        "sources": {SOURCE.name: {"content": source}},
        "settings": {**SETTINGS, "outputSelection": {"*": {"*": WANTED}}},
    }
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "soljson.js"
        with tarfile.open(archive) as tar:
            member = tar.extractfile(MEMBER)
            if member is None:
                raise PartMissing(f"{archive} has no {MEMBER}.")
            program.write_bytes(member.read())
        try:
            done = subprocess.run(
                [node, "-e", DRIVER, str(program)],
                input=json.dumps(given),
                capture_output=True,
                text=True,
                timeout=PATIENCE_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise LocalError(f"The compiler did not end in {PATIENCE_SECONDS} s.") from None
    if done.returncode:
        raise LocalError(f"The compiler failed:\n{done.stderr.strip()}")
    return json.loads(done.stdout)


def main() -> int:
    """Compile, write, and say what was written."""
    try:
        artefact = compiled(SOURCE.read_text(encoding="utf-8"))
    except LocalError as error:
        print(error, file=sys.stderr)
        return 1
    is_new = not ARTEFACT.exists() or ARTEFACT.read_text(encoding="utf-8") != artefact
    ARTEFACT.write_text(artefact, encoding="utf-8")
    size = len(json.loads(artefact)["deployedBytecode"]) // 2 - 1
    print(f"{ARTEFACT}: {size} bytes of code, {'changed' if is_new else 'as before'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
