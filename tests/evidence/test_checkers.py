# SPDX-License-Identifier: Apache-2.0
"""The table of checkers: what isn't here is a reason in the verdict, and no error."""

import sys
from importlib import import_module
from importlib.util import find_spec

import pytest

from notary.core.errors import ReceiptRefused
from notary.core.receipt_parts import Anchor
from notary.core.trust import LedgerTrust
from notary.evidence import MODULES, check_evidence, checkers
from notary.evidence.members import octets, only, refused, wanted
from tests.core.maker import ORIGIN

KINDS = sorted(MODULES)


def test_the_file_ledger_is_among_them() -> None:
    """And each kind that has a module."""
    assert checkers().keys() == {"file", *MODULES}


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_whose_module_or_package_is_missing_says_how_to_get_it(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever its evidence is: it isn't looked at."""
    module, install = MODULES[kind]
    monkeypatch.setitem(sys.modules, module, None)  # what is None there can't be imported
    found = check_evidence(kind, {}, 1, bytes(32), LedgerTrust("x", kind, {}), ORIGIN)
    assert found.status == "not-checked"
    assert found.facts == {"reason": "needs-package", "install": install}
    assert install.startswith("pip install ")


@pytest.mark.parametrize(
    ("kind", "package"), [("rfc3161", "rfc3161_client"), ("bsn-fabric", "cryptography")]
)
def test_a_package_that_is_not_installed_is_no_error(
    kind: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The module is here, what it imports is not."""
    module, install = MODULES[kind]
    loaded = [*sys.modules, package]
    for name in [name for name in loaded if name.startswith(module)]:
        monkeypatch.delitem(sys.modules, name)
    for name in [name for name in loaded if name.split(".")[0] == package]:
        monkeypatch.setitem(sys.modules, name, None)
    found = check_evidence(kind, {}, 1, bytes(32), LedgerTrust("x", kind, {}), ORIGIN)
    assert found.facts == {"reason": "needs-package", "install": install}


@pytest.mark.parametrize("kind", [kind for kind in KINDS if find_spec(MODULES[kind][0])])
def test_a_kind_that_is_here_is_checked(kind: str) -> None:
    """So no table hides that a module can't be imported."""
    assert callable(import_module(MODULES[kind][0]).check)


BASE64 = {
    "nothing": "",
    "no text": None,
    "bytes": b"AAAA",
    "a newline behind it": "AAAA\n",
    "a blank in it": "AA AA",
    "no padding": "AA",
    "bits that are lost": "AB==",
    "another alphabet": "_w==",
    "not ASCII": "é===",
    "five bytes": "AAAAAAA=",
}


@pytest.mark.parametrize("what", BASE64)
def test_base64_has_one_spelling_and_a_limit(what: str) -> None:
    """Anything else is malformed evidence."""
    assert octets("AAAAAA==", "member", 4) == bytes(4)
    with pytest.raises(ReceiptRefused) as caught:
        octets(BASE64[what], "member", 4)
    assert caught.value.facts["reason"] == "ledger-evidence"


def test_members_are_exactly_those() -> None:
    """None missing, none more."""
    only({"a": 1, "b": 2}, {"a", "b"})
    for wrong in ({"a": 1}, {"a": 1, "b": 2, "c": 3}, {}):
        with pytest.raises(ReceiptRefused):
            only(wrong, {"a", "b"})
    assert refused("Another's.", "ledger-other").facts["reason"] == "ledger-other"


def test_what_is_anchored_is_72_bytes() -> None:
    """SHA-256 of the origin, the size, the root."""
    anchor = Anchor("x", "evm", 2**53 - 1, b"r" * 32, (), {})
    told = wanted(anchor, "notary.example/log")
    # printf notary.example/log | sha256sum
    assert told[:32].hex() == "c12212e0b3b0b2e4ed4a5060fd885d5e17eaa9c369f8dd9fe599b51569b12045"
    assert (told[32:40].hex(), told[40:]) == ("001fffffffffffff", b"r" * 32)
