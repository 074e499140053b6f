# SPDX-License-Identifier: Apache-2.0
"""
Writes evm.json: `python -m tests.vectors.generate_evm`.

Evidence of kind `evm` (docs/spec/anchor-evm.md), of blocks that tests/evidence/chain.py makes: no
node was asked. `origin` is the log's. Each case has `desc` (what was done), `ledger` (the members
in the trust file), `anchor` (`size`, `root`, `evidence`), and `wantErr`: the code of the error
that must follow, perhaps with a dot and its reason, or null. A refused case has `step`, which
refuses it; a valid one `found`: status and facts, without a node.
"""

import json
import sys
from base64 import b64decode
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

import rlp

from tests.core.maker import ORIGIN
from tests.evidence.chain import (
    LEDGER,
    SENDER,
    Mined,
    base64,
    event,
    hashed,
    header,
    mine,
    transaction_receipt,
    transfer,
)

Case = dict[str, Any]
SIZE, ROOT = 3, sha256(b"the root of three batches").digest()
EVIDENCE, OTHER, TRUST = (
    "receipt-refused.ledger-evidence",
    "receipt-refused.ledger-other",
    "malformed-trust",
)
OURS = event(ORIGIN, SIZE, ROOT, previous=2)


def block(log: Any = OURS, kind: int = 2, status: bytes = b"\x01", **instead: Any) -> Mined:
    """A block in which the transaction 3 left this log as its second one."""
    return mine(transaction_receipt([transfer(7), log], kind, status), **instead)


def case(
    desc: str, evidence: Any, step: int | None = None, error: str | None = None, **more: Any
) -> Case:
    """One case; the ledger, the size and the root are the usual ones where none are given."""
    anchor = {"size": more.get("size", SIZE), "root": more.get("root", ROOT).hex()}
    found: Case = {
        "desc": desc,
        "ledger": more.get("ledger", LEDGER),
        "anchor": {**anchor, "evidence": evidence},
        "wantErr": error,
    }
    return found | ({} if step is None else {"step": f"anchor-evm.md, step {step}"})


def valid(desc: str, mined: Mined, index: int = 3, log: int = 1, **more: Any) -> Case:
    """One that holds as far as it goes, and what is found."""
    found = case(desc, mined.evidence(index, log), **more)
    reason = more.get("reason", {"reason": "ask-the-chain"})
    number, time = int.from_bytes(mined.head[8], "big"), more.get("time", "2026-11-24T08:02:12")
    facts = {
        "who": f"eip155:{found['ledger']['chain_id']}",
        "block": number,
        "block_hash": f"0x{mined.hash.hex()}",
        "time": f"{time}.000000Z",
    }
    return found | {"found": {"status": "not-checked", "facts": facts | reason}}


def cases() -> Iterator[Case]:
    """Valid ones, then by the step that refuses."""
    yield from _valid()
    yield from _trusts()
    yield from _forms()
    yield from _headers()
    yield from _proofs()
    yield from _receipts()
    yield from _events()
    yield from _others()


def _valid() -> Iterator[Case]:
    for kind in range(5):
        yield valid(f"a transaction of type {kind}", block(kind=kind))
    first = event(ORIGIN, SIZE, ROOT)
    yield valid("the first checkpoint that the contract took", block(first))
    alone = mine(transaction_receipt([OURS]), index=0, count=1)
    yield valid("the only transaction of its block", alone, index=0, log=0)
    for index, count in ((0, 2), (1, 2), (15, 17), (127, 130), (128, 130), (129, 130)):
        mined = mine(transaction_receipt([OURS]), index=index, count=count)
        yield valid(f"transaction {index} of {count}", mined, index=index, log=0)
    mined = block()
    short, long = (
        Mined(mined.head[:15], mined.receipts),
        Mined([*mined.head, b"", b"\x01" * 32], mined.receipts),
    )
    yield valid("a header of fifteen members", short)
    yield valid("a header with members that are not known yet", long)
    yield valid("the first block", block(number=b""))
    yield valid("a block of number 2^53", block(number=b"\x20" + bytes(6)))
    early = block(time=b"")
    yield valid("a block without a time", early, time="1970-01-01T00:00:00")
    extra = block(extra=b"v" * 9000)
    yield valid("a header with 9,000 bytes of extra data", extra)
    later = LEDGER | {"from_size": 4}
    below = {"reason": "below-from-size", "from_size": 4}
    yield valid(
        "a size before the first that the trust file names", block(), ledger=later, reason=below
    )
    at = LEDGER | {"from_size": 3, "chain_id": 2**53 - 1}
    yield valid("the first size that the trust file names", block(), ledger=at)
    large = event(ORIGIN, 2**53 - 1, ROOT, previous=2**53 - 2)
    yield valid("the largest size", block(large), size=2**53 - 1)


