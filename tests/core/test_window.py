# SPDX-License-Identifier: Apache-2.0
"""
What the vectors can't show: every byte, size, windows put together by hand, large ones.
The named attacks are in tests/vectors/window_cases.py.
"""

import hashlib
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notary.core import canonical
from notary.core.descriptor import Descriptor
from notary.core.errors import MalformedWindow, NotaryError, PayloadMismatch
from notary.core.receipt import parse_receipt
from notary.core.runs import Run, format_run, run_leaf, source_tag
from notary.core.statement import Statement, statement_leaf, write_statement
from notary.core.trust import parse_trust
from notary.core.window import Asked, Window, format_window, parse_window, verify_window
from tests.core.maker import START, City, Made, make, trust
from tests.core.signing import remember_signatures

TRUST = canonical.dumps(trust())
ALL = {"by": "n", "from": 0, "to": 6}


def whole() -> Window:
    return parse_window(canonical.dumps(make().window(ALL)))


def test_a_changed_byte_anywhere_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """But for the name of the ledger, and what is said to have been asked for."""
    remember_signatures(monkeypatch)
    text = canonical.dumps(make().window(ALL)).encode()
    before = verify_window(text.decode(), TRUST)
    unnoticed = []
    for place in range(len(text)):
        flipped = bytearray(text)
        flipped[place] ^= 1 << place % 7
        try:
            after = verify_window(flipped.decode(errors="replace"), TRUST)
        except NotaryError:
            continue
        same = replace(after, checks=before.checks, receipt=before.receipt)
        if after.receipt.checks == before.receipt.checks:
            assert text[:place].count(b'"asked"') == 1 > text[:place].count(b'"head"')
        else:
            assert same == before
        unnoticed.append(place)
    assert len(unnoticed) <= len("file") + len('{"by":"n","from":0,"to":6}')


def long_window(count: int, **members: Any) -> str:
    """A chain of one source, its last record alone in a batch; hashes made quickly."""
    city, prev, statements = City(), bytes(32), []
    for n in range(count):
        day = timedelta(days=n % 28, hours=n % 24)
        statement = Statement(
            dataset="weather",
            source="JFK",
            chain=0,
            n=n,
            prev=prev,
            received=START + timedelta(microseconds=n * 3_600_123_456),
            by="acl",
            type="application/json",
            digest=hashlib.sha256(b"%d" % n).digest(),
            observed=(START + day).strftime("%Y-%m-%dT%H:%M:%SZ"),
            **members,
        )
        prev = statement_leaf(write_statement(statement))
        statements.append(statement)
    last = statements[-1]
    tag = source_tag("weather", "JFK", b"")
    run = format_run(Run(0, tag, 0, last.n, 1, 0, last.prev, prev))
    time = last.received
    root = run_leaf(run)
    descriptor = Descriptor("weather", "records", 0, bytes(32), 1, prev, time, time, runs=root)
    city.append(descriptor, [prev], [run], {"JFK": 0})
    city.records = {"JFK": [Made(last, b"%d" % last.n, None)]}
    city.sealed["JFK", 0] = 0
    receipt = parse_receipt(canonical.dumps(city.receipt("JFK", 0)))
    return format_window(Window(Asked("n", 0, count), tuple(statements), receipt, {}))


def test_a_typical_reading_takes_at_most_130_bytes() -> None:
    """With the sender's time; with the sender's message id of 20 characters too."""
    assert (len(long_window(1001)) - len(long_window(1))) / 1000 <= 95
    keyed = {"key": "gw-7:0000000000000001"}
    assert (len(long_window(1001, **keyed)) - len(long_window(1, **keyed))) / 1000 <= 130


