# SPDX-License-Identifier: Apache-2.0
"""
Writes fabric.json: `python -m tests.vectors.generate_fabric`.

Evidence of kind `bsn-fabric` (docs/spec/anchor-bsn-fabric.md), of blocks that tests/fabric makes:
no network was asked. `origin` is the log's. Each case has `desc` (what was done), `ledger` (the
members in the trust file), `anchor` (`size`, `root`, `evidence`), and `wantErr`: the code of the
error that must follow with its reason, or null. A refused case has `step`, which refuses it; a
valid one `found`: status and facts.
"""

import base64
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.fabric.network import NOW, Network, stored
from tests.fabric.pki import Identity, Organisation
from tests.fabric.transaction import Draft, Transaction
from tests.fabric.wire import item, number, octets

Case = dict[str, Any]
ORIGIN, SIZE = "notary.example/log", 3
ROOT = sha256(b"the root of three batches").digest()
KEY = f"{sha256(ORIGIN.encode()).hexdigest()}-{SIZE}"
STATE_KEY, VALUE = f"base_key_{KEY}", stored(KEY, ROOT.hex())
TIME = NOW + timedelta(seconds=5, microseconds=123456)
PREVIOUS = sha256(b"block 6").digest()
EVIDENCE, OTHER = "receipt-refused.ledger-evidence", "receipt-refused.ledger-other"
TRUST = "malformed-trust"

CITY = Network.make(channel="app1", chaincode="cc_app1", msps=["OrgaMSP"])
ORGANISATION, ORDERING = CITY.msps["OrgaMSP"], CITY.orderers["OrdererMSP"]
FALSE = Organisation("OrgaMSP", NOW, seed="somebody else")


def draft(**lies: Any) -> Draft:
    """The honest transaction, changed before it is endorsed and signed."""
    return replace(CITY.setting(KEY, ROOT.hex(), time=TIME, nonce=bytes(range(24))), **lies)


HONEST = draft().build()


def block(*transactions: Transaction, **lies: Any) -> bytes:
    """Block 7, as evidence has it."""
    return CITY.block(7, PREVIOUS, transactions or (HONEST,), is_full=False, **lies).octets


def case(
    desc: str,
    data: bytes,
    step: int | None = None,
    error: str | None = EVIDENCE,
    tx: str = HONEST.tx_id,
    **more: Any,
) -> Case:
    """One case; the ledger, the size and the root are the usual ones where none are given."""
    evidence = {"block": base64.b64encode(data).decode(), "tx": tx}
    anchor = {"size": more.get("size", SIZE), "root": more.get("root", ROOT).hex()}
    found: Case = {
        "desc": desc,
        "ledger": {"id": "bsn", "kind": "bsn-fabric", **CITY.trust(), **more.get("trust", {})},
        "anchor": {**anchor, "evidence": evidence},
        "wantErr": None if step is None else error,
    }
    return found | ({} if step is None else {"step": f"anchor-bsn-fabric.md, step {step}"})


def valid(desc: str, data: bytes, tx: str = HONEST.tx_id, **more: Any) -> Case:
    """One that holds, and what is found."""
    facts = {
        "reason": "offline",
        "time": "2026-11-27T08:00:05.123456Z",
        "who": "OrgaMSP",
        "channel": "app1",
        "block": 7,
        "endorsers": "OrgaMSP",
        "orderers": "OrdererMSP",
        "validation": "peer",
    }
    return case(desc, data, tx=tx, **more) | {"found": {"status": "held", "facts": facts}}


def lie(desc: str, step: int, error: str = EVIDENCE, **lies: Any) -> Case:
    """A transaction that was changed before it was signed."""
    transaction = draft(**lies).build()
    return case(desc, block(transaction), step, error, transaction.tx_id)


