# SPDX-License-Identifier: Apache-2.0
"""A Fabric block shows an anchor, and no other block, transaction or byte of it does."""

import base64
import random
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notary.core.errors import MalformedText, ReceiptRefused
from notary.evidence import fabric
from notary.evidence.fabric_block import (
    MAX_BLOCK_BYTES,
    MAX_SIGNATURES_BYTES,
    format_block,
    parse_block,
)
from notary.evidence.fabric_transaction import find, parse_transaction
from tests.evidence.fabric_city import (
    BLOCK,
    CHECKPOINT,
    HONEST,
    KEY,
    NETWORK,
    NONCE,
    PREVIOUS,
    ROOT,
    SIZE,
    TIME,
    TRUST,
    block_of,
    check,
    draft,
    look,
)
from tests.fabric.network import stored
from tests.fabric.transaction import Draft
from tests.fabric.wire import item, number, octets

STATE_KEY = f"base_key_{KEY}"
OTHERS = [NETWORK.set(f"other-{n}", "v", time=TIME, nonce=bytes([n]) * 24) for n in range(3)]


def test_an_honest_block_holds() -> None:
    """And says whose word the time and the validity are."""
    found = look()
    assert found.status == "held"
    assert found.facts == {
        "reason": "offline",
        "time": "2026-11-27T08:00:05.123456Z",
        "who": "OrgaNodeMSP",
        "channel": NETWORK.channel,
        "block": 7,
        "endorsers": "OrgaNodeMSP, OrgbNodeMSP",
        "orderers": "OrdererMSP",
        "validation": "peer",
    }


def test_evidence_is_made_of_a_peers_block() -> None:
    """Without the metadata that nobody signed, in one spelling."""
    full = NETWORK.block(7, PREVIOUS, [HONEST])
    evidence = fabric.evidence(full.octets, HONEST.tx_id)
    assert check(evidence).status == "held"
    assert base64.b64decode(str(evidence["block"])) == BLOCK
    assert format_block(parse_block(BLOCK)) == BLOCK
    assert parse_block(BLOCK).hash == full.hash
    with pytest.raises(ReceiptRefused, match="nobody signed"):
        look(full.octets)


def test_a_ledgers_adapter_checks_the_same_by_the_hash_of_the_origin() -> None:
    """Which is all that it gets to see."""
    assert fabric.check_block(BLOCK, HONEST.tx_id, CHECKPOINT, TRUST) == look()
    with pytest.raises(ReceiptRefused) as refusal:
        fabric.check_block(BLOCK, HONEST.tx_id, bytes(32) + CHECKPOINT[32:], TRUST)
    assert refusal.value.facts["reason"] == "ledger-other"


@pytest.mark.parametrize("number_", [1, 127, 128, 255, 256, 2**31, 2**63, 2**64 - 1])
def test_a_block_of_any_number_holds(number_: int) -> None:
    """Its header's DER has the shortest integer, never a negative one."""
    assert look(block_of(HONEST, number=number_)).facts["block"] == number_


def test_the_anchor_is_found_among_other_transactions() -> None:
    """Valid or not, or of no use to us at all."""
    block = block_of(OTHERS[0], b"\xff", HONEST, OTHERS[1], codes=bytes([0, 2, 0, 11]))
    assert look(block).status == "held"


def test_another_transactions_code_does_not_matter() -> None:
    """It is a peer's word about that one."""
    block = block_of(OTHERS[0], HONEST, codes=bytes([0, 0]))
    other = block_of(OTHERS[0], HONEST, codes=bytes([10, 0]))
    assert look(block) == look(other)


def test_a_transaction_is_read_as_it_was_made() -> None:
    """Every part of the transaction, as the draft says it."""
    block = parse_block(BLOCK)
    place, transaction = find(block, HONEST.tx_id)
    assert (place, transaction.channel, transaction.time) == (0, NETWORK.channel, TIME)
    assert transaction.creator == NETWORK.gateway.serialized
    assert transaction.nonce == NONCE
    assert [(one.key, one.value) for one in transaction.writes] == [
        (STATE_KEY, stored(KEY, ROOT.hex()))
    ]
    assert fabric.anchored(transaction, NETWORK.chaincode) == CHECKPOINT


