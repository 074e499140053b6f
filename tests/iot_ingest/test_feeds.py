# SPDX-License-Identifier: Apache-2.0
"""The file of feeds, and the way from a topic to a reading."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iot_ingest.feeds import MAX_ROUTES, NoRoute, Route
from iot_ingest.feeds_file import FeedsRefused, load_feeds, parse_feeds


def feed(**lines: str) -> str:
    """One table; each value is written as it is given."""
    table = {
        "name": '"air"',
        "filter": '"air/+"',
        "template": '"air/{source}"',
        "codec": '"json"',
        "dataset": '"air-quality"',
        **lines,
    }
    return "[[feeds]]\n" + "".join(f"{name} = {value}\n" for name, value in table.items() if value)


def faults(text: str) -> list[str]:
    """The sentences of a refusal."""
    with pytest.raises(FeedsRefused) as refused:
        parse_feeds(text, "notary.toml")
    found = refused.value.facts["faults"]
    assert isinstance(found, list)
    assert refused.value.detail == " ".join(found)
    return found


def test_without_a_file_the_notarys_own_topics_are_read() -> None:
    """Time and id are where the documentation says."""
    feeds = load_feeds(None)
    route = feeds.route("notary/v1/air/s-1/up")
    assert isinstance(route, Route)
    assert (route.dataset, route.source, route.feed.qos) == ("air", "s-1", 1)
    (reading,), bad = route.feed.read("air", "s-1", b'{"time":1.50,"id":"a"}')
    assert (reading.observed, reading.key, reading.by) == ("1.50", "a", "acl")
    assert reading.type == "application/json"
    assert reading.keeps_names is False
    assert bad == []


def test_dataset_and_source_may_be_fixed() -> None:
    """A gateway's one topic, of one source."""
    text = feed(
        filter='"x"', template='"x"', source='"gw"', type='"text/csv"', codec='"raw"', by='"none"'
    )
    route = parse_feeds(text, "f").route("x")
    assert isinstance(route, Route)
    (reading,), _ = route.feed.read(route.dataset, route.source, b"1;2")
    assert (reading.dataset, reading.source, reading.type) == ("air-quality", "gw", "text/csv")
    assert reading.by == "none"


def test_the_first_feed_that_takes_a_topic_reads_it() -> None:
    """The order of the file decides."""
    text = feed() + feed(name='"all"', filter='"#"', template='"{source}"')
    feeds = parse_feeds(text, "f")
    first, other = feeds.route("air/x"), feeds.route("fire")
    assert isinstance(first, Route)
    assert isinstance(other, Route)
    assert (first.feed.name, other.feed.name) == ("air", "all")


def test_a_split_reading_names_its_pack_and_a_single_one_does_not() -> None:
    """Also when its neighbours are bad: the message held more than it."""
    route = parse_feeds(feed(codec='"ndjson"'), "f").route("air/x")
    assert isinstance(route, Route)
    pack = b'{"a":1}\n{"a":2}\n'
    (one, two), bad = route.feed.read("d", "s", pack)
    assert bad == []
    assert one.pack is two.pack
    assert one.pack is not None
    assert one.pack.data == pack
    (alone,), bad = route.feed.read("d", "s", b"\n" + b'{"a":1}' + b"\n\n")
    assert (alone.pack, alone.payload, bad) == (None, b'{"a":1}', [])
    (good,), (fault,) = route.feed.read("d", "s", b'{"a":1}\n{"a":')
    assert good.pack is not None
    assert (fault.reason, fault.payload) == ("not-json", b'{"a":')


@pytest.mark.parametrize(
    ("topic", "feed_name", "reason"),
    [
        ("water/x", "-", "no-feed"),
        ("air/a b", "air", "bad-topic"),
        ("air/..", "air", "bad-topic"),
        ("air/" + "x" * 129, "air", "bad-topic"),
        ("air/温度", "air", "bad-topic"),
        ("air/", "air", "bad-topic"),
    ],
)
def test_a_topic_that_leads_nowhere_says_why(topic: str, feed_name: str, reason: str) -> None:
    """No feed, or a source that is no id."""
    found = parse_feeds(feed(), "f").route(topic)
    assert isinstance(found, NoRoute)
    assert (found.feed, found.reason) == (feed_name, reason)


