# SPDX-License-Identifier: Apache-2.0
"""
Contract and core give the same answer to thousands of paths, on another maker's EVM (anvil).

Nothing is written: each call is made on a state in which the older checkpoint is held.
"""

import json
import random
import urllib.request
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
from eth_utils import keccak

from notary.core.errors import NotaryError
from notary.core.hashing import RootHash
from notary.core.proof import verify_consistency
from notary.core.tree import Tree
from notary.local.anvil import Anvil
from tests.core.reference import made_up_leaves
from tests.ledgers.evm.grown import Growth, random_pairs
from tests.ledgers.evm.in_process import DEPLOYED, ORIGIN, Error, append_call, read_error
from tests.ledgers.evm.test_paths import PROOF_ERRORS, spoiled

pytestmark = pytest.mark.needs("anvil")
AT_ONCE = 200
SENDER, CONTRACT = b"\x11" * 20, b"\x22" * 20
LEAVES = made_up_leaves(64)
TREES = [Tree(LEAVES[:size]) for size in range(65)]


@dataclass(frozen=True, slots=True)
class Call:
    """A checkpoint that is held, and one that is handed over with a path."""

    old: int
    old_root: bytes
    new: int
    new_root: bytes
    path: Sequence[bytes]

    @classmethod
    def honest(cls, growth: Growth) -> "Call":
        """As it should be."""
        return cls(growth.old, growth.old_root, growth.new, growth.new_root, growth.path)

    @property
    def is_taken_by_the_core(self) -> bool:
        """What the core says."""
        old, new = RootHash(self.old_root), RootHash(self.new_root)
        try:
            verify_consistency(self.old, old, self.new, new, self.path)
        except NotaryError:
            return False
        return True

    def request(self, number: int) -> dict[str, Any]:
        """`eth_call`, with what the contract holds put into its two slots."""
        slot = int.from_bytes(keccak(ORIGIN + keccak(SENDER.rjust(32, b"\0") + bytes(32))), "big")
        sizes = self.old << 64 | self.old
        slots = {f"{slot:#066x}": "0x" + self.old_root.hex(), f"{slot + 1:#066x}": f"{sizes:#066x}"}
        contract = "0x" + CONTRACT.hex()
        call = {
            "from": "0x" + SENDER.hex(),
            "to": contract,
            "data": "0x" + append_call(self.new, self.new_root, self.path).hex(),
        }
        state = {contract: {"stateDiff": slots}}
        params = [call, "latest", state]
        return {"jsonrpc": "2.0", "id": number, "method": "eth_call", "params": params}


@pytest.fixture(scope="module", autouse=True)
def _code(anvil: Anvil) -> None:
    """At the address that is called lies the contract's code."""
    anvil.ask("anvil_setCode", "0x" + CONTRACT.hex(), "0x" + DEPLOYED.hex())


def answers(anvil: Anvil, calls: Sequence[Call]) -> Iterator[Error | None]:
    """The contract's error for each call; None where it is taken."""
    for first in range(0, len(calls), AT_ONCE):
        requests = [call.request(n) for n, call in enumerate(calls[first : first + AT_ONCE])]
        request = urllib.request.Request(anvil.url, json.dumps(requests).encode())
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=60) as answer:
            said = sorted(json.load(answer), key=lambda one: int(one["id"]))
        assert len(said) == len(requests)
        for one in said:
            yield read_error(bytes.fromhex(one["error"]["data"][2:])) if "error" in one else None


def judged_alike(anvil: Anvil, calls: Iterable[Call]) -> int:
    """Each call is taken by both or by none; how many are taken."""
    made = list(calls)
    taken = 0
    for call, error in zip(made, answers(anvil, made), strict=True):
        assert (error is None) == call.is_taken_by_the_core, (call, error)
        assert error is None or error[0] in PROOF_ERRORS
        taken += error is None
    return taken


def test_the_state_that_is_put_in_is_what_the_contract_reads(anvil: Anvil) -> None:
    """Two slots for a log, where Solidity lays them: else all that follows would say nothing."""
    call = Call.honest(Growth(3, 7))
    found = answers(anvil, [replace(call, new=2), replace(call, new=3), call])
    assert list(found) == [
        ("SmallerSize", 2, 3),
        ("OtherRoot", 3, call.new_root, call.old_root),
        None,
    ]


def test_every_honest_path_is_taken(anvil: Anvil) -> None:
    """From each size to each larger one up to 64."""
    calls = [
        Call(old, TREES[old].root, new, TREES[new].root, TREES[new].consistency_path(old))
        for new in range(2, 65)
        for old in range(1, new)
    ]
    assert judged_alike(anvil, calls) == len(calls) == 2016


def test_a_spoiled_path_is_refused(anvil: Anvil, long: bool) -> None:
    """Between all sizes up to 16, and for large trees at every place."""
    pairs = [(old, new) for new in range(2, 65 if long else 17) for old in range(1, new)]
    pairs += [(2**30 - 1, 2**30), (2**20 + 5, 2**30 + 77), (2**61 + 3, 2**62 - 1)]
    for growth in (Growth(old, new) for old, new in pairs):
        call, path = Call.honest(growth), growth.path
        changed = [other for other in spoiled(path, 1) if other != path]
        assert judged_alike(anvil, [replace(call, path=other) for other in changed]) == 0


def test_any_hashes_of_the_tree_in_any_order_are_judged_as_by_the_core(
    anvil: Anvil, long: bool
) -> None:
    """What a liar has at hand: true roots and true nodes of one tree, at false places."""
    chance = random.Random(2162)
    nodes = [node for level in range(6) for node in TREES[32].complete(level)]
    roots = [tree.root for tree in TREES[1:33]]
    calls = []
    for _ in range(60_000 if long else 2_000):
        old = chance.randrange(1, 12)
        new = chance.randrange(old + 1, 14)
        path = list(TREES[chance.randrange(old, 14)].consistency_path(old))
        for _ in range(chance.randrange(3)):
            at = chance.randrange(len(path) + 1)
            path[at : at + chance.randrange(2)] = chance.choices(nodes, k=chance.randrange(2))
        calls.append(Call(old, TREES[old].root, new, chance.choice(roots[old:13]), path))
        calls.append(replace(calls[-1], old_root=chance.choice(roots[:13])))
    assert judged_alike(anvil, calls) > len(calls) / 50


def test_random_sizes_of_all_magnitudes_are_judged_as_by_the_core(anvil: Anvil, long: bool) -> None:
    """Honest; one bit of any hash flipped; the sizes exchanged for neighbours."""
    chance = random.Random(62)
    honest = [
        Call.honest(Growth(old, new))
        for old, new in random_pairs(20_000 if long else 500, 2**62, seed=6962)
    ]
    assert judged_alike(anvil, honest) == len(honest)
    flipped, moved = [], []
    for call in honest:
        path = list(call.path)
        at = chance.randrange(len(path))
        bit = 1 << chance.randrange(256)
        path[at] = (int.from_bytes(path[at], "big") ^ bit).to_bytes(32, "big")
        flipped.append(replace(call, path=path))
        moved.append(replace(call, new=call.new + 1))
        moved.append(replace(call, old=max(1, call.old - 1)))
    assert judged_alike(anvil, flipped) == 0
    judged_alike(anvil, moved)
