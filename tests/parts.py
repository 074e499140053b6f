# SPDX-License-Identifier: Apache-2.0
"""
The real parts that tests run against, and what happens when one is missing.

A test that needs a part which this machine has not is neither passed nor failed: it is
reported as NOT RUN by name, and a run with `CI` set ends with a failure for it.
"""

import pytest

from notary.local.errors import LocalError
from notary.local.place import servant
from notary.local.programs import mosquitto_program, postgres_programs

NOT_RUN = "NOT RUN"


def needs(part: str) -> pytest.MarkDecorator:
    """Mark a test that can't run without a part: "mosquitto" or "postgres"."""
    return pytest.mark.needs(part)


def is_here(part: str) -> bool:
    """Tell whether this machine has the part."""
    if part == "mosquitto":
        return mosquitto_program() is not None
    if part == "postgres":
        try:
            postgres_programs(servant())
        except LocalError:
            return False
        return True
    raise ValueError(f"{part!r} is no part that tests know")


def require(part: str) -> None:
    """Leave the running test when the part is missing; it is then named NOT RUN."""
    if not is_here(part):
        pytest.skip(f"{NOT_RUN}: {part} is missing")
