# SPDX-License-Identifier: Apache-2.0
"""
One `[[feeds]]` table. docs/notary-toml.md says what each key means; a test holds that page
against KEYS.
"""

from collections.abc import Collection
from typing import Final, Literal

from iot_ingest.brokers import DEFAULT_BROKER
from iot_ingest.codecs import Codec, Members, codecs
from iot_ingest.feeds import MAX_SOURCES, Feed
from iot_ingest.toml_table import TomlTable, name_of
from iot_ingest.topics import MalformedTopic, Template, check_filter, filter_matches
from notary.core.errors import MalformedText
from notary.core.words import check_id, check_type

MAX_MEMBER_CHARACTERS: Final = 128
MOST_SOURCES: Final = 10_000_000
MAX_INTERVAL_SECONDS: Final = 366 * 86_400

_REQUIRED: Final = ("name", "filter", "template", "codec")
_BY: Final[tuple[Literal["acl", "none"], ...]] = ("acl", "none")
_EVIDENCE: Final[tuple[Literal["reading", "message"], ...]] = ("reading", "message")
_SIGNATURE: Final[tuple[Literal["ignore", "record", "require"], ...]] = (
    "ignore", "record", "require",
)  # fmt: skip
_SOURCES: Final[tuple[Literal["open", "registered"], ...]] = ("registered", "open")
_ACCEPTANCES: Final[tuple[Literal["off", "response", "fixed", "reply"], ...]] = (
    "off", "response", "fixed", "reply",
)  # fmt: skip
_SIGNED_BY: Final[tuple[Literal["jws", "hmac", "cose"], ...]] = ("jws", "hmac", "cose")

KEYS: Final = (
    *_REQUIRED,
    "broker", "dataset", "source", "qos", "type", "observed", "key", "keeps_names", "evidence",
    "by", "sources", "max_sources", "signature", "signed_by", "acceptances", "acceptance_topic",
    "signed_acceptances", "notices", "interval_seconds",
)  # fmt: skip


def read_feed(
    number: int,
    table: object,
    max_payload_bytes: int,
    brokers: Collection[str],
    faults: list[str],
) -> Feed | None:
    """
    The feed of a table, the `number`-th of its file; None where it has a fault.

    `brokers` are the names that it may say.
    """
    return _FeedTable(number, table, faults).feed(max_payload_bytes, brokers)


def _check_id(value: str, name: str) -> None:
    check_id(value, name)


def _check_type(value: str, name: str) -> None:
    check_type(value)


def _check_member(value: str, name: str) -> None:
    if len(value) > MAX_MEMBER_CHARACTERS:
        raise MalformedText(f"{name} is longer than {MAX_MEMBER_CHARACTERS} characters.")


