# SPDX-License-Identifier: Apache-2.0
"""The part of an audit that looks at anchors, and asks the ledgers what they hold today."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final, get_args

from notary.ledgers.port import AnchorState, Ledger, anchorable
from notary.store.pool import Transaction
from notary.usecases.anchor import evidence_text
from notary.usecases.anchor_check import Check, ask, check_kept
from notary.usecases.audit_batches import Differs, naming
from notary.usecases.closed_logs import read_origins

AT_ONCE: Final = 20
COLUMNS: Final = ("ledger", "size", "state", "reference", "evidence", "root", "kind")


class AnchorAudit:
    """
    `look_at_anchors` inside the snapshot: where the ledger is the notary's own, each anchor is
    held against it; else each one's evidence is checked from itself. `ask_ledgers` afterwards:
    whether a ledger of others still holds its newest anchor. What can't be checked is told.
    """

    def __init__(self, tx: Transaction, ledgers: Sequence[Ledger]) -> None:
        self._tx = tx
        self._ledgers = {ledger.name: ledger for ledger in ledgers}
        self._newest: dict[str, tuple[Mapping[str, Any], str]] = {}
        self.not_checked: list[str] = []

    def look_at_anchors(self) -> int:
        """How many there are. Raises Differs."""
        origins = read_origins(self._tx)
        left: Counter[tuple[str, str]] = Counter()
        count = 0
        # Blocks of other chains are large: a few at a time.
        for values in self._tx.stream("audit_anchors", AT_ONCE):
            row = dict(zip(COLUMNS, values, strict=True))
            name = _name(row)
            if row["root"] is None or row["kind"] is None:
                raise Differs(f"{name}: there is no such checkpoint or ledger")
            if row["state"] not in get_args(AnchorState):
                raise Differs(f"{name}: its state {row['state']} is none")
            if row["state"] == "verified":
                why = self._look_at_anchor(row, origins.at(row["size"]))
                if why is not None:
                    left[row["ledger"], why] += 1
            elif row["evidence"] is not None:
                raise Differs(f"{name}: it has evidence and is not called verified")
            count += 1
        self.not_checked += [
            f"the evidence of {many} anchors on {ledger}: {why}"
            for (ledger, why), many in left.items()
        ]
        return count

    def ask_ledgers(self) -> int:
        """Ask the ledgers of others about their newest anchors. Raises Differs."""
        for ledger, (row, origin) in self._newest.items():
            check = ask(row, self._ledgers[ledger], origin)
            if check.outcome == "differs":
                raise Differs(f"{_name(row)}: {check.why}")
            if check.outcome == "not-checked":
                self.not_checked.append(f"whether {ledger} holds size {row['size']}: {check.why}")
        return len(self._newest)

    def _look_at_anchor(self, row: Mapping[str, Any], origin: str) -> str | None:
        """Why it could not be checked, or None."""
        ledger = self._ledgers.get(row["ledger"])
        if ledger is not None and ledger.kind != row["kind"]:
            raise Differs(f"{_name(row)}: the ledger is of another kind")
        if ledger is not None and ledger.own_word:
            with naming(_name(row)):
                _compare(row, ledger, origin)
            return None
        if ledger is not None:
            self._newest[ledger.name] = row, origin
        check: Check = check_kept(row, ledger, origin)
        if check.outcome == "differs":
            raise Differs(f"{_name(row)}: {check.why}")
        return check.why if check.outcome == "not-checked" else None


def _compare(row: Mapping[str, Any], ledger: Ledger, origin: str) -> None:
    what = anchorable(origin, row["size"], row["root"])
    if ledger.confirm(what, row["reference"]) != "verified":
        raise Differs(f"{_name(row)}: the ledger doesn't hold it")
    if row["evidence"] != evidence_text(ledger.evidence(what, row["reference"])):
        raise Differs(f"{_name(row)}: the evidence is not the ledger's")


def _name(row: Mapping[str, Any]) -> str:
    return f"anchor of size {row['size']} on {row['ledger']}"
