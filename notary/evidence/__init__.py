# SPDX-License-Identifier: Apache-2.0
"""
What the evidence of each kind of ledger shows to somebody who holds a receipt.

One module a kind, with one function `check` (notary.core.receipt_ledgers.Checker): values in,
a finding out, no I/O. A module is imported when the first anchor of its kind comes, so that one
that is not here, or whose package isn't, is a reason in the verdict and no error. What asks a
ledger itself is in online.py, and nowhere else.
"""

from collections.abc import Mapping
from importlib import import_module
from typing import Final

from notary.core.receipt_ledgers import FILE_ALONE, Checker, Found
from notary.core.receipt_parts import Anchor
from notary.core.trust import LedgerTrust

MODULES: Final[Mapping[str, tuple[str, str]]] = {
    "bsn-fabric": ("notary.evidence.fabric", "pip install city-notary"),
    "evm": ("notary.evidence.evm", "pip install city-notary"),
    "rfc3161": ("notary.evidence.rfc3161", "pip install 'city-notary[rfc3161]'"),
}
"""By kind: the module, and the command that installs what it needs."""


def checkers() -> Mapping[str, Checker]:
    """A checker for each kind that is known; what needs a package that isn't here says so."""
    return {**FILE_ALONE, **{kind: _late(*where) for kind, where in MODULES.items()}}


def check_evidence(
    kind: str,
    evidence: Mapping[str, object],
    size: int,
    root: bytes,
    ledger: LedgerTrust,
    origin: str,
) -> Found:
    """
    Check the evidence of one anchor of a log, without a receipt around it.

    Raises:
        ReceiptRefused: it is malformed, doesn't hold, or is another checkpoint's.
        MalformedTrust: what is said of the ledger is of no use.
        KeyError: the kind is not known.
    """
    anchor = Anchor(ledger.id, kind, size, root, (), evidence)
    return checkers()[kind](anchor, ledger, origin)


def _late(module: str, install: str) -> Checker:
    def check(anchor: Anchor, ledger: LedgerTrust, origin: str) -> Found:
        try:
            kind = import_module(module)
        except ImportError:
            return Found("not-checked", {"reason": "needs-package", "install": install})
        found: Found = kind.check(anchor, ledger, origin)
        return found

    return check
