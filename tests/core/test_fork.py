# SPDX-License-Identifier: Apache-2.0
"""
fork/1: the vectors end as their cases say; and an accuser finds no proof against a log that only
grew, whatever tiles it is made from, while one that didn't is always found out.
"""

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notary.core import canonical, note
from notary.core.errors import (
    ForkRefused,
    LogForked,
    MalformedFork,
    MalformedProof,
    MalformedTile,
    NotaryError,
    RootMismatch,
)
from notary.core.fork import check_growth, fork_nodes, format_fork, parse_fork, verify_fork
from notary.core.proof import roots_from_consistency, verify_consistency
from notary.core.receipt_signers import Signed, check_checkpoint
from notary.core.tiles import hashes_from_tiles, tiles_of
from notary.core.tree import Tree
from notary.core.trust import format_trust, parse_trust
from notary.core.vkey import encode_base64
from tests.core import reference
from tests.core.growing import SIZE, fork, honest, liar, tiles, whole_path
from tests.core.maker import LOG, OTHER_LOG, STRANGER, WITNESSES, City, trust
from tests.core.signing import remember_signatures
from tests.core.test_consistency import outcome
from tests.vectors import generate_pairs

FILE = Path(generate_pairs.__file__).parent / "forks.json"
TEXT = FILE.read_text(encoding="utf-8")
VECTORS = json.loads(TEXT)
TRUST = parse_trust(format_trust(trust()))
PAIRS = [(one, two) for two in range(1, SIZE + 1) for one in range(1, two + 1)]
LEAVES = reference.made_up_leaves(300)


def signed(city: City, size: int, **more: Any) -> Signed:
    return check_checkpoint(city.checkpoint(size, **more), TRUST)


def test_each_fork_ends_as_its_case_says() -> None:
    """With the error of exactly that code and reason, or with exactly these checks."""
    for case in VECTORS["cases"]:
        got = outcome(verify_fork, case["fork"], VECTORS["trusts"][case["trust"]])
        assert (case["desc"], *got) == (case["desc"], case["wantErr"], case.get("want"))


def test_attacks_outnumber_valid_cases_ten_to_one() -> None:
    """And no two cases have one description; the file is what its generator writes."""
    cases = VECTORS["cases"]
    valid = [case for case in cases if case["wantErr"] is None]
    assert len(cases) >= 11 * len(valid)
    assert len({case["desc"] for case in cases}) == len(cases)
    assert generate_pairs.build()["forks.json"] == TEXT


def test_a_changed_bit_anywhere_is_noticed(monkeypatch: pytest.MonkeyPatch, long: bool) -> None:
    """Nobody can make another accusation from one that holds; one bit a byte, or each."""
    remember_signatures(monkeypatch)
    text = canonical.dumps(fork(liar(2), honest(), 3, 5)).encode()
    assert verify_fork(text.decode(), TRUST).kind == "fork"
    for at in range(len(text)):
        for bit in range(8) if long else (at % 8,):
            changed = bytearray(text)
            changed[at] ^= 1 << bit
            with pytest.raises((NotaryError, UnicodeDecodeError)):
                verify_fork(changed.decode(), TRUST)