def cases() -> Iterator[Case]:
    """Valid ones, then by the step that refuses."""
    yield valid("an honest block", block())
    other = CITY.set("another", "value", time=TIME, nonce=bytes(24))
    codes = bytes([11, 0])
    yield valid("behind another transaction that was invalid", block(other, HONEST, codes=codes))
    later = draft(extra={"chaincode action": octets(99, b"later")}).build()
    yield valid("a field of a later version", block(later), later.tx_id)
    yield case("more endorsements than organisations", block(), 1, TRUST, trust={"endorsements": 2})
    yield case("no orderers", block(), 1, TRUST, trust={"orderers": []})
    yield from _form()
    yield from _transaction(other)
    yield from _people()
    yield from _checkpoint()


def _form() -> Iterator[Case]:
    good = block()
    full = CITY.block(7, PREVIOUS, [HONEST]).octets
    yield case("a peer's whole block", full, 3)
    yield case("a field behind the block", good + octets(9, b"x"), 3)
    yield case("a block's header twice", block(extra={"block": item(1, b"")}), 3)
    numbered = block(extra={"signature": octets(3, number(1, 1))})
    yield case("an orderer named by a number", numbered, 3)
    yield case("data of another header", block(data_hash=bytes(range(32))), 4)
    yield case("the transaction twice", block(HONEST, HONEST), 4)
    yield case("the transaction isn't there", block(), 4, tx="00" * 32)


def _transaction(other: Transaction) -> Iterator[Case]:
    yield lie("no endorser transaction", 5, kind=1)
    yield lie("two actions", 5, actions=2)
    yield lie("a nonce twice", 5, extra={"signature header": octets(2, bytes(24))})
    yield lie("another channel", 5, channel="app2")
    yield lie("an id of one's own choice", 5, tx_id="11" * 32)
    yield case("code 11 of a peer", block(codes=bytes([11])), 8)
    yield case("a code too many", block(codes=bytes(2)), 8)
    yield lie("another proposal was endorsed", 9, proposal_hash=bytes(32))
    yield case("another transaction of the block", block(HONEST, other), 10, tx=other.tx_id)


def _people() -> Iterator[Case]:
    peer, client = CITY.peers[0], CITY.gateway
    yield lie("a creator of a CA with the same name", 6, creator=FALSE.issue("client", "x"))
    yield lie("the creator's signature by another", 6, creator_signer=peer)
    odd = Identity("OrdererMSP", client.der, client.key)
    yield lie("a creator of another organisation", 6, creator=odd)
    late = ORDERING.issue("orderer", "late", days=(1, 300))
    yield case("an orderer's certificate not yet valid", block(orderers=[late]), 7)
    yield case("a peer as orderer", block(orderers=[ORDERING.issue("peer", "x")]), 7)
    yield case("nobody ordered", block(orderers=[]), 7)
    yield case("the orderer's signature by another", block(signer=peer), 7)
    yield lie("nobody endorsed", 9, endorsers=[])
    yield lie("a client endorsed", 9, endorsers=[ORGANISATION.issue("client", "x")])
    expired = ORGANISATION.issue("peer", "old", days=(-300, -1))
    yield lie("an expired peer endorsed", 9, endorsers=[expired])
    yield lie("a false peer beside a good one", 9, endorsers=[peer, FALSE.issue("peer", "x")])


def _checkpoint() -> Iterator[Case]:
    yield case("another size", block(), 10, OTHER, size=SIZE + 1)
    yield case("another root", block(), 10, OTHER, root=bytes(32))
    yield lie("two keys", 10, writes=[(STATE_KEY, VALUE), ("base_key_x", b"1")])
    yield lie("deleted, then written", 10, writes=[(STATE_KEY, None), (STATE_KEY, VALUE)])
    yield lie("over an older value", 10, reads=[(STATE_KEY, (4, 0))])
    yield lie("in another namespace", 10, namespace="cc_other")
    yield lie("by update", 10, args=["update", "{}"])
    twice = VALUE[:-1] + b',"BaseInfo":""}'
    yield lie("the root twice in the value", 10, writes=[(STATE_KEY, twice)])
    yield lie("a deletion with a value", 10, extra={"write": number(2, 1)})


def build() -> str:
    """The text of fabric.json."""
    content = {"origin": ORIGIN, "cases": list(cases())}
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    Path(__file__).with_name("fabric.json").write_text(build(), encoding="utf-8")
