# SPDX-License-Identifier: Apache-2.0
"""Where the bars and lines of a plot lie: numbers for a template that writes the SVG."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from notary.usecases.feed_times import Span

WIDTH: Final = 720
HEIGHT: Final = 160


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in the plot's own units, its corner at the top left."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Plot:
    """
    Bars, or lines with the ranges around them, and gaps; `low` and `high` are the values at
    the lower and the upper edge.
    """

    bars: tuple[Box, ...]
    lines: tuple[str, ...]
    gaps: tuple[Box, ...]
    low: float
    high: float


def plot_counts(spans: Sequence[Span]) -> Plot:
    """A bar for each span, as high as its records are many."""
    high = max(span.count for span in spans)
    step = WIDTH / len(spans)
    bars = []
    for i, span in enumerate(spans):
        if span.count:
            tall = HEIGHT * span.count / high
            bars.append(_box((i + 0.1) * step, HEIGHT - tall, step * 0.8, tall))
    return Plot(tuple(bars), (), _gaps(spans, [not span.count for span in spans]), 0, high)


def plot_values(spans: Sequence[Span]) -> Plot:
    """The mean of each span, joined where no span is empty between, and the range of values."""
    every = [value for span in spans for value in span.values]
    low, high = min(every), max(every)
    step = WIDTH / len(spans)

    def y(value: float) -> float:
        # Each is divided first: the largest numbers' difference is no number.
        part = 0.5 if high == low else (value / 2 - low / 2) / (high / 2 - low / 2)
        return HEIGHT * (1 - part)

    bars, lines, line = [], [], list[str]()
    for i, span in enumerate([*spans, Span(spans[-1].begin)]):
        if span.mean is not None:
            top, bottom = y(max(span.values)), y(min(span.values))
            bars.append(_box((i + 0.3) * step, top, step * 0.4, max(bottom - top, 0.5)))
            line.append(f"{(i + 0.5) * step:.2f},{y(span.mean):.2f}")
        elif line:
            lines.append(" ".join(line))
            line = []
    empty = [not span.values for span in spans]
    return Plot(tuple(bars), tuple(lines), _gaps(spans, empty), low, high)


def _gaps(spans: Sequence[Span], empty: Sequence[bool]) -> tuple[Box, ...]:
    """One rectangle for each row of empty spans."""
    step = WIDTH / len(spans)
    boxes, begin = [], None
    for i, is_empty in enumerate([*empty, False]):
        if is_empty and begin is None:
            begin = i
        elif not is_empty and begin is not None:
            boxes.append(_box(begin * step, 0, (i - begin) * step, HEIGHT))
            begin = None
    return tuple(boxes)


def _box(x: float, y: float, width: float, height: float) -> Box:
    return Box(round(x, 2), round(y, 2), round(width, 2), round(height, 2))
