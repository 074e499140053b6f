# SPDX-License-Identifier: Apache-2.0
"""The tests' city: a checkpoint of its log, and the authority that it trusts."""

import base64
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from typing import NamedTuple

import pytest

from notary.core.errors import ReceiptRefused
from notary.core.receipt_ledgers import Found
from notary.core.receipt_parts import Anchor
from notary.core.trust import LedgerTrust
from notary.evidence.rfc3161 import check
from tests.tsa.certificates import Holder, Wanted, between, certify, known_key, root
from tests.tsa.forger import Forger, Stamp

ORIGIN = "notary.example/log"
SIZE = 7
LOG_ROOT = sha256(b"the log of size 7").digest()


def message(size: int = SIZE, log_root: bytes = LOG_ROOT, origin: str = ORIGIN) -> bytes:
    """What is anchored of a checkpoint: 72 octets."""
    return sha256(origin.encode()).digest() + size.to_bytes(8, "big") + log_root


class City(NamedTuple):
    """A root, an authority that it certified for authorities, a signer, and all that forges."""

    root: Holder
    issuing: Holder
    signer: Holder
    forger: Forger

    def signed_by(self, **wanted: object) -> Forger:
        """A forger whose signer is of another sort, certified in the same way."""
        signer = certify(self.issuing, Wanted("City TSA", **wanted))  # type: ignore[arg-type]
        return self.forger.but(signer=signer)


@cache
def city() -> City:
    """Always the same, octet by octet."""
    top = root(key=known_key(1), serial=1)
    issuing = between(top, key=known_key(2), serial=2)
    signer = certify(issuing, Wanted("City TSA", key=known_key(3), serial=3))
    return City(top, issuing, signer, Forger(signer, [issuing]))


def stamp(**others: object) -> Stamp:
    """What an honest authority states of the city's checkpoint, with some parts otherwise."""
    return Stamp(**{"message": message(), **others})  # type: ignore[arg-type]


def good() -> bytes:
    """A token that holds."""
    return city().forger.token(stamp())


def base64_of(*holders: Holder) -> list[str]:
    """Certificates, as they stand in a trust file."""
    return [base64.b64encode(holder.der).decode() for holder in holders]


def judge(
    token: bytes,
    *,
    size: int = SIZE,
    log_root: bytes = LOG_ROOT,
    origin: str = ORIGIN,
    evidence: Mapping[str, object] | None = None,
    members: Mapping[str, object] | None = None,
) -> Found:
    """Check a token as the evidence of an anchor of the city's log."""
    given = {"token": base64.b64encode(token).decode()} if evidence is None else evidence
    trusted = {"id": "tsa", "kind": "rfc3161", "roots": base64_of(city().root), **(members or {})}
    anchor = Anchor("tsa", "rfc3161", size, log_root, (), given)
    return check(anchor, LedgerTrust("tsa", "rfc3161", trusted), origin)


def refuse(token: bytes, sentence: str, reason: str = "ledger-evidence", **others: object) -> None:
    """The token is refused, for that reason and in that sentence (a pattern)."""
    with pytest.raises(ReceiptRefused, match=sentence) as caught:
        judge(token, **others)  # type: ignore[arg-type]
    assert caught.value.facts["reason"] == reason
