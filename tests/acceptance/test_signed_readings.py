# SPDX-License-Identifier: Apache-2.0
"""
Devices sign, a broker carries it, statements say it: from the key to the verified receipt.

A real broker, a real database, the ingest process as `notary ingest` runs it.
"""

import json
from pathlib import Path
from urllib.parse import urlsplit

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from notary.core.receipt import verify_receipt
from notary.core.statement import parse_statement
from notary.local.broker import Broker
from notary.usecases import sources
from notary.usecases.sources import NewSource
from notary.wiring import clock
from tests.iot_ingest.signing import ED2, ED_KEY, ES, ES_KEY, MAC_KEY, cose, jws, mac
from tests.iot_ingest.support import Ingest, open_broker, quarantined, wait_for
from tests.usecases.world import World

pytestmark = pytest.mark.needs("mosquitto")
FEEDS = "".join(
    f'[[feeds]]\nname = "{way}"\nfilter = "{way}/+"\ntemplate = "{way}/{{source}}"\n'
    f'dataset = "air"\ncodec = "json"\nkey = "id"\nsignature = "require"\nsigned_by = "{way}"\n'
    for way in ("jws", "hmac", "cose")
)
Signed = tuple[str, bytes, tuple[tuple[str, str], ...]]


def publish(broker: Broker, messages: list[Signed]) -> None:
    """Publish at QoS 1 with user properties; the broker has all when this returns."""
    place = urlsplit(broker.url_of("gateway"))
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
    client.username_pw_set(place.username, place.password)
    client.connect(place.hostname or "", place.port or 1883)
    client.loop_start()
    for topic, payload, told in messages:
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        for pair in told:
            properties.UserProperty = pair
        client.publish(topic, payload, qos=1, properties=properties).wait_for_publish(60)
    client.disconnect()
    client.loop_stop()


def signed(topic: str, payload: bytes, way: str) -> Signed:
    """A message as a device with the keys of `s1` signs it."""
    if way == "jws":
        return topic, payload, (("jws", jws(topic, payload)),)
    if way == "es256":
        return topic, payload, (("jws", jws(topic, payload, ES, "es-1")),)
    if way == "hmac":
        return topic, payload, (("hmac", mac(topic, payload)), ("key", "mac-1"))
    return topic, cose(topic, payload), ()


def test_signed_readings_become_records_that_name_the_key_and_forged_ones_do_not(
    world: World, tmp_path: Path
) -> None:
    """By every kind of signature; forged, replayed elsewhere, unsigned, from a stranger."""
    world.dataset("air")
    keys = (ED_KEY, ES_KEY, MAC_KEY)
    new = [NewSource("s1", "Harbour", keys), NewSource("s2", None, keys)]
    secret = world.parts.instance_secret()
    sources.register(world.pool, secret, world.datasets["air"], new, clock())
    good = [
        signed("jws/s1", b'{"id":"1"}', "jws"),
        signed("jws/s1", b'{"id":"2"}', "es256"),
        signed("hmac/s1", b'{"id":"3"}', "hmac"),
        signed("cose/s1", b'{"id":"4"}', "cose"),
    ]
    forged: list[Signed] = [
        ("jws/s1", b'{"id":"5"}', ()),
        ("jws/s1", b'{"id":"6"}', (("jws", jws("jws/s1", b'{"id":"6"}', ED2)),)),
        ("jws/s2", good[0][1], good[0][2]),
        ("jws/s1", b'{"id":"7"}', good[0][2]),
        ("hmac/s2", good[2][1], good[2][2]),
        ("cose/s2", good[3][1], ()),
        signed("jws/s3", b'{"id":"8"}', "jws"),
    ]
    with (
        open_broker(tmp_path / "broker") as broker,
        Ingest(world, broker.url_of("notary"), tmp_path, FEEDS) as ingest,
    ):
        ingest.start()
        publish(broker, [*good, *forged, good[0]])
        wait_for(lambda: ingest.facts().get("messages") == len(good) + len(forged) + 1)
        facts = ingest.facts()
    assert (facts["accepted"], facts["duplicates"], facts["quarantined"]) == (4, 1, 7)
    reasons = sorted(row[3] for row in quarantined(world))
    assert reasons == [*["bad-signature"] * 5, "unknown-source", "unsigned"]
    world.settle()
    assert world.audit().findings == ()
    said = []
    for n in range(4):
        text = world.prover().receipt("air", "s1", n, caller=None).text
        verify_receipt(text, world.parts.trust())
        said.append(parse_statement(json.loads(text)["statement"]).by)
    assert said == ["key:ed-1", "key:es-1", "key:mac-1", "key:ed-1"]