def test_topics_without_end_take_no_memory_without_end() -> None:
    """What is remembered of topics is forgotten before it is too much."""
    feeds = parse_feeds(feed(), "f")
    for number in range(MAX_ROUTES + 10):
        feeds.route(f"air/{number}")
    assert len(feeds._routes["default"]) <= MAX_ROUTES
    assert isinstance(feeds.route("air/1"), Route)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "has no [[feeds]]"),
        ("feeds = 1", "has no [[feeds]]"),
        ("feeds = [1]", "not a table"),
        ("[[feeds]", "is not TOML"),
        ("x = 1\n" + feed(), "x is not known"),
        (feed(colour='"red"'), "colour is not known"),
        (feed(name=""), "name is missing"),
        (feed(filter=""), "filter is missing"),
        (feed(template=""), "template is missing"),
        (feed(codec=""), "codec is missing"),
        (feed(name='"a b"'), "name must be"),
        (feed(name="1"), "name must be text"),
        (feed(codec='"xml"'), "codec must be one of"),
        (feed(codec="[]"), "codec must be text"),
        (feed(filter='"air/+x"'), "must be the whole of a level"),
        (feed(template='"air/{source"'), "is not a level"),
        (feed(template='"air/x"'), "neither source"),
        (feed(dataset=""), "neither dataset"),
        (feed(source='"s"'), "source is there twice"),
        (feed(dataset='"../x"'), "dataset must be"),
        (feed(template='"water/{source}"'), "no topic of the template's form"),
        (feed(template='"air/{source}/up"'), "no topic of the template's form"),
        (feed(keeps_names='"yes"'), "keeps_names must be"),
        (feed(qos="2"), "qos must be"),
        (feed(qos="true"), "qos must be"),
        (feed(type='"JSON"'), "media type"),
        (feed(by='"key:1"'), "by must be one of acl, none"),
        (feed(acceptances='"on"'), "acceptances must be one of off, response, fixed, reply"),
        (feed(acceptances="true"), "acceptances must be text"),
        (feed(acceptances='"fixed"'), "acceptance_topic belongs to"),
        (feed(acceptance_topic='"air/{source}/x"'), "acceptance_topic belongs to"),
        (feed(acceptances='"fixed"', acceptance_topic='"air/all"'), "must name {source}"),
        (feed(acceptances='"fixed"', acceptance_topic='"sea/{source}"'), "own levels, air/"),
        (feed(signed_acceptances="true"), "signed_acceptances needs acceptances"),
        (feed(evidence='"pack"'), "evidence must be one of reading, message"),
        (feed(signature='"yes"'), "signature must be one of ignore, record, require"),
        (feed(signature='"require"'), 'signature = "require" needs signed_by'),
        (feed(signature='"record"'), 'signature = "record" needs signed_by'),
        (feed(signed_by='"jws"'), "signed_by belongs to signature"),
        (feed(signature='"record"', signed_by='"rsa"'), "signed_by must be one of jws, hmac, cose"),
        (feed(sources='"any"'), "sources must be one of registered, open"),
        (feed(max_sources="5"), "max_sources belongs to sources"),
        (feed(sources='"open"', max_sources="0"), "max_sources must be a whole number between 1"),
        (feed(sources='"open"', max_sources="true"), "max_sources must be a whole number"),
        (feed(sources='"open"', max_sources="1e3"), "max_sources must be a whole number"),
        (feed(interval_seconds="0"), "interval_seconds must be a whole number between 1"),
        (feed(interval_seconds="-5"), "interval_seconds must be a whole number between 1"),
        (feed(interval_seconds='"60"'), "interval_seconds must be a whole number between 1"),
        (feed(interval_seconds="99999999"), "interval_seconds must be a whole number between 1"),
        (feed(broker='"plant"'), "there is no broker plant; there are default"),
        (feed(broker="1"), "broker must be text"),
        (feed(name="'" + "x" * 5000 + "'"), "name is longer than 4096"),
        ("brokers = 1\n" + feed(), "brokers must be tables"),
        (feed(signed_acceptances="1"), "signed_acceptances must be true or false"),
        (feed(notices='"no"'), "notices must be true or false"),
        (feed(observed='""'), "observed must be text"),
        (feed(key=f'"{"k" * 200}"'), "key is longer"),
        (feed(codec='"raw"', key='"id"'), "finds neither observed nor key"),
        (feed() + feed(filter='"x/+"', template='"x/{source}"'), "Two feeds have the name air"),
        (feed() + feed(name='"b"'), "Two feeds have the filter air/+"),
    ],
)
def test_a_fault_in_the_file_is_a_sentence(text: str, sentence: str) -> None:
    """Each fault alone is told."""
    assert any(sentence in fault for fault in faults(text)), faults(text)


