# SPDX-License-Identifier: Apache-2.0
"""Prove: receipts that a stranger's verifier accepts, and only of what may be seen."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from notary.core.errors import NotaryError
from notary.core.receipt import verify_receipt
from notary.core.statement import parse_statement
from notary.usecases.erase import RecordPlace
from notary.usecases.prove import NotYet, Proof, StoreDamaged
from notary.usecases.reading import Acceptance, Pack, Reading
from notary.usecases.rights import Caller, NotFound
from tests.usecases.world import World, some_readings

STRANGER = Caller("000000000000", "fire-brigade")


def prove(world: World, acceptance: Acceptance) -> Proof:
    """The receipt of an accepted record, for its owner, by a prover with nothing in mind."""
    return world.prover().receipt(
        acceptance.dataset, acceptance.source, acceptance.n, caller=world.caller
    )


def test_every_record_of_every_kind_gets_a_receipt_that_verifies(world: World) -> None:
    """Open and closed, named and random sources, packs, several batches and runs."""
    open_, closed = world.dataset("weather", lane_count=3), world.dataset(None)
    random_ = world.dataset(None, random_sources=True)
    pack = Pack(b'{"a":1}\n{"a":2}')
    payloads = {}
    for seed in range(3):
        for dataset in (open_, closed, random_):
            readings = [
                *some_readings(dataset, 20, sources=5, seed=seed),
                Reading(dataset, "gate", b'{"a":%d}' % seed, "text/plain", "none", pack=pack),
            ]
            for reading, acceptance in zip(readings, world.accept(readings), strict=True):
                payloads[acceptance] = reading.payload
        world.pass_by()
        world.settle()
    trust, prover = world.parts.trust(), world.prover()
    for acceptance, payload in payloads.items():
        proof = prover.receipt(
            acceptance.dataset, acceptance.source, acceptance.n, caller=world.caller
        )
        verdict = verify_receipt(proof.text, trust, payload)
        assert proof.final
        assert (verdict.subject["source"], verdict.subject["n"]) == (
            acceptance.source,
            acceptance.n,
        )
        with pytest.raises(NotaryError):
            verify_receipt(proof.text, trust, payload + b" ")
    assert len(payloads) == 189


def test_a_receipt_holds_what_was_handed_in(world: World) -> None:
    """Statement and acceptance say the same."""
    (acceptance,) = world.accept(
        [Reading(world.dataset("weather"), "s", b"7", "text/plain", "acl", "06:07", "k1")]
    )
    world.settle()
    statement = parse_statement(json.loads(prove(world, acceptance).text)["statement"])
    assert (statement.dataset, statement.source, statement.n) == ("weather", "s", 0)
    assert (statement.observed, statement.key, statement.by) == ("06:07", "k1", "acl")
    assert statement.received == acceptance.received == world.now


def test_a_receipt_is_always_the_same_once_it_is_final(world: World) -> None:
    """Later batches, checkpoints and anchors don't change it, nor does another process."""
    acceptance = world.add(world.dataset("weather"), 5)[0]
    world.settle()
    first = prove(world, acceptance)
    for seed in range(1, 4):
        world.add("weather", 5, seed=seed)
        world.settle()
    assert prove(world, acceptance) == first


# -- states


def test_each_state_is_told_apart(world: World) -> None:
    """Accepted, sealed, signed, anchored: what isn't there yet is named, with patience."""
    acceptance = world.add(world.dataset("weather"), 5)[0]
    prover = world.prover()
    where = (acceptance.dataset, acceptance.source, acceptance.n)

    def state() -> str:
        try:
            proof = prover.receipt(*where, caller=None)
        except NotYet as not_yet:
            return not_yet.state if not_yet.retry_after_seconds > 0 else "without patience"
        return "anchored" if proof.final else "signed"

    states = [state()]
    for step in (world.seal, world.sign, world.anchor):
        step()
        states.append(state())
    assert states == ["accepted", "sealed", "signed", "anchored"]


