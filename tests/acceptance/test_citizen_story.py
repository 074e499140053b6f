# SPDX-License-Identifier: Apache-2.0
"""
A citizen checks on /verify what they hold, in Debian's chromium.

In both languages, on a phone and at a desk; also over plain HTTP under another host name, where
browsers have no WebCrypto. Screenshots are kept under var/pages.
"""

import json
import re
import subprocess
import sys
import urllib.request
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from string import Formatter
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from notary.core import canonical
from notary.core.note import parse_vkey
from notary.local.postgres import Postgres
from notary.texts import catalogue, text
from tests.acceptance.browsing import (
    SHOTS,
    Site,
    axe_source,
    chromium,
    look,
    open_page,
    served,
    shoot,
)
from tests.acceptance.sealers import now
from tests.conftest import new_database
from tests.core.maker import trust as other_trust
from tests.usecases.world import World

pytestmark = pytest.mark.needs("chromium")
HERE, PLAIN = "127.0.0.1", "notary.test"
LOOKS = [
    ("en", "desktop", HERE),
    ("zh", "phone", PLAIN),
    pytest.param("en", "phone", HERE, marks=pytest.mark.long),
    pytest.param("zh", "desktop", PLAIN, marks=pytest.mark.long),
]
"""Each language, each size, each kind of host; the other pairs in long runs."""
TABLE = "站点,°C\n屋顶,21.5\n河边,7\n".encode()
OTHER = b"a,b\n1,2\n"
File = tuple[str, bytes]


@dataclass(frozen=True)
class Held:
    """What the citizen has on their disk."""

    receipt: bytes
    other_receipt: bytes
    row_receipt: bytes
    record_receipt: bytes
    tlog_proof: bytes
    cose: bytes
    window: bytes
    lines: bytes
    acceptance: bytes
    trust: bytes


