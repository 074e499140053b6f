# SPDX-License-Identifier: Apache-2.0
"""The form for all records of a span: what it gives verifies, what can't be is a sentence."""

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

from notary.core.trust import parse_trust
from notary.core.window import WindowVerdict, parse_window, verify_window
from notary.local.postgres import Postgres
from notary.texts import catalogue
from notary.usecases import prove_window
from notary.verifier.files import opened
from tests.api.city import City
from tests.api.conftest import standing_city
from tests.web.page import Page
from tests.web.test_closed_pages import key_for, sign_in

SOURCE = "/datasets/weather/sources/desk"
COUNT = 30


@pytest.fixture(scope="module")
def told(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    """Thirty records, a second apart, all anchored; nobody changes it."""
    with standing_city(postgres, tmp_path_factory) as city:
        city.open_dataset()
        fill(city, "weather")
        yield city


def fill(city: City, dataset: str) -> None:
    for n in range(COUNT):
        city.record(dataset, text=f"reading {n}", observed=f"2013-01-{n + 1:02d}T00:00:00Z")
        city.world.pass_by(1)
    city.world.settle()


def downloads(page: Page) -> list[str]:
    """The addresses of a window and of its contents."""
    return [address for address in page.addresses if "/window" in address]


def verified(city: City, page: Page, folder: Path, ask: object = None) -> WindowVerdict:
    """The verdict on what the page offers, contents and all."""
    get = city.ask if ask is None else ask
    window, payloads = (get(address).get_data() for address in downloads(page))  # type: ignore[operator]
    (folder / "lines").write_bytes(payloads)
    proof = parse_window(window.decode())
    trust = parse_trust(city.ask("/trust.json").get_data(as_text=True))
    return verify_window(proof, trust, opened(str(folder / "lines"), proof))


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_span_by_number_verifies_with_its_contents(told: City, tmp_path: Path, lang: str) -> None:
    """Both ends are meant inside; a neighbour on each side closes it."""
    page = Page(told.ask(f"{SOURCE}?by=n&from=10&to=19&lang={lang}"))
    verdict = verified(told, page, tmp_path)
    assert (verdict.asked_first, verdict.asked_last, verdict.payloads_checked) == (10, 19, 12)
    assert not verdict.open_end
    assert catalogue(lang)["page.window-open"] not in page.text
    assert f"{SOURCE}/records/9?lang={lang}" in page.addresses
    assert (
        "python3 verify.pyz window-desk-9-20.json --payload contents-desk-9-20.ndjson" in page.text
    )


def test_a_span_by_the_time_of_receipt_is_meant_where_the_city_is(
    told: City, tmp_path: Path
) -> None:
    """As a browser sends it, without a zone; the end is not inside."""
    records = told.ask("/v1/datasets/weather/sources/desk/records").get_json()["items"]
    start, stop = (records[n]["received"][:19] for n in (5, 8))
    page = Page(told.client.get(SOURCE, query_string={"by": "received", "from": start, "to": stop}))
    verdict = verified(told, page, tmp_path)
    inside = [row["n"] for row in records if f"{start}." <= row["received"] < f"{stop}."]
    assert (verdict.asked_first, verdict.asked_last) == (inside[0], inside[-1])
    assert not verdict.open_end


def test_what_the_form_holds_at_first_gives_windows(told: City, tmp_path: Path) -> None:
    """A click without filling anything in is answered with a proof."""
    page = Page(told.ask(SOURCE))
    given = [found for tag, found in page.tags if tag == "input" and found.get("name") in FORM]
    spans = zip(*[iter(given)] * 2, strict=True)
    for by, (start, stop) in zip(("received", "n", "observed"), spans, strict=True):
        query = {"by": by, "from": start["value"], "to": stop["value"]}
        shown = Page(told.client.get(SOURCE, query_string=query))
        verdict = verified(told, shown, tmp_path)
        assert verdict.open_end == (by == "observed"), by
        assert verdict.last == COUNT - 1


FORM = ("from", "to")


def test_a_span_by_the_senders_time_says_what_it_does_not_show(told: City, tmp_path: Path) -> None:
    """From the first record of the span to the last, without neighbours."""
    page = Page(told.ask(f"{SOURCE}?by=observed&from=2013-01-05&to=2013-01-10"))
    assert catalogue("en")["page.window-observed"] in page.text
    verdict = verified(told, page, tmp_path)
    assert (verdict.first, verdict.last, verdict.asked_count) == (4, 8, 5)
    none = Page(told.ask(f"{SOURCE}?by=observed&from=2014&to=2015"))
    assert catalogue("en")["page.window-none"] in none.text


def test_an_open_end_is_said(told: City, tmp_path: Path) -> None:
    """On the page already, before anything is downloaded."""
    for query in ("by=n&from=20&to=99", "by=received&from=2020-01-01T00:00&to=2099-01-01T00:00"):
        page = Page(told.ask(f"{SOURCE}?{query}"))
        assert catalogue("en")["page.window-open"] in page.text
        assert verified(told, page, tmp_path).open_end


@pytest.mark.parametrize(
    "query",
    [
        "by=n",
        "by=n&from=&to=",
        "by=n&from=5&to=4",
        "by=n&from=-1&to=4",
        "by=n&from=1.5&to=4",
        "by=n&from=%D9%A3&to=9",
        f"by=n&from=0&to={'9' * 400}",
        "by=received&from=1&to=2",
        "by=received&from=2026-11-24T00:00&to=2026-11-24T00:00",
        "by=received&from=2026-11-25T00:00&to=2026-11-24T00:00",
        "by=received&from=0001-01-01T00:00%2B23:59&to=9999-12-31T23:59-23:59",
        "by=received&from=%3Cscript%3E&to=%00",
        "by=observed&from=2013-01-02&to=2013-01-02",
        "by=observed&from=&to=2013-01-02",
        "by=observed&from=%00&to=2013",
    ],
)
def test_what_is_no_span_is_answered_by_a_sentence(told: City, query: str) -> None:
    """The form again as it was filled in, nothing to download."""
    answer = told.ask(f"{SOURCE}?{query}")
    assert answer.status_code == 200
    page = Page(answer)
    assert catalogue("en")["page.window-unread"] in page.text
    assert downloads(page) == []
    assert "script" not in {tag for tag, _ in page.tags}


@pytest.mark.parametrize("by", ["", "key", "N", "%00", "n&by=x"])
def test_another_kind_of_span_is_asked_by_the_api_alone(told: City, by: str) -> None:
    """The page is the plain one, or says that it can't read the span."""
    page = Page(told.ask(f"{SOURCE}?by={by}&from=x&to=y"))
    assert downloads(page) == []


@pytest.mark.parametrize("observed", ["yesterday", "2013", "9999-12-31T00:00:00Z", "é" * 40])
def test_a_senders_time_that_is_no_date_leaves_the_form_empty(city: City, observed: str) -> None:
    """The page is there all the same."""
    city.open_dataset()
    city.record("weather", observed=observed)
    answer = city.ask(SOURCE)
    assert answer.status_code == 200
    given = [found for tag, found in Page(answer).tags if found.get("name") in FORM]
    assert [found["value"] for found in given[-2:]] == ["", ""]


def test_records_that_are_not_there_are_none(told: City) -> None:
    """Beyond the newest one."""
    page = Page(told.ask(f"{SOURCE}?by=n&from=500&to=600"))
    assert catalogue("en")["page.window-none"] in page.text
    assert downloads(page) == []


def test_records_that_are_not_signed_yet_are_told_to_come(city: City) -> None:
    """And nothing is promised."""
    city.open_dataset()
    city.record("weather")
    page = Page(city.ask(f"{SOURCE}?by=n&from=0&to=0"))
    assert catalogue("en")["page.window-later"] in page.text
    assert downloads(page) == []


def test_a_span_that_is_too_long_is_said(told: City, monkeypatch: pytest.MonkeyPatch) -> None:
    """With how long one may be."""
    monkeypatch.setattr(prove_window, "MAX_RECORDS", 10)
    page = Page(told.ask(f"{SOURCE}?by=n&from=0&to=20"))
    assert "more than the 10 that one window carries" in page.text
    assert downloads(page) == []


@pytest.mark.parametrize(
    "path",
    [
        "/window",
        "/window?by=n&from=0",
        "/window?by=n&from=x&to=y",
        "/window?by=received&from=1&to=2",
        "/window/payloads",
        "/window/payloads?first=0",
        "/window/payloads?first=9&last=1",
        "/window/payloads?first=0&last=999999",
        "/window/payloads?first=0&last=1&chain=7",
        "/window?by=n&from=0&to=1&chain=99999999999",
    ],
)
def test_a_download_that_names_no_span_is_refused(told: City, path: str) -> None:
    """With a problem, never with a fault of ours."""
    assert told.ask(f"{SOURCE}{path}").status_code in (400, 404, 422)


def test_the_owner_of_a_closed_dataset_has_the_form_too(city: City, tmp_path: Path) -> None:
    """Signed in; nothing of it may be kept by the browser, and nobody else sees it."""
    dataset = city.closed_dataset()
    fill(city, dataset)
    browser = sign_in(city, key_for(city))
    path = f"/datasets/{dataset}/sources/desk?by=n&from=3&to=6"
    page = Page(browser.get(path))
    assert verified(city, page, tmp_path, browser.get).payloads_checked == 6
    for address in downloads(page):
        assert browser.get(address).headers["Cache-Control"] == "no-store"
        assert city.ask(address).status_code == 404
        assert sign_in(city, key_for(city, "tax-office")).get(address).status_code == 404
    lines = browser.get(downloads(page)[1]).get_data(as_text=True).splitlines()
    assert all("salt" in json.loads(line) for line in islice(lines, 3))
