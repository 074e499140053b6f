# SPDX-License-Identifier: Apache-2.0
"""Plots of a source: bars, lines, gaps, and the same as a table."""

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notary.usecases.feed_times import Span
from notary.web.plots import HEIGHT, WIDTH, Plot, plot_counts, plot_values
from tests.api.city import City
from tests.web.page import Page

BEGIN = datetime(2031, 3, 5, tzinfo=UTC)
SOURCE = "/datasets/weather/sources/desk"
FLOATS = st.floats(allow_nan=False, allow_infinity=False)


def spans(*values: list[float]) -> list[Span]:
    """Spans with these values."""
    return [Span(BEGIN, len(some), list(some)) for some in values]


def inside(plot: Plot) -> None:
    """Everything lies inside the picture."""
    for box in (*plot.bars, *plot.gaps):
        assert -0.01 <= box.x <= box.x + box.width <= WIDTH + 0.02
        assert -0.01 <= box.y <= box.y + box.height <= HEIGHT + 0.52
    for line in plot.lines:
        assert re.fullmatch(r"(-?[0-9.]+,-?[0-9.]+ ?)+", line)


@given(st.lists(st.lists(FLOATS, max_size=4), min_size=1, max_size=72).filter(any))
def test_nothing_leaves_the_picture(values: list[list[float]]) -> None:
    """Whatever finite numbers come, the largest ones too."""
    inside(plot_counts(spans(*values)))
    inside(plot_values(spans(*values)))


def test_gaps_are_marked_and_break_the_line() -> None:
    """One band for each run of empty spans; the line never crosses it."""
    plot = plot_values(spans([1], [2], [], [], [3], []))
    assert [(gap.x, gap.width) for gap in plot.gaps] == [(240, 240), (600, 120)]
    assert len(plot.lines) == 2


def test_the_highest_bar_is_as_high_as_the_picture() -> None:
    """And half as many records are half as high."""
    plot = plot_counts(spans([1, 1, 1, 1], [1, 1]))
    assert [bar.height for bar in plot.bars] == [HEIGHT, HEIGHT / 2]


def test_a_source_of_numbers_has_both_plots_and_a_table(city: City) -> None:
    """Without JavaScript; the values stand in the table too."""
    city.open_dataset()
    for minute, value in enumerate(("1.5", "2.5", "x", "8")):
        at = f"2031-01-01T00:{minute * 2:02d}:00Z"
        city.record("weather", text=value, observed=at, key=str(minute * 2))
    answer = city.ask(SOURCE)
    page = Page(answer)
    text = answer.get_data(as_text=True)
    assert text.count("<svg") == 2
    assert 'class="gap"' in text
    assert "<details>" in text
    for words in ("Records per minute.", "By the sender's times", "1.5", "none", "8"):
        assert words in page.text
    assert "1 missing, 1 to 1: between record 0 and record 1" in page.text
    assert not any(name == "style" for _, found in page.tags for name in found)


def test_a_dataset_shows_how_many_records_were_sealed_when(city: City) -> None:
    """All its sources together; rows of versions are none, and nothing sealed is no plot."""
    city.open_dataset()
    city.record("weather")
    assert "<svg" not in city.ask("/datasets/weather").get_data(as_text=True)
    city.world.settle()
    city.world.pass_by(180)
    city.record("weather", source="roof")
    city.record("weather", source="yard")
    city.publish("weather", b"a\n" + b"1\n" * 500)
    city.world.settle()
    answer = city.ask("/datasets/weather")
    text = Page(answer).text
    assert "The newest 3 records, in batches 0 to" in text
    assert answer.get_data(as_text=True).count('class="bar"') == 2
    assert answer.get_data(as_text=True).count('class="gap"') == 1
    assert re.search(r"none .* none .* 2 ", text)


@pytest.mark.parametrize("payload", ["<svg onload=x>", "NaN", "1e999", '"</svg><script>"'])
def test_what_is_no_number_draws_nothing(city: City, payload: str) -> None:
    """Only the counts are drawn, and nothing becomes markup."""
    city.open_dataset()
    city.record("weather", text=payload, observed="<i>noon</i>", key="<b>1</b>")
    answer = city.ask(SOURCE)
    assert answer.get_data(as_text=True).count("<svg") == 1
    assert not {"script", "b", "i"} & {tag for tag, _ in Page(answer).tags}
