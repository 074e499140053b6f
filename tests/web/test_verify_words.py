# SPDX-License-Identifier: Apache-2.0
"""The words of /verify: each verdict of the vectors is told in both languages, without a hole."""

import json
import re
from base64 import b64encode
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from playwright.sync_api import Page

from notary.offline import page_texts
from notary.texts import LANGUAGES
from tests.acceptance.browsing import chromium

pytestmark = pytest.mark.needs("chromium")
ROOT = Path(__file__).parents[2]
KINDS = {
    "receipts": "receipt",
    "windows": "window",
    "acceptances": "acceptance",
    "consistencies": "consistency",
    "forks": "fork",
    "tlog_proofs": "proof",
    "cose_receipts": "proof",
}
HOLE = re.compile(r"undefined|null|NaN|\[object|\{\w+\}|\b(page|check|error|resaved)\.\w")
TELL = """async ([cases, texts]) => {
  const { judgeAll } = await import("/verify_judge.js");
  const { guessBlob } = await import("/verify_guess.js");
  const { showResult } = await import("/verify_show.js");
  const { speaker } = await import("/verify_words.js");
  const told = [];
  const made = { time: "2026-11-24T08:00:00Z", version: "1" };
  for (const [proof, trust] of cases) {
    const blob = new Blob([Uint8Array.from(atob(proof), (char) => char.charCodeAt(0))]);
    const items = [{ name: "proof", blob, ...(await guessBlob(blob)) }];
    const { results } = await judgeAll(items, trust, () => {});
    const shown = results.map((result) => showResult(speaker(texts), { ...result, made }));
    shown.forEach((article) => article.querySelector("details").remove());
    told.push(shown.map((article) => [article.className, article.textContent]));
  }
  return told;
}"""


class Scripts(SimpleHTTPRequestHandler):
    """Serves the scripts of the page and an empty page, and says nothing."""

    def do_GET(self) -> None:
        """The empty page is at /."""
        if self.path != "/":
            super().do_GET()
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><html lang='en'><title>empty</title>")

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    """A page that may import the scripts."""
    handler = partial(Scripts, directory=str(ROOT / "notary" / "web" / "static"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server, chromium() as browser:
        Thread(target=server.serve_forever, daemon=True).start()
        page = browser.new_page()
        page.goto(f"http://127.0.0.1:{server.server_port}/")
        yield page
        server.shutdown()


def cases() -> dict[str, tuple[bool, str, str]]:
    """A proof for each refusal and each set of checks: is it refused, itself, its trust file."""
    found: dict[str, tuple[bool, str, str]] = {}
    for name, member in KINDS.items():
        vectors = json.loads((ROOT / "tests" / "vectors" / f"{name}.json").read_text())
        for case in vectors["cases"]:
            proof, refusal = case[member], case["wantErr"]
            data = proof if name == "cose_receipts" else b64encode(proof.encode()).decode()
            checks = [] if refusal else case["verdict"]["checks"]
            words = [(one["code"], one["status"], one["facts"].get("reason")) for one in checks]
            case_of = (refusal is not None, data, vectors["trusts"][case["trust"]])
            found.setdefault(f"{name} {refusal or words}", case_of)
    return found


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_verdict_is_told_in_words(page: Page, lang: str) -> None:
    """No code and no hole is left in a sentence, and what is refused is never green."""
    given = cases()
    assert len(given) > 150
    proofs = [[data, trust] for _, data, trust in given.values()]
    told = page.evaluate(TELL, [proofs, page_texts(lang)])
    for (said, (is_refused, *_)), articles in zip(given.items(), told, strict=True):
        for classes, words in articles:
            assert HOLE.search(words) is None, (said, words)
            # The contents of a window weren't given here: by itself it holds.
            is_held = not is_refused or said.startswith("windows payload-mismatch")
            assert is_held or "held" not in classes.split(), (said, words)
