# SPDX-License-Identifier: Apache-2.0
"""
What the vectors can't show: every single byte, other ways to hand a receipt in, and what
the verdict says. The named attacks are in tests/vectors/receipt_*.py.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notary.core import canonical, note
from notary.core.errors import (
    MalformedReceipt,
    MalformedTrust,
    NotaryError,
    PayloadMismatch,
    ReceiptRefused,
)
from notary.core.receipt import (
    FilePart,
    Receipt,
    RecordPart,
    RowPart,
    format_receipt,
    parse_receipt,
    verify_receipt,
)
from notary.core.trust import parse_trust
from notary.core.verdict import Verdict
from tests.core.maker import LOG, WITNESSES, City, make, trust
from tests.core.signing import remember_signatures

ROWS = [b"a,1\n", b"b,2\n", b"c,3\n"]


def record(is_open: bool) -> dict[str, Any]:
    return make(is_open).receipt("s1", 2, witnesses=WITNESSES[:2])


def row(is_open: bool) -> dict[str, Any]:
    city = City("table", is_open)
    city.seal_version(ROWS, b"".join(ROWS))
    return city.row_receipt(0, 1, ROWS[1])


def statuses(verdict: Verdict) -> dict[str, str]:
    return {check.code: check.status for check in verdict.checks}


def lost(before: Verdict, after: Verdict) -> set[str]:
    """The codes of the checks that no longer say what they did."""
    pairs = zip(before.checks, after.checks, strict=True)
    return {one.code for one, other in pairs if one != other}


@pytest.mark.parametrize("make_one", [record, row])
@pytest.mark.parametrize("is_open", [True, False])
def test_a_changed_byte_anywhere_is_noticed(
    make_one: Callable[[bool], dict[str, Any]], is_open: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    It is refused, but for the names by which a witness or a ledger is found: where these
    are changed nobody is found, and the verdict loses exactly that check.
    """
    remember_signatures(monkeypatch)
    text = canonical.dumps(make_one(is_open)).encode()
    trusted = parse_trust(canonical.dumps(trust()))
    before = verify_receipt(text, trusted)
    unnoticed = []
    for place in range(len(text)):
        flipped = bytearray(text)
        flipped[place] ^= 1 << place % 7
        try:
            after = verify_receipt(bytes(flipped), trusted)
        except NotaryError:
            continue
        assert lost(before, after) in ({"witnesses"}, {"anchor"})
        assert (after.subject, after.fingerprint) == (before.subject, before.fingerprint)
        unnoticed.append(place)
    names = len("file") + (2 * len("witness0.example" + "abcdef") if make_one is record else 0)
    assert len(unnoticed) <= names


def test_a_receipt_may_come_as_text_bytes_members_or_parsed() -> None:
    """The verdict is the same."""
    members, trusted = record(True), trust()
    texts = canonical.dumps(members), canonical.dumps(trusted)
    want = verify_receipt(members, trusted)
    assert verify_receipt(texts[0], texts[1]) == want
    assert verify_receipt(texts[0].encode(), texts[1].encode()) == want
    assert verify_receipt(parse_receipt(texts[0]), parse_trust(texts[1])) == want


@pytest.mark.parametrize("value", [b"\xff{}", {"v": "receipt/1", "kind": 1.5}, {"a": "\ud800"}, {}])
def test_what_is_no_receipt_is_refused_as_such(value: Any) -> None:
    """Not UTF-8, with a fraction, with half of a surrogate pair, empty."""
    with pytest.raises(MalformedReceipt):
        verify_receipt(value, trust())


@pytest.mark.parametrize("value", [b"\xff{}", {"v": "trust/1", "quorum": 1.5}, {}])
def test_what_is_no_trust_file_is_refused_as_such(value: Any) -> None:
    """And before anything else is looked at."""
    with pytest.raises(MalformedTrust):
        verify_receipt("nonsense", value)


def test_the_verdict_names_the_record() -> None:
    """As the statement says it."""
    verdict = verify_receipt(record(True), trust())
    assert verdict.kind == "record"
    assert verdict.subject == {
        "dataset": "weather",
        "source": "s1",
        "chain": 0,
        "n": 2,
        "received": "2026-11-24T08:00:06.000000Z",
        "observed": "2013-01-01T01:00:00Z",
        "key": None,
        "by": "acl",
        "type": "application/json",
    }


def test_the_verdict_names_the_version() -> None:
    """And the row, by its number."""
    verdict = verify_receipt(row(True), trust())
    assert verdict.subject == {
        "dataset": "table",
        "version": 1,
        "corrects": None,
        "received": "2026-11-24T08:00:01.000000Z",
        "row": 1,
    }


def test_the_verdict_names_the_log_and_its_key() -> None:
    """So that a person can compare the fingerprint with what was published elsewhere."""
    verdict = verify_receipt(record(True), trust())
    assert verdict.origin == "notary.example/log"
    assert verdict.fingerprint == LOG.verifier.fingerprint
    assert verdict.trust_name == "City of Example"


def test_the_file_ledger_is_never_more_than_the_notarys_own_word() -> None:
    """Nor is the time, while no witness has signed."""
    verdict = verify_receipt(make().receipt(), trust())
    assert verdict.status("anchor") == "own-word"
    assert verdict.status("time") == "own-word"
    assert verdict.status("nothing of the kind") is None