@pytest.fixture(scope="module")
def world(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A notary whose clock is the real one, as its process's is."""
    made = World.make(tmp_path_factory.mktemp("city"), new_database(postgres))
    made.now = now()
    made.dataset("air", digest_index=True)
    made.add(made.dataset("quiet"), 3)
    yield made
    made.close()


@pytest.fixture(scope="module")
def site(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Its web process."""
    with served(world, tmp_path_factory.mktemp("web")) as site:
        yield site


@pytest.fixture(scope="module")
def held(world: World, site: Site) -> Held:
    """Two versions and some records, handed in, sealed, signed, anchored, and fetched again."""
    for table in (TABLE, OTHER):
        site.post("/v1/datasets/air/versions?name=air.csv", table, "text/csv")
    for value in range(6):
        item = json.dumps({"source": "roof", "payload_text": f"{value} °C"}).encode()
        path = "/v1/datasets/air/records"
        accepted = site.post(path, item, "application/json", Prefer="signed-acceptance")
    world.now = now()
    world.settle()
    air = f"{site.url}/v1/datasets/air"
    return Held(
        receipt=get(f"{air}/versions/1/receipt"),
        other_receipt=get(f"{air}/versions/2/receipt"),
        row_receipt=get(f"{air}/versions/1/rows/1/receipt"),
        record_receipt=get(f"{air}/sources/roof/records/3/receipt"),
        tlog_proof=get(f"{air}/sources/roof/records/3/receipt?format=tlog-proof"),
        cose=get(f"{air}/versions/1/receipt?format=cose"),
        window=get(f"{air}/sources/roof/window?by=n&from=0&to=6"),
        lines=get(f"{air}/sources/roof/window/payloads?first=0&last=5"),
        acceptance=accepted["signed"].encode(),
        trust=get(f"{site.url}/trust.json"),
    )


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all stories; to it this machine has a second name."""
    with chromium(f"--host-resolver-rules=MAP {PLAIN} 127.0.0.1") as running:
        yield running


@pytest.fixture(scope="module")
def axe() -> str:
    """axe-core."""
    return axe_source()


def get(url: str) -> bytes:
    """What anybody may fetch."""
    with urllib.request.urlopen(url, timeout=120) as answer:
        data = answer.read()
        assert answer.status == 200
        assert isinstance(data, bytes)
        return data


def at(site: Site, host: str) -> Site:
    """The same site under a name of its host."""
    return Site(site.url.replace(HERE, host), site.key)


def visit(
    browser: Browser, site: Site, lang: str, size: str, **more: Any
) -> tuple[Page, list[str]]:
    """The page in a browser of that language, and the list of what it asks for from now on."""
    page = open_page(browser, site, lang, size, **more)
    page.goto(f"{site.url}/verify")
    page.locator("#verify .drop").wait_for()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(f"{request.method} {request.url}"))
    return page, asked


def drop(page: Page, *files: File) -> None:
    """Files, as from a file manager."""
    data = page.evaluate_handle(
        """files => {
          const data = new DataTransfer();
          for (const [name, text] of files) {
            data.items.add(new File([Uint8Array.from(atob(text), (c) => c.charCodeAt(0))], name));
          }
          return data;
        }""",
        [[name, b64encode(content).decode()] for name, content in files],
    )
    page.dispatch_event("#verify .drop", "drop", {"dataTransfer": data})


def see(page: Page, lang: str, *titles: str) -> None:
    """Wait until the verdicts are exactly these, in this order; then nothing works any more."""
    wanted = [text(lang, f"verify-page.title-{title}") for title in titles]
    page.wait_for_function(
        """wanted => document.querySelector('.working')?.hidden && JSON.stringify(
          [...document.querySelectorAll('#verdict h3')].map((h) => h.textContent)) === wanted""",
        arg=json.dumps(wanted, ensure_ascii=False, separators=(",", ":")),
    )


def looks(page: Page, selector: str = ".proof li") -> list[str]:
    """The classes of the steps of the way, in order."""
    return [str(step.get_attribute("class")) for step in page.locator(selector).all()]


def press(page: Page, lang: str, code: str) -> None:
    """A button by its words."""
    page.get_by_role("button", name=text(lang, f"verify-page.{code}"), exact=True).click()


@pytest.mark.parametrize(("lang", "size", "host"), LOOKS)
def test_a_citizen_who_has_a_file_alone_finds_its_receipt(
    browser: Browser, site: Site, held: Held, lang: str, size: str, host: str
) -> None:
    """From the first page; only the digest is sent, after they agreed; then the way is shown."""
    there = at(site, host)
    page = open_page(browser, there, lang, size)
    page.goto(there.url)
    page.get_by_role("link", name=text(lang, "page.verify"), exact=True).first.click()
    page.locator("#verify .drop").wait_for()
    assert page.evaluate("isSecureContext") == (host == HERE)
    shoot(page, f"{lang}-{size}-verify-1-empty")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(f"{request.method} {request.url}"))
    drop(page, ("air.csv", TABLE))
    see(page, lang, "no-proof")
    assert text(lang, "verify-page.ask-note") in page.locator("#verdict").inner_text()
    assert asked == []
    press(page, lang, "ask")
    press(page, lang, "check-receipt")
    see(page, lang, "holds")
    assert [line.replace(there.url, "").split("/")[0:3] for line in asked] == [
        ["GET ", "v1", "digests"],
        ["GET ", "datasets", "air"],
    ]
    assert looks(page) == ["held", "held", "open", "own"]
    assert page.evaluate("document.activeElement.tagName") == "H3"
    assert text(lang, "verify-page.title-holds") in page.locator("[role=status]").first.inner_text()
    assert text(lang, "verify.no-truth") in page.locator("#verdict").inner_text()
    shoot(page, f"{lang}-{size}-verify-2-holds")
    page.context.close()


def shorter(window: bytes) -> bytes:
    """A window from which its third record was cut."""
    members = json.loads(window)
    del members["rest"][1]
    return canonical.dumps(members).encode()


