# SPDX-License-Identifier: Apache-2.0
"""
All codecs against messages that began as gateways' samples and were broken.

The seed is fixed, so a message that breaks a codec is found again. `--long`: 20,000 for each codec.
"""

import random
from pathlib import Path

import pytest

from iot_ingest.codecs import Decoded, Fault, Members, codecs

SAMPLES = Path("docs/for-gateways/samples")
SMALL, LARGE = 600, 20_000
"""Inputs for each codec."""
MORE = {
    "json": b'{"time":"2026-03-01T10:00:00Z","id":"h-1","temp":4.50}',
    "ndjson": b'{"a":1}\n{"a":"\xe6\xb8\xa9","b":[1.0,{"c":null}]}\r\n\n{"id":7}',
    "senml-json": b'[{"n":"a","bver":26,"bt":300000000,"bv":1,"v":1},{"vs":"x","x":[{}]},'
    b'{"vd":"aGk","bs":2}]',
    "sensorthings": b'{"@iot.id":42,"phenomenonTime":"2026-03-01T10:00:00Z","result":[1.0,null],'
    b'"Datastream":{"@iot.id":"air-7"},"parameters":{"a":1}}',
    "raw": b"4.50",
}
PIECES = [
    b"{", b"}", b"[", b"]", b",", b":", b'"', b"\\", b"\\ud800", b"\\u0000", b"\0", b"\xff",
    b"\xc0",
    b"\xed\xa0\x80", b"\xef\xbb\xbf", b"NaN", b"-Infinity", b"1e400", b"-0", b"1e-99999999999",
    b"null",
    b"true", b"[]", b"{}", b'""', b'"_":1,', b'"a_":1,', b'"bver":11,', b'"bn":1,', b'"bt":1e300,',
    b'"id":"a b",', b'"@iot.id":{},', b'"source":1,', b"\n", b"\r\n", b" ", b"##", b"&&", b";",
    b"=",
    b"CP=&&", b"\x81", b"\xa2", b"\x9f", b"\xbf", b"\xfb\x7f\xf8\0\0\0\0\0\0", b"\xc4\x82",
    b"\xd8\x1c",
    b"\xd8\x1d\0", b"\x1b\xff\xff\xff\xff\xff\xff\xff\xff", b"9" * 450, b"[" * 1_100, b"\x81" * 500,
    b'{"a":' * 400,
]  # fmt: skip


def samples() -> list[bytes]:
    """What gateways send, by the pages, and some more."""
    return [path.read_bytes() for path in sorted(SAMPLES.iterdir())] + list(MORE.values())


def own_samples(name: str) -> list[bytes]:
    """Those of a codec."""
    files = sorted(SAMPLES.glob(f"{name}.*")) or sorted(SAMPLES.glob(f"{name}-*"))
    own = [MORE[name]] if name in MORE else []
    return own + [path.read_bytes() for path in files if name != "json"]


def mutated(rng: random.Random, message: bytes, others: list[bytes]) -> bytes:
    """The message after one to six changes of many kinds."""
    data = bytearray(message)
    for _ in range(rng.randint(1, 6)):
        at = rng.randint(0, len(data))
        end = min(len(data), at + rng.randint(0, 12))
        match rng.randrange(8):
            case 0:
                data[at:end] = b""
            case 1:
                data[at:at] = rng.choice(PIECES)
            case 2:
                data[at:end] = rng.choice(PIECES)
            case 3:
                data[at:at] = data[at:end] * rng.randint(1, 3)
            case 4 if data:
                data[at % len(data)] ^= 1 << rng.randrange(8)
            case 5:
                data[at:end] = rng.randbytes(end - at)
            case 6:
                other = rng.choice(others)
                start = rng.randint(0, len(other))
                data[at:at] = other[start : start + rng.randint(0, 60)]
            case 7 if rng.random() < 0.3:
                del data[at:]
    return bytes(data)


def check(name: str, found: object, message: bytes, members: Members) -> int:
    """Every part of an answer is what the pipeline counts on; how many are readings."""
    assert isinstance(found, list | tuple)
    assert found, "nothing is dropped silently"
    decoded = 0
    for one in found:
        if isinstance(one, Decoded):
            decoded += 1
            assert isinstance(one.payload, bytes)
            assert one.payload or name == "raw"
            assert len(one.payload) <= members.max_bytes
            for text in (one.observed, one.key, one.source):
                assert text is None or (isinstance(text, str) and "\0" not in text)
                assert text is None or text.encode().decode() == text
        else:
            assert isinstance(one, Fault)
            assert one.payload or not message
            assert one.reason.replace("-", "").isalnum()
            assert one.detail
            assert one.detail.encode().decode() == one.detail
    return decoded


@pytest.mark.parametrize("name", sorted(codecs()))
def test_broken_messages_are_readings_or_faults(name: str, long: bool) -> None:
    """Nothing is raised, nothing is lost, and what is found is fit to be recorded."""
    rng = random.Random(f"messages for {name}")
    codec, others = codecs()[name], samples()
    own = own_samples(name)
    count = LARGE if long else SMALL
    decoded = faults = 0
    for number in range(count):
        message = mutated(rng, rng.choice(others if number % 10 == 0 else own), others)
        members = Members(
            rng.choice([None, "time", "ts"]),
            rng.choice([None, "id", "seq"]),
            rng.choice([262_144, 262_144, 60]),
            names_source=rng.random() < 0.7,
        )
        try:
            found = codec.decode(message, members)
            good = check(name, found, message, members)
        except BaseException as error:
            error.add_note(f"{name}, input {number}, {members}: {message!r}")
            raise
        decoded += good
        faults += len(found) - good
    assert decoded > count // 100, "the messages are broken beyond anything"
    assert faults > count // 100 or name == "raw"


def test_the_long_run_is_as_long_as_it_says() -> None:
    """At least 100,000 inputs over all codecs."""
    assert LARGE * len(codecs()) >= 100_000


@pytest.mark.parametrize("name", sorted(codecs()))
def test_each_sample_cut_short_in_each_codec(name: str) -> None:
    """A link that breaks off leaves a message of any length."""
    for sample in samples():
        for end in range(0, len(sample) + 1, 1 if len(sample) < 200 else 7):
            check(name, codecs()[name].decode(sample[:end], Members()), sample[:end], Members())