class _FeedTable(TomlTable):
    def __init__(self, number: int, table: object, faults: list[str]) -> None:
        super().__init__(f"Feed {number} ({name_of(table)})", table, KEYS, faults)

    def feed(self, max_payload_bytes: int, brokers: Collection[str]) -> Feed | None:
        """The feed, or None where the table has a fault."""
        self.require(*_REQUIRED)
        name = self.text("name", _check_id)
        dataset, source = self.text("dataset", _check_id), self.text("source", _check_id)
        observed, key = self.text("observed", _check_member), self.text("key", _check_member)
        codec = self._codec(has_members=bool(observed or key))
        type_ = self.text("type", _check_type)
        broker = self.text("broker") or DEFAULT_BROKER
        if broker not in brokers:
            self.fault(f"there is no broker {broker}; there are {', '.join(sorted(brokers))}.")
        qos = self._table.get("qos", 1)
        if type(qos) is not int or qos not in (0, 1):
            self.fault("qos must be 1, or 0 where readings may be lost.")
        by = self.word("by", _BY, "acl")
        evidence = self.word("evidence", _EVIDENCE, "reading")
        keeps_names = self.flag("keeps_names", False)
        signature, signed_by = self._signature()
        sources = self.word("sources", _SOURCES, "registered")
        max_sources = self.number("max_sources", 1, MOST_SOURCES)
        if max_sources is not None and sources != "open":
            self.fault('max_sources belongs to sources = "open".')
        acceptances, acceptance_topic = self._acceptances()
        signed_acceptances = self.flag("signed_acceptances", False)
        if signed_acceptances and acceptances == "off":
            self.fault("signed_acceptances needs acceptances: they go with them.")
        notices = self.flag("notices", True)
        interval = self.number("interval_seconds", 1, MAX_INTERVAL_SECONDS)
        topic_filter, template = self._topics(
            dataset, source, names_source=codec is not None and codec.names_source
        )
        if name is None or topic_filter is None or template is None or codec is None:
            return None
        if not self.is_good:
            return None
        return Feed(
            name=name,
            filter=topic_filter,
            template=template,
            codec=codec,
            type=type_ or codec.type,
            members=Members(
                observed,
                key,
                max_payload_bytes,
                names_source=source is None and "source" not in template.fields,
            ),
            dataset=dataset,
            source=source,
            keeps_names=keeps_names,
            qos=1 if qos else 0,
            by=by,
            evidence=evidence,
            signature=signature,
            signed_by=signed_by,
            sources=sources,
            max_sources=max_sources or MAX_SOURCES,
            acceptances=acceptances,
            acceptance_topic=acceptance_topic,
            signed_acceptances=signed_acceptances,
            notices=notices,
            interval_seconds=interval,
            broker=broker,
        )

    def _codec(self, *, has_members: bool) -> Codec | None:
        name, known = self.text("codec"), codecs()
        codec = known.get(name or "")
        if name and codec is None:
            self.fault(f"codec must be one of {', '.join(sorted(known))}.")
        if codec is not None and not codec.has_members and has_members:
            self.fault(f"the codec {name} finds neither observed nor key.")
        return codec

    def _signature(
        self,
    ) -> tuple[Literal["ignore", "record", "require"], Literal["jws", "hmac", "cose"] | None]:
        signature = self.word("signature", _SIGNATURE, "ignore")
        signed_by = self.word("signed_by", _SIGNED_BY, "jws") if self.has("signed_by") else None
        if signature != "ignore" and signed_by is None:
            self.fault(
                f'signature = "{signature}" needs signed_by, one of {", ".join(_SIGNED_BY)}.'
            )
        # What is inside a COSE message is read whether or not its signature is looked at.
        if signature == "ignore" and signed_by not in (None, "cose"):
            self.fault('signed_by belongs to signature = "record" or "require".')
        return signature, signed_by

    def _acceptances(self) -> tuple[Literal["off", "response", "fixed", "reply"], str | None]:
        acceptances = self.word("acceptances", _ACCEPTANCES, "off")
        topic, template = self.text("acceptance_topic"), self._table.get("template")
        if (acceptances == "fixed") != (topic is not None):
            self.fault('acceptance_topic belongs to acceptances = "fixed".')
        elif topic is not None and isinstance(template, str):
            own = template.rpartition("/")[0] + "/"
            if "{source}" in template and "{source}" not in topic:
                self.fault("acceptance_topic must name {source}, as the template does.")
            if not topic.startswith(own):
                self.fault(f"acceptance_topic must begin with the device's own levels, {own}")
        return acceptances, topic

    def _topics(
        self, dataset: str | None, source: str | None, *, names_source: bool
    ) -> tuple[str | None, Template | None]:
        """Filter and template, which must be about the same topics and name all."""
        topic_filter, text = self.text("filter"), self.text("template")
        template = None
        try:
            if topic_filter is not None:
                check_filter(topic_filter)
        except MalformedTopic as error:
            self.fault(error.detail)
            topic_filter = None
        try:
            template = None if text is None else Template(text)
        except MalformedTopic as error:
            self.fault(error.detail)
        if template is None:
            return topic_filter, None
        for name, fixed, is_told in (("dataset", dataset, False), ("source", source, names_source)):
            if fixed is None and name not in template.fields and not is_told:
                self.fault(f"neither {name} nor {{{name}}} in the template is there.")
            if fixed is not None and name in template.fields:
                self.fault(f"{name} is there twice: fixed, and in the template.")
        if topic_filter is not None and not filter_matches(
            topic_filter, template.sample(topic_filter)
        ):
            self.fault("the filter takes no topic of the template's form.")
        return topic_filter, template
