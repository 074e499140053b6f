# SPDX-License-Identifier: Apache-2.0
"""`/verify` as it is served: what it says without JavaScript, lets in, and hands out."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from notary.core import errors
from notary.core.errors import NotaryError
from notary.local.build_verifier import build
from notary.offline import page_texts, verify_pyz
from notary.offline_page import verify_html
from notary.texts import LANGUAGES, catalogue
from notary.usecases.marks import StateRefused
from tests.api.city import City
from tests.web.page import Page

WEB = Path(__file__).parents[2] / "notary" / "web"
SCRIPTS = sorted((WEB / "static").glob("verify_*.js"))
SOURCES = [*SCRIPTS, WEB / "templates" / "verify.html"]
CODES = {code for code in catalogue("en") if code.startswith("verify-page.")}


def data_of(answer: TestResponse) -> dict[str, Any]:
    """What the page hands to its script."""
    text = answer.get_data(as_text=True)
    found = re.findall(r'<script type="application/json" id="verify-data">(.*?)</script>', text)
    assert len(found) == 1
    data = json.loads(found[0])
    assert isinstance(data, dict)
    return data


@pytest.mark.parametrize("lang", LANGUAGES)
def test_without_javascript_it_says_how_to_check_by_a_program(shared: City, lang: str) -> None:
    """And offers all that is needed for it, and whose word the page itself is."""
    page = Page(shared.ask(f"/verify?lang={lang}"))
    for code in ("no-script", "served-by-us", "html-is", "pyz-is", "trust-is"):
        assert catalogue(lang)[f"verify-page.{code}"] in page.text
    assert "verify.pyz RECEIPT --payload FILE --trust trust.json" in page.text
    for address in ("/verify.html", "/verify.pyz", "/trust.json"):
        assert address in page.addresses
        assert shared.ask(address).status_code == 200
    assert shared.world.signer.verifier.fingerprint in page.text.replace(" ", "")


def test_nothing_runs_on_it_but_our_own_files(shared: City) -> None:
    """No script stands in the page, none comes from outside; it may ask nobody but us."""
    answer = shared.ask("/verify")
    policy = answer.headers["Content-Security-Policy"].split("; ")
    assert {"default-src 'none'", "script-src 'self'", "connect-src 'self'"} <= set(policy)
    assert "unsafe" not in " ".join(policy)
    for found in (found for tag, found in Page(answer).tags if tag == "script"):
        assert found.get("type") == "application/json" or str(found["src"]).startswith("/static/")


def test_every_script_of_it_is_served(shared: City) -> None:
    """As far as their imports lead, and only to files beside them."""
    waiting, seen = ["verify_page.js"], set()
    while waiting:
        name = waiting.pop()
        seen.add(name)
        answer = shared.ask(f"/static/{name}")
        assert (answer.status_code, answer.mimetype) == (200, "text/javascript"), name
        text = answer.get_data(as_text=True)
        assert "eval(" not in text
        assert "innerHTML" not in text
        waiting += set(re.findall(r'^import .* from "\./(.*)";$', text, re.MULTILINE)) - seen
    assert {path.name for path in SCRIPTS} <= seen


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_script_gets_every_text_that_a_verdict_can_need(shared: City, lang: str) -> None:
    """Of its language: all checks, all errors of the core, and its own."""
    data = data_of(shared.ask(f"/verify?lang={lang}"))
    assert (data["lang"], list(data["texts"])) == (lang, [lang])
    texts = data["texts"][lang]
    assert texts == page_texts(lang)
    codes = {
        found.code
        for found in vars(errors).values()
        if isinstance(found, type) and issubclass(found, NotaryError)
    }
    assert {f"error.{code}" for code in codes} <= texts.keys()
    assert {code for code in catalogue(lang) if code.startswith("check.")} <= texts.keys()
    assert not any(code.startswith(("problem.", "publish.")) for code in texts)


def test_the_trust_file_in_it_is_the_one_that_is_handed_out(shared: City) -> None:
    """To the byte, so that a reader who compares one has compared the other."""
    assert data_of(shared.ask("/verify"))["trust"] == shared.ask("/trust.json").text


def test_a_name_that_is_markup_stays_text(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    """The data in the page can't end their own script, whatever the notary is called."""
    services = city.app.extensions["city-notary"]
    evil = "</script><script>alert(1)</script>"
    text = services.trust().replace('"name":"City Notary"', f'"name":"{evil}"')
    assert evil in text
    object.__setattr__(services, "trust", lambda: text)
    answer = city.ask("/verify")
    assert data_of(answer)["trust"] == text
    assert [tag for tag, _ in Page(answer).tags].count("script") == 2


