# SPDX-License-Identifier: Apache-2.0
"""
Readings that gateways publish become records, once each, whatever is killed meanwhile.

A real broker, a real database, the ingest process as `notary ingest` runs it.
"""

import json
import random
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from notary.local.broker import Broker
from notary.local.postgres import Postgres
from notary.local.weather import Observation
from tests.iot_ingest.support import (
    Ingest,
    check_exactly_once,
    count_records,
    publish,
    quarantined,
    records,
    wait_for,
)
from tests.usecases.world import World, fresh_seed

pytestmark = pytest.mark.needs("mosquitto")
DATASET = "weather"


def readings(count: int, seed: int = 0, sources: int = 9) -> list[Observation]:
    """Made-up readings with a time and an id each, no two of them equal."""
    dice = random.Random(seed)
    return [
        Observation(
            f"s{dice.randrange(sources)}",
            json.dumps(
                {"time": f"2031-01-01T00:00:{i % 60:02d}Z", "id": f"{seed}-{i}", "v": i / 8}
            ).encode(),
        )
        for i in range(count)
    ]


def messages(observations: list[Observation]) -> Iterator[tuple[str, bytes]]:
    """On the notary's own topics."""
    for one in observations:
        yield f"notary/v1/{DATASET}/{one.station}/up", one.payload


def pairs(observations: list[Observation]) -> list[tuple[str, bytes]]:
    """(source, payload)."""
    return [(one.station, one.payload) for one in observations]


@pytest.fixture
def weather(world: World) -> World:
    """A notary with an open dataset."""
    world.dataset(DATASET, lane_count=4)
    return world


@pytest.fixture
def ingest(weather: World, broker: Broker, tmp_path: Path) -> Iterator[Ingest]:
    """The process, not yet started."""
    with Ingest(weather, broker.url, tmp_path) as process:
        yield process


def test_published_readings_become_records(weather: World, broker: Broker, ingest: Ingest) -> None:
    """In the order of each source, n without a gap, and the process says so of itself."""
    ingest.start()
    sent = readings(3000)
    publish(broker, messages(sent))
    wait_for(lambda: ingest.facts().get("accepted") == 3000)
    check_exactly_once(weather, DATASET, pairs(sent))
    found = [(row[0], row[4]) for row in records(weather, DATASET)]
    assert found == sorted(pairs(sent), key=lambda one: one[0])
    facts = ingest.facts()
    assert facts["connected"] is facts["subscribed"] is True
    assert (facts["queue_depth"], facts["quarantined"], facts["problem"]) == (0, 0, None)
    assert facts["last_message_at"]
    assert (weather.parts.settings.state / "ingest-city-notary.alive").exists()


def test_strings_that_break_end_in_quarantine_and_their_neighbours_in_the_log(
    weather: World, broker: Broker, ingest: Ingest
) -> None:
    """Each between two good readings; an unknown dataset and a bad source too."""
    topic = f"notary/v1/{DATASET}/s/up"
    bad = [
        (topic, b'{"id":"\\ud800"}', "bad-value"),
        (topic, b'{"id":"\\u0000"}', "bad-value"),
        (topic, b'{"id":"\0"}', "not-json"),
        (topic, b'{"v":' + b"9" * 5000 + b"}", "bad-value"),
        (topic, b"[" * 200_000, "too-deep"),
        (topic, b'{"v":1e400}', "bad-value"),
        (topic, b"\xff\xfe", "not-utf-8"),
        (topic, b"", "not-json"),
        (topic, b'{"v":"' + b"x" * 300_000 + b'"}', "too-large"),
        ("notary/v1/nowhere/s/up", b"{}", "unknown-dataset"),
        (f"notary/v1/{DATASET}/a b/up", b"{}", "bad-topic"),
        (f"notary/v1/{DATASET}/\U0001f600/up", b"{}", "bad-topic"),
    ]
    good = readings(len(bad) + 1)
    mixed = [next(messages(good[:1]))]
    for (where, payload, _), one in zip(bad, good[1:], strict=True):
        mixed += [(where, payload), next(messages([one]))]
    ingest.start()
    publish(broker, mixed)
    wait_for(lambda: ingest.facts().get("quarantined") == len(bad))
    check_exactly_once(weather, DATASET, pairs(good))
    kept = [(row[1], row[4], row[3]) for row in quarantined(weather)]
    assert sorted(kept) == sorted((where, payload[:65_536], why) for where, payload, why in bad)
    assert "Traceback" not in ingest.said()
    assert ingest.stop() == 0


