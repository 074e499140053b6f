# SPDX-License-Identifier: Apache-2.0
"""
Signed acceptances: the vectors end as their cases say, and what those can't show: every single
byte, writing, ways to hand one in. The named attacks are in tests/vectors.
"""

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notary.core import canonical
from notary.core.acceptance import (
    Promise,
    SignedAcceptance,
    format_acceptance,
    format_promise,
    make_promise,
    parse_acceptance,
    parse_promise,
    verify_acceptance,
)
from notary.core.errors import (
    MalformedAcceptance,
    MalformedProof,
    MalformedTrust,
    NotaryError,
)
from notary.core.trust import format_trust, parse_trust
from tests.core import reference
from tests.core.maker import ORIGIN
from tests.core.promises import DELAY, KEY, acceptance, segment, trusting
from tests.core.signing import remember_signatures
from tests.vectors import generate_acceptances

FILE = Path(generate_acceptances.__file__).parent / "acceptances.json"
TEXT = FILE.read_text(encoding="utf-8")
VECTORS = json.loads(TEXT)
TRUST = format_trust(trusting())
AT = datetime(2031, 1, 1, tzinfo=UTC)


def run(case: dict[str, Any]) -> tuple[str | None, Any]:
    payload = base64.b64decode(case["payload"]) if "payload" in case else None
    try:
        verdict = verify_acceptance(case["acceptance"], VECTORS["trusts"][case["trust"]], payload)
    except NotaryError as error:
        reason = error.facts.get("reason")
        return f"{error.code}.{reason}" if reason else error.code, None
    return None, {check.code: check.status for check in verdict.checks}


def test_each_acceptance_ends_as_its_case_says() -> None:
    """With the error of exactly that code and reason, or with exactly these checks."""
    for case in VECTORS["cases"]:
        want = (case["wantErr"], case.get("want"))
        assert (case["desc"], *run(case)) == (case["desc"], *want)


def test_attacks_outnumber_valid_cases_ten_to_one() -> None:
    """And no two cases have one description; the file is what its generator writes."""
    cases = VECTORS["cases"]
    valid = [case for case in cases if case["wantErr"] is None]
    assert len(cases) >= 11 * len(valid)
    assert len({case["desc"] for case in cases}) == len(cases)
    assert generate_acceptances.build() == {"acceptances.json": TEXT}


@pytest.mark.parametrize("is_open", [True, False])
def test_a_changed_byte_anywhere_is_noticed(
    is_open: bool, monkeypatch: pytest.MonkeyPatch, long: bool
) -> None:
    """A bit of each byte, in long runs all; the salt's where the payload is compared."""
    remember_signatures(monkeypatch)
    city, made = segment(is_open)
    text = canonical.dumps(acceptance(city, made, 2)).encode()
    trusted = parse_trust(TRUST)
    whole = verify_acceptance(text, trusted, made[2].payload)
    assert whole.subject["n"] == 1
    for at in range(len(text)):
        for bit in range(8) if long else (at % 8,):
            changed = bytearray(text)
            changed[at] ^= 1 << bit
            with pytest.raises(NotaryError):
                verify_acceptance(bytes(changed), trusted, made[2].payload)


def test_no_byte_can_be_taken_out_or_doubled(monkeypatch: pytest.MonkeyPatch) -> None:
    """But a newline at the end."""
    remember_signatures(monkeypatch)
    city, made = segment()
    text = canonical.dumps(acceptance(city, made, 2))
    trusted = parse_trust(TRUST)
    for at in range(len(text)):
        for changed in (text[:at] + text[at + 1 :], text[:at] + text[at] + text[at:], text[:at]):
            with pytest.raises(NotaryError):
                verify_acceptance(changed, trusted)


def test_every_record_of_a_commit_has_its_own_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """And no other record's path leads to the root, for commits of 1 to 9 records."""
    remember_signatures(monkeypatch)
    trusted = parse_trust(TRUST)
    for count in range(1, 10):
        city, made = segment(count=count)
        found = [acceptance(city, made, at) for at in range(count)]
        for at, one in enumerate(found):
            assert verify_acceptance(canonical.dumps(one), trusted).subject["n"] == at // 2
            for other in found:
                mixed = {**one, "index": other["index"], "path": other["path"]}
                if mixed != one:
                    with pytest.raises(NotaryError):
                        verify_acceptance(canonical.dumps(mixed), trusted)


def test_the_verdict_says_that_it_is_a_promise() -> None:
    """By when, by whose key; that it is in the log and when it came is not shown."""
    city, made = segment()
    verdict = verify_acceptance(canonical.dumps(acceptance(city, made, 2)), TRUST.encode())
    assert (verdict.kind, verdict.origin) == ("acceptance", ORIGIN)
    assert verdict.fingerprint == KEY.verifier.fingerprint
    assert verdict.trust_name == "City of Example"
    assert verdict.subject["sealed_by"] == "2026-11-24T09:00:05.000000Z"
    assert verdict.status("log") == "not-checked"
    assert verdict.status("time") == "own-word"
    assert verdict.status("promise") == "held"