def without_line(lines: bytes, number: int) -> bytes:
    """Contents of which one line was left out."""
    return b"".join(line for at, line in enumerate(lines.splitlines(True)) if at != number)


def pretty(receipt: bytes) -> bytes:
    """As an editor saves it."""
    return json.dumps(json.loads(receipt), indent=2).encode()


STRANGER = (canonical.dumps(other_trust()) + "\n").encode()
CASES: dict[str, tuple[Callable[[Held], list[File]], list[str], str]] = {
    "a receipt and its file": (
        lambda held: [("r.json", held.receipt), ("air.csv", TABLE)],
        ["holds"],
        "check.payload.held.given",
    ),
    "a file and its receipt, without names that tell": (
        lambda held: [("1", TABLE), ("2", held.receipt)],
        ["holds"],
        "check.payload.held.given",
    ),
    "a receipt alone": (
        lambda held: [("r.json", held.receipt)],
        ["holds-without"],
        "verify-page.said-holds-without",
    ),
    "a record's receipt": (
        lambda held: [("r.json", held.record_receipt)],
        ["holds"],
        "verify-page.not-others",
    ),
    "a row's receipt": (
        lambda held: [("row.json", held.row_receipt)],
        ["holds"],
        "verify-page.inside",
    ),
    "two receipts and their files": (
        lambda held: [
            ("b.csv", OTHER),
            ("r1", held.receipt),
            ("r2", held.other_receipt),
            ("a.csv", TABLE),
        ],
        ["holds", "holds"],
        "check.payload.held.given",
    ),
    "a receipt, its file and another": (
        lambda held: [("r", held.receipt), ("b.csv", OTHER), ("a.csv", TABLE)],
        ["holds", "other-content"],
        "verify-page.said-other-content",
    ),
    "a row's receipt and the whole table": (
        lambda held: [("row.json", held.row_receipt), ("air.csv", TABLE)],
        ["holds", "unmatched-row"],
        "verify-page.said-unmatched-row",
    ),
    "a changed file": (
        lambda held: [("r.json", held.receipt), ("air.csv", TABLE.replace(b"21.5", b"12.5"))],
        ["other-content"],
        "verify-page.said-other-content",
    ),
    "a file saved again with other line ends": (
        lambda held: [("r.json", held.receipt), ("air.csv", TABLE.replace(b"\n", b"\r\n"))],
        ["saved-again"],
        "resaved.lines-were-lf",
    ),
    "a file saved again in GB18030, without its last line end": (
        lambda held: [("r.json", held.receipt), ("air.csv", TABLE[:-1].decode().encode("gb18030"))],
        ["saved-again"],
        "resaved.gb18030",
    ),
    "a file saved again with a mark at its beginning": (
        lambda held: [("r.json", held.receipt), ("air.csv", b"\xef\xbb\xbf" + TABLE)],
        ["saved-again"],
        "resaved.bom-added",
    ),
    "a tampered receipt": (
        lambda held: [("r.json", held.record_receipt.replace(b"roof", b"root"))],
        ["refused"],
        "verify-page.fits",
    ),
    "a receipt for programs of others": (
        lambda held: [("r.tlog-proof", held.tlog_proof)],
        ["holds"],
        "check.payload.held.inside",
    ),
    "a receipt in CBOR and its file": (
        lambda held: [("air.csv", TABLE), ("r.cose", held.cose)],
        ["holds"],
        "check.cose.held",
    ),
    "a receipt in CBOR, tampered": (
        lambda held: [("r.cose", held.cose[:-1] + bytes([held.cose[-1] ^ 1]))],
        ["refused"],
        "verify-page.not-reached",
    ),
    "a receipt that an editor formatted": (
        lambda held: [("r.json", pretty(held.receipt))],
        ["refused"],
        "error.malformed-receipt.not-canonical",
    ),
    "a receipt with a byte that is no text": (
        lambda held: [("r.json", held.receipt[:-60] + b"\xff" + held.receipt[-60:])],
        ["unreadable"],
        "verify-page.said-unreadable",
    ),
    "a window": (
        lambda held: [("w.json", held.window)],
        ["window"],
        "check.payloads.not-checked",
    ),
    "a window and its contents": (
        lambda held: [("w.json", held.window), ("l.ndjson", held.lines)],
        ["window"],
        "check.payloads.held",
    ),
    "a window and a content that was changed": (
        lambda held: [("w.json", held.window), ("l.ndjson", held.lines.replace(b"MiDC", b"MyDC"))],
        ["other-content"],
        "verify-page.said-other-record",
    ),
    "a window and fewer contents": (
        lambda held: [
            ("w.json", held.window),
            ("l.ndjson", held.lines[: held.lines.index(b"\n") + 1]),
        ],
        ["other-content"],
        "error.payload-mismatch.too-few",
    ),
    "a window with a record cut out": (
        lambda held: [("w.json", shorter(held.window))],
        ["refused"],
        "error.malformed-window.broken-chain",
    ),
    "an acceptance": (
        lambda held: [("a.json", held.acceptance)],
        ["acceptance"],
        "check.log.not-checked.promise",
    ),
    "a trust file of another notary": (
        lambda held: [("r.json", held.receipt), ("trust.json", STRANGER), ("air.csv", TABLE)],
        ["refused"],
        "error.unknown-signer",
    ),
    "one's own trust file, the right one": (
        lambda held: [("t.json", held.trust), ("r.json", held.receipt), ("air.csv", TABLE)],
        ["holds"],
        "verify-page.by-yours",
    ),
    "a trust file that is none": (
        lambda held: [("t.json", b'{"v":"trust/1"}'), ("r.json", held.receipt)],
        ["unusable"],
        "error.malformed-trust",
    ),
    "garbage": (
        lambda held: [("x.bin", bytes(range(256)) * 9)],
        ["no-proof"],
        "verify-page.said-no-proof",
    ),
    "an empty file": (lambda held: [("x", b"")], ["no-proof"], "verify-page.said-no-proof"),
    "a receipt that was cut short": (
        lambda held: [("r.json", held.receipt[:-200]), ("air.csv", TABLE)],
        ["no-proof", "damaged"],
        "verify-page.said-damaged",
    ),
    "a receipt and an empty file": (
        lambda held: [("r.json", held.receipt), ("air.csv", b"")],
        ["other-content"],
        "verify-page.said-other-empty",
    ),
    "two receipts, a file of one and one of none": (
        lambda held: [("1", held.receipt), ("2", held.other_receipt), ("3", TABLE), ("4", b"x")],
        ["holds", "holds-without", "unmatched"],
        "verify-page.said-unmatched",
    ),
    "a window and contents of which one was left out": (
        lambda held: [("w.json", held.window), ("l.ndjson", without_line(held.lines, 2))],
        ["other-content"],
        "verify.payloads-line",
    ),
    "a trust file alone": (
        lambda held: [("trust.json", held.trust)],
        ["trust-taken"],
        "verify-page.said-trust-taken",
    ),
    "a trust file alone that is none": (
        lambda held: [("trust.json", b'{"v":"trust/1"}')],
        ["trust-bad"],
        "verify-page.said-trust-bad",
    ),
    "JSON of something else": (
        lambda held: [("x.json", b'{"v":"receipt/9"}')],
        ["no-proof"],
        "verify-page.said-no-proof",
    ),
}


