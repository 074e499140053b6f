# SPDX-License-Identifier: Apache-2.0
"""
Checking anchors again: the evidence that was kept, from itself alone, and then what the ledger
says today. What can't be checked is said, and is no fault.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from notary.core.errors import MalformedTrust, NotaryError, ReceiptRefused
from notary.core.trust import LedgerTrust
from notary.evidence import check_evidence
from notary.ledgers.port import Ledger, LedgerRefused, LedgerUnavailable, anchorable
from notary.store.pool import Pool
from notary.texts import text
from notary.usecases.closed_logs import read_origins

AT_ONCE = 20
NEEDS_CHAIN = "only the chain itself can tell whether that block is in it"
"""One sentence for all anchors of a chain; which block it is stands in the facts."""
Outcome = Literal["held", "own-word", "not-checked", "differs"]


@dataclass(frozen=True, slots=True)
class Check:
    """
    What came of one look: `held`; `own-word`, held, and nobody but the notary stands behind it;
    `not-checked` and why; `differs` and how. `facts`: what the evidence says, a time for example.
    """

    outcome: Outcome
    why: str | None = None
    facts: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True)
class Checked:
    """One verified anchor: by its evidence alone, and by asking the ledger."""

    ledger: str
    size: int
    offline: Check
    online: Check

    @property
    def differs(self) -> bool:
        """Whether one of both doesn't hold."""
        return "differs" in (self.offline.outcome, self.online.outcome)


def check_anchors(
    pool: Pool, ledgers: Sequence[Ledger], only: str | None = None
) -> Iterator[Checked]:
    """
    Every verified anchor, by ledger and size; of the ledger `only` where it is given.

    The ledgers are asked outside of any transaction.
    """
    by_name = {ledger.name: ledger for ledger in ledgers}
    name, size = "", 0
    while True:
        with pool.transaction(read_only=True) as tx:
            origins = read_origins(tx)
            rows = tx.maps("verified_anchors", only=only, ledger=name, size=size, limit=AT_ONCE)
        for row in rows:
            name, size = row["ledger"], row["size"]
            ledger, origin = by_name.get(name), origins.at(size)
            yield Checked(name, size, check_kept(row, ledger, origin), ask(row, ledger, origin))
        if len(rows) < AT_ONCE:
            return


def check_kept(row: Mapping[str, Any], ledger: Ledger | None, origin: str) -> Check:
    """
    Check the evidence that was kept, with no network. The row has ledger, kind, size, root and
    evidence; without its `ledger` in the settings nobody knows whom to trust.
    """
    if ledger is None:
        return Check("not-checked", "the ledger is not in the settings any more")
    if ledger.kind != row["kind"]:
        return Check("not-checked", f"the ledger was of kind {row['kind']} then")
    try:
        members = {"id": ledger.name, "kind": ledger.kind, **ledger.trust()}
        trust = LedgerTrust(ledger.name, ledger.kind, members)
        evidence = json.loads(row["evidence"])
        found = check_evidence(row["kind"], evidence, row["size"], row["root"], trust, origin)
    except LedgerUnavailable as error:
        return Check("not-checked", error.detail)
    except (ReceiptRefused, MalformedTrust) as error:
        return Check("differs", error.detail)
    if found.status != "not-checked":
        return Check(found.status, None, found.facts)
    if found.facts.get("reason") == "ask-the-chain":
        return Check("not-checked", NEEDS_CHAIN, found.facts)
    named = {"ledger": ledger.name, "kind": ledger.kind, "size": row["size"], **found.facts}
    return Check("not-checked", text("en", "check.anchor.not-checked", **named), found.facts)


def ask(row: Mapping[str, Any], ledger: Ledger | None, origin: str) -> Check:
    """Ask the ledger whether it still holds this checkpoint."""
    if ledger is None:
        return Check("not-checked", "the ledger is not in the settings any more")
    if ledger.kind != row["kind"]:
        return Check("not-checked", f"the ledger was of kind {row['kind']} then")
    if not ledger.remembers:
        return Check("not-checked", "it keeps nothing that it could be asked about")
    what = anchorable(origin, row["size"], row["root"])
    try:
        state = ledger.confirm(what, row["reference"])
    except LedgerRefused as error:
        return Check("differs", error.detail)
    except NotaryError as error:
        return Check("not-checked", error.detail)
    if state != "verified":
        return Check("differs", f"the ledger says {state}")
    return Check("own-word" if ledger.own_word else "held")
