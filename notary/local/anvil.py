# SPDX-License-Identifier: Apache-2.0
"""
An EVM chain on this machine, for trials and tests: anvil (Foundry), on 127.0.0.1 only.

The program comes from npm's binary package, never by its scripts: `python -m
notary.local.anvil` fetches it, compares its bytes, and lays it beside this Python. Whoever
reaches the port may do anything with that chain.
"""

import json
import platform
import shutil
import sys
import tarfile
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Self

from notary.local.errors import LocalError, PartMissing
from notary.local.npm import NpmPackage
from notary.local.ports import LOOPBACK
from notary.local.processes import Child
from notary.local.standing import StandingServer

VERSION: Final = "1.7.1"
CHAIN_ID: Final = 31337
FETCHED: Final = Path("var") / "data"
MEMBER: Final = "package/bin/anvil"
PINNED: Final = {
    ("Linux", "x86_64"): (
        "linux-amd64",
        "sha512-+XmShybEaxfCrr0OUUZwYEy2OnYZt5pHH9TzBtLv3+VrK0O/ANuNSVEahqNhKHlgX7GRJ59383ofNhxkRWIYTg==",
    ),
    ("Linux", "aarch64"): (
        "linux-arm64",
        "sha512-ykHJmFOGdBR8+9smOKBm9ZZDCCCkLQctiHOAddLvmYx9mPeBDMfq6jP51hKYsO5MG8ClPLSlWe+JpiXPjoXgBQ==",
    ),
    ("Darwin", "x86_64"): (
        "darwin-amd64",
        "sha512-OgwzwY+FsGrsPyDv4mmbhOwARO8s37YHrm2qaNzgSH4VlKnXgJCrnoT7bpgOhLyBPtxXjBT8L2E3b79deesXRg==",
    ),
    ("Darwin", "arm64"): (
        "darwin-arm64",
        "sha512-JNeu3+A3f/npXLn8SR8EahVcqE7BpO9VQZMcPvSIy27/RNc1GsoEBvSLR99aSvt8sGKWAgNg/EzrtjAPq6mxcA==",
    ),
}


def anvil_program() -> Path | None:
    """Find anvil: the one that was fetched for this Python, else the system's."""
    fetched = Path(sys.prefix) / "bin" / "anvil"
    if fetched.exists():
        return fetched
    found = shutil.which("anvil")
    return None if found is None else Path(found)


def fetch_anvil(folder: Path = FETCHED) -> Path:
    """
    Fetch anvil and lay it beside this Python.

    Raises:
        PartMissing: there is none for this machine, or npm can't get it.
    """
    machine = (platform.system(), platform.machine())
    if machine not in PINNED:
        raise PartMissing(f"There is no anvil for {' '.join(machine)} here: install Foundry.")
    name, integrity = PINNED[machine]
    package = NpmPackage(
        f"@foundry-rs/anvil-{name}@{VERSION}", f"foundry-rs-anvil-{name}-{VERSION}.tgz", integrity
    )
    program = Path(sys.prefix) / "bin" / "anvil"
    draft = program.with_name("anvil.new")
    with tarfile.open(package.fetch(folder)) as tar:
        member = tar.extractfile(MEMBER)
        if member is None:
            raise PartMissing(f"{package.archive} has no {MEMBER}.")
        with draft.open("wb") as file:
            shutil.copyfileobj(member, file)
    draft.chmod(0o755)
    draft.replace(program)
    return program


class Anvil(StandingServer):
    """
    One chain in one folder, which keeps its state there.

    with Anvil.open(Path("var/anvil")) as chain:
        connect(chain.url)
    """

    title = "the EVM chain (anvil)"
    port_refused = "in use"

    def __init__(
        self, folder: Path, port: int | None, options: Sequence[str], *, durable: bool
    ) -> None:
        program = anvil_program()
        if program is None:
            raise PartMissing("anvil was not found: tools/anvil fetches it by npm.")
        super().__init__(folder, port)
        self._program = program
        self._options = list(options)
        if durable:
            self._options += ["--state", str(folder / "state.json"), "--state-interval", "1"]
        self.log = folder / "anvil.log"

    @classmethod
    def open(
        cls,
        folder: Path,
        port: int | None = None,
        *,
        options: Sequence[str] = (),
        durable: bool = True,
    ) -> Self:
        """
        Take the folder and start the chain. Without `port`: the one of the last time, else a
        free one. `options` are further ones of its command line; `durable`: its state is written
        to the folder each second, and found there by the next.

        Raises:
            FolderInUse, PartMissing, PortTaken, StartFailed: as they say.
        """
        folder.mkdir(parents=True, exist_ok=True)
        chain = cls(folder.resolve(), port, options, durable=durable)
        chain.start()
        return chain

    @property
    def url(self) -> str:
        """Where it is asked."""
        return f"http://{LOOPBACK}:{self.port}"

    def ask(self, method: str, *params: object) -> object:
        """
        The result of a request.

        Raises:
            LocalError: it says no.
        """
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        request = urllib.request.Request(self.url, json.dumps(body).encode())
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=30) as answer:
            said = json.loads(answer.read())
        if "error" in said:
            raise LocalError(f"anvil: {said['error'].get('message')}")
        result: object = said.get("result")
        return result

    def _prepare(self) -> None:
        """There is nothing to look after."""

    def _begin(self) -> Child:
        command: list[str | Path] = [self._program, "--host", LOOPBACK, "--port", str(self.port)]
        command += ["--chain-id", str(CHAIN_ID), "--accounts", "1"]
        return Child.start("anvil", [*command, *self._options], log=self.log, folder=self.folder)

    def _is_ready(self, child: Child) -> bool:
        try:
            return self.ask("eth_chainId") == hex(CHAIN_ID)
        except (OSError, ValueError, LocalError):
            return False


def main() -> int:
    """Fetch it where it isn't there, and say so."""
    if anvil_program() is not None:
        return 0
    print("Fetching anvil, an EVM chain for trials and tests, by npm ...", flush=True)
    try:
        fetch_anvil()
    except LocalError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
