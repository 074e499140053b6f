# SPDX-License-Identifier: Apache-2.0
"""From the outbox to devices, through a real broker that is refused, away, killed or slow."""

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import timedelta

import pytest

from iot_ingest import answering as module
from iot_ingest.answering import Answering
from iot_ingest.mqtt_publish import Publisher
from iot_ingest.outgoing import BrokerAway, Letter, Way
from notary.local.broker import Broker
from notary.store.errors import StoreUnavailable
from notary.usecases.outbox import Answer, Outbox, OutboxReader
from notary.usecases.reading import Address, Asked, Reading
from tests.iot_ingest.devices import device
from tests.iot_ingest.support import wait_for
from tests.usecases.world import World

pytestmark = pytest.mark.needs("mosquitto")
DOWN = "notary/v1/air/s/down"


@pytest.fixture
def publisher(broker: Broker) -> Iterator[Publisher]:
    """Not yet connected."""
    made = Publisher(broker.url, "city-notary-answers")
    yield made
    made.leave()


def letters(count: int, topic: str = DOWN) -> list[Letter]:
    """Numbered ones."""
    return [Letter(topic, b'{"state":"%d"}' % number, b"%d" % number) for number in range(count)]


def test_letters_arrive_in_order_with_their_correlation_data(
    broker: Broker, publisher: Publisher
) -> None:
    """More than a window of them."""
    with device(broker.url_of("gateway")) as one:
        assert publisher.deliver(letters(3000)) == 0
        wait_for(lambda: len(one.heard) == 3000)
    assert [correlation for _, _, correlation in one.heard] == [b"%d" % i for i in range(3000)]
    assert one.states() == [str(i) for i in range(3000)]


def test_letters_without_correlation_data_have_none(broker: Broker, publisher: Publisher) -> None:
    """A device of MQTT 3.1.1 knows nothing of it."""
    with device(broker.url_of("gateway")) as one:
        publisher.deliver([Letter(DOWN, b'{"state":"x"}', None)])
        wait_for(lambda: one.heard == [(DOWN, {"state": "x"}, None)])


def test_what_the_access_list_forbids_is_counted_and_holds_up_nothing(broker: Broker) -> None:
    """The broker says so in its acknowledgement, and may end the connection with it."""
    users = {"notary": "n", "gateway": "g"}
    acl = "user notary\ntopic write notary/v1/+/+/down\n\nuser gateway\ntopic read #\n"
    with Broker.open(broker.folder.parent / "strict", users=users, acl=acl) as strict:
        publisher = Publisher(strict.url, "x")
        mixed = [
            one
            for number, good in enumerate(letters(20))
            for one in (Letter(f"bad/{number % 4}", b"{}", None), good)
        ]
        with device(strict.url_of("gateway")) as one:
            assert publisher.deliver(mixed) == 20
            wait_for(lambda: len({data for _, _, data in one.heard}) == 20)
        publisher.leave()


def test_a_broker_that_is_away_is_said(broker: Broker) -> None:
    """Nobody listens, the password is wrong, or it never answers."""
    wrong = broker.url.replace(broker.url.split(":")[2].split("@")[0], "wrong")
    with pytest.raises(BrokerAway, match="refused the connection"):
        Publisher(wrong, "x").deliver(letters(1))
    broker.kill()
    with pytest.raises(BrokerAway, match="can't be reached"):
        Publisher(broker.url, "x").deliver(letters(1))


