# SPDX-License-Identifier: Apache-2.0
"""
Asking a chain itself whether a block is in it, by a node of the asker's own choice (JSON-RPC).

The only part of this package that speaks to anybody. An address may hold a key, so what is told
of a node is its host alone.
"""

import json
import re
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Final

from notary.core.errors import NotaryError
from notary.core.receipt_ledgers import Checker, Found
from notary.core.receipt_parts import Anchor
from notary.core.trust import LedgerTrust
from notary.evidence import checkers
from notary.evidence.evm import Block, Chain, chain_of, found_of, prove
from notary.evidence.members import refused, wanted
from notary.outside.errors import BadAnswer, Unreachable
from notary.outside.web import Web

KIND: Final = "evm"
"""The kind of ledgers that can be asked."""
BLOCKS_AFTER: Final = 12
"""So many blocks must lie on top of one before it counts as settled."""
# jq -r .deployedBytecode AppendOnlyLog.json | cut -c3- | xxd -r -p | sha256sum
CODES: Final = frozenset({"dd73ac46ab33b4ec58adbdd942e61c1fecaf8d73a3e567f863907dfcc1c91fd3"})
"""SHA-256 of the code of each AppendOnlyLog that there was, as it lies on a chain."""
MAX_ANSWER_BYTES: Final = 4 << 20
MAX_ADDRESS_CHARACTERS: Final = 4_096
SECONDS: Final = 15.0

_HEADERS: Final = {"Content-Type": "application/json"}
_NUMBER: Final = re.compile(r"0x(?:0|[1-9a-f][0-9a-f]{0,15})", re.ASCII)
_HASH: Final = re.compile(r"0x[0-9a-f]{64}", re.ASCII)
_CODE: Final = re.compile(r"0x(?:[0-9a-f]{2})*", re.ASCII)


class OnlineRefused(NotaryError):
    """
    What is to be asked can't be.

    `reason`: no-ledger, bad-url, not-safe, bad-ca.
    """

    code = "online-refused"

    def __init__(self, reason: str, **facts: object) -> None:
        super().__init__(None, reason=reason, **facts)


class Node:
    """
    One node of a chain, by https, or by http on this machine; asked once, without trying again.

    Raises:
        Unreachable: bad-url, not-safe, bad-ca.
    """

    def __init__(self, url: str, ca_file: Path | None = None) -> None:
        self._web = Web(url, ca_file, pauses=(), seconds=SECONDS, has_query=True)
        if not self._web.address.is_safe:
            raise Unreachable("not-safe", url=self._web.address.host)
        self.host = self._web.address.host

    def number(self, method: str) -> int:
        """A number that the node tells. Raises Unreachable, BadAnswer."""
        return _number(self._ask(method, []), method)

    def block_hash(self, number: int) -> bytes | None:
        """The hash of the block of that number, None where it has none yet. Raises as `number`."""
        method = "eth_getBlockByNumber"
        block = self._ask(method, [hex(number), False])
        if block is None:
            return None
        if not isinstance(block, dict) or _number(block.get("number"), method) != number:
            raise BadAnswer("form", method)
        told = block.get("hash")
        if not isinstance(told, str) or not _HASH.fullmatch(told):
            raise BadAnswer("form", method)
        return bytes.fromhex(told[2:])

    def code(self, contract: bytes) -> bytes:
        """The code at an address (20 bytes) in the newest block. Raises as `number`."""
        method = "eth_getCode"
        told = self._ask(method, [f"0x{contract.hex()}", "latest"])
        if not isinstance(told, str) or not _CODE.fullmatch(told):
            raise BadAnswer("form", method)
        return bytes.fromhex(told[2:])

    def _ask(self, method: str, parameters: list[object]) -> object:
        question = {"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}
        body = json.dumps(question).encode()
        try:
            answer = json.loads(self._web.exchange(body, _HEADERS, MAX_ANSWER_BYTES))
        except (ValueError, RecursionError):
            raise BadAnswer("form", method) from None
        if not isinstance(answer, dict) or answer.get("id") != 1 or "result" not in answer:
            raise BadAnswer("form", method)
        return answer["result"]


def online_checkers(
    asked: Sequence[str], ledgers: Sequence[LedgerTrust], ca_file: Path | None = None
) -> Mapping[str, Checker]:
    """
    The checkers, of which that of EVM chains asks the nodes that are given for these ledgers.

    `asked` has items `LEDGER=URL`, or `LEDGER=@FILE` where the address is the one line of a file:
    whoever lists the processes of a machine sees what each was called with. Certificates are
    verified by `ca_file` (PEM) where there is one.

    Raises:
        OnlineRefused: no such ledger can be asked, or an address can't be used.
    """
    kinds = {ledger.id: ledger.kind for ledger in ledgers}
    nodes = {}
    for item in asked:
        name, _, url = item.partition("=")
        if kinds.get(name) != KIND:
            raise OnlineRefused("no-ledger", ledger=name)
        try:
            nodes[name] = Node(_address(url), ca_file)
        except Unreachable as error:
            raise OnlineRefused(error.reason, ledger=name, path=str(ca_file)) from None

    def check(anchor: Anchor, ledger: LedgerTrust, origin: str) -> Found:
        chain = chain_of(ledger.members)
        block = prove(anchor.evidence, chain, wanted(anchor, origin))
        found, node = found_of(anchor, chain, block), nodes.get(ledger.id)
        if node is None or found.facts["reason"] != "ask-the-chain":
            return found
        return _asked(node, chain, block, {**found.facts, "node": node.host})

    return {**checkers(), KIND: check}


def _address(given: str) -> str:
    if not given.startswith("@"):
        return given
    try:
        with open(given[1:], encoding="ascii") as file:
            return file.read(MAX_ADDRESS_CHARACTERS).strip()
    except (OSError, ValueError):
        raise Unreachable("bad-url") from None


def _asked(node: Node, chain: Chain, block: Block, facts: dict[str, object]) -> Found:
    """What the chain says of the block, by that node."""
    # anchor-evm.md, step 9.
    try:
        theirs = node.number("eth_chainId")
        if theirs != chain.chain_id:
            return _open(facts, "other-chain", found=f"eip155:{theirs}")
        newest = node.number("eth_blockNumber")
        hash_ = node.block_hash(block.number)
        code = sha256(node.code(chain.contract)).hexdigest()
    except (Unreachable, BadAnswer) as error:
        return _open(facts, "no-answer", why=error.reason)
    if hash_ is None:
        return _open(facts, "not-there", newest=newest)
    if hash_ != block.hash:
        raise refused("The chain has another block in that place.", "ledger-dropped")
    after = newest - block.number
    if after < BLOCKS_AFTER:
        return _open(facts, "too-new", after=max(after, 0), want=BLOCKS_AFTER)
    if code not in CODES:
        return _open(facts, "other-code", contract=f"0x{chain.contract.hex()}")
    return Found("held", {**facts, "reason": "online", "after": after})


def _open(facts: dict[str, object], reason: str, **more: object) -> Found:
    return Found("not-checked", {**facts, "reason": reason, **more})


def _number(value: object, method: str) -> int:
    if not isinstance(value, str) or not _NUMBER.fullmatch(value):
        raise BadAnswer("form", method)
    return int(value, 16)
