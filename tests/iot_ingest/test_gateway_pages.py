# SPDX-License-Identifier: Apache-2.0
"""
The pages of docs/for-gateways: their feeds can be loaded, and each message that they show is
the sample file and gives the readings that stand below it.
"""

import json
import re
from pathlib import Path
from typing import NamedTuple

import pytest

from iot_ingest.codecs import codecs
from iot_ingest.feeds import Route
from iot_ingest.feeds_file import parse_feeds
from notary.core.receipt import verify_receipt
from notary.texts import LANGUAGES, catalogue
from notary.usecases.reading import Reading
from tests.usecases.world import World

PAGES = Path(__file__).parents[2] / "docs" / "for-gateways"
TOML = re.compile(r"^```toml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
EXAMPLE = re.compile(
    r"^Topic `([^`]+)`,\s+message\s+\[`[^`]+`\]\(samples/([^)]+)\)[^`]*:\n\n"
    r"```\w+\n(.*?)\n```\n\ngives[^`]*:\n\n```json\n(.*?)\n```$",
    re.MULTILINE | re.DOTALL,
)
ALINK, IOTDA, CHIRPSTACK, HJ212 = (
    PAGES / f"{name}.md" for name in ("alink", "iotda", "chirpstack", "hj212")
)
OF_SEVERAL = {
    "json-array": (["json-array"], "json_array"),
    "senml": (["senml-cbor", "senml-json"], "senml senml_cbor senml_fields senml_resolve"),
    "sensorthings": (["sensorthings", "sensorthings-dataarray"], "sensorthings sensorthings_array"),
    "ngsi": (["ngsi-ld", "ngsi-v2"], "ngsi json_members"),
}
"""Pages with the codecs that they tell of, and the modules that read them."""


class Example(NamedTuple):
    """A message on a page: its topic, its sample, how it is shown, and its readings."""

    page: Path
    topic: str
    sample: bytes
    shown: str
    readings: list[dict[str, str | None]]


def examples(page: Path) -> list[Example]:
    """All of a page."""
    text = page.read_text(encoding="utf-8")
    return [
        Example(
            page,
            topic,
            (PAGES / "samples" / name).read_bytes(),
            shown,
            [json.loads(line) for line in lines.splitlines()],
        )
        for topic, name, shown, lines in EXAMPLE.findall(text)
    ]


def readings_of(example: Example, dataset: str | None = None) -> list[Reading]:
    """What the page's own feed makes of a message, all of which it can read."""
    text = feeds_of(example.page)
    if dataset is not None:
        text = re.sub(r'^dataset = ".*"$', f'dataset = "{dataset}"', text, flags=re.MULTILINE)
    route = parse_feeds(text, example.page.name).route(example.topic)
    assert isinstance(route, Route)
    readings, faults = route.feed.read(route.dataset, route.source, example.sample)
    assert faults == []
    return readings


def feeds_of(page: Path) -> str:
    """The configuration that a page shows."""
    return "\n".join(TOML.findall(page.read_text(encoding="utf-8")))


EXAMPLES = [example for page in sorted(PAGES.glob("*.md")) for example in examples(page)]


@pytest.mark.parametrize(
    ("page", "count"),
    [(ALINK, 2), (IOTDA, 2), (CHIRPSTACK, 1), (HJ212, 1)],
    ids=lambda value: getattr(value, "stem", ""),
)
def test_a_page_shows_its_format(page: Path, count: int) -> None:
    """Each kind of message has its example, and the feed names the page's codec."""
    assert len(examples(page)) == count
    feeds = parse_feeds(feeds_of(page), page.name).all
    assert {feed.codec for feed in feeds} == {codecs()[page.stem]}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda one: f"{one.page.stem} {one.topic[-30:]}")
def test_a_message_gives_the_readings_that_stand_below_it(example: Example) -> None:
    """By the page's own feed and the topic that it names; without `payload` it is the message."""
    shown = example.shown.encode()
    if b"\x00" in example.sample:
        shown = bytes.fromhex(example.shown)
    assert example.sample.replace(b"\r\n", b"\n").rstrip(b"\n") == shown
    told = [{**one} for one in example.readings]
    for one in told:
        if "payload" not in one:
            one["payload"] = example.sample.decode()
    assert told == [
        {
            "dataset": one.dataset,
            "source": one.source,
            "observed": one.observed,
            "key": one.key,
            "payload": one.payload.decode(),
        }
        for one in readings_of(example)
    ]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda one: f"{one.page.stem} {one.topic[-30:]}")