def test_until_anchored_waits_for_the_anchor(world: World) -> None:
    """Asked for an anchored receipt, a signed one is not yet it."""
    acceptance = world.add(world.dataset("weather"), 5)[0]
    world.seal()
    world.sign()
    where = (acceptance.dataset, acceptance.source, acceptance.n)
    prover = world.prover()
    with pytest.raises(NotYet) as not_yet:
        prover.receipt(*where, caller=None, until="anchored")
    assert not_yet.value.state == "signed"
    world.anchor()
    assert json.loads(prover.receipt(*where, caller=None, until="anchored").text)["anchors"]


def test_an_unfinished_receipt_is_not_kept(world: World) -> None:
    """The same prover gives the anchor once it is there."""
    acceptance = world.add(world.dataset("weather"), 5)[0]
    world.seal()
    world.sign()
    prover = world.prover()
    where = (acceptance.dataset, acceptance.source, acceptance.n)
    assert json.loads(prover.receipt(*where, caller=None).text)["anchors"] == []
    world.anchor()
    assert len(json.loads(prover.receipt(*where, caller=None).text)["anchors"]) == 1


def test_a_committed_but_unsigned_checkpoint_is_no_checkpoint(world: World) -> None:
    """A root that a crash left unsigned doesn't get into receipts."""
    acceptance = world.add(world.dataset("weather"), 5)[0]
    world.seal()
    world.sign()
    world.change("UPDATE checkpoints SET note = NULL")
    with pytest.raises(NotYet) as not_yet:
        prove(world, acceptance)
    assert not_yet.value.state == "sealed"


def test_the_first_signed_checkpoint_is_taken_not_an_unsigned_one_before_it(world: World) -> None:
    """A root that a crash left unsigned doesn't keep the records under it from a proof."""
    acceptance = world.add(world.dataset("weather"), 5)[0]
    world.seal()
    world.sign()
    world.add("weather", 5, seed=1)
    world.settle()
    world.change("UPDATE checkpoints SET note = NULL WHERE size = 1")
    receipt = json.loads(prove(world, acceptance).text)
    assert receipt["checkpoint"].splitlines()[1] == "2"
    verify_receipt(prove(world, acceptance).text, world.parts.trust())


@pytest.mark.parametrize("state", ["built", "submitted", "committed", "failed", "unknown"])
def test_an_anchor_that_is_not_verified_is_no_anchor(world: World, state: str) -> None:
    """Only what was read back from the ledger counts."""
    acceptance = world.add(world.dataset("weather"), 5)[0]
    world.settle()
    world.change("UPDATE anchors SET state = %s", state)
    proof = prove(world, acceptance)
    assert json.loads(proof.text)["anchors"] == []
    assert not proof.final


# -- who may see what


def test_what_is_anothers_is_not_there(world: World) -> None:
    """A closed dataset's record and one that doesn't exist get the same answer."""
    closed = world.dataset(None)
    acceptance = world.add(closed, 5)[0]
    world.settle()
    prover = world.prover()
    for caller in (None, STRANGER):
        with pytest.raises(NotFound) as refused:
            prover.receipt(closed, acceptance.source, acceptance.n, caller=caller)
        with pytest.raises(NotFound) as absent:
            prover.receipt(closed, acceptance.source, 99, caller=caller)
        said = refused.value.detail.replace(f"record {acceptance.n} ", "record 99 ")
        assert said == absent.value.detail
    assert prove(world, acceptance).final


@pytest.mark.parametrize(
    ("source", "n", "chain"),
    [("s0", 99, None), ("s0", -1, None), ("nobody", 0, None), ("s0", 0, 1), ("", 0, None)],
)
def test_what_does_not_exist_is_not_found(
    world: World, source: str, n: int, chain: int | None
) -> None:
    """No such n, source or chain."""
    world.add(world.dataset("weather"), 5, sources=1)
    world.settle()
    with pytest.raises(NotFound):
        world.prover().receipt("weather", source, n, caller=None, chain=chain)
    with pytest.raises(NotFound):
        world.prover().receipt("nothing", "s0", 0, caller=None)


