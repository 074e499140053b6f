# SPDX-License-Identifier: Apache-2.0
"""Signatures of devices: what holds, and every way in which one doesn't."""

import json
import random
from base64 import b64encode
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import cbor2
import pytest

from iot_ingest.senders.cose import read_cose
from iot_ingest.senders.evidence import BadEvidence, Evidence, fault_of
from iot_ingest.senders.hmac_tag import read_hmac
from iot_ingest.senders.jws import read_jws
from notary.usecases.device_keys import DeviceKey
from tests.iot_ingest.signing import (
    ED,
    ED2,
    ED2_PUBLIC,
    ED_PUBLIC,
    ES,
    ES_PUBLIC,
    SECRET,
    b64u,
    cose,
    jws,
    mac,
    raw_jws,
    sign,
)
from tests.usecases.world import BEGIN

TOPIC = "notary/v1/air/station-12/up"
PAYLOAD = b'{"time":"2031-03-05T06:07:08Z","pm10":"12.50"}'
KEYS = {
    "ed-1": DeviceKey("ed-1", "ed25519", ED_PUBLIC, BEGIN),
    "es-1": DeviceKey("es-1", "es256", ES_PUBLIC, BEGIN),
    "mac-1": DeviceKey("mac-1", "hmac-sha256", SECRET, BEGIN),
}
Way = Callable[[str, bytes], Evidence | BadEvidence]


def by_cose(message: bytes, topic: str = TOPIC) -> Evidence | BadEvidence:
    """What a COSE message says."""
    signed = read_cose(message, topic)
    assert signed is not None
    return signed.evidence


def why(found: Evidence | BadEvidence, keys: dict[str, DeviceKey] = KEYS) -> str | None:
    """Why it doesn't hold, or None."""
    if isinstance(found, BadEvidence):
        return found.detail
    return fault_of(found, keys.get(found.key_id), BEGIN)


WAYS: dict[str, Way] = {
    "jws ed25519": lambda t, p: read_jws(jws(TOPIC, PAYLOAD), t, p),
    "jws es256": lambda t, p: read_jws(jws(TOPIC, PAYLOAD, ES, "es-1"), t, p),
    "hmac": lambda t, p: read_hmac(mac(TOPIC, PAYLOAD), "mac-1", None, t, p),
    "hmac base64url": lambda t, p: read_hmac(
        b64u(bytes.fromhex(mac(TOPIC, PAYLOAD))), "mac-1", None, t, p
    ),
    "cose ed25519": lambda t, p: by_cose(cose(TOPIC, PAYLOAD).replace(PAYLOAD, p), t),
    "cose es256": lambda t, p: by_cose(cose(TOPIC, PAYLOAD, ES, b"es-1").replace(PAYLOAD, p), t),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_signature_holds_for_its_message_and_topic(way: Way) -> None:
    """As the device made it."""
    assert why(way(TOPIC, PAYLOAD)) is None


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        (TOPIC.replace("12", "13"), PAYLOAD),
        (TOPIC.replace("air", "fog"), PAYLOAD),
        (TOPIC + "x", PAYLOAD),
        (TOPIC, PAYLOAD.replace(b"12.50", b"12.51")),
        (TOPIC, PAYLOAD.replace(b"2031", b"2032")),
    ],
)
def test_a_signature_of_one_message_is_none_of_another(
    way: Way, topic: str, payload: bytes
) -> None:
    """Neither for another device's topic nor for other bytes."""
    assert why(way(topic, payload)) is not None


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"revoked_at": BEGIN}, "revoked"),
        ({"valid_from": BEGIN + timedelta(seconds=1)}, "not valid yet"),
        ({"valid_to": BEGIN}, "no longer valid"),
    ],
)
def test_a_key_counts_while_it_is_valid(way: Way, change: dict[str, Any], words: str) -> None:
    """By our clock: from `valid_from` on, before `valid_to`, and not once it is revoked."""
    keys = {}
    for key in KEYS.values():
        facts: dict[str, Any] = {
            "id": key.id, "algorithm": key.algorithm, "material": key.material,
            "valid_from": BEGIN, "valid_to": None, "revoked_at": None,
        }  # fmt: skip
        keys[key.id] = DeviceKey(**{**facts, **change})
    assert words in str(why(way(TOPIC, PAYLOAD), keys))


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_another_devices_key_of_the_same_id_proves_nothing(way: Way) -> None:
    """The key is looked for among the source's own."""
    others = {
        "ed-1": DeviceKey("ed-1", "ed25519", ED2_PUBLIC, BEGIN),
        "es-1": DeviceKey("es-1", "es256", b"\x04" + _base_point(), BEGIN),
        "mac-1": DeviceKey("mac-1", "hmac-sha256", SECRET[::-1], BEGIN),
    }
    assert "does not belong" in str(why(way(TOPIC, PAYLOAD), others))
    assert "has no key" in str(why(way(TOPIC, PAYLOAD), {}))


