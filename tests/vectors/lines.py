# SPDX-License-Identifier: Apache-2.0
"""The payloads of a window case as the file that lies beside a window (docs/spec/window-v1.md)."""

import json
from typing import Any


def lines(case: dict[str, Any]) -> str:
    """One line for each of the case's payloads, however many they are."""
    n = json.loads(json.loads(case["window"])["head"])["n"]
    return "".join(_line(n + place, pair) + "\n" for place, pair in enumerate(case["payloads"]))


def _line(n: int, pair: tuple[str | None, str] | None) -> str:
    salt, payload = (None, None) if pair is None else pair
    members: dict[str, object] = {"n": n, "payload": payload}
    return json.dumps(members if salt is None else members | {"salt": salt})
