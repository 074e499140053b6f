# SPDX-License-Identifier: Apache-2.0
"""
The channel behind the gateway: the preset chaincode's state, and blocks of really signed bytes.

A `set` is endorsed against the state of the blocks, waits, and is judged again when its block is
cut: of two that wait with the same key the second gets code 11, as peers do it.
"""

import base64
import json
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.fabric.network import Block, Network, Transaction, processed, stored

PREFIX = "base_key_"


class Refused(Exception):
    """The chaincode's error, which ends in ccCode 500."""


@dataclass(frozen=True)
class Waiting:
    """A transaction that is endorsed and in no block yet."""

    transaction: Transaction
    key: str
    value: str | None
    read: tuple[int, int] | None
    code: int | None


@dataclass(frozen=True)
class Placed:
    """Where a transaction lies, and what the peer says of it."""

    transaction: Transaction
    block: int
    code: int
    key: str
    value: str | None


class Chain:
    """
    One channel. `delay_seconds`: from a transaction to its block; 0 is at once, None never by
    itself (`cut`). `code` is what the peer will say of the next transaction, where it isn't None.
    `file` keeps the blocks for the next start.
    """

    def __init__(
        self,
        network: Network,
        *,
        delay_seconds: float | None = 0,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        file: Path | None = None,
    ) -> None:
        self.network, self.delay_seconds, self.now = network, delay_seconds, now
        self.code: int | None = None
        self.blocks: list[Block] = []
        self.placed: dict[str, Placed] = {}
        self.waiting: list[Waiting] = []
        self._file = file
        self._lock = threading.RLock()
        self._timer: threading.Timer | None = None
        if file is not None and file.exists():
            self._load(file)
        if not self.blocks:
            self._append([], b"")

    def call(self, function: str, args: list[str]) -> tuple[str, str]:
        """What the chaincode answers, with the transaction's id."""
        with self._lock:
            if function in ("get", "getHistory"):
                read = self._get if function == "get" else self._history
                return os.urandom(32).hex(), read(args[0])
            if function == "delete":
                return self._write(function, args, args[0], None)
            given = json.loads(args[0])
            return self._write(function, args, given["baseKey"], given["baseValue"])

    def state(self, key: str) -> Placed | None:
        """The valid transaction that last wrote a key, in any block; None after a deletion too."""
        last = None
        for placed in self.placed.values():
            if placed.key == key and placed.code == 0:
                last = placed
        return None if last is None or last.value is None else last

    def cut(self) -> None:
        """Make a block of all that waits; of nothing none."""
        with self._lock:
            if self.waiting:
                codes, written = [], set()
                for one in self.waiting:
                    state = self.state(one.key)
                    now = None if state is None else self._version(state)
                    judged = 11 if now != one.read or one.key in written else 0
                    codes.append(judged if one.code is None else one.code)
                    if codes[-1] == 0:
                        written.add(one.key)
                waiting, self.waiting = self.waiting, []
                self._append(waiting, bytes(codes))

    def processed(self, tx: str) -> bytes:
        """A transaction as a peer serves it alone."""
        placed = self.placed[tx]
        return processed(placed.transaction.envelope, placed.code)

    def close(self) -> None:
        """No block comes any more."""
        if self._timer is not None:
            self._timer.cancel()

    def _get(self, key: str) -> str:
        state = self.state(key)
        if state is None or state.value is None:
            raise Refused("data not found")
        return state.value

    def _history(self, key: str) -> str:
        return json.dumps(
            [
                {
                    "txId": tx,
                    "dataInfo": stored(key, placed.value).decode() if placed.value else "",
                    "txTime": "2026-01-01 08:00:00",
                    "isDelete": placed.value is None,
                }
                for tx, placed in self.placed.items()
                if placed.key == key and placed.code == 0
            ]
        )

    def _write(
        self, function: str, args: list[str], key: str, value: str | None
    ) -> tuple[str, str]:
        state = self.state(key)
        if function == "set" and state is not None:
            raise Refused("key value already exists")
        if function != "set" and state is None:
            raise Refused("the key value not exists")
        read = None if state is None else self._version(state)
        name = PREFIX + key
        transaction = self.network.transaction(
            function,
            args,
            writes=[(name, None if value is None else stored(key, value))],
            reads=[name if read is None else (name, read)],
            time=self.now(),
            nonce=os.urandom(24),
        )
        self.waiting.append(Waiting(transaction, key, value, read, self.code))
        self.code = None
        if self.delay_seconds == 0:
            self.cut()
        elif self.delay_seconds is not None:
            self._timer = threading.Timer(self.delay_seconds, self.cut)
            self._timer.daemon = True
            self._timer.start()
        return transaction.tx_id, "SUCCESS"

    def _version(self, placed: Placed) -> tuple[int, int]:
        in_block = [one for one in self.placed.values() if one.block == placed.block]
        return placed.block, in_block.index(placed)

    def _append(self, waiting: list[Waiting], codes: bytes) -> None:
        number = len(self.blocks)
        previous = self.blocks[-1].hash if self.blocks else bytes(32)
        transactions = [one.transaction for one in waiting]
        block = self.network.block(number, previous, transactions, codes)
        if self._file is not None:
            self._keep(self._file, block, waiting, codes)
        self._take(block, waiting, codes)

    def _take(self, block: Block, waiting: list[Waiting], codes: bytes) -> None:
        self.blocks.append(block)
        for one, code in zip(waiting, codes, strict=True):
            placed = Placed(one.transaction, block.number, code, one.key, one.value)
            self.placed.setdefault(one.transaction.tx_id, placed)

    def _keep(self, file: Path, block: Block, waiting: list[Waiting], codes: bytes) -> None:
        line = {
            "number": block.number,
            "hash": block.hash.hex(),
            "octets": _b64(block.octets),
            "codes": codes.hex(),
            "transactions": [
                [one.transaction.tx_id, _b64(one.transaction.envelope), one.key, one.value]
                for one in waiting
            ],
        }
        with file.open("a", encoding="utf-8") as out:
            out.write(json.dumps(line) + "\n")

    def _load(self, file: Path) -> None:
        text = file.read_text(encoding="utf-8")
        whole = text[: text.rfind("\n") + 1]
        file.write_text(whole, encoding="utf-8")  # a line that was cut off was never answered
        for kept in whole.splitlines():
            line = json.loads(kept)
            octets = base64.b64decode(line["octets"])
            block = Block(line["number"], bytes.fromhex(line["hash"]), octets)
            waiting = [
                Waiting(Transaction(tx, base64.b64decode(envelope)), key, value, None, None)
                for tx, envelope, key, value in line["transactions"]
            ]
            self._take(block, waiting, bytes.fromhex(line["codes"]))


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()
