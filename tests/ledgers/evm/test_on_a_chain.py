# SPDX-License-Identifier: Apache-2.0
"""Signed transactions in blocks: what receipts and `eth_getLogs` show of the contract."""

from typing import Any

import pytest
from eth_tester import EthereumTester, PyEVMBackend
from eth_tester.exceptions import TransactionFailed

from tests.core.reference import made_up_leaves, mth, proof
from tests.ledgers.evm.in_process import (
    APPENDED,
    ARTEFACT,
    DEPLOYED,
    ORIGIN,
    Event,
    append_call,
    read_event,
)

LEAVES = made_up_leaves(9)
ROOTS = [mth(LEAVES[:size]) for size in range(10)]
MADE_UP = b"\xaa" * 32


class Chain:
    """A chain with the contract on it."""

    def __init__(self) -> None:
        self.tester = EthereumTester(PyEVMBackend())
        self.senders = self.tester.get_accounts()
        made = self.mined(self.tester.send_transaction(self.call(0, "", ARTEFACT["bytecode"])))
        self.contract: str = made["contract_address"]

    def call(self, sender: int, to: str, data: str) -> dict[str, Any]:
        """A transaction with gas enough."""
        return {"from": self.senders[sender], "to": to, "data": data, "gas": 3_000_000}

    def mined(self, transaction: str) -> Any:
        """Its receipt."""
        return self.tester.get_transaction_receipt(transaction)

    def append(self, size: int, root: bytes, path: list[bytes], sender: int = 0) -> Any:
        """Hand a checkpoint over; the receipt."""
        data = "0x" + append_call(size, root, path).hex()
        return self.mined(self.tester.send_transaction(self.call(sender, self.contract, data)))

    def logs(self, *topics: bytes | None) -> list[Event]:
        """What `eth_getLogs` answers for these topics."""
        asked = [topic and "0x" + topic.hex() for topic in topics]
        return [self.event(log) for log in self.tester.get_logs(0, "latest", topics=asked)]

    def event(self, log: Any) -> Event:
        """An entry as it is told over JSON-RPC."""
        topics = [bytes.fromhex(topic[2:]) for topic in log["topics"]]
        data = bytes.fromhex(log["data"][2:])
        return read_event(log["address"], topics, data, self.contract)


@pytest.fixture(scope="module")
def chain() -> Chain:
    """A first checkpoint and two more of ours, one of another sender, two that were refused."""
    chain = Chain()
    for sender, size, root, path in [
        (0, 3, ROOTS[3], []),
        (1, 5, MADE_UP, []),
        (0, 5, ROOTS[5], proof(3, LEAVES[:5])),
        (0, 9, ROOTS[9], proof(5, LEAVES)),
    ]:
        assert chain.append(size, root, path, sender)["status"] == 1
    return chain


def sender_topic(chain: Chain, sender: int) -> bytes:
    """An address as it stands in a topic."""
    return bytes(12) + bytes.fromhex(chain.senders[sender][2:])


def test_the_deployed_code_is_the_artefacts(chain: Chain) -> None:
    """As `eth_getCode` answers it."""
    assert chain.tester.get_code(chain.contract) == "0x" + DEPLOYED.hex()


def test_all_checkpoints_of_a_log_are_found_by_sender_and_origin(chain: Chain) -> None:
    """In their order, each with the size before; nobody else's among them."""
    ours = chain.logs(APPENDED, sender_topic(chain, 0), ORIGIN)
    assert [(event.size, event.root, event.previous) for event in ours] == [
        (3, ROOTS[3], 0),
        (5, ROOTS[5], 3),
        (9, ROOTS[9], 5),
    ]


def test_one_checkpoint_is_found_by_its_size(chain: Chain) -> None:
    """Exactly one, or none where that size was never held."""
    topics = APPENDED, sender_topic(chain, 0), ORIGIN
    assert [event.root for event in chain.logs(*topics, (5).to_bytes(32, "big"))] == [ROOTS[5]]
    assert chain.logs(*topics, (6).to_bytes(32, "big")) == []


def test_a_refused_checkpoint_fails_and_logs_nothing(chain: Chain) -> None:
    """In its block with status 0; asked by `eth_call`, it is refused too."""
    before = chain.logs(APPENDED)
    done = chain.append(9, MADE_UP, [])
    assert (done["status"], list(done["logs"])) == (0, [])
    data = "0x" + append_call(9, MADE_UP, []).hex()
    with pytest.raises(TransactionFailed):
        chain.tester.call(chain.call(0, chain.contract, data))
    assert chain.logs(APPENDED) == before


def test_the_same_checkpoint_sent_twice_succeeds_and_logs_once(chain: Chain) -> None:
    """By the same call, as a client sends it again that lost its answer."""
    before = chain.logs(APPENDED)
    done = chain.append(9, ROOTS[9], proof(5, LEAVES))
    assert (done["status"], list(done["logs"])) == (1, [])
    assert chain.logs(APPENDED) == before
