# SPDX-License-Identifier: Apache-2.0
"""What a notary shows, read by an outsider: of its form, or refused."""

import json
import random
from collections.abc import Callable
from contextlib import closing
from hashlib import sha256
from typing import Any

import pytest

from notary.core.runs import MAX_RUN_BYTES
from notary.core.tiles import format_bundle
from notary.outside.errors import BadAnswer
from notary.outside.notary import MAX_PAGE_BYTES, Anchor, Notary, witness_checkpoint
from notary.outside.web import Web
from tests.outside.raw import Answer, Raw, ok

ENTRIES = [f"entry {i}".encode() for i in range(256)]
HASHES = b"".join(sha256(entry).digest() for entry in ENTRIES)
LOST = ok(b"", status="404 Not Found")


def asked(answers: dict[str, bytes], use: Callable[[Notary], Any]) -> Any:
    """What comes of asking a notary that has these answers by path, and 404 for all else."""

    def answer(path: str) -> Answer:
        return ok(answers[path]) if path in answers else LOST

    with Raw(answer) as server, closing(Web(server.url, pauses=())) as web:
        return use(Notary(web))


def refused(answers: dict[str, bytes], use: Callable[[Notary], Any]) -> BadAnswer:
    """Why asking failed."""
    with pytest.raises(BadAnswer) as error:
        asked(answers, use)
    return error.value


def test_a_checkpoint_comes_as_it_is() -> None:
    """Whether it is one is for others to say."""
    assert asked({"/log/checkpoint": "— x\n".encode()}, Notary.checkpoint) == "— x\n"


@pytest.mark.parametrize("answer", [b"\xff", b"x" * (1 << 20) * 2])
def test_a_checkpoint_is_text_of_bounded_size(answer: bytes) -> None:
    """Nothing else is handed on."""
    error = refused({"/log/checkpoint": answer}, Notary.checkpoint)
    assert error.reason in ("form", "too-large")


@pytest.mark.parametrize(
    ("path", "sent"),
    [("/log/tile/1/x001/x234/067.p/9", HASHES[:288]), ("/log/tile/1/x001/x234/067", HASHES)],
)
def test_a_partial_tile_may_be_cut_from_the_full_one(path: str, sent: bytes) -> None:
    """A notary needn't keep partial tiles once there is the full one (C2SP tlog-tiles)."""
    assert asked({path: sent}, lambda notary: notary.tile(1, 1234067, 9)) == HASHES[:288]


@pytest.mark.parametrize("length", [0, 31, 287, 289, 8192])
def test_a_tile_of_another_length_is_refused(length: int) -> None:
    """Cut short, or with a byte too many."""
    answers = {"/log/tile/0/000.p/9": HASHES[:length]}
    assert refused(answers, lambda notary: notary.tile(0, 0, 9)).reason in ("form", "too-large")


def test_a_tile_that_is_nowhere_is_named() -> None:
    """The full one's path: it was asked for last."""
    error = refused({}, lambda notary: notary.tile(0, 5, 9))
    assert (error.status, error.path) == (404, "/log/tile/0/005")


@pytest.mark.parametrize("path", ["/log/tile/entries/000.p/9", "/log/tile/entries/000"])
def test_a_partial_bundle_may_be_cut_from_the_full_one(path: str) -> None:
    """As of tiles."""
    sent = format_bundle(ENTRIES[:9] if path.endswith("9") else ENTRIES)
    assert asked({path: sent}, lambda notary: notary.bundle(0, 9)) == ENTRIES[:9]


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"\x00",
        b"\x00\x09short",
        format_bundle(ENTRIES[:8]),
        format_bundle(ENTRIES[:10]),
        format_bundle(ENTRIES[:9]) + b"\x00",
        random.Random(1).randbytes(1000),
    ],
    ids=["nothing", "half-length", "short", "too-few", "too-many", "rest", "noise"],
)
def test_a_bundle_of_another_form_is_refused(sent: bytes) -> None:
    """The number of entries is known from the signed size."""
    answers = {"/log/tile/entries/000.p/9": sent}
    assert refused(answers, lambda notary: notary.bundle(0, 9)).reason == "form"


def test_run_lists_come_line_by_line() -> None:
    """Whatever is in a line."""
    lines = [f'{{"n":{i}}}' + "é" * (i % 400) for i in range(1000)]
    sent = "".join(f"{line}\n" for line in lines).encode()
    assert asked({"/v1/batches/7/runs": sent}, lambda n: list(n.runs(7, 1000))) == lines


