# SPDX-License-Identifier: Apache-2.0
"""What somebody remembers of a log, and how far a monitor followed it, against a proof."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from notary.core import canonical
from notary.core.consistency import ConsistencyProof, parse_consistency
from notary.core.errors import (
    ConsistencyRefused,
    ForkRefused,
    LogForked,
    MalformedProof,
    RootMismatch,
    UnknownSigner,
)
from notary.core.fork import verify_fork
from notary.core.monitor_report import Report
from notary.core.receipt_signers import Signed, check_checkpoint
from notary.core.remembering import check_monitored, check_since, linked
from notary.core.trust import Trust, format_trust, parse_trust
from notary.core.verdict import Check, Findings
from tests.core import reference
from tests.core.growing import consistency, honest, liar
from tests.core.maker import LOG, OTHER_LOG, City, trust
from tests.core.signing import Signer

TRUST = parse_trust(format_trust(trust()))
AT = datetime(2031, 5, 6, tzinfo=UTC)


def signed(city: City, size: int, trusted: Trust = TRUST, **more: Any) -> Signed:
    return check_checkpoint(city.checkpoint(size, **more), trusted)


def proof(city: City, old: int, new: int, **more: Any) -> ConsistencyProof:
    return parse_consistency(canonical.dumps(consistency(city, old, new, **more)))


def since(remembered: Signed, proved: Signed, *given: ConsistencyProof) -> Check:
    """The one check that it notes."""
    findings = Findings()
    check_since(remembered, proved, given, TRUST, findings)
    (check,) = findings.checks
    return check


def report(city: City, size: int, **members: Any) -> Report:
    """A monitor that followed the log up to there and looked at everything."""
    state = signed(city, size)
    known: dict[str, Any] = {
        "origin": LOG.verifier.name,
        "fingerprint": bytes.fromhex(LOG.verifier.fingerprint),
        "checkpoint": city.checkpoint(size),
        "size": size,
        "root": state.checkpoint.root,
        "since": AT,
        "followed": AT + timedelta(hours=1),
        "batches": size,
        "records": 4 * size,
        "rows": 0,
        "standing": 0,
    }
    return Report(**{**known, **members})


def monitored(told: Report, index: int, proved: Signed, *given: ConsistencyProof) -> Check:
    """The one check that it notes."""
    findings = Findings()
    check_monitored(told, index, proved, given, TRUST, findings)
    (check,) = findings.checks
    return check


@pytest.mark.parametrize(("mine", "theirs", "reason"), [(3, 5, "older"), (5, 3, "newer")])
def test_a_log_that_only_grew_from_what_is_remembered(mine: int, theirs: int, reason: str) -> None:
    """With the proof between the two; the proof may be one of several files."""
    city = honest()
    given = [proof(city, 2, 5), proof(city, 3, 5), proof(city, 3, 4)]
    check = since(signed(city, mine), signed(city, theirs), *given)
    assert (check.status, check.facts["reason"]) == ("held", reason)
    assert (check.facts["remembered"], check.facts["size"]) == (mine, theirs)


def test_the_very_state_that_is_remembered() -> None:
    """Needs no proof."""
    check = since(signed(honest(), 5), signed(honest(), 5))
    assert (check.status, check.facts["reason"]) == ("held", "same")


@pytest.mark.parametrize(("mine", "theirs"), [(3, 5), (5, 3)])
def test_without_a_proof_between_the_two_nothing_is_said(mine: int, theirs: int) -> None:
    """It is told which proof to ask for; one between other states is none."""
    city = honest()
    for given in ([], [proof(city, 3, 4)], [proof(city, 3, 3)]):
        check = since(signed(city, mine), signed(city, theirs), *given)
        assert (check.status, check.facts["older"], check.facts["newer"]) == ("not-checked", 3, 5)


def test_an_empty_log_is_the_beginning_of_each() -> None:
    """Whoever began to look on the first day."""
    empty = check_checkpoint(City().checkpoint(), TRUST)
    assert since(empty, signed(honest(), 5)).status == "held"


def test_two_states_of_one_size_prove_a_fork() -> None:
    """No other file is needed."""
    with pytest.raises(LogForked) as caught:
        since(signed(liar(2), 5), signed(honest(), 5))
    assert verify_fork(caught.value.fork, TRUST).kind == "fork"


@pytest.mark.parametrize(("mine", "theirs"), [(3, 5), (5, 3), (4, 5)])
def test_a_proof_between_other_states_of_those_sizes_proves_a_fork(mine: int, theirs: int) -> None:
    """The notary's own signed answer is held against what is remembered."""
    older, newer = sorted((mine, theirs))
    given = proof(honest(), older, newer)
    with pytest.raises(LogForked) as caught:
        since(signed(liar(2), mine), signed(honest(), theirs), given)
    assert verify_fork(caught.value.fork, TRUST).kind == "fork"


