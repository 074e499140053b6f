# SPDX-License-Identifier: Apache-2.0
"""The Fabric channel and the checkpoint of the tests, and how they are looked at."""

import base64
from collections.abc import Mapping
from datetime import timedelta
from hashlib import sha256
from typing import Any

from notary.core.receipt_ledgers import Found
from notary.core.receipt_parts import Anchor
from notary.core.trust import LedgerTrust
from notary.evidence import fabric
from notary.evidence.fabric_block import format_block, parse_block
from tests.fabric.network import NOW, Network
from tests.fabric.transaction import Draft, Transaction

ORIGIN = "notary.example/log"
SIZE = 3
ROOT = sha256(b"root").digest()
KEY = f"{sha256(ORIGIN.encode()).hexdigest()}-{SIZE}"
CHECKPOINT = sha256(ORIGIN.encode()).digest() + SIZE.to_bytes(8, "big") + ROOT
TIME = NOW + timedelta(seconds=5, microseconds=123456)
NONCE = bytes(range(24))
PREVIOUS = sha256(b"block 6").digest()
NETWORK = Network.make()
TRUST: dict[str, Any] = NETWORK.trust()


def draft(**changes: Any) -> Draft:
    """The honest anchor, with some of it changed before it is signed."""
    honest = NETWORK.setting(KEY, ROOT.hex(), time=TIME, nonce=NONCE)
    for name, value in changes.items():
        assert hasattr(honest, name)
        setattr(honest, name, value)
    return honest


def block_of(*transactions: Transaction | bytes, **lies: Any) -> bytes:
    """Block 7 with those transactions, in the form of evidence."""
    lies = {"codes": None, **lies}
    full = NETWORK.block(lies.pop("number", 7), PREVIOUS, transactions, **lies)
    return format_block(parse_block(full.octets))


HONEST = draft().build()
BLOCK = block_of(HONEST)


def look(
    block: bytes = BLOCK,
    tx: object = HONEST.tx_id,
    trust: Mapping[str, object] = TRUST,
    *,
    size: int = SIZE,
    root: bytes = ROOT,
    origin: str = ORIGIN,
) -> Found:
    """Check a block as evidence for the checkpoint."""
    evidence = {"block": base64.b64encode(block).decode(), "tx": tx}
    return check(evidence, trust, size=size, root=root, origin=origin)


def check(
    evidence: Mapping[str, object],
    trust: Mapping[str, object] = TRUST,
    *,
    size: int = SIZE,
    root: bytes = ROOT,
    origin: str = ORIGIN,
) -> Found:
    """Check any evidence for the checkpoint."""
    members = {"id": "bsn", "kind": "bsn-fabric", **trust}
    anchor = Anchor("bsn", "bsn-fabric", size, root, (), evidence)
    return fabric.check(anchor, LedgerTrust("bsn", "bsn-fabric", members), origin)
