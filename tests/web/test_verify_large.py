# SPDX-License-Identifier: Apache-2.0
"""verify.html takes a file of any size, and stays alive meanwhile: a folder, no network."""

from pathlib import Path

import pytest

from notary.core import canonical
from notary.local.build_verifier import build_page
from notary.texts import catalogue
from tests.acceptance.browsing import chromium
from tests.core.maker import City
from tests.vectors.trusts import TEXTS

pytestmark = pytest.mark.needs("chromium")
MIB = 1 << 20
WATCH = """
globalThis.watch = {turns: 0, longest: 0, begun: performance.now(), last: performance.now()};
(function turn() {
  const now = performance.now();
  watch.turns += 1;
  watch.longest = Math.max(watch.longest, now - watch.last);
  watch.last = now;
  setTimeout(turn);
})();
"""


def test_a_large_file_is_verified_and_the_page_goes_on_living(tmp_path: Path, long: bool) -> None:
    """200 MB of it at full size; what else a page has to do is done between the pieces."""
    size = 200 * MIB if long else 16 * MIB
    content = bytes(range(256)) * (size // 256)
    city = City()
    city.seal_version([], content)
    (tmp_path / "table.csv").write_bytes(content)
    (tmp_path / "receipt.json").write_text(canonical.dumps(city.file_receipt(0)))
    (tmp_path / "trust.json").write_text(TEXTS["usual"])
    address = build_page(tmp_path / "verify.html").as_uri()
    with chromium() as browser:
        page = browser.new_context(offline=True, locale="en").new_page()
        page.goto(address)
        page.locator("input[type=file]").set_input_files(
            [tmp_path / name for name in ("trust.json", "receipt.json")]
        )
        page.locator("#verdict h3").wait_for()
        page.evaluate(WATCH)
        page.locator("input[type=file]").set_input_files(tmp_path / "table.csv")
        said = catalogue("en")["verify-page.title-holds"]
        page.get_by_role("heading", name=said).wait_for(timeout=600_000)
        seen = page.evaluate("({...watch, seconds: (performance.now() - watch.begun) / 1000})")
    print(f"{size / MIB:.0f} MiB: {seen['seconds']:.1f} s, longest pause {seen['longest']:.0f} ms")
    assert seen["turns"] > size / MIB / 8
