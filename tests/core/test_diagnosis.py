# SPDX-License-Identifier: Apache-2.0
"""What a payload is that doesn't match: told of every kind of proof, and never `verified`."""

from typing import Any

import pytest

from notary.core import canonical
from notary.core.acceptance import SignedAcceptance, parse_acceptance, verify_acceptance
from notary.core.diagnosis import diagnose, diagnose_record
from notary.core.errors import PayloadMismatch
from notary.core.receipt import Receipt, parse_receipt, verify_receipt
from tests.core import promises
from tests.core.maker import City, trust
from tests.vectors.generate_rows import csv_row

TABLE = "站,name\r\n1,温度\r\n"
ROWS = [csv_row("站", "name"), csv_row("1", "温度")]


def record(is_open: bool) -> Receipt:
    """The receipt of a record whose payload is a table."""
    city = City(is_open=is_open)
    city.accept("s1", TABLE.encode())
    city.seal()
    receipt = city.receipt("s1", 0)
    del receipt["payload"]
    return parse_receipt(canonical.dumps(receipt))


def acceptance(is_open: bool) -> SignedAcceptance:
    """The acceptance of such a record."""
    city = City(is_open=is_open)
    made = city.accept("s1", TABLE.encode())
    return parse_acceptance(canonical.dumps(promises.acceptance(city, [made], 0)))


def file(is_open: bool) -> Receipt:
    """The receipt of such a file."""
    city = City(is_open=is_open)
    city.seal_version(ROWS, TABLE.encode())
    return parse_receipt(canonical.dumps(city.file_receipt(0)))


def row(is_open: bool) -> Receipt:
    """The receipt of a row of it."""
    city = City(is_open=is_open)
    city.seal_version(ROWS, TABLE.encode())
    return parse_receipt(canonical.dumps(city.row_receipt(0, 1, ROWS[1])))


SAVED: dict[str, tuple[bytes, list[str]]] = {
    "a BOM": (TABLE.encode("utf-8-sig"), ["bom-added"]),
    "line feeds": (TABLE.replace("\r", "").encode(), ["lines-were-crlf"]),
    "no last line end": (TABLE[:-2].encode(), ["end-removed"]),
    "one line end more": (TABLE.encode() + b"\r\n", ["end-added"]),
    "GB18030": (TABLE.encode("gb18030"), ["gb18030"]),
    "GB18030 and line feeds": (
        TABLE.replace("\r", "").encode("gb18030"),
        ["gb18030", "lines-were-crlf"],
    ),
}
MAKERS = {"record": record, "acceptance": acceptance, "file": file}


@pytest.mark.parametrize("is_open", [True, False], ids=["open", "closed"])
@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("how", SAVED)
def test_a_copy_that_was_saved_again_is_told(kind: str, how: str, is_open: bool) -> None:
    """It is refused, and then led back; in a closed dataset by the salt that the proof shows."""
    copy, changes = SAVED[how]
    proof: Any = MAKERS[kind](is_open)
    verify = verify_acceptance if kind == "acceptance" else verify_receipt
    trusted = promises.trusting() if kind == "acceptance" else trust()
    with pytest.raises(PayloadMismatch):
        verify(proof, canonical.dumps(trusted), copy)
    found = diagnose(proof, lambda: [copy])
    assert (found.facts["reason"], found.facts["changes"]) == ("resaved", changes)


@pytest.mark.parametrize("is_open", [True, False], ids=["open", "closed"])
@pytest.mark.parametrize("kind", [*MAKERS, "row"])
def test_nothing_is_told_of_what_was_changed(kind: str, is_open: bool) -> None:
    """A mismatch without a reason."""
    changed = TABLE.replace("1", "2").encode()
    proof = row(is_open) if kind == "row" else MAKERS[kind](is_open)
    for copy in (changed, b"", b"\xff", TABLE[:-5].encode("gb18030")):
        found = diagnose(proof, lambda copy=copy: [copy])  # type: ignore[misc]
        assert "reason" not in found.facts


def test_a_row_is_told_byte_for_byte_or_as_it_stands_in_a_table() -> None:
    """In an open dataset and in a closed one: the row itself is in the receipt."""
    for is_open in (True, False):
        proof = row(is_open)
        found = diagnose(proof, lambda: [ROWS[1] + b"\n"])
        assert found.facts["changes"] == ["end-added"]
        for copy, reason in (
            ("1,温度\r\n".encode(), "same-rows"),
            ('"1","温度"'.encode("gb18030"), "same-rows-gb18030"),
        ):
            found = diagnose(proof, lambda copy=copy: [copy])  # type: ignore[misc]
            assert found.facts["reason"] == reason


def test_rows_are_told_where_the_bytes_cannot_be_led_back() -> None:
    """Quotes that are other ones; in a closed dataset the leaves can't be computed."""
    copy = '"站","name"\n"1","温度"\n'.encode()
    assert diagnose(file(True), lambda: [copy]).facts["reason"] == "same-rows"
    assert "reason" not in diagnose(file(False), lambda: [copy]).facts


def test_nothing_is_told_without_the_salt() -> None:
    """Of a closed record whose salt is erased, or isn't at hand."""
    city = City(is_open=False)
    made = city.accept("s1", TABLE.encode())
    copy = TABLE.encode("utf-8-sig")
    assert "reason" not in diagnose_record(made.statement, None, lambda: [copy]).facts
    assert diagnose_record(made.statement, made.salt, lambda: [copy]).facts["reason"] == "resaved"