def words(lang: str, code: str) -> list[str]:
    """A text's words around its facts."""
    parts = Formatter().parse(catalogue(lang)[code])
    return [literal.strip() for literal, *_ in parts if literal.strip()]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_what_is_dropped_gets_its_verdict(
    browser: Browser, site: Site, held: Held, lang: str, long: bool
) -> None:
    """
    In words, and nothing is asked of anybody for it; what is refused is nowhere green.

    Long runs leave a picture of each.
    """
    page, asked = visit(browser, at(site, PLAIN), lang, "desktop")
    # Each verdict in both languages: tests/web/test_verify_words.py.
    some = list(CASES.items())[:: 1 if long or lang == "en" else 4]
    for case, (files, titles, code) in some:
        drop(page, *files(held))
        see(page, lang, *titles)
        green = titles.count("holds") + (case == "a window and its contents")
        assert page.locator("article.held").count() == green, case
        told = page.locator("#verdict").inner_text()
        assert [part for part in words(lang, code) if part not in told] == [], case
        if long:
            name = re.sub(r"\W+", "-", case)
            page.locator("#verdict").screenshot(path=SHOTS / f"{lang}-verdict-{name}.png")
        press(page, lang, "clear")
        see(page, lang)
    assert asked == []
    page.context.close()


def test_a_file_is_added_to_a_receipt_and_taken_away_again(
    browser: Browser, site: Site, held: Held
) -> None:
    """One after the other; each time the verdict is that of what is there."""
    page, _ = visit(browser, at(site, PLAIN), "en", "phone")
    drop(page, ("r.json", held.receipt))
    see(page, "en", "holds-without")
    drop(page, ("other.csv", OTHER))
    see(page, "en", "other-content")
    assert looks(page) == ["broken", "held", "open", "own"]
    page.get_by_role("button", name="Remove other.csv").click()
    see(page, "en", "holds-without")
    page.get_by_label(text("en", "verify-page.choose")).set_input_files(
        {"name": "air.csv", "mimeType": "text/csv", "buffer": TABLE}
    )
    see(page, "en", "holds")
    press(page, "en", "clear")
    see(page, "en")
    page.context.close()


