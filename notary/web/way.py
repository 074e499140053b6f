# SPDX-License-Identifier: Apache-2.0
"""The five states as steps of a way, told apart: since when, and whose word each is."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal


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


def steps(states: Mapping[str, Any]) -> list[Step]:
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
    way += [anchored(anchor) for anchor in states["anchored"]] or [Step("anchored")]
    return way


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


def anchored(anchor: Mapping[str, Any]) -> Step:
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
