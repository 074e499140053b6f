# SPDX-License-Identifier: Apache-2.0
"""
Receipts in the formats of others: the vectors end as their cases say, and what those can't show:
every single byte, writing, what is left out. The named attacks are in tests/vectors.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from notary.core import canonical
from notary.core.cose_receipt import (
    CoseReceipt,
    draft_cose_receipt,
    parse_cose_receipt,
    verify_cose_receipt,
)
from notary.core.errors import (
    MalformedReceipt,
    NotaryError,
    ReceiptRefused,
    ReceiptTooLarge,
    RootMismatch,
)
from notary.core.receipt import Receipt, parse_receipt, verify_receipt
from notary.core.receipt_extra import MAX_EXTRA_BYTES
from notary.core.receipt_parts import Consistency, RecordPart, RowPart
from notary.core.tlog_proof import format_tlog_proof, parse_tlog_proof
from notary.core.trust import Trust, parse_trust
from tests.core import formats
from tests.core.formats import KEY, STRANGER_KEY, cose_receipt, tlog_proof, trusting
from tests.core.maker import WITNESSES, City, make
from tests.core.signing import Signer, remember_signatures
from tests.vectors import generate_formats

FOLDER = Path(generate_formats.__file__).parent
NAMES = ("tlog_proofs.json", "cose_receipts.json")
TEXTS = {name: (FOLDER / name).read_text(encoding="utf-8") for name in NAMES}
FILES = {name: json.loads(text) for name, text in TEXTS.items()}
TRUST = parse_trust(canonical.dumps(trusting()))
USUAL = make().receipt("s1", 2, witnesses=WITNESSES[:1])
RECEIPT = parse_receipt(canonical.dumps(USUAL))


@pytest.mark.parametrize("name", NAMES)
def test_attacks_outnumber_valid_cases_ten_to_one(name: str) -> None:
    """And no two cases have one description."""
    cases = FILES[name]["cases"]
    valid = [case for case in cases if case["wantErr"] is None]
    assert len(valid) >= 6
    assert len(cases) >= 11 * len(valid)
    assert len({case["desc"] for case in cases}) == len(cases)


def test_the_generator_reproduces_the_files() -> None:
    """So every case can be read where it is made."""
    assert generate_formats.build() == TEXTS


def signed(receipt: Receipt, key: Signer = KEY) -> bytes:
    draft = draft_cose_receipt(receipt, key.verifier)
    return draft.signed(key.private.sign(draft.message))


def kept(receipt: Receipt) -> Receipt:
    """What both formats keep of a receipt that fits."""
    return replace(receipt, anchors=())


def receipts() -> dict[str, dict[str, Any]]:
    city = make(is_open=False)
    city.seal_version([b"a,1\n", b"b,2\n"], b"n\na,1\nb,2\n")
    return {
        "record": USUAL,
        "closed record": city.receipt("s2", 1),
        "row": city.row_receipt(3, 1, b"b,2\n"),
        "file": city.file_receipt(3),
    }


@pytest.mark.parametrize("name", receipts())
def test_both_formats_are_as_they_are_made_apart_from_the_core(name: str) -> None:
    """Byte for byte; and each is read back as the receipt without its anchors."""
    members = receipts()[name]
    receipt = parse_receipt(canonical.dumps(members))
    assert format_tlog_proof(receipt) == tlog_proof(members)
    assert parse_tlog_proof(tlog_proof(members)) == kept(receipt)
    assert signed(receipt) == cose_receipt(members)
    assert parse_cose_receipt(cose_receipt(members)).receipt == kept(receipt)


def test_a_path_to_a_later_good_state_is_kept() -> None:
    """Whoever trusts a compromised key's good state needs it."""
    receipt = replace(RECEIPT, consistency=Consistency(5, (bytes(32), bytes([1]) * 32)))
    assert parse_tlog_proof(format_tlog_proof(receipt)) == kept(receipt)
    assert parse_cose_receipt(signed(receipt)).receipt == kept(receipt)


def large(payload_bytes: int, row_bytes: int = 0) -> Receipt:
    """A receipt with a payload of that size; or that of a row."""
    city = City()
    city.accept("s0", bytes(payload_bytes))
    city.seal()
    if not row_bytes:
        return parse_receipt(canonical.dumps(city.receipt("s0", 0)))
    city.seal_version([bytes(row_bytes)], b"")
    return parse_receipt(canonical.dumps(city.row_receipt(1, 0, bytes(row_bytes))))


def test_a_payload_that_does_not_fit_is_left_out_and_can_still_be_given() -> None:
    """The statement stays, so whoever has the content verifies it beside the proof."""
    receipt = large(40_000)
    for back in (parse_tlog_proof(format_tlog_proof(receipt)), read(signed(receipt)).receipt):
        assert isinstance(receipt.subject, RecordPart)
        assert back == replace(kept(receipt), subject=replace(receipt.subject, payload=None))
        assert verify_receipt(back, TRUST).status("payload") == "not-checked"
        assert verify_receipt(back, TRUST, bytes(40_000)).status("payload") == "held"
        with pytest.raises(NotaryError):
            verify_receipt(back, TRUST, bytes(39_999))


