# SPDX-License-Identifier: Apache-2.0
"""An acceptance against the log: what proves misconduct, and what must not seem to."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from notary.core import canonical
from notary.core.errors import (
    BadSignature,
    MalformedProof,
    NotaryError,
    ReceiptRefused,
    RootMismatch,
    UnknownSigner,
)
from notary.core.misconduct import (
    Judgement,
    candidates,
    hold_against_acceptance,
    hold_against_log,
    hold_against_receipt,
)
from notary.core.receipt import parse_receipt
from notary.core.trust import Trust, format_trust, parse_trust
from tests.core import reference
from tests.core.maker import LOG, OTHER_LOG, WITNESSES, City, Made
from tests.core.promises import KEY, STRANGER_KEY, acceptance, trusting
from tests.core.signing import Signer

TRUST = parse_trust(format_trust(trusting()))
MINUTE = timedelta(minutes=1)


def city(records: int = 4) -> tuple[City, list[Made]]:
    """A notary, and what one commit of s1 accepted."""
    made = City()
    for source in ("s0", "s2"):
        made.accept(source, b"x")
    return made, [made.accept("s1", b"%d" % number) for number in range(records)]


def promised(notary: City, made: list[Made], at: int = 0, **more: Any) -> str:
    """The acceptance of one of them, due in a minute."""
    due = {"sealed_by": made[-1].statement.received + MINUTE}
    return canonical.dumps(acceptance(notary, made, at, **{**due, **more}))


def later(notary: City, minutes: int = 2) -> None:
    """Another source's record, received later and sealed."""
    notary.now += minutes * MINUTE
    notary.accept("s0", b"later")


def against_log(notary: City, what: str, trust: Trust = TRUST, **more: Any) -> Judgement:
    """With all evidence that can be fetched."""
    descriptors = [batch.descriptor for batch in notary.batches]
    leaves = {at: notary.batches[at].leaves for at in candidates(what, trust, descriptors)}
    return hold_against_log(what, trust, notary.checkpoint(**more), descriptors, leaves)


def forget(notary: City, source: str = "s1", count: int = 1) -> None:
    """A dishonest notary takes back what it accepted."""
    del notary.records[source][-count:]


# -- against the log


def test_a_record_that_was_sealed_in_time_is_kept() -> None:
    """Also once the time is over: what was done stays done."""
    notary, made = city()
    what = promised(notary, made, 2)
    notary.seal()
    judged = against_log(notary, what)
    assert (judged.kind, judged.is_misconduct) == ("kept", False)
    assert (judged.facts["index"], judged.facts["place"]) == (0, 3)
    later(notary)
    notary.seal()
    assert against_log(notary, what).kind == "kept"


def test_before_its_time_a_record_that_is_not_there_accuses_nobody() -> None:
    """Neither an empty log nor one that doesn't go that far."""
    notary, made = city()
    what = promised(notary, made)
    assert against_log(notary, what).kind == "not-due"
    forget(notary, count=4)
    notary.seal()
    assert against_log(notary, what).kind == "not-due"


def test_a_record_that_is_not_there_when_its_time_is_over_is_proof() -> None:
    """The notary's own log holds what it received later."""
    notary, made = city()
    what = promised(notary, made, 3)
    forget(notary)
    later(notary)
    notary.seal()
    judged = against_log(notary, what)
    assert (judged.kind, judged.is_misconduct) == ("missing", True)
    assert (judged.facts["n"], judged.facts["leaf"]) == (3, made[3].leaf.hex())
    assert (judged.facts["index"], judged.facts["size"]) == (0, 1)


def test_a_record_that_was_exchanged_for_another_is_missing() -> None:
    """One bit of it is enough."""
    notary, made = city()
    what = promised(notary, made, 3)
    forget(notary)
    notary.accept("s1", b"another")
    later(notary)
    notary.seal()
    assert against_log(notary, what).kind == "missing"


def test_a_record_that_was_sealed_too_late_is_proof() -> None:
    """After the log held what was received when its time was over."""
    notary, made = city()
    what = promised(notary, made, 3)
    (kept,) = notary.records["s1"][-1:]
    forget(notary)
    later(notary)
    notary.seal()
    notary.records["s1"].append(kept)
    notary.accept("s2", b"so that the batch's times cover it")
    made_late = notary.seal()
    assert made_late.leaves[0] == kept.leaf
    # The batch's times begin with the record's own.
    judged = against_log(notary, what)
    assert (judged.kind, judged.is_misconduct) == ("late", True)


def test_a_batch_that_ends_exactly_then_is_not_over() -> None:
    """The time is over only after it."""
    notary, made = city()
    what = promised(notary, made, 3)
    forget(notary)
    notary.now = made[-1].statement.received + MINUTE - timedelta(seconds=1)
    assert notary.accept("s0", b"then").statement.received == made[-1].statement.received + MINUTE
    notary.seal()
    assert against_log(notary, what).kind == "not-due"


