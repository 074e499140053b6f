# SPDX-License-Identifier: Apache-2.0
"""
Simulated gateways outlive what real ones must outlive, and say the truth at the end.

A real broker, a real database, ingest and simulator as processes.
"""

import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from iot_simulator.formats import Simulated
from iot_simulator.listing import Sent
from notary.local.broker import Broker
from tests.acceptance.test_every_codec import OPEN
from tests.iot_ingest.support import Ingest, check_exactly_once, count_records, records, wait_for
from tests.iot_simulator.support import ROOT, Simulator, feeds_for
from tests.usecases.world import World

pytestmark = pytest.mark.needs("mosquitto")
AIR = ("--dataset", "air", "--seed", "5", "--gateways", "3", "--again", "1.5")
FAULTS = ("--duplicates", "0.2", "--reorder", "0.2", "--late", "0.1")


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


def readings(sent: list[Sent]) -> list[Simulated]:
    """All readings of a list that should be records."""
    return [reading for one in sent if not one.bad for reading in one.message.readings]


def check_list_against_records(world: World, sent: list[Sent]) -> None:
    """Each reading is a record once, at the place that the list was told, and no other is."""
    check_exactly_once(world, "air", [(one.source, one.payload) for one in readings(sent)])
    stored = {(row[0], row[2], row[3].hex(), row[4]) for row in records(world, "air")}
    told = {
        (reading.source, answer["n"], answer["leaf"], reading.payload)
        for one in sent
        for place, reading in enumerate(one.message.readings)
        for answer in one.answers[place]
        if not one.bad
    }
    assert told == stored


def test_everything_is_answered_though_broker_and_notary_are_killed_and_restarted(
    air: World, broker: Broker, ingest: Ingest, tmp_path: Path, long: bool
) -> None:
    """Kill -9 of both, a restart of the broker, a while without notary: nothing lost or doubled."""
    ingest.start()
    with Simulator(
        tmp_path / "list", broker.url_of("gateway"), *AIR, *FAULTS, "--rate", "40", "--count", "240"
    ) as simulator:
        wait_for(lambda: count_records(air, "air") >= 60)
        broker.kill()
        broker.start()
        wait_for(lambda: count_records(air, "air") >= 200)
        ingest.kill()
        broker.restart()
        time.sleep(60 if long else 2)
        ingest.start()
        assert simulator.wait(180) == 0, simulator.said()
    assert "All 720 readings are answered: 720 accepted, 0 refused." in simulator.said()
    check_list_against_records(air, simulator.list())


def test_stopped_and_killed_it_goes_on_with_its_list(
    air: World, broker: Broker, ingest: Ingest, tmp_path: Path
) -> None:
    """Ctrl-C tells what is unanswered; kill -9 tells nothing, and the list has it all the same."""
    path, url = tmp_path / "list", broker.url_of("gateway")
    more = (*FAULTS, "--bad", "0.1", "--rate", "60", "--count", "180", "--patience", "30")
    with Simulator(path, url, *AIR, *more) as simulator:
        # Nobody answers yet.
        wait_for(lambda: len(simulator.list()) > 20)
        simulator.send(signal.SIGINT)
        assert simulator.wait() == 1
        left = sum(len(one.unanswered) for one in simulator.list())
        said = f"{left} readings are not answered. {path} has them: the same command"
        assert said in simulator.said()
        ingest.start()
        for life in (1, 2):
            simulator.start()
            wait_for(lambda life=life: count_records(air, "air") >= 100 * life)  # type: ignore[misc]
            simulator.kill()
        simulator.start()
        assert simulator.wait() == 0, simulator.said()
    sent = simulator.list()
    assert len(readings(sent)) + sum(one.bad for one in sent) == 540
    assert {answer["state"] for one in sent if one.bad for answer in one.answers[0]} == {"refused"}
    assert Counter(one.gateway for one in sent) == {f"sim-5-{number}": 180 for number in range(3)}
    check_list_against_records(air, sent)


def test_the_broker_s_word_is_not_the_notary_s(broker: Broker, tmp_path: Path) -> None:
    """Without acceptances it needs no notary, and says that nobody asked one."""
    options = (*AIR, "--count", "20", "--rate", "100", "--acceptances", "off")
    with Simulator(tmp_path / "list", broker.url_of("gateway"), *options) as simulator:
        assert simulator.wait() == 0
    assert "whether the notary has them was not asked" in simulator.said()
    states = [answer for one in simulator.list() for (answer,) in one.answers.values()]
    assert [one["state"] for one in states] == ["acknowledged"] * 60


def test_the_same_seed_and_begin_are_the_same_bytes(broker: Broker, tmp_path: Path) -> None:
    """In each format, faults too; a list is not gone on with by another begin."""
    formats = [word for name in OPEN for word in ("--format", name)]
    options = ("--dataset", "air", "--seed", "9", *formats, *FAULTS, "--bad", "0.2", "--pack", "2",
               "--count", "20", "--rate", "40", "--acceptances", "off", "--skew", "9")  # fmt: skip
    begin, messages = ("--begin", "2026-03-01T18:00:00+08:00"), []
    for name in ("one", "other"):
        with Simulator(tmp_path / name, broker.url_of("gateway"), *options, *begin) as simulator:
            assert simulator.wait() == 0
        messages.append({one.id: (one.message, one.bad) for one in simulator.list()})
    assert messages[0] == messages[1]
    assert {name.split("-")[2].split("/")[0] for name in messages[0]} == {
        str(number) for number in range(len(OPEN))
    }
    later = (*options, "--begin", "2026-03-01T18:00:01+08:00")
    with Simulator(tmp_path / "one", broker.url_of("gateway"), *later) as simulator:
        assert simulator.wait() == 2
    assert "was begun with another begin" in simulator.said()


