# SPDX-License-Identifier: Apache-2.0
"""
The contract `AppendOnlyLog` as it is spoken to: calls, event and errors (Solidity's ABI).

Every argument is a word of 32 bytes; the list of hashes lies at the end, behind its length.
Which contract: AppendOnlyLog.sol and its artefact AppendOnlyLog.json in the folder `contract`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

from notary.evidence.keccak import keccak256
from notary.ledgers.evm.shapes import HASH_BYTES, nonsense
from notary.ledgers.port import Anchorable

APPEND: Final = "append(bytes32,uint64,bytes32,bytes32[])"
LATEST: Final = "latest(address,bytes32)"
APPENDED: Final = "Appended(address,bytes32,uint64,bytes32,uint64)"
"""Errors which say that the chain holds another history than ours."""


@dataclass(frozen=True, slots=True)
class Head:
    """What the contract holds of a log: newest size and root, and the size it began with."""

    size: int
    root: bytes
    since: int


@dataclass(frozen=True, slots=True)
class Revert:
    """A custom error of the contract with its arguments, as people may read them."""

    name: str
    arguments: str

    def __str__(self) -> str:
        return f"{self.name}({self.arguments})"


@cache
def artefact() -> Mapping[str, Any]:
    """The compiled contract: `abi`, `bytecode` to create it, `deployedBytecode` once it is."""
    place = files("notary.ledgers.evm") / "contract" / "AppendOnlyLog.json"
    found: Mapping[str, Any] = json.loads(place.read_text(encoding="utf-8"))
    return found


def append_call(checkpoint: Anchorable, path: Sequence[bytes]) -> bytes:
    """The calldata that appends a checkpoint, with the consistency path from the held one."""
    words = [
        checkpoint.origin_hash,
        word(checkpoint.size),
        checkpoint.root,
        word(4 * HASH_BYTES),
        word(len(path)),
        *path,
    ]
    return _selector(APPEND) + b"".join(words)


def latest_call(sender: bytes, origin_hash: bytes) -> bytes:
    """The calldata that asks what is held of a log of this sender (20 bytes)."""
    return _selector(LATEST) + sender.rjust(HASH_BYTES, b"\0") + origin_hash


def read_latest(data: bytes) -> Head | None:
    """
    What `latest` returned; None where nothing is held.

    Raises:
        LedgerUnavailable: that is not what this contract returns.
    """
    if len(data) != 3 * HASH_BYTES:
        raise nonsense("that is no AppendOnlyLog at the contract's address")
    size, root, since = _number(data, 0), data[HASH_BYTES : 2 * HASH_BYTES], _number(data, 2)
    if size == 0 and since == 0 and root == bytes(HASH_BYTES):
        return None
    if not 0 < since <= size < 1 << 63:
        raise nonsense("the sizes that it holds can't be")
    return Head(size, root, since)


def topics(sender: bytes, checkpoint: Anchorable) -> list[bytes]:
    """The topics of the one event which says that this sender's checkpoint was appended."""
    return [
        keccak256(APPENDED.encode()),
        sender.rjust(HASH_BYTES, b"\0"),
        checkpoint.origin_hash,
        word(checkpoint.size),
    ]


def read_revert(data: bytes) -> Revert | None:
    """The contract's own error in the data of a revert; None where it is none of its."""
    inputs = _errors().get(data[:4])
    if inputs is None or len(data) != 4 + HASH_BYTES * len(inputs[1]):
        return None
    name, kinds = inputs
    said = []
    for index, kind in enumerate(kinds):
        value = data[4 + HASH_BYTES * index :][:HASH_BYTES]
        said.append(value.hex() if kind == "bytes32" else str(int.from_bytes(value, "big")))
    return Revert(name, ", ".join(said))


def word(number: int) -> bytes:
    """A number as 32 bytes, big-endian."""
    return number.to_bytes(HASH_BYTES, "big")


def _number(data: bytes, index: int) -> int:
    return int.from_bytes(data[HASH_BYTES * index : HASH_BYTES * (index + 1)], "big")


@cache
def _selector(signature: str) -> bytes:
    return keccak256(signature.encode())[:4]


@cache
def _errors() -> Mapping[bytes, tuple[str, list[str]]]:
    """Name and kinds of arguments of each custom error, by its first four bytes."""
    found = {}
    for item in artefact()["abi"]:
        if item["type"] == "error":
            kinds = [one["type"] for one in item["inputs"]]
            found[_selector(f"{item['name']}({','.join(kinds)})")] = (item["name"], kinds)
    return found