def test_a_witness_s_time_accuses_nobody() -> None:
    """An old checkpoint may be cosigned late, by anyone who has it."""
    notary, made = city()
    what = promised(notary, made, 3)
    forget(notary)
    notary.seal()
    assert against_log(notary, what, witnesses=WITNESSES, time=2**40).kind == "not-due"


def test_left_out_evidence_accuses_nobody() -> None:
    """The leaves of a batch, a descriptor, or all but the beginning of the log."""
    notary, made = city()
    what = promised(notary, made)
    notary.seal()
    later(notary)
    notary.seal()
    texts = [batch.descriptor for batch in notary.batches]
    leaves = {0: notary.batches[0].leaves}
    note = notary.checkpoint()
    assert hold_against_log(what, TRUST, note, texts, leaves).kind == "kept"
    for bad_texts, bad_leaves, error in (
        (texts, {}, MalformedProof),
        (texts, {0: leaves[0][:-1]}, MalformedProof),
        (texts, {0: [*leaves[0][:-1], bytes(32)]}, RootMismatch),
        (texts, {0: leaves[0][::-1]}, RootMismatch),
        (texts, {0: [*leaves[0][:-1], b"short"]}, MalformedProof),
        (texts[:1], leaves, MalformedProof),
        (texts[1:], {}, MalformedProof),
        (texts[::-1], leaves, RootMismatch),
        ([texts[1], texts[1]], {}, RootMismatch),
        ([*texts, texts[0]], leaves, MalformedProof),
    ):
        with pytest.raises(error):
            hold_against_log(what, TRUST, note, bad_texts, bad_leaves)


def test_batches_of_other_datasets_and_versions_hold_no_record_of_this_one() -> None:
    """A dataset's name says where to look; a version's rows are no records."""
    notary, made = city()
    what = promised(notary, made)
    notary.seal_version([b"a"], b"a")
    other = City("other")
    other.batches = notary.batches
    other.accept("s1", b"x")
    other.seal()
    notary.seal()
    texts = [batch.descriptor for batch in notary.batches]
    assert candidates(what, TRUST, texts) == [2]
    assert against_log(notary, what).facts["index"] == 2


def test_another_log_says_nothing() -> None:
    """Under a checkpoint of another origin the acceptance is unrelated."""
    notary, made = city()
    other = Signer("other.example/log", seed=9)
    logs = [
        {"key": LOG.verifier.vkey, "from": 0, "to": None},
        {"key": other.verifier.vkey, "from": 0, "to": None},
    ]
    trust = parse_trust(format_trust(trusting(logs=logs)))
    what = promised(notary, made)
    notary.seal()
    judged = against_log(notary, what, trust, log=[other], origin="other.example/log")
    assert (judged.kind, judged.is_misconduct) == ("unrelated", False)


def test_a_thief_of_the_log_s_key_can_t_accuse_it() -> None:
    """Once the trust file says where the log's good part ends, only that speaks."""
    notary, made = city()
    what = promised(notary, made, 3)
    notary.seal()
    root = reference.mth(notary.log_leaves()).hex()
    log = {"key": LOG.verifier.vkey, "from": 0, "to": 1, "good": {"size": 1, "root": root}}
    trust = parse_trust(format_trust(trusting(logs=[log])))
    assert against_log(notary, what, trust).kind == "kept"
    thief = City()
    for source in ("s0", "s2"):
        thief.accept(source, b"x")
    later(thief)
    thief.seal()
    with pytest.raises(ReceiptRefused):
        against_log(thief, what, trust)


def test_unsigned_words_accuse_nobody() -> None:
    """A forged acceptance, a forged checkpoint."""
    notary, made = city()
    notary.seal()
    with pytest.raises(UnknownSigner):
        against_log(notary, promised(notary, made, keys=[STRANGER_KEY]))
    with pytest.raises(UnknownSigner):
        against_log(notary, promised(notary, made), log=[OTHER_LOG])
    what = promised(notary, made)
    note = notary.checkpoint().replace("\n1\n", "\n2\n")
    with pytest.raises(BadSignature):
        hold_against_log(what, TRUST, note, [], {})


# -- against receipts


def receipt(notary: City, source: str = "s1", n: int = 0) -> str:
    """The receipt of a record."""
    return canonical.dumps(notary.receipt(source, n))


@pytest.mark.parametrize("n", range(4))
def test_the_record_s_own_receipt_keeps_the_promise(n: int) -> None:
    """At its place."""
    notary, made = city()
    what = promised(notary, made, n)
    notary.seal()
    for one in (receipt(notary, n=n), parse_receipt(receipt(notary, n=n))):
        assert hold_against_receipt(what, one, TRUST).kind == "kept"


@pytest.mark.parametrize("n", range(4))
def test_another_record_at_its_place_is_proof(n: int) -> None:
    """Signed twice: in the acceptance, and under the log's checkpoint."""
    notary, made = city()
    what = promised(notary, made, n)
    forget(notary, count=4 - n)
    for number in range(n, 4):
        notary.accept("s1", b"other %d" % number)
    notary.seal()
    for other in range(n, 4):
        judged = hold_against_receipt(what, receipt(notary, n=other), TRUST)
        # The last receipt's run names only the last leaf, the next one's only its neighbour.
        want = {n: "other-record", n + 1: "other-link"}.get(other)
        if n == 3:
            want = "other-record"
        assert want is None or judged.kind == want
        assert judged.is_misconduct == (want is not None)


