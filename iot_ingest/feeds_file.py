# SPDX-License-Identifier: Apache-2.0
"""
The file of feeds and brokers (TOML). All faults are told at once, as sentences.

    [[brokers]]                                    # without one: NOTARY_MQTT_URL is `default`
    name = "plant"
    url_file = "secrets/plant.url"                 # mqtts://user:password@host:port

    [[feeds]]
    name = "own"                                   # for people and quarantine
    filter = "notary/v1/+/+/up"                    # what is subscribed
    template = "notary/v1/{dataset}/{source}/up"   # where dataset and source stand
    codec = "json"

docs/notary-toml.md has every key. [[ledgers]] are read by notary/ledgers/registry.py.
"""

import tomllib
from pathlib import Path
from typing import Final

from iot_ingest.brokers import DEFAULT_BROKER, Broker
from iot_ingest.brokers_table import read_broker
from iot_ingest.codecs import MAX_PAYLOAD_BYTES
from iot_ingest.feeds import Feed, Feeds
from iot_ingest.feeds_table import read_feed
from iot_ingest.toml_table import name_of
from notary.core.errors import NotaryError

MAX_FEEDS: Final = 1_000

DEFAULT = """\
[[feeds]]
name = "own"
filter = "notary/v1/+/+/up"
template = "notary/v1/{dataset}/{source}/up"
codec = "json"
observed = "time"
key = "id"
sources = "open"
signature = "record"
signed_by = "jws"
acceptances = "response"
"""


class FeedsRefused(NotaryError):
    """The feeds' configuration can't be used."""

    code = "feeds-refused"


def load_feeds(file: Path | None, max_payload_bytes: int = MAX_PAYLOAD_BYTES) -> Feeds:
    """
    The feeds of a TOML file, or without one the notary's own topics.

    Files that it names are looked for from its folder on.

    Raises:
        FeedsRefused: with one sentence for each fault.
    """
    if file is None:
        return parse_feeds(DEFAULT, "The built-in configuration", max_payload_bytes)
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        sentence = f"{file} can't be read: {error}"
        raise FeedsRefused(sentence, faults=[sentence]) from None
    return parse_feeds(text, str(file), max_payload_bytes, file.parent)


def parse_feeds(
    text: str,
    where: str,
    max_payload_bytes: int = MAX_PAYLOAD_BYTES,
    folder: Path | None = None,
) -> Feeds:
    """
    The feeds of a configuration's text; `where` names it for people, `folder` is that of the
    files that it names.

    Raises:
        FeedsRefused: with one sentence for each fault.
    """
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        sentence = f"{where} is not TOML: {error}"
        raise FeedsRefused(sentence, faults=[sentence]) from None
    known = {"feeds", "brokers", "ledgers"}
    faults = [f"{where}: {name} is not known." for name in sorted(document.keys() - known)]
    brokers = _brokers(document.get("brokers", []), where, folder or Path(), faults)
    # A broker with a fault of its own is there all the same: one sentence for one fault.
    names = {DEFAULT_BROKER, *(name_of(table) for table in _tables(document.get("brokers")))}
    tables = _tables(document.get("feeds"))
    if "ledgers" in document and "feeds" not in document:
        tables = tomllib.loads(DEFAULT)["feeds"]
    if not tables:
        faults.append(f"{where} has no [[feeds]].")
    if len(tables) > MAX_FEEDS:
        faults.append(f"{where} has more than {MAX_FEEDS} feeds.")
        tables = []
    feeds = [read_feed(number, table, max_payload_bytes, names, faults)
             for number, table in enumerate(tables, 1)]  # fmt: skip
    good = [feed for feed in feeds if feed is not None]
    faults += _twice(good)
    if faults:
        raise FeedsRefused(" ".join(faults), faults=faults)
    return Feeds(good, brokers)


def _tables(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _brokers(value: object, where: str, folder: Path, faults: list[str]) -> dict[str, Broker]:
    if not isinstance(value, list):
        faults.append(f"{where}: brokers must be tables, [[brokers]].")
    read = [
        read_broker(number, table, folder, faults) for number, table in enumerate(_tables(value), 1)
    ]
    good = [broker for broker in read if broker is not None]
    names = [broker.name for broker in good]
    for name in sorted({name for name in names if names.count(name) > 1}):
        faults.append(f"Two brokers have the name {name}.")
    return {broker.name: broker for broker in good}


def _twice(feeds: list[Feed]) -> list[str]:
    """Names and filters that stand twice; a filter may, at another broker."""
    names = [feed.name for feed in feeds]
    filters = [(feed.broker, feed.filter) for feed in feeds]
    return [
        *(f"Two feeds have the name {one}." for one in sorted(set(names)) if names.count(one) > 1),
        *(
            f"Two feeds have the filter {one[1]}."
            for one in sorted(set(filters))
            if filters.count(one) > 1
        ),
    ]