def test_a_payload_that_just_fits_is_kept() -> None:
    """The limit is where it is said to be, and the line fits a reader of 64 KiB."""
    fits = [large(size) for size in (34_900, 35_000, 35_100, 35_200)]
    inside = [parse_tlog_proof(format_tlog_proof(receipt)) for receipt in fits]
    assert {receipt.subject.payload is None for receipt in inside} == {True, False}  # type: ignore[union-attr]
    longest = max(len(line) for one in fits for line in format_tlog_proof(one).split("\n"))
    assert 4 * MAX_EXTRA_BYTES // 3 - 400 < longest <= 65_536


def test_a_row_that_does_not_fit_is_refused_with_its_size() -> None:
    """Without its bytes a row proves nothing, so it is not left out."""
    receipt = large(0, row_bytes=40_000)
    assert isinstance(receipt.subject, RowPart)
    for write in (format_tlog_proof, signed):
        with pytest.raises(ReceiptTooLarge) as caught:
            write(receipt)
        assert caught.value.facts["size"] > caught.value.facts["limit"] == MAX_EXTRA_BYTES


def flips(data: bytes, long: bool) -> Iterator[bytes]:
    """Each byte changed in one of three ways; in all three in the long run."""
    for at, byte in enumerate(data):
        for bit in (1, 4, 32) if long else ((1, 4, 32)[at % 3],):
            yield data[:at] + bytes([byte ^ bit]) + data[at + 1 :]


def test_no_byte_of_a_tlog_proof_can_be_changed(
    monkeypatch: pytest.MonkeyPatch, long: bool
) -> None:
    """What is refused or is no text doesn't count as the same."""
    remember_signatures(monkeypatch)
    text = tlog_proof(make().receipt("s1", 2)).encode()
    assert holds(text)
    for changed in flips(text, long):
        assert not holds(changed), changed


def holds(data: bytes) -> bool:
    try:
        return bool(verify_receipt(parse_tlog_proof(data.decode()), TRUST))
    except (NotaryError, UnicodeDecodeError):
        return False


def test_no_byte_of_a_cose_receipt_can_be_changed(
    monkeypatch: pytest.MonkeyPatch, long: bool
) -> None:
    """Also in the unprotected header: all in it is bound by the descriptor, or signed."""
    remember_signatures(monkeypatch)
    data = cose_receipt(make().receipt("s1", 2))
    assert verify_cose_receipt(data, TRUST)
    for changed in flips(data, long):
        with pytest.raises(NotaryError):
            verify_cose_receipt(changed, TRUST)


def test_no_beginning_of_either_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut anywhere."""
    remember_signatures(monkeypatch)
    usual = make().receipt("s1", 2)
    text, data = tlog_proof(usual).encode(), cose_receipt(usual)
    assert not any(holds(text[:at]) for at in range(0, len(text), 2))
    for at in range(0, len(data), 3):
        with pytest.raises(MalformedReceipt):
            parse_cose_receipt(data[:at])


def test_a_large_file_is_refused_before_it_is_taken_apart() -> None:
    """However it begins."""
    first = "c2sp.org/tlog-proof@v1\n"
    hashes = f"{first}extra e30=\nindex 1\n" + ("A" * 43 + "=\n") * 100_000
    for text in (tlog_proof(USUAL) + "x" * (2 << 20), first + "\n" * (4 << 20), hashes):
        with pytest.raises(MalformedReceipt):
            parse_tlog_proof(text)
    with pytest.raises(MalformedReceipt):
        parse_cose_receipt(cose_receipt(USUAL) + bytes(2 << 20))


def test_the_key_for_receipts_signs_for_its_own_log_alone() -> None:
    """The draft is refused before there is anything to sign."""
    for name in ("other.example/log/receipts", "notary.example/log", "notary.example/log/receipt"):
        with pytest.raises(ReceiptRefused):
            draft_cose_receipt(RECEIPT, Signer(name, seed=40).verifier)


def test_a_descriptor_that_is_not_under_the_checkpoint_is_not_signed() -> None:
    """A root that nothing leads to says nothing."""
    moved = replace(RECEIPT, log_path=(bytes(32), RECEIPT.log_path[1]))
    with pytest.raises(RootMismatch):
        draft_cose_receipt(moved, KEY.verifier)


def test_the_verdict_names_the_key_that_signed() -> None:
    """For people to compare."""
    verdict = verify_cose_receipt(cose_receipt(USUAL), TRUST)
    check = verdict.checks[-1]
    assert (check.code, check.status) == ("cose", "held")
    assert check.facts == {
        "name": "notary.example/log/receipts",
        "fingerprint": KEY.verifier.fingerprint,
    }
    assert verdict.status("witnesses") == "held"


def test_either_key_of_an_overlap_signs() -> None:
    """While an old one stands beside its successor."""
    both = parse_trust(canonical.dumps(trusting(STRANGER_KEY, KEY)))
    for key in (STRANGER_KEY, KEY):
        verdict = verify_cose_receipt(cose_receipt(USUAL, key), both)
        assert verdict.checks[-1].facts["fingerprint"] == key.verifier.fingerprint


def test_a_file_is_compared_piece_by_piece() -> None:
    """As with a receipt: of a large file one piece is held at a time."""
    city = make()
    city.seal_version([b"a,1\n"], b"n\na,1\n")
    data = formats.cose_receipt(city.file_receipt(3))
    assert verify_cose_receipt(data, TRUST, iter([b"n\n", b"a,1\n"])).status("payload") == "held"


def read(data: bytes, trust: Trust = TRUST) -> CoseReceipt:
    assert verify_cose_receipt(data, trust)
    return parse_cose_receipt(data)
