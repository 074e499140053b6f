# SPDX-License-Identifier: Apache-2.0
"""
What a time-stamping authority states: TSTInfo (RFC 3161, section 2.4.2), read.

    TSTInfo { version 1, policy, { SHA-256, imprint }, serial number, time,
              accuracy?, ordering?, nonce?, [0] name of the authority?, [1] extensions? }

See docs/spec/anchor-rfc3161.md, rules 7 and 8.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from notary.evidence import der
from notary.evidence.der import NotDer, Reader

MAX_ACCURACY_SECONDS: Final = 366 * 86_400


@dataclass(frozen=True, slots=True)
class Stated:
    """What was signed. `imprint_algorithm` is an OID, `tsa` a GeneralName in DER."""

    policy: str
    imprint_algorithm: str
    imprint: bytes
    time: datetime
    accuracy: timedelta | None
    nonce: int | None
    tsa: bytes | None


def parse_stated(content: bytes) -> Stated:
    """
    Read a TSTInfo.

    Raises:
        NotDer: not DER, or a part is missing, unknown or out of range.
    """
    info = der.one(content, der.SEQUENCE, "the time stamp")
    if info.integer("The version of the time stamp") != 1:
        raise NotDer("The time stamp must be of version 1.")
    policy = info.oid("The policy")
    imprint = info.open(der.SEQUENCE, "The imprint")
    algorithm = imprint.algorithm("The imprint's algorithm")
    hashed = imprint.take(der.OCTET_STRING, "The imprint").content
    imprint.close("the imprint")
    info.integer("The serial number of the time stamp")
    time = der.read_time(info.take(der.GENERALIZED_TIME, "The time").content, "The time")
    accuracy = None
    if info.tag == der.SEQUENCE:
        accuracy = _accuracy(info.open(der.SEQUENCE, "The accuracy"))
    info.true_if("The ordering")
    nonce = info.integer("The nonce") if info.tag == der.INTEGER else None
    named = info.take_if(0xA0, "The name of the authority")
    if info.tag is not None:
        _check_extensions(info.open(0xA1, "The list of extensions"))
    info.close("the time stamp")
    tsa = None if named is None else named.content
    return Stated(policy, algorithm, hashed, time, accuracy, nonce, tsa)


def _accuracy(parts: Reader) -> timedelta:
    values = []
    for tag, least, most in (
        (der.INTEGER, 0, MAX_ACCURACY_SECONDS),
        (0x80, 1, 999),
        (0x81, 1, 999),
    ):
        part = parts.take_if(tag, "The accuracy")
        value = 0 if part is None else der.read_integer(part.content, "The accuracy")
        if part is not None and not least <= value <= most:
            raise NotDer("The accuracy is out of range.")
        values.append(value)
    parts.close("the accuracy")
    return timedelta(seconds=values[0], milliseconds=values[1], microseconds=values[2])


def _check_extensions(listed: Reader) -> None:
    """One that must be understood is understood by nobody here."""
    for item in listed.all(der.SEQUENCE, "An extension"):
        extension = Reader(item.content)
        extension.oid("The type of an extension")
        if extension.true_if("The weight of an extension"):
            raise NotDer("The time stamp has an extension that must be understood.")
        extension.take(der.OCTET_STRING, "The value of an extension")
        extension.close("an extension")
