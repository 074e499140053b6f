# SPDX-License-Identifier: Apache-2.0
"""A page as a reader without JavaScript has it."""

from html.parser import HTMLParser

from werkzeug.test import TestResponse

VOID = {"meta", "link", "input", "img", "br"}


class Page(HTMLParser):
    """A page's text, addresses and classes; it must be well formed."""

    def __init__(self, answer: TestResponse) -> None:
        super().__init__()
        assert answer.mimetype == "text/html"
        self.open: list[str] = []
        self.addresses: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(answer.get_data(as_text=True))
        assert self.open == []
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the tag and where it leads."""
        if tag not in VOID:
            self.open.append(tag)
        found = dict(attrs)
        self.tags.append((tag, found))
        for name in ("href", "src", "action"):
            if found.get(name):
                self.addresses.append(str(found[name]))

    def handle_endtag(self, tag: str) -> None:
        """It closes what was opened last."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Note the text."""
        self.words.append(data)

    def classes(self, tag: str) -> list[str]:
        """The classes of all tags of a name."""
        return [str(found.get("class")) for name, found in self.tags if name == tag]
