# SPDX-License-Identifier: Apache-2.0
"""docs/notary-toml.md says what each key means, and its example is one."""

import re
from pathlib import Path

import pytest

from iot_ingest import brokers_table, feeds_table
from iot_ingest.feeds_file import load_feeds, parse_feeds

PAGE = Path("docs/notary-toml.md").read_text(encoding="utf-8")


def listed(heading: str) -> set[str]:
    """The keys in a section's table."""
    section = PAGE.split(f"## {heading}\n")[1].split("\n## ")[0]
    cells = re.findall(r"^\| (`[^|]+) \|", section, re.MULTILINE)
    return set(re.findall(r"`(\w+)`", " ".join(cells)))


@pytest.mark.parametrize(
    ("heading", "keys"),
    [("[[feeds]]", feeds_table.KEYS), ("[[brokers]]", brokers_table.KEYS)],
)
def test_the_page_lists_every_key(heading: str, keys: tuple[str, ...]) -> None:
    """No more and no fewer."""
    assert listed(heading) == set(keys)


def test_the_example_can_be_used(tmp_path: Path) -> None:
    """As it stands; and the defaults that the page tells are those of a feed."""
    (example,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    file = tmp_path / "notary.toml"
    file.write_text(example, encoding="utf-8")
    (feed,) = load_feeds(file).all
    assert (feed.broker, feed.sources, feed.interval_seconds) == ("plant", "open", 60)
    plain = example.split("[[feeds]]")[1]
    plain = plain.replace('broker = "plant"\n', "").replace('sources = "open"\n', "")
    (feed,) = parse_feeds("[[feeds]]" + plain, "notary.toml").all
    for key, default in re.findall(r"^\| `(\w+)` \| `?(\w+)`? \|", PAGE, re.MULTILINE):
        if hasattr(feed, key) and default not in ("needed", "the", "one", "of"):
            assert str(getattr(feed, key)).lower() == default.lower()