def _base_point() -> bytes:
    """x || y of the generator of P-256, which nobody signs with here."""
    return bytes.fromhex(
        "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
        "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
    )


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("own", KEYS)
def test_the_registered_algorithm_is_the_only_one(way: Way, own: str) -> None:
    """No public key serves as an HMAC secret, no key of one kind for another's signatures."""
    found = way(TOPIC, PAYLOAD)
    key = KEYS[own]
    renamed = DeviceKey(found.key_id, key.algorithm, key.material, BEGIN)
    fault = why(found, {found.key_id: renamed})
    assert (fault is None) == (own == found.key_id)


def test_a_public_key_is_no_secret() -> None:
    """The classic attack: HMAC under the public key, which everybody knows."""
    tag = mac(TOPIC, PAYLOAD, ED_PUBLIC)
    for key_id in ("ed-1", "es-1"):
        found = read_hmac(tag, key_id, None, TOPIC, PAYLOAD)
        assert why(found) == f"The key {key_id} is not for signatures of this kind."
    head = json.dumps({"alg": "HS256", "kid": "ed-1", "topic": TOPIC}).encode()
    assert "EdDSA or ES256" in str(why(read_jws(raw_jws(head, PAYLOAD), TOPIC, PAYLOAD)))


@pytest.mark.parametrize("length", [0, 1, 63, 65, 72])
def test_a_signature_has_its_exact_length(length: int) -> None:
    """Cut, prolonged, empty, or DER instead of r || s."""
    for key, kid in ((ED, "ed-1"), (ES, "es-1")):
        text = jws(TOPIC, PAYLOAD, key, kid)
        head, _, tail = text.rpartition(".")
        data = (sign(key, b"") + bytes(8))[:length]
        assert tail != b64u(data)
        assert why(read_jws(f"{head}.{b64u(data)}", TOPIC, PAYLOAD)) is not None


# -- JWS


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ({"alg": "none"}, "EdDSA or ES256"),
        ({"alg": None}, "EdDSA or ES256"),
        ({"alg": "HS256"}, "EdDSA or ES256"),
        ({"alg": "eddsa"}, "EdDSA or ES256"),
        ({"alg": "ES384"}, "EdDSA or ES256"),
        ({"alg": ["EdDSA"]}, "EdDSA or ES256"),
        ({"alg": 1}, "EdDSA or ES256"),
        ({"alg": "ES256"}, "not for signatures of this kind"),
        ({"kid": None}, "must be 1 to 128"),
        ({"kid": 1}, "must be 1 to 128"),
        ({"kid": "ed 1"}, "must be 1 to 128"),
        ({"kid": "x" * 129}, "must be 1 to 128"),
        ({"kid": "-"}, "no key's id"),
        ({"kid": "ed-2"}, "has no key ed-2"),
        ({"topic": None}, "another topic"),
        ({"topic": TOPIC + "/"}, "another topic"),
        ({"topic": [TOPIC]}, "another topic"),
        ({"crit": ["exp"]}, "has crit"),
        ({"crit": ["b64"], "b64": False}, "has crit"),
        ({"b64": False}, "has b64"),
        ({"b64": True}, "has b64"),
        ({"jwk": {"kty": "OKP"}}, "has jwk"),
        ({"jku": "https://example.org/"}, "has jku"),
        ({"x5c": []}, "has x5c"),
        ({"x5u": "https://example.org/"}, "has x5u"),
        ({"iat": "1700000000"}, "whole seconds"),
        ({"iat": 1.5}, "whole seconds"),
        ({"iat": -1}, "whole seconds"),
        ({"iat": 10**12}, "whole seconds"),
        ({"iat": [1]}, "whole seconds"),
        ({"pad": "x" * 1600}, "too long"),
    ],
)
def test_a_jws_header_says_what_is_taken_and_nothing_else(
    header: dict[str, Any], words: str
) -> None:
    """Each is signed well, and refused with a sentence."""
    given = {"alg": "EdDSA", "kid": "ed-1", "topic": TOPIC, **header}
    members = {name: value for name, value in given.items() if value is not None}
    text = raw_jws(json.dumps(members).encode(), PAYLOAD)
    assert words in str(why(read_jws(text, TOPIC, PAYLOAD)))