# Bytes


def flips(data: bytes, long: bool) -> list[tuple[int, int]]:
    """Every bit in a long run, else one bit of every eleventh byte."""
    if long:
        return [(at, 1 << bit) for at in range(len(data)) for bit in range(8)]
    choice = random.Random(6)
    return [(at, 1 << choice.randrange(8)) for at in range(choice.randrange(11), len(data), 11)]


def test_no_bit_of_a_block_can_be_another(long: bool) -> None:
    """Each is hashed, signed, or the peer's code."""
    for at, bit in flips(BLOCK, long):
        changed = BLOCK[:at] + bytes([BLOCK[at] ^ bit]) + BLOCK[at + 1 :]
        with pytest.raises(ReceiptRefused) as refusal:
            look(changed)
        assert refusal.value.facts["reason"] == "ledger-evidence", at


def test_no_bit_of_a_transactions_id_can_be_another(long: bool) -> None:
    """It names what is looked for."""
    for at, bit in flips(HONEST.tx_id.encode(), long):
        changed = bytearray(HONEST.tx_id.encode())
        changed[at] ^= bit
        with pytest.raises(ReceiptRefused):
            look(tx=changed.decode("latin-1"))


def test_a_block_that_is_cut_or_longer_is_refused(long: bool) -> None:
    """At any place."""
    for end in range(0, len(BLOCK), 1 if long else 97):
        with pytest.raises(ReceiptRefused):
            look(BLOCK[:end])
    for tail in (b"\x00", b"\n\x00", number(9, 1), BLOCK):
        with pytest.raises(ReceiptRefused):
            look(BLOCK + tail)


@given(st.binary(max_size=200))
def test_any_octets_are_a_block_or_refused(data: bytes) -> None:
    """No other error, neither for a block nor for an envelope."""
    for read in (parse_block, parse_transaction):
        with pytest.raises(MalformedText):
            read(data)


EVIDENCE: dict[str, dict[str, object]] = {
    "no block": {"tx": HONEST.tx_id},
    "no id": {"block": base64.b64encode(BLOCK).decode()},
    "one more member": {**fabric.evidence(BLOCK, HONEST.tx_id), "code": 0},
    "bytes that are none": {"block": 7, "tx": HONEST.tx_id},
    "no bytes": {"block": "", "tx": HONEST.tx_id},
    "hex": {"block": BLOCK.hex(), "tx": HONEST.tx_id},
    "base64 in lines": {"block": base64.encodebytes(BLOCK).decode(), "tx": HONEST.tx_id},
    "base64 without its end": {
        "block": base64.b64encode(BLOCK + b"").decode().rstrip("=") + "*",
        "tx": HONEST.tx_id,
    },
    "URL's base64": {
        "block": base64.urlsafe_b64encode(BLOCK).decode() + "_-==",
        "tx": HONEST.tx_id,
    },
    "an id that is no text": {"block": base64.b64encode(BLOCK).decode(), "tx": 7},
    "an id in capitals": {"block": base64.b64encode(BLOCK).decode(), "tx": HONEST.tx_id.upper()},
    "an id that is short": {"block": base64.b64encode(BLOCK).decode(), "tx": HONEST.tx_id[:-1]},
}


@pytest.mark.parametrize("evidence", EVIDENCE.values(), ids=EVIDENCE)
def test_evidence_has_its_two_members(evidence: dict[str, object]) -> None:
    """In their one spelling."""
    with pytest.raises(ReceiptRefused) as refusal:
        check(evidence)
    assert refusal.value.facts["reason"] == "ledger-evidence"


def test_a_block_is_bounded() -> None:
    """And not read where it is larger."""
    with pytest.raises(ReceiptRefused, match="1 to"):
        look(bytes(MAX_BLOCK_BYTES + 1))
    with pytest.raises(MalformedText, match="longer"):
        parse_block(bytes(MAX_BLOCK_BYTES + 1))


def test_a_block_full_of_nothing_is_refused() -> None:
    """More fields than a message may have, at every level where they could hide."""
    many = number(15, 1) * 70_000
    for block in (many, item(1, many), item(2, many), item(3, many), item(3, item(1, many))):
        with pytest.raises(MalformedText, match="fields"):
            parse_block(block)
    with pytest.raises(MalformedText, match="fields"):
        parse_transaction(octets(1, many))