def test_a_random_source_is_not_found_by_its_label(world: World) -> None:
    """Where sources may be persons, the label is not a way to their records."""
    dataset = world.dataset(None, random_sources=True)
    acceptance = world.add(dataset, 5, sources=1)[0]
    world.settle()
    assert acceptance.source != "s0"
    with pytest.raises(NotFound):
        world.prover().receipt(dataset, "s0", 0, caller=world.caller)


# -- damage and erasure


@pytest.mark.parametrize(
    "change",
    [
        "payload = '\\x00'",
        "observed = 'x'",
        "observed = NULL",
        "key = 'x'",
        "received = received + interval '1 microsecond'",
        "message = sha256('x')",
        "leaf = sha256('x')",
        "form = (SELECT min(id) FROM forms)",
        "payload = NULL",
    ],
)
def test_no_receipt_is_made_of_an_altered_record(world: World, change: str) -> None:
    """The columns must give the leaf; if not, it is said, and no receipt is handed out."""
    world.accept([Reading(world.dataset("weather"), "other", b"1", "text/plain", "none")])
    acceptance = world.add("weather", 5, sources=1)[1]
    world.settle()
    name = "source = (SELECT id FROM sources WHERE name = 's0')"
    assert world.change(f"UPDATE records SET {change} WHERE n = 1 AND {name}") == 1
    with pytest.raises(StoreDamaged):
        prove(world, acceptance)


@pytest.mark.parametrize("name", ["weather", None], ids=["open", "closed"])
def test_an_erased_record_still_has_its_receipt(world: World, name: str | None) -> None:
    """Without payload and salt; it proves that and when there was a record."""
    dataset = world.dataset(name)
    first, second = world.add(dataset, 2, sources=1)
    world.settle()
    world.erase(dataset, RecordPlace("s0", 0))
    trust = world.parts.trust()
    for acceptance in (first, second):
        text = prove(world, acceptance).text
        verify_receipt(text, trust)
        assert ("erased" in json.loads(text)) == (acceptance is first)
        assert ("payload" in json.loads(text)) == (acceptance is second)
        assert ("salt" in json.loads(text)) == (acceptance is second and name is None)


def test_a_receipt_verifies_wherever_its_record_lies_in_large_trees(
    world: World, long: bool
) -> None:
    """Batches past one tile and at its edge: 256 + 1 records, and three tiles of them."""
    weather, trust = world.dataset("weather"), world.parts.trust()
    for count, sources in ((257, 257), (700, 40)):
        acceptances = world.add(weather, count, sources=sources, seed=count)
        world.settle()
        prover = world.prover()
        edges = acceptances[:20] + acceptances[245:270] + acceptances[505:520] + acceptances[-20:]
        for acceptance in acceptances if long else edges:
            proof = prover.receipt(weather, acceptance.source, acceptance.n, caller=None)
            verify_receipt(proof.text, trust)


@pytest.mark.parametrize("tree", [0, 1])
@pytest.mark.parametrize("column", ["data", "middle"])
def test_a_damaged_tile_never_makes_a_receipt_that_verifies(
    world: World, column: str, tree: int
) -> None:
    """The path leads to another root, and any verifier says so."""
    acceptances = world.add(world.dataset("weather"), 300, sources=40)
    world.settle()
    world.change(
        f"UPDATE batch_tiles SET {column} = set_byte({column}, 40, get_byte({column}, 40) # 1) "
        f"WHERE tree = %s AND level = 0 AND length({column}) > 40",
        tree,
    )
    trust = world.parts.trust()
    refused = 0
    for acceptance in acceptances[::7]:
        try:
            verify_receipt(prove(world, acceptance).text, trust)
        except NotaryError:
            refused += 1
    assert refused >= 1


def test_threads_share_a_prover(world: World) -> None:
    """Receipts asked for at once are those asked for one by one."""
    acceptances = world.add(world.dataset("weather"), 400, sources=20)
    world.settle()
    one_by_one = world.prover()

    def receipt_of(prover: object, acceptance: Acceptance) -> str:
        return prover.receipt("weather", acceptance.source, acceptance.n, caller=None).text  # type: ignore[attr-defined]

    shared = world.prover()
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda acceptance: receipt_of(shared, acceptance), acceptances))
    assert found == [receipt_of(one_by_one, acceptance) for acceptance in acceptances]
