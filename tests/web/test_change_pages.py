# SPDX-License-Identifier: Apache-2.0
"""Two versions compared on a page: what changed, and what can't be compared."""

import pytest

from notary.texts import catalogue
from notary.web import change_pages
from tests.api.city import City
from tests.web.page import Page

CHANGES = "/datasets/weather/versions/1/changes"
OLD = b"id,place,t\n1,roof,7\n2,yard,8\n3,cellar,9\n"
NEW = b"id,place,t\n1,roof,7\n2,yard,8.5\n4,<b>attic</b>,3\n"


@pytest.fixture
def told(city: City) -> City:
    """Two versions: one row changed, one gone, one new."""
    city.open_dataset()
    city.publish("weather", OLD)
    city.publish("weather", NEW, "?corrects=1&reason=wrong")
    return city


@pytest.mark.parametrize(
    ("query", "counts"),
    [("to=2&key=id", (1, 1, 1, 2)), ("to=2", (2, 2, 0, 2)), ("to=1", (0, 0, 0, 4))],
)
def test_the_page_counts_what_changed(
    told: City, query: str, counts: tuple[int, int, int, int]
) -> None:
    """Added, removed, changed, the same; by a key, without one, and with itself."""
    page = Page(told.ask(f"{CHANGES}?{query}"))
    words = ("rows added", "rows removed", "rows changed", "rows the same")
    for word, count in zip(words, counts, strict=True):
        assert f"{word} {count}" in page.text


def test_a_changed_row_shows_the_cells_that_differ(told: City) -> None:
    """The column's name, what was and what is; nothing of the cells that stayed."""
    text = told.ask(f"{CHANGES}?to=2&key=id").get_data(as_text=True)
    assert "<del>8</del> <ins>8.5</ins>" in text
    assert "yard" not in text
    assert "&lt;b&gt;attic" in text
    assert "Changed: row 2, now row 2" in Page(told.ask(f"{CHANGES}?to=2&key=id")).text


@pytest.mark.parametrize("key", ["nothing", "id,nothing", "<script>", "t,t", "id,,，", "\u202e"])
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_key_that_is_none_is_answered_by_a_sentence(told: City, key: str, lang: str) -> None:
    """On the page, with the form filled in, in the reader's language."""
    answer = told.client.get(CHANGES, query_string={"to": "2", "key": key, "lang": lang})
    assert answer.status_code == 200
    page = Page(answer)
    assert "script" not in {tag for tag, _ in page.tags}
    has_key = key in ("id,,，", "t,t")
    assert (catalogue(lang)["page.rows-added"] in page.text) == has_key


def test_what_has_no_rows_is_not_compared(told: City) -> None:
    """A file without rows, or cut in another way, is told so."""
    told.publish("weather", b"%PDF-", type="application/pdf")
    page = Page(told.ask(f"{CHANGES}?to=3"))
    assert catalogue("en")["error.compare-refused.profile"] in page.text


def test_large_files_are_not_compared_for_a_page(
    told: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever asks without a key can't make the notary work for long."""
    monkeypatch.setattr(change_pages, "COMPARED_BYTES", len(OLD + NEW) - 1)
    monkeypatch.setattr(change_pages, "compare", None)
    page = Page(told.ask(f"{CHANGES}?to=2"))
    assert catalogue("en")["page.too-large-to-compare"] in page.text


def test_many_changes_are_read_page_by_page(city: City) -> None:
    """No change is left off between two pages."""
    city.open_dataset()
    city.publish("weather", b"a\n")
    city.publish("weather", b"a\n" + b"".join(b"%d\n" % n for n in range(120)))
    seen: list[str] = []
    following: str | None = f"{CHANGES}?to=2"
    while following:
        answer = city.ask(following)
        seen += [part.split("<")[0] for part in answer.get_data(as_text=True).split("<ins>")[1:]]
        more = [a for a in Page(answer).addresses if "skip=" in a and "lang=" not in a]
        following = more[-1] if len(seen) < 120 else None
    assert seen == [str(n) for n in range(120)]


def test_an_erased_file_is_not_compared(told: City) -> None:
    """Without the file of one of them there is nothing to compare: as if it weren't there."""
    told.world.change("UPDATE versions SET file_digest = NULL WHERE version = 1")
    assert told.ask(f"{CHANGES}?to=2").status_code in (404, 410)
