# SPDX-License-Identifier: Apache-2.0
"""The people's pages: what they say, in which language, and what they never do."""

import re
from collections.abc import Iterator
from zoneinfo import ZoneInfo

import pytest

from notary.core.note import parse_vkey
from notary.local.postgres import Postgres
from notary.usecases.erase import RecordPlace, VersionPlace
from notary.usecases.keep import drop_due
from notary.usecases.reading import Reading
from notary.web.render import grouped
from tests.api.city import City
from tests.api.conftest import standing_city
from tests.ledgers.far_file import FarLedger
from tests.web.page import Page

RECORD = "/datasets/weather/sources/desk/records/0"


@pytest.fixture(scope="module")
def told(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    """A city with an anchored record that tries to be more than text; nobody changes it."""
    with standing_city(postgres, tmp_path_factory) as city:
        tell(city)
        yield city


def tell(city: City) -> None:
    """What the city holds."""
    city.open_dataset(label="Weather <b>of</b> the city & more")
    city.record(
        "weather",
        text="<script>alert('x')</script>\n\u202etxt",
        key="<i>k</i>",
        observed="'\"<noon>",
    )
    city.world.settle()


def test_the_first_page_says_what_this_notary_holds(told: City) -> None:
    """Counts, the newest checkpoint with root and fingerprint, open datasets."""
    page = Page(told.ask("/"))
    checkpoint = told.world.checkpoints()[-1]
    assert isinstance(checkpoint[1], bytes)
    for words in (
        "1",
        checkpoint[1].hex(),
        grouped(parse_vkey(told.world.gate.open().vkey).fingerprint),
        "Weather <b>of</b> the city & more",
        told.world.gate.open().origin,
    ):
        assert words in page.text


def test_the_first_page_of_an_empty_notary(city: City) -> None:
    """Nothing is signed, nothing anchored, no dataset: and the page says so."""
    page = Page(city.ask("/"))
    for words in ("Nothing is signed yet.", "Nothing is anchored yet.", "no open dataset"):
        assert words in page.text


@pytest.mark.parametrize("path", ["/", RECORD])
@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("en", "Noted by the notary itself, no outside party has confirmed it."),
        ("zh", "\u7531\u516c\u8bc1\u670d\u52a1\u81ea\u5df1\u8bb0\u5f55"),
    ],
)
def test_the_file_ledger_is_never_green(told: City, path: str, lang: str, words: str) -> None:
    """What only the notary says is called that, and looks otherwise than what others confirmed."""
    page = Page(told.ask(f"{path}?lang={lang}"))
    assert words in page.text
    if path == "/":
        assert page.classes("li") == ["own"]
    else:
        assert page.classes("li") == ["own", "own", "own", "open", "own"]


def test_a_record_that_is_only_accepted_claims_no_more(city: City) -> None:
    """Each later state says "not yet", and no receipt is offered."""
    city.open_dataset()
    city.record("weather")
    page = Page(city.ask(RECORD))
    assert page.classes("li") == ["own", "open", "open", "open", "open"]
    assert not any("receipt" in address for address in page.addresses)


@pytest.mark.parametrize("path", [RECORD, "/batches/0", "/checkpoints/1"])
def test_a_required_ledger_that_has_it_not_yet_is_named(city: City, path: str) -> None:
    """What others have would look like all of it; a ledger that isn't required is left out."""
    city.open_dataset()
    city.record("weather")
    city.world.settle()
    for name, required in (("harbour", True), ("extra", False)):
        ledger = FarLedger("http://127.0.0.1:9", "", name)
        ledger.required = required
        city.world.parts.ledgers.append(ledger)
    page = Page(city.ask(path))
    assert "Anchored harbour not yet" in page.text
    assert "extra" not in page.text
    assert page.classes("li")[-2:] == ["own", "open"]


@pytest.mark.parametrize("path", ["/", "/datasets/weather", RECORD, "/problems/not-found", "/find"])
@pytest.mark.parametrize("lang", ["", "?lang=en", "?lang=zh"])
def test_every_link_leads_somewhere_and_stays_here(told: City, path: str, lang: str) -> None:
    """All addresses are our own and answer; links keep the language that was asked for."""
    page = Page(told.ask(f"{path}{lang}"))
    for address in page.addresses:
        if address.startswith("#"):
            continue
        assert re.match(r"/(?!/)", address), address
        answer = told.ask(address)
        assert answer.status_code == (404 if address.startswith("/find") else 200), address
    inner = [a for a in page.addresses if a.startswith(("/datasets", "/?")) or a == "/"]
    inner = [a for a in inner if not re.search(r"/(receipt|payload)\b", a)]
    if lang:
        assert all("lang=" in address for address in inner)
    else:
        plain = [a for a in inner if not a.startswith(f"{path}?lang=")]
        assert not any("lang=" in address for address in plain)