def test_of_a_closed_notary_the_page_still_serves(city: City) -> None:
    """Who has a receipt and a trust file can check, whatever state the notary is in."""

    def refuse() -> str:
        raise StateRefused("Closed.")

    object.__setattr__(city.app.extensions["city-notary"], "trust", refuse)
    answer = city.ask("/verify")
    assert answer.status_code == 200
    assert data_of(answer)["trust"] is None


def test_the_page_knows_its_own_addresses(city: City) -> None:
    """The one that was asked and the public one: links from there are looked up, no others."""
    object.__setattr__(
        city.app.extensions["city-notary"], "public_url", "https://notary.city.example"
    )
    origins = data_of(city.ask("/verify"))["origins"]
    assert origins == ["http://localhost", "https://notary.city.example"]


@pytest.mark.parametrize(
    ("path", "wanted"), [("/verify.pyz", verify_pyz()), ("/verify.html", verify_html())]
)
def test_what_is_taken_along_is_a_download_of_the_built_file(
    shared: City, path: str, wanted: bytes
) -> None:
    """Never opened under our address; always the same bytes, and kept by who has them."""
    answer = shared.ask(path)
    assert answer.data == wanted
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{path[1:]}"'
    tag = answer.headers["ETag"]
    assert shared.ask(path, headers={"If-None-Match": tag}).status_code == 304


def test_the_program_is_the_one_that_make_verifier_builds(tmp_path: Path) -> None:
    """Whoever builds it from the sources has the same bytes."""
    assert build(tmp_path / "verify.pyz").read_bytes() == verify_pyz()


@pytest.mark.parametrize("code", sorted(CODES))
def test_every_text_of_the_page_is_used(code: str) -> None:
    """By its name in a script or the template, or as one of a family that is put together."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in SOURCES)
    name = code.removeprefix("verify-page.")
    family, _, member = name.partition("-")
    is_put_together = f"verify-page.{family}-${{" in text and re.search(
        rf'["\b]{re.escape(member)}["\b:]|\b{re.escape(member)}:', text
    )
    assert f'"{code}"' in text or f"'{code}'" in text or is_put_together


def test_every_text_that_the_page_names_is_there() -> None:
    """A title has its sentence and a sentence its title, but where the error itself is said."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in SOURCES)
    named = set(re.findall(r"""["'](verify-page\.[a-z-]+)["']""", text))
    assert named <= CODES
    titles = {code.replace("title-", "") for code in CODES if ".title-" in code}
    said = {code.replace("said-", "") for code in CODES if ".said-" in code}
    more = {"inside", "window-alone", "tampered"}
    more |= {"other-count", "other-record", "other-empty"}
    assert said - titles == {f"verify-page.{name}" for name in more}
    plain = {"unusable", "misconduct", "not-comparable"}
    assert titles - said == {f"verify-page.{name}" for name in plain}


@pytest.mark.parametrize("path", ["/", "/datasets/weather/sources/desk/records/0"])
def test_pages_lead_to_it(city: City, path: str) -> None:
    """In the language that was asked for."""
    city.open_dataset()
    city.record("weather")
    city.world.settle()
    page = Page(city.ask(f"{path}?lang=zh"))
    assert any(address.startswith("/verify?lang=zh") for address in page.addresses)
