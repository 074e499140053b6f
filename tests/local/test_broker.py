# SPDX-License-Identifier: Apache-2.0
"""The broker of our own lets in who it should, keeps sessions, and leaves nothing behind."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from notary.local.broker import Broker
from notary.local.errors import FolderInUse, LocalError, PartMissing, PortTaken, StartFailed
from notary.local.knock import lets_in
from notary.local.proctable import is_running
from tests.local.support import eventually, listener, parent_of

pytestmark = pytest.mark.needs("mosquitto")

USERS = {"notary": "a: b@/%ü", "roof": "roof-word", "cellar": "cellar-word"}
ACL = """\
user notary
topic read #

user roof
topic write notary/v1/air/roof/up
topic read notary/v1/air/roof/down

user cellar
topic write notary/v1/air/cellar/up
"""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A broker of these tests' own."""
    folder = tmp_path_factory.mktemp("own") / "broker"
    with Broker.open(folder, users=USERS, acl=ACL) as broker:
        yield broker


@pytest.fixture
def server(running: Broker) -> Broker:
    """The same, running, whatever the test before has done to it."""
    running.start()
    return running


@contextmanager
def connected(
    server: Broker,
    user: str,
    heard: Callable[[MQTTMessage], None] | None = None,
    session: str = "",
    topic: str = "#",
) -> Iterator[Client]:
    """A client that is in and, when it listens, subscribed; its session is kept if named."""
    client = Client(
        CallbackAPIVersion.VERSION2,
        client_id=session,
        protocol=MQTTProtocolVersion.MQTTv5,
        manual_ack=bool(session),
    )
    client.username_pw_set(user, USERS[user])
    ready = threading.Event()
    client.on_subscribe = lambda *_: ready.set()
    client.on_connect = lambda *_: (
        client.subscribe(topic, options=SubscribeOptions(qos=1)) if heard else ready.set()
    )
    client.on_message = lambda _client, _data, message: heard(message) if heard else None
    keep = Properties(PacketTypes.CONNECT)
    keep.SessionExpiryInterval = 3600 if session else 0
    client.connect("127.0.0.1", server.port, clean_start=not session, properties=keep)
    client.loop_start()
    try:
        assert ready.wait(60)
        yield client
    finally:
        client.disconnect()
        client.loop_stop()


def publish(server: Broker, user: str, topic: str, payload: bytes) -> None:
    """Publish one message with QoS 1, and wait for the broker's answer or its refusal."""
    with connected(server, user) as client:
        client.publish(topic, payload, qos=1).wait_for_publish(60)


@pytest.mark.parametrize(
    ("user", "word"),
    [("notary", ""), ("notary", "roof-word"), ("nobody", "roof-word"), ("probe", ""), ("", "")],
)
def test_without_its_own_password_nobody_gets_in(server: Broker, user: str, word: str) -> None:
    """No anonymous clients, no user with another one's word, no probe left open."""
    assert not lets_in(server.port, user, word)


def test_every_user_gets_in_with_its_password(server: Broker) -> None:
    """Signs that are special in an address, and letters beyond ASCII, are no obstacle."""
    assert all(lets_in(server.port, user, word) for user, word in USERS.items())
    assert server.url == f"mqtt://notary:a%3A%20b%40%2F%25%C3%BC@127.0.0.1:{server.port}"


def test_a_gateway_can_not_write_for_another(server: Broker) -> None:
    """`by: acl` in a statement rests on this."""
    heard: list[bytes] = []
    with connected(server, "notary", lambda message: heard.append(message.payload)):
        publish(server, "cellar", "notary/v1/air/roof/up", b"forged")
        publish(server, "roof", "notary/v1/air/roof/up", b"own")
        assert eventually(lambda: b"own" in heard)
    assert heard == [b"own"]


def test_a_gateway_can_not_read_what_is_anothers(server: Broker) -> None:
    """Readings of a closed dataset pass through the same broker."""
    heard: list[bytes] = []
    own: list[bytes] = []
    with (
        connected(server, "cellar", lambda message: heard.append(message.payload)),
        connected(server, "notary", lambda message: own.append(message.payload)),
    ):
        publish(server, "roof", "notary/v1/air/roof/up", b"mine")
        assert eventually(lambda: own == [b"mine"])
    assert heard == []