def test_a_trust_file_is_shown_with_all_whom_it_trusts(
    browser: Browser, site: Site, held: Held
) -> None:
    """The log's keys and the witnesses, each with the fingerprint that is compared elsewhere."""
    page, _ = visit(browser, at(site, PLAIN), "en", "phone")
    drop(page, ("trust.json", STRANGER))
    see(page, "en", "trust-taken")
    trust = json.loads(STRANGER)
    page.get_by_text(text("en", "verify-page.quorum", quorum=trust["quorum"])).wait_for()
    shown = page.locator(".trust").inner_text().replace(" ", "")
    for key in [log["key"] for log in trust["logs"]] + trust["witnesses"]:
        assert parse_vkey(key).fingerprint in shown
    page.context.close()


def test_the_way_shows_where_it_is_broken(browser: Browser, site: Site, held: Held) -> None:
    """What lies before it is not called proved; what comes behind it was not checked."""
    receipt = json.loads(held.record_receipt)
    path = receipt["log"]["path"]
    receipt["log"]["path"] = ["ab" * 32, *path[1:]]
    page, _ = visit(browser, at(site, PLAIN), "en", "phone")
    drop(page, ("r.json", canonical.dumps(receipt).encode()))
    see(page, "en", "refused")
    assert looks(page) == ["fits", "fits", "fits", "broken", "open", "open"]
    assert (
        page.locator(".proof li").last.inner_text().endswith(text("en", "verify-page.not-reached"))
    )
    page.context.close()


LINKS = [
    ("/datasets/air/sources/roof/records/3", "holds"),
    ("/datasets/air/sources/roof/records/3/certificate?lang=zh", "holds"),
    ("/v1/datasets/air/sources/roof/records/3?chain=0", "holds"),
    ("/datasets/air/versions/1?lang=en", "holds-without"),
    ("/datasets/air/versions/1?row=1#rows", "holds"),
    ("/v1/datasets/air/sources/roof/window?by=n&from=0&to=3", "window"),
    ("/datasets/air/versions/99", "not-there"),
    ("/datasets/nothing/versions/1", "not-there"),
    ("/docs", "nothing"),
    ("//evil.example/datasets/air/versions/1", "foreign"),
]


