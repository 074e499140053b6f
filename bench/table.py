# SPDX-License-Identifier: Apache-2.0
"""Figures with their yardsticks: the printed table and bench.json."""

import json
import time
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure and what it is held against; ratio = value / yardstick."""

    name: str
    value: float
    unit: str
    yardstick: str
    yardstick_value: float
    limit: float = 0.0
    """What the yardstick reaches on a quiet machine, where that is known."""

    @property
    def ratio(self) -> float:
        """The figure as a part of its yardstick."""
        return self.value / self.yardstick_value if self.yardstick_value else 0.0

    @property
    def is_valid(self) -> bool:
        """Whether the machine was quiet enough: the yardstick reached half of its limit."""
        return self.yardstick_value >= self.limit / 2


def sha256_rate(size_bytes: int = 65) -> float:
    """SHA-256 of that many bytes, per second."""
    data, count = b"x" * size_bytes, 500_000
    begun = time.perf_counter()
    for _ in range(count):
        sha256(data).digest()
    return count / (time.perf_counter() - begun)


def show(figures: list[Figure]) -> str:
    """The table for people."""
    lines = [f"{'':24}{'value':>14}  {'unit':22}{'ratio':>8}  yardstick"]
    for f in figures:
        lines.append(
            f"{f.name:24}{f.value:14,.0f}  {f.unit:22}{f.ratio:8.3f}  "
            f"{f.yardstick_value:,.0f} {f.yardstick}"
            + ("" if f.is_valid else f" (INVALID: below half of {f.limit:,.0f})")
        )
    return "\n".join(lines)


def write(figures: list[Figure], path: Path) -> None:
    """The same as JSON."""
    path.write_text(
        json.dumps(
            {
                f.name: {
                    "value": round(f.value, 3),
                    "unit": f.unit,
                    "yardstick": f.yardstick,
                    "yardstick_value": round(f.yardstick_value, 3),
                    "ratio": round(f.ratio, 4),
                    "valid": f.is_valid,
                }
                for f in figures
            },
            indent=1,
        )
        + "\n",
        encoding="utf-8",
    )
