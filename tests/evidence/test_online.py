# SPDX-License-Identifier: Apache-2.0
"""Asking a chain by a node, over HTTP, whatever the node answers."""

import json
import ssl
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from notary.core.errors import ReceiptRefused
from notary.core.receipt_ledgers import Found
from notary.evidence import online
from notary.evidence.online import BLOCKS_AFTER, CODES, OnlineRefused, online_checkers
from tests.core.maker import ORIGIN
from tests.evidence.chain import LEDGER, parsed, trusted
from tests.evidence.nodes import ANCHOR, CODE, HASH, NUMBER, Node, node
from tests.iot_ingest.certificates import Authority
from tests.outside.raw import Answer, Raw, ok

__all__ = ["node"]


def ask(node: Node, **members: Any) -> Found:
    """What is found of the anchor. Raises ReceiptRefused."""
    ledger = trusted(**members)
    return online_checkers([f"chain={node.url}"], [ledger])["evm"](parsed(ANCHOR), ledger, ORIGIN)


def test_a_block_that_the_chain_has_is_held(node: Node) -> None:
    """With the blocks on top of it; asked of nothing but what is needed."""
    found = ask(node)
    assert found.status == "held"
    told = {"reason": "online", "node": "127.0.0.1", "after": BLOCKS_AFTER, "block_hash": HASH}
    assert told.items() <= found.facts.items()
    assert node.server is not None
    asked = [json.loads(body) for body in node.server.bodies]
    assert [one["method"] for one in asked] == [
        "eth_chainId",
        "eth_blockNumber",
        "eth_getBlockByNumber",
        "eth_getCode",
    ]
    assert asked[3]["params"] == [LEDGER["contract"], "latest"]
    assert asked[2]["params"] == [hex(NUMBER), False]


def test_another_block_in_its_place_refuses_the_receipt(node: Node) -> None:
    """However many lie on it: what was anchored fell out."""
    for node.after in (0, BLOCKS_AFTER, 10_000):
        node.instead["eth_getBlockByNumber"] = {"number": hex(NUMBER), "hash": "0x" + "ab" * 32}
        with pytest.raises(ReceiptRefused) as caught:
            ask(node)
        assert caught.value.facts["reason"] == "ledger-dropped"


@pytest.mark.parametrize("after", [-3, 0, 1, BLOCKS_AFTER - 1])
def test_a_block_with_few_on_top_of_it_is_not_held_yet(node: Node, after: int) -> None:
    """The chain may still drop it."""
    node.after = after
    found = ask(node)
    assert (found.status, found.facts["reason"]) == ("not-checked", "too-new")
    assert found.facts["after"] == max(after, 0)


def test_a_block_that_the_node_has_not_yet_is_not_checked(node: Node) -> None:
    """It may be behind."""
    node.instead["eth_getBlockByNumber"] = None
    assert ask(node).facts["reason"] == "not-there"


def test_a_node_of_another_chain_says_nothing(node: Node) -> None:
    """Its blocks are not even asked for."""
    node.instead["eth_chainId"] = "0x1"
    found = ask(node)
    assert (found.status, found.facts["reason"]) == ("not-checked", "other-chain")
    assert (found.facts["found"], found.facts["who"]) == ("eip155:1", "eip155:31337")
    assert node.server is not None
    assert len(node.server.bodies) == 1


@pytest.mark.parametrize("code", ["0x", CODE[:-2], CODE + "00", "0x60806040"])
def test_another_program_in_the_contracts_place_is_told(node: Node, code: str) -> None:
    """Its events say nothing of growth: whoever made the trust file didn't look."""
    node.instead["eth_getCode"] = code
    found = ask(node)
    assert (found.status, found.facts["reason"]) == ("not-checked", "other-code")
    assert found.facts["contract"] == LEDGER["contract"]


@pytest.mark.parametrize("code", [None, 5, "", "0x0", "0xZZ", "6080", "0x 60", [CODE]])
def test_code_that_is_none_leaves_it_not_checked(node: Node, code: Any) -> None:
    """As any answer that is none."""
    node.instead["eth_getCode"] = code
    assert ask(node).facts["reason"] == "no-answer"


def test_the_code_that_is_known_is_that_of_our_contract() -> None:
    """Compiled anew it must be added."""
    assert sha256(bytes.fromhex(CODE[2:])).hexdigest() in CODES


def test_a_size_that_the_trust_file_does_not_speak_for_is_not_asked_for(node: Node) -> None:
    """Nobody is bothered."""
    assert ask(node, from_size=4).facts["reason"] == "below-from-size"
    assert node.server is not None
    assert node.server.bodies == []


def rpc(result: Any, **more: Any) -> list[bytes]:
    """A whole answer of a node."""
    return ok(json.dumps({"jsonrpc": "2.0", "id": 1, "result": result} | more).encode())


