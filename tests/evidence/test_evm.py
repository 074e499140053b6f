# SPDX-License-Identifier: Apache-2.0
"""
Evidence of EVM chains: every case of evm.json is answered as it says, by the step that it names.
What the vectors can't show: every single byte, blocks of another maker's chain, whole receipts.
"""

import json
import re
from base64 import b64decode
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import rlp
from eth_tester import EthereumTester, PyEVMBackend

from notary.core import canonical
from notary.core.errors import MalformedTrust, NotaryError, ReceiptRefused
from notary.core.receipt import verify_receipt
from notary.core.receipt_ledgers import Found
from notary.core.trust import LedgerTrust
from notary.evidence import check_evidence, checkers, evm
from tests.core.maker import ORIGIN, make, trust
from tests.evidence.chain import (
    LEDGER,
    SIGNATURE,
    Trie,
    base64,
    evm_anchor,
    hashed,
    parsed,
    trusted,
)
from tests.vectors import generate_evm

FILE = json.loads((Path(generate_evm.__file__).parent / "evm.json").read_text("utf-8"))
CASES: list[dict[str, Any]] = FILE["cases"]
FOLDER = Path(evm.__file__).parent
SOURCES = {str(path): path.read_text("utf-8").split("\n") for path in FOLDER.glob("*.py")}
STEP = re.compile(r"anchor-evm\.md, step (\d+)")


def found_of(case: dict[str, Any]) -> Found:
    """What is found of a case's anchor. Raises NotaryError."""
    anchor, ledger = case["anchor"], case["ledger"]
    of = LedgerTrust(ledger["id"], ledger["kind"], ledger)
    root = bytes.fromhex(anchor["root"])
    return check_evidence("evm", anchor["evidence"], anchor["size"], root, of, FILE["origin"])


def step_of(error: BaseException) -> str | None:
    """The step that the code cites last before the line that failed."""
    found, place = None, (error.__context__ or error).__traceback__
    while place is not None:
        code = place.tb_frame.f_code
        lines = SOURCES.get(code.co_filename, [])[code.co_firstlineno - 1 : place.tb_lineno]
        if cited := STEP.findall("\n".join(lines)):
            found = f"anchor-evm.md, step {cited[-1]}"
        place = place.tb_next
    return found


def test_the_vectors_are_what_their_generator_writes() -> None:
    """Whoever changes one changes the other."""
    assert generate_evm.build() == json.dumps(FILE, ensure_ascii=False, indent=1) + "\n"


def test_each_case_is_answered_as_it_says() -> None:
    """Status and facts; or the refusal, with its reason, by its step."""
    for case in CASES:
        if case["wantErr"] is None:
            found = found_of(case)
            assert (case["desc"], found.status) == (case["desc"], case["found"]["status"])
            assert (case["desc"], found.facts) == (case["desc"], case["found"]["facts"])
            continue
        with pytest.raises(NotaryError) as caught:
            found_of(case)
        reason = caught.value.facts.get("reason")
        code = ".".join(filter(None, (caught.value.code, reason)))
        told = (case["desc"], code, step_of(caught.value))
        assert told == (case["desc"], case["wantErr"], case["step"])


def test_attacks_outnumber_what_holds_and_each_step_refuses() -> None:
    """Ten to one would need a longer list of valid ones; five will do."""
    counts = Counter(case["wantErr"] is None for case in CASES)
    assert counts[False] > 5 * counts[True] > 50
    steps = {case["step"] for case in CASES if "step" in case}
    assert steps == {f"anchor-evm.md, step {number}" for number in range(1, 8)}
    assert len({case["desc"] for case in CASES}) == len(CASES)


def test_the_topic_is_the_hash_of_the_events_signature() -> None:
    """By another maker's hash."""
    assert hashed(SIGNATURE) == evm.TOPIC


