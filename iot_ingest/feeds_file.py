# SPDX-License-Identifier: Apache-2.0
"""
The file of feeds (TOML). All faults are told at once, as sentences.

    [[feeds]]
    name = "own"                                   # for people and quarantine
    filter = "notary/v1/+/+/up"                    # what is subscribed
    template = "notary/v1/{dataset}/{source}/up"   # where dataset and source stand
    codec = "json"                                 # json, ndjson or raw
    observed = "time"                              # the member with the sender's time
    key = "id"                                     # the member with its message id
    keeps_names = false                            # both in statements of closed datasets too
    qos = 1                                        # 0 or 1
    by = "acl"                                     # "none" where the broker lets anybody in
    type = "application/json"                      # media type of a reading, else the codec's
    acceptances = "response"                       # off, response, fixed or reply
    acceptance_topic = "…/{source}/receipt"        # for fixed
    signed_acceptances = false                     # signed ones go with it
    notices = true                                 # "sealed" and "anchored" follow
    evidence = "reading"                           # "message": the whole message is one record

`dataset = "..."` or `source = "..."` fix what the template doesn't name; where neither names
a source, the messages of a codec that finds one do. Where two filters take the same topic,
the first feed reads it.
"""

import tomllib
from pathlib import Path
from typing import Final, Literal

from iot_ingest.codecs import MAX_PAYLOAD_BYTES, Members, codecs
from iot_ingest.feeds import Feed, Feeds
from iot_ingest.topics import MalformedTopic, Template, check_filter, filter_matches
from notary.core.errors import MalformedText, NotaryError
from notary.core.words import check_id, check_type

MAX_MEMBER_CHARACTERS: Final = 128

DEFAULT = """\
[[feeds]]
name = "own"
filter = "notary/v1/+/+/up"
template = "notary/v1/{dataset}/{source}/up"
codec = "json"
observed = "time"
key = "id"
acceptances = "response"
"""
_TEXTS = (
    "name", "filter", "template", "codec", "dataset", "source", "observed", "key", "type", "by",
    "acceptances", "acceptance_topic", "evidence",
)  # fmt: skip
_REQUIRED = ("name", "filter", "template", "codec")
_FLAGS = {"keeps_names": False, "signed_acceptances": False, "notices": True}
_ANSWERS: dict[str, Literal["off", "response", "fixed", "reply"]] = {
    "off": "off", "response": "response", "fixed": "fixed", "reply": "reply",
}  # fmt: skip
_EVIDENCE: dict[str, Literal["reading", "message"]] = {"reading": "reading", "message": "message"}
_KNOWN = {*_TEXTS, *_FLAGS, "qos"}


class FeedsRefused(NotaryError):
    """The feeds' configuration can't be used."""

    code = "feeds-refused"


def load_feeds(file: Path | None, max_payload_bytes: int = MAX_PAYLOAD_BYTES) -> Feeds:
    """
    The feeds of a TOML file, or without one the notary's own topics.

    Raises:
        FeedsRefused: with one sentence for each fault.
    """
    try:
        text = DEFAULT if file is None else file.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        sentence = f"{file} can't be read: {error}"
        raise FeedsRefused(sentence, faults=[sentence]) from None
    return parse_feeds(text, str(file), max_payload_bytes)


def parse_feeds(text: str, where: str, max_payload_bytes: int = MAX_PAYLOAD_BYTES) -> Feeds:
    """
    The feeds of a configuration's text; `where` names it for people.

    Raises:
        FeedsRefused: with one sentence for each fault.
    """
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        sentence = f"{where} is not TOML: {error}"
        raise FeedsRefused(sentence, faults=[sentence]) from None
    faults = [f"{where}: {name} is not known." for name in sorted(document.keys() - {"feeds"})]
    tables = document.get("feeds")
    if not isinstance(tables, list) or not tables:
        faults.append(f"{where} has no [[feeds]].")
        tables = []
    feeds = [_Table(number, table, faults).feed(max_payload_bytes)
             for number, table in enumerate(tables, 1)]  # fmt: skip
    good = [feed for feed in feeds if feed is not None]
    for what in ("name", "filter"):
        values = [getattr(feed, what) for feed in good]
        faults += [
            f"Two feeds have the {what} {value}."
            for value in sorted({value for value in values if values.count(value) > 1})
        ]
    if faults:
        raise FeedsRefused(" ".join(faults), faults=faults)
    return Feeds(good)


