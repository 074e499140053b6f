# SPDX-License-Identifier: Apache-2.0
"""The pages of datasets, sources, versions, batches and checkpoints: content and attacks."""

import re
from collections.abc import Iterator

import pytest

from notary.core.receipt import verify_receipt
from notary.core.trust import parse_trust
from notary.local.postgres import Postgres
from notary.texts import catalogue
from tests.api.city import City
from tests.api.conftest import standing_city
from tests.web.page import Page

DATASET = "/datasets/weather"
SOURCE = f"{DATASET}/sources/desk"
VERSION = f"{DATASET}/versions/1"
PAGES = [
    *(DATASET, SOURCE, f"{SOURCE}/records/0", f"{SOURCE}/records/1"),
    *(VERSION, f"{VERSION}?row=1", f"{DATASET}/versions/2", f"{DATASET}/versions/3?row=0"),
    *(f"{VERSION}/certificate", f"{SOURCE}/records/0/certificate"),
    *(f"{VERSION}/changes?to=2", f"{VERSION}/changes?to=2&key=name", f"{VERSION}/changes?to=3"),
    *("/batches/0", "/batches/1", "/checkpoints/4", "/"),
]
HOSTILE = "<script>alert(1)</script><img src=//evil.example onerror=x>\u202e"


@pytest.fixture(scope="module")
def told(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    """Two records and three versions, all anchored; what people wrote tries to be markup."""
    with standing_city(postgres, tmp_path_factory) as city:
        city.open_dataset(
            label="Air <b>quality</b>",
            licence="CC <i>BY</i> 4.0",
            catalogue="CAT-7",
            classification="L1",
            update_cycle="daily",
        )
        city.record("weather", text=HOSTILE)
        city.record("weather", text="7.5")
        city.publish("weather", f"name,<u>x</u>\n{HOSTILE},2\n".encode(), "?name=<b>1.csv")
        city.publish("weather", b"name,x\nroof,3\n", "?corrects=1&reason=<em>wrong</em>")
        city.publish("weather", b'{"a": "<script>"}\n', type="application/x-ndjson")
        city.world.settle()
        yield city


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_whole_in_both_languages(told: City, path: str, lang: str) -> None:
    """No text is missing, none is unfilled, and all addresses are ours and answer."""
    page = Page(told.ask(path, headers={"Accept-Language": lang}))
    assert not re.search(r"\b(page|verify)\.(?!pyz)[a-z]", page.text)
    assert not re.search(r"\{[a-z]+\}", page.text)
    for address in page.addresses:
        assert re.match(r"[/#](?!/)", address), address
        assert told.ask(address.partition("#")[0] or path).status_code in (200, 404), address
        if not address.startswith("/find"):
            assert told.ask(address.partition("#")[0] or path).status_code == 200, address


@pytest.mark.parametrize("path", PAGES)
def test_what_people_wrote_stays_text(told: City, path: str) -> None:
    """Labels, licences, file names, reasons, cells and payloads never become tags."""
    answer = told.ask(path)
    page = Page(answer)
    tags = {tag for tag, _ in page.tags}
    assert not tags & {"script", "style", "b", "i", "u", "em", "iframe", "object"}
    assert not any(name.startswith("on") or name == "style" for _, f in page.tags for name in f)
    assert not any("evil.example" in address for address in page.addresses)
    policy = answer.headers["Content-Security-Policy"]
    assert "script-src" not in policy
    assert "unsafe" not in policy
    assert policy.startswith("default-src 'none'")


@pytest.mark.parametrize("path", PAGES)
def test_nothing_is_green_that_the_notary_alone_says(told: City, path: str) -> None:
    """All five states of a notary with a file ledger only are its own word."""
    classes = {word for _, found in Page(told.ask(path)).tags for word in _words(found)}
    assert not classes & {"done", "held", "outside"}


def _words(found: dict[str, str | None]) -> list[str]:
    return (found.get("class") or "").split()


def test_an_outside_ledger_is_told_apart(told: City, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a ledger isn't the notary's own, that step alone is shown as confirmed."""
    monkeypatch.setattr(type(told.world.ledger), "own_word", False)
    for path in (VERSION, f"{SOURCE}/records/0"):
        page = Page(told.ask(path))
        assert page.classes("li") == ["own", "own", "own", "open", "done"]


def test_a_dataset_says_what_it_is(told: City) -> None:
    """Owner, licence, catalogue, sharing, cycle, counts, versions, newest records."""
    page = Page(told.ask(DATASET))
    for words in (
        *("Air <b>quality</b>", "Water Works", "CC <i>BY</i> 4.0", "CAT-7", "L1", "daily"),
        *("shared unconditionally", "Version", "corrects version 1", "desk / 1"),
        *("was corrected by version 2", "Records 2 Since"),
    ):
        assert words in page.text
    assert {f"{DATASET}/versions/{n}" for n in (1, 2, 3)} <= set(page.addresses)
    assert {SOURCE, f"{SOURCE}/records/1"} <= set(page.addresses)


def test_rows_are_no_records(told: City) -> None:
    """What the first page counts as records are the two, not the rows of versions."""
    page = Page(told.ask("/"))
    assert "records sealed 2" in page.text
    assert "Air <b>quality</b> 2 4" in page.text


def test_an_empty_dataset_says_so(city: City) -> None:
    """Nothing was handed in, nothing is said of it."""
    city.open_dataset()
    page = Page(city.ask(DATASET))
    assert catalogue("en")["page.empty-dataset"] in page.text
    assert "not stated" in page.text


def test_a_version_says_what_it_is_and_what_replaced_it(told: City) -> None:
    """Digest, size, rows, name; the correction both ways, with its reason."""
    first, second = Page(told.ask(VERSION)), Page(told.ask(f"{DATASET}/versions/2"))
    digest = told.ask("/v1/datasets/weather/versions/1").get_json()["digest"]
    assert digest in first.text
    assert "<b>1.csv" in first.text
    assert f"{DATASET}/versions/2" in first.addresses
    assert "This version was corrected." in first.text
    assert "corrects version 1" in second.text
    assert "<em>wrong</em>" in second.text


def test_file_and_receipt_of_a_version_are_downloaded_and_hold(told: City) -> None:
    """What the two buttons fetch verifies by the trust file alone."""
    page = Page(told.ask(VERSION))
    file, receipt = (
        told.ask(next(a for a in page.addresses if a.endswith(ending))).get_data()
        for ending in ("/file", "/receipt")
    )
    trust = parse_trust(told.ask("/trust.json").get_data(as_text=True))
    assert verify_receipt(receipt.decode(), trust, file)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("1", "alert(1)"),
        (" 1 ", "alert(1)"),
        ("0", "name"),
        ("2", "There is no such row: they are numbered from 0 to 1."),
        ("-1", "There is no such row"),
        ("1.0", "There is no such row"),
        ("\u0661", "There is no such row"),
        ("9" * 400, "There is no such row"),
        ("<b>", "There is no such row"),
    ],
)
def test_a_row_is_looked_up_without_javascript(told: City, row: str, words: str) -> None:
    """By its number; anything else is answered by a sentence."""
    page = Page(told.client.get(VERSION, query_string={"row": row}))
    assert words in page.text
    rows = [a for a in page.addresses if "/rows/" in a]
    assert bool(rows) == (words in ("alert(1)", "name"))


def test_a_version_that_is_only_accepted_offers_no_receipt(city: City) -> None:
    """It says that one comes, and each later state says "not yet"."""
    city.open_dataset()
    city.publish("weather")
    page = Page(city.ask(VERSION))
    assert page.classes("li") == ["own", "open", "open", "open", "open"]
    assert not any("receipt" in address for address in page.addresses)
    assert catalogue("en")["page.receipt-later"] in page.text


def test_neighbours_lead_on_and_end_at_both_ends(told: City) -> None:
    """The first has no one before it, the last no one after it."""
    first, last = (Page(told.ask(f"{SOURCE}/records/{n}")).addresses for n in (0, 1))
    assert f"{SOURCE}/records/1" in first
    assert f"{SOURCE}/records/0" in last
    assert f"{SOURCE}/records/2" not in last
    assert f"{DATASET}/versions/4" not in Page(told.ask(f"{DATASET}/versions/3")).addresses


def test_long_lists_are_read_page_by_page(city: City) -> None:
    """Versions, sources and records: what one page leaves off the next one has."""
    city.open_dataset()
    for n in range(23):
        city.record("weather", text=str(n))
        city.publish("weather", f"a\n{n}\n".encode())
    for path, item in ((DATASET, "versions"), (SOURCE, "records")):
        seen: list[str] = []
        following: str | None = path
        while following:
            page = Page(city.ask(following))
            seen += [a for a in page.addresses if re.fullmatch(rf".*/{item}/\d+", a)]
            older = [a for a in page.addresses if "before=" in a and "lang=" not in a]
            following = older[0] if older else None
        assert len(set(seen)) == 23


CLOSED = [
    *("", "/sources/desk", "/sources/desk/records/0", "/versions/1", "/versions/1?row=0"),
    *("/versions/1/certificate", "/versions/1/changes?to=1"),
    *("?before=9", "?after=a", "/sources/desk/records/0/certificate"),
]


@pytest.mark.parametrize("rest", CLOSED)
def test_a_closed_dataset_is_as_if_it_were_not_there(city: City, rest: str) -> None:
    """The same page as for a name that doesn't exist, whatever key is sent along."""
    dataset = city.closed_dataset()
    city.record(dataset, text="secret wages")
    city.publish(dataset)
    city.world.settle()
    nothing = "d." + "0" * 32
    for key in (None, city.key, city.other_key):
        found, none = (city.ask(f"/datasets/{name}{rest}", key=key) for name in (dataset, nothing))
        assert found.status_code == none.status_code == 404
        assert found.get_data(as_text=True).replace(dataset, nothing) == none.get_data(as_text=True)


def test_the_log_names_a_closed_dataset_by_its_random_id_alone(city: City) -> None:
    """A batch's page has no label, no link and no department."""
    dataset = city.closed_dataset()
    city.publish(dataset)
    city.world.settle()
    page = Page(city.ask("/batches/0"))
    assert dataset in page.text
    assert "Wages" not in page.text
    assert "Water" not in page.text
    assert not any(address.startswith("/datasets") for address in page.addresses)
    assert dataset not in Page(city.ask("/")).text


@pytest.mark.parametrize(
    "path",
    [
        *("/batches/9", "/checkpoints/0", "/checkpoints/9007199254740991", "/datasets/nothing"),
        *(f"{DATASET}/versions/0", f"{DATASET}/versions/9", f"{SOURCE}/records/9"),
        *(f"{DATASET}/versions/9/changes", f"{VERSION}/changes?to=9", f"{VERSION}/changes?to=x"),
        *(f"{DATASET}/sources/nobody", f"{SOURCE}/records/0?chain=1"),
    ],
)
def test_what_is_not_there_is_told_in_words(told: City, path: str) -> None:
    """404, the form, and no traceback."""
    answer = told.ask(path)
    assert answer.status_code == 404
    assert catalogue("en")["page.missing"] in Page(answer).text


@pytest.mark.parametrize(
    "query",
    [
        *("chain=x", "chain=", "chain=2147483648", f"chain={'9' * 15}", "before=x", "before=-1"),
        *(f"before={'9' * 15}", "before=0", "after=%00", "after=%F0%9F", "row=2147483648"),
    ],
)
def test_a_query_that_is_none_never_breaks_a_page(told: City, query: str) -> None:
    """It is as if it weren't there, or as if nothing were found."""
    for path in (DATASET, SOURCE, f"{SOURCE}/records/0", VERSION):
        assert told.ask(f"{path}?{query}").status_code in (200, 404), path


def test_an_altered_row_is_not_shown(city: City) -> None:
    """Where the stored file doesn't give the row that was sealed, the page says that."""
    city.open_dataset()
    city.publish("weather")
    city.world.change("UPDATE version_parts SET data = 'a,b' || chr(10)::bytea || '1,3'::bytea")
    answer = city.ask(f"{VERSION}?row=1", headers={"Accept": "text/html"})
    assert answer.status_code == 500
    assert "store-damaged" in Page(answer).text
