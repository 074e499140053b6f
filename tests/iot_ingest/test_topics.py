# SPDX-License-Identifier: Apache-2.0
"""Filters and templates: MQTT 5.0 section 4.7, and what a template takes out of a topic."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iot_ingest.topics import (
    MAX_TOPIC_BYTES,
    MalformedTopic,
    Template,
    check_filter,
    filter_matches,
)

OWN = "notary/v1/{dataset}/{source}/up"


@pytest.mark.parametrize(
    "text",
    ["#", "+", "a", "/", "//", "a/#", "/#", "+/+", "a/+/b", "$SYS/#", "$share/g/a/+", "温度/+/上"],
)
def test_a_legal_filter_is_taken(text: str) -> None:
    """What the standard allows is allowed."""
    assert check_filter(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a#",
        "a/#/b",
        "#/a",
        "a/b#",
        "a+",
        "a/+b/c",
        "++",
        "a\0b",
        "a\nb",
        "a\x7fb",
        "a\x85b",
        "a/\ud800",
        "$share/g",
        "$share/g/",
        "$share//a",
        "$share/g+/a",
        "$share/#/a",
        "$share/g/a#",
        "x" * (MAX_TOPIC_BYTES + 1),
        "温" * (MAX_TOPIC_BYTES // 3 + 1),
    ],
)
def test_an_illegal_filter_is_refused(text: str) -> None:
    """Wildcards inside a level, control characters, half surrogates, too many bytes."""
    with pytest.raises(MalformedTopic):
        check_filter(text)


@pytest.mark.parametrize(
    ("topic_filter", "topic", "takes"),
    [
        ("a/b", "a/b", True),
        ("a/b", "a/B", False),
        ("a/b", "a/b/", False),
        ("a/b", "/a/b", False),
        ("a/+", "a/", True),
        ("a/+", "a", False),
        ("a/+", "a/b/c", False),
        ("+", "/a", False),
        ("+/+", "/a", True),
        ("a/#", "a", True),
        ("a/#", "a/b/c", True),
        ("a/#", "ab", False),
        ("#", "a/b", True),
        ("#", "/", True),
        ("#", "$SYS/x", False),
        ("+/x", "$SYS/x", False),
        ("$SYS/#", "$SYS/x", True),
        ("$share/g/a/+", "a/b", True),
        ("$share/g/a/+", "$share/g/a/b", False),
        ("$share/g/#", "$SYS/x", False),
        ("+/+/c", "a/b", False),
    ],
)
def test_a_filter_takes_what_the_standard_says(topic_filter: str, topic: str, takes: bool) -> None:
    """Section 4.7.1 and 4.7.2, with the shared subscription's own filter."""
    assert filter_matches(topic_filter, topic) is takes


@given(st.text(alphabet="ab+#/$", max_size=12), st.text(alphabet="ab/$", max_size=12))
def test_a_filter_agrees_with_a_slow_reading_of_the_standard(text: str, topic: str) -> None:
    """Every legal filter of a small alphabet, against a recursive matcher."""
    try:
        check_filter(text)
    except MalformedTopic:
        return
    if not topic or text.startswith("$share"):
        return
    expected = _slow(text.split("/"), topic.split("/")) and not (
        topic[0] == "$" and text[0] in "+#"
    )
    assert filter_matches(text, topic) is expected


def _slow(wanted: list[str], given: list[str]) -> bool:
    if wanted == ["#"]:
        return True
    if not wanted or not given:
        return (not wanted and not given) or wanted == ["#"]
    return wanted[0] in ("+", given[0]) and _slow(wanted[1:], given[1:])


def test_a_template_takes_the_fields_out_of_a_topic() -> None:
    """Levels, and parts of a level as SensorThings has them."""
    assert Template(OWN).read("notary/v1/air/s-1/up") == {"dataset": "air", "source": "s-1"}
    things = Template("v1.1/Datastreams({source})/Observations")
    assert things.read("v1.1/Datastreams(42)/Observations") == {"source": "42"}
    assert Template("a/+/{source}").read("a/anything/x") == {"source": "x"}


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "notary/v1/air/up",
        "notary/v1/air/s/x/up",
        "notary/v1//s/up",
        "notary/v1/air//up",
        "notary/v1/air/s/up/",
        "xnotary/v1/air/s/up",
        "notary/v1/air/s/up\n",
        "notaryXv1/air/s/up",
    ],
)
def test_a_topic_of_another_form_is_refused(topic: str) -> None:
    """Empty levels, more or fewer levels, anything before or after."""
    with pytest.raises(MalformedTopic):
        Template(OWN).read(topic)


def test_a_template_takes_no_letter_for_another() -> None:
    """A dot in a template is a dot."""
    with pytest.raises(MalformedTopic):
        Template("v1.1/{source}").read("v1x1/a")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a/{dataset}/{dataset}",
        "a/{dataset}{source}",
        "a/{dataset}-{source}",
        "a/{Dataset}",
        "a/{}",
        "a/{dataset",
        "a/#",
        "a/b+",
        "a/\0",
        "a/\ud800",
    ],
)
def test_an_illegal_template_is_refused(text: str) -> None:
    """Fields that stand twice, share a level, aren't names; wildcards that aren't levels."""
    with pytest.raises(MalformedTopic):
        Template(text)


@given(st.text(), st.text())
def test_no_text_raises_anything_else(one: str, other: str) -> None:
    """Whatever comes, MalformedTopic is all that is raised."""
    for make in (check_filter, Template):
        try:
            made = make(one)
        except MalformedTopic:
            continue
        if isinstance(made, Template):
            assert made.read(made.sample()).keys() == set(made.fields)
        else:
            filter_matches(one, other)


def test_a_filter_may_name_what_is_a_field_of_the_template() -> None:
    """One dataset's own feed: the filter names it, the template reads it from the topic."""
    template = Template("notary/v1/{dataset}/{source}/up")
    for taken in ("notary/v1/air/+/up", "notary/v1/air/#", "$share/g/notary/v1/air/s/up", "#"):
        assert filter_matches(taken, template.sample(taken))
    for never in ("notary/v2/air/+/up", "notary/v1/air/+/down", "notary/v1/air/up"):
        assert not filter_matches(never, template.sample(never))