class _Table:
    """One `[[feeds]]` table: each fault in it becomes a sentence."""

    def __init__(self, number: int, table: object, faults: list[str]) -> None:
        self._faults = faults
        self._before = len(faults)
        self._table: dict[str, object] = table if isinstance(table, dict) else {}
        self._what = f"Feed {number} ({self._table.get('name', 'without a name')})"
        if not isinstance(table, dict):
            self._fault("it is not a table.")

    def feed(self, max_payload_bytes: int) -> Feed | None:
        """The feed, or None where the table has a fault."""
        table = self._table
        for name in sorted(table.keys() - _KNOWN):
            self._fault(f"{name} is not known.")
        for name in _REQUIRED:
            if name not in table:
                self._fault(f"{name} is missing.")
        texts = {name: self._text(name) for name in _TEXTS}
        known = codecs()
        codec = known.get(texts["codec"] or "")
        if texts["codec"] and codec is None:
            self._fault(f"codec must be one of {', '.join(sorted(known))}.")
        if codec is not None and not codec.has_members and (texts["observed"] or texts["key"]):
            self._fault(f"the codec {texts['codec']} finds neither observed nor key.")
        flags = {name: self._flag(name, unless) for name, unless in _FLAGS.items()}
        answers, qos = texts["acceptances"] or "off", table.get("qos", 1)
        if answers not in _ANSWERS:
            self._fault(f"acceptances must be one of {', '.join(_ANSWERS)}.")
        if (answers == "fixed") != (texts["acceptance_topic"] is not None):
            self._fault('acceptance_topic belongs to acceptances = "fixed".')
        own = (texts["template"] or "").rpartition("/")[0] + "/"
        told_apart = "{source}" in (texts["acceptance_topic"] or "{source}")
        if "{source}" in (texts["template"] or "") and not told_apart:
            self._fault("acceptance_topic must name {source}, as the template does.")
        if answers == "fixed" and not (texts["acceptance_topic"] or own).startswith(own):
            self._fault(f"acceptance_topic must begin with the device's own levels, {own}")
        if (texts["evidence"] or "reading") not in _EVIDENCE:
            self._fault("evidence must be reading or message.")
        if type(qos) is not int or qos not in (0, 1):
            self._fault("qos must be 1, or 0 where readings may be lost.")
        if texts["by"] not in (None, "acl", "none"):
            self._fault("by must be acl or none.")
        template = self._topics(texts, names_source=codec is not None and codec.names_source)
        if codec is None or template is None or len(self._faults) > self._before:
            return None
        return Feed(
            name=texts["name"] or "",
            filter=texts["filter"] or "",
            template=template,
            codec=codec,
            type=texts["type"] or codec.type,
            members=Members(
                texts["observed"],
                texts["key"],
                max_payload_bytes,
                names_source=texts["source"] is None and "source" not in template.fields,
            ),
            dataset=texts["dataset"],
            source=texts["source"],
            keeps_names=flags["keeps_names"],
            signed_acceptances=flags["signed_acceptances"],
            notices=flags["notices"],
            acceptances=_ANSWERS[answers],
            evidence=_EVIDENCE[texts["evidence"] or "reading"],
            acceptance_topic=texts["acceptance_topic"],
            qos=int(str(qos)),
            by=texts["by"] or "acl",
        )

    def _topics(self, texts: dict[str, str | None], *, names_source: bool) -> Template | None:
        """Filter and template, which must be about the same topics and name all."""
        topic_filter, text = texts["filter"], texts["template"]
        template = None
        try:
            if topic_filter is not None:
                check_filter(topic_filter)
        except MalformedTopic as error:
            self._fault(error.detail)
            topic_filter = None
        try:
            template = None if text is None else Template(text)
        except MalformedTopic as error:
            self._fault(error.detail)
        if template is None:
            return None
        for name in ("dataset", "source"):
            is_told = name == "source" and names_source
            if texts[name] is None and name not in template.fields and not is_told:
                self._fault(f"neither {name} nor {{{name}}} in the template is there.")
            if texts[name] is not None and name in template.fields:
                self._fault(f"{name} is there twice: fixed, and in the template.")
        if topic_filter is not None and not filter_matches(
            topic_filter, template.sample(topic_filter)
        ):
            self._fault("the filter takes no topic of the template's form.")
        return template

    def _flag(self, name: str, unless: bool) -> bool:
        value = self._table.get(name, unless)
        if not isinstance(value, bool):
            self._fault(f"{name} must be true or false.")
        return bool(value)

    def _text(self, name: str) -> str | None:
        value = self._table.get(name)
        if name not in self._table:
            return None
        if not isinstance(value, str) or not value:
            self._fault(f"{name} must be text.")
            return None
        try:
            if name in ("name", "dataset", "source"):
                check_id(value, name)
            elif name == "type":
                check_type(value)
            elif name in ("observed", "key") and len(value) > MAX_MEMBER_CHARACTERS:
                self._fault(f"{name} is longer than {MAX_MEMBER_CHARACTERS} characters.")
        except MalformedText as error:
            self._fault(error.detail)
        return value

    def _fault(self, sentence: str) -> None:
        self._faults.append(f"{self._what}: {sentence}")