@pytest.mark.parametrize(
    "header",
    [
        b"", b"[]", b"null", b"{", b"\xff", b"[" * 1000,
        b'{"alg":"EdDSA","alg":"EdDSA","kid":"ed-1","topic":"' + TOPIC.encode() + b'"}',
        b'{"alg":"none","alg":"EdDSA","kid":"ed-1","topic":"' + TOPIC.encode() + b'"}',
    ],
)  # fmt: skip
def test_a_jws_header_is_one_object_of_strict_json(header: bytes) -> None:
    """A member that stands twice is read differently by two readers."""
    assert why(read_jws(raw_jws(header, PAYLOAD), TOPIC, PAYLOAD)) is not None


GOOD = jws(TOPIC, PAYLOAD)
HEAD, _, TAIL = GOOD.split(".")


@pytest.mark.parametrize(
    "text",
    [
        "", ".", "..", "...", HEAD, f"{HEAD}.{TAIL}", f"{HEAD}...{TAIL}", f"{GOOD}.x",
        f"{HEAD}.{b64u(PAYLOAD)}.{TAIL}", f"{HEAD}=..{TAIL}", f"{HEAD}..{TAIL}=",
        f" {GOOD}", f"{GOOD}\n", f"{HEAD}..{TAIL[:-1]}", f"{HEAD}..{TAIL}A", f"{HEAD}..",
        f"..{TAIL}", f"{HEAD}..{TAIL[:-1]}{chr(ord(TAIL[-1]) + 1)}", f"{HEAD}..{'é' * 86}",
        f"{HEAD}..{'A' * 200}", "A" * 100_000, HEAD + ".." + b64encode(bytes(64)).decode(),
    ],
)  # fmt: skip
def test_a_jws_has_one_spelling(text: str) -> None:
    """Attached payloads, padding, other alphabets, blanks, loose bits at the end: refused."""
    assert why(read_jws(text, TOPIC, PAYLOAD)) is not None


def test_a_jws_of_an_empty_message_holds() -> None:
    """There is no payload that can't be signed."""
    assert why(read_jws(jws(TOPIC, b""), TOPIC, b"")) is None
    assert why(read_jws(jws("t/海", b"x"), "t/海", b"x")) is None


def test_an_es256_signature_turned_round_is_the_same_message() -> None:
    """(r, n - s) holds as well: it is told from the message, not from the signature."""
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    text = jws(TOPIC, PAYLOAD, ES, "es-1")
    first = read_jws(text, TOPIC, PAYLOAD)
    assert isinstance(first, Evidence)
    turned = order - int.from_bytes(first.signature[32:], "big")
    tail = b64u(first.signature[:32] + turned.to_bytes(32, "big"))
    second = read_jws(f"{text.split('.')[0]}..{tail}", TOPIC, PAYLOAD)
    assert isinstance(second, Evidence)
    assert why(second) is None
    assert first.print == second.print


# -- HMAC


