# SPDX-License-Identifier: Apache-2.0
"""The five states as steps of a way, told apart: since when, and whose word each is."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from notary.ledgers.port import Ledger


@dataclass(frozen=True, slots=True)
class Step:
    """
    One state. `look`: `open` (not reached), `own` (the notary alone says so), `done` (confirmed
    by somebody else). `word`: the text that tells whose word it is; `missing`: why it is open.
    """

    state: str
    look: Literal["open", "own", "done"] = "open"
    time: datetime | str | None = None
    word: str | None = None
    batch: int | None = None
    size: int | None = None
    ledger: str | None = None
    who: str | None = None
    missing: str = "page.not-yet"


def steps(states: Mapping[str, Any], ledgers: Iterable[Ledger]) -> list[Step]:
    """What `look.states` found, in the order of the way; each ledger is a step of its own."""
    sealed, signed = states["sealed"], states["signed"]
    way = [Step("accepted", "own", states["accepted"], "page.notary-clock")]
    way.append(
        Step("sealed", "own", sealed["at"], "page.notary-says", batch=sealed["batch"])
        if sealed
        else Step("sealed")
    )
    way.append(
        Step("signed", "own", signed["at"], "page.signed-word", size=signed["size"])
        if signed
        else Step("signed")
    )
    way.append(witnessed(states))
    return way + on_ledgers(states["anchored"], ledgers)


def witnessed(states: Mapping[str, Any]) -> Step:
    """The step of the witnesses; without a rule about them nobody is asked."""
    found = states["witnessed"]
    if found is None:
        asked = states.get("needs_witnesses")
        return Step("witnessed", missing="page.not-yet" if asked else "page.no-witness")
    return Step(
        "witnessed",
        "done",
        found["at"],
        "page.witness-word",
        size=found["size"],
        who=", ".join(found["witnesses"]),
    )


def on_ledgers(anchors: Sequence[Mapping[str, Any]], ledgers: Iterable[Ledger]) -> list[Step]:
    """A step for each ledger that has it, then one for each required ledger that hasn't yet."""
    there = {anchor["ledger"] for anchor in anchors}
    missing = [one.name for one in ledgers if one.required and one.name not in there]
    return [_anchored(anchor) for anchor in anchors] + [
        Step("anchored", ledger=name) for name in missing
    ]


def _anchored(anchor: Mapping[str, Any]) -> Step:
    """The step of one ledger."""
    own = anchor["own_word"]
    return Step(
        "anchored",
        "own" if own else "done",
        anchor["at"],
        "page.own-word" if own else "page.ledger-word",
        size=anchor["size"],
        ledger=anchor["ledger"],
    )