@pytest.mark.parametrize("path", ["/", "/datasets/weather", RECORD])
def test_nothing_that_was_handed_in_becomes_markup(told: City, path: str) -> None:
    """Labels, payloads, keys and times of senders are text."""
    page = Page(told.ask(path))
    tags = {tag for tag, _ in page.tags}
    assert not tags & {"script", "style", "b", "i", "noon", "iframe", "object"}
    assert not any(name.startswith("on") or name == "style" for _, f in page.tags for name in f)
    assert "\u202e" not in page.text


def test_pages_forbid_scripts_altogether(told: City) -> None:
    """The policy lets nothing run and nothing load but our own style and picture."""
    headers = told.ask("/").headers
    policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert "script-src" not in policy
    assert policy["style-src"] == policy["img-src"] == "'self'"
    assert headers["X-Frame-Options"] == "DENY"


def test_the_form_leads_to_the_record(told: City) -> None:
    """Dataset, source and number, with blanks around as people paste them."""
    answer = told.ask("/find?dataset=+weather&source=desk+&n=0&lang=zh")
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"{RECORD}?lang=zh"
    assert Page(told.ask(answer.headers["Location"]))


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ("dataset=weather&source=&n=", "/datasets/weather"),
        ("dataset=weather&source=desk&n=", "/datasets/weather/sources/desk"),
    ],
)
def test_who_knows_no_number_is_led_to_the_list(told: City, query: str, path: str) -> None:
    """Of a dataset's sources, or of a source's records."""
    answer = told.ask(f"/find?{query}&lang=en")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{path}?lang=en")
    assert Page(told.ask(answer.headers["Location"]))


def test_what_is_not_there_leads_to_what_is(told: City) -> None:
    """First that there is none; then how far the source goes, and which others there are."""
    page = Page(told.ask("/datasets/weather/sources/desk/records/999999"))
    assert "There is no such page or record here." in page.text
    assert "Source desk: records 0 to 0" in page.text
    assert "/datasets/weather/sources/desk" in page.addresses
    assert ("select", {"name": "source"}) in page.tags
    other = Page(told.ask("/datasets/weather/sources/Desk/records/0"))
    assert "All sources of Weather" in other.text
    assert "/datasets/weather/sources/Desk" not in other.addresses
    assert "isn't open" not in page.text
    none = Page(told.ask("/datasets/nothing/sources/desk/records/0"))
    assert none.text.index("no such page") < none.text.index("isn't open")
    assert ("option", {"value": "weather"}) in none.tags


def test_a_dataset_is_chosen_and_not_spelt(told: City) -> None:
    """From the open ones, on the first page; its sources on its own."""
    assert ("option", {"value": "weather"}) in Page(told.ask("/")).tags
    assert ("select", {"name": "source"}) in Page(told.ask("/datasets/weather")).tags


@pytest.mark.parametrize(
    "query",
    [
        "",
        "dataset=weather&n=1",
        "dataset=weather&source=desk&n=-1",
        "dataset=weather&source=desk&n=1.5",
        "dataset=weather&source=desk&n=" + "9" * 5000,
        "dataset=weather&source=desk&n=%D9%A3",
        "dataset=//evil.example&source=desk&n=0",
        "dataset=..&source=desk&n=0",
        "dataset=%00&source=desk&n=0",
        "dataset=%3Cscript%3E&source=desk&n=0",
        "dataset=weather%0d%0aSet-Cookie:x&source=desk&n=0",
    ],
)
def test_what_is_no_record_leads_nowhere(shared: City, query: str) -> None:
    """The form again with a sentence, never a redirect elsewhere, and never markup."""
    answer = shared.ask(f"/find?{query}")
    assert answer.status_code == 404
    assert "Location" not in answer.headers
    page = Page(answer)
    assert "script" not in {tag for tag, _ in page.tags}


@pytest.mark.parametrize("n", ["1", "9007199254740991"])
def test_a_record_that_is_not_there(shared: City, n: str) -> None:
    """404 in words, with the form filled in to try again."""
    answer = shared.ask(f"/datasets/weather/sources/desk/records/{n}")
    assert answer.status_code == 404
    assert 'value="weather"' in answer.get_data(as_text=True)


def test_times_are_told_once_where_the_city_is(told: City) -> None:
    """To the second and with the offset; exact in UTC for programs."""
    services = told.app.extensions["city-notary"]
    kept = services.timezone
    object.__setattr__(services, "timezone", ZoneInfo("Asia/Shanghai"))
    page = Page(told.ask(RECORD))
    object.__setattr__(services, "timezone", kept)
    assert "2031-03-05 14:07:08 (UTC+08:00)" in page.text
    told_of = [found.get("datetime") for tag, found in page.tags if tag == "time"]
    assert "2031-03-05T06:07:08.123456Z" in told_of
    assert "2031-03-05 06:07:08 (UTC)" in Page(told.ask(RECORD)).text


