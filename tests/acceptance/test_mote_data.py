# SPDX-License-Identifier: Apache-2.0
"""
A real sensor network's readings go in whole: 18,914 records, however many of them are equal.

A real broker, a real database, the ingest process as `notary ingest` runs it, and a data set
whose readings have no times and where 2,841 equal the one before.
"""

from collections.abc import Iterator
from itertools import groupby, pairwise
from pathlib import Path

import pytest

from notary.core.receipt import verify_receipt
from notary.local.broker import Broker
from notary.local.motes import EQUAL_NEIGHBOURS, READINGS, Measurement, fetch_motes, measurements
from tests.acceptance.sealers import ROOT
from tests.iot_ingest.support import Ingest, check_exactly_once, publish, records, wait_for
from tests.usecases.world import World

pytestmark = [pytest.mark.needs("mosquitto"), pytest.mark.needs("npm")]
PACK = 250
FEEDS = "".join(
    f'[[feeds]]\nname = "{name}-{codec}"\nfilter = "notary/v1/{name}/+/{codec}"\n'
    f'template = "notary/v1/{name}/{{source}}/{codec}"\ndataset = "{name}"\n'
    f'codec = "{codec}"\nsources = "open"\n{key}\n'
    for name, key in (("plain", ""), ("numbered", 'key = "seq"'))
    for codec in ("json", "ndjson")
)
# Two motes send one by one, two send packs of lines.
ALONE = ("mote-1", "mote-3")


def messages(dataset: str, motes: list[Measurement]) -> Iterator[tuple[str, bytes]]:
    """Topics and messages, each mote's readings in their order."""
    for mote, group in groupby(motes, lambda one: one.mote):
        lines = [one.plain if dataset == "plain" else one.numbered for one in group]
        if mote in ALONE:
            yield from ((f"notary/v1/{dataset}/{mote}/json", line) for line in lines)
        else:
            for start in range(0, len(lines), PACK):
                pack = b"\n".join(lines[start : start + PACK])
                yield f"notary/v1/{dataset}/{mote}/ndjson", pack


@pytest.fixture(scope="module")
def motes() -> list[Measurement]:
    """The whole data set, in the order of its file."""
    return list(measurements(fetch_motes(ROOT / "var" / "data")))


def test_the_whole_data_set_goes_in_and_what_is_equal_is_not_the_same(
    world: World, broker: Broker, tmp_path: Path, motes: list[Measurement]
) -> None:
    """Without key or time each reading is a record; with keys, one that comes twice is one."""
    plain = [(one.mote, one.plain) for one in motes]
    assert len(plain) == READINGS
    equal = sum(one == other for one, other in pairwise(plain))
    assert equal == EQUAL_NEIGHBOURS
    for name in ("plain", "numbered"):
        world.dataset(name, lane_count=4)
    with Ingest(world, broker.url, tmp_path, FEEDS).start() as ingest:
        publish(broker, messages("plain", motes))
        wait_for(lambda: ingest.facts().get("accepted") == READINGS)
        assert ingest.facts()["duplicates"] == 0
        for round_ in (0, 1):
            publish(broker, messages("numbered", motes))
            # A round ends before the next begins: what is counted is what came again.
            goal = (2 * READINGS, round_ * READINGS)
            wait_for(lambda goal=goal: counted(ingest) == goal)  # type: ignore[misc]
        facts = ingest.facts()
        assert (facts["quarantined"], facts["keys_reused"], facts["problem"]) == (0, 0, None)
        assert ingest.stop() == 0
    in_order = sorted(plain, key=lambda one: one[0])
    assert [(row[0], row[4]) for row in records(world, "plain")] == in_order
    check_exactly_once(world, "plain", plain)
    check_exactly_once(world, "numbered", [(one.mote, one.numbered) for one in motes])
    by_source = world.rows("SELECT sum(count)::bigint FROM repeats")
    assert by_source == [(READINGS,)]
    world.settle()
    report = world.audit()
    assert (report.records, report.waiting, report.findings) == (2 * READINGS, 0, ())
    receipt = world.prover().receipt("plain", "mote-4", 2_500, caller=None).text
    verify_receipt(receipt, world.parts.trust())


def counted(ingest: Ingest) -> tuple[object, object]:
    """Accepted and duplicates, as the process tells them."""
    facts = ingest.facts()
    return facts.get("accepted"), facts.get("duplicates")
