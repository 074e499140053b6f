# SPDX-License-Identifier: Apache-2.0
"""
The question to a time-stamping authority and its answer (RFC 3161, section 2.4), as octets.

    TimeStampReq { version 1, { { SHA-256, NULL }, imprint }, policy?, nonce, certReq TRUE }
    TimeStampResp { { status, [texts]?, failure bits? }, TimeStampToken? }

Only a token is signed. A rejection may be anybody's who sits in between, and says nothing of
the checkpoint: whatever isn't a token is LedgerUnavailable, and is asked for again.
"""

from hashlib import sha256
from typing import Final

from notary.evidence import der
from notary.evidence.der import NotDer, Reader
from notary.evidence.rfc3161_token import SHA_256
from notary.ledgers.port import LedgerUnavailable

GRANTED: Final = (0, 1)
"""granted, grantedWithMods: a token is there."""

FAILURES: Final = {
    0: "badAlg: it does not take SHA-256; choose another authority",
    2: "badRequest: it does not take the notary's requests; choose another authority",
    5: "badDataFormat: it does not take the notary's requests; choose another authority",
    14: "timeNotAvailable: its clock is out of order",
    15: "unacceptedPolicy: set other policies",
    16: "unacceptedExtension: it does not take the notary's requests; choose another authority",
    17: "addInfoNotAvailable: it lacks what was asked for; choose another authority",
    25: "systemFailure: it is out of order",
}
"""PKIFailureInfo, by the number of the bit."""

STATUSES: Final = {
    2: "rejected the request",
    3: "lets the request wait",
    4: "warns that it is being revoked",
    5: "says that it was revoked",
}
MAX_SAID_CHARACTERS: Final = 200


def query(message: bytes, nonce: int, policy: str | None) -> bytes:
    """The octets of a TimeStampReq for a message. Requires a nonce of at least 0."""
    algorithm = der.element(der.SEQUENCE, der.oid(SHA_256), der.element(der.NULL))
    imprint = der.element(der.OCTET_STRING, sha256(message).digest())
    return der.element(
        der.SEQUENCE,
        der.integer(1),
        der.element(der.SEQUENCE, algorithm, imprint),
        der.oid(policy) if policy else b"",
        der.integer(nonce),
        der.element(der.BOOLEAN, b"\xff"),
    )


def token_in(answer: bytes, who: str) -> bytes:
    """
    The token in a TimeStampResp, not yet checked. `who` names the authority in errors.

    Raises:
        LedgerUnavailable: it is no such answer, or there is no token in it.
    """
    try:
        response = der.one(answer, der.SEQUENCE, "the answer")
        status, said = _status(response.open(der.SEQUENCE, "The status"))
        token = None if response.tag is None else response.take(der.SEQUENCE, "The token").whole
        response.close("the token")
    except NotDer as error:
        raise LedgerUnavailable(f"What {who} answered is no time stamp: {error}") from None
    if status not in GRANTED:
        what = STATUSES.get(status, f"answered with status {status}")
        raise LedgerUnavailable(f"{who} {what}{said}.")
    if token is None:
        raise LedgerUnavailable(f"{who} granted a time stamp and sent none.")
    return token


def _status(info: Reader) -> tuple[int, str]:
    """The status, and why it is so as words."""
    status = info.integer("The status")
    said = []
    if info.tag == der.SEQUENCE:
        texts = info.open(der.SEQUENCE, "The texts").all(der.UTF8_STRING, "A text")
        said.append(_readable(b" ".join(text.content for text in texts)))
    if info.tag is not None:
        bits = info.take(der.BIT_STRING, "The failures").content[1:9]
        number = int.from_bytes(bits.ljust(8, b"\0"), "big")
        said += [text for bit, text in FAILURES.items() if number >> (63 - bit) & 1]
    info.close("the status")
    return status, "".join(f"; {text}" for text in said if text)


def _readable(text: bytes) -> str:
    """What an authority says, as a part of a sentence: one line, bounded."""
    shown = "".join(c if c.isprintable() else " " for c in text.decode("utf-8", "replace"))
    return " ".join(shown[:MAX_SAID_CHARACTERS].split()).rstrip(".")
