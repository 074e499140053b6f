# SPDX-License-Identifier: Apache-2.0
"""TLS to a real broker: whom we trust, and who we are. Nothing may switch the checks off."""

import fcntl
import os
import pty
import ssl
import subprocess
import sys
import termios
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from iot_ingest.brokers import Broker, BrokerRefused
from iot_ingest.mqtt import Subscriber
from iot_ingest.mqtt_publish import Publisher
from iot_ingest.outgoing import BrokerAway, Letter
from tests.iot_ingest.certificates import Authority, TlsBroker
from tests.iot_ingest.support import publish, wait_for
from tests.iot_ingest.test_subscriber import Heard

pytestmark = pytest.mark.needs("mosquitto")
FILTER = "notary/v1/#"
TOPIC = "notary/v1/a/s/up"


@pytest.fixture
def ours() -> Authority:
    """Whom we trust."""
    return Authority("ours")


@pytest.fixture
def server(ours: Authority, tmp_path: Path) -> Iterator[TlsBroker]:
    """A broker with a good certificate."""
    with TlsBroker(tmp_path / "broker", ours.issue("127.0.0.1")) as running:
        yield running


def subscriber(broker: Broker, heard: Heard) -> Subscriber:
    """A connection as the ingest process makes it."""
    return Subscriber(broker.url, "city-notary", [(FILTER, 1)], heard, 65_535, tls=broker.tls())


def refusal(broker: Broker) -> str:
    """Why a broker is not connected to, by the subscriber and by the publisher alike."""
    made = subscriber(broker, Heard())
    made.start()
    try:
        wait_for(lambda: made.problem not in (None, "not connected yet"))
        said = str(made.problem)
        assert made.connected is made.subscribed is False
    finally:
        made.stop()
    with pytest.raises(BrokerAway):
        Publisher(broker.url, "x", broker.tls()).deliver([Letter(TOPIC, b"1", None)])
    return said


def test_messages_come_over_a_verified_connection(server: TlsBroker, ours: Authority) -> None:
    """Many, faster than one read takes them, each once; and answers go out the same way."""
    broker, heard = Broker("b", server.url, ca_file=ours.file), Heard()
    reader = subscriber(broker, heard)
    reader.start()
    wait_for(lambda: reader.subscribed)
    publish(server.plain, [(TOPIC, b"%d" % n + b"x" * (n % 700)) for n in range(5000)])
    wait_for(lambda: len(heard) == 5000)
    reader.acknowledge(heard.tickets())
    reader.stop()
    assert [one.payload.rstrip(b"x") for one in heard] == [b"%d" % n for n in range(5000)]
    again = Heard()
    reader = subscriber(broker, again)
    reader.start()
    wait_for(lambda: reader.subscribed)
    publish(server.plain, [(TOPIC, b"last")])
    wait_for(lambda: len(again) == 1)
    reader.stop()
    assert again.payloads == [b"last"]


def test_a_certificate_of_an_unknown_authority_is_refused(
    server: TlsBroker, ours: Authority
) -> None:
    """Neither the system's authorities nor another's know it; the password is never sent."""
    for stranger in (None, Authority("stranger").file):
        said = refusal(Broker("b", server.url, ca_file=stranger))
        assert "its certificate is refused" in said
        assert "n@" not in said
    assert "u'notary'" not in server.plain.log.read_text()


def test_a_certificate_for_another_name_is_refused(ours: Authority, tmp_path: Path) -> None:
    """Though whom we trust signed it: the name's owner is somebody else."""
    with TlsBroker(tmp_path / "broker", ours.issue("other.example")) as server:
        said = refusal(Broker("b", server.url, ca_file=ours.file))
    assert "its certificate is refused" in said
    assert "mismatch" in said


def test_a_certificate_that_has_ended_is_refused(ours: Authority, tmp_path: Path) -> None:
    """Since yesterday."""
    certificate = ours.issue("127.0.0.1", lasts=-timedelta(days=1))
    with TlsBroker(tmp_path / "broker", certificate) as server:
        assert "has expired" in refusal(Broker("b", server.url, ca_file=ours.file))


def test_a_broker_may_demand_our_certificate(ours: Authority, tmp_path: Path) -> None:
    """None, or one of another authority: refused with the reason; ours: let in."""
    clients = Authority("clients")
    with TlsBroker(tmp_path / "broker", ours.issue("127.0.0.1"), clients) as server:
        assert "required" in refusal(Broker("b", server.url, ca_file=ours.file))
        wrong = Authority("other").issue("notary.example")
        said = refusal(Broker("b", server.url, None, ours.file, *wrong))
        assert "unknown ca" in said
        good = Broker("b", server.url, None, ours.file, *clients.issue("notary.example"))
        heard = Heard()
        reader = subscriber(good, heard)
        reader.start()
        wait_for(lambda: reader.subscribed)
        publisher = Publisher(good.url, "x", good.tls())
        assert publisher.deliver([Letter(TOPIC, b"1", None)]) == 0
        wait_for(lambda: len(heard) == 1)
        publisher.leave()
        reader.stop()


def test_a_port_without_tls_is_no_broker_for_mqtts(server: TlsBroker, ours: Authority) -> None:
    """It doesn't fall back, and the other way round nothing is said in clear."""
    plain = f"mqtts://notary:n@127.0.0.1:{server.plain.port}"
    assert "can't be reached" in refusal(Broker("b", plain, ca_file=ours.file))
    refusal(Broker("b", server.url.replace("mqtts", "mqtt")))
    assert "u'notary'" not in server.plain.log.read_text()


def test_the_context_verifies_whatever_the_files(ours: Authority) -> None:
    """The host's name and the chain, TLS 1.2 at least."""
    for broker in (
        Broker("b", "mqtts://h"),
        Broker("b", "mqtts://h", ca_file=ours.file),
        Broker("b", "mqtts://h", None, ours.file, *ours.issue("x")),
    ):
        context = broker.tls()
        assert context is not None
        assert context.check_hostname is True
        assert context.verify_mode is ssl.CERT_REQUIRED
        assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
    assert Broker("b", "mqtt://h").tls() is None
    assert Broker("b", "mqtts://h", ca_file=ours.file).tls().cert_store_stats()["x509"] == 1  # type: ignore[union-attr]


def test_a_key_with_a_pass_phrase_is_refused_and_nobody_is_asked(ours: Authority) -> None:
    """Not even where there is a terminal, at which somebody could be."""
    certificate, key = ours.issue("x", word=b"word")
    with pytest.raises(BrokerRefused, match=r"client_cert .* with client_key"):
        Broker("b", "mqtts://h", None, ours.file, certificate, key).tls()
    program = (
        "from pathlib import Path; from iot_ingest.brokers import Broker; import sys; "
        "print(Broker('b', 'mqtts://h', None, *map(Path, sys.argv[1:])).faults())"
    )
    ours_, theirs = pty.openpty()
    child = subprocess.Popen(
        [sys.executable, "-c", program, ours.file, certificate, key],
        stdin=theirs,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    try:
        said, _ = child.communicate(timeout=120)
    finally:
        child.kill()
        os.close(ours_)
        os.close(theirs)
    assert "client_key" in said