# The checkpoint


@pytest.mark.parametrize(
    "other",
    [{"size": SIZE + 1}, {"root": bytes(32)}, {"origin": "notary.example/other"}],
    ids=["size", "root", "origin"],
)
def test_another_checkpoints_block_is_another_checkpoints(other: dict[str, Any]) -> None:
    """An honest block, replayed."""
    with pytest.raises(ReceiptRefused) as refusal:
        look(**other)
    assert refusal.value.facts["reason"] == "ledger-other"


def test_another_transaction_of_the_block_does_not_show_it() -> None:
    """Though it is valid, and the block has the anchor as well."""
    block = block_of(HONEST, OTHERS[0])
    with pytest.raises(ReceiptRefused) as refusal:
        look(block, OTHERS[0].tx_id)
    assert refusal.value.facts["reason"] == "ledger-evidence"


def test_a_transaction_that_stands_twice_is_refused() -> None:
    """Fabric takes the first alone, so which place is meant must not be a question."""
    with pytest.raises(ReceiptRefused, match="2 times"):
        look(block_of(HONEST, HONEST))


def test_a_transaction_that_is_not_there_is_refused() -> None:
    """Nor is one without an id found by the lack of it."""
    with pytest.raises(ReceiptRefused, match="0 times"):
        look(block_of(OTHERS[0]))
    with pytest.raises(ReceiptRefused):
        look(block_of(OTHERS[0], b""), "")


# What was written


def writes(*pairs: tuple[str, bytes | None]) -> Draft:
    return draft(writes=list(pairs))


VALUE = stored(KEY, ROOT.hex())
DIGITS = "7" * 64
WRITTEN: dict[str, Callable[[], Draft]] = {
    "nothing": lambda: writes(),
    "two keys": lambda: writes((STATE_KEY, VALUE), ("base_key_x", b"1")),
    "the key twice": lambda: writes((STATE_KEY, VALUE), (STATE_KEY, VALUE)),
    "deleted, then written": lambda: writes((STATE_KEY, None), (STATE_KEY, VALUE)),
    "written, then deleted": lambda: writes((STATE_KEY, VALUE), (STATE_KEY, None)),
    "deleted": lambda: writes((STATE_KEY, None)),
    "deleted, with its value": lambda: draft(
        writes=[(STATE_KEY, VALUE)], extra={"write": number(2, 1)}
    ),
    "a key without its prefix": lambda: writes((KEY, VALUE)),
    "a key of the preset's": lambda: writes(("cc_key_", VALUE)),
    "a size with a zero before it": lambda: writes((STATE_KEY.replace("-3", "-03"), VALUE)),
    "a size of 0": lambda: writes((STATE_KEY.replace("-3", "-0"), VALUE)),
    "a key with a line behind it": lambda: writes((STATE_KEY + "\n", VALUE)),
    "a key in capitals": lambda: writes(("base_key_" + KEY.upper(), VALUE)),
    "no value": lambda: writes((STATE_KEY, b"")),
    "another key inside": lambda: writes((STATE_KEY, stored(KEY[:-1] + "4", ROOT.hex()))),
    "no root": lambda: writes((STATE_KEY, stored(KEY, ""))),
    "a root in capitals": lambda: writes((STATE_KEY, stored(KEY, ROOT.hex().upper()))),
    "a longer root": lambda: writes((STATE_KEY, stored(KEY, ROOT.hex() + "00"))),
    "a root that is a number": lambda: writes(
        (STATE_KEY, f'{{"BaseKey":"{KEY}","BaseInfo":{DIGITS}}}'.encode())
    ),
    "two roots": lambda: writes(
        (STATE_KEY, VALUE[:-1] + b',"BaseInfo":"' + bytes(32).hex().encode() + b'"}')
    ),
    "two keys inside": lambda: writes((STATE_KEY, b'{"BaseKey":"x",' + VALUE[1:])),
    "the root as an escape": lambda: writes(
        (STATE_KEY, VALUE.replace(ROOT.hex()[:1].encode(), b"\\u0030", 1))
    ),
    "blanks": lambda: writes((STATE_KEY, VALUE.replace(b":", b": "))),
    "text behind it": lambda: writes((STATE_KEY, VALUE + b"{}")),
    "members of other spelling": lambda: writes((STATE_KEY, VALUE.replace(b"BaseI", b"baseI"))),
    "in another namespace": lambda: draft(namespace="other_cc"),
    "through another chaincode": lambda: draft(chaincode="cc_other", namespace=NETWORK.chaincode),
    "in the namespace twice": lambda: draft(
        extra={"results": item(2, octets(1, NETWORK.chaincode) + octets(2, b""))}
    ),
    "by another function": lambda: draft(args=["update", "{}"]),
    "by a function in capitals": lambda: draft(args=["Set", "{}"]),
    "by no function": lambda: draft(args=[]),
    "unseen": lambda: draft(reads=[]),
    "having seen another key": lambda: draft(reads=[("base_key_x", None)]),
    "over an older value": lambda: draft(reads=[(STATE_KEY, (4, 0))]),
    "having looked twice": lambda: draft(reads=[(STATE_KEY, None), (STATE_KEY, (4, 0))]),
}


