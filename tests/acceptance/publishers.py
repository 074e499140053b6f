# SPDX-License-Identifier: Apache-2.0
"""A whole notary of processes (gunicorn, sealer, PostgreSQL), and a clerk at a command line."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from notary.local.ports import free_port
from notary.usecases import api_keys
from tests.acceptance.sealers import ROOT, SealerProcess, wait_for
from tests.usecases.world import World, new_department

PUBLIC_URL = "https://notary.city.example"
TABLE = b"station,pm25\n" + b"".join(b"%d,%d.5\n" % (n, n % 90) for n in range(400))


class WebProcess:
    """`notary web` on a port of its own, to be ended and started again on the same one."""

    def __init__(self, env: Mapping[str, str], log: Path) -> None:
        self.port = free_port()
        self._env = {**os.environ, **env, "NOTARY_PORT": str(self.port), "NOTARY_WORKERS": "1"}
        self._log = log
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "notary.cli", "web"], env=self._env, stdout=log, stderr=log
            )
        wait_for("the API", self._answers)

    def stop(self) -> None:
        """End it in order."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(180)

    def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self._log.read_text()
        try:
            with urllib.request.urlopen(f"{self.url}/livez", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


@dataclass
class Done:
    """How a command ended."""

    code: int
    said: str
    warned: str


class Office:
    """A notary, and a clerk with a folder and keys."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world = world
        self.folder = folder
        self.web = WebProcess({**world.env, **self.settings()}, folder / "web.log")
        self.sealer: SealerProcess | None = None

    @staticmethod
    def settings() -> dict[str, str]:
        """What the notary's processes are told beside the places of its parts."""
        return {"NOTARY_PUBLIC_URL": PUBLIC_URL, "NOTARY_MAX_VERSION_BYTES": str(3 << 20)}

    def open(self) -> None:
        """Start server and sealer."""
        self.web.start()
        self.sealer = SealerProcess(self.world.env, self.folder / "sealer.log")

    def close(self) -> None:
        """End both."""
        if self.sealer is not None:
            self.sealer.send(signal.SIGCONT)
            self.sealer.kill()
        self.web.stop()

    def key(self, *scopes: str, department: str = "water-works", datasets: Any = ()) -> Path:
        """A file of mode 0600 with a new key."""
        new = api_keys.NewKey(department, scopes or ("read", "write"), datasets, 365)
        made = api_keys.add_key(self.world.pool, new, datetime.now(UTC))
        path = self.folder / f"{made.split('_')[1]}.key"
        path.write_text(made + "\n")
        path.chmod(0o600)
        return path

    def stranger(self) -> str:
        """A key of another department."""
        return new_department(self.world.pool, "tax-office", datetime.now(UTC))

    def file(self, name: str, data: bytes = TABLE) -> Path:
        """A file in a folder of its own."""
        folder = self.folder / f"desk-{len(list(self.folder.iterdir()))}"
        folder.mkdir()
        path = folder / name
        path.write_bytes(data)
        return path

    def command(self, *arguments: object) -> list[str]:
        """The command line of `notary publish`."""
        return [sys.executable, "-m", "notary.cli", "publish", *map(str, arguments)]

    def environment(self, key: Path | None, **more: str) -> dict[str, str]:
        """What a clerk's shell has."""
        env = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "NOTARY_URL": self.web.url}
        return {**env, **({} if key is None else {"NOTARY_KEY_FILE": str(key)}), **more}

    def publish(self, key: Path | None, *arguments: object, **more: str) -> Done:
        """Run `notary publish` to its end."""
        done = subprocess.run(
            self.command(*arguments),
            cwd=ROOT,
            env=self.environment(key, **more),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return Done(done.returncode, done.stdout, done.stderr)

    def verify(self, receipt: Path, payload: Path) -> Done:
        """Check a receipt offline, as a stranger: an empty environment, a trust file."""
        trust = self.folder / "trust.json"
        if not trust.exists():
            with urllib.request.urlopen(f"{self.web.url}/trust.json", timeout=120) as answer:
                trust.write_bytes(answer.read())
        arguments = [receipt, "--payload", payload, "--trust", trust]
        done = subprocess.run(
            [sys.executable, "-m", "notary.cli", "verify", *map(str, arguments)],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"]},
            capture_output=True,
            text=True,
            timeout=300,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def versions(self, dataset: str) -> list[dict[str, Any]]:
        """The versions of a dataset, the oldest first, as the owner sees them."""
        request = urllib.request.Request(
            f"{self.web.url}/v1/datasets/{dataset}/versions",
            headers={"Authorization": f"Bearer {self.world.api_key}"},
        )
        with urllib.request.urlopen(request, timeout=120) as answer:
            found: list[dict[str, Any]] = json.load(answer)["items"]
        return found[::-1]
