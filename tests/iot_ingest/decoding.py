# SPDX-License-Identifier: Apache-2.0
"""What codecs' tests share."""

from iot_ingest.codecs import Decoded, Fault, Members, codecs


def decode(
    codec: str, message: str | bytes, members: Members | None = None
) -> list[Decoded | Fault]:
    """What a codec finds."""
    payload = message.encode() if isinstance(message, str) else message
    return list(codecs()[codec].decode(payload, members or Members()))


def readings(codec: str, message: str | bytes, members: Members | None = None) -> list[Decoded]:
    """The same of a message without a fault."""
    found = decode(codec, message, members)
    assert [one for one in found if isinstance(one, Fault)] == []
    return [one for one in found if isinstance(one, Decoded)]


def payloads(codec: str, message: str | bytes, members: Members | None = None) -> list[str]:
    """Their payloads as text."""
    return [one.payload.decode() for one in readings(codec, message, members)]


def fault(codec: str, message: str | bytes, members: Members | None = None) -> Fault:
    """The one fault of a message without any reading."""
    (found,) = decode(codec, message, members)
    assert isinstance(found, Fault), found
    return found
