# SPDX-License-Identifier: Apache-2.0
"""What is to be simulated, checked: every wrong option is told at once."""

import math
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Final, Literal, get_args

from iot_simulator.formats import Format, formats
from iot_simulator.order import Chances
from iot_simulator.readings import Clock, Station
from notary.core.errors import MalformedText
from notary.core.words import check_id

Acceptances = Literal["response", "fixed", "reply", "off"]
TOPIC: Final = "notary/v1/{dataset}/{source}/{way}"
"""`{way}` is `up` for JSON, as the notary has it without a configuration, else the format."""
FIELDS: Final = frozenset({"dataset", "source", "format", "way"})
MAX_GATEWAYS: Final = 1_000
MAX_RATE: Final = 10_000
MAX_PACK: Final = 1_000
MAX_WINDOW: Final = 20_000
MAX_SECONDS: Final = 31_536_000
MAX_COUNT: Final = 1_000_000_000
MAX_SEED: Final = 2**32
_FIELD = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class Plan:
    """
    All options. Rate (readings a second), count and window (unanswered messages) are each
    gateway's; skew, again, seconds and patience are seconds.
    """

    dataset: str
    seed: int
    formats: tuple[str, ...] = ("json",)
    gateways: int = 1
    rate: float = 1.0
    count: int | None = None
    seconds: float | None = None
    pack: int = 1
    chances: Chances = field(default_factory=Chances)
    skew: float = 0.0
    topic: str = TOPIC
    acceptances: Acceptances = "response"
    answers: str | None = None
    window: int = 500
    again: float = 10.0
    patience: float = 300.0

    def __post_init__(self) -> None:
        faults = self._faults()
        if faults:
            raise MalformedText(" ".join(faults), faults=faults)

    def station(self, number: int) -> Station:
        """What the gateway of this number stands for."""
        return Station(f"sim-{self.seed}-{number}", self.seed)

    def format_name(self, number: int) -> str:
        """The format that a gateway speaks: they take turns."""
        return self.formats[number % len(self.formats)]

    def clock(self, number: int, begin: datetime) -> Clock:
        """A gateway's clock, wrong by at most `skew`."""
        wrong = Random(f"{self.seed}/{number}/skew").uniform(-self.skew, self.skew)
        return Clock(begin, self.rate, timedelta(milliseconds=round(wrong * 1000)))

    def pack_of(self, format_: Format) -> int:
        """How many readings a message of a format holds."""
        return self.pack if format_.packs else 1

    def topic_of(self, number: int) -> str:
        """Where a gateway sends its readings."""
        return self.fill(self.topic, self.format_name(number), self.station(number).name)

    def answers_of(self, number: int) -> str | None:
        """Where a gateway hears of them."""
        topic, source = self.topic_of(number), self.station(number).name
        if self.acceptances == "off":
            return None
        if self.acceptances == "reply":
            return topic + "_reply"
        return self.fill(self.answers or self.own_answers(), self.format_name(number), source)

    def own_answers(self) -> str:
        """A template inside the device's own subtree (docs/for-gateways/acceptances.md)."""
        before, _, last = self.topic.rpartition("/")
        if "{source}" in before and "{source}" not in last:
            return f"{before}/down"
        shared = "{source}" not in self.topic and self.acceptances == "response"
        return f"{self.topic}/{{source}}" if shared else f"{self.topic}/down"

    def fill(self, template: str, name: str, source: str) -> str:
        """A template with its fields."""
        way = "up" if name == "json" else name
        fields = {"dataset": self.dataset, "source": source, "format": name, "way": way}
        return _FIELD.sub(lambda match: fields[match[1]], template)

    def repeatable(self) -> dict[str, object]:
        """What must stay as it is for a list to be gone on with: it decides what is sent."""
        chances = self.chances
        return {
            "dataset": self.dataset,
            "seed": self.seed,
            "formats": list(self.formats),
            "gateways": self.gateways,
            "rate": self.rate,
            "pack": self.pack,
            "duplicates": chances.duplicates,
            "reorder": chances.reorder,
            "late": chances.late,
            "bad": chances.bad,
            "skew": self.skew,
            "topic": self.topic,
        }

    def _faults(self) -> list[str]:
        found = []
        try:
            check_id(self.dataset, "dataset")
        except MalformedText as error:
            found.append(error.detail)
        known = formats()
        unknown = [name for name in self.formats if name not in known]
        found += [f"There is no format {name}; there are {', '.join(known)}." for name in unknown]
        chosen = [known[name] for name in self.formats if name in known]
        if len(set(self.formats)) != len(self.formats):
            found.append("A format is named twice.")
        if self.gateways < len(self.formats):
            found.append(f"{len(self.formats)} formats need as many --gateways.")
        if (self.count is None) == (self.seconds is None):
            found.append("Say --count or --seconds, and not both.")
        found += self._bounds()
        if self.pack > 1 and chosen and not any(one.packs for one in chosen):
            found.append(f"No message of {', '.join(self.formats)} holds a --pack.")
        if self.chances.bad and chosen and not any(one.can_be_bad for one in chosen):
            found.append(f"--bad: any bytes are a good message of {', '.join(self.formats)}.")
        if self.acceptances not in get_args(Acceptances):
            found.append(f"--acceptances must be one of {', '.join(get_args(Acceptances))}.")
        if self.answers is not None and self.acceptances not in ("response", "fixed"):
            found.append("--answers belongs to --acceptances response or fixed.")
        if self.acceptances == "reply" and "{source}" in self.topic.rpartition("/")[2]:
            found.append("--acceptances reply: the last level of --topic must not hold {source}.")
        for option, template in (("--topic", self.topic), ("--answers", self.answers)):
            found += [] if template is None else _template_faults(option, template)
        needs_source = [name for name in self.formats if name in known
                        and not known[name].names_source]  # fmt: skip
        if "{source}" not in self.topic and needs_source:
            found.append(f"--topic must hold {{source}}: {needs_source[0]} doesn't name it.")
        return found

    def _bounds(self) -> list[str]:
        low = 1 / 86_400
        bounds: list[tuple[str, float | None, float, float]] = [
            ("--gateways", self.gateways, 1, MAX_GATEWAYS),
            ("--rate", self.rate, low, MAX_RATE),
            ("--count", self.count, 1, MAX_COUNT),
            ("--seconds", self.seconds, 0.1, MAX_SECONDS),
            ("--pack", self.pack, 1, MAX_PACK),
            ("--seed", self.seed, 0, MAX_SEED),
            ("--duplicates", self.chances.duplicates, 0, 1),
            ("--reorder", self.chances.reorder, 0, 1),
            ("--late", self.chances.late, 0, 1),
            ("--bad", self.chances.bad, 0, 1),
            ("--skew", self.skew, 0, MAX_SECONDS),
            ("--window", self.window, 1, MAX_WINDOW),
            ("--again", self.again, 0.1, MAX_SECONDS),
            ("--patience", self.patience, 1, MAX_SECONDS),
        ]
        return [
            f"{name} must lie between {low:.6g} and {high:.10g}."
            for name, value, low, high in bounds
            if value is not None and not (math.isfinite(value) and low <= value <= high)
        ]


def _template_faults(option: str, template: str) -> list[str]:
    fields = set(_FIELD.findall(template))
    rest = _FIELD.sub("", template)
    if fields - FIELDS or "{" in rest or "}" in rest:
        return [f"{option}: the fields are {{dataset}}, {{source}} and {{format}}."]
    if not template or len(template) > 500 or re.search("[+#\x00-\x1f\x7f]", rest):
        return [f"{option} must be a topic of at most 500 characters, without + and #."]
    return []
