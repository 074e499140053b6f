# SPDX-License-Identifier: Apache-2.0
"""
A real chain (anvil) as the tests of the adapter see it, and adapters on it.

`Look` speaks plain JSON-RPC and uses eth_account and eth_abi: none of the adapter's own code.
"""

import itertools
import json
import secrets
import time
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from eth_abi import decode
from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_utils import to_checksum_address

from notary.ledgers.evm import open_ledger
from notary.ledgers.evm.ledger import EvmLedger
from notary.ledgers.port import Anchorable, AnchorState, LedgerUnavailable, Surroundings
from notary.ledgers.table import Table
from notary.local.anvil import CHAIN_ID
from tests.ledgers.contract import NOW, ORIGIN, around
from tests.ledgers.evm.in_process import APPENDED, ARTEFACT, append_call, read_error

ETHER = 10**18
GWEI = 10**9
MOST_LOOKS = 2_000
COUNTER = itertools.count(1)


class Refused(Exception):
    """The node answered by an error."""


@dataclass
class Look:
    """A node, and one contract on its chain."""

    url: str
    contract: str = ""
    fees: Mapping[str, int] = field(
        default_factory=lambda: {"maxFeePerGas": 100 * GWEI, "maxPriorityFeePerGas": GWEI}
    )

    def ask(self, method: str, *params: object) -> Any:
        """The result of a request."""
        body = {"jsonrpc": "2.0", "id": next(COUNTER), "method": method, "params": params}
        request = urllib.request.Request(self.url, json.dumps(body).encode())
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=30) as answer:
            said = json.loads(answer.read())
        if "error" in said:
            raise Refused(said["error"])
        return said["result"]

    def account(self) -> LocalAccount:
        """A new account with funds."""
        made: LocalAccount = Account.from_key(secrets.token_bytes(32))
        self.ask("anvil_setBalance", made.address, hex(100 * ETHER))
        return made

    def send(self, account: LocalAccount, to: str, data: bytes, **more: Any) -> str:
        """A transaction past the adapter and all of its checks; its hash."""
        transaction = {
            "chainId": CHAIN_ID,
            "nonce": int(self.ask("eth_getTransactionCount", account.address, "pending"), 16),
            "to": to,
            "value": 0,
            "data": data,
            "gas": 1_500_000,
            **self.fees,
            **more,
        }
        signed = account.sign_transaction(transaction)
        sent: str = self.ask("eth_sendRawTransaction", "0x" + bytes(signed.raw_transaction).hex())
        return sent

    def deploy(self) -> None:
        """Put the contract on the chain."""
        sent = self.send(self.account(), "", bytes.fromhex(ARTEFACT["bytecode"][2:]))
        self.contract = to_checksum_address(self.receipt(sent)["contractAddress"])

    def receipt(self, transaction: str) -> Any:
        """What became of a transaction, which a block gets at once, or a moment later."""
        for _ in range(MOST_LOOKS):
            found = self.ask("eth_getTransactionReceipt", transaction)
            if found is not None:
                return found
            time.sleep(0.005)
        raise AssertionError("no block has it")

    def append(
        self, account: LocalAccount, size: int, root: bytes, path: Sequence[bytes], origin: bytes
    ) -> Any:
        """`append` in a transaction of its own, sent whatever the contract may say; the receipt."""
        return self.receipt(
            self.send(account, self.contract, append_call(size, root, path, origin))
        )

    def why(
        self, account: LocalAccount, size: int, root: bytes, path: Sequence[bytes], origin: bytes
    ) -> tuple[Any, ...]:
        """The contract's error where it would refuse that; empty where it would not."""
        data = "0x" + append_call(size, root, path, origin).hex()
        call = {"from": account.address, "to": self.contract, "data": data}
        try:
            self.ask("eth_call", call, "latest")
        except Refused as refused:
            return read_error(bytes.fromhex(refused.args[0]["data"][2:]))
        return ()

    def held(self, sender: str, origin: str = ORIGIN) -> list[tuple[int, bytes]]:
        """(size, root) of all events of a sender's log, in the order of the chain."""
        topics = [
            "0x" + APPENDED.hex(),
            "0x" + sender.lower()[2:].rjust(64, "0"),
            "0x" + sha256(origin.encode()).hexdigest(),
        ]
        logs = self.ask(
            "eth_getLogs",
            {"address": self.contract, "topics": topics, "fromBlock": "0x0", "toBlock": "latest"},
        )
        found = []
        for log in logs:
            root, _ = decode(["bytes32", "uint64"], bytes.fromhex(log["data"][2:]))
            found.append((int(log["topics"][3], 16), bytes(root)))
        return found

    def block(self) -> int:
        """The newest block's number."""
        return int(self.ask("eth_blockNumber"), 16)

    def mine(self, blocks: int = 1) -> None:
        """So many blocks more."""
        self.ask("anvil_mine", hex(blocks))

    def transactions(self, account: LocalAccount) -> int:
        """How many transactions of an account are in blocks."""
        return int(self.ask("eth_getTransactionCount", account.address, "latest"), 16)

    def pool(self, account: LocalAccount) -> list[Any]:
        """The transactions of an account that wait, by their nonces."""
        content = self.ask("txpool_content")
        found = []
        for part in ("pending", "queued"):
            for sender, waiting in content[part].items():
                if sender.lower() == account.address.lower():
                    found += [waiting[nonce] for nonce in sorted(waiting, key=int)]
        return found


