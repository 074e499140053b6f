# SPDX-License-Identifier: Apache-2.0
"""MQTT topic filters (MQTT 5, section 4.7) and templates with named fields."""

import re

from notary.core.errors import NotaryError

MAX_TOPIC_BYTES = 65_535
_FIELD = re.compile(r"\{([a-z_]+)\}")


class MalformedTopic(NotaryError):
    """The filter, template or topic is not one."""

    code = "malformed-topic"


def check_filter(text: str) -> str:
    """A legal topic filter: `+` and `#` alone in their level, `#` last."""
    levels = text.split("/")
    if not text or "\0" in text or len(text.encode()) > MAX_TOPIC_BYTES:
        raise MalformedTopic(f"{text!r} is not a topic filter.")
    for place, level in enumerate(levels):
        if ("#" in level and (level != "#" or place != len(levels) - 1)) or (
            "+" in level and level != "+"
        ):
            raise MalformedTopic(f"In the filter {text!r}, {level!r} is not a legal level.")
    return text


def filter_matches(topic_filter: str, topic: str) -> bool:
    """Whether a filter matches a topic; `$` topics only where the filter begins so."""
    if topic.startswith("$") and not topic_filter.startswith("$"):
        return False
    wanted, given = topic_filter.split("/"), topic.split("/")
    for place, level in enumerate(wanted):
        if level == "#":
            return True
        if place >= len(given) or level not in ("+", given[place]):
            return False
    return len(wanted) == len(given)


class Template:
    """
    A topic with fields, as `notary/v1/{dataset}/{source}/up`; a field is part of a level.

    Raises:
        MalformedTopic: a field stands twice, or two touch each other.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.fields = _FIELD.findall(text)
        if len(set(self.fields)) != len(self.fields) or "}{" in text:
            raise MalformedTopic(f"In the template {text!r} a field stands twice, or two touch.")
        parts = _FIELD.split(text)
        pattern = "".join(
            re.escape(part) if place % 2 == 0 else f"(?P<{part}>[^/]+)"
            for place, part in enumerate(parts)
        )
        self._pattern = re.compile(pattern, re.DOTALL)

    def read(self, topic: str) -> dict[str, str]:
        """The fields of a topic. Raises MalformedTopic when it isn't of this form."""
        match = self._pattern.fullmatch(topic)
        if match is None:
            raise MalformedTopic(f"The topic is not of the form {self.text}.")
        return match.groupdict()