def _trusts() -> Iterator[Case]:
    evidence = block().evidence(3, 1)
    wrong: dict[str, dict[str, Any]] = {
        "without a chain id": {"chain_id": ...},
        "without a contract": {"contract": ...},
        "without a sender": {"sender": ...},
        "without a first size": {"from_size": ...},
        "a member more": {"confirmations": 12},
        "a chain id that is text": {"chain_id": "31337"},
        "a chain id of 0": {"chain_id": 0},
        "a chain id that is true": {"chain_id": True},
        "a first size of 0": {"from_size": 0},
        "a first size that is null": {"from_size": None},
        "a contract in upper case": {"contract": LEDGER["contract"].upper().replace("X", "x")},
        "a contract without 0x": {"contract": LEDGER["contract"][2:]},
        "a contract of 19 bytes": {"contract": LEDGER["contract"][:-2]},
        "a contract of 21 bytes": {"contract": LEDGER["contract"] + "00"},
        "a sender that is a number": {"sender": 5},
        "a sender with a newline": {"sender": LEDGER["sender"] + "\n"},
    }
    for desc, instead in wrong.items():
        members = {name: value for name, value in (LEDGER | instead).items() if value is not ...}
        yield case(f"trust file: {desc}", evidence, 1, TRUST, ledger=members)
    both = case("trust file: and the evidence is none either", {}, 1, TRUST)
    yield both | {"ledger": {name: LEDGER[name] for name in ("id", "kind")}}


def _forms() -> Iterator[Case]:
    good = block().evidence(3, 1)
    for name in good:
        yield case(f"without {name}", {k: v for k, v in good.items() if k != name}, 2, EVIDENCE)
        for wrong in (None, True, -1, 2**32, "", "x", [], {}, [""], ["x"], [1]):
            yield case(f"{name} is {json.dumps(wrong)}", good | {name: wrong}, 2, EVIDENCE)
    yield case("a member more", good | {"block": 5}, 2, EVIDENCE)
    yield case("no members", {}, 2, EVIDENCE)
    for name in ("index", "log"):
        yield case(f"{name} as text", good | {name: str(good[name])}, 2, EVIDENCE)
    unpadded = good["header"].rstrip("=") + "A"
    yield case(
        "base64 of the header that isn't canonical", good | {"header": unpadded}, 2, EVIDENCE
    )
    yield case("base64 with a newline", good | {"header": good["header"] + "\n"}, 2, EVIDENCE)
    many = good | {"proof": [good["proof"][0]] * 17}
    yield case("seventeen nodes", many, 2, EVIDENCE)
    huge = base64(rlp.encode(header(bytes(32), extra=b"v" * 65_536)))
    yield case("a header of more than 64 KiB", good | {"header": huge}, 2, EVIDENCE)


