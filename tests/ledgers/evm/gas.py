# SPDX-License-Identifier: Apache-2.0
"""
What the contract costs: `python -m tests.ledgers.evm.gas` prints the table of docs/ledgers-evm.md.

Gas is the same wherever a fork's rules are followed, so the figures are exact.
"""

import random
from statistics import mean

from eth.vm.forks import IstanbulVM, PragueVM

from tests.ledgers.evm.grown import Growth
from tests.ledgers.evm.in_process import Evm

FORKS = {"Istanbul (2019)": IstanbulVM, "Prague (2025)": PragueVM}
SIZES = (10, 20, 30)
SAMPLES = 12
"""Random pairs of sizes, of which the typical cost is the mean."""


def appended(evm: Evm, growth: Growth) -> int:
    """The gas of going from one size to another."""
    with evm.undone():
        assert evm.append(growth.old, growth.old_root).error is None
        done = evm.append(growth.new, growth.new_root, growth.path)
        assert done.error is None
        return done.gas


def refused(evm: Evm, growth: Growth) -> int:
    """The gas of a checkpoint that is refused at the very end: its root is another one."""
    with evm.undone():
        assert evm.append(growth.old, growth.old_root).error is None
        done = evm.append(growth.new, growth.old_root, growth.path)
        assert done.error is not None
        return done.gas


def typical(power: int) -> list[Growth]:
    """Logs of 2^(power-1) to 2^power leaves that grew by one leaf or by up to 2^(power-1)."""
    half, chance = 2 ** (power - 1), random.Random(power)
    growths = []
    for _ in range(SAMPLES):
        new = chance.randrange(half + 1, 2 * half + 1)
        grown = chance.randrange(1, 2 ** chance.randrange(1, power))
        growths.append(Growth(max(half, new - grown), new))
    return growths


def worst(power: int) -> Growth:
    """As many hashes as there can be, and nearly each of them hashed twice."""
    return Growth(2**power - 1, 2**power)


def rows(fork: type) -> list[tuple[str, str, int]]:
    """What is done, how many hashes come with it, and the gas."""
    evm = Evm(fork)
    with evm.undone():
        first = evm.append(worst(30).old, worst(30).old_root)
        again = evm.append(worst(30).old, worst(30).old_root)
    found = [
        ("deployment, once", "", evm.deployment_gas),
        ("first checkpoint of a log", "0", first.gas),
        ("the same checkpoint again", "0", again.gas),
    ]
    for power in SIZES:
        growths = typical(power)
        hashes = mean(len(growth.path) for growth in growths)
        gas = round(mean(appended(evm, growth) for growth in growths))
        found.append((f"next one, 2^{power} leaves, typical", f"{hashes:.0f}", gas))
        most = worst(power)
        found.append(
            (f"next one, 2^{power} leaves, worst", f"{len(most.path)}", appended(evm, most))
        )
    found.append(("refused, 2^30 leaves, worst", f"{len(worst(30).path)}", refused(evm, worst(30))))
    return found


def table() -> str:
    """As Markdown, a column for each fork."""
    columns = {name: rows(fork) for name, fork in FORKS.items()}
    lines = [
        f"| what | hashes | {' | '.join(f'gas, {name}' for name in columns)} |",
        f"|---|---|{'---|' * len(columns)}",
    ]
    for same in zip(*columns.values(), strict=True):
        what, hashes, _ = same[0]
        lines.append(f"| {what} | {hashes} | {' | '.join(f'{gas:,}' for *_, gas in same)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