def test_nothing_of_payloads_keys_or_passwords_is_in_the_log(
    weather: World, broker: Broker, ingest: Ingest
) -> None:
    """Neither of good readings nor of bad ones."""
    ingest.start()
    topic = f"notary/v1/{DATASET}/s/up"
    publish(broker, [(topic, b'{"id":"tell-nobody"}'), (topic, b'{"id":"tell-nobody"')])
    wait_for(lambda: ingest.facts().get("messages") == 2)
    assert ingest.stop() == 0
    said = ingest.said()
    assert "tell-nobody" not in said
    assert broker.url.split(":")[2].split("@")[0] not in said
    for line in said.splitlines():
        assert json.loads(line)["process"] == "ingest"


def test_a_closed_datasets_times_and_ids_stay_out_of_what_outlives_an_erasure(
    weather: World, broker: Broker, tmp_path: Path
) -> None:
    """They find duplicates and stand in no record, unless the feed says that they may."""
    closed = weather.dataset(None)
    feeds = "".join(
        f'[[feeds]]\nname = "{name}"\nfilter = "notary/v1/{name}/+"\ncodec = "json"\n'
        f'sources = "open"\ntemplate = "notary/v1/{name}/{{source}}"\ndataset = "{closed}"\n'
        f'observed = "time"\nkey = "id"\nkeeps_names = {keeps}\n'
        for name, keeps in (("quiet", "false"), ("named", "true"))
    )
    body = b'{"time":"12:00","id":"k1"}'
    with Ingest(weather, broker.url, tmp_path, feeds).start() as ingest:
        for _ in range(2):
            publish(broker, [("notary/v1/quiet/a", body), ("notary/v1/named/b", body)])
        wait_for(lambda: ingest.facts().get("duplicates") == 2)
    found = [(row[0], row[5], row[6]) for row in records(weather, closed)]
    assert found == [("a", None, None), ("b", "k1", "12:00")]


def test_asked_to_leave_it_finishes_what_it_has(
    weather: World, broker: Broker, ingest: Ingest
) -> None:
    """What it didn't take waits at the broker for the next one; what it took doesn't come again."""
    sent = readings(6000)
    ingest.start()
    publisher = threading.Thread(target=publish, args=(broker, messages(sent)))
    publisher.start()
    wait_for(lambda: count_records(weather, DATASET) > 500)
    assert ingest.stop() == 0
    last = json.loads(ingest.said().splitlines()[-1])
    assert last["event"] == "left"
    assert last["queue_depth"] == 0
    assert last["accepted"] == count_records(weather, DATASET)
    publisher.join()
    ingest.start()
    wait_for(lambda: count_records(weather, DATASET) == len(sent))
    wait_for(lambda: ingest.facts().get("accepted") == len(sent) - last["accepted"])
    assert ingest.facts()["duplicates"] == 0
    check_exactly_once(weather, DATASET, pairs(sent))


