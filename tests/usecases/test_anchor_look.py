# SPDX-License-Identifier: Apache-2.0
"""What is shown, checked and told of anchors on ledgers of others."""

import json
from collections.abc import Mapping

import pytest

from notary.core.proof import verify_consistency
from notary.core.receipt import verify_receipt
from notary.ledgers.port import (
    LedgerRefused,
    LedgerUnavailable,
)
from notary.usecases.anchor_check import NEEDS_CHAIN, Check, check_anchors, check_kept
from notary.usecases.anchor_look import (
    get_anchor,
    list_anchors,
    list_evidence,
)
from notary.usecases.look import totals
from notary.usecases.rights import NotFound
from notary.wiring import surroundings
from tests.core.maker import ORIGIN, make
from tests.evidence.chain import LEDGER, evm_anchor
from tests.usecases.remote_ledger import (
    AWAY,
    Remote,
    far,
    grow,
    grown,
    record,
    status,
    step,
)
from tests.usecases.world import World

__all__ = ["far", "grown"]


def test_a_ledger_stands_in_the_status_before_its_first_anchor(grown: World, far: Remote) -> None:
    """With the age of what it doesn't hold."""
    grown.pass_by(100)
    shown = status(grown, "far")
    assert (shown["size"], shown["unanchored_seconds"]) == (0, 100.0)
    assert (shown["kind"], shown["own_word"], shown["required"]) == ("file", False, False)


def test_a_ledger_that_was_taken_out_breaks_nothing(grown: World, far: Remote) -> None:
    """Its anchors are listed with their kind; receipts and the audit go on without it."""
    grown.anchor()
    grown.parts.ledgers.remove(far)
    rows = list_anchors(grown.pool, grown.parts.ledgers, None, 10)
    assert [(row["ledger"], row["kind"], row["required"]) for row in rows] == [
        ("far", "file", False),
        ("file", "file", True),
    ]
    assert not status(grown, "far")["configured"]
    report = grown.audit()
    assert report.findings == ()
    assert any("far" in sentence for sentence in report.not_checked)
    text = grown.prover().receipt(*record(grown), caller=grown.caller).text
    assert '"ledger":"far"' not in text
    assert '"ledger":"file"' in text


def test_one_anchor_is_shown_or_not_there(grown: World, far: Remote) -> None:
    """By size and ledger."""
    grown.anchor()
    assert get_anchor(grown.pool, grown.parts.ledgers, "far", 1)["state"] == "verified"
    for ledger, size in (("far", 2), ("nowhere", 1)):
        with pytest.raises(NotFound):
            get_anchor(grown.pool, grown.parts.ledgers, ledger, size)


def test_receipts_carry_every_configured_ledgers_anchor(grown: World, far: Remote) -> None:
    """Also one that came after the receipt was first asked for."""
    grown.parts.ledgers.remove(far)
    grown.anchor()
    grown.parts.ledgers.append(far)
    prover = grown.prover()
    first = prover.receipt(*record(grown), caller=grown.caller)
    assert '"ledger":"far"' not in first.text
    grown.anchor()
    later = prover.receipt(*record(grown), caller=grown.caller)
    assert '"ledger":"far"' in later.text
    assert (first.final, later.final) == (False, True)


def test_a_name_that_was_given_to_another_kind_refuses_no_receipt(
    grown: World, far: Remote
) -> None:
    """Neither the trust file nor receipts name it, until it has a name of its own."""
    grown.anchor()
    before = grown.prover().receipt(*record(grown), caller=grown.caller).text
    assert '"ledger":"far"' in before
    assert '"far"' in grown.parts.trust()
    far.kind = "evm"
    trust = grown.parts.trust()
    assert '"far"' not in trust
    after = grown.prover().receipt(*record(grown), caller=grown.caller)
    assert '"ledger":"far"' not in after.text
    for text in (before, after.text):
        verify_receipt(text, trust)


