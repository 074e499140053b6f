# SPDX-License-Identifier: Apache-2.0
"""A gateway's connection to a real broker."""

from pathlib import Path
from queue import SimpleQueue

import pytest

from iot_simulator.formats import alone
from iot_simulator.listing import Sent
from iot_simulator.mqtt import (
    Acknowledged,
    Broker,
    Connected,
    Connection,
    Event,
    Heard,
    Lost,
    find_broker,
)
from notary.core.errors import MalformedText
from notary.local.broker import Broker as RealBroker
from tests.iot_ingest.certificates import Authority, TlsBroker
from tests.iot_ingest.devices import device

UP, DOWN = "notary/v1/air/sim-7-0/up", "notary/v1/air/sim-7-0/down"
SENT = Sent("sim-7-0/3", "json", UP, alone(b"{}", "sim-7-0", None, None))


def connection(broker: RealBroker, events: SimpleQueue[Event], run: str = "r1") -> Connection:
    """Of gateway sim-7-0."""
    found = find_broker(broker.url_of("gateway"), None, None, None)
    return Connection(found, "sim-7-0", DOWN, run, events.put)


@pytest.mark.needs("mosquitto")
def test_nothing_is_sent_on_a_connection_before_it_is_taken_note_of(broker: RealBroker) -> None:
    """Else what was sent on it would be taken for what an earlier one may have lost."""
    events: SimpleQueue[Event] = SimpleQueue()
    one = connection(broker, events)
    one.start()
    assert events.get(timeout=60) == Connected()
    assert not one.ready
    one.opened()
    assert one.ready
    one.publish(SENT)
    acknowledged = events.get(timeout=60)
    assert isinstance(acknowledged, Acknowledged)
    assert acknowledged.taken
    assert one.acknowledged(acknowledged.mid) == SENT.id
    assert one.acknowledged(acknowledged.mid) is None
    one.stop(for_good=True)


@pytest.mark.needs("mosquitto")
def test_answers_wait_in_the_session_and_those_to_an_earlier_run_are_passed_over(
    broker: RealBroker,
) -> None:
    """What the broker kept while nobody was there comes first."""
    events: SimpleQueue[Event] = SimpleQueue()
    one = connection(broker, events)
    one.start()
    assert events.get(timeout=60) == Connected()
    one.stop(for_good=False)
    with device(broker.url, "nothing") as notary:
        for correlation in (b"r0/sim-7-0/3", b"sim-7-0/3", b"r1/sim-7-1/3", None, b"\xff",
                            b"r1/sim-7-0/3"):  # fmt: skip
            notary.send(DOWN, b"answer", None, correlation)
    later = connection(broker, events)
    later.start()
    found = [events.get(timeout=60) for _ in range(2)]
    assert Connected() in found
    assert Heard("sim-7-0/3", b"answer") in found
    later.stop(for_good=True)
    with device(broker.url, "nothing") as notary:
        notary.send(DOWN, b"answer", None, b"r1/sim-7-0/4")
    fresh: SimpleQueue[Event] = SimpleQueue()  # the broker may still have served `later`
    last = connection(broker, fresh)
    last.start()
    assert fresh.get(timeout=60) == Connected()
    assert fresh.empty()
    last.stop(for_good=True)


@pytest.mark.needs("mosquitto")
def test_a_broker_s_certificate_is_verified(tmp_path: Path) -> None:
    """By the authorities that are named: another's broker gets nothing."""
    ours, other = Authority("ours"), Authority("other")
    events: SimpleQueue[Event] = SimpleQueue()
    with TlsBroker(tmp_path / "broker", ours.issue("127.0.0.1")) as server:
        for authority, goes in ((ours, True), (other, False)):
            broker = find_broker(server.url, authority.file, None, None)
            one = Connection(broker, "sim-7-0", None, "r1", events.put)
            one.start()
            event = events.get(timeout=60)
            one.stop(for_good=True)
            assert (event == Connected()) is goes
            assert goes or (isinstance(event, Lost) and "can't be reached: " in event.why)


@pytest.mark.parametrize(
    "url",
    ["", "mqtt://", "http://h", "mqtt://u:secret@h:99999", "mqtt://u:secret@h:x", "mqtt://h/path",
     "h:1883", "mqtt://[secret"],
)  # fmt: skip
def test_what_is_no_address_is_refused_and_not_shown(url: str) -> None:
    """It may hold a password."""
    with pytest.raises(MalformedText) as refused:
        find_broker(url, None, None, None)
    assert "secret" not in refused.value.detail


def test_an_address_says_who_comes_and_by_which_port() -> None:
    """Special characters are written as % and two digits."""
    found = find_broker("mqtt://a%40b:c%2F@h", None, None, None)
    assert found == Broker("h", 1883, "a@b", "c/", None)
    assert find_broker("mqtt://h:99", None, None, None)[:4] == ("h", 99, None, None)
    secure = find_broker("mqtts://h", None, None, None)
    assert secure.port == 8883
    assert secure.tls is not None
    assert secure.tls.check_hostname


def test_certificates_that_can_t_be_used_are_a_sentence(tmp_path: Path) -> None:
    """No traceback, and no connection without them."""
    (tmp_path / "no.pem").write_text("no certificate")
    for files in ((tmp_path / "none.pem", None, None), (tmp_path / "no.pem", None, None),
                  (None, tmp_path / "no.pem", tmp_path / "no.pem")):  # fmt: skip
        with pytest.raises(MalformedText, match="can't be used"):
            find_broker("mqtts://h", *files)