def test_a_broker_that_answers_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes connections and says nothing."""
    monkeypatch.setattr("iot_ingest.mqtt_publish.CONNECT_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        publisher = Publisher(f"mqtt://127.0.0.1:{deaf.getsockname()[1]}", "x")
        with pytest.raises(BrokerAway, match="no answer"):
            publisher.deliver(letters(1))


def test_it_comes_back_after_the_broker_was_killed(broker: Broker, publisher: Publisher) -> None:
    """What was under way is published again, perhaps twice, and never lost."""
    publisher.deliver(letters(1))
    broker.kill()
    for _ in range(2):
        with pytest.raises(BrokerAway):
            publisher.deliver(letters(2))
    broker.start()
    with device(broker.url_of("gateway")) as one:
        assert publisher.deliver(letters(2)) == 0
        wait_for(lambda: len(one.heard) == 2)


def test_leaving_ends_a_delivery_that_waits(broker: Broker, publisher: Publisher) -> None:
    """A broker that stands still holds up no stop."""
    publisher.deliver(letters(1))
    assert broker.pid is not None
    failed: list[BrokerAway] = []

    def deliver() -> None:
        try:
            publisher.deliver(letters(5))
        except BrokerAway as error:
            failed.append(error)

    os.kill(broker.pid, signal.SIGSTOP)
    try:
        thread = threading.Thread(target=deliver)
        thread.start()
        time.sleep(0.3)
        publisher.leave()
        thread.join(120)
        assert not thread.is_alive()
    finally:
        os.kill(broker.pid, signal.SIGCONT)
    assert len(failed) == 1


# -- the whole way from the outbox


class Office:
    """An accepting side with an outbox, and the thread that answers."""

    def __init__(self, world: World, ways: dict[str, Way]) -> None:
        self.world = world
        self.signed: list[Answer] = []
        reader = OutboxReader(world.pool, "p", ["file"])
        self.answering = Answering(
            reader, ways, self.complete, lambda: world.now, timedelta(hours=1), 1000
        )
        self.acceptor = world.parts.acceptor(Outbox("p", self.answering.wake))
        self.reader = reader
        self.thread = threading.Thread(target=self.answering.run, daemon=True)

    def complete(self, answers: Sequence[Answer]) -> list[str]:
        """Nothing is signed here."""
        self.signed += [answer for answer in answers if answer.signed]
        return [answer.text for answer in answers]

    def accept(self, count: int = 1, first: int = 0, broker: str = "default") -> None:
        """Have readings accepted that want answers."""
        readings = [
            Reading(
                "air",
                "s",
                b"%d" % number,
                "text/plain",
                "acl",
                key=str(number),
                answer_to=Asked(Address(broker, DOWN, b"%d" % number, "air", "s"), 0),
            )
            for number in range(first, first + count)
        ]
        self.acceptor.accept_free(readings, self.world.now)

    def close(self) -> None:
        """Stop the thread."""
        self.answering.leave()
        if self.thread.ident:
            self.thread.join(120)
            assert not self.thread.is_alive()


@pytest.fixture
def office(world: World, publisher: Publisher, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    """On a real broker, with short pauses; its thread isn't started."""
    for name in ("LOOK_SECONDS", "IDLE_SECONDS", "MIN_PAUSE_SECONDS", "MAX_PAUSE_SECONDS"):
        monkeypatch.setattr(module, name, 0.05)
    world.dataset("air")
    made = Office(world, {"default": publisher})
    yield made
    made.close()


def test_a_device_hears_accepted_sealed_and_anchored(broker: Broker, office: Office) -> None:
    """In this order, each once, under the same topic and correlation data."""
    office.thread.start()
    with device(broker.url_of("gateway")) as one:
        office.accept()
        wait_for(lambda: one.states() == ["accepted"])
        office.world.seal()
        office.world.sign()
        wait_for(lambda: one.states() == ["accepted", "sealed"])
        office.world.anchor()
        wait_for(lambda: one.states() == ["accepted", "sealed", "anchored"])
        wait_for(lambda: office.reader.waiting() == 0)
    assert {(topic, correlation) for topic, _, correlation in one.heard} == {(DOWN, b"0")}
    told = office.answering.told
    assert (told.answers, told.notices, told.refused, told.dropped) == (1, 2, 0, 0)
    assert office.answering.problem is None


