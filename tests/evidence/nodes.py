# SPDX-License-Identifier: Apache-2.0
"""A node of a chain that says what a test wants, and the anchor whose block it has."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from notary import ledgers
from notary.evidence.online import BLOCKS_AFTER, online_checkers
from tests.core.maker import ORIGIN, make
from tests.evidence.chain import evm_anchor, parsed, trusted
from tests.outside.raw import Answer, Raw, ok

CITY = make()
ANCHOR = evm_anchor(CITY, 0)
HASH = str(online_checkers([], [])["evm"](parsed(ANCHOR), trusted(), ORIGIN).facts["block_hash"])
NUMBER = 0x1092
CONTRACT = Path(ledgers.__file__).with_name("evm") / "contract" / "AppendOnlyLog.json"
CODE = json.loads(CONTRACT.read_text())["deployedBytecode"]


class Node:
    """A node that has the block, and `after` blocks on it; `instead`: other results by method."""

    def __init__(self) -> None:
        self.after = BLOCKS_AFTER
        self.instead: dict[str, Any] = {}
        self.raw: Answer | None = None
        self.shift = 0
        self.server: Raw | None = None

    def __call__(self, _: str) -> Answer:
        """The answer to the question that came last."""
        assert self.server is not None
        question = json.loads(self.server.bodies[-1])
        honest = {
            "eth_chainId": "0x7a69",
            "eth_blockNumber": hex(NUMBER + self.after),
            "eth_getBlockByNumber": {"number": hex(NUMBER), "hash": HASH},
            "eth_getCode": CODE,
        }
        result = (honest | self.instead)[question["method"]]
        answer = {"jsonrpc": "2.0", "id": question["id"] + self.shift, "result": result}
        return self.raw or ok(json.dumps(answer).encode())

    @property
    def url(self) -> str:
        """Its address, with a key in it as those who let nodes have it."""
        assert self.server is not None
        return f"{self.server.url}/v3/secret-key?more=secret"


@pytest.fixture
def node() -> Iterator[Node]:
    """One that tells the truth until a test says otherwise."""
    made = Node()
    with Raw(made) as server:
        made.server = server
        yield made
