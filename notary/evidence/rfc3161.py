# SPDX-License-Identifier: Apache-2.0
"""
Evidence of kind `rfc3161`: a token of a time-stamping authority over a checkpoint.

    {"token": base64 of the TimeStampToken in DER}

The stamped message is the 72 octets that are anchored; its imprint is made with SHA-256.
docs/spec/anchor-rfc3161.md, steps 1 to 8.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from cryptography.hazmat.primitives.serialization import Encoding
from rfc3161_client import VerifierBuilder, decode_timestamp_response

from notary.core.errors import MalformedText, ReceiptRefused
from notary.core.receipt_ledgers import Found
from notary.core.receipt_parts import Anchor
from notary.core.trust import LedgerTrust
from notary.core.words import check_string, format_time
from notary.evidence import der
from notary.evidence.members import octets, only, refused, wanted
from notary.evidence.rfc3161_chain import Path, find_path
from notary.evidence.rfc3161_token import SHA_256, Token, parse_token, repacked
from notary.evidence.rfc3161_trust import FAULTS, Trusted, parse_trusted

MAX_TOKEN_BYTES: Final = 65_536
MAX_NAME_CHARACTERS: Final = 500


@dataclass(frozen=True, slots=True)
class Stamped:
    """
    What a token that holds says: the authority's time, give or take `accuracy` (None: not
    said), the authority's name (its certificate's subject, RFC 4514), its policy, the nonce.
    """

    time: datetime
    accuracy: timedelta | None
    who: str
    policy: str
    nonce: int | None


def check(anchor: Anchor, ledger: LedgerTrust, origin: str) -> Found:
    """
    Check an anchor's token offline, as of the time that it states (notary.core.receipt_ledgers).

    Raises:
        MalformedTrust: the trust file's members are of no use.
        ReceiptRefused: the token is malformed, doesn't hold, or is another checkpoint's.
    """
    # anchor-rfc3161.md, step 1.
    trusted = parse_trusted(ledger.members)
    # anchor-rfc3161.md, step 2.
    only(anchor.evidence, {"token"})
    token = octets(anchor.evidence["token"], "token", MAX_TOKEN_BYTES)
    stamped = check_token(token, wanted(anchor, origin), trusted)
    facts = {"reason": "offline", "time": format_time(stamped.time), "who": stamped.who}
    if stamped.accuracy is not None:
        facts["accuracy"] = f"{stamped.accuracy.total_seconds():.6f}"
    return Found("held", facts)


def check_token(data: bytes, message: bytes, trusted: Trusted) -> Stamped:
    """
    Check a token over a message.

    Raises:
        ReceiptRefused: ledger-evidence, or ledger-other where it is of another message.
    """
    try:
        # anchor-rfc3161.md, step 2.
        token = parse_token(data)
        path = find_path(token, trusted)
        who = check_string(path[0].subject.rfc4514_string(), "name", MAX_NAME_CHARACTERS)
    except MalformedText:
        raise refused("The authority's name can't be shown.") from None
    except FAULTS as fault:
        raise refused(f"The token can't be read: {fault}") from None
    # anchor-rfc3161.md, step 6.
    _check_signature(data, token, path)
    stated = token.stated
    # anchor-rfc3161.md, step 7.
    if trusted.policies and stated.policy not in trusted.policies:
        raise refused(f"The token was made under the policy {stated.policy}.")
    # anchor-rfc3161.md, step 8.
    if stated.imprint_algorithm != SHA_256:
        raise refused("The imprint is not made with SHA-256.")
    if stated.imprint != sha256(message).digest():
        raise refused("The token is another checkpoint's.", "ledger-other")
    return Stamped(stated.time, stated.accuracy, who, stated.policy, stated.nonce)


def _check_signature(data: bytes, token: Token, path: Path) -> None:
    """The signature over the attributes, and the way to the root once more, by OpenSSL."""
    # The package reads certificates in the order of DER alone, which few authorities keep.
    token_alone = repacked(data, {one.public_bytes(Encoding.DER) for one in path[:-1] or path})
    granted = der.element(der.SEQUENCE, der.integer(0))
    verifier = VerifierBuilder(roots=[path[-1]], intermediates=list(path[1:-1])).build()
    try:
        response = decode_timestamp_response(der.element(der.SEQUENCE, granted, token_alone))
        verifier.verify(response, token.stated.imprint)
    except BaseException as error:
        # What fails in the compiled part of the package may be no Exception.
        if isinstance(error, Exception) or type(error).__name__ == "PanicException":
            raise _unsigned(error) from None
        raise


def _unsigned(error: BaseException) -> ReceiptRefused:
    return refused(f"The token's signature doesn't hold: {error}")