@dataclass
class Desk:
    """One account with its key in a file, and adapters that use it."""

    look: Look
    account: LocalAccount
    folder: Path
    url: str
    keys: Mapping[str, object] = field(default_factory=dict)
    around: Surroundings = field(default_factory=around)

    @classmethod
    def make(cls, look: Look, folder: Path, **keys: object) -> "Desk":
        """A new account, and its key in a file."""
        account = look.account()
        key = folder / "evm.key"
        key.write_text(bytes(account.key).hex() + "\n", encoding="ascii")
        key.chmod(0o600)
        return cls(look, account, folder, look.url, keys)

    def table(self, faults: list[str], **keys: object) -> Table:
        """The ledger's table in notary.toml."""
        values: dict[str, object] = {
            "name": "chain",
            "kind": "evm",
            "url": self.url,
            "chain_id": CHAIN_ID,
            "contract": self.look.contract,
            "account": self.account.address,
            "key_file": "evm.key",
            "confirmations": 1,
            **self.keys,
            **keys,
        }
        wanted = {name: value for name, value in values.items() if value is not None}
        return Table("Ledger 1 (chain)", wanted, self.folder, faults)

    def open(self, **keys: object) -> EvmLedger:
        """The adapter as a new process has it."""
        faults: list[str] = []
        ledger = open_ledger(self.table(faults, **keys), self.around)
        assert faults == []
        assert ledger is not None
        return ledger

    def held(self, candidates: Sequence[Anchorable] = ()) -> list[tuple[int, bytes]]:
        """What the chain holds of this account's log."""
        return self.look.held(self.account.address)


def settled(ledger: EvmLedger, what: Anchorable, reference: str | None) -> AnchorState:
    """What becomes of an anchor on a chain that makes its blocks by itself."""
    for _ in range(MOST_LOOKS):
        # Anvil tells what a contract holds a moment before it tells its events.
        with suppress(LedgerUnavailable):
            state = ledger.confirm(what, reference)
            if state != "submitted":
                return state
        time.sleep(0.005)
    raise AssertionError("no block has it")


def anchor(ledger: EvmLedger, what: Anchorable, reference: str | None = None) -> str:
    """Hand over again until it is verified, as the sealer does; the reference."""
    state: AnchorState = "unknown"
    for _ in range(20):
        reference = ledger.submit(what, reference, NOW)
        state = settled(ledger, what, reference)
        if state == "verified":
            return reference
    raise AssertionError(state)