def test_a_long_window_holds_and_misses_nothing() -> None:
    """Ten thousand records; one of them out, and it doesn't."""
    text = long_window(10_000)
    verdict = verify_window(text, TRUST)
    assert (verdict.first, verdict.last, verdict.asked_count) == (0, 9999, 10_000)
    window = parse_window(text)
    statements = window.statements[:5000] + window.statements[5001:]
    with pytest.raises(MalformedWindow):
        verify_window(replace(window, statements=statements), TRUST)


@given(st.data())
def test_no_run_of_records_can_be_left_out(data: st.DataObject) -> None:
    """Anywhere but at the end, where the verdict says that the end is open."""
    window = make(rounds=5).window({"by": "n", "from": 0, "to": 10})
    size = len(window["rest"])
    start = data.draw(st.integers(0, size - 1))
    stop = data.draw(st.integers(start + 1, size))
    window["rest"] = window["rest"][:start] + window["rest"][stop:]
    with pytest.raises(MalformedWindow):
        verify_window(canonical.dumps(window), TRUST)


def test_a_window_that_was_put_together_is_checked_as_strictly() -> None:
    """Each statement must follow the one before."""
    window = whole()
    as_text = verify_window(format_window(window), TRUST)
    assert verify_window(window, parse_trust(TRUST)) == as_text
    statements = window.statements
    for place, members in (
        (0, {"digest": bytes(32)}),
        (2, {"n": 7}),
        (2, {"prev": bytes(32)}),
        (2, {"chain": 1}),
        (2, {"source": "s2"}),
        (2, {"dataset": "traffic"}),
        (2, {"received": START}),
    ):
        other = replace(statements[place], **members)
        chained = (*statements[:place], other, *statements[place + 1 :])
        with pytest.raises(MalformedWindow):
            verify_window(replace(window, statements=chained), TRUST)
    with pytest.raises(MalformedWindow):
        verify_window(replace(window, statements=()), TRUST)


def test_records_received_at_the_same_time_follow_each_other() -> None:
    """Also in a window that was put together."""
    city = City()
    for n in range(3):
        city.accept("s1", b"%d" % n, received=START)
    city.seal()
    window = parse_window(canonical.dumps(city.window({"by": "n", "from": 0, "to": 3})))
    assert verify_window(window, TRUST).asked_count == 3


def test_a_window_with_another_receipt_is_refused() -> None:
    """Also where the receipt is of a row, which a text can't say."""
    city = City()
    city.seal_version([b"a\n"], b"a\n")
    row = parse_receipt(canonical.dumps(city.row_receipt(0, 0, b"a\n")))
    with pytest.raises(MalformedWindow):
        verify_window(replace(whole(), receipt=row), TRUST)


def test_a_window_that_would_not_be_read_back_is_not_written() -> None:
    """No records, a broken chain, a receipt of a row, a time without zone."""
    window = whole()
    broken = (window.statements[0], window.statements[2])
    naive = replace(window.statements[0], received=START.replace(tzinfo=None))
    for other in (
        replace(window, statements=()),
        replace(window, statements=broken),
        replace(window, statements=(naive,)),
        replace(window, asked=Asked("n", 3, 2)),
        replace(window, statements=window.statements[::-1]),
    ):
        with pytest.raises(MalformedWindow):
            format_window(other)


def test_payloads_may_come_one_by_one() -> None:
    """From a generator, so that none has to be kept."""
    city = make()
    payloads = ((made.salt, made.payload) for made in city.records["s1"])
    assert verify_window(whole(), TRUST, payloads).payloads_checked == 6
    with pytest.raises(PayloadMismatch) as caught:
        verify_window(whole(), TRUST, ((None, b"{}") for _ in range(6)))
    assert caught.value.facts["n"] == 0


def test_more_records_than_the_limit_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit made small."""
    text = canonical.dumps(make().window(ALL))
    monkeypatch.setattr("notary.core.window_format.MAX_RECORDS", 6)
    parse_window(text)
    monkeypatch.setattr("notary.core.window_format.MAX_RECORDS", 5)
    with pytest.raises(MalformedWindow):
        parse_window(text)
