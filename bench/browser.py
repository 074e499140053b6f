# SPDX-License-Identifier: Apache-2.0
"""verify.js in Debian's chromium: how long a window and single receipts take there."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Final

LIMIT_SECONDS: Final = 600.0
HASHES: Final = 200_000
PAGE: Final = f"""\
<!doctype html><title>window_verify</title><script type="module">
import {{ sha256, verify }} from "./verify.js";
const text = async (name) => (await fetch(name)).text();
const trust = await text("trust.json");
async function seconds(work) {{
  const begun = performance.now();
  await work();
  return (performance.now() - begun) / 1000;
}}
async function demand(proof) {{
  if (!(await verify(proof, trust)).holds) throw new Error("refused");
}}
const told = {{ error: null }};
try {{
  const receipts = JSON.parse(await text("receipts.json"));
  const proof = await text("window.json");
  told.receipts = await seconds(async () => {{ for (const one of receipts) await demand(one); }});
  told.window = await seconds(() => demand(proof));
  const data = new Uint8Array(65);
  told.hashes = await seconds(() => {{ for (let i = 0; i < {HASHES}; i += 1) sha256(data); }});
}} catch (error) {{
  told.error = String(error);
}}
await fetch("told", {{ method: "POST", body: JSON.stringify(told) }});
</script>
"""


@dataclass(frozen=True, slots=True)
class Told:
    """Seconds for the window and for all receipts; hashes of 65 bytes per second."""

    window: float
    receipts: float
    hash_rate: float


def in_browser(window: str, receipts: list[str], trust: str) -> Told | None:
    """What the page says, or None where there is no chromium."""
    program = shutil.which("chromium")
    if program is None:
        return None
    script = files("notary").joinpath("web", "static", "verify.js").read_text("utf-8")
    site = {
        "/": ("text/html", PAGE),
        "/verify.js": ("text/javascript", script),
        "/trust.json": ("application/json", trust),
        "/window.json": ("application/json", window),
        "/receipts.json": ("application/json", json.dumps(receipts)),
    }
    told = SimpleQueue[str]()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Site, site, told))
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        # Its helpers may still write while they end.
        with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            found = json.loads(_asked(program, server.server_port, Path(folder), told))
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    if found["error"]:
        raise SystemExit(f"verify.js: {found['error']}")
    return Told(found["window"], found["receipts"], HASHES / found["hashes"])


def _asked(program: str, port: int, folder: Path, told: SimpleQueue[str]) -> str:
    # Its sandbox can't be had by root.
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    command = [program, "--headless", *sandbox, f"--user-data-dir={folder / 'profile'}"]
    with (folder / "chromium.log").open("wb") as log:
        browser = subprocess.Popen(
            [*command, f"http://127.0.0.1:{port}/"],
            stdout=log,
            stderr=log,
        )
        try:
            return told.get(timeout=LIMIT_SECONDS)
        finally:
            browser.terminate()
            browser.wait(30)


class _Site(BaseHTTPRequestHandler):
    """Serves the page and what it asks for, and takes what it tells."""

    def __init__(
        self,
        site: Mapping[str, tuple[str, str]],
        told: SimpleQueue[str],
        *of_server: object,
    ) -> None:
        self._site, self._told = site, told
        super().__init__(*of_server)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        kind, text = self._site.get(self.path, ("text/plain", ""))
        body = text.encode()
        self.send_response(200 if text else 404)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()
        self._told.put(body.decode())

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing."""