@pytest.mark.parametrize(
    ("tag", "key", "iat"),
    [
        ("", "mac-1", None),
        (mac(TOPIC, PAYLOAD)[:-1], "mac-1", None),
        (mac(TOPIC, PAYLOAD)[:-2], "mac-1", None),
        (mac(TOPIC, PAYLOAD) + "00", "mac-1", None),
        (mac(TOPIC, PAYLOAD)[:-1] + "g", "mac-1", None),
        (b64u(bytes.fromhex(mac(TOPIC, PAYLOAD))) + "=", "mac-1", None),
        (b64u(bytes.fromhex(mac(TOPIC, PAYLOAD)))[:-1] + "/", "mac-1", None),
        (mac(TOPIC, PAYLOAD), None, None),
        (mac(TOPIC, PAYLOAD), "", None),
        (mac(TOPIC, PAYLOAD), "mac-2", None),
        (mac(TOPIC, PAYLOAD), "mac-1", "1700000000"),
        (mac(TOPIC, PAYLOAD), "mac-1", ""),
        (mac(TOPIC, PAYLOAD, iat="1700000000"), "mac-1", None),
        (mac(TOPIC, PAYLOAD, iat="1700000000"), "mac-1", "1700000001"),
        (mac(TOPIC, PAYLOAD, iat="now"), "mac-1", "now"),
        (mac(TOPIC, PAYLOAD, iat="1" * 13), "mac-1", "1" * 13),
        (mac(TOPIC, PAYLOAD, iat="٣"), "mac-1", "٣"),
    ],
)  # fmt: skip
def test_a_tag_that_is_not_quite_right_is_wrong(tag: str, key: str | None, iat: str | None) -> None:
    """Cut, prolonged, another alphabet, another key, a time that was put in, taken or changed."""
    assert why(read_hmac(tag, key, iat, TOPIC, PAYLOAD)) is not None


def test_a_tag_with_its_time_holds() -> None:
    """The time is authenticated, and read."""
    tag = mac(TOPIC, PAYLOAD, iat="1700000000").upper()
    found = read_hmac(tag, "mac-1", "1700000000", TOPIC, PAYLOAD)
    assert isinstance(found, Evidence)
    assert (why(found), found.issued_at) == (None, 1700000000)


def test_what_is_authenticated_cannot_be_cut_elsewhere() -> None:
    """Moving a byte from topic to payload is another message."""
    tag = mac("a/b", b"c")
    for topic, payload in (("a/", b"bc"), ("a/bc", b""), ("a", b"/bc")):
        assert why(read_hmac(tag, "mac-1", None, topic, payload)) is not None


# -- COSE


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"protected": {}}, "EdDSA or ES256"),
        ({"protected": b""}, "EdDSA or ES256"),
        ({"protected": b"", "unprotected": {1: -8, 4: b"ed-1"}}, "EdDSA or ES256"),
        ({"protected": {1: -7}}, "not for signatures of this kind"),
        ({"protected": {1: 5}}, "EdDSA or ES256"),
        ({"protected": {1: "EdDSA"}}, "EdDSA or ES256"),
        ({"protected": {1: [-8]}}, "EdDSA or ES256"),
        ({"protected": {1: True}}, "EdDSA or ES256"),
        ({"protected": {1: -8, 2: [15]}}, "has crit"),
        ({"unprotected": {2: [1], 4: b"ed-1"}}, "has crit"),
        ({"unprotected": {}}, "no kid"),
        ({"unprotected": {4: "ed-1"}}, "no kid"),
        ({"unprotected": {4: b"\xff"}}, "must be 1 to 128"),
        ({"unprotected": {4: b"-"}}, "no key's id"),
        ({"unprotected": {4: b"ed-2"}}, "has no key ed-2"),
        ({"unprotected": {1: -8, 4: b"ed-1"}}, "both"),
        ({"protected": {1: -8, 4: b"ed-1"}, "unprotected": {4: b"ed-2"}}, "both"),
        ({"protected": {1: -8, 15: {6: "now"}}}, "whole seconds"),
        ({"protected": {1: -8, 15: {6: -1}}}, "whole seconds"),
        ({"protected": {1: -8, 15: {6: 1.5}}}, "whole seconds"),
        ({"protected": {1: -8, 15: 6}}, "whole seconds"),
        ({"protected": {1: -8, 99: b"x" * 1100}}, "too long"),
        ({"unprotected": {4: b"ed-1", **dict.fromkeys(range(100, 120), 0)}}, "too long"),
        ({"protected": b"\xa2\x01\x27\x01\x27"}, "not CBOR"),
        ({"protected": b"\xa1\x01\x27\x00"}, "behind"),
        ({"protected": b"\x80"}, "no map"),
        ({"protected": b"\xff"}, "not CBOR"),
        ({"key": ED2}, "does not belong"),
    ],
)
def test_a_cose_header_says_what_is_taken_and_nothing_else(
    change: dict[str, Any], words: str
) -> None:
    """Each is signed well, and refused with a sentence."""
    assert words in str(why(by_cose(cose(TOPIC, PAYLOAD, **change))))


