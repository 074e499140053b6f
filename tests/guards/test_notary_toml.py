# SPDX-License-Identifier: Apache-2.0
"""docs/notary-toml.md lists every key with its real default, and its example can be used."""

import re
from dataclasses import MISSING, fields
from pathlib import Path

import pytest

from iot_ingest import brokers_table, feeds_table
from iot_ingest.feeds import Feed
from iot_ingest.feeds_file import load_feeds
from tests.iot_ingest.certificates import Authority

PAGE = Path("docs/notary-toml.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `([a-z_]+)` \| ([^|]+) \|", re.MULTILINE)


def rows(section: str) -> dict[str, str]:
    """The keys of a section with what holds unless they are set, in order."""
    text = PAGE.split(f"## `[[{section}]]`")[1].split("\n## ")[0]
    return {name: default.strip() for name, default in ROW.findall(text)}


@pytest.mark.parametrize(
    ("section", "keys"), [("feeds", feeds_table.KEYS), ("brokers", brokers_table.KEYS)]
)
def test_every_key_is_documented_and_no_other(section: str, keys: tuple[str, ...]) -> None:
    """In the order of the code."""
    assert list(rows(section)) == list(keys)


def test_the_documented_defaults_are_the_real_ones() -> None:
    """Those that the page writes as values are what a feed has then."""
    written = {"true": True, "false": False}
    defaults = {
        field.name: field.default for field in fields(Feed) if field.default is not MISSING
    } | {"qos": 1, "by": "acl", "keeps_names": False}
    for name, text in rows("feeds").items():
        if text.startswith("`"):
            value = text.strip("`")
            assert written.get(value, value.strip('"')) in (defaults[name], str(defaults[name]))
        elif name in defaults:
            assert (defaults[name], text) == (None, "none")


def test_the_whole_example_can_be_used(tmp_path: Path) -> None:
    """With the files that it names; it shows most keys."""
    (example,) = re.findall(r"^```toml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    authority = Authority("plant")
    certificate, key = authority.issue("notary.example")
    (secrets / "plant.url").write_text("mqtts://notary:password@plant.example:8883\n")
    (secrets / "plant-ca.pem").write_bytes(authority.file.read_bytes())
    (secrets / "notary.pem").write_bytes(certificate.read_bytes())
    (secrets / "notary.key").write_bytes(key.read_bytes())
    (tmp_path / "notary.toml").write_text(example)
    feeds = load_feeds(tmp_path / "notary.toml")
    assert [feed.name for feed in feeds.all] == ["own", "counters", "stations", "alink"]
    assert list(feeds.brokers) == ["plant"]


def test_the_own_feed_of_the_example_is_the_built_in_one(tmp_path: Path) -> None:
    """Whoever adds a feed keeps what was there."""
    (example,) = re.findall(r"^```toml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    own = "[[feeds]]\n" + next(one for one in example.split("[[feeds]]\n") if '"own"' in one)
    (tmp_path / "notary.toml").write_text(own)
    (read,), (built_in,) = load_feeds(tmp_path / "notary.toml").all, load_feeds(None).all
    for field in fields(Feed):
        if field.name != "template":
            assert getattr(read, field.name) == getattr(built_in, field.name), field.name
    assert read.template.text == built_in.template.text