def _headers() -> Iterator[Case]:
    mined = block()
    proof = mined.evidence(3, 1)

    def headed(desc: str, data: bytes) -> Case:
        return case(f"header: {desc}", proof | {"header": base64(data)}, 3, EVIDENCE)

    data = rlp.encode(mined.head)
    yield headed("cut off", data[:-1])
    yield headed("with a byte behind it", data + b"\x80")
    yield headed("text", b"header")
    yield headed("an empty list", b"\xc0")
    yield headed("of fourteen members", rlp.encode(mined.head[:14]))
    yield headed("with a list in it", rlp.encode([*mined.head[:16], [b"x"]]))
    lengths = {"parent": 31, "ommers": 33, "beneficiary": 19, "state": 0, "transactions": 31}
    lengths |= {"receipts": 33, "bloom": 255}
    for name, length in lengths.items():
        told = header(mined.receipts.root, **{name: b"\x01" * length})
        yield headed(f"{name} of {length} bytes", rlp.encode(told))
    for name in ("number", "time"):
        for desc, value in (("with a leading zero", b"\x00\x01"), ("of nine bytes", b"\x01" * 9)):
            yield headed(f"{name} {desc}", rlp.encode(header(mined.receipts.root, **{name: value})))
    late = (253_402_300_800).to_bytes(8, "big").lstrip(b"\x00")
    yield headed("a time in the year 10000", rlp.encode(header(mined.receipts.root, time=late)))
    yield headed("its longest number spelt otherwise", b"\xf9\x00" + data[1:])


