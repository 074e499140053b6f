# SPDX-License-Identifier: Apache-2.0
"""JSON whose numbers are the text that was measured: 21.50 stays 21.50."""

import json


class Number(str):
    """A number's text."""


def write(value: object) -> str:
    """Compact JSON, members in their order."""
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(k)}:{write(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(write, value)) + "]"
    return json.dumps(value)