def test_a_feed_says_who_may_send_and_how_often() -> None:
    """Registered sources alone, unless it says otherwise; the notary's own topics are open."""
    (plain,) = parse_feeds(feed(), "f").all
    assert (plain.sources, plain.max_sources, plain.signature) == ("registered", 10_000, "ignore")
    assert (plain.signed_by, plain.interval_seconds, plain.broker) == (None, None, "default")
    assert plain.evidence == "reading"
    (own,) = load_feeds(None).all
    assert (own.sources, own.acceptances) == ("open", "response")
    text = feed(
        sources='"open"', max_sources="12", signature='"require"', signed_by='"cose"',
        interval_seconds="300", evidence='"message"',
    )  # fmt: skip
    (one,) = parse_feeds(text, "f").all
    assert (one.sources, one.max_sources) == ("open", 12)
    assert (one.signature, one.signed_by) == ("require", "cose")
    assert (one.interval_seconds, one.evidence) == (300, "message")


def test_all_faults_are_told_at_once() -> None:
    """Whoever mends the file mends it once."""
    text = feed(colour="1", qos="9", filter='"a#"', codec='"xml"') + feed(type='"x"', name='"b"')
    found = faults(text)
    assert len(found) == 5
    assert [fault[:6] for fault in found] == ["Feed 1"] * 4 + ["Feed 2"]


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """Named in the sentence; bytes that aren't UTF-8 too."""
    with pytest.raises(FeedsRefused, match="can't be read"):
        load_feeds(tmp_path / "notary.toml")
    (tmp_path / "notary.toml").write_bytes(b"\xff")
    with pytest.raises(FeedsRefused, match="can't be read"):
        load_feeds(tmp_path / "notary.toml")


@given(
    st.dictionaries(
        st.sampled_from(["name", "filter", "template", "codec", "observed", "qos", "x"]),
        st.one_of(st.text(), st.integers(), st.booleans(), st.lists(st.integers())),
    )
)
def test_no_table_raises_anything_but_a_refusal(table: dict[str, object]) -> None:
    """Values of the wrong kind cost a sentence, never a traceback."""
    text = "[[feeds]]\n" + "".join(f"{name} = {_toml(value)}\n" for name, value in table.items())
    with suppress(FeedsRefused):
        parse_feeds(text, "f")


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return (
            '"' + "".join(f"\\U{ord(c):08x}" for c in value if not 0xD800 <= ord(c) < 0xE000) + '"'
        )
    return str(value)


def test_a_feed_says_how_devices_are_answered() -> None:
    """Off unless it says otherwise; the notary's own topics answer who names a topic."""
    (silent,) = parse_feeds(feed(), "f").all
    assert (silent.acceptances, silent.signed_acceptances, silent.notices) == ("off", False, True)
    (own,) = load_feeds(None).all
    assert (own.acceptances, own.notices) == ("response", True)
    text = feed(
        acceptances='"fixed"',
        acceptance_topic='"air/{source}/receipt"',
        signed_acceptances="true",
        notices="false",
    )
    (one,) = parse_feeds(text, "f").all
    assert (one.acceptances, one.acceptance_topic) == ("fixed", "air/{source}/receipt")
    assert (one.signed_acceptances, one.notices) == (True, False)
