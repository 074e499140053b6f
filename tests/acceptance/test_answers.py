# SPDX-License-Identifier: Apache-2.0
"""
A gateway keeps a reading until it has its acceptance: it comes, whatever is killed meanwhile.

A real broker, a real database, the ingest process as `notary ingest` runs it.
"""

import json
import random
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from notary.core.acceptance import verify_acceptance
from notary.core.misconduct import hold_against_receipt
from notary.core.trust import parse_trust
from notary.local.broker import Broker
from tests.iot_ingest.devices import Device, device
from tests.iot_ingest.support import Ingest, count_records, records, wait_for
from tests.usecases.world import World

pytestmark = pytest.mark.needs("mosquitto")
UP, DOWN = "notary/v1/air/s/up", "notary/v1/air/s/down"
# Stops between the commit and whatever would be published of it.
SILENT = (
    "import os, sys, time; from iot_ingest import answering; "
    "answering.Answering.go_round = lambda self: time.sleep(0.1) or False; "
    "from notary.config import Settings; from iot_ingest.main import run; "
    "sys.exit(run(Settings.from_env(os.environ)))"
)


def body(number: int) -> bytes:
    """A reading with a time and an id."""
    return json.dumps({"time": "2031-01-01T00:00:00Z", "id": f"k{number}"}).encode()


@pytest.fixture
def air(world: World) -> World:
    """A notary with an open dataset."""
    world.dataset("air", lane_count=4)
    return world


@pytest.fixture
def ingest(air: World, broker: Broker, tmp_path: Path) -> Iterator[Ingest]:
    """The process on the notary's own topics, not yet started."""
    with Ingest(air, broker.url, tmp_path) as process:
        yield process


@pytest.fixture
def gateway(broker: Broker) -> Iterator[Device]:
    """Hears what is sent to any device of its notary."""
    with device(broker.url_of("gateway")) as made:
        yield made


def test_a_gateway_gets_its_acceptance_and_later_sealed_and_anchored(
    air: World, ingest: Ingest, gateway: Device
) -> None:
    """Under its response topic, with its correlation data, saying what the record says."""
    ingest.start()
    gateway.send(UP, body(1), DOWN, b"\x00cookie")
    wait_for(lambda: gateway.states() == ["accepted"])
    air.settle()
    wait_for(lambda: gateway.states() == ["accepted", "sealed", "anchored"])
    assert {(topic, data) for topic, _, data in gateway.heard} == {(DOWN, b"\x00cookie")}
    answer, sealed, anchored = (told for _, told, _ in gateway.heard)
    ((source, chain, n, leaf, *_),) = records(air, "air")
    assert (answer["dataset"], answer["source"], answer["v"]) == ("air", source, "acceptances/1")
    (reading,) = answer["readings"]
    assert (reading["chain"], reading["n"], reading["leaf"]) == (chain, n, leaf.hex())
    assert reading["key"] == "k1"
    for told, state in ((sealed, "sealed"), (anchored, "anchored")):
        assert told == {
            "dataset": "air",
            "source": "s",
            "chain": 0,
            "first": 0,
            "last": 0,
            "state": state,
            "v": "acceptances/1",
        }
    wait_for(lambda: air.rows("SELECT count(*) FROM outbox") == [(0,)])
    gateway.send(UP, body(1), DOWN)
    gateway.send(UP, b"no json", DOWN)
    wait_for(lambda: len(gateway.heard) >= 5)
    told = [reading for _, one, _ in gateway.heard for reading in one.get("readings", [])]
    assert {one["state"] for one in told} == {"accepted", "duplicate", "refused"}
    assert [one["reason"] for one in told if one["state"] == "refused"] == ["not-json"]


def test_who_names_no_topic_or_somebody_else_s_gets_nothing(
    air: World, ingest: Ingest, gateway: Device
) -> None:
    """The reading is accepted all the same, and the refused wish is counted."""
    ingest.start()
    wishes = [None, "notary/v1/air/t/down", "notary/v1/air/s", UP, "elsewhere"]
    for number, wish in enumerate(wishes):
        gateway.send(UP, body(number), wish)
    gateway.send(UP, body(99), DOWN)
    wait_for(lambda: len(gateway.heard) >= 1)
    wait_for(lambda: ingest.facts().get("accepted") == len(wishes) + 1)
    wait_for(lambda: ingest.facts()["answers"]["ignored"] == len(wishes) - 1)
    assert [told["readings"][0]["key"] for _, told, _ in gateway.heard] == ["k99"]
    assert ingest.facts()["quarantined"] == 0