def _proofs() -> Iterator[Case]:
    mined, good = block(), block().evidence(3, 1)
    nodes = good["proof"]
    changed: dict[str, Any] = {
        "without its first node": nodes[1:],
        "without its last node": nodes[:-1],
        "backwards": nodes[::-1],
        "its last node twice": [*nodes, nodes[-1]],
        "of another transaction": mined.evidence(4, 1)["proof"],
        "its last node of another transaction": [*nodes[:-1], mined.evidence(4, 1)["proof"][-1]],
    }
    for desc, proof in changed.items():
        yield case(f"proof: {desc}", good | {"proof": proof}, 4, EVIDENCE)
    for index in (0, 2, 4, 5, 6, 128, 2**32 - 1):
        yield case(f"proof: of 3 for transaction {index}", good | {"index": index}, 4, EVIDENCE)
    for at, node in enumerate(nodes):
        for place in (0, len(b64decode(node)) // 2, -1):
            proof = [*nodes[:at], _flipped(node, place), *nodes[at + 1 :]]
            yield case(
                f"proof: node {at}, byte {place} flipped", good | {"proof": proof}, 4, EVIDENCE
            )
    other = mine(transaction_receipt([transfer(7), OURS], kind=3))
    yield case(
        "proof: of another block", good | {"proof": other.evidence(3, 1)["proof"]}, 4, EVIDENCE
    )
    root = Mined(header(bytes(32), transactions=mined.receipts.root), mined.receipts)
    yield case("proof: under the root of the transactions", root.evidence(3, 1), 4, EVIDENCE)
    state = Mined(header(bytes(32), state=mined.receipts.root), mined.receipts)
    yield case("proof: under the root of the state", state.evidence(3, 1), 4, EVIDENCE)


def _receipts() -> Iterator[Case]:
    def proved(desc: str, receipt: bytes) -> Case:
        return case(f"receipt: {desc}", mine(receipt).evidence(3, 1), 5, EVIDENCE)

    logs = [transfer(7), OURS]
    good = transaction_receipt(logs)
    yield proved("of a transaction that failed", transaction_receipt(logs, status=b""))
    yield proved("of a status of 2", transaction_receipt(logs, status=b"\x02"))
    yield proved(
        "of the time before there was a status", transaction_receipt(logs, status=hashed(b"state"))
    )
    for kind in (5, 0x7E, 0x7F):
        yield proved(f"of type {kind}", transaction_receipt(logs, kind=kind))
    yield proved("with its type twice", b"\x02" + good)
    yield proved("cut off", good[:-1])
    yield proved("with a byte behind it", good + b"\x00")
    yield proved("its type alone", b"\x02")
    yield proved("text", rlp.encode(b"v" * 60))
    yield proved("of three members", b"\x02" + rlp.encode([b"\x01", bytes(256), logs]))
    yield proved("of five members", b"\x02" + rlp.encode([b"\x01", b"", bytes(256), logs, b""]))
    yield proved("whose logs are no list", b"\x02" + rlp.encode([b"\x01", b"", bytes(256), b"v"]))
    yield proved("whose status is a list", b"\x02" + rlp.encode([[b"\x01"], b"", bytes(256), logs]))


def _events() -> Iterator[Case]:
    def left(desc: str, log: Any) -> Case:
        return case(f"log: {desc}", block(log).evidence(3, 1), 6, EVIDENCE)

    good = block()
    for place in (0, 2, 2**32 - 1):
        yield case(f"log: number {place}", good.evidence(3, place), 6, EVIDENCE)
    topics, data = OURS[1], OURS[2]
    yield left("of another contract", event(ORIGIN, SIZE, ROOT, contract=SENDER))
    yield left("of a contract of 19 bytes", event(ORIGIN, SIZE, ROOT, contract=OURS[0][1:]))
    yield left("of another sender", event(ORIGIN, SIZE, ROOT, sender=OURS[0]))
    yield left(
        "of another event", event(ORIGIN, SIZE, ROOT, topics=[hashed(b"Appended()"), *topics[1:]])
    )
    yield left("with three topics", event(ORIGIN, SIZE, ROOT, topics=topics[:3]))
    yield left("with five topics", event(ORIGIN, SIZE, ROOT, topics=[*topics, topics[3]]))
    yield left("with its topics backwards", event(ORIGIN, SIZE, ROOT, topics=topics[::-1]))
    yield left(
        "with a sender that isn't filled up",
        event(ORIGIN, SIZE, ROOT, topics=[topics[0], SENDER, *topics[2:]]),
    )
    dirty = b"\x01" + topics[1][1:]
    yield left(
        "with a sender that is filled up otherwise",
        event(ORIGIN, SIZE, ROOT, topics=[topics[0], dirty, *topics[2:]]),
    )
    yield left("whose topics are no list", event(ORIGIN, SIZE, ROOT, topics=b"v" * 32))
    yield left("with data of 32 bytes", event(ORIGIN, SIZE, ROOT, data=data[:32]))
    yield left("with data of 96 bytes", event(ORIGIN, SIZE, ROOT, data=data + bytes(32)))
    yield left("whose data are a list", event(ORIGIN, SIZE, ROOT, data=[data]))
    yield left("of two members", OURS[:2])
    yield left("of four members", [*OURS, b""])
    yield left("that is text", b"v" * 32)


def _others() -> Iterator[Case]:
    def of(desc: str, log: Any) -> Case:
        return case(f"another checkpoint: {desc}", block(log).evidence(3, 1), 7, OTHER)

    evidence = block().evidence(3, 1)
    yield of("another log's", event("other.example/log", SIZE, ROOT))
    yield of("a larger size", event(ORIGIN, SIZE + 1, ROOT))
    yield of("a smaller size", event(ORIGIN, SIZE - 1, ROOT))
    yield of("another root", event(ORIGIN, SIZE, hashed(ROOT)))
    yield of("the size beyond 64 bits", event(ORIGIN, SIZE + 2**64, ROOT))
    yield of(
        "the root as previous size",
        event(ORIGIN, SIZE, bytes(32), previous=int.from_bytes(ROOT, "big")),
    )
    yield case("another size in the anchor", evidence, 7, OTHER, size=SIZE + 1)
    yield case("another root in the anchor", evidence, 7, OTHER, root=hashed(ROOT))


def _flipped(text: str, place: int) -> str:
    data = bytearray(b64decode(text))
    data[place] ^= 1
    return base64(bytes(data))


def build() -> str:
    """The file."""
    return (
        json.dumps({"origin": ORIGIN, "cases": list(cases())}, ensure_ascii=False, indent=1) + "\n"
    )


if __name__ == "__main__":
    text = build()
    (Path(__file__).parent / "evm.json").write_text(text, encoding="utf-8")
    print("evm.json", len(json.loads(text)["cases"]), "cases")