@pytest.mark.parametrize(
    ("header", "lang", "html"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", "", "zh-Hans"),
        ("en-GB", "", "en"),
        ("zh", "?lang=en", "en"),
        ("", "?lang=zh", "zh-Hans"),
        ("", "?lang=xx", "en"),
        ("de", "", "en"),
    ],
)
def test_the_language_follows_switch_and_browser(
    shared: City, header: str, lang: str, html: str
) -> None:
    """The switch first, then the browser, else English; and nothing is kept in a cookie."""
    answer = shared.ask(f"/{lang}", headers={"Accept-Language": header})
    assert f'<html lang="{html}">' in answer.get_data(as_text=True)
    assert "Set-Cookie" not in answer.headers
    assert answer.headers["Vary"] == "Accept-Language"


def test_a_payload_that_is_no_text_is_shown_as_bytes(city: City) -> None:
    """Bytes in hexadecimal digits, and only the beginning of them."""
    city.open_dataset()
    body = {"source": "desk", "payload_base64": "/wAB" * 100}
    assert city.post("/v1/datasets/weather/records", body, key=city.key).status_code == 202
    assert "ff 00 01" in Page(city.ask(RECORD)).text


def test_a_long_text_is_cut_between_characters(city: City) -> None:
    """A preview doesn't turn into bytes because it was cut inside a character."""
    city.open_dataset()
    city.record("weather", text="x" + "\u6c49" * 2000)
    page = Page(city.ask(RECORD))
    assert "x\u6c49\u6c49" in page.text


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("what", ["record", "version"])
def test_an_erasure_is_told(city: City, what: str, lang: str) -> None:
    """Page and certificate say when, on what ground and by which record; no content is shown."""
    city.open_dataset()
    city.record("weather", text="a name")
    city.publish("weather", b"a name,b\n1,2\n", "?name=a%20name.csv")
    city.world.settle()
    place = RecordPlace("desk", 0) if what == "record" else VersionPlace(1)
    path = RECORD if what == "record" else "/datasets/weather/versions/1"
    assert "a name" in Page(city.ask(path)).text
    erasure = city.world.erase("weather", place)
    for address in (path, f"{path}/certificate"):
        text = Page(city.ask(f"{address}?lang={lang}")).text
        assert "PIPL, article 47" in text
        assert "2031-03-05" in text
        assert f"{erasure['told_dataset']}/{erasure['told_source']}/0/0" in text
        assert "a name" not in text
    word = {
        "en": "was erased on its owner's order",
        "zh": "\u5df2\u5e94\u5176\u5f52\u5c5e\u90e8\u95e8",
    }
    assert word[lang] in Page(city.ask(f"{path}?lang={lang}")).text


@pytest.mark.parametrize("path", [RECORD, "/datasets/weather/versions/1?row=1"])
def test_content_that_is_kept_no_longer_is_told(city: City, path: str) -> None:
    """The page says that it isn't here, and the receipt is still offered."""
    city.open_dataset(keep="none")
    city.record("weather")
    city.publish("weather")
    city.world.settle()
    while list(drop_due(city.world.pool, city.world.pass_by(3_600))):
        pass
    text = Page(city.ask(path)).text
    assert "The content is not kept here." in text
    assert "eceipt" in text


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("code", ["not-found", "state-refused", "items-refused", "store-damaged"])
def test_a_problems_page_says_what_to_do(shared: City, code: str, lang: str) -> None:
    """Title, what to do, and no placeholder that found nothing."""
    page = Page(shared.ask(f"/problems/{code}?lang={lang}"))
    assert code in page.text
    assert "{" not in page.text
    assert ": -" not in page.text


def test_the_first_page_survives_a_database_without_a_log(city: City) -> None:
    """Even where nothing was begun the page tells that, and no error."""
    city.world.change("DELETE FROM log")
    assert "Nothing is signed yet." in Page(city.ask("/")).text


def test_a_browser_sees_a_fault_as_a_page(shared: City, monkeypatch: pytest.MonkeyPatch) -> None:
    """In its language, with the status of the fault."""
    monkeypatch.setattr("notary.usecases.look.totals", lambda _: 1 / 0)
    answer = shared.ask("/?lang=zh", headers={"Accept": "text/html"})
    assert answer.status_code == 500
    assert "internal-error" in Page(answer).text


@pytest.mark.parametrize(
    ("by", "words"),
    [
        ("acl", "the device of this source"),
        ("none", "not known"),
        ("key:k1", "which signed with its key k1"),
        ("bad-signature:k1", "does not hold under key k1"),
    ],
)
def test_who_handed_it_in_is_said_in_plain_words(city: City, by: str, words: str) -> None:
    """On the page and on the certificate; the word of the format stands in the statement."""
    city.open_dataset()
    city.world.accept([Reading("weather", "gateway", b"{}", "application/json", by)])
    for page in ("", "/certificate"):
        answer = city.ask(f"/datasets/weather/sources/gateway/records/0{page}")
        assert words in Page(answer).text