def test_killed_at_random_moments_nothing_is_lost_and_nothing_doubled(
    weather: World, broker: Broker, ingest: Ingest, long: bool
) -> None:
    """Kill -9 in the middle of a replay, again and again; then batches, log and audit agree."""
    seed = fresh_seed()
    print(f"NOTARY_TEST_SEED={seed}")
    dice = random.Random(seed)
    lives, each = (50, 2000) if long else (6, 2000)
    sent = readings(lives * each, seed)
    cut_off = 0
    for life in range(lives):
        part = sent[life * each : (life + 1) * each]
        ingest.start(wait=life == 0)
        publisher = threading.Thread(target=publish, args=(broker, messages(part)))
        publisher.start()
        goal = count_records(weather, DATASET) + dice.randrange(1, each // 2)
        wait_for(lambda goal=goal: count_records(weather, DATASET) >= goal)  # type: ignore[misc]
        ingest.kill()
        publisher.join()
        cut_off += count_records(weather, DATASET) < (life + 1) * each
    assert cut_off  # else nothing was tried
    ingest.start()
    wait_for(lambda: count_records(weather, DATASET) >= len(sent))
    wait_for(lambda: ingest.facts().get("queue_depth") == 0)
    assert ingest.stop() == 0
    check_exactly_once(weather, DATASET, pairs(sent))
    weather.settle()
    assert weather.audit().findings == ()


def test_a_broker_that_is_restarted_under_load_costs_only_time(
    weather: World, broker: Broker, ingest: Ingest
) -> None:
    """Stopped in order it keeps its sessions; the process comes back by itself."""
    ingest.start()
    sent = readings(6000)
    publisher = threading.Thread(target=publish, args=(broker, messages(sent)))
    publisher.start()
    for goal in (1000, 3000):
        wait_for(lambda goal=goal: count_records(weather, DATASET) >= goal)  # type: ignore[misc]
        broker.restart()
    publisher.join()
    wait_for(lambda: count_records(weather, DATASET) == len(sent))
    check_exactly_once(weather, DATASET, pairs(sent))


def test_a_database_restarted_under_load_costs_only_time(tmp_path: Path, broker: Broker) -> None:
    """Stopped in order, then killed: nothing lost, no key doubled."""
    tmp_path.chmod(0o755)
    with Postgres.open(tmp_path / "postgres") as server:
        world = World.make(tmp_path, server.url)
        world.dataset(DATASET, lane_count=4)
        with Ingest(world, broker.url, tmp_path).start() as ingest:
            sent = readings(8000)
            publisher = threading.Thread(target=publish, args=(broker, messages(sent)))
            publisher.start()
            wait_for(lambda: count_records(world, DATASET) > 500)
            server.restart()
            wait_for(lambda: count_records(world, DATASET) > 2500)
            server.kill()
            server.start()
            publisher.join()
            wait_for(lambda: count_records(world, DATASET) >= len(sent))
            wait_for(lambda: ingest.facts().get("queue_depth") == 0)
            assert ingest.stop() == 0
        check_exactly_once(world, DATASET, pairs(sent))
        world.close()


def test_it_waits_for_a_broker_that_is_not_there_yet(
    weather: World, broker: Broker, ingest: Ingest
) -> None:
    """And says what it waits for."""
    broker.kill()
    ingest.start(wait=False)
    wait_for(lambda: "can't be reached" in str(ingest.facts().get("problem")))
    broker.start()
    sent = readings(10)
    wait_for(lambda: ingest.facts().get("subscribed") is True)
    publish(broker, messages(sent))
    wait_for(lambda: count_records(weather, DATASET) == len(sent))


def test_a_wrong_password_is_said_and_not_shown(
    weather: World, broker: Broker, tmp_path: Path
) -> None:
    """The broker's refusal stands in the heartbeat."""
    address = broker.url.rsplit("@", 1)[1]
    with Ingest(weather, f"mqtt://notary:not-the-word@{address}", tmp_path) as ingest:
        ingest.start(wait=False)
        wait_for(lambda: "refused the connection" in str(ingest.facts().get("problem")))
        assert "not-the-word" not in ingest.said()
        assert ingest.facts()["subscribed"] is False


def test_two_processes_of_their_own_feeds_share_a_dataset(
    weather: World, broker: Broker, tmp_path: Path
) -> None:
    """Their sources lie in the same lanes; no record is lost, no chain has a gap."""
    sent = readings(4000, sources=40)
    processes = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        feeds = (
            f'[[feeds]]\nname = "{name}"\nfilter = "notary/v1/{name}/+"\ncodec = "json"\n'
            f'sources = "open"\ntemplate = "notary/v1/{name}/{{source}}"\n'
            f'dataset = "{DATASET}"\nkey = "id"\n'
        )
        other = Ingest(weather, broker.url, tmp_path / name, feeds)
        other.env["NOTARY_MQTT_CLIENT_ID"] = f"notary-{name}"
        processes.append(other)
    with processes[0].start(), processes[1].start():
        topics = [
            (f"notary/v1/{'ab'[int(one.station[1:]) % 2]}/{one.station}", one.payload)
            for one in sent
        ]
        publish(broker, topics)
        wait_for(lambda: count_records(weather, DATASET) == len(sent))
    check_exactly_once(weather, DATASET, pairs(sent))
    found = [(row[0], row[4]) for row in records(weather, DATASET)]
    assert found == sorted(pairs(sent), key=lambda one: one[0])


def test_processes_that_share_a_subscription_lose_and_double_nothing(
    weather: World, broker: Broker, tmp_path: Path
) -> None:
    """
    The broker deals messages out (MQTT 5 section 4.8.2); one process leaves in between and
    comes back: what was dealt to it meanwhile waits for it, under its client id.
    """
    sent = readings(4000, sources=40)
    feed = (
        f'[[feeds]]\nname = "shared"\nfilter = "$share/city/notary/v1/{DATASET}/+/up"\n'
        'codec = "json"\nsources = "open"\nkey = "id"\n'
        'template = "notary/v1/{dataset}/{source}/up"\n'
    )
    processes = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        other = Ingest(weather, broker.url, tmp_path / name, feed)
        other.env["NOTARY_MQTT_CLIENT_ID"] = f"notary-{name}"
        processes.append(other)
    parts = [sent[:1500], sent[1500:2500], sent[2500:]]
    with processes[0].start(), processes[1].start():
        publish(broker, messages(parts[0]))
        wait_for(lambda: count_records(weather, DATASET) == 1500)
        assert processes[1].stop() == 0
        publish(broker, messages(parts[1]))
        wait_for(lambda: count_records(weather, DATASET) > 1500)
        processes[1].start()
        publish(broker, messages(parts[2]))
        wait_for(lambda: count_records(weather, DATASET) == len(sent))
        shares = [process.facts().get("accepted") for process in processes]
    assert all(isinstance(share, int) and share > 100 for share in shares)
    check_exactly_once(weather, DATASET, pairs(sent))