def test_each_byte_of_the_evidence_counts(long: bool) -> None:
    """Another header is another block; all else is refused. In short runs every fifth byte."""
    anchor, ledger = parsed(evm_anchor(make(), 0)), trusted()
    honest = evm.check(anchor, ledger, ORIGIN)
    evidence: Any = anchor.evidence
    chain = evm.chain_of(ledger.members)
    octets = evm.wanted(anchor, ORIGIN)
    for name, place, data in _parts(evidence):
        for at in range(0, len(data), 1 if long else 5):
            changed = base64(data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1 :])
            nodes = [*evidence["proof"][:place], changed, *evidence["proof"][place + 1 :]]
            other = evidence | {name: nodes if name == "proof" else changed}
            try:
                block = evm.prove(other, chain, octets)
            except ReceiptRefused:
                continue
            assert name == "header"
            assert f"0x{block.hash.hex()}" != honest.facts["block_hash"]


def _parts(evidence: Any) -> list[tuple[str, int, bytes]]:
    proof = [("proof", at, b64decode(node)) for at, node in enumerate(evidence["proof"])]
    return [("header", 0, b64decode(evidence["header"])), *proof]


def test_blocks_of_another_makers_chain_are_read() -> None:
    """Its header hashes to its own hash, and each of its receipts is proved under its root."""
    tester = EthereumTester(PyEVMBackend())
    tester.disable_auto_mine_transactions()
    to, *senders = tester.get_accounts()
    for value, sender in enumerate(senders[:5], 1):
        sent = {"from": sender, "to": to, "gas": 21_000, "value": value}
        typed = {"max_fee_per_gas": 10**10, "max_priority_fee_per_gas": 10**9}
        tester.send_transaction(sent | (typed if value % 2 else {"gas_price": 10**10}))
    tester.mine_block()
    chain = tester.backend.chain
    block = chain.get_canonical_block_by_number(1)
    assert len(block.transactions) == 5
    read = evm.parse_header(rlp.encode(block.header))
    assert (read.hash, read.number) == (block.hash, 1)
    assert int(read.time.timestamp()) == block.header.timestamp
    receipts = block.get_receipts(chain.chaindb)
    trie = Trie({rlp.encode(at): receipt.encode() for at, receipt in enumerate(receipts)})
    assert trie.root == read.receipts_root
    for at in range(5):
        key = rlp.encode(at)
        value = evm.value_at(read.receipts_root, key, trie.proof(key))
        assert evm.logs_of(value) == []


def test_the_first_block_of_ethereum_has_the_hash_that_everybody_knows() -> None:
    """No transaction, no time; its hash stands in every node."""
    empty = "56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421"
    members = [
        bytes(32),
        bytes.fromhex("1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347"),
        bytes(20),
        bytes.fromhex("d7f8974fb5ac78d9ac099b9ad5018bedc2ce0a72dad1827a1709da30580f0544"),
        bytes.fromhex(empty),
        bytes.fromhex(empty),
        bytes(256),
        bytes.fromhex("0400000000"),
        b"",
        bytes.fromhex("1388"),
        b"",
        b"",
        bytes.fromhex("11bbe8db4e347b4e8c937c1c8370e4b5ed33adb3db69cbdb7a38e1e50b1b82fa"),
        bytes(32),
        bytes.fromhex("0000000000000042"),
    ]
    block = evm.parse_header(rlp.encode(members))
    known = "d4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3"
    assert (block.hash.hex(), block.number, block.receipts_root.hex()) == (known, 0, empty)


# -- whole receipts


def with_anchors(*kinds: str) -> dict[str, Any]:
    """A receipt under its checkpoint of size 3, anchored at other sizes too."""
    city = make()
    found = {
        "file": city.anchor(0, 2),
        "evm": evm_anchor(city, 0, 3),
        "evm 2": evm_anchor(city, 0, 2),
    }
    return city.receipt("s1", 1) | {"anchors": [found[kind] for kind in kinds]}


TRUST = trust(ledgers=[*trust()["ledgers"], LEDGER])


def checked(receipt: dict[str, Any], trusting: Any = TRUST) -> list[tuple[Any, ...]]:
    """Of each anchor: ledger, size, status, reason."""
    verdict = verify_receipt(receipt, trusting, checkers=checkers())
    names = ("ledger", "size", "reason")
    return [
        (check.status, *(check.facts.get(name) for name in names))
        for check in verdict.checks
        if check.code == "anchor"
    ]