@pytest.mark.parametrize(("one", "two"), PAIRS)
def test_a_log_that_only_grew_is_never_accused(
    one: int, two: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not by its own tiles, which give the path; not by any path that leads to its root."""
    remember_signatures(monkeypatch)
    city = honest()
    path = check_growth(signed(city, one), signed(city, two), partial(tiles, city))
    assert list(path) == reference.proof(one, city.log_leaves(two))
    with pytest.raises(ForkRefused, match="can have both"):
        verify_fork(canonical.dumps(fork(city, city, one, two)), TRUST)


@pytest.mark.parametrize("at", range(SIZE))
def test_a_log_that_took_something_back_is_always_found_out(
    at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From whichever batch on, between any two sizes that hold it; and never before."""
    remember_signatures(monkeypatch)
    city, other = honest(), liar(at)
    for one, two in PAIRS:
        older, newer = signed(other, one), signed(city, two)
        if one <= at:
            check_growth(older, newer, partial(tiles, city))
            continue
        with pytest.raises(LogForked) as caught:
            check_growth(older, newer, partial(tiles, city))
        verdict = verify_fork(caught.value.fork, TRUST)
        assert (verdict.subject["one"], verdict.subject["two"]) == (one, two)
        reason = "size" if one == two else "grown"
        assert [check.facts.get("reason") for check in verdict.checks] == [None, reason]


def test_tiles_that_lie_accuse_nobody() -> None:
    """They don't lead to the root that the log signed, or are too short."""
    city, other = honest(), liar(2)
    for one in (1, 3, 4):
        with pytest.raises(RootMismatch):
            check_growth(signed(city, one), signed(city, 5), partial(tiles, other))
    with pytest.raises(MalformedTile):
        check_growth(signed(city, 3), signed(city, 5), lambda *_: b"short")


def test_a_lower_tile_that_lies_accuses_nobody() -> None:
    """The signed root hangs on an upper tile; the path hangs on a lower one too."""
    honest_tree = Tree(LEAVES)
    roots = {size: reference.mth(LEAVES[:size]) for size in (3, 300)}

    def read(level: int, index: int, width: int) -> bytes:
        hashes = honest_tree.complete(8 * level)[256 * index :][:width]
        if (level, index) == (0, 0):
            hashes = [bytes(32), *hashes[1:]]
        return b"".join(hashes)

    one, two = (check_checkpoint(signed_root(size, root), TRUST) for size, root in roots.items())
    with pytest.raises(RootMismatch):
        check_growth(one, two, read)


def signed_root(size: int, root: bytes) -> str:
    """A checkpoint of any size and root."""
    text = f"{LOG.verifier.name}\n{size}\n{encode_base64(root)}\n"
    return note.format_note(text, [LOG.sign(text)])


def test_every_log_begins_with_the_empty_one() -> None:
    """No tile is asked for."""
    empty = check_checkpoint(City().checkpoint(), TRUST)
    assert check_growth(empty, signed(honest(), 5), lambda *_: b"") == ()


def test_a_smaller_log_is_no_later_one() -> None:
    """Whoever asks in the wrong order hears of it."""
    city = honest()
    with pytest.raises(MalformedProof):
        check_growth(signed(city, 5), signed(city, 3), partial(tiles, city))


def test_the_file_holds_the_log_s_signatures_alone() -> None:
    """A stranger's or a witness's line can't spoil the proof, now or under another trust file."""
    lines: dict[str, Any] = {"witnesses": [*WITNESSES, STRANGER]}
    older, newer = signed(liar(2), 3, **lines), signed(honest(), 5, **lines)
    with pytest.raises(LogForked) as caught:
        check_growth(older, newer, partial(tiles, honest()))
    parsed = parse_fork(caught.value.fork)
    for text in (parsed.one, parsed.two):
        assert [one.name for one in note.parse_note(text).unverified] == [LOG.verifier.name]


def test_a_thief_of_the_key_can_t_accuse_the_log() -> None:
    """What may be a thief's makes no file."""
    city, other = honest(), liar(2)
    root = reference.mth(city.log_leaves(4)).hex()
    log = {"key": LOG.verifier.vkey, "from": 0, "to": 4, "good": {"size": 4, "root": root}}
    successor = {"key": OTHER_LOG.verifier.vkey, "from": 5, "to": None}
    trusted = parse_trust(format_trust(trust(logs=[log, successor])))
    thief = check_checkpoint(other.checkpoint(3), trusted)
    mine = check_checkpoint(city.checkpoint(5, log=[OTHER_LOG]), trusted)
    with pytest.raises(ForkRefused) as caught:
        check_growth(thief, mine, partial(tiles, city))
    assert caught.value.facts["reason"] == "compromised"
    good = check_checkpoint(city.checkpoint(4), trusted)
    forker = check_checkpoint(other.checkpoint(5, log=[OTHER_LOG]), trusted)
    with pytest.raises(LogForked) as forked:
        check_growth(good, forker, partial(tiles, other))
    assert verify_fork(forked.value.fork, trusted).origin == LOG.verifier.name


@given(st.integers(1, 299), st.data())
def test_both_roots_are_those_of_the_slow_reference(size1: int, data: st.DataObject) -> None:
    """A whole path gives the old root and the new one; it is RFC 9162's with its first hash."""
    size2 = data.draw(st.integers(size1 + 1, 300))
    leaves = LEAVES[:size2]
    rfc = reference.proof(size1, leaves)
    is_whole = size1 & (size1 - 1)
    path = rfc if is_whole else [reference.mth(leaves[:size1]), *rfc]
    want = reference.mth(leaves[:size1]), reference.mth(leaves)
    assert roots_from_consistency(size1, size2, path) == want
    store = {(level, index): data for level, index, data in tiles_of(leaves)}
    nodes = fork_nodes(size1, size2)
    assert hashes_from_tiles(lambda level, i, w: store[level, i][: 32 * w], nodes, size2) == path
    verify_consistency(size1, want[0], size2, want[1], rfc)
    for wrong in (path[1:], [*path, bytes(32)], [], [b"short", *path[1:]]):
        with pytest.raises(MalformedProof):
            roots_from_consistency(size1, size2, wrong)


@pytest.mark.parametrize(
    ("size1", "size2"), [(0, 1), (1, 1), (2, 1), (-1, 5), (1, 2**63), (True, 2), (1, 2.0)]
)
def test_sizes_that_no_path_has(size1: Any, size2: Any) -> None:
    """Refused before anything is computed."""
    with pytest.raises(MalformedProof):
        roots_from_consistency(size1, size2, [bytes(32)] * 2)


def test_what_is_written_is_read_again() -> None:
    """The same text from the same members."""
    for made in (fork(liar(2), honest(), 3, 5), fork(liar(2), honest(), 5, 5)):
        text = canonical.dumps(made)
        assert format_fork(parse_fork(text)) == text
        assert parse_fork(text + "\n") == parse_fork(text)
    parsed = parse_fork(text)
    with pytest.raises(MalformedFork):
        format_fork(type(parsed)(parsed.one, parsed.two, (b"short",)))


def test_the_path_of_the_examples_is_the_reference_s() -> None:
    """Whole, also where the old tree is a whole subtree."""
    city = honest()
    assert len(whole_path(city, 4, 7)) == len(reference.proof(4, city.log_leaves(7))) + 1
    assert whole_path(city, 3, 7) == reference.proof(3, city.log_leaves(7))


@given(st.text(max_size=200))
def test_any_other_text_is_refused_as_malformed(text: str) -> None:
    """Never with another kind of exception."""
    with pytest.raises(MalformedFork):
        verify_fork(text, TRUST)