def test_killed_between_commit_and_publishing_the_acceptance_still_comes(
    air: World, broker: Broker, ingest: Ingest, gateway: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kill -9 once the records are durable and nothing was published; then it starts again."""
    with monkeypatch.context() as patch:
        patch.setattr("tests.iot_ingest.support.PROGRAM", SILENT)
        ingest.start()
    for number in range(20):
        gateway.send(UP, body(number), DOWN, b"%d" % number)
    wait_for(lambda: count_records(air, "air") == 20)
    ingest.kill()
    assert gateway.heard == []
    ingest.start()
    wait_for(lambda: {data for _, _, data in gateway.heard} == {b"%d" % n for n in range(20)})
    leaves = {row[3].hex() for row in records(air, "air")}
    told = {one["leaf"] for _, answer, _ in gateway.heard for one in answer["readings"]}
    assert told == leaves
    assert count_records(air, "air") == 20


def test_killed_at_random_moments_no_gateway_waits_for_ever(
    air: World, ingest: Ingest, gateway: Device, long: bool
) -> None:
    """It gets at least one answer to each message, and they all name the same record."""
    dice = random.Random(7)
    lives, each = (20, 200) if long else (4, 100)
    for life in range(lives):
        ingest.start(wait=life == 0)
        first = life * each

        def send(first: int = first) -> None:
            for number in range(first, first + each):
                gateway.send(UP, body(number), DOWN, b"%d" % number)

        sender = threading.Thread(target=send)
        sender.start()
        goal = count_records(air, "air") + dice.randrange(1, each // 2)
        wait_for(lambda goal=goal: count_records(air, "air") >= goal)  # type: ignore[misc]
        ingest.kill()
        sender.join()
    ingest.start()
    wanted = {b"%d" % number for number in range(lives * each)}
    wait_for(lambda: {data for _, _, data in gateway.heard} == wanted)
    by_key: dict[str, set[tuple[int, str]]] = {}
    for _, answer, _ in gateway.heard:
        for one in answer.get("readings", []):
            by_key.setdefault(one["key"], set()).add((one["n"], one["leaf"]))
    assert all(len(found) == 1 for found in by_key.values())
    assert {(row[2], row[3].hex()) for row in records(air, "air")} == set().union(*by_key.values())


def test_what_is_to_be_told_survives_a_kill_of_the_broker(
    air: World, broker: Broker, ingest: Ingest
) -> None:
    """The gateway sends until it hears; a killed broker may have lost what it took in."""
    ingest.start()
    with device(broker.url_of("gateway")) as gateway:
        gateway.send(UP, body(1), DOWN, b"1")
        wait_for(lambda: len(gateway.heard) == 1)
    broker.kill()
    broker.start()
    with device(broker.url_of("gateway")) as gateway:

        def is_told() -> bool:
            gateway.send(UP, body(2), DOWN, b"2")
            air.settle()
            return bool(gateway.of("accepted") and gateway.of("sealed"))

        wait_for(is_told)
    assert count_records(air, "air") == 2
    assert ingest.facts()["answers"]["dropped"] == 0


def test_a_feed_that_asks_gets_signed_acceptances(
    air: World, broker: Broker, tmp_path: Path
) -> None:
    """With a reply topic of Alink's form; each holds offline, and its receipt keeps it."""
    users = {"notary": "n", "gateway": "g"}
    acl = "user notary\ntopic readwrite #\n\nuser gateway\ntopic readwrite /sys/#\n"
    feeds = (
        '[[feeds]]\nname = "alink"\nfilter = "/sys/+/+/thing/event/property/post"\n'
        'template = "/sys/{product}/{source}/thing/event/property/post"\ndataset = "air"\n'
        'codec = "ndjson"\nsources = "open"\nkey = "id"\nacceptances = "reply"\n'
        "signed_acceptances = true\n"
        "notices = false\n"
    )
    with (
        Broker.open(tmp_path / "own", users=users, acl=acl) as own,
        Ingest(air, own.url, tmp_path, feeds).start(),
        device(own.url_of("gateway"), "/sys/+/+/thing/event/property/post_reply") as gateway,
    ):
        lines = [body(number) for number in range(3)]
        gateway.send("/sys/pk/dev/thing/event/property/post", b"\n".join([*lines, b"x"]), None)
        wait_for(lambda: len(gateway.heard) == 1)
    ((topic, answer, _),) = gateway.heard
    assert topic == "/sys/pk/dev/thing/event/property/post_reply"
    assert [one["state"] for one in answer["readings"]] == ["accepted"] * 3 + ["refused"]
    air.settle()
    trust = parse_trust(air.parts.trust())
    for line, one in zip(lines, answer["readings"], strict=False):
        verdict = verify_acceptance(one["signed"], trust, line)
        assert verdict.subject["n"] == one["n"]
        receipt = air.prover().receipt("air", "dev", one["n"], caller=None).text
        assert hold_against_receipt(one["signed"], receipt, trust).kind == "kept"
