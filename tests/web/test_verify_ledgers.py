# SPDX-License-Identifier: Apache-2.0
"""The page tells each ledger by itself: one that it can't read is never shown as if it had held."""

from base64 import b64encode
from typing import Any

import pytest
from playwright.sync_api import Page

from notary.core import canonical
from notary.offline import page_texts
from notary.texts import LANGUAGES, text
from tests.core.maker import make, trust
from tests.evidence.chain import LEDGER, evm_anchor
from tests.web.test_verify_words import page

__all__ = ["page"]
pytestmark = pytest.mark.needs("chromium")
STEPS = """async ([proof, trust, texts]) => {
  const { judgeAll } = await import("/verify_judge.js");
  const { guessBlob } = await import("/verify_guess.js");
  const { showResult } = await import("/verify_show.js");
  const { speaker } = await import("/verify_words.js");
  const blob = new Blob([Uint8Array.from(atob(proof), (char) => char.charCodeAt(0))]);
  const items = [{ name: "proof", blob, ...(await guessBlob(blob)) }];
  const { results } = await judgeAll(items, trust, () => {});
  const made = { time: "2026-11-24T08:00:00Z", version: "1" };
  const article = showResult(speaker(texts), { ...results[0], made });
  const step = [...article.querySelectorAll("ol.proof > li")].at(-1);
  return [step.className, [...step.querySelectorAll("p")].map((p) => [p.className, p.textContent])];
}"""


def last_step(page: Page, kinds: list[str], lang: str) -> Any:
    """How the step of the ledgers looks, and what is said of each anchor and how that looks."""
    city = make()
    found = {"file": city.anchor(0), "evm": evm_anchor(city, 0)}
    receipt = city.receipt("s1", 1) | {"anchors": [found[kind] for kind in kinds]}
    proof = b64encode(canonical.dumps(receipt).encode()).decode()
    trusted = canonical.dumps(trust(ledgers=[*trust()["ledgers"], LEDGER]))
    return page.evaluate(STEPS, [proof, trusted, page_texts(lang)])


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize(
    ("kinds", "look"), [(["evm"], "open"), (["file", "evm"], "own"), (["evm", "file"], "own")]
)
def test_each_anchor_is_told_with_its_own_look(
    page: Page, lang: str, kinds: list[str], look: str
) -> None:
    """The notary's own is its own word, the chain's is open, and it is said what would check it."""
    step, said = last_step(page, kinds, lang)
    assert step == look
    assert [classes for classes, _ in said] == [
        {"file": "own", "evm": "open"}[kind] for kind in kinds
    ]
    facts = {"reason": "needs-package", "ledger": "chain", "kind": "evm", "size": 3}
    wanted = text(lang, "check.anchor.not-checked", **facts)
    assert wanted in [words for _, words in said]
    assert "notary verify" in wanted