def test_asked_to_finish_it_tells_what_is_there(broker: Broker, office: Office) -> None:
    """All answers, however many; not the notices, which are not due."""
    office.accept(900)
    with device(broker.url_of("gateway")) as one:
        office.answering.finish()
        office.thread.start()
        office.thread.join(120)
        assert not office.thread.is_alive()
        wait_for(lambda: len(one.heard) == 900)
    assert office.reader.waiting() == 900


def test_asked_to_finish_it_waits_for_no_broker_that_is_away(
    broker: Broker, office: Office
) -> None:
    """What can't be told stays."""
    broker.kill()
    office.accept(3)
    office.answering.finish()
    office.thread.start()
    office.thread.join(120)
    assert not office.thread.is_alive()
    assert office.reader.waiting() == 3


def test_a_broker_that_is_away_holds_up_no_acceptance(broker: Broker, office: Office) -> None:
    """Answers wait in the outbox, and are told once it is back."""
    office.thread.start()
    broker.kill()
    for part in range(5):
        office.accept(100, part * 100)
    wait_for(lambda: "can't be reached" in str(office.answering.problem))
    assert office.reader.waiting() == 500
    broker.start()
    wait_for(lambda: office.answering.told.answers == 500)
    wait_for(lambda: office.answering.problem is None)


def test_what_was_published_and_not_noted_is_published_again(
    broker: Broker, office: Office
) -> None:
    """A crash between the broker's acknowledgement and our commit: twice, never not at all."""
    with device(broker.url_of("gateway")) as one:
        office.accept()
        rows = office.reader.next_rows("default", 0)
        office.answering._ways["default"].deliver(office.answering._write(rows, 0))
        wait_for(lambda: len(one.heard) == 1)
        office.thread.start()
        wait_for(lambda: len(one.heard) == 2)
    assert one.texts[0] == one.texts[1]


def test_one_broker_that_is_away_holds_up_no_other(
    broker: Broker, office: Office, publisher: Publisher
) -> None:
    """Each has rows of its own."""
    office.answering = Answering(
        office.reader,
        {"far": Publisher("mqtt://127.0.0.1:1", "far"), "default": publisher},
        office.complete,
        lambda: office.world.now,
        timedelta(hours=1),
        1000,
    )
    office.thread = threading.Thread(target=office.answering.run, daemon=True)
    office.accept(3, broker="far")
    office.accept(3, 3)
    with device(broker.url_of("gateway")) as one:
        office.thread.start()
        wait_for(lambda: len(one.heard) == 3)
    assert office.reader.waiting() == 6


def test_answers_of_a_broker_that_is_no_more_are_dropped_in_their_time(
    broker: Broker, office: Office
) -> None:
    """Nobody can deliver them; they are counted."""
    office.accept(3, broker="gone")
    office.world.pass_by(7200)
    office.thread.start()
    wait_for(lambda: office.answering.told.dropped == 3)
    assert office.reader.waiting() == 0


def test_a_fault_of_our_own_is_told_and_costs_answers_time(broker: Broker, office: Office) -> None:
    """The thread goes on."""
    heard: list[Exception] = []
    faults = [ZeroDivisionError()]
    office.answering._hear = heard.append

    def complete(answers: Sequence[Answer]) -> list[str]:
        if faults:
            raise faults.pop()
        return [answer.text for answer in answers]

    office.answering._complete = complete
    with device(broker.url_of("gateway")) as one:
        office.accept()
        office.thread.start()
        wait_for(lambda: one.states() == ["accepted"])
    assert [type(error) for error in heard] == [ZeroDivisionError]


def test_a_database_that_is_away_costs_only_time(broker: Broker, office: Office) -> None:
    """The thread says so and goes on."""
    real = office.reader.waiting
    fails = [True]

    def waiting() -> int:
        if fails:
            office.world.parts.pool.close()
            raise StoreUnavailable("gone")
        return real()

    office.reader.waiting = waiting  # type: ignore[method-assign]
    office.thread.start()
    wait_for(lambda: "store-unavailable" in str(office.answering.problem))
    fails.clear()
    wait_for(lambda: office.answering.problem is None)
