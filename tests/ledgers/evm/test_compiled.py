# SPDX-License-Identifier: Apache-2.0
"""What the contract is compiled to: runs on old chains too, and nowhere without SHA-256."""

from collections.abc import Iterator
from hashlib import sha3_256, sha256
from typing import Any

import pytest
from eth.vm.forks import BerlinVM, IstanbulVM, LondonVM, PragueVM
from eth.vm.forks.istanbul.opcodes import ISTANBUL_OPCODES

from tests.core.reference import made_up_leaves, mth, proof
from tests.ledgers.evm.in_process import ARTEFACT, CREATION, DEPLOYED, Evm, NotDeployed

LEAVES = made_up_leaves(13)
SHA256 = (2).to_bytes(20, "big")
FORBIDDEN = {
    "SELFDESTRUCT",
    "DELEGATECALL",
    "CALLCODE",
    "CALL",
    "CREATE",
    "CREATE2",
    "ORIGIN",
    "TIMESTAMP",
    "NUMBER",
    "COINBASE",
    "BALANCE",
    "SELFBALANCE",
}
"""What would move money, change the code, call others, or make the answer hang on the block."""


def instructions(code: bytes) -> Iterator[tuple[str, bytes]]:
    """Each instruction with what it pushes; one that Istanbul hasn't is KeyError."""
    place = 0
    while place < len(code):
        number = code[place]
        pushed = max(0, number - 0x5F) if number <= 0x7F else 0
        yield ISTANBUL_OPCODES[number].mnemonic, code[place + 1 : place + 1 + pushed]
        place += 1 + pushed


def test_the_code_has_no_instruction_that_is_newer_than_istanbul() -> None:
    """BSN's chains run older EVMs: no PUSH0 above all, and nothing that is made of data."""
    used = {mnemonic for mnemonic, _ in instructions(DEPLOYED)}
    assert {"SSTORE", "STATICCALL", "LOG4", "REVERT"} <= used
    assert not used & FORBIDDEN


def test_only_the_precompile_is_called() -> None:
    """Taken, refused or already held: nobody else ever gets a word in."""
    evm = Evm()
    calls = [(5, mth(LEAVES[:5]), []), (13, mth(LEAVES), proof(5, LEAVES))]
    called = [evm.append(size, root, path).called for size, root, path in [*calls, *calls]]
    assert called == [set(), {SHA256}, set(), set()]
    with evm.undone():
        assert evm.append(14, mth(LEAVES), [mth(LEAVES)] * 3).called == {SHA256}


def test_the_creation_code_ends_with_the_code_that_is_left() -> None:
    """No metadata behind it, so the same source is the same code wherever it is compiled."""
    assert CREATION.endswith(DEPLOYED)
    assert ARTEFACT["compiler"]["settings"]["metadata"] == {
        "appendCBOR": False,
        "bytecodeHash": "none",
    }
    assert ARTEFACT["compiler"]["settings"]["evmVersion"] == "london"


@pytest.mark.parametrize("fork", [IstanbulVM, BerlinVM, LondonVM, PragueVM])
def test_it_runs_by_the_rules_of_old_and_new_forks(fork: type) -> None:
    """Taken where it is honest, refused where it isn't."""
    evm = Evm(fork)
    assert evm.append(5, mth(LEAVES[:5])).error is None
    path = proof(5, LEAVES)
    error = evm.append(13, mth(LEAVES), path[::-1]).error
    assert error is not None
    assert error[0] == "OldRootMismatch"
    assert evm.append(13, mth(LEAVES), path).error is None
    assert evm.latest() == (13, mth(LEAVES), 5)


def nothing(computation: Any) -> Any:
    """At this address a call succeeds and answers nothing."""
    return computation


def another_hash(computation: Any) -> Any:
    """At this address another hash is computed."""
    computation.output = sha3_256(computation.msg.data).digest()
    return computation


def sha256_itself(computation: Any) -> Any:
    """What a chain should have there."""
    computation.output = sha256(computation.msg.data).digest()
    return computation


def evm_with(precompile: Any) -> Evm:
    """The contract on a chain that has this at address 2."""
    usual = PragueVM.get_state_class()
    table = {**usual.computation_class.get_precompiles(), SHA256: precompile}
    computation = type("Computation", (usual.computation_class,), {"_precompiles": table})
    state = type("State", (usual,), {"computation_class": computation})
    return Evm(type("Fork", (PragueVM,), {"_state_class": state}))


@pytest.mark.parametrize(("precompile", "error"), [(nothing, ()), (another_hash, ("NoSha256",))])
def test_it_can_not_be_deployed_where_sha256_is_missing(precompile: Any, error: object) -> None:
    """Such a chain would take whatever it computes for a proof."""
    with pytest.raises(NotDeployed) as caught:
        evm_with(precompile)
    assert caught.value.error == error


def test_it_can_be_deployed_where_sha256_is_what_it_should_be() -> None:
    """The chain of the test above, with nothing wrong."""
    assert evm_with(sha256_itself).code() == DEPLOYED
