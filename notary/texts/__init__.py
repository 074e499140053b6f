# SPDX-License-Identifier: Apache-2.0
"""
All texts for people, one catalogue a language. Standard library only: it also goes into
the single-file verifier.
"""

import json
import pkgutil
from collections.abc import Mapping
from functools import cache

LANGUAGES = ("en", "zh")


class _Facts(dict[str, object]):
    """Facts that a text doesn't find are shown as a dash, never as an error."""

    def __missing__(self, key: str) -> str:
        return "-"


@cache
def catalogue(language: str) -> Mapping[str, str]:
    """All texts of a language by their codes. Raises KeyError for one that isn't there."""
    if language not in LANGUAGES:
        raise KeyError(language)
    data = pkgutil.get_data("notary.texts", f"{language}.json")
    assert data is not None
    texts: dict[str, str] = json.loads(data)
    return texts


def text(language: str, code: str, /, **facts: object) -> str:
    """
    The text of a code with its facts filled in.

    Where the facts name a `reason` and `<code>.<reason>` has a text, that one is taken. A
    code without a text is shown as `facts["detail"]`, else as the code itself.
    """
    texts = catalogue(language)
    found = texts.get(f"{code}.{facts.get('reason')}", texts.get(code))
    if found is None:
        return str(facts.get("detail", code))
    return found.format_map(_Facts(facts))


def printable(said: str, also: str = "") -> str:
    """A text without what a terminal could take for a command; `also` names what may stay."""
    return "".join(char if char.isprintable() or char in also else "?" for char in said)


def choose(wanted: str | None) -> str:
    """
    The first of our languages in an Accept-Language header, `--lang` or LANG value.

    `zh-CN`, `zh_TW.UTF-8` are Chinese; whatever we don't speak is English.
    """
    best, weight = "en", 0.0
    for part in (wanted or "")[:500].split(","):
        name, _, parameters = part.strip().partition(";")
        language = name.strip().lower().replace("_", "-").split("-")[0].split(".")[0]
        try:
            q = float(parameters.strip().removeprefix("q=")) if parameters else 1.0
        except ValueError:
            q = 0.0
        if language in LANGUAGES and q > weight:
            best, weight = language, q
    return best
