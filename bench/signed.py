# SPDX-License-Identifier: Apache-2.0
"""What signatures of devices cost: the same messages, unsigned and signed in every way."""

import hashlib
import hmac
import json
import socket
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from bench.publisher import length, text
from bench.readings import payload
from bench.table import Figure
from bench.world import World
from notary.usecases.datasets import add_dataset
from notary.usecases.rights import Caller
from notary.usecases.sources import NewKey, NewSource, register
from notary.wiring import clock

MESSAGES, DEVICES, UNACKNOWLEDGED = 20_000, 200, 5_000
ED = Ed25519PrivateKey.generate()
ES = ec.generate_private_key(ec.SECP256R1())
SECRET = hashlib.sha256(b"bench").digest()
ED_PUBLIC = ED.public_key().public_bytes_raw()
ES_PUBLIC = ES.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
NO_PROPERTIES = b"\0"


def _b64u(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _es256(data: bytes) -> bytes:
    r, s = decode_dss_signature(ES.sign(data, ec.ECDSA(SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def _properties(**values: str) -> bytes:
    """User properties (MQTT 5 section 3.3.2.3.7)."""
    data = b"".join(b"\x26" + text(name) + text(value) for name, value in values.items())
    return length(len(data)) + data


def _jws(topic: str, body: bytes, alg: str, sign: Callable[[bytes], bytes]) -> bytes:
    head = _b64u(json.dumps({"alg": alg, "kid": "k", "topic": topic}).encode())
    return _properties(jws=f"{head}..{_b64u(sign(f'{head}.{_b64u(body)}'.encode()))}")


def _hmac(topic: str, body: bytes) -> bytes:
    data = b"hmac/1\0" + topic.encode() + b"\0\0" + body
    return _properties(hmac=hmac.new(SECRET, data, "sha256").hexdigest(), key="k")


def _cose(topic: str, body: bytes) -> bytes:
    head = cbor2.dumps({1: -8})
    signed = ED.sign(cbor2.dumps(["Signature1", head, topic.encode(), body]))
    return cbor2.dumps(cbor2.CBORTag(18, [head, {4: b"k"}, body, signed]))


Signed = Callable[[str, bytes], tuple[bytes, bytes]]
WAYS: dict[str, tuple[str | None, NewKey | None, Signed]] = {
    "unsigned": (None, None, lambda topic, body: (NO_PROPERTIES, body)),
    "hmac": (
        "hmac",
        NewKey("k", "hmac-sha256", SECRET),
        lambda topic, body: (_hmac(topic, body), body),
    ),
    "jws-ed25519": (
        "jws",
        NewKey("k", "ed25519", ED_PUBLIC),
        lambda topic, body: (_jws(topic, body, "EdDSA", ED.sign), body),
    ),
    "jws-es256": (
        "jws",
        NewKey("k", "es256", ES_PUBLIC),
        lambda topic, body: (_jws(topic, body, "ES256", _es256), body),
    ),
    "cose-ed25519": (
        "cose",
        NewKey("k", "ed25519", ED_PUBLIC),
        lambda topic, body: (NO_PROPERTIES, _cose(topic, body)),
    ),
}
"""By name: what the feed says, the key of each device, and properties and payload of a message."""


def feeds() -> str:
    """The feeds of this measurement."""
    return "".join(
        f'[[feeds]]\nname = "{name}"\nfilter = "notary/v1/bench-{name}/+/up"\n'
        f'template = "notary/v1/{{dataset}}/{{source}}/up"\ncodec = "json"\n'
        'observed = "time"\nkey = "id"\n'
        + ("" if how is None else f'signature = "require"\nsigned_by = "{how}"\n')
        for name, (how, _, _) in WAYS.items()
    )


def signed(world: World) -> list[Figure]:
    """Each way's rate, beside that of the same messages unsigned."""
    with (world.var / "notary.toml").open("a", encoding="utf-8") as file:
        file.write(feeds())
    caller = Caller("bench", "weather-office")
    for name, (_, key, _) in WAYS.items():
        keys = () if key is None else (key,)
        dataset = add_dataset(
            world.pool, caller, clock(), name=f"bench-{name}", label=name, is_open=True
        )
        devices = [NewSource(f"s{number}", keys=keys) for number in range(DEVICES)]
        register(world.pool, world.parts().instance_secret(), dataset, devices, clock())
    started = world.start(["sealer", "ingest"])
    time.sleep(3)
    rates = {name: _rate(world, name) for name in WAYS}
    for child in started:
        child.stop()
    unsigned = rates.pop("unsigned")
    return [
        Figure(f"mqtt_{name}", rate, "readings/s", "the same unsigned/s", unsigned)
        for name, rate in rates.items()
    ]


def _rate(world: World, name: str) -> float:
    """From the first committed to the last, with the broker's queue never empty meanwhile."""
    sign = WAYS[name][2]
    bodies = []
    for number in range(MESSAGES):
        topic = f"notary/v1/bench-{name}/s{number % DEVICES}/up"
        properties, body = sign(topic, payload(number))
        mid = (number % 65_535 + 1).to_bytes(2, "big")
        bodies.append(text(topic) + mid + properties + body)
    dataset = f"bench-{name}"
    begun = time.perf_counter()
    _send(world, bodies)
    while (count := world.count(dataset)) < MESSAGES:
        if time.perf_counter() - begun > 120:
            raise SystemExit(f"{name}: {count} of {MESSAGES} came in; see var/bench/log")
        time.sleep(0.05)
    return MESSAGES / (time.perf_counter() - begun)


def _send(world: World, bodies: list[bytes]) -> None:
    """Publish at QoS 1 over MQTT 5, so many unacknowledged at most."""
    parts = urlsplit(world.gateway_mqtt)
    connection = socket.create_connection((parts.hostname, parts.port or 1883), timeout=60)
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    body = text("MQTT") + bytes([5, 0xC2, 0, 0, 0]) + text("bench-signed")
    body += text(user) + text(password)
    connection.sendall(b"\x10" + length(len(body)) + body)
    reader = connection.makefile("rb")
    most = min(UNACKNOWLEDGED, _receive_maximum(_packet(reader)))
    sent = acknowledged = 0
    while acknowledged < len(bodies):
        some = bodies[sent : sent + min(100, most - (sent - acknowledged))]
        connection.sendall(b"".join(b"\x32" + length(len(one)) + one for one in some))
        sent += len(some)
        while acknowledged < sent and (sent == len(bodies) or sent - acknowledged > most // 2):
            _packet(reader)
            acknowledged += 1
    connection.close()


def _packet(reader: BinaryIO) -> bytes:
    """The body of the next packet."""
    reader.read(1)
    size, shift = 0, 0
    while (digit := reader.read(1)[0]) & 0x80:
        size, shift = size | (digit & 0x7F) << shift, shift + 7
    return reader.read(size | digit << shift)


def _receive_maximum(connack: bytes) -> int:
    """How many messages the broker takes unacknowledged (MQTT 5 section 3.2.2.3.3)."""
    if connack[1]:
        raise ConnectionError(f"the broker refused the publisher: {connack[1]}")
    sizes = {
        0x11: 4,
        0x13: 2,
        0x21: 2,
        0x22: 2,
        0x24: 1,
        0x25: 1,
        0x27: 4,
        0x28: 1,
        0x29: 1,
        0x2A: 1,
    }
    place = 3
    while place < len(connack) and connack[place] in sizes:
        kind, end = connack[place], place + 1 + sizes[connack[place]]
        if kind == 0x21:
            return int.from_bytes(connack[place + 1 : end], "big")
        place = end
    return 65_535
