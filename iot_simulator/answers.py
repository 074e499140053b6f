# SPDX-License-Identifier: Apache-2.0
"""Reading what the notary says to a message (docs/for-gateways/acceptances.md)."""

import json
from typing import Any, Final

VERSION: Final = "acceptances/1"
MAX_BYTES: Final = 64 << 20
STATES: Final = ("accepted", "duplicate", "refused")


def read_answer(payload: bytes) -> dict[int, dict[str, Any]] | None:
    """
    What is said of each reading, by its place in the message; None: it is no answer, as
    "sealed" and "anchored" are not.
    """
    try:
        answer = json.loads(payload) if len(payload) <= MAX_BYTES else None
        if not isinstance(answer, dict) or answer.get("v") != VERSION:
            return None
        readings = answer.get("readings")
        if not isinstance(readings, list):
            return None
        places = answer.get("at", list(range(len(readings))))
        found = {}
        for place, one in zip(places, readings, strict=True):
            if type(place) is not int or place < 0 or one["state"] not in STATES:
                return None
            if one["state"] != "refused":
                one = {"source": answer.get("source")} | one
                if type(one["n"]) is not int or not isinstance(one["leaf"], str):
                    return None
            found[place] = one
    except (ValueError, TypeError, LookupError, RecursionError):
        return None
    return found
