# SPDX-License-Identifier: Apache-2.0
"""In which language a sentence is answered: `?lang=`, else Accept-Language, else English."""

from flask import g, request

from notary import texts


def language() -> str:
    """The language of the current request: `en` or `zh`."""
    known: str | None = g.get("language")
    if known is None:
        asked = request.args.get("lang", "")
        known = (
            asked
            if asked in texts.LANGUAGES
            else texts.choose(request.headers.get("Accept-Language"))
        )
        g.language = known
    return known


def say(code: str, /, **facts: object) -> str:
    """A text of the catalogue in the language of the current request."""
    return texts.text(language(), code, **facts)


def has_text(code: str) -> bool:
    """Whether the catalogues have a text of that code."""
    return code in texts.catalogue("en")