def test_the_time_of_the_kth_witness_counts() -> None:
    """Of any `quorum` witnesses one is honest; so an early one alone confirms nothing."""
    city = make()
    now = int(city.now.timestamp())
    text = city.checkpoint().partition("\n\n")[0] + "\n"
    early, late = WITNESSES[0].sign(text, now + 1), WITNESSES[1].sign(text, now + 99_999)
    checkpoint = note.format_note(text, [LOG.sign(text), late, early])
    receipt = city.receipt() | {"checkpoint": checkpoint}
    assert verify_receipt(receipt, trust(quorum=1)).status("time") == "held"
    assert verify_receipt(receipt, trust(quorum=2)).status("time") == "own-word"


def test_a_parsed_receipt_of_any_kind_is_verified_as_strictly() -> None:
    """A part that someone exchanged in the object is noticed too."""
    receipt = parse_receipt(canonical.dumps(make(is_open=False).receipt("s1", 2)))
    assert isinstance(receipt.subject, RecordPart)
    other = replace(receipt, subject=replace(receipt.subject, salt=b"short"))
    with pytest.raises(NotaryError):
        verify_receipt(other, trust())
    surrogate = replace(receipt, subject=replace(receipt.subject, statement="\ud800"))
    with pytest.raises(NotaryError):
        verify_receipt(surrogate, trust())
    with pytest.raises(NotaryError):
        verify_receipt(replace(receipt, descriptor="\ud800"), trust())
    with pytest.raises(NotaryError):
        verify_receipt(replace(receipt, checkpoint="\ud800"), trust())


def test_the_kinds_of_a_receipt() -> None:
    """What it proves decides."""
    common = {"descriptor": "", "log_index": 0, "log_path": (), "checkpoint": ""}
    assert Receipt(subject=FilePart(b""), **common).kind == "file"  # type: ignore[arg-type]
    assert Receipt(subject=RowPart(0, b"", b"", ()), **common).kind == "row"  # type: ignore[arg-type]


def test_a_receipt_that_would_not_be_read_back_is_not_written() -> None:
    """A short hash, a number out of range, an erased row."""
    receipt = parse_receipt(canonical.dumps(row(True)))
    with pytest.raises(MalformedReceipt):
        format_receipt(replace(receipt, log_path=(b"short",)))
    with pytest.raises(MalformedReceipt):
        format_receipt(replace(receipt, log_index=2**53))
    with pytest.raises(MalformedReceipt):
        format_receipt(replace(receipt, log_path=[bytes(32)]))  # type: ignore[arg-type]


def test_the_payload_given_must_match_although_the_one_inside_does() -> None:
    """Both are checked."""
    with pytest.raises(PayloadMismatch):
        verify_receipt(make().receipt(), trust(), b"{}")


def test_keys_inside_a_receipt_are_never_trusted() -> None:
    """An attacker's own log, with its key in every place that holds text."""
    city = make()
    receipt = city.receipt(log=[WITNESSES[0]])
    receipt["anchors"][0]["evidence"]["key"] = WITNESSES[0].verifier.vkey
    with pytest.raises(NotaryError):
        verify_receipt(receipt, trust())


@given(st.data())
def test_no_change_of_any_value_ends_in_another_error(data: st.DataObject) -> None:
    """Whatever stands somewhere in a receipt, it is one of our errors or a verdict."""
    receipt = json.loads(canonical.dumps(make().receipt("s1", 2)))
    place: Any = receipt
    while True:
        key = data.draw(
            st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place)))
        )
        inner = place[key]
        if not isinstance(inner, dict | list) or not inner or data.draw(st.booleans()):
            break
        place = inner
    value = st.none() | st.booleans() | st.integers() | st.text() | st.floats()
    place[key] = data.draw(value | st.lists(value) | st.dictionaries(st.text(), value))
    try:
        verdict = verify_receipt(
            json.dumps(receipt, sort_keys=True, separators=(",", ":")), trust()
        )
    except NotaryError:
        return
    assert statuses(verdict)["batch"] == "held"


def test_a_refusal_names_its_reason() -> None:
    """So that the catalogues can say it in any language."""
    receipt = make().receipt("s1", 2)
    statement = json.loads(receipt["statement"]) | {"dataset": "traffic"}
    with pytest.raises(ReceiptRefused) as caught:
        verify_receipt(receipt | {"statement": canonical.dumps(statement)}, trust())
    assert caught.value.facts["reason"] == "other-dataset"


def test_the_checks_say_where_the_record_lies() -> None:
    """Its run, both ends included; its batch; its place in the log."""
    facts = {check.code: check.facts for check in verify_receipt(record(True), trust()).checks}
    assert facts["run"] == {"first": 2, "last": 3, "chain": 0}
    assert facts["batch"] == {"number": 1, "count": 4}
    assert facts["log"] == {"index": 1, "size": 3}
    assert facts["payload"] == {"bytes": 7, "reason": "inside"}
    assert facts["witnesses"]["count"] == 2


def test_a_thousand_anchors_are_read_and_no_more() -> None:
    """Each may cost a signature; so their number is limited."""
    receipt = make().receipt()
    anchors = receipt["anchors"] * 1000
    assert len(parse_receipt(canonical.dumps(receipt | {"anchors": anchors})).anchors) == 1000
    with pytest.raises(MalformedReceipt):
        parse_receipt(canonical.dumps(receipt | {"anchors": [*anchors, anchors[0]]}))
