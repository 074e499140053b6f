# SPDX-License-Identifier: Apache-2.0
"""
The contract on an EVM in process (py-evm by eth-tester's backend), without blocks and signatures.

`Evm` makes each transaction by the rules of one fork, with all that a transaction costs; a
chain of blocks with signed transactions is in test_on_a_chain.py.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from eth.vm.forks import PragueVM
from eth.vm.spoof import SpoofTransaction
from eth_abi import decode, encode
from eth_tester import PyEVMBackend
from eth_utils import keccak

ARTEFACT: dict[str, Any] = json.loads(
    (Path(__file__).parents[3] / "notary/ledgers/evm/contract/AppendOnlyLog.json").read_text(
        encoding="utf-8"
    )
)
CREATION = bytes.fromhex(ARTEFACT["bytecode"][2:])
DEPLOYED = bytes.fromhex(ARTEFACT["deployedBytecode"][2:])
PRICE = 10**9
"""Of a unit of gas; more than the least one in every fork."""
GAS = 3_000_000
ORIGIN = sha256(b"notary.example/log").digest()

Error = tuple[Any, ...]
"""The name of a custom error and its values; empty where a call failed without a word."""


def signature(item: dict[str, Any]) -> str:
    """How the ABI's item is named where it is hashed: `append(bytes32,uint64,...)`."""
    return f"{item['name']}({','.join(types(item))})"


def types(item: dict[str, Any], *, indexed: bool | None = None) -> list[str]:
    """The types of an item's inputs; of an event's, those that are indexed, or aren't."""
    inputs = item["inputs"]
    return [i["type"] for i in inputs if indexed is None or i["indexed"] is indexed]


ERRORS = {
    keccak(text=signature(item))[:4]: item for item in ARTEFACT["abi"] if item["type"] == "error"
}
APPENDED = keccak(text="Appended(address,bytes32,uint64,bytes32,uint64)")
APPEND = keccak(text="append(bytes32,uint64,bytes32,bytes32[])")[:4]
LATEST = keccak(text="latest(address,bytes32)")[:4]


@dataclass(frozen=True, slots=True)
class Event:
    """One `Appended`."""

    sender: bytes
    origin: bytes
    size: int
    root: bytes
    previous: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a transaction: its cost, its events, why it was refused, whom it called."""

    gas: int
    events: tuple[Event, ...]
    error: Error | None
    called: set[bytes]
    created: bytes


def append_call(size: int, root: bytes, path: Sequence[bytes], origin: bytes = ORIGIN) -> bytes:
    """The data of a call of `append`."""
    values = [origin, size, root, list(path)]
    return APPEND + encode(["bytes32", "uint64", "bytes32", "bytes32[]"], values)


def read_event(address: object, topics: Sequence[bytes], data: bytes, contract: object) -> Event:
    """A log entry of the contract, which has no other event."""
    assert address == contract
    assert topics[0] == APPENDED
    sender, origin, size = topics[1:]
    root, previous = decode(["bytes32", "uint64"], data)
    assert sender[:12] == bytes(12)
    return Event(sender[12:], origin, int.from_bytes(size, "big"), root, previous)


def read_error(data: bytes) -> Error:
    """What a refused call answers."""
    if not data:
        return ()
    item = ERRORS[data[:4]]
    return (item["name"], *decode(types(item), data[4:]))


class NotDeployed(Exception):
    """The constructor refused; what is raised has the error."""

    def __init__(self, error: Error) -> None:
        super().__init__(error)
        self.error = error


class Evm:
    """A state that transactions change, and the contract in it."""

    def __init__(self, fork: type = PragueVM) -> None:
        backend = PyEVMBackend(vm_configuration=((0, fork),))
        self._chain = backend.chain
        self._vm = self._chain.get_vm()
        self.senders: tuple[bytes, ...] = backend.get_accounts()
        made = self.transact(self.senders[-1], b"", CREATION)
        if made.error is not None:
            raise NotDeployed(made.error)
        self.deployment_gas = made.gas
        self.contract = made.created

    def transact(self, sender: bytes, to: bytes, data: bytes, value: int = 0) -> Outcome:
        """Make a transaction; refused or not, its sender pays for it."""
        state = self._vm.state
        # Here the transaction before ends: what it touched is cold again.
        state.lock_changes()
        before = state.get_balance(sender)
        unsigned = self._vm.create_unsigned_transaction(
            nonce=state.get_nonce(sender),
            gas_price=PRICE,
            gas=GAS,
            to=to,
            value=value,
            data=data,
        )
        done = state.apply_transaction(SpoofTransaction(unsigned, from_=sender))
        paid = before - state.get_balance(sender) - (0 if done.is_error else value)
        entries = done.get_log_entries()
        events = [
            read_event(address, [topic.to_bytes(32, "big") for topic in topics], text, to)
            for address, topics, text in entries
        ]
        error = read_error(done.output) if done.is_error else None
        called = {child.msg.code_address for child in done.children}
        return Outcome(paid // PRICE, tuple(events), error, called, done.msg.storage_address)

    @contextmanager
    def undone(self) -> Iterator[None]:
        """Whatever is made in here is taken back."""
        self._vm.state.persist()
        header = self._vm.get_header().copy(state_root=self._vm.state.state_root)
        yield
        self._vm = self._chain.get_vm(header)

    def code(self) -> bytes:
        """What lies at the contract's address."""
        code = self._vm.state.get_code(self.contract)
        assert isinstance(code, bytes)
        return code

    def balance(self, address: bytes) -> int:
        """The money of an address."""
        return int(self._vm.state.get_balance(address))

    def append(
        self,
        size: int,
        root: bytes,
        path: Sequence[bytes] = (),
        *,
        origin: bytes = ORIGIN,
        sender: int = 0,
    ) -> Outcome:
        """Hand a checkpoint over, as one of the senders."""
        data = append_call(size, root, path, origin)
        return self.transact(self.senders[sender], self.contract, data)

    def latest_call(self, *, origin: bytes = ORIGIN, sender: int = 0) -> bytes:
        """The data of a call of `latest`."""
        return LATEST + encode(["address", "bytes32"], [self.senders[sender], origin])

    def latest(self, *, origin: bytes = ORIGIN, sender: int = 0) -> tuple[int, bytes, int]:
        """Size, root and since; read by somebody else."""
        data = self.latest_call(origin=origin, sender=sender)
        state = self._vm.state
        message = self._vm.execute_bytecode(
            origin=None,
            gas_price=0,
            gas=GAS,
            to=self.contract,
            sender=self.senders[-1],
            value=0,
            data=data,
            code=state.get_code(self.contract),
        )
        assert not message.is_error
        size, root, since = decode(["uint64", "bytes32", "uint64"], message.output)
        return size, root, since