def test_a_neighbour_that_is_linked_to_another_record_is_proof() -> None:
    """The next record names another leaf, or the record names another one before it."""
    notary, made = city()
    before, after = promised(notary, made, 1), promised(notary, made, 3)
    notary.records["s1"][1:] = []
    for number in (1, 2, 3):
        notary.accept("s1", b"other %d" % number)
    notary.seal()
    judged = hold_against_receipt(before, receipt(notary, n=2), TRUST)
    assert (judged.kind, judged.is_misconduct) == ("other-link", True)
    assert hold_against_receipt(after, receipt(notary, n=2), TRUST).kind == "other-record"


def test_the_ends_of_runs_speak_of_their_neighbours() -> None:
    """A run that ends before the record, and one that begins after it."""
    notary, made = city()
    honest = promised(notary, made, 2)
    notary.records["s1"][2:] = []
    notary.seal()
    # The run ends with n = 1, which the acceptance of n = 2 names as its prev.
    assert hold_against_receipt(honest, receipt(notary, n=0), TRUST).kind == "unrelated"
    forged = replace(made[2], statement=replace(made[2].statement, prev=bytes([1]) * 32))
    lying = promised(notary, [*made[:2], forged], 2)
    assert hold_against_receipt(lying, receipt(notary, n=0), TRUST).kind == "other-link"
    # The next run begins with n = 3 and names another record before it.
    notary.accept("s1", b"other 2")
    notary.seal()
    notary.accept("s1", b"other 3")
    notary.accept("s1", b"other 4")
    notary.seal()
    assert hold_against_receipt(honest, receipt(notary, n=4), TRUST).kind == "other-link"


def test_a_receipt_of_something_else_says_nothing() -> None:
    """Another source's, a far record's, a version's, another dataset's."""
    notary, made = city(9)
    what = promised(notary, made, 4)
    notary.seal_version([b"a"], b"a")
    notary.seal()
    table = canonical.dumps(notary.row_receipt(0, 0, b"a"))
    for one in (receipt(notary, "s0"), receipt(notary, n=2), receipt(notary, n=7), table):
        judged = hold_against_receipt(what, one, TRUST)
        assert (judged.kind, judged.is_misconduct) == ("unrelated", False)
    other = City("other")
    other.accept("s1", b"x")
    other.seal()
    assert hold_against_receipt(what, receipt(other), TRUST).kind == "unrelated"


def test_a_receipt_that_does_not_hold_says_nothing() -> None:
    """It is refused for itself."""
    notary, made = city()
    what = promised(notary, made)
    notary.seal()
    members = notary.receipt("s1", 0)
    members["path"] = members["path"][::-1]
    with pytest.raises(NotaryError):
        hold_against_receipt(what, canonical.dumps(members), TRUST)


# -- against each other


def test_two_acceptances_of_one_commit_agree() -> None:
    """Neighbours that are linked, far ones, the same one twice."""
    notary, made = city()
    for one in range(4):
        for other in range(4):
            pair = promised(notary, made, one), promised(notary, made, other)
            assert hold_against_acceptance(*pair, TRUST).kind == "unrelated"


def test_two_records_promised_for_one_place_are_proof() -> None:
    """Whichever comes first; so are neighbours that aren't linked."""
    notary, made = city()
    mine = promised(notary, made, 2)
    notary.records["s1"][2:] = []
    others = [notary.accept("s1", b"other %d" % number) for number in (2, 3)]
    same, after = promised(notary, others, 0), promised(notary, others, 1)
    for other in (same, after):
        for pair in ((mine, other), (other, mine)):
            judged = hold_against_acceptance(*pair, TRUST)
            assert (judged.kind, judged.is_misconduct) == ("two-records", True)


def test_acceptances_of_two_sources_or_chains_say_nothing_of_each_other() -> None:
    """n = 0 is everybody's first."""
    notary, made = city()
    other = City()
    found = [
        other.accept("s2", b"x"),
        other.accept("s1", b"x", chain=1),
    ]
    for at in range(2):
        pair = promised(notary, made, 0), promised(other, found, at)
        assert hold_against_acceptance(*pair, TRUST).kind == "unrelated"


def test_a_stranger_s_acceptance_proves_nothing() -> None:
    """Only keys of the trust file count."""
    notary, made = city()
    mine = promised(notary, made, 0)
    notary.records["s1"] = []
    forged = promised(notary, [notary.accept("s1", b"other")], keys=[STRANGER_KEY])
    with pytest.raises(UnknownSigner):
        hold_against_acceptance(mine, forged, TRUST)
    assert KEY.verifier.vkey in str(TRUST.keys[0].members["key"])