def test_a_pasted_link_is_followed_here_and_nowhere_else(
    browser: Browser, site: Site, held: Held
) -> None:
    """By its receipt; a browser that asked another host would fail the test."""
    there = at(site, PLAIN)
    page, asked = visit(browser, there, "en", "phone")
    names = []
    for path, title in LINKS:
        link = f"http:{path}" if path.startswith("//") else there.url + path
        page.get_by_label(text("en", "verify-page.paste")).fill(f" {link}\n")
        press(page, "en", "check")
        see(page, "en", title)
        assert len(asked) == (title not in ("nothing", "foreign")), path
        asked.clear()
        if page.locator(".tray li").count():
            names.append(page.locator(".tray li").inner_text().split()[1])
            press(page, "en", "clear")
            see(page, "en")
    receipts = ["roof-3"] * 3 + ["air-version-1", "air-version-1-row-1"]
    assert names == [*(f"receipt-{name}.json" for name in receipts), "window-roof.json"]
    page.context.close()


PASTED = [
    ("hello", "nothing"),
    ("{}", "no-proof"),
    ("0" * 63, "nothing"),
    ("0" * 64, "digest"),
    ("SHA-256 of the file: " + "AB" * 32, "digest"),
    (" ".join(["01234567"] * 8), "digest"),
    ("https://notary.test.evil.example/datasets/air/versions/1", "foreign"),
    ("javascript:alert(1)", "nothing"),
]


def test_what_else_is_pasted_is_told_apart(browser: Browser, site: Site, held: Held) -> None:
    """With the keyboard alone, and nothing is asked."""
    page, asked = visit(browser, at(site, PLAIN), "en", "desktop")
    for pasted, title in PASTED:
        page.get_by_label(text("en", "verify-page.paste")).fill("")
        page.keyboard.insert_text(pasted)
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        see(page, "en", title)
        if page.locator(".tray li").count():
            press(page, "en", "clear")
            see(page, "en")
    assert asked == []
    page.context.close()


def test_what_can_not_be_used_takes_no_verdict_away(
    browser: Browser, site: Site, held: Held
) -> None:
    """A useless link or the 101st file is told above what was found of the others."""
    page, _ = visit(browser, at(site, PLAIN), "en", "phone")
    drop(page, ("r.json", held.record_receipt), *((f"{number}", b"x") for number in range(100)))
    see(page, "en", "too-many", *["other-content"] * 10, *["unmatched"] * 89)
    page.get_by_label(text("en", "verify-page.paste")).fill("hello")
    press(page, "en", "check")
    see(page, "en", "nothing", *["other-content"] * 10, *["unmatched"] * 89)
    page.context.close()


def test_the_page_of_a_record_leads_to_its_check(browser: Browser, site: Site, held: Held) -> None:
    """By a link; and the verdict leads back to the record's page."""
    there = at(site, PLAIN)
    page = open_page(browser, there, "zh", "phone")
    page.goto(f"{there.url}/datasets/air/sources/roof/records/3?lang=en")
    page.get_by_role("link", name=text("en", "page.verify-this")).click()
    see(page, "en", "holds")
    page.locator(".about a").click()
    page.wait_for_url("**/datasets/air/sources/roof/records/3?lang=en&chain=0")
    page.goto(f"{there.url}/datasets/air/versions/1?row=1&lang=en")
    page.get_by_role("link", name=text("en", "page.verify-this")).last.click()
    see(page, "en", "holds")
    assert page.locator(".cells li").all_inner_texts() == ["屋顶", "21.5"]
    page.context.close()


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_digest_that_nobody_knows_accuses_nobody(
    browser: Browser, site: Site, held: Held, lang: str
) -> None:
    """It isn't found, and the page says what that doesn't mean."""
    page, asked = visit(browser, at(site, PLAIN), lang, "phone")
    drop(page, ("x", b"nobody has this"))
    see(page, lang, "no-proof")
    press(page, lang, "ask")
    page.get_by_text(text(lang, "verify-page.found-nothing-there")).wait_for()
    assert "quiet" in page.locator("#verdict").inner_text()
    assert len(asked) == 1
    shoot(page, f"{lang}-phone-verify-found-nothing")
    page.context.close()


