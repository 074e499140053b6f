# SPDX-License-Identifier: Apache-2.0
"""
consistency/1: the vectors end as their cases say, and what those can't show: every single bit,
every pair of sizes against the slow reference, writing, ways to hand one in. The named attacks
are in tests/vectors.
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notary.core import canonical
from notary.core.checkpoint_pair import MAX_PAIR_BYTES
from notary.core.consistency import (
    ConsistencyProof,
    format_consistency,
    parse_consistency,
    verify_consistency_proof,
)
from notary.core.errors import LogForked, MalformedConsistency, NotaryError
from notary.core.fork import verify_fork
from notary.core.trust import format_trust, parse_trust
from tests.core.growing import SIZE, consistency, honest, liar
from tests.core.maker import LOG, ORIGIN, WITNESSES, trust
from tests.core.signing import remember_signatures
from tests.vectors import generate_pairs

FILE = Path(generate_pairs.__file__).parent / "consistencies.json"
TEXT = FILE.read_text(encoding="utf-8")
VECTORS = json.loads(TEXT)
TRUST = parse_trust(format_trust(trust()))


def outcome(verify: Any, text: str, trusted: str) -> tuple[str | None, Any]:
    try:
        verdict = verify(text, trusted)
    except NotaryError as error:
        reason = error.facts.get("reason")
        return f"{error.code}.{reason}" if reason else error.code, None
    return None, {check.code: check.status for check in verdict.checks}


def test_each_proof_ends_as_its_case_says() -> None:
    """With the error of exactly that code and reason, or with exactly these checks."""
    for case in VECTORS["cases"]:
        got = outcome(
            verify_consistency_proof, case["consistency"], VECTORS["trusts"][case["trust"]]
        )
        assert (case["desc"], *got) == (case["desc"], case["wantErr"], case.get("want"))


def test_attacks_outnumber_valid_cases_ten_to_one() -> None:
    """And no two cases have one description; the file is what its generator writes."""
    cases = VECTORS["cases"]
    valid = [case for case in cases if case["wantErr"] is None]
    assert len(cases) >= 11 * len(valid)
    assert len({case["desc"] for case in cases}) == len(cases)
    assert generate_pairs.build()["consistencies.json"] == TEXT


def test_every_size_is_the_beginning_of_every_later_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the slow reference's paths; and no path fits another pair of sizes."""
    remember_signatures(monkeypatch)
    city = honest()
    pairs = [(old, new) for new in range(1, SIZE + 1) for old in range(1, new + 1)]
    made = {pair: consistency(city, *pair) for pair in pairs}
    for pair, one in made.items():
        subject = verify_consistency_proof(canonical.dumps(one), TRUST).subject
        assert (subject["old"], subject["new"]) == pair
        for other in made.values():
            mixed = {**one, "path": other["path"]}
            if mixed != one:
                with pytest.raises(NotaryError):
                    verify_consistency_proof(canonical.dumps(mixed), TRUST)


def test_a_changed_bit_anywhere_is_noticed(monkeypatch: pytest.MonkeyPatch, long: bool) -> None:
    """In each byte: one bit of it, or (`--long`) each."""
    remember_signatures(monkeypatch)
    text = canonical.dumps(consistency(honest(), 3, 5)).encode()
    assert verify_consistency_proof(text.decode(), TRUST).kind == "consistency"
    for at in range(len(text)):
        for bit in range(8) if long else (at % 8,):
            changed = bytearray(text)
            changed[at] ^= 1 << bit
            with pytest.raises((NotaryError, UnicodeDecodeError)):
                verify_consistency_proof(changed.decode(), TRUST)


def test_a_contradiction_brings_the_file_that_proves_it() -> None:
    """Whoever has the log's key can check that file alone."""
    for size, new in ((5, 5), (3, 5), (6, 7)):
        whole = consistency(honest(), size, new, of=liar(size - 1))
        with pytest.raises(LogForked) as caught:
            verify_consistency_proof(canonical.dumps(whole), TRUST)
        assert (caught.value.facts["one"], caught.value.facts["two"]) == (size, new)
        assert verify_fork(caught.value.fork, TRUST).subject["two"] == new


def test_the_verdict_names_both_states() -> None:
    """Sizes, roots, the log and its key; and the witnesses of the newer one."""
    made = consistency(honest(), 3, 5, witnesses=WITNESSES[:2])
    verdict = verify_consistency_proof(canonical.dumps(made), format_trust(trust(quorum=2)))
    assert (verdict.kind, verdict.origin) == ("consistency", ORIGIN)
    assert verdict.fingerprint == LOG.verifier.fingerprint
    assert (verdict.subject["old"], verdict.subject["new"]) == (3, 5)
    assert verdict.subject["old_root"] != verdict.subject["new_root"]
    assert verdict.status("witnesses") == "held"


def test_what_is_written_is_read_again() -> None:
    """The same text from the same members; also with a newline behind it."""
    text = canonical.dumps(consistency(honest(), 3, 5))
    assert format_consistency(parse_consistency(text)) == text
    assert parse_consistency(text + "\n") == parse_consistency(text)


@pytest.mark.parametrize(
    "members",
    [{"path": (b"short",)}, {"path": (bytes(32),) * 64}, {"old": "\ud800"}, {"new": "\ud800"}],
)
def test_what_would_not_be_read_again_is_not_written(members: dict[str, Any]) -> None:
    """A proof is right when it leaves, or it doesn't."""
    parsed = parse_consistency(canonical.dumps(consistency(honest(), 3, 5)))
    with pytest.raises(MalformedConsistency):
        format_consistency(replace(parsed, **members))


def test_a_proof_has_a_limit() -> None:
    """4 MiB."""
    long = ConsistencyProof("x" * MAX_PAIR_BYTES, "y")
    with pytest.raises(MalformedConsistency, match="longer"):
        format_consistency(long)


@given(st.text(max_size=200))
def test_any_other_text_is_refused_as_malformed(text: str) -> None:
    """Never with another kind of exception."""
    with pytest.raises(MalformedConsistency):
        verify_consistency_proof(text, TRUST)
