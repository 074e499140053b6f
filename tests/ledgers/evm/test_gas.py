# SPDX-License-Identifier: Apache-2.0
"""The costs that docs/ledgers-evm.md states are those of the contract."""

from pathlib import Path

from tests.ledgers.evm import gas
from tests.ledgers.evm.grown import Growth
from tests.ledgers.evm.in_process import Evm

PAGE = Path(__file__).parents[3] / "docs" / "ledgers-evm.md"


def test_the_costs_are_those_that_are_stated() -> None:
    """To the last unit: `python -m tests.ledgers.evm.gas` prints the table anew."""
    assert gas.table() in PAGE.read_text(encoding="utf-8")


def test_no_older_size_costs_more_than_the_worst_one() -> None:
    """All older sizes of 2^6 leaves, and those on both sides of powers of two of 2^30."""
    evm = Evm()
    for new, olds in [
        (2**6, range(1, 2**6)),
        (2**30, [2**30 - 2**power - off for power in range(0, 30, 3) for off in (-1, 0, 1)]),
    ]:
        bound = gas.appended(evm, Growth(new - 1, new))
        # A hash has some bytes that are zero, which cost less: 12 gas for each.
        slack = 12 * 40
        for old in olds:
            if 0 < old < new:
                assert gas.appended(evm, Growth(old, new)) <= bound + slack