def test_without_a_notary_it_gives_up_and_says_so(broker: Broker, tmp_path: Path) -> None:
    """Sent again meanwhile, within the window, and no answer made up."""
    options = (*AIR, "--count", "50", "--rate", "500", "--window", "7", "--patience", "4")
    with Simulator(tmp_path / "list", broker.url_of("gateway"), *options) as simulator:
        assert simulator.wait() == 1
    said = simulator.said()
    assert "21 readings sent, 0 answered, 21 waiting" in said
    assert "21 readings are not answered." in said
    assert "; 0 messages sent again" not in said
    assert all(one.answers == {} for one in simulator.list())


def test_a_broker_that_won_t_have_it_ends_it_with_a_sentence(
    broker: Broker, tmp_path: Path
) -> None:
    """A wrong password, a topic that isn't its own: 2 at once, and no password is shown."""
    url, own = broker.url_of("gateway"), ("--dataset", "air", "--count", "1")
    password = url.split(":")[2].split("@")[0]
    for address, options, sentence in (
        (url.replace(password, "wrong"), (), "The broker refused the connection of sim-"),
        (url, ("--topic", "plant/{source}/up", "--acceptances", "off"),
         "The broker refused a message of sim-"),
    ):  # fmt: skip
        with Simulator(tmp_path / "list", address, *own, *options) as simulator:
            assert simulator.wait(120) == 2
        assert sentence in simulator.said()
        assert password not in simulator.said()
        (tmp_path / "list").unlink()


def test_on_a_terminal_it_has_one_line_that_is_renewed(broker: Broker) -> None:
    """Readings sent, answered, waiting, refused, sent again; the end stands below."""
    command = [sys.executable, "-m", "notary.cli", "simulate", "--dataset", "air", "--seconds", "1"]
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [*command, "--acceptances", "off", "--rate", "20"],
        cwd=ROOT,
        env={"NOTARY_MQTT_URL": broker.url_of("gateway")},
        stdout=theirs,
    ) as process:
        os.close(theirs)
        said = b""
        # A terminal whose other end is closed ends in an error, not in an empty read.
        with suppress(OSError):
            while part := os.read(ours, 1 << 16):
                said += part
        assert process.wait(120) == 0
    os.close(ours)
    lines = said.decode().split("\r\n")
    assert len(lines) == 4
    shown = lines[1].split("\r\x1b[K")
    assert len(shown) > 4
    assert re.fullmatch(
        r"2\d readings sent, 2\d answered, 0 waiting, 0 refused; 0 messages sent again", shown[-1]
    )


def test_good_readings_that_are_refused_are_told(
    air: World, broker: Broker, ingest: Ingest, tmp_path: Path
) -> None:
    """All are answered, and not as they should be: 1, with the first reason."""
    ingest.start()
    options = ("--dataset", "nowhere", "--count", "5", "--rate", "100")
    with Simulator(tmp_path / "list", broker.url_of("gateway"), *options) as simulator:
        assert simulator.wait() == 1
    assert "5 answers are not as they should be, first sim-" in simulator.said()
    assert "All 5 readings are answered: 0 accepted, 5 refused." in simulator.said()


NATURAL = {
    "alink": ("/sys/a1Product/{source}/thing/event/property/post", "reply"),
    "iotda": ("$oc/devices/{source}/sys/properties/report", "response"),
    "sensorthings": ("v1.1/Datastreams({source})/Observations", "response"),
    "ngsi-ld": ("orion/ld", "response"),
    "chirpstack": ("application/x/device/{source}/event/up", "fixed"),
}


def test_formats_go_by_their_platforms_own_topics(air: World, tmp_path: Path) -> None:
    """With `_reply`, below a topic that all share, beside one with `$` in front, a fixed one."""
    acl = "user notary\ntopic readwrite #\ntopic readwrite $oc/#\n\n"
    acl += "user gateway\ntopic readwrite #\ntopic readwrite $oc/#\n"
    plans = {
        name: ("--dataset", "air", "--format", name, "--topic", topic, "--acceptances", acceptances)
        for name, (topic, acceptances) in NATURAL.items()
    }
    feeds = "\n".join(feeds_for(*plan) for plan in plans.values())
    users = {"notary": "n", "gateway": "g"}
    with (
        Broker.open(tmp_path / "own", users=users, acl=acl) as own,
        Ingest(air, own.url, tmp_path, feeds).start(),
    ):
        more = ("--gateways", "2", "--rate", "50", "--count", "6", "--patience", "20")
        running = [
            Simulator(tmp_path / name, own.url_of("gateway"), *plan, *more, "--seed", str(number))
            for number, (name, plan) in enumerate(plans.items())
        ]
        for simulator in running:
            assert simulator.wait() == 0, simulator.said()
    check_list_against_records(air, [one for simulator in running for one in simulator.list()])
