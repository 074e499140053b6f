# SPDX-License-Identifier: Apache-2.0
"""
Feeds: which topics mean which dataset and source, and how their messages are read.

    [[feeds]]
    name = "own"                                   # for people and quarantine
    filter = "notary/v1/+/+/up"                    # what is subscribed
    template = "notary/v1/{dataset}/{source}/up"   # where dataset and source stand
    codec = "json"                                 # json, ndjson or raw
    observed = "time"                              # the member with the sender's time
    key = "id"                                     # the member with its message id
    keeps_names = false                            # both in statements of closed datasets too

`dataset = "..."` or `source = "..."` fix what the template doesn't name.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from iot_ingest.codecs import Codec, Decoded, Fault, Members, codecs
from iot_ingest.topics import MalformedTopic, Template, check_filter, filter_matches
from notary.core.errors import MalformedText, NotaryError
from notary.core.words import check_id
from notary.usecases.reading import Pack, Reading

DEFAULT = """\
[[feeds]]
name = "own"
filter = "notary/v1/+/+/up"
template = "notary/v1/{dataset}/{source}/up"
codec = "json"
observed = "time"
key = "id"
"""
_NAMES = {"name", "filter", "template", "codec", "observed", "key", "dataset", "source"}
_ALL = _NAMES | {"keeps_names"}


class FeedsRefused(NotaryError):
    """The feeds' configuration can't be used."""

    code = "feeds-refused"


@dataclass(frozen=True, slots=True)
class Feed:
    """One configured way in."""

    name: str
    filter: str
    template: Template
    codec: Codec
    type: str
    members: Members
    dataset: str | None
    source: str | None
    keeps_names: bool

    def read(self, topic: str, payload: bytes) -> tuple[list[Reading], list[Fault], str | None]:
        """The readings of a message, what could not be read, and the dataset if known."""
        try:
            fields = self.template.read(topic)
            dataset = check_id(self.dataset or fields["dataset"], "dataset")
            source = check_id(self.source or fields["source"], "source")
        except (MalformedTopic, MalformedText) as error:
            return [], [Fault(payload, "bad-topic", error.detail)], None
        found = self.codec(payload, self.members)
        good = [item for item in found if isinstance(item, Decoded)]
        pack = Pack(payload) if len(found) > 1 else None
        readings = [
            Reading(
                dataset=dataset,
                source=source,
                payload=item.payload,
                type=self.type,
                by="acl",
                observed=item.observed,
                key=item.key,
                pack=pack,
                keeps_names=self.keeps_names,
            )
            for item in good
        ]
        return readings, [item for item in found if isinstance(item, Fault)], dataset


class Feeds:
    """All feeds of a configuration, the first that matches a topic reads it."""

    def __init__(self, feeds: list[Feed]) -> None:
        self.all = feeds

    def find(self, topic: str) -> Feed | None:
        """The first feed whose filter matches, or None."""
        return next((feed for feed in self.all if filter_matches(feed.filter, topic)), None)


def load_feeds(file: Path | None) -> Feeds:
    """
    The feeds of a TOML file, or without one the notary's own topics.

    Raises:
        FeedsRefused: with one sentence for each fault.
    """
    try:
        text = DEFAULT if file is None else file.read_text(encoding="utf-8")
        tables = tomllib.loads(text).get("feeds")
    except (OSError, ValueError) as error:
        raise FeedsRefused(f"{file} can't be read: {error}") from None
    if not isinstance(tables, list) or not tables:
        raise FeedsRefused(f"{file} has no [[feeds]].")
    faults: list[str] = []
    feeds = [_feed(number, table, faults) for number, table in enumerate(tables, 1)]
    names = [feed.name for feed in feeds if feed is not None]
    if len(set(names)) != len(names):
        faults.append("Two feeds have the same name.")
    if faults:
        raise FeedsRefused(" ".join(faults), faults=faults)
    return Feeds([feed for feed in feeds if feed is not None])


def _feed(number: int, table: object, faults: list[str]) -> Feed | None:
    if not isinstance(table, dict):
        faults.append(f"Feed {number} is not a table.")
        return None
    what = f"Feed {number} ({table.get('name', 'without a name')})"
    before = len(faults)
    faults += [f"{what}: {name} is not known." for name in sorted(table.keys() - _ALL)]
    for name in ("name", "filter", "template", "codec"):
        if name not in table:
            faults.append(f"{what}: {name} is missing.")
    for name in sorted(_NAMES & table.keys()):
        if not isinstance(table[name], str) or not table[name]:
            faults.append(f"{what}: {name} must be text.")
    if not isinstance(table.get("keeps_names", False), bool):
        faults.append(f"{what}: keeps_names must be true or false.")
    known = codecs()
    if isinstance(table.get("codec"), str) and table["codec"] not in known:
        faults.append(f"{what}: codec must be one of {', '.join(sorted(known))}.")
    if len(faults) > before:
        return None
    try:
        template = Template(table["template"])
        check_filter(table["filter"])
        for name in ("dataset", "source"):
            if name in table:
                check_id(table[name], name)
            elif name not in template.fields:
                faults.append(f"{what}: neither {name} nor {{{name}}} in the template is there.")
    except (MalformedTopic, MalformedText) as error:
        faults.append(f"{what}: {error.detail}")
        return None
    codec, media_type = known[table["codec"]]
    return Feed(
        name=table["name"],
        filter=table["filter"],
        template=template,
        codec=codec,
        type=media_type,
        members=Members(table.get("observed"), table.get("key")),
        dataset=table.get("dataset"),
        source=table.get("source"),
        keeps_names=table.get("keeps_names", False),
    )
