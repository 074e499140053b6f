# SPDX-License-Identifier: Apache-2.0
"""docs/spec/append-only-log.md: its example is true, and it names all that the contract has."""

import re

import pytest

from tests.core.reference import mth
from tests.ledgers.evm.in_process import APPENDED, ARTEFACT, Evm, append_call, signature
from tests.test_spec import PAGES, example

PAGE = "append-only-log.md"
LEAVES = [bytes.fromhex(line) for line in example("tree-v1.md", "leaves").split()]


def words(what: str) -> bytes:
    """An example that is shown word by word."""
    return bytes.fromhex("".join(example(PAGE, what).split()))


def test_the_call_leaves_the_entry_that_is_shown() -> None:
    """After the first two leaves, sent by the address that is named."""
    evm = Evm()
    assert evm.append(2, mth(LEAVES[:2])).error is None
    assert words("call") == append_call(3, mth(LEAVES), [LEAVES[2]])
    (event,) = evm.transact(evm.senders[0], evm.contract, words("call")).events
    sender, size, previous = bytes(12) + event.sender, event.size, event.previous
    assert words("topics") == APPENDED + sender + event.origin + size.to_bytes(32, "big")
    assert words("data") == event.root + previous.to_bytes(32, "big")
    assert f"where 0x{event.sender.hex()} sent it" in PAGES[PAGE]


@pytest.mark.parametrize("kind", ["function", "event"])
def test_calls_and_events_stand_on_the_page(kind: str) -> None:
    """With their names and values as the ABI has them."""
    for item in ARTEFACT["abi"]:
        if item["type"] == kind:
            values = ", ".join(
                f"{value['type']}{' indexed' * value.get('indexed', False)} {value['name']}"
                for value in item["inputs"]
            )
            assert f"`{item['name']}({values})`" in PAGES[PAGE]


def test_errors_stand_on_the_page_with_as_many_values() -> None:
    """Each of the contract's, and none that it hasn't."""
    shown = re.findall(r"`([A-Z]\w+)\(([^)`]*)\)`", re.sub(r"\s+", " ", PAGES[PAGE]))
    found = {(name, len(values.split(",")) if values else 0) for name, values in shown}
    errors = {
        (item["name"], len(item["inputs"])) for item in ARTEFACT["abi"] if item["type"] == "error"
    }
    assert found - {("Appended", 5)} == errors


def test_the_selectors_are_those_of_the_signatures() -> None:
    """What a client compares is what the compiler says."""
    functions = {signature(item) for item in ARTEFACT["abi"] if item["type"] == "function"}
    assert set(ARTEFACT["selectors"]) == functions
    assert words("call")[:4].hex() in ARTEFACT["selectors"].values()