@pytest.mark.parametrize(
    ("change", "time"),
    [
        ({"tag": None}, None),
        ({"protected": {1: -19}}, None),
        ({"protected": {1: -8, 4: b"ed-1"}, "unprotected": {}}, None),
        ({"protected": {1: -8, 15: {6: 1700000000}}}, 1700000000),
        ({"protected": {1: -8, 15: {1: "device"}}}, None),
        ({"key": ES, "kid": b"es-1", "protected": {1: -9}}, None),
    ],
)
def test_every_form_of_a_cose_message_that_is_taken(
    change: dict[str, Any], time: int | None
) -> None:
    """Tag or not, kid in either header, the names of RFC 9864, a time in CWT claims."""
    found = by_cose(cose(TOPIC, PAYLOAD, **change))
    assert isinstance(found, Evidence)
    assert (why(found), found.issued_at) == (None, time)


@pytest.mark.parametrize(
    "message",
    [
        b"", PAYLOAD, b"\xd2", b"\xd2\x84", cose(TOPIC, PAYLOAD)[:-1], cose(TOPIC, PAYLOAD) + b"\0",
        cose(TOPIC, PAYLOAD, tag=98), cose(TOPIC, PAYLOAD, tag=17), cbor2.dumps([]),
        cbor2.dumps([b"", {}, None, bytes(64)]), cbor2.dumps([b"", [], b"", b""]),
        cbor2.dumps([{}, {}, b"", b""]), cbor2.dumps([b"", {}, "text", b""]),
        cbor2.dumps([b"", {}, b"", "text"]), cbor2.dumps({0: 1}), b"\x81" * 5000,
        b"\x9b" + b"\xff" * 8, b"\xd8\x1d\x00", b"\xc1\xfb\x7f\xf0\0\0\0\0\0\0",
    ],
)  # fmt: skip
def test_what_is_no_cose_message_is_none(message: bytes) -> None:
    """Detached payloads, other tags, other shapes, what stands behind, depth without end."""
    assert read_cose(message, TOPIC) is None


def test_a_topic_that_is_no_text_signs_nothing() -> None:
    """Half of a surrogate pair can't be written in UTF-8."""
    assert why(read_jws(GOOD, "\ud800", PAYLOAD)) is not None
    assert why(read_hmac(mac(TOPIC, PAYLOAD), "mac-1", None, "\ud800", PAYLOAD)) is not None
    assert why(by_cose(cose(TOPIC, PAYLOAD), "\ud800")) is not None


def test_broken_signatures_raise_nothing() -> None:
    """Twenty thousand random changes of good ones: none holds, none raises."""
    dice = random.Random(7)
    texts = [GOOD, jws(TOPIC, PAYLOAD, ES, "es-1", iat=1700000000)]
    messages = [cose(TOPIC, PAYLOAD), cose(TOPIC, PAYLOAD, protected={1: -8, 15: {6: 1}})]
    for _ in range(10_000):
        text = dice.choice(texts)
        at = dice.randrange(len(text))
        changed = text[:at] + chr(dice.randrange(256)) * dice.randrange(3) + text[at + 1 :]
        assert changed == text or why(read_jws(changed, TOPIC, PAYLOAD)) is not None
        message = dice.choice(messages)
        at = dice.randrange(len(message))
        broken = message[:at] + dice.randbytes(dice.randrange(3)) + message[at + 1 :]
        signed = read_cose(broken, TOPIC)
        if signed is not None and broken != message and why(signed.evidence) is None:
            # Only what isn't signed may differ: the tag, the unprotected header.
            assert signed.payload == PAYLOAD