def test_a_receipt_pasted_as_text_is_checked(browser: Browser, site: Site, held: Held) -> None:
    """As it stands in a mail; the content that it carries is shown, and only when it holds."""
    page, _ = visit(browser, at(site, PLAIN), "en", "phone")
    page.get_by_label(text("en", "verify-page.paste")).fill(held.record_receipt.decode() + "\n")
    press(page, "en", "check")
    see(page, "en", "holds")
    assert page.locator("#verdict pre").first.inner_text() == "3 °C"
    press(page, "en", "clear")
    page.get_by_label(text("en", "verify-page.paste")).fill(held.row_receipt.decode())
    press(page, "en", "check")
    see(page, "en", "holds")
    assert page.locator(".cells li").all_inner_texts() == ["屋顶", "21.5"]
    press(page, "en", "clear")
    drop(page, ("r.json", held.record_receipt.replace(b"roof", b"root")))
    see(page, "en", "refused")
    assert page.get_by_text(text("en", "verify-page.inside")).count() == 0
    page.context.close()


def test_a_large_file_shows_how_far_it_is_and_is_given_up_on_demand(
    browser: Browser, site: Site, held: Held, tmp_path: Path
) -> None:
    """While it is read the page answers: the button works."""
    large = tmp_path / "large.bin"
    with large.open("wb") as file:
        file.truncate(8 << 30)
    page, _ = visit(browser, at(site, PLAIN), "en", "desktop")
    page.get_by_label(text("en", "verify-page.choose")).set_input_files(large)
    page.locator("progress[value]").wait_for()
    shoot(page, "en-desktop-verify-large")
    press(page, "en", "cancel")
    see(page, "en", "stopped")
    page.context.close()


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_without_javascript_the_program_is_taken_along_and_used(
    browser: Browser, site: Site, held: Held, tmp_path: Path, lang: str
) -> None:
    """As the page says it: download two files, and run one."""
    page = open_page(browser, at(site, PLAIN), lang, "phone", java_script_enabled=False)
    page.goto(at(site, PLAIN).url + "/verify")
    for name in ("verify.pyz", "trust.json"):
        with page.expect_download() as coming:
            page.get_by_role("link", name=name, exact=True).click()
        coming.value.save_as(tmp_path / name)
    said = page.locator("noscript pre").inner_text().split()
    shoot(page, f"{lang}-phone-verify-without-script")
    (tmp_path / "RECEIPT").write_bytes(held.receipt)
    (tmp_path / "FILE").write_bytes(TABLE)
    command = [sys.executable, "-I", "-S", *said[1:]]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert text(lang, "verify.holds") in done.stdout
    page.context.close()


@pytest.mark.parametrize(("lang", "size", "host"), LOOKS)
def test_axe_finds_nothing_while_a_citizen_checks(
    browser: Browser, site: Site, held: Held, axe: str, lang: str, size: str, host: str
) -> None:
    """Before, and with a verdict of each look, light and dark; nobody scrolls sideways to read."""
    page, _ = visit(browser, at(site, host), lang, size)
    look(page, axe, f"{lang}-{size}", "verify")
    page.get_by_label(text(lang, "verify-page.paste")).fill("0" * 64)
    press(page, lang, "check")
    see(page, lang, "digest")
    tampered = held.record_receipt.replace(b"roof", b"root")
    files = [held.receipt, tampered, held.window, held.acceptance, TABLE, OTHER, held.trust]
    drop(page, *((f"{'long-name-' * 9}{number}", data) for number, data in enumerate(files)))
    see(page, lang, "holds", "refused", "window", "acceptance", "unmatched", "digest")
    look(page, axe, f"{lang}-{size}", "verify-all")
    page.context.close()
