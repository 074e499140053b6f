# SPDX-License-Identifier: Apache-2.0
"""Debian's chromium before a notary's own web process, and the axe that looks at its pages."""

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from notary.local.npm import NpmPackage
from notary.local.ports import free_port
from tests.acceptance.sealers import ROOT
from tests.usecases.world import World

SIZES = {"phone": {"width": 390, "height": 844}, "desktop": {"width": 1280, "height": 900}}
SCHEMES: Final[tuple[Literal["light", "dark"], ...]] = ("light", "dark")
SHOTS = ROOT / "var" / "pages"
"""Screenshots and printed pages: made, never kept."""
AXE = NpmPackage(
    "axe-core@4.14.1",
    "axe-core-4.14.1.tgz",
    "sha512-FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ==",
)


@dataclass(frozen=True)
class Site:
    """A web process: where it is, and the key of a department."""

    url: str
    key: str

    def post(self, path: str, body: bytes, type: str, **more: str) -> Any:
        """What a department's program hands in, with more headers; the answer."""
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": type, **more}
        asked = urllib.request.Request(self.url + path, body, headers)
        with urllib.request.urlopen(asked, timeout=120) as answer:
            return json.load(answer)


@contextmanager
def served(world: World, folder: Path, **more: str) -> Iterator[Site]:
    """`notary web` on a port of its own; `more`: settings, {url} is filled in."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    own = {"NOTARY_PORT": str(port), "NOTARY_WORKERS": "1", "NOTARY_TIMEZONE": "Asia/Shanghai"}
    more = {name: value.format(url=url) for name, value in more.items()}
    log = folder / "web.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "notary.cli", "web"],
            env={**os.environ, **world.env, **own, **more},
            stdout=output,
            stderr=output,
        )
    try:
        deadline = time.monotonic() + 180
        while not _lives(url):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        yield Site(url, world.api_key)
    finally:
        process.terminate()
        process.wait(120)


def _lives(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/livez", timeout=10):
            return True
    except OSError:
        return False


@contextmanager
def chromium(*arguments: str) -> Iterator[Browser]:
    """The system's browser, with more arguments of its own."""
    program = shutil.which("chromium")
    assert program is not None
    with sync_playwright() as play:
        # Its sandbox can't be had by root, as tests in containers are.
        browser = play.chromium.launch(
            executable_path=program, args=["--no-sandbox", *arguments], timeout=180_000
        )
        yield browser
        browser.close()


def open_page(browser: Browser, site: Site, lang: str, size: str, **more: Any) -> Page:
    """A page of a browser that speaks that language; whatever it loads must be ours."""
    locale = {"en": "en-GB", "zh": "zh-CN"}[lang]
    page = browser.new_context(locale=locale, viewport=SIZES[size], **more).new_page()
    page.set_default_timeout(120_000)
    page.on("request", lambda request: _ours(request.url, site))
    page.on("pageerror", lambda error: pytest.fail(str(error)))
    return page


def _ours(url: str, site: Site) -> None:
    assert url.startswith((site.url, "data:")), url


def shoot(page: Page, name: str) -> None:
    """Keep what the page looks like, whole."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"{name}.png", full_page=True)


def print_page(page: Page, name: str) -> int:
    """Print it as its own style says and keep the PDF; of how many sheets it is."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.emulate_media(media="print")
    shoot(page, name)
    page.emulate_media(media="null")
    printed = page.pdf(path=SHOTS / f"{name}.pdf", prefer_css_page_size=True)
    return len(re.findall(rb"/Type\s*/Page\b", printed))


def axe_source() -> str:
    """axe-core, fetched where it isn't there, checked always."""
    archive = AXE.fetch(ROOT / "var" / "data")
    with tarfile.open(archive) as files:
        file = files.extractfile("package/axe.min.js")
        assert file is not None
        return file.read().decode()


def violations(page: Page, source: str) -> list[str]:
    """What axe has against the page as it stands, targets too small for a finger among it."""
    # By the debugger, past the page's policy, which lets no script in.
    page.evaluate(source)
    found = page.evaluate(
        "axe.run(document, {resultTypes: ['violations', 'incomplete'],"
        " rules: {'target-size': {enabled: true}}})"
    )
    assert found["passes"]
    return [
        f"{problem['id']}: {node['html']} {node.get('failureSummary', '')}"
        for problem in found["violations"]
        for node in problem["nodes"]
    ]


def look(page: Page, source: str, who: str, name: str) -> None:
    """By axe and by the camera, in both colour schemes; nobody scrolls sideways to read."""
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        assert violations(page, source) == [], f"{name}, {scheme}"
        shoot(page, f"{who}-{scheme}-{name}")
    wide = page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
    assert not wide, f"{name} is wider than the screen"
