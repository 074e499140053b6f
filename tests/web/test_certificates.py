# SPDX-License-Identifier: Apache-2.0
"""Certificates to print: what they say, what they don't claim, and where their code leads."""

import re

import pytest
import segno

from notary.texts import catalogue
from tests.api.city import City
from tests.web.page import Page

VERSION = "/datasets/weather/versions/1"
RECORD = "/datasets/weather/sources/desk/records/0"
BOTH = [VERSION, RECORD]
SITE = "https://notary.city.example"


@pytest.fixture
def public(city: City) -> City:
    """A notary with a public address, a version and a record; nothing is sealed yet."""
    object.__setattr__(city.app.extensions["city-notary"], "public_url", SITE)
    city.open_dataset(label="Air <b>&</b>")
    city.publish("weather", query="?name=<i>.csv")
    city.record("weather")
    return city


@pytest.mark.parametrize("path", BOTH)
def test_a_certificate_says_what_log_and_owner_stand_behind_it(public: City, path: str) -> None:
    """Dataset, owner, hash, log, fingerprint; once it is signed the note is gone."""
    early = Page(public.ask(f"{path}/certificate"))
    public.world.settle()
    page = Page(public.ask(f"{path}/certificate"))
    assert catalogue("en")["page.not-proved-yet"] in early.text
    assert catalogue("en")["page.not-proved-yet"] not in page.text
    told = public.ask(f"/v1{path}").get_json()
    log = public.world.gate.open()
    for words in ("Air <b>&</b>", "Water Works", told["digest"], log.origin):
        assert words in page.text
    assert page.classes("li")[:5] == ["own", "own", "own", "open", "own"]


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("path", BOTH)
def test_a_certificate_says_what_it_does_not_prove(public: City, path: str, lang: str) -> None:
    """Not the truth, not by the paper, not the time, not what came later; in both languages."""
    page = Page(public.ask(f"{path}/certificate?lang={lang}"))
    texts = catalogue(lang)
    for code in ("verify.no-truth", "page.paper-proves-nothing", "page.time-is-ours"):
        assert texts[code] in page.text
    assert texts["page.only-then-link"] in page.text
    assert "notary verify" not in page.text
    assert not re.search(r"\b(page|verify)\.(?!pyz)[a-z]", page.text)


@pytest.mark.parametrize("path", BOTH)
def test_the_code_leads_to_the_page_at_the_public_address(public: City, path: str) -> None:
    """Its squares are those of that very link, whatever Host the request names."""
    answer = public.ask(f"{path}/certificate", headers={"Host": "evil.example"})
    text = answer.get_data(as_text=True)
    assert _squares(SITE + path) in text
    assert _squares(SITE + path + "x") not in text
    assert "evil.example" not in text
    assert f"{SITE}{path}" in Page(answer).addresses


def _squares(link: str) -> str:
    found = re.search(r' d="([^"]{200,})"', segno.make_qr(link, error="m").svg_inline())
    assert found is not None
    return found[1]


@pytest.mark.parametrize("path", BOTH)
def test_without_a_public_address_no_code_and_no_link_are_offered(city: City, path: str) -> None:
    """The Host of a request is never taken for one."""
    city.open_dataset()
    city.publish("weather")
    city.record("weather")
    page = Page(city.ask(f"{path}/certificate", headers={"Host": "evil.example"}))
    assert not {"svg", "figure"} & {tag for tag, _ in page.tags}
    assert catalogue("en")["page.only-then"] in page.text
    assert "link" not in page.text
    assert all(address.startswith(("/", "#")) for address in page.addresses)


@pytest.mark.parametrize("path", BOTH)
def test_a_certificate_has_no_style_or_script_inside(public: City, path: str) -> None:
    """The code is made of attributes alone, and what people wrote is text."""
    answer = public.ask(f"{path}/certificate")
    page = Page(answer)
    tags = {tag for tag, _ in page.tags}
    assert "svg" in tags
    assert not tags & {"style", "script", "b", "i", "foreignobject", "use"}
    assert not any(name.startswith("on") or name == "style" for _, f in page.tags for name in f)
    assert "unsafe" not in answer.headers["Content-Security-Policy"]


def test_a_closed_dataset_gives_no_certificate(city: City) -> None:
    """The same page as for a name that doesn't exist, and no code."""
    dataset = city.closed_dataset()
    city.publish(dataset)
    answer = city.ask(f"/datasets/{dataset}/versions/1/certificate", key=city.key)
    assert answer.status_code == 404
    assert "svg" not in {tag for tag, _ in Page(answer).tags}
