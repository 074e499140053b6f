# SPDX-License-Identifier: Apache-2.0
"""How many examples of a property are tried."""

from hypothesis import settings


def examples(number: int) -> settings:
    """So many in long runs; in any other as many as the run's profile has (tests/conftest.py)."""
    return settings(max_examples=min(number, settings.default.max_examples))
