# SPDX-License-Identifier: Apache-2.0
"""The queue in front of the pipeline: bounded, blocking, and it drops nothing."""

from threading import Thread

from iot_ingest.inbox import Inbox, Message

SOON = 0.2


def message(number: int, size: int = 1) -> Message:
    """A message that can be told from others."""
    return Message(str(number), b"x" * size)


def take_all(inbox: Inbox) -> list[str]:
    """The topics of what is there."""
    return [one.topic for one in inbox.take(100, 1 << 30, 0, 0)]


def blocked_put(inbox: Inbox, one: Message) -> tuple[Thread, list[bool]]:
    """Put on another thread, which must not come back by itself."""
    said: list[bool] = []
    thread = Thread(target=lambda: said.append(inbox.put([one])), daemon=True)
    thread.start()
    thread.join(SOON)
    assert thread.is_alive()
    return thread, said


def test_messages_come_out_in_the_order_in_which_they_came() -> None:
    """Up to the number asked for."""
    inbox = Inbox(10)
    for number in range(5):
        assert inbox.put([message(number)])
    assert [one.topic for one in inbox.take(3, 100, 0, 0)] == ["0", "1", "2"]
    assert take_all(inbox) == ["3", "4"]
    assert take_all(inbox) == []


def test_a_full_inbox_makes_the_sender_wait_and_loses_nothing() -> None:
    """The third message goes in when the first is out."""
    inbox = Inbox(2)
    inbox.put([message(0)])
    inbox.put([message(1)])
    thread, said = blocked_put(inbox, message(2))
    assert [one.topic for one in inbox.take(1, 100, 0, 0)] == ["0"]
    thread.join(120)
    assert said == [True]
    assert take_all(inbox) == ["1", "2"]


def test_of_two_who_wait_for_one_place_only_one_gets_it() -> None:
    """The other goes on waiting."""
    inbox = Inbox(1)
    inbox.put([message(0)])
    waiting = [blocked_put(inbox, message(number))[0] for number in (1, 2)]
    inbox.take(1, 100, 0, 0)
    for thread in waiting:
        thread.join(SOON)
    assert [thread.is_alive() for thread in waiting].count(True) == 1
    assert len(inbox) == 1
    inbox.take(1, 100, 0, 0)
    for thread in waiting:
        thread.join(120)
    assert len(take_all(inbox)) == 1


def test_bytes_are_bounded_too() -> None:
    """A few large messages are as much as many small ones."""
    inbox = Inbox(100, max_bytes=10)
    inbox.put([message(0, 9)])
    inbox.put([message(1, 9)])
    thread, said = blocked_put(inbox, message(2, 1))
    inbox.take(1, 1, 0, 0)
    thread.join(120)
    assert said == [True]


def test_a_message_larger_than_the_bound_goes_through_alone() -> None:
    """It stalls nobody for ever."""
    inbox = Inbox(100, max_bytes=10)
    assert inbox.put([message(0, 1000)])
    assert [one.topic for one in inbox.take(5, 10, 0, 0)] == ["0"]
    assert inbox.put([message(1, 5)])
    assert inbox.put([message(2, 1000)])
    assert [one.topic for one in inbox.take(5, 10, 0, 0)] == ["1"]


def test_closing_wakes_a_waiting_sender_and_keeps_what_is_there() -> None:
    """The sender learns that his message was not taken."""
    inbox = Inbox(1)
    inbox.put([message(0)])
    thread, said = blocked_put(inbox, message(1))
    inbox.close()
    thread.join(120)
    assert said == [False]
    assert inbox.put([message(2)]) is False
    assert not inbox.is_done
    assert take_all(inbox) == ["0"]
    assert inbox.is_done


def test_a_waiting_taker_is_woken_by_a_message_and_by_closing() -> None:
    """Nobody waits the whole time for what is there already."""
    inbox = Inbox(10)
    got: list[list[Message]] = []
    for wake in (lambda: inbox.put([message(7)]), inbox.close):
        thread = Thread(target=lambda: got.append(inbox.take(1, 1, 600, 0)), daemon=True)
        thread.start()
        thread.join(SOON)
        assert thread.is_alive()
        wake()
        thread.join(120)
    assert [[one.topic for one in taken] for taken in got] == [["7"], []]


def test_many_senders_and_one_taker_lose_and_double_nothing() -> None:
    """Under contention, with a small bound."""
    inbox = Inbox(3, max_bytes=50)
    count = 2000

    def send(first: int) -> None:
        for number in range(first, first + count):
            inbox.put([message(number, number % 40)])

    senders = [Thread(target=send, args=(part * count,), daemon=True) for part in range(3)]
    for sender in senders:
        sender.start()
    seen: list[int] = []
    while len(seen) < 3 * count:
        seen += [int(one.topic) for one in inbox.take(2, 60, 10, 0)]
    for part in range(3):
        own = [number for number in seen if number // count == part]
        assert own == list(range(part * count, (part + 1) * count))
    assert len(inbox) == 0
