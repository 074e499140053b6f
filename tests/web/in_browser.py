# SPDX-License-Identifier: Apache-2.0
"""
verify.js in Debian's chromium, twice: in verify.html, opened from a folder, with the network off,
and over plain HTTP under a name that isn't this machine's, where it brings its own Ed25519.
"""

import re
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from notary.local.build_verifier import build_page
from notary.offline_page import bundle
from tests.acceptance.browsing import chromium

ROOT = Path(__file__).parents[2]
RUNS = ROOT / "tests" / "web" / "verify_js_runs.js"
HOST = "notary.test"
ENGINES = {"http": "own", "file": "browser"}
"""Whose Ed25519 is used on each of the two pages."""


class Quiet(SimpleHTTPRequestHandler):
    """Serves files and says nothing."""

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With verify.js and what drives it, and verify.html."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "empty.html").write_text("<!doctype html><title>empty</title>")
    build_page(folder / "verify.html")
    for path in (ROOT / "notary" / "web" / "static" / "verify.js", RUNS):
        (folder / path.name).symlink_to(path)
    return folder


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    """Of a server that has the folder's files, under another name than this machine's."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://{HOST}:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """To it this machine has a second name."""
    with chromium(f"--host-resolver-rules=MAP {HOST} 127.0.0.1") as running:
        yield running


@pytest.fixture(scope="module", params=ENGINES)
def page(
    request: pytest.FixtureRequest, browser: Browser, folder: Path, address: str
) -> Iterator[Page]:
    """A page of each of the two kinds, with the functions of verify_js_runs.js in `runs`."""
    page = browser.new_page()
    if request.param == "http":
        page.goto(f"{address}/empty.html")
        page.evaluate("async () => { globalThis.runs = await import('./verify_js_runs.js') }")
    else:
        page.context.set_offline(True)
        page.goto((folder / "verify.html").as_uri())
        page.evaluate(runs_in_page((folder / "verify.html").read_text()))
    assert run(page, "signatureEngine") == ENGINES[request.param]
    yield page
    page.close()


def runs_in_page(html: str) -> str:
    """The text of verify.js as it stands in verify.html, and behind it what drives it."""
    module = bundle("verify.js")
    assert module.strip() in html
    source = RUNS.read_text().replace('} from "./verify.js";', "} = module_verify;")
    source = source.replace("import {", "const {", 1)
    names = re.findall(r"^export (?:async )?function (\w+)", source, re.MULTILINE)
    source = re.sub("^export (?=(async )?function)", "", source, flags=re.MULTILINE)
    source = source.replace("export { signatureEngine };", "")
    return f"{{{module}{source}globalThis.runs = {{signatureEngine, {', '.join(names)}}}}}"


def run(page: Page, name: str, *arguments: Any) -> Any:
    """What one of the functions of verify_js_runs.js answers."""
    return page.evaluate("async ([name, given]) => runs[name](...given)", [name, arguments])