GARBAGE: dict[str, tuple[Answer, str]] = {
    "nothing": ([b""], "away"),
    "no HTTP": ([b"hello\r\n\r\n"], "away"),
    "an empty body": (ok(b""), "form"),
    "no JSON": (ok(b"<html>"), "form"),
    "nested without end": (ok(b"[" * 100_000), "form"),
    "not UTF-8": (ok(b"\xff\xfe"), "form"),
    "a list": (ok(b"[]"), "form"),
    "an error of the node": (rpc(None, error={"code": -32000}), "form"),
    "an error alone": (ok(b'{"jsonrpc":"2.0","id":1,"error":{"code":-32000}}'), "form"),
    "the answer to another question": (rpc("0x7a69", id=2), "form"),
    "a number that is none": (rpc(31337), "form"),
    "a number with leading zeros": (rpc("0x07a69"), "form"),
    "a number without 0x": (rpc("7a69"), "form"),
    "a number of 200 digits": (rpc("0x" + "1" * 200), "form"),
    "a negative number": (rpc("-0x1"), "form"),
    "status 500": (ok(b"{}", status="500 Down"), "status"),
    "status 401": (ok(b"{}", status="401 Who"), "status"),
    "a redirect": (ok(b"", "Location: https://x", status="302 There"), "redirected"),
    "cut off": ([b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"], "cut-off"),
    "larger than anybody needs": (ok(b" " * ((4 << 20) + 1)), "too-large"),
}


@pytest.mark.parametrize("what", GARBAGE)
def test_what_is_no_answer_leaves_it_not_checked(node: Node, what: str) -> None:
    """The receipt isn't to blame for what a node is."""
    node.raw, why = GARBAGE[what]
    found = ask(node)
    assert (found.status, found.facts["reason"]) == ("not-checked", "no-answer")
    assert found.facts["why"] == why


def test_true_answers_to_other_questions_are_none(node: Node) -> None:
    """Such as were recorded at another time."""
    node.shift = 1
    assert ask(node).facts["reason"] == "no-answer"


BLOCKS: dict[str, Any] = {
    "text": "0x1092",
    "a list": [],
    "nothing in it": {},
    "no hash": {"number": hex(NUMBER)},
    "a hash of 31 bytes": {"number": hex(NUMBER), "hash": HASH[:-2]},
    "a hash in upper case": {"number": hex(NUMBER), "hash": HASH[:2] + HASH[2:].upper()},
    "a hash that is a number": {"number": hex(NUMBER), "hash": 5},
    "another number": {"number": hex(NUMBER + 1), "hash": HASH},
    "no number": {"hash": HASH},
}


@pytest.mark.parametrize("what", BLOCKS)
def test_a_block_that_is_none_leaves_it_not_checked(node: Node, what: str) -> None:
    """Neither held nor refused."""
    node.instead["eth_getBlockByNumber"] = BLOCKS[what]
    assert ask(node).facts["reason"] == "no-answer"


def test_a_node_that_dawdles_is_left(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for ever."""
    monkeypatch.setattr(online, "SECONDS", 0.2)

    def slow() -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\n"
        time.sleep(1.5)

    node.raw = slow()
    assert ask(node).facts["why"] in ("slow", "away")


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://node.example/key", "not-safe"),
        ("ftp://node.example", "bad-url"),
        ("node.example", "bad-url"),
        ("https://user:password@node.example", "bad-url"),
        ("", "bad-url"),
    ],
)
def test_an_address_that_can_not_be_believed_is_not_asked(url: str, reason: str) -> None:
    """TLS, or this very machine."""
    with pytest.raises(OnlineRefused) as caught:
        online_checkers([f"chain={url}"], [trusted()])
    assert caught.value.facts["reason"] == reason


def test_a_key_in_an_address_need_not_stand_in_the_list_of_processes(
    node: Node, tmp_path: Path
) -> None:
    """The address may come from a file of one line; one that holds none is refused, unquoted."""
    file = tmp_path / "node.url"
    file.write_text(f"{node.url}\n")
    found = online_checkers([f"chain=@{file}"], [trusted()])["evm"](
        parsed(ANCHOR), trusted(), ORIGIN
    )
    assert found.facts["reason"] == "online"
    for text in ("s3cr3t", "https://a.example/s3cr3t\nhttps://b.example", "\u00e9"):
        file.write_text(text, encoding="utf-8")
        with pytest.raises(OnlineRefused) as caught:
            online_checkers([f"chain=@{file}"], [trusted()])
        assert caught.value.facts["reason"] == "bad-url"
        assert "s3cr3t" not in str(caught.value.facts)
    with pytest.raises(OnlineRefused):
        online_checkers([f"chain=@{tmp_path}/none"], [trusted()])


def test_an_authority_that_is_none_is_told(tmp_path: Path) -> None:
    """A file that isn't there, or holds no certificates."""
    with pytest.raises(OnlineRefused) as caught:
        online_checkers(["chain=https://node.example"], [trusted()], tmp_path / "none.pem")
    assert caught.value.facts["reason"] == "bad-ca"


def test_a_node_whose_certificate_nobody_vouches_for_is_not_believed() -> None:
    """It isn't even asked; with its authority named it is, for its own name alone."""
    authority, node = Authority("node"), Node()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue("127.0.0.1"))
    with Raw(node, tls=context) as node.server:
        for url, ca_file, status in (
            (node.url, None, "not-checked"),
            (node.url, authority.file, "held"),
            (node.url.replace("127.0.0.1", "localhost"), authority.file, "not-checked"),
        ):
            check = online_checkers([f"chain={url}"], [trusted()], ca_file)["evm"]
            found = check(parsed(ANCHOR), trusted(), ORIGIN)
            assert found.status == status
            assert status == "held" or found.facts["why"] == "certificate"
    assert len(node.server.bodies) == 4
