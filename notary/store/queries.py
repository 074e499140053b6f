# SPDX-License-Identifier: Apache-2.0
"""
Named queries. Each `.sql` file holds some of them:

    -- name: lock_lanes
    -- What it is for.
    SELECT ...
"""

import re
from functools import cache
from importlib.resources import files

_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)


@cache
def _all() -> dict[str, str]:
    found: dict[str, str] = {}
    for file in sorted((files("notary.store") / "sql").iterdir(), key=lambda f: f.name):
        if not file.name.endswith(".sql"):
            continue
        parts = _NAME.split(file.read_text(encoding="utf-8"))[1:]
        for name, text in zip(parts[::2], parts[1::2], strict=True):
            if name in found:
                raise ValueError(f"the query {name} stands twice")
            found[name] = "\n".join(
                line for line in text.splitlines() if not line.startswith("--")
            ).strip()
    return found


def query(name: str) -> str:
    """The SQL of a named query. Raises KeyError for a name that isn't there."""
    return _all()[name]