def test_a_ledger_of_which_nothing_can_be_said_yet_costs_no_trust_file(
    grown: World, far: Remote, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is left out until there is something: all others are handed out."""

    def nothing() -> Mapping[str, object]:
        raise LedgerUnavailable("Nothing is anchored on far yet.")

    with monkeypatch.context() as patch:
        patch.setattr(far, "trust", nothing)
        listed = [one["id"] for one in json.loads(grown.parts.trust())["ledgers"]]
    assert listed == ["file"]
    assert [one["id"] for one in json.loads(grown.parts.trust())["ledgers"]] == ["file", "far"]


def test_a_page_of_evidence_ends_before_it_is_too_large(
    grown: World, far: Remote, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Blocks of other chains are large; each page has one at least, and all pages have all."""
    for _ in range(5):
        grown.anchor()
        grow(grown)
    monkeypatch.setattr("notary.usecases.anchor_look.MOST_BYTES", 2000)
    grown.change("UPDATE anchors SET evidence = %s WHERE size = 3", f'"{"x" * 5000}"')
    after: tuple[int, str] | None = None
    pages = []
    while True:
        rows, count = list_evidence(grown.pool, grown.parts.ledgers, after, 4)
        pages.append([(row["size"], row["ledger"]) for row in rows[:count]])
        assert all(row["evidence"] for row in rows[:count])
        if len(rows) <= count:
            break
        after = pages[-1][-1]
    seen = [one for page in pages for one in page]
    assert seen == [(size, name) for size in range(5, 0, -1) for name in ("far", "file")]
    assert max(map(len, pages)) == 4
    assert [(3, "far")] in pages
    assert [(3, "file")] in pages


def test_what_can_not_be_asked_is_not_called_checked_online(grown: World, far: Remote) -> None:
    """A ledger that keeps nothing, one that is away, one that lost it: each is told apart."""
    grown.anchor()

    def online() -> tuple[str, str | None]:
        (checked,) = check_anchors(grown.pool, grown.parts.ledgers, "far")
        assert checked.offline.outcome == "own-word"
        return checked.online.outcome, checked.online.why

    assert online() == ("held", None)
    far.instead["confirm"] = lambda: AWAY
    assert online() == ("not-checked", AWAY.detail)
    assert grown.audit().not_checked == (f"whether far holds size 1: {AWAY.detail}",)
    assert grown.audit().findings == ()
    far.instead["confirm"] = lambda: "unknown"
    assert online() == ("differs", "the ledger says unknown")
    assert grown.audit().findings == ("anchor of size 1 on far: the ledger says unknown",)
    far.remembers = False  # type: ignore[misc]
    assert online()[0] == "not-checked"
    assert grown.audit().findings == ()


def test_a_ledger_is_not_asked_about_another_kinds_anchors(grown: World, far: Remote) -> None:
    """It may hold the same sizes by itself, and would confirm what it never gave."""
    step(grown, far)
    far.kind = "evm"  # type: ignore[misc]
    (checked,) = check_anchors(grown.pool, grown.parts.ledgers, "far")
    why = Check("not-checked", "the ledger was of kind file then")
    assert (checked.offline, checked.online) == (why, why)


@pytest.mark.parametrize("round_", [0, 1])
def test_that_only_the_chain_can_tell_is_one_sentence_for_all_its_anchors(
    far: Remote, monkeypatch: pytest.MonkeyPatch, round_: int
) -> None:
    """An audit counts them then, and isn't as long as the log."""
    city = make()
    anchor = evm_anchor(city, round_)
    members = {name: value for name, value in LEDGER.items() if name not in ("id", "kind")}
    far.name, far.kind = "chain", "evm"  # type: ignore[misc]
    monkeypatch.setattr(far, "trust", lambda: members)
    row = {
        "kind": "evm",
        "size": anchor["size"],
        "root": bytes.fromhex(anchor["root"]),
        "evidence": json.dumps(anchor["evidence"]),
    }
    check = check_kept(row, far, ORIGIN)
    assert (check.outcome, check.why) == ("not-checked", NEEDS_CHAIN)
    assert "block_hash" in (check.facts or {})


def test_totals_count_what_every_required_ledger_has(grown: World, far: Remote) -> None:
    """A record isn't called anchored before, and the age of what waits is that of the slowest."""
    far.required = True  # type: ignore[misc]
    step(grown, grown.ledger)
    before = totals(grown.pool, grown.parts.ledgers)
    assert before["anchored_size"] is None
    assert before["oldest_unanchored"] is not None
    step(grown, far)
    after = totals(grown.pool, grown.parts.ledgers)
    assert (after["anchored_size"], after["oldest_unanchored"]) == (1, None)


def test_an_audit_finds_evidence_of_others_that_does_not_hold(grown: World, far: Remote) -> None:
    """From itself alone: the ledger is asked about its newest anchor only."""
    for _ in range(3):
        grown.anchor()
        grow(grown)
    grown.change(
        "UPDATE anchors SET evidence = (SELECT evidence FROM anchors WHERE ledger = 'far'"
        " AND size = 1) WHERE ledger = 'far' AND size = 2"
    )
    (finding,) = grown.audit().findings
    assert finding.startswith("anchor of size 2 on far:")


def test_what_is_kept_in_mind_of_anchors_is_bounded(
    grown: World, far: Remote, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Evidence of other chains is large; receipts are the same with and without it in mind."""
    grown.anchor()
    prover = grown.prover()
    kept = prover.receipt(*record(grown), caller=grown.caller)
    assert len(prover._batches) == 1
    monkeypatch.setattr("notary.usecases.prove.MAX_BYTES", 10)
    other = grown.prover()
    assert other.receipt(*record(grown), caller=grown.caller) == kept
    assert len(other._batches) == 0


def test_adapters_are_given_the_growth_of_our_log(grown: World, far: Remote) -> None:
    """Paths that verify, roots that were signed, and where the ledger began."""
    around = surroundings(grown.pool, writes=False)
    assert around.first("far") is None
    for _ in range(4):
        grow(grown)
    grown.anchor()
    roots = {row[0]: row[1] for row in grown.checkpoints()}
    for old, new in ((1, 5), (3, 5), (5, 5), (2, 3)):
        path = around.growth(old, new)
        verify_consistency(old, roots[old], new, roots[new], path)  # type: ignore[index,arg-type]
        assert around.root(new) == roots[new]
    assert (around.first("far"), around.writes) == (5, False)


def test_what_only_a_ledger_knows_is_refused_and_not_made_up(grown: World) -> None:
    """A size beyond our log: an older database, or a node that lies; a person must look."""
    around = surroundings(grown.pool, writes=True)
    for ask in (lambda: around.root(2), lambda: around.growth(1, 1 << 40)):
        with pytest.raises(LedgerRefused, match="our log has only 1"):
            ask()


def test_a_ledger_of_which_nothing_can_be_said_yet_is_left_out_of_the_trust_file(
    grown: World, far: Remote, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that is kept for ten years claims nothing that isn't known."""

    def listed() -> list[str]:
        members = json.loads(grown.parts.trust())
        return [ledger["id"] for ledger in members["ledgers"]]

    assert listed() == ["file", "far"]

    def unknown(_: Remote) -> Mapping[str, object]:
        raise LedgerUnavailable("Nothing is anchored there yet.")

    monkeypatch.setattr(Remote, "trust", unknown)
    assert listed() == ["file"]
