# SPDX-License-Identifier: Apache-2.0
"""What is written here is read there, by other code, as what it was meant to be."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from iot_ingest.codecs import Decoded, Fault, Members, codecs
from iot_ingest.feeds import Route
from iot_ingest.feeds_file import parse_feeds
from iot_simulator.feeds import write_feeds
from iot_simulator.formats import Message, formats
from iot_simulator.formats.hj212 import check_sum
from iot_simulator.order import Chances, Order
from iot_simulator.plan import Plan
from iot_simulator.readings import Clock, Station, measure

FORMATS = formats()
STATION = Station("sim-7-0", 7)
CLOCK = Clock(datetime(2026, 3, 1, 10, 0, 0, 250_000, tzinfo=UTC), 3.0)


def message(name: str, first: int = 0, pack: int = 1, station: Station = STATION) -> Message:
    """A message of a format with readings from `first` on."""
    samples = [measure(station, first + place, CLOCK) for place in range(pack)]
    return FORMATS[name].encode(station, samples)


def packs(name: str) -> tuple[int, ...]:
    """How many readings a message may hold, for tests."""
    return (1, 2, 17) if FORMATS[name].packs else (1,)


def test_each_codec_has_a_format_and_each_format_a_codec() -> None:
    """A codec that nobody can simulate is a codec that was never seen whole."""
    assert set(FORMATS) == set(codecs())


@pytest.mark.parametrize("name", FORMATS)
def test_a_message_is_read_as_the_readings_that_are_listed(name: str) -> None:
    """By the feed that the simulator writes: source, time, key and the evidence's bytes."""
    for pack in packs(name):
        plan = Plan("air", 7, (name,), count=1, pack=pack)
        route = parse_feeds(write_feeds(plan), "notary.toml").route(plan.topic_of(0))
        assert isinstance(route, Route)
        for first in range(0, 40 * pack, pack):
            sent = message(name, first, pack)
            readings, faults = route.feed.read(route.dataset, route.source, sent.payload)
            assert faults == []
            assert [(one.source, one.observed, one.key, one.payload) for one in readings] == [
                (one.source, one.observed, one.key, one.payload) for one in sent.readings
            ]
            assert len(readings) == pack


@pytest.mark.parametrize("name", FORMATS)
def test_a_reading_has_key_or_time_unless_its_format_says_that_it_repeats(name: str) -> None:
    """Else one that is sent again would be one record more, and nobody had said so."""
    (reading,) = message(name).readings
    assert FORMATS[name].repeats == (reading.key is None and reading.observed is None)
    assert FORMATS[name].names_source == codecs()[name].names_source


@pytest.mark.parametrize("name", FORMATS)
def test_the_same_is_simulated_again_and_another_seed_another(name: str) -> None:
    """Bytes are a function of seed, station and number."""
    assert message(name, 5) == message(name, 5)
    assert message(name, 5).payload != message(name, 6).payload
    assert message(name, 5).payload != message(name, 5, station=Station("sim-8-0", 8)).payload


@pytest.mark.parametrize("name", [name for name in FORMATS if FORMATS[name].can_be_bad])
def test_spoilt_bytes_are_no_reading(name: str) -> None:
    """Each is one part, and refused, whichever way it was spoilt."""
    order, kinds = Order(Chances(bad=1), "spoil", None), set()
    for number in range(60):
        good = message(name, number)
        spoilt = order.spoil(number, good.payload)
        kinds.add(len(spoilt) > len(good.payload))
        (found,) = codecs()[name].decode(spoilt, Members("time", "id"))
        assert isinstance(found, Fault)
    assert kinds == {True, False}


def test_what_is_said_to_be_never_bad_never_is() -> None:
    """Of raw bytes any are good."""
    never = [name for name in FORMATS if not FORMATS[name].can_be_bad]
    assert never == ["raw"]
    (found,) = codecs()["raw"].decode(b"\xff", Members())
    assert isinstance(found, Decoded)


def test_no_two_readings_of_a_station_have_the_same_time() -> None:
    """Also where they come faster than milliseconds, and a source is found by its time."""
    for rate in (0.5, 7.0, 10_000.0):
        clock = Clock(CLOCK.begin, rate)
        times = [clock.time(number) for number in range(3_000)]
        assert min(later - time for time, later in pairwise(times)) >= timedelta(milliseconds=1)
        assert times[0] == CLOCK.begin


def test_readings_are_plausible() -> None:
    """A city's air, a day long."""
    clock = Clock(CLOCK.begin, 1 / 600)
    samples = [measure(STATION, number, clock) for number in range(144)]
    assert all(-10 < float(one.temperature) < 40 for one in samples)
    assert all(0 <= float(one.pm25) < 200 and 0 <= int(one.humidity) <= 100 for one in samples)
    afternoon = [float(one.temperature) for one in samples if one.time.hour in (14, 15)]
    night = [float(one.temperature) for one in samples if one.time.hour in (2, 3)]
    assert min(afternoon) > max(night) + 5


def test_the_frame_s_check_sum_is_the_standard_s() -> None:
    """Of its example (HJ 212-2017, annex A), which is 1C80."""
    segment = (
        b"QN=20160801085857223;ST=32;CN=1062;PW=100000;MN=010000A8900016F000169DC0;Flag=5;"
        b"CP=&&RtdInterval=30&&"
    )
    assert f"{check_sum(segment):04X}" == "1C80"


def test_a_station_s_times_are_beijing_s() -> None:
    """HJ 212 has no zone; 10:00 UTC is 18:00 there."""
    (reading,) = message("hj212").readings
    assert (reading.observed, reading.key) == ("20260301180000", "20260301180000250")
