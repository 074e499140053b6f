# SPDX-License-Identifier: Apache-2.0
"""
A clerk follows a link, sees a file from accepted to anchored, takes its receipt, verifies it.

In a real browser, in both languages, on a phone and at a desk; screenshots are kept under
var/pages. Every page is looked at by axe, light and dark.
"""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from notary.local.postgres import Postgres
from notary.texts import text
from tests.acceptance.browsing import (
    Site,
    axe_source,
    chromium,
    look,
    open_page,
    print_page,
    served,
    shoot,
    violations,
)
from tests.acceptance.sealers import SealerProcess, now, wait_for
from tests.conftest import new_database
from tests.usecases.world import World

pytestmark = pytest.mark.needs("chromium")
TABLE = "站点,°C\n屋顶,21.5\n<script>alert(1)</script>,7\n".encode()
LOOKS = [
    ("en", "desktop"),
    ("zh", "phone"),
    pytest.param("en", "phone", marks=pytest.mark.long),
    pytest.param("zh", "desktop", marks=pytest.mark.long),
]
"""Each language and each size; the other pairs in long runs."""
PATHS = {
    "first": "/",
    "dataset": "/datasets/air",
    "source": "/datasets/air/sources/roof",
    "span": "/datasets/air/sources/meter?by=n&from=3&to=99",
    "feed": "/datasets/air/sources/meter",
    "record": "/datasets/air/sources/roof/records/1",
    "version": "/datasets/air/versions/1",
    "row": "/datasets/air/versions/2?row=2",
    "changes": "/datasets/air/versions/1/changes?to=2",
    "certificate": "/datasets/air/versions/1/certificate",
    "batch": "/batches/0",
    "checkpoint": "/checkpoints/{size}",
    "missing": "/datasets/nothing",
    "no-record": "/datasets/air/sources/roof/records/9",
    "problem": "/problems/not-found",
}


