# SPDX-License-Identifier: Apache-2.0
"""What checkers that are handed in find of a receipt's anchors, and what is done with it."""

from collections.abc import Mapping
from typing import Any

import pytest

from notary.core import canonical
from notary.core.errors import MalformedTrust, NotaryError, ReceiptRefused
from notary.core.receipt import verify_receipt
from notary.core.receipt_ledgers import FILE_ALONE, MAX_CHECKED, Checker, Found
from notary.core.receipt_parts import Anchor
from notary.core.trust import LedgerTrust
from notary.core.verdict import Check
from notary.core.window import verify_window
from tests.core.maker import ORIGIN, City, make, trust

CITY = make()
LISTED = {"id": "far", "kind": "stone", "quarry": "north"}
TRUST = trust(ledgers=[*trust()["ledgers"], LISTED])


def receipt(city: City = CITY, **anchor: Any) -> dict[str, Any]:
    """With an anchor on the file ledger, and one of another kind."""
    far = city.anchor(0) | {"ledger": "far", "kind": "stone", "evidence": {"cut": 7}} | anchor
    return city.receipt() | {"anchors": [city.anchor(0), far]}


def anchors(found: Found | NotaryError, asked: list[Any] | None = None) -> list[Check]:
    """The checks of the anchors where the checker of stones finds this."""

    def check(anchor: Anchor, ledger: LedgerTrust, origin: str) -> Found:
        if asked is not None:
            asked.append((anchor, ledger, origin))
        if isinstance(found, NotaryError):
            raise found
        return found

    checkers: Mapping[str, Checker] = {**FILE_ALONE, "stone": check}
    verdict = verify_receipt(receipt(), TRUST, checkers=checkers)
    return [check for check in verdict.checks if check.code == "anchor"]


@pytest.mark.parametrize("status", ["held", "own-word", "not-checked"])
def test_what_a_checker_finds_goes_into_the_verdict(status: Any) -> None:
    """Beside ledger, kind and size, in the order of the anchors."""
    facts = {"reason": "why", "who": "mason"}
    file, far = anchors(Found(status, facts))
    assert (file.status, file.facts["ledger"]) == ("own-word", "file")
    assert far == Check("anchor", status, {"ledger": "far", "kind": "stone", "size": 3} | facts)


def test_a_checker_gets_the_anchor_the_ledger_and_the_origin() -> None:
    """And is asked once."""
    asked: list[Any] = []
    anchors(Found("held", {}), asked)
    ((anchor, ledger, origin),) = asked
    assert (anchor.size, anchor.evidence) == (3, {"cut": 7})
    assert ledger == LedgerTrust("far", "stone", LISTED)
    assert origin == ORIGIN


@pytest.mark.parametrize("error", [ReceiptRefused("No.", reason="ledger-other"), MalformedTrust()])
def test_what_a_checker_refuses_is_refused(error: NotaryError) -> None:
    """The whole receipt, or the trust file."""
    with pytest.raises(type(error)) as caught:
        anchors(error)
    assert caught.value is error


def test_a_kind_without_a_checker_needs_a_package() -> None:
    """And refuses nothing; that is how it is where none is handed in."""
    (*_, far) = verify_receipt(receipt(), TRUST).checks
    assert far.status == "not-checked"
    assert far.facts == {"reason": "needs-package", "ledger": "far", "kind": "stone", "size": 3}
    none = verify_receipt(receipt(), TRUST, checkers={}).checks
    told = [check.facts["reason"] for check in none if check.code == "anchor"]
    assert told == ["needs-package", "needs-package"]


def test_a_ledger_of_another_kind_is_refused_before_its_checker_is_asked() -> None:
    """Nor is one asked for a ledger that isn't listed, or a path that leads elsewhere."""
    asked: list[Any] = []

    def check(*found: Any) -> Found:
        asked.append(found)
        return Found("held", {})

    checkers: Mapping[str, Checker] = {"file": check, "stone": check}
    for attack in ({"ledger": "file"}, {"root": "ab" * 32}, {"path": []}):
        with pytest.raises(NotaryError):
            verify_receipt(
                receipt(**attack) | {"anchors": receipt(**attack)["anchors"][1:]},
                TRUST,
                checkers=checkers,
            )
    unlisted = receipt(ledger="nobody") | {"anchors": receipt(ledger="nobody")["anchors"][1:]}
    verify_receipt(unlisted, TRUST, checkers=checkers)
    assert asked == []


def test_the_receipt_of_a_window_is_checked_by_them_too() -> None:
    """The same verdict."""
    city = make()
    window = city.window({"by": "n", "from": 0, "to": 2})
    (anchor,) = window["receipt"]["anchors"]
    window["receipt"]["anchors"] += [anchor | {"ledger": "far", "kind": "stone"}]

    def check(*_: Any) -> Found:
        return Found("held", {"who": "mason"})

    text, trusted = canonical.dumps(window), canonical.dumps(TRUST)
    found = verify_window(text, trusted, checkers={**FILE_ALONE, "stone": check}).receipt.checks
    assert [item.status for item in found if item.code == "anchor"] == ["own-word", "held"]
    usual = verify_window(text, trusted).receipt.checks
    assert [item.status for item in usual if item.code == "anchor"] == ["own-word", "not-checked"]


def test_a_receipt_stuffed_with_anchors_costs_no_more_than_a_few() -> None:
    """Each checker may hash for half a second: those that come first are read, and no more."""
    asked: list[int] = []

    def check(anchor: Anchor, ledger: LedgerTrust, origin: str) -> Found:
        asked.append(anchor.size)
        return Found("held", {})

    far = receipt()["anchors"][1]
    stuffed = CITY.receipt() | {"anchors": [far | {"ledger": "other"}, *[far] * (MAX_CHECKED + 5)]}
    checks = verify_receipt(stuffed, TRUST, checkers={"stone": check}).checks
    told = [check.facts.get("reason", check.status) for check in checks if check.code == "anchor"]
    assert len(asked) == MAX_CHECKED
    assert told == ["not-in-trust-file", *["held"] * MAX_CHECKED, *["too-many"] * 5]