@pytest.mark.parametrize(
    "sent",
    [b"no end", b"\xff\n", b"x" * (MAX_RUN_BYTES + 1), b"{}\n" + b"x" * MAX_RUN_BYTES + b"x\n"],
)
def test_a_run_list_of_another_form_is_refused(sent: bytes) -> None:
    """A line is text, ends, and is no longer than an entry can be."""
    error = refused({"/v1/batches/0/runs": sent}, lambda n: list(n.runs(0, 1000)))
    assert error.reason == "form"


def test_a_run_list_has_no_more_lines_than_the_batch_has_records() -> None:
    """Or an endless one would have to be read."""
    sent = b"x" * 500 + b"\n"
    error = refused({"/v1/batches/0/runs": sent * 1000}, lambda n: list(n.runs(0, 3)))
    assert error.reason == "too-large"


@pytest.mark.parametrize("count", [0, 1, 256])
def test_leaves_come_whole(count: int) -> None:
    """32 bytes each, some at a time."""
    sent = HASHES[: 32 * count]
    found = asked({"/v1/batches/0/leaves": sent}, lambda n: list(n.leaves(0, 256)))
    assert b"".join(leaf for some in found for leaf in some) == sent
    assert {len(leaf) for some in found for leaf in some} <= {32}


@pytest.mark.parametrize("length", [1, 31, 33, 8193])
def test_leaves_of_another_length_are_refused(length: int) -> None:
    """Half a hash, or more than the batch has."""
    answers = {"/v1/batches/0/leaves": (HASHES + b"x")[:length]}
    error = refused(answers, lambda n: list(n.leaves(0, 256)))
    assert error.reason in ("form", "too-large")


def anchor(size: int, ledger: str = "file", **more: object) -> dict[str, object]:
    """An anchor as it is answered."""
    base = {"ledger": ledger, "size": size, "root": "ab" * 32, "state": "verified"}
    return {**base, "evidence": {"note": "x"}, "own_word": True, **more}


def page(items: object, following: object = None) -> bytes:
    """A page of a list."""
    return json.dumps({"items": items, "next": following}).encode()


FIRST, SECOND = "/v1/anchors?limit=100", "/v1/anchors?limit=100&cursor=a%2Fb"


def test_anchors_come_from_all_pages() -> None:
    """In their order; what isn't known of one is left aside."""
    sent = {
        FIRST: page([anchor(9), anchor(9, "land"), anchor(7)], "a/b"),
        SECOND: page([anchor(2, state="pending", evidence=None, more=1)]),
    }
    found = asked(sent, lambda notary: list(notary.anchors()))
    assert [(one.size, one.ledger) for one in found] == [
        (9, "file"),
        (9, "land"),
        (7, "file"),
        (2, "file"),
    ]
    assert found[3] == Anchor("file", 2, b"\xab" * 32, "pending", None)


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"[]",
        b"{}",
        b"null",
        b"\xff",
        b"[" * 100_000,
        page({}),
        page([], 7),
        page([], ""),
        page([], "x" * 1000),
        page([], "a/b"),
        page([7]),
        page([None]),
        page([anchor(0)]),
        page([anchor(-1)]),
        page([anchor(1 << 70)]),
        page([{**anchor(1), "size": 1.5}]),
        page([{**anchor(1), "size": True}]),
        page([anchor(1, ledger="a b")]),
        page([anchor(1, root="AB" * 32)]),
        page([anchor(1, root="ab")]),
        page([anchor(1, state=["verified"])]),
        page([anchor(1, evidence="note")]),
        page([anchor(1), anchor(2)]),
        page([anchor(1), anchor(1)]),
        page([anchor(1, "land"), anchor(1, "file")]),
        page([{name: value for name, value in anchor(1).items() if name != "root"}]),
        b'{"items":[],"next":null,"x":"' + b"x" * MAX_PAGE_BYTES + b'"}',
    ],
)
def test_a_list_of_anchors_of_another_form_is_refused(sent: bytes) -> None:
    """Or one that rises, repeats or never ends."""
    error = refused({FIRST: sent}, lambda notary: list(notary.anchors()))
    assert error.reason in ("form", "too-large")


def test_a_list_of_anchors_that_goes_round_is_refused() -> None:
    """The second page leads to itself, and would for ever."""
    sent = {FIRST: page([anchor(9)], "a/b"), SECOND: page([anchor(7)], "a/b")}
    assert refused(sent, lambda notary: list(notary.anchors())).reason == "form"


def test_a_witness_is_asked_by_the_hash_of_the_origin() -> None:
    """C2SP tlog-witness."""
    name = sha256(b"notary.example/log").hexdigest()
    answers = {f"/{name}/checkpoint": b"note"}
    assert asked(answers, lambda n: witness_checkpoint(n.web, "notary.example/log")) == "note"
    assert refused({}, lambda n: witness_checkpoint(n.web, "notary.example/log")).status == 404