def test_the_readings_of_a_message_become_records_with_receipts_that_verify(
    world: World, example: Example
) -> None:
    """Over the payload that the page shows; sent again, only what has neither key nor time."""
    is_open = example.page != HJ212
    dataset = world.dataset(example.readings[0]["dataset"] if is_open else None)
    readings = readings_of(example, dataset)
    accepted = world.accept(readings)
    again = world.accept(readings_of(example, dataset))
    world.settle()
    assert [one.duplicate for one in again] == [bool(one.key or one.observed) for one in readings]
    prover, trust = world.prover(), world.parts.trust()
    for reading, one in zip(readings, accepted, strict=True):
        text = prover.receipt(dataset, one.source, one.n, caller=world.caller).text
        assert verify_receipt(text, trust, reading.payload).subject["source"] == reading.source
        if not is_open:
            bare = {k: v for k, v in json.loads(text).items() if k not in ("payload", "salt")}
            assert "PW=" not in json.dumps(bare)  # base64 of signatures has "PW" by chance
            verify_receipt(json.dumps(bare, ensure_ascii=False, separators=(",", ":")), trust)


@pytest.mark.parametrize("page", [ALINK, IOTDA, CHIRPSTACK, HJ212], ids=lambda page: page.stem)
def test_a_page_names_every_reason_of_its_codec(page: Path) -> None:
    """And no other: a clerk finds it here, and its sentence in both languages."""
    folder = Path("iot_ingest/codecs")
    source = (folder / f"{page.stem}.py").read_text(encoding="utf-8")
    found = {"too-large"} | set(re.findall(r'reason="([a-z0-9-]+)"', source))
    found |= set(re.findall(r'Fault\(\w+, "([a-z0-9-]+)"', source))
    if page is HJ212:
        found |= {"bad-value", "needs-closed-dataset"}
    else:
        shared = (folder / "json_members.py").read_text(encoding="utf-8")
        found |= {"missing", "bad-value", "not-json", "not-utf-8", "too-deep"}
        found |= set(re.findall(r'reason="([a-z0-9-]+)"', shared)) if "a_list" in source else set()
    table = page.read_text(encoding="utf-8").partition("| reason |")[2]
    told = [word for row in re.findall(r"^\| (`[^|]+`) \|", table, re.MULTILINE)
            for word in re.findall(r"`([^`]+)`", row)]  # fmt: skip
    assert sorted(told) == sorted(found)
    for reason in found:
        for language in LANGUAGES:
            texts = catalogue(language)
            assert f"field.{reason}" in texts or f"field.json-{reason}" in texts, reason


@pytest.mark.parametrize("name", OF_SEVERAL)
def test_a_page_tells_of_its_codecs_and_of_their_reasons(name: str) -> None:
    """An example for each codec, each reason that can occur, and no other."""
    names, modules = OF_SEVERAL[name]
    page = PAGES / f"{name}.md"
    text = page.read_text(encoding="utf-8")
    assert len(examples(page)) == len(names)
    feeds = parse_feeds(feeds_of(page), page.name).all
    assert sorted(feed.codec.type for feed in feeds) == ["application/json"] * len(names)
    assert {feed.codec for feed in feeds} == {codecs()[one] for one in names}
    source = "".join(
        Path(f"iot_ingest/codecs/{one}.py").read_text(encoding="utf-8")
        for one in [*modules.split(), "json_array", "slices"]
    )
    found = {"too-large", "bad-value", "too-deep"} | set(
        re.findall(r'reason="([a-z0-9-]+)"', source)
    )
    told = set(re.findall(r"`([a-z0-9-]+)`", "".join(re.findall(r"^\| (`[^|]+`) \|", text, re.M))))
    assert told == found
    for reason in found:
        for language in LANGUAGES:
            texts = catalogue(language)
            assert f"field.{reason}" in texts or f"field.json-{reason}" in texts, reason


def test_every_sample_is_shown() -> None:
    """No file without a page."""
    shown = "".join(page.read_text(encoding="utf-8") for page in PAGES.glob("*.md"))
    for sample in (PAGES / "samples").iterdir():
        assert f"samples/{sample.name}" in shown
