# SPDX-License-Identifier: Apache-2.0
"""The broker's address. The connection itself is tested with a real broker, in acceptance."""

import pytest

from iot_ingest.brokers import BrokerRefused, read_url
from iot_ingest.mqtt import Subscriber


@pytest.mark.parametrize(
    ("url", "read"),
    [
        ("mqtt://127.0.0.1", ("127.0.0.1", 1883, False, None, None)),
        ("mqtts://broker.example", ("broker.example", 8883, True, None, None)),
        ("mqtt://u:p@h:1234/", ("h", 1234, False, "u", "p")),
        ("mqtt://u%40x:p%2F%3A@h:1", ("h", 1, False, "u@x", "p/:")),
        ("mqtt://u@[::1]:5", ("::1", 5, False, "u", None)),
    ],
)
def test_an_address_is_read(url: str, read: tuple[object, ...]) -> None:
    """With TLS or without, with name and password or without."""
    assert read_url(url) == read


@pytest.mark.parametrize(
    "url",
    [
        "",
        "127.0.0.1:1883",
        "http://u:secret@h",
        "mqtt://",
        "mqtt://u:secret@",
        "mqtt://u:secret@h:99999",
        "mqtt://u:secret@h:x",
        "mqtt://u:secret@h/path",
        "mqtt://u:sec/ret@h",
        "mqtt://[::1",
    ],
)
def test_another_address_is_refused_without_being_shown(url: str) -> None:
    """The sentence tells what is right, never the password."""
    with pytest.raises(BrokerRefused) as refused:
        read_url(url)
    said = str(refused.value) + str(refused.value.facts)
    assert "secret" not in said
    assert "sec/ret" not in said


def test_acknowledging_without_a_connection_does_nothing() -> None:
    """Tickets of nowhere, of an earlier connection, or none at all."""
    subscriber = Subscriber("mqtt://127.0.0.1:1", "test", [("a", 1)], lambda one: True, 10)
    subscriber.acknowledge([])
    subscriber.acknowledge([None, "x", (0, 1)])
    assert subscriber.connected is False
    assert subscriber.problem