def test_a_whole_path_to_the_newer_state_alone_proves_a_fork() -> None:
    """A file that names both states, and whose path leads to one of them."""
    given = proof(honest(), 3, 5, of=liar(2))
    with pytest.raises(LogForked):
        since(signed(liar(2), 3), signed(honest(), 5), given)


def test_a_path_that_leads_nowhere_proves_nothing() -> None:
    """It is refused, and nobody is accused: anyone may write a file."""
    city = honest()
    good = proof(city, 3, 5)
    for path, error in (
        (good.path[::-1], RootMismatch),
        (good.path[:-1], MalformedProof),
        ((), MalformedProof),
    ):
        with pytest.raises(error):
            since(signed(city, 3), signed(city, 5), ConsistencyProof(good.old, good.new, path))


def test_a_proof_that_a_stranger_signed_is_refused() -> None:
    """Also where its sizes are others."""
    city = honest()
    given = proof(city, 2, 4, log=[OTHER_LOG])
    with pytest.raises(UnknownSigner):
        since(signed(city, 3), signed(city, 5), given)


def test_what_is_remembered_of_another_log_is_refused() -> None:
    """It would say nothing of this one."""
    other = Signer("other.example/log", seed=9)
    logs = [
        {"key": key.verifier.vkey, "from": 0, "to": None} for key in (LOG, other)
    ]  # fmt: skip
    trusted = parse_trust(format_trust(trust(logs=logs)))
    theirs = signed(honest(), 5, trusted, log=[other], origin="other.example/log")
    with pytest.raises(ConsistencyRefused) as caught:
        linked(theirs, signed(honest(), 5), [], trusted)
    assert caught.value.facts["reason"] == "other-origin"


def test_what_a_thief_may_have_signed_accuses_nobody() -> None:
    """Remembered from before it was known."""
    root = reference.mth(honest().log_leaves(5)).hex()
    log = {"key": LOG.verifier.vkey, "from": 0, "to": 5, "good": {"size": 5, "root": root}}
    trusted = parse_trust(format_trust(trust(logs=[log])))
    with pytest.raises(ForkRefused) as caught:
        linked(signed(liar(2), 5, trusted), signed(honest(), 5, trusted), [], trusted)
    assert caught.value.facts["reason"] == "compromised"


@pytest.mark.parametrize("index", [0, 4])
def test_a_monitor_that_followed_the_log_so_far(index: int) -> None:
    """To the very state, or to one that a proof leads to or from."""
    city = honest()
    for size, given in ((5, []), (7, [proof(city, 5, 7)])):
        check = monitored(report(city, size), index, signed(city, 5), *given)
        assert check.status == "held"
        assert check.facts["followed"] == "2031-05-06T01:00:00.000000Z"
        assert (check.facts["size"], check.facts["batches"]) == (size, size)


@pytest.mark.parametrize(
    ("members", "index", "given", "reason"),
    [
        ({"standing": 1}, 2, True, "alarms"),
        ({"batches": 2}, 2, True, "behind"),
        ({}, 2, False, "unlinked"),
        ({"standing": 2, "batches": 0}, 2, False, "alarms"),
    ],
)
def test_a_monitor_that_says_less(
    members: dict[str, Any], index: int, given: bool, reason: str
) -> None:
    """Alarms stand, it isn't there yet, or nothing links its state to the proof's."""
    city = honest()
    proofs = [proof(city, 3, 5)] if given else []
    check = monitored(report(city, 5, **members), index, signed(city, 3), *proofs)
    assert (check.status, check.facts["reason"]) == ("not-checked", reason)


def test_a_monitor_that_was_shown_another_log_proves_a_fork() -> None:
    """Whatever it says of alarms."""
    for standing in (0, 1):
        told = report(liar(2), 5, standing=standing)
        with pytest.raises(LogForked):
            monitored(told, 1, signed(honest(), 5))


def test_a_report_under_a_stranger_s_key_is_refused() -> None:
    """A monitor of another log of that name."""
    city = honest()
    told = report(city, 5, checkpoint=city.checkpoint(5, log=[OTHER_LOG]))
    with pytest.raises(UnknownSigner):
        monitored(told, 1, signed(city, 5))