@pytest.mark.parametrize("lie", WRITTEN.values(), ids=WRITTEN)
def test_the_transaction_writes_the_checkpoint_and_nothing_else(lie: Callable[[], Draft]) -> None:
    """As the preset chaincode's `set` does, though everything is endorsed and signed."""
    transaction = lie().build()
    with pytest.raises(ReceiptRefused) as refusal:
        look(block_of(transaction), transaction.tx_id)
    assert refusal.value.facts["reason"] == "ledger-evidence"


def test_writes_in_other_namespaces_are_no_business_of_ours() -> None:
    """What a chaincode does elsewhere doesn't change what it wrote here."""
    other = octets(1, "other_cc") + octets(2, item(3, octets(1, STATE_KEY) + octets(3, b"x")))
    transaction = draft(extra={"results": item(2, other)}).build()
    assert look(block_of(transaction), transaction.tx_id).status == "held"


# The transaction


LIES: dict[str, dict[str, Any]] = {
    "another channel": {"channel": "app0002"},
    "another chaincode": {"chaincode": "cc_other"},
    "another chaincode in the header": {"header_chaincode": "cc_other"},
    "another chaincode in the action": {"action_chaincode": "cc_other"},
    "a configuration": {"kind": 1},
    "a configuration's update": {"kind": 2},
    "a kind that a cut integer would make 3": {"kind": 2**32 + 3},
    "no action": {"actions": 0},
    "two actions": {"actions": 2},
    "another header in the action": {"action_header": octets(1, NETWORK.peers[0].serialized)},
    "an answer that failed": {"status": 500},
    "an answer without status": {"status": 0},
    "results of another kind": {"data_model": 1},
    "another proposal's hash": {"proposal_hash": bytes(32)},
    "no proposal's hash": {"proposal_hash": b""},
    "a second and more of nanoseconds": {"nanos": 10**9},
    "a time that is none": {"extra": {"timestamp": number(1, 5)}},
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_a_transaction_of_another_kind_is_refused(lie: dict[str, Any]) -> None:
    """Though it is endorsed and signed as it stands."""
    transaction = draft(**lie).build()
    with pytest.raises(ReceiptRefused) as refusal:
        look(block_of(transaction), transaction.tx_id)
    assert refusal.value.facts["reason"] == "ledger-evidence"


@pytest.mark.parametrize("seconds", [253_402_300_800, 2**40, 2**63, 2**64 - 1])
def test_a_time_beyond_the_calendar_is_refused(seconds: int) -> None:
    """Before 1970 included, which is a large number on the wire."""
    honest = draft()
    honest.time = type("Far", (), {"timestamp": lambda _: seconds, "microsecond": 0})()
    transaction = honest.build()
    with pytest.raises(ReceiptRefused, match="time is none"):
        look(block_of(transaction), transaction.tx_id)


def test_an_id_that_is_not_that_of_creator_and_nonce_is_refused() -> None:
    """Whoever chooses ids could take another's."""
    chosen = sha256(b"chosen").hexdigest()
    with pytest.raises(ReceiptRefused, match="creator and nonce"):
        look(block_of(draft(tx_id=chosen).build()), chosen)


TWICE = {
    "envelope": octets(1, b"a"),
    "payload": octets(2, b"a"),
    "header": octets(1, b"a"),
    "channel header": octets(4, NETWORK.channel),
    "timestamp": number(2, 1),
    "signature header": octets(2, NONCE),
    "extension": octets(2, b"a"),
    "header chaincode": octets(2, NETWORK.chaincode),
    "action": octets(1, b"a"),
    "action payload": octets(1, b"a"),
    "endorsed action": octets(1, b"a"),
    "proposal response": octets(1, b"a"),
    "chaincode action": octets(1, b"a"),
    "response": number(1, 200),
    "action chaincode": octets(2, NETWORK.chaincode),
    "proposal": octets(1, b"a"),
    "invocation": octets(1, b"a"),
    "spec": octets(2, b"a"),
    "call chaincode": octets(2, NETWORK.chaincode),
    "results": number(1, 0) + b"\x08\x00" * 2,
    "namespace": octets(1, NETWORK.chaincode),
    "write": octets(3, b"a"),
    "read": octets(1, b"a"),
    "endorsement": octets(1, b"a"),
}
MESSAGES = [*TWICE, "transaction", "input", "rwset"]


@pytest.mark.parametrize("name", TWICE)
def test_a_field_that_stands_twice_is_refused_in_every_message(name: str) -> None:
    """Fabric takes the last or merges, another reader the first; signed or not."""
    transaction = draft(extra={name: TWICE[name]}).build()
    with pytest.raises(ReceiptRefused):
        look(block_of(transaction), transaction.tx_id)


@pytest.mark.parametrize("name", MESSAGES)
def test_a_field_of_a_later_version_is_no_fault(name: str) -> None:
    """It is signed with the rest, and nobody here asks for it."""
    transaction = draft(extra={name: octets(99, b"later")}).build()
    assert look(block_of(transaction), transaction.tx_id).status == "held"


@pytest.mark.parametrize("name", MESSAGES)
def test_octets_that_are_no_field_are_refused_in_every_message(name: str) -> None:
    """Rather than skipped."""
    transaction = draft(extra={name: b"\x0b"}).build()
    with pytest.raises(ReceiptRefused):
        look(block_of(transaction), transaction.tx_id)


# The peer's codes


@pytest.mark.parametrize("code", [1, 2, 9, 10, 11, 12, 18, 254, 255])
def test_a_transaction_that_peers_found_invalid_is_refused(code: int) -> None:
    """And the code is told."""
    with pytest.raises(ReceiptRefused, match=f"code {code}") as refusal:
        look(block_of(HONEST, codes=bytes([code])))
    assert refusal.value.facts["validation"] == code
    assert refusal.value.facts["reason"] == "ledger-evidence"


@pytest.mark.parametrize("codes", [b"", bytes(1), bytes(3)])
def test_each_transaction_has_one_code(codes: bytes) -> None:
    """Else it would be a question which is whose."""
    with pytest.raises(ReceiptRefused, match="one code"):
        look(block_of(OTHERS[0], HONEST, codes=codes))


# The block


def rebuilt(**changes: Any) -> bytes:
    """The honest block with some of its header changed and not signed again."""
    return format_block(replace(parse_block(BLOCK), **changes))


UNSIGNED: dict[str, dict[str, Any]] = {
    "number": {"number": 8},
    "previous hash": {"previous_hash": bytes(32)},
    "data hash": {"data_hash": bytes(32)},
    "signed value": {"value": b""},
    "no signature": {"signatures": ()},
    "no envelope": {"envelopes": ()},
    "one more envelope": {"envelopes": (HONEST.envelope, OTHERS[0].envelope), "codes": bytes(2)},
    "the envelope in two parts": {
        "envelopes": (HONEST.envelope[:100], HONEST.envelope[100:]),
        "codes": bytes(2),
    },
}


@pytest.mark.parametrize("change", UNSIGNED.values(), ids=UNSIGNED)
def test_what_the_orderers_signed_is_what_stands_there(change: dict[str, Any]) -> None:
    """Nothing can be changed behind them."""
    with pytest.raises(ReceiptRefused):
        look(rebuilt(**change))


def test_data_of_another_header_are_refused() -> None:
    """Though an orderer signed that header."""
    with pytest.raises(ReceiptRefused, match="not those of its header"):
        look(block_of(HONEST, data_hash=bytes(range(32))))


MALFORMED_BLOCKS = {
    "block 0": NETWORK.block(0, PREVIOUS, [HONEST]).octets,
    "a short previous hash": NETWORK.block(7, PREVIOUS[:31], [HONEST]).octets,
    "no previous hash": NETWORK.block(7, b"", [HONEST]).octets,
    "a long data hash": NETWORK.block(7, PREVIOUS, [HONEST], data_hash=bytes(33)).octets,
    "an orderer named by a number": NETWORK.block(
        7, PREVIOUS, [HONEST], extra={"signature": octets(3, number(1, 1))}
    ).octets,
    "too many signatures": NETWORK.block(
        7, PREVIOUS, [HONEST], extra={"orderers": item(2, b"") * 100}
    ).octets,
    **{
        f"a field twice in {name}": NETWORK.block(
            7, PREVIOUS, [HONEST], extra={name: fields}
        ).octets
        for name, fields in {
            "block": item(1, b""),
            "header": number(1, 7),
            "orderers": octets(1, b"a"),
            "signature": octets(2, b"a"),
        }.items()
    },
}


@pytest.mark.parametrize("block", MALFORMED_BLOCKS.values(), ids=MALFORMED_BLOCKS)
def test_a_block_that_could_be_read_in_two_ways_is_refused(block: bytes) -> None:
    """Nor is one without what makes it checkable."""
    with pytest.raises(MalformedText):
        parse_block(block)
    with pytest.raises(ReceiptRefused):
        look(block)


@pytest.mark.parametrize("name", ["block", "header", "data", "metadata", "orderers", "signature"])
def test_a_peers_block_may_have_later_fields_but_evidence_has_none(name: str) -> None:
    """Outside of what is signed they would be anybody's."""
    full = NETWORK.block(7, PREVIOUS, [HONEST], extra={name: octets(99, b"later")}).octets
    assert format_block(parse_block(full)) == BLOCK
    with pytest.raises(ReceiptRefused, match="nobody signed"):
        look(full)


@pytest.mark.parametrize("metadata", [0, 1, 2])
def test_a_block_without_all_its_metadata_is_refused(metadata: int) -> None:
    """No signature, or no codes."""
    block = parse_block(BLOCK)
    short = b"".join(item(1, b"") for _ in range(metadata))
    header = number(1, 7) + octets(2, PREVIOUS) + octets(3, block.data_hash)
    data = item(1, HONEST.envelope)
    with pytest.raises(ReceiptRefused):
        look(item(1, header) + item(2, data) + item(3, short))


def test_a_value_without_content_was_usual_once() -> None:
    """Orderers before 1.4.1 signed an empty one."""
    assert look(block_of(HONEST, value=b"")).status == "held"


def test_more_endorsements_than_anybody_needs_are_refused() -> None:
    """Each costs a check of a signature."""
    many = draft(endorsers=[NETWORK.peers[0]] * 101).build()
    with pytest.raises(ReceiptRefused, match="more than 100"):
        look(block_of(many), many.tx_id)


def test_a_block_stuffed_with_envelopes_that_name_the_transaction_is_not_read() -> None:
    """Millions of fields in transactions that nobody signed took minutes before this bound."""
    junk = item(1, item(1, number(15, 1) * 60_000 + item(5, f"{HONEST.tx_id} "[:-1] + "x")))
    assert look(block_of(HONEST, junk)).status == "held"
    with pytest.raises(ReceiptRefused, match="bytes of the block name the transaction"):
        look(block_of(HONEST, *[junk] * 3))


def test_a_block_stuffed_with_signatures_is_not_read() -> None:
    """Neither are more bytes of orderers' signatures than a hundred of them take."""
    stuffed = item(3, item(1, item(1, bytes(MAX_SIGNATURES_BYTES))))
    with pytest.raises(MalformedText, match="signatures have more than"):
        parse_block(stuffed)