def test_an_acceptance_may_come_as_text_bytes_or_parsed() -> None:
    """With the same verdict; what isn't UTF-8 is refused as malformed."""
    city, made = segment(is_open=False)
    text = canonical.dumps(acceptance(city, made))
    parsed = parse_acceptance(text)
    verdicts = [verify_acceptance(one, TRUST) for one in (text, text.encode(), parsed)]
    assert verdicts[0] == verdicts[1] == verdicts[2]
    with pytest.raises(MalformedAcceptance):
        verify_acceptance(b"\xff", TRUST)
    with pytest.raises(MalformedTrust):
        verify_acceptance(text, b"\xff")


@pytest.mark.parametrize("is_open", [True, False])
def test_what_is_written_is_read_again(is_open: bool) -> None:
    """The same text from the same members."""
    city, made = segment(is_open)
    text = canonical.dumps(acceptance(city, made, 3))
    assert format_acceptance(parse_acceptance(text)) == text
    assert format_acceptance(parse_acceptance(text + "\n")) == text


@pytest.mark.parametrize(
    "members",
    [
        {"index": -1},
        {"index": True},
        {"path": (b"short",)},
        {"path": (bytes(32),) * 64},
        {"note": "no note"},
        {"note": "\ud800"},
        {"salt": b""},
        {"salt": b"\x00" * 33},
    ],
)
def test_what_would_not_be_read_again_is_not_written(members: dict[str, Any]) -> None:
    """An acceptance is right when it leaves, or it doesn't."""
    city, made = segment()
    parsed = parse_acceptance(canonical.dumps(acceptance(city, made)))
    with pytest.raises(MalformedAcceptance):
        format_acceptance(replace(parsed, **members))


def test_an_acceptance_with_a_list_for_its_path_is_not_the_same_again() -> None:
    """Whoever makes one from lists hears of it."""
    city, made = segment()
    parsed = parse_acceptance(canonical.dumps(acceptance(city, made)))
    odd = SignedAcceptance(parsed.statement, 0, list(parsed.path), parsed.note)  # type: ignore[arg-type]
    with pytest.raises(MalformedAcceptance, match="survive"):
        format_acceptance(odd)


@given(st.integers(1, 40))
def test_a_promise_has_the_reference_s_root_and_paths(count: int) -> None:
    """RFC 9162's tree over the leaves in the order of the commit."""
    leaves = [reference.node(bytes([at]) * 32, bytes(32)) for at in range(count)]
    text, tree = make_promise(ORIGIN, leaves, AT)
    promise = parse_promise(text)
    assert promise == Promise(ORIGIN, count, reference.mth(leaves), AT)
    assert [tree.inclusion_path(at) for at in range(count)] == [
        reference.path(at, leaves) for at in range(count)
    ]


@pytest.mark.parametrize(
    "promise",
    [
        Promise("", 1, bytes(32), AT),
        Promise("a b", 1, bytes(32), AT),
        Promise(ORIGIN, 0, bytes(32), AT),
        Promise(ORIGIN, (1 << 24) + 1, bytes(32), AT),
        Promise(ORIGIN, True, bytes(32), AT),
        Promise(ORIGIN, 1, bytes(31), AT),
        Promise(ORIGIN, 1, bytes(32), AT.replace(tzinfo=None)),
    ],
)
def test_a_promise_that_is_none_is_not_written(promise: Promise) -> None:
    """No name, no records, no root, no time."""
    with pytest.raises(MalformedAcceptance):
        format_promise(promise)


def test_nothing_is_promised_for_no_record() -> None:
    """Nor for what is no leaf."""
    with pytest.raises(MalformedAcceptance):
        make_promise(ORIGIN, [], AT)
    with pytest.raises(MalformedProof):
        make_promise(ORIGIN, [b"short"], AT)


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_other_file_is_refused_as_malformed(data: bytes) -> None:
    """Never with another kind of exception."""
    with pytest.raises(MalformedAcceptance):
        verify_acceptance(data, TRUST)


def test_a_note_may_be_long_but_an_acceptance_has_a_limit() -> None:
    """1 MiB."""
    city, made = segment()
    whole = acceptance(city, made)
    whole["statement"] = "x" * (1 << 20)
    with pytest.raises(MalformedAcceptance, match="longer"):
        parse_acceptance(canonical.dumps(whole))


def test_the_delay_is_the_makers() -> None:
    """The time is an hour after the last record of the commit."""
    city, made = segment()
    promise = parse_promise(acceptance(city, made)["note"].split("\n\n")[0] + "\n")
    assert promise.sealed_by == made[-1].statement.received + DELAY
