# SPDX-License-Identifier: Apache-2.0
"""Those who catch a dishonest notary: each a process of its own that knows the trust file alone."""

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from notary.core import canonical
from notary.core.add_checkpoint import format_request
from notary.local.ports import free_port, is_free
from notary.local.processes import Child
from notary.witness.command import add_keys, read_keys
from notary.witness.state import State

NOTARY: Final[tuple[str, ...]] = (sys.executable, "-m", "notary.cli")


@dataclass
class Outsider:
    """A citizen, a department, a monitor: a folder, and the command `notary` in it."""

    folder: Path
    trust: dict[str, Any] = field(default_factory=dict)

    def knows(self, trust: str) -> Self:
        """Get the trust file, by another way than from the notary."""
        self.trust = json.loads(trust)
        self._write_trust()
        return self

    def demands(self, *witnesses: str) -> None:
        """From now on trust nothing that these witnesses didn't all cosign."""
        self.trust |= {"witnesses": list(witnesses), "quorum": len(witnesses)}
        self._write_trust()

    def _write_trust(self) -> None:
        (self.folder / "trust.json").write_text(canonical.dumps(self.trust))

    def keep(self, name: str, content: str | bytes) -> Path:
        """Put something into the folder."""
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def run(self, *arguments: str | Path) -> tuple[int, str, str]:
        """Exit code, standard output and standard error of a command."""
        env = {name: value for name, value in os.environ.items() if not name.startswith("NOTARY_")}
        env |= {"LANG": "C.UTF-8", "PYTHONPATH": str(Path(__file__).parents[2])}
        done = subprocess.run(
            [*NOTARY, *map(str, arguments)],
            cwd=self.folder,
            env=env,
            capture_output=True,
            text=True,
            timeout=300,
        )
        return done.returncode, done.stdout, done.stderr

    def verify(self, proof: str | bytes | Path, *options: str | Path) -> tuple[int, dict[str, Any]]:
        """`notary verify`: the exit code, and the verdict for programs."""
        path = proof if isinstance(proof, Path) else self.keep("proof.json", proof)
        code, out, err = self.run("verify", path, "--trust", "trust.json", "--json", *options)
        assert out, err
        return code, json.loads(out)

    def monitor(self, url: str, *options: str | Path, state: str = "monitor") -> set[str]:
        """One look of `notary monitor`: the kinds of the alarms that stand."""
        more = ("--trust", "trust.json", "--state", state, "--once", *options)
        code, _, err = self.run("monitor", "run", url, *more)
        told = json.loads((self.folder / state / "report.json").read_text())
        standing = {alarm["kind"] for alarm in told["alarms"] if "ended" not in alarm}
        assert (code, told["standing"] > 0) == (int(bool(standing)), bool(standing)), err
        return standing

    def follow(self, url: str) -> tuple[int, str]:
        """`notary log follow`: the exit code, and what was said."""
        options = ("--trust", "trust.json", "--state", "seen")
        code, out, err = self.run("log", "follow", url, *options)
        return code, out + err


class Witness:
    """A newspaper's `notary witness`: another process, with its own key and state."""

    def __init__(self, folder: Path, trust: str) -> None:
        self._outsider, self._state, self._port = Outsider(folder), folder / "witness", free_port()
        state = State.make(self._state, "paper.example")
        add_keys(state, read_keys(trust))
        self.vkey = state.cosigner.verifier.vkey
        where = ("--state", str(self._state), "--port", str(self._port))
        command = [*NOTARY, "witness", "run", *where]
        self._child = Child.start("witness", command, log=folder / "witness.log")
        self._child.wait_until(lambda: not is_free(self._port))

    @property
    def url(self) -> str:
        """Where it is asked."""
        return f"http://127.0.0.1:{self._port}"

    def close(self) -> None:
        """Stop serving."""
        self._child.stop()

    def cosign(self, note: str, old: int = 0, path: tuple[bytes, ...] = ()) -> tuple[int, str]:
        """Ask it for a cosignature, as a log does: the status and the body of its answer."""
        body = format_request(old, path, note)
        asked = urllib.request.Request(f"{self.url}/add-checkpoint", body)
        try:
            with urllib.request.urlopen(asked, timeout=120) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def show(self) -> tuple[int, str]:
        """What its operator sees."""
        code, out, _ = self._outsider.run("witness", "show", "--state", self._state)
        return code, out

    def proofs(self) -> list[Path]:
        """The files that prove forks."""
        return sorted(self._state.glob("fork-*.json"))