def test_it_listens_on_loopback_only(server: Broker) -> None:
    """Another address of the same machine answers nothing."""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", server.port), timeout=5)


def test_words_and_state_are_for_their_owner_alone(server: Broker) -> None:
    """No other user of the machine can read them, and no word is written as it is."""
    for name in ("passwords", "access", "mosquitto.conf", "state"):
        assert (server.home / name).stat().st_mode & 0o077 == 0
    text = (server.home / "passwords").read_text()
    assert not any(word in text for word in USERS.values())


@pytest.mark.parametrize("user", ["a:b", "a\nb", "", "a b", "é", "x" * 65])
def test_a_name_that_would_change_the_password_file_is_refused(tmp_path: Path, user: str) -> None:
    """A line break in a name would let a second user in."""
    with pytest.raises(LocalError, match="MQTT user"):
        Broker.open(tmp_path / "broker", users={user: "word"}, acl=ACL)


def test_a_killed_broker_has_what_it_had_written(server: Broker) -> None:
    """Sessions and messages of some seconds ago survive kill -9, without being asked to."""
    with connected(server, "notary", lambda message: None, "kept"):
        pass
    publish(server, "roof", "notary/v1/air/roof/up", b"before the kill")
    state = server.home / "state" / "state.db"
    assert eventually(lambda: state.exists() and b"before the kill" in state.read_bytes())
    server.kill()
    server.start()
    heard: list[bytes] = []
    with connected(server, "notary", lambda message: heard.append(message.payload), "kept"):
        assert eventually(lambda: heard == [b"before the kill"])


def test_a_restart_keeps_address_and_sessions(server: Broker) -> None:
    """Gateways and the notary find it again where it was."""
    with connected(server, "notary", lambda message: None, "stays"):
        pass
    publish(server, "roof", "notary/v1/air/roof/up", b"before the restart")
    url = server.url
    server.restart()
    assert server.url == url
    heard: list[bytes] = []
    with connected(server, "notary", lambda message: heard.append(message.payload), "stays"):
        assert eventually(lambda: heard == [b"before the restart"])


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    """The sentence tells the port and what it was for; the folder is free again after."""
    with listener() as port:
        with pytest.raises(PortTaken, match=rf"\b{port}\b.*MQTT"):
            Broker.open(tmp_path / "broker", port, users=USERS, acl=ACL)
        with Broker.open(tmp_path / "broker", users=USERS, acl=ACL) as other:
            assert other.port != port


def test_a_broker_that_takes_the_port_in_the_last_moment_is_not_taken_for_ours(
    server: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A foreign broker would answer, and swallow the city's readings."""
    monkeypatch.setattr("notary.local.standing.require_free", lambda port, part: port)
    with pytest.raises(PortTaken, match=str(server.port)):
        Broker.open(tmp_path / "other", server.port, users=USERS, acl=ACL)


def test_a_second_run_in_the_same_folder_is_refused(server: Broker) -> None:
    """Two brokers would write one state file."""
    with pytest.raises(FolderInUse, match="in use"):
        Broker.open(server.folder, users=USERS, acl=ACL)
    assert lets_in(server.port, "roof", USERS["roof"])


def test_it_goes_with_a_killed_parent(tmp_path: Path) -> None:
    """kill -9 of `make run` must not leave a broker running."""
    more = ", users={'notary': 'word'}, acl='user notary'"
    with parent_of("broker", "Broker", tmp_path / "broker", more) as (parent, pid, _):
        parent.kill()
        assert eventually(lambda: not is_running(pid))


def test_a_broker_that_can_not_start_tells_why(tmp_path: Path) -> None:
    """The log's last lines are in the sentence."""
    with pytest.raises(StartFailed, match="no_such_setting"):
        Broker.open(tmp_path / "broker", users=USERS, acl=ACL, settings={"no_such_setting": "1"})


def test_without_mosquitto_the_sentence_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Install it, or bring a broker."""
    monkeypatch.setattr("notary.local.broker.mosquitto_program", lambda: None)
    with pytest.raises(PartMissing, match=r"install mosquitto.*NOTARY_MQTT_URL"):
        Broker.open(tmp_path / "broker", users=USERS, acl=ACL)
