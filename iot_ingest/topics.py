# SPDX-License-Identifier: Apache-2.0
"""MQTT topic filters (MQTT 5.0 section 4.7) and templates with named fields."""

import re
from typing import Final

from notary.core.errors import NotaryError

MAX_TOPIC_BYTES: Final = 65_535
_SHARE = "$share/"
_UNFIT = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_FIELD = re.compile(r"\{([a-z][a-z0-9_]*)\}")


class MalformedTopic(NotaryError):
    """The filter, template or topic is not one."""

    code = "malformed-topic"


def check_filter(text: str) -> str:
    """
    Demand a legal topic filter: `+` and `#` alone in their level, `#` last.

    `$share/GROUP/FILTER` is one (section 4.8.2).

    Raises:
        MalformedTopic: with the fault.
    """
    _check_text(text, "filter")
    if text.startswith(_SHARE):
        _, group, inner = [*text.split("/", 2), ""][:3]
        if not group or not inner or set("+#") & set(group):
            raise MalformedTopic(f"The filter {text!r} needs $share/GROUP/FILTER.")
    levels = _own_levels(text)
    for place, level in enumerate(levels):
        if "#" in level and (level != "#" or place != len(levels) - 1):
            raise MalformedTopic(f"In the filter {text!r}, # must be the whole of the last level.")
        if "+" in level and level != "+":
            raise MalformedTopic(f"In the filter {text!r}, + must be the whole of a level.")
    return text


def filter_matches(topic_filter: str, topic: str) -> bool:
    """
    Whether a filter takes a topic.

    A wildcard in the first level takes no topic that begins with `$` (section 4.7.2).
    """
    wanted, given = _own_levels(topic_filter), topic.split("/")
    if topic.startswith("$") and wanted[0] in ("+", "#"):
        return False
    for place, level in enumerate(wanted):
        if level == "#":
            return True
        if place >= len(given) or level not in ("+", given[place]):
            return False
    return len(wanted) == len(given)


def filter_covers(wide: str, narrow: str) -> bool:
    """Whether every topic that the second filter takes is taken by the first too."""
    wanted, given = _own_levels(wide), _own_levels(narrow)
    if given[0].startswith("$") and wanted[0] in ("+", "#"):
        return False
    for place, level in enumerate(wanted):
        if level == "#":
            return True
        if place >= len(given) or given[place] == "#" or level not in ("+", given[place]):
            return False
    return len(wanted) == len(given)


def filters_meet(one: str, other: str) -> bool:
    """Whether there is a topic that both filters take."""
    first, second = _own_levels(one), _own_levels(other)
    if first[0] != second[0] and (first[0][:1] == "$" or second[0][:1] == "$"):
        return False
    for place in range(max(len(first), len(second))):
        left, right = first[place : place + 1], second[place : place + 1]
        if left == ["#"] or right == ["#"]:
            return True
        if not left or not right:
            # `a/#` takes `a` too (section 4.7.1.2), so the longer one may still end in it.
            return False
        if left != right and left != ["+"] and right != ["+"]:
            return False
    return True


class Template:
    """
    A topic with fields, as `notary/v1/{dataset}/{source}/up`.

    A field is a level or a part of one, as in `Datastreams({source})`; it takes one or
    more characters, `/` is none of them. `+` is a level that is passed over.

    Raises:
        MalformedTopic: it isn't a topic, a field stands twice, or two in one level.
    """

    def __init__(self, text: str) -> None:
        _check_text(text, "template")
        self.text = text
        self.fields: list[str] = _FIELD.findall(text)
        if len(set(self.fields)) != len(self.fields):
            raise MalformedTopic(f"In the template {text!r} a field stands twice.")
        self._pattern = re.compile("/".join(map(self._level, text.split("/"))), re.DOTALL)

    def sample(self, topic_filter: str = "#") -> str:
        """A topic of this form; what a filter names stands in it where it fits."""
        named = dict(enumerate(_own_levels(topic_filter)))
        levels = []
        for place, level in enumerate(self.text.split("/")):
            fits = re.fullmatch(self._level(level), named.get(place, "+"))
            plain = _FIELD.sub("x", "x" if level == "+" else level)
            levels.append(
                named[place] if fits and named.get(place) not in ("+", "#", None) else plain
            )
        return "/".join(levels)

    def read(self, topic: str) -> dict[str, str]:
        """The fields of a topic. Raises MalformedTopic when it isn't of this form."""
        match = self._pattern.fullmatch(topic)
        if match is None:
            raise MalformedTopic(f"The topic is not of the form {self.text}.")
        return match.groupdict()

    def _level(self, level: str) -> str:
        if level == "+":
            return "[^/]+"
        parts = _FIELD.split(level)
        if len(parts) > 3:
            raise MalformedTopic(f"In the template {self.text!r} a level has two fields.")
        if set("+#{}") & set("".join(parts[::2])):
            raise MalformedTopic(
                f"In the template {self.text!r}, {level!r} is not a level: a field is "
                "{name} in lower case, and + stands alone."
            )
        return "".join(
            re.escape(part) if place % 2 == 0 else f"(?P<{part}>[^/]+)"
            for place, part in enumerate(parts)
        )


def _own_levels(topic_filter: str) -> list[str]:
    """The levels of a filter without `$share/GROUP/`."""
    levels = topic_filter.split("/")
    return levels[2:] if topic_filter.startswith(_SHARE) else levels


def _check_text(text: str, what: str) -> None:
    """Sections 1.5.4 and 4.7.3: Unicode scalar values, no control characters, a length."""
    if not text or _UNFIT.search(text):
        raise MalformedTopic(
            f"The {what} {text!r} is empty, or holds a control character or half of a "
            "surrogate pair."
        )
    if len(text.encode()) > MAX_TOPIC_BYTES:
        raise MalformedTopic(f"The {what} is longer than {MAX_TOPIC_BYTES} bytes.")
