# SPDX-License-Identifier: Apache-2.0
"""Patterns mean the same in every Python that is supported."""

import re
from pathlib import Path

HOUSE = Path(__file__).parents[2]
SOURCES = [
    path for part in ("notary", "iot_ingest", "schemas") for path in (HOUSE / part).rglob("*.py")
]
NEW = re.compile(r"[*+?}]\+|\(\?>")
CALL = re.compile(r"(?:\br|\brb|\bbr)(['\"])(.*?)\1", re.DOTALL)


def test_no_pattern_is_possessive() -> None:
    """Python 3.11.0 to 3.11.4 match possessive groups wrongly, and Debian 12 has one of them."""
    assert len(SOURCES) > 100
    for path in SOURCES:
        for found in CALL.finditer(path.read_text(encoding="utf-8")):
            assert not NEW.search(found[2].replace(r"\+", "")), (path, found[0])
