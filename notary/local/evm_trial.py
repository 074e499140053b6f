# SPDX-License-Identifier: Apache-2.0
"""
`make run LEDGER=evm`: a chain on this machine, the contract on it, and what it is worth.

One machine's chain shows the way alone: whoever runs it can make another.
"""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Final

from notary.ledgers.evm.append_only_log import append_call, read_revert
from notary.ledgers.evm.chain import Chain
from notary.ledgers.evm.deploy import deploy
from notary.ledgers.evm.rpc import Node, NodeSaid
from notary.ledgers.evm.shapes import octets, shown
from notary.ledgers.evm.transaction import Sender
from notary.ledgers.http import Endpoint
from notary.ledgers.port import Anchorable
from notary.local.anvil import CHAIN_ID, Anvil
from notary.local.client import Client
from notary.local.errors import LocalError
from notary.local.ledgers import Value
from notary.local.stage import Local

NAME: Final = "anvil"
ETHER: Final = 10**18
GWEI: Final = 10**9
BLOCKS_ON_TOP: Final = 12


class EvmTrial:
    """The chain that runs, the notary's account on it, and the contract."""

    def __init__(self, anvil: Anvil, account: bytes, key_file: Path, contract: bytes) -> None:
        self._anvil, self._account, self._contract = anvil, account, contract
        self.table: Mapping[str, Value] = {
            "name": NAME,
            "kind": "evm",
            "required": True,
            "url": anvil.url,
            "chain_id": CHAIN_ID,
            "contract": shown(contract),
            "account": shown(account),
            "key_file": str(key_file),
            "confirmations": 1,
        }

    def story(self, local: Local, client: Client) -> bool:
        """The contract refuses another history; a receipt is held against the chain itself."""
        receipt = json.loads((local.var / "receipt.json").read_text(encoding="utf-8"))
        anchors = [anchor for anchor in receipt["anchors"] if anchor["ledger"] == NAME]
        print(f"\nOn an EVM chain too: anvil on this machine, chain {CHAIN_ID}, {self._anvil.url}")
        print(f"  contract AppendOnlyLog {shown(self._contract)}, account {shown(self._account)}")
        if not anchors:
            print("  The receipt carries no anchor of it.")
            return False
        anchor = anchors[-1]
        print(f"  The receipt carries its anchor of the log at size {anchor['size']}.")
        refused = self._refuses(str(receipt["checkpoint"]).split("\n", 1)[0])
        # As a chain that others use would do by itself.
        self._anvil.ask("anvil_mine", hex(BLOCKS_ON_TOP))
        print(f"\nThe same receipt, {BLOCKS_ON_TOP} blocks later, held against the chain itself:\n")
        online = self._verify(local, ["--online", f"{NAME}={self._anvil.url}"])
        return refused and online

    def _refuses(self, origin: str) -> bool:
        """Ask the contract what it would do with other histories; it must refuse each."""
        digest = sha256(origin.encode()).digest()
        chain = Chain(Node(Endpoint(self._anvil.url)), CHAIN_ID, self._contract)
        head = chain.latest(self._account, digest)
        if head is None:
            print("  The contract holds nothing of this log.")
            return False
        print(f"  The contract holds size {head.size}, grown out of size {head.since} by proofs.")
        cases = {
            "another root for that size": Anchorable(digest, head.size, bytes(32)),
            "a larger size without a proof": Anchorable(digest, head.size + 1, bytes(32)),
        }
        answers = {what: self._would_say(append_call(case, [])) for what, case in cases.items()}
        for what, said in answers.items():
            print(f"  Asked to take {what}, it {f'refuses: {said}' if said else 'AGREES'}.")
        return all(answers.values())

    def _would_say(self, data: bytes) -> str:
        """The contract's error for calldata of the notary's account; empty: it would take it."""
        call = {"from": shown(self._account), "to": shown(self._contract), "data": shown(data)}
        try:
            Node(Endpoint(self._anvil.url)).call("eth_call", call, "latest")
        except NodeSaid as said:
            return str(read_revert(octets(said.data, "the error")) or said.message)
        return ""

    def _verify(self, local: Local, more: Sequence[str]) -> bool:
        command = [sys.executable, "-m", "notary.cli", "verify", str(local.var / "receipt.json")]
        command += ["--trust", str(local.var / "trust.json"), *more]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        print("  " + (done.stdout + done.stderr).strip().replace("\n", "\n  "))
        return done.returncode == 0


def begin(local: Local) -> EvmTrial:
    """
    Start the chain, or go on with that of the last run; make key and contract where they miss.

    Raises:
        LocalError: the package that signs is missing, or the chain doesn't start.
    """
    try:
        from notary.ledgers.evm.account import load_account, make_account
    except ImportError as error:
        raise LocalError(
            f"The package {error.name} is missing: pip install 'city-notary[evm]'."
        ) from None
    port = local.env.get("NOTARY_ANVIL_PORT")
    anvil = Anvil.open(local.var / "anvil", int(port) if port else None)
    local.children.at_end("anvil", anvil.stop)
    key_file = local.var / "secrets" / "evm.key"
    account = load_account(key_file) if key_file.exists() else make_account(key_file)
    anvil.ask("anvil_setBalance", shown(account.address), hex(100 * ETHER))
    kept = local.var / "anvil" / "contract"
    contract = bytes.fromhex(kept.read_text(encoding="ascii")) if kept.exists() else b""
    if not contract or anvil.ask("eth_getCode", shown(contract), "latest") == "0x":
        chain = Chain(Node(Endpoint(anvil.url)), CHAIN_ID, b"")
        sender = Sender(chain, account, ceiling_wei=1_000 * GWEI, patience_blocks=1)
        contract = deploy(chain, sender).contract
        kept.write_text(contract.hex(), encoding="ascii")
    return EvmTrial(anvil, account.address, key_file, contract)
