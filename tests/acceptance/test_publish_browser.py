# SPDX-License-Identifier: Apache-2.0
"""What goes wrong at /publish in a real browser: a file that is refused, a form of another site."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from notary.local.postgres import Postgres
from notary.texts import text
from tests.acceptance.browsing import (
    SIZES,
    Site,
    axe_source,
    chromium,
    open_page,
    served,
    violations,
)
from tests.acceptance.sealers import SealerProcess, now
from tests.conftest import new_database
from tests.usecases.world import World

pytestmark = pytest.mark.needs("chromium")


@pytest.fixture(scope="module")
def world(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A notary whose clock is the real one, with its sealer at work."""
    made = World.make(tmp_path_factory.mktemp("city"), new_database(postgres))
    made.now = now()
    made.dataset("air")
    with SealerProcess(made.env, tmp_path_factory.mktemp("sealer") / "sealer.log"):
        yield made
    made.close()


@pytest.fixture(scope="module")
def site(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Its web process; links lead to it."""
    with served(world, tmp_path_factory.mktemp("web"), NOTARY_PUBLIC_URL="{url}") as site:
        yield site


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all stories."""
    with chromium() as running:
        yield running


def sign_in(page: Page, site: Site, lang: str) -> None:
    """Type the key, and press the button."""
    page.goto(f"{site.url}/publish")
    page.get_by_label(text(lang, "page.publish-key"), exact=True).fill(site.key)
    page.get_by_role("button", name=text(lang, "page.publish-sign-in")).click()


def press(page: Page, lang: str, code: str) -> None:
    """A button by its words."""
    page.get_by_role("button", name=text(lang, code), exact=True).click()


def test_what_is_refused_is_told_on_the_page(browser: Browser, site: Site, tmp_path: Path) -> None:
    """Row and byte, in the page that has the form, which is ready for the next try."""
    file = tmp_path / "bad.csv"
    file.write_bytes(b'a,b\n"x" y,1\n')
    page = open_page(browser, site, "en", "desktop")
    sign_in(page, site, "en")
    page.get_by_label("File", exact=True).set_input_files(file)
    press(page, "en", "page.publish-send")
    expect(page.get_by_role("alert")).to_contain_text("Row 1, at byte 7")
    assert violations(page, axe_source()) == []
    file.write_bytes(b"a,b\nx,1\n")
    page.get_by_label("File", exact=True).set_input_files(file)
    press(page, "en", "page.publish-send")
    page.wait_for_url("**/publish/air/*")
    page.context.close()


def test_another_site_can_not_send_a_form(browser: Browser, site: Site, world: World) -> None:
    """A page elsewhere that posts to us comes without the session's cookie: nothing is done."""
    page = browser.new_context(viewport=SIZES["desktop"]).new_page()
    sign_in(page, site, "en")
    before = world.rows("SELECT count(*) FROM versions")
    evil = (
        f'<form method="post" enctype="multipart/form-data" action="{site.url}/publish">'
        '<input name="token" value="0"><input name="dataset" value="air">'
        '<input name="file" value="x"></form><script>document.forms[0].submit()</script>'
    )
    page.route(
        "http://evil.example/", lambda route: route.fulfill(body=evil, content_type="text/html")
    )
    page.goto("http://evil.example/", wait_until="commit")
    page.wait_for_url(f"{site.url}/publish**")
    assert text("en", "page.publish-said-ended") in page.content()
    assert world.rows("SELECT count(*) FROM versions") == before
    page.goto(f"{site.url}/publish")
    assert "Signed in" in page.content()
    page.context.close()