@pytest.fixture(scope="module")
def world(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A notary whose clock is the real one, as its processes' is."""
    made = World.make(tmp_path_factory.mktemp("city"), new_database(postgres))
    made.now = now()
    made.dataset("air")
    yield made
    made.close()


@pytest.fixture(scope="module")
def site(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Its web process; links and QR codes lead to it."""
    folder = tmp_path_factory.mktemp("web")
    with served(world, folder, NOTARY_PUBLIC_URL="{url}") as site:
        yield site


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all stories."""
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def axe() -> str:
    """axe-core."""
    return axe_source()


def save(page: Page, words: str, folder: Path) -> Path:
    """Click on a download and keep what comes, under the name that the page gives it."""
    with page.expect_download() as coming:
        page.get_by_role("link", name=words, exact=True).click()
    path = folder / coming.value.suggested_filename
    coming.value.save_as(path)
    return path


def verify(receipt: Path, trust: Path, file: Path, lang: str) -> str:
    """`notary verify`, as a clerk starts it."""
    command = ["verify", str(receipt), "--payload", str(file), "--trust", str(trust)]
    done = subprocess.run(
        [sys.executable, "-m", "notary.cli", *command, "--lang", lang],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize(("lang", "size"), LOOKS)
def test_a_clerk_follows_a_file_from_accepted_to_anchored(
    browser: Browser, site: Site, world: World, tmp_path: Path, lang: str, size: str
) -> None:
    """Without any JavaScript: dataset, version, its way, file and receipt, and the verdict."""
    table = TABLE + f"{lang},{size}\n".encode()
    version = site.post("/v1/datasets/air/versions?name=air.csv", table, "text/csv")["version"]
    page = open_page(browser, site, lang, size, java_script_enabled=False)

    page.goto(f"{site.url}/datasets/air")
    shoot(page, f"{lang}-{size}-1-dataset")
    page.get_by_role("link", name=str(version), exact=True).first.click()
    assert page.url.endswith(f"/versions/{version}")
    way = page.locator(".way li")
    assert [step.get_attribute("class") for step in way.all()] == ["own"] + ["open"] * 4
    assert page.get_by_role("link", name=text(lang, "page.receipt")).count() == 0
    shoot(page, f"{lang}-{size}-2-accepted")

    sealer = SealerProcess(world.env, tmp_path / "sealer.log")
    try:
        wait_for("an anchored version", lambda: _is_anchored(page))
    finally:
        sealer.process.terminate()
        sealer.process.wait(120)
    assert text(lang, "page.own-word") in page.content()
    shoot(page, f"{lang}-{size}-3-anchored")

    file = save(page, text(lang, "page.download-file"), tmp_path)
    receipt = save(page, text(lang, "page.receipt"), tmp_path)
    page.get_by_role("link", name=text(lang, "page.certificate"), exact=True).click()
    assert site.url in page.locator("figcaption").inner_text()
    assert print_page(page, f"{lang}-{size}-4-certificate") == 1
    trust = tmp_path / "trust.json"
    trust.write_bytes(page.request.get(f"{site.url}/trust.json").body())
    assert file.read_bytes() == table
    assert text(lang, "verify.holds") in verify(receipt, trust, file, lang)
    page.context.close()


@pytest.mark.parametrize("scripts", [False, True])
@pytest.mark.parametrize(("lang", "size"), LOOKS)
def test_a_clerk_publishes_a_file_and_sends_its_link_along(
    browser: Browser, site: Site, world: World, tmp_path: Path, lang: str, size: str, scripts: bool
) -> None:
    """With JavaScript and without: sign in, hand in, wait until it is anchored, verify, follow."""
    file = tmp_path / "站点 <b>.csv"
    file.write_bytes(TABLE + f"published,{lang} {size} {scripts}\n".encode())
    name = f"{lang}-{size}-publish{'-scripts' if scripts else ''}"
    page = open_page(browser, site, lang, size, java_script_enabled=scripts)
    sign_in(page, site, lang, mistype=size == "phone")
    shoot(page, f"{name}-1")
    page.get_by_label(text(lang, "page.dataset")).select_option("air")
    page.get_by_label(text(lang, "page.publish-file"), exact=True).set_input_files(file)
    page.get_by_role("button", name=text(lang, "page.publish-send")).click()
    page.wait_for_url("**/publish/air/*")
    assert file.name in page.locator("dl").inner_text()
    shoot(page, f"{name}-2-accepted")
    sealer = SealerProcess(world.env, tmp_path / "sealer.log")
    try:
        if scripts:
            page.locator("#state[data-done=yes]").wait_for(timeout=60_000)
        else:
            again = page.get_by_role("link", name=text(lang, "page.publish-look-again"))
            wait_for("an anchored file", lambda: again.count() == 0 or again.click() is not None)
    finally:
        sealer.process.terminate()
        sealer.process.wait(120)
    shoot(page, f"{name}-3-anchored")
    receipt = save(page, text(lang, "page.receipt"), tmp_path)
    trust = tmp_path / "trust.json"
    trust.write_bytes(page.request.get(f"{site.url}/trust.json").body())
    assert text(lang, "verify.holds") in verify(receipt, trust, file, lang)
    page.locator(f"main a[href^='{site.url}/datasets/air/versions/']").click()
    assert file.name in page.locator("main").inner_text()
    page.context.close()


def sign_in(page: Page, site: Site, lang: str, *, mistype: bool = False) -> None:
    """A wrong key first, as it happens (it is counted: not too often); then the right one."""
    page.goto(f"{site.url}/publish")
    for key in (site.key[:-1], site.key) if mistype else (site.key,):
        page.get_by_label(text(lang, "page.publish-key"), exact=True).fill(key)
        page.get_by_role("button", name=text(lang, "page.publish-sign-in")).click()
        wrong = page.get_by_text(text(lang, "page.publish-said-wrong-key"))
        assert wrong.count() == (key != site.key)


@pytest.mark.parametrize(("lang", "size"), LOOKS)
def test_axe_finds_nothing_where_clerks_publish(
    browser: Browser, site: Site, world: World, axe: str, lang: str, size: str
) -> None:
    """The form to sign in, the form to hand in, and how far a version is."""
    _fill(world, site)
    page = open_page(browser, site, lang, size)
    page.goto(f"{site.url}/publish")
    look(page, axe, f"{lang}-{size}", "sign-in")
    sign_in(page, site, lang)
    for name, path in {"publish": "/publish", "published": "/publish/air/1"}.items():
        page.goto(site.url + path)
        look(page, axe, f"{lang}-{size}", name)
    page.context.close()


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_longest_certificate_is_one_sheet(
    browser: Browser, site: Site, world: World, lang: str
) -> None:
    """Ids, names and types as long as they may be, and a correction, still fit on A4."""
    name = f"{lang}." + "x" * 125
    world.dataset(name)
    world.change("UPDATE datasets SET label = %s WHERE name = %s", "标" * 200, name)
    query = f"?name={'n' * 255}&corrects=1&reason={'r' * 500}"
    for more in ("", query, query):
        table = TABLE + more.encode().replace(b"=", b"") + str(world.size()).encode() + b",\n"
        site.post(f"/v1/datasets/{name}/versions{more}", table, "text/csv")
    world.now = now()
    world.settle()
    page = open_page(browser, site, lang, "desktop")
    page.set_viewport_size({"width": 688, "height": 1010})
    page.goto(f"{site.url}/datasets/{name}/versions/2/certificate")
    assert print_page(page, f"{lang}-longest-certificate") == 1
    page.context.close()


def _is_anchored(page: Page) -> bool:
    page.reload()
    return page.locator(".way li").last.get_attribute("class") == "own"


@pytest.mark.parametrize(("lang", "size"), LOOKS)
def test_axe_finds_nothing_on_any_page(
    browser: Browser, site: Site, world: World, axe: str, lang: str, size: str
) -> None:
    """Light and dark; and no page is wider than the screen, so nobody scrolls sideways to read."""
    _fill(world, site)
    page = open_page(browser, site, lang, size)
    for name, path in PATHS.items():
        page.goto(site.url + path.format(size=world.size()))
        look(page, axe, f"{lang}-{size}", name)
    page.context.close()


def test_axe_sees_what_is_wrong(browser: Browser, site: Site, axe: str) -> None:
    """The look itself can fail: a picture without words and grey on grey are found."""
    page = browser.new_page()
    small = '<button style="width:9px;height:9px;padding:0">x</button>'
    page.set_content(f'<img src="x"><p style="color:#999;background:#aaa">grey</p>{small * 2}')
    found = " ".join(violations(page, axe))
    assert "target-size" in found
    assert "image-alt" in found
    assert "color-contrast" in found
    page.close()


def _fill(world: World, site: Site) -> None:
    """Records, a feed with a gap, a correction of a version; all anchored. Once is enough."""
    if world.rows("SELECT 1 FROM records LIMIT 1"):
        return
    for value in ("21.5", "<b>22</b>"):
        body = f'{{"source":"roof","payload_text":"{value}","key":"k{value[:1]}"}}'.encode()
        site.post("/v1/datasets/air/records", body, "application/json")
    for hour in (*range(9), *range(14, 30)):
        at, value = f"2026-01-{1 + hour // 24:02d}T{hour % 24:02d}:00:00Z", (hour - 12) ** 2 / 9
        body = f'{{"source":"meter","payload_text":"{value:.2f}","key":"{hour}","observed":"{at}"}}'
        site.post("/v1/datasets/air/records", body.encode(), "application/json")
    site.post("/v1/datasets/air/versions", TABLE, "text/csv")
    query = "?corrects=1&reason=wrong"
    site.post(f"/v1/datasets/air/versions{query}", TABLE + b"x,1\n", "text/csv")
    world.now = now()
    world.settle()