def test_a_receipt_has_several_anchors_each_with_its_own_size() -> None:
    """Each is told by itself, in their order."""
    assert checked(with_anchors("evm 2", "file", "evm")) == [
        ("not-checked", "chain", 2, "ask-the-chain"),
        ("own-word", "file", 2, None),
        ("not-checked", "chain", 3, "ask-the-chain"),
    ]


def test_one_that_can_not_be_checked_refuses_nothing() -> None:
    """Not listed, of a kind that nobody knows, or without a checker at hand."""
    receipt = with_anchors("file", "evm")
    assert checked(receipt, trust())[1] == ("not-checked", "chain", 3, "not-in-trust-file")
    unknown = {**receipt["anchors"][1], "kind": "papyrus"}
    listed = trust(ledgers=[*trust()["ledgers"], {"id": "chain", "kind": "papyrus"}])
    several = receipt | {"anchors": [receipt["anchors"][0], unknown]}
    assert checked(several, listed)[1] == ("not-checked", "chain", 3, "needs-package")
    alone = verify_receipt(receipt, TRUST).checks[-1]
    assert (alone.status, alone.facts["reason"]) == ("not-checked", "needs-package")


def test_one_broken_anchor_refuses_the_whole_receipt() -> None:
    """Wherever it stands, however good the others are."""
    good = with_anchors("file", "evm", "evm 2")
    for place, anchor in enumerate(good["anchors"]):
        for other in (good["anchors"][place - 1]["evidence"], {}):
            broken = [*good["anchors"]]
            broken[place] = {**anchor, "evidence": other}
            with pytest.raises(ReceiptRefused) as caught:
                checked(good | {"anchors": broken})
            assert str(caught.value.facts["reason"]).startswith("ledger-")


def test_an_anchor_is_no_other_states() -> None:
    """The path must lead to the anchored root, and two roots for one size are a fork."""
    receipt = with_anchors("evm", "evm 2")
    one, two = receipt["anchors"]
    swapped = [{**one, "evidence": two["evidence"]}]
    with pytest.raises(ReceiptRefused) as caught:
        checked(receipt | {"anchors": swapped})
    assert caught.value.facts["reason"] == "ledger-other"
    with pytest.raises(NotaryError) as mismatch:
        checked(receipt | {"anchors": [{**one, "root": two["root"]}]})
    assert mismatch.value.code == "root-mismatch"


def test_a_trust_file_of_no_use_says_nothing_of_the_receipt() -> None:
    """It is the trust file that is refused."""
    for instead in ({"contract": "0x00"}, {"from_size": ...}, {"more": 1}):
        members = {name: value for name, value in (LEDGER | instead).items() if value is not ...}
        listed = trust(ledgers=[*trust()["ledgers"], members])
        with pytest.raises(MalformedTrust):
            checked(with_anchors("evm"), canonical.dumps(listed))


def test_evidence_that_takes_long_to_hash_is_not_hashed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Header and nodes of 64 KiB each, true ones, took a minute and a half in one receipt."""
    case = next(case for case in CASES if case["wantErr"] is None)
    anchor = case["anchor"]
    rest = sum(len(b64decode(node)) for node in anchor["evidence"]["proof"])
    monkeypatch.setattr(evm, "parse_header", lambda _: pytest.fail("it was read"))
    for size in (evm.MAX_BYTES - rest + 1, evm.MAX_HEADER_BYTES):
        header = base64(bytes(min(size, evm.MAX_HEADER_BYTES)))
        nodes = [*anchor["evidence"]["proof"], base64(bytes(evm.MAX_BYTES - evm.MAX_HEADER_BYTES))]
        changed = anchor["evidence"] | {"header": header, "proof": nodes}
        with pytest.raises(ReceiptRefused, match="Header and proof have more"):
            found_of(case | {"anchor": anchor | {"evidence": changed}})
