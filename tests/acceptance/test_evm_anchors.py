# SPDX-License-Identifier: Apache-2.0
"""
A log on an EVM chain, end to end: a notary with its database, a real chain (anvil), the contract
on it, and receipts that a stranger checks.
"""

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from eth_account.signers.local import LocalAccount

from notary.core.hashing import node_hash
from notary.core.receipt import verify_receipt
from notary.core.trust import parse_trust
from notary.core.verdict import Verdict
from notary.evidence import checkers
from notary.evidence.online import online_checkers
from notary.ledgers.port import LedgerRefused, LedgerUnavailable
from notary.local.anvil import Anvil
from notary.usecases.gate import Gate
from notary.usecases.marks import StateRefused
from notary.wiring import surroundings
from tests.ledgers.contract import NOW, around, checkpoint
from tests.ledgers.evm.on_anvil import Desk, Look, anchor
from tests.ledgers.evm.standing import desk, look
from tests.usecases.servers import world
from tests.usecases.world import ORIGIN, World

__all__ = ["desk", "look", "world"]

pytestmark = pytest.mark.needs("anvil")

SERIES = 100
OURS = checkpoint(5)
MADE_UP = b"\xaa" * 32


@pytest.fixture
def anchored(world: World, desk: Desk) -> World:
    """A notary with that chain as a ledger beside its file."""
    around = surroundings(world.pool, writes=True)
    world.parts.ledgers.append(replace(desk, around=around).open())
    return world


@pytest.fixture
def appended(desk: Desk) -> Iterator[Desk]:
    """An account whose log has size 3, then 5, on the chain."""
    ledger = desk.open()
    for size in (3, 5):
        anchor(ledger, checkpoint(size))
    yield desk
    assert ledger.confirm(OURS, None) == "verified"


def states(world: World) -> list[tuple[object, ...]]:
    """(size, state) of the anchors on the chain."""
    return world.rows("SELECT size, state FROM anchors WHERE ledger = 'chain' ORDER BY size")


def until(world: World, size: int, state: str) -> None:
    """Do what the sealer does until the anchor of this size is so; blocks come a moment later."""
    for _ in range(200):
        if states(world)[-1] == (size, state):
            return
        time.sleep(0.01)
        world.pass_by(600)
        world.anchor()
    raise AssertionError(states(world))


def on_the_chain(verdict: Verdict) -> tuple[object, object]:
    """What a verdict says of the anchor on the chain."""
    (found,) = [check for check in verdict.checks if check.facts.get("ledger") == "chain"]
    return found.status, found.facts["reason"]


def test_a_series_of_100_anchors_is_accepted_and_each_receipt_holds(
    anchored: World, desk: Desk, look: Look
) -> None:
    """A batch a time: 100 transactions; each record's receipt holds by the chain itself."""
    dataset = anchored.dataset("weather")
    records = []
    for number in range(SERIES):
        records += anchored.add(dataset, 1, seed=number)
        anchored.settle()
        until(anchored, number + 1, "verified")
    assert states(anchored) == [(size, "verified") for size in range(1, SERIES + 1)]
    on_chain = anchored.rows("SELECT size, root FROM checkpoints WHERE size > 0 ORDER BY size")
    assert look.held(desk.account.address, ORIGIN) == on_chain
    assert look.transactions(desk.account) == SERIES
    look.mine(12)
    trust = anchored.parts.trust()
    asking = online_checkers([f"chain={look.url}"], parse_trust(trust).ledgers)
    prover = anchored.prover()
    for record in records:
        receipt = prover.receipt(
            dataset, record.source, record.n, caller=anchored.caller, until="anchored"
        ).text
        verdict = verify_receipt(receipt, trust, checkers=asking)
        assert on_the_chain(verdict) == ("held", "online")
    alone = verify_receipt(receipt, trust, checkers=checkers())
    assert on_the_chain(alone) == ("not-checked", "ask-the-chain")
    assert anchored.audit().findings == ()


def flipped(path: list[bytes], place: int) -> list[bytes]:
    """The path with one bit of one hash changed."""
    return [*path[:place], bytes([path[place][0] ^ 1]) + path[place][1:], *path[place + 1 :]]


TRUE = list(around().growth(5, 11))
ELEVEN = checkpoint(11).root
REFUSED = {
    "no proof at all": (11, ELEVEN, [], "WrongPathLength"),
    "a hash too few": (11, ELEVEN, TRUE[:-1], "WrongPathLength"),
    "a hash too many": (11, ELEVEN, [*TRUE, MADE_UP], "WrongPathLength"),
    "64 hashes": (11, ELEVEN, [MADE_UP] * 64, "TooManyHashes"),
    "the root of another tree": (11, MADE_UP, TRUE, "NewRootMismatch"),
    "a smaller size for the proof": (6, ELEVEN, TRUE, "WrongPathLength"),
    "a larger size for the proof": (64, ELEVEN, TRUE, "WrongPathLength"),
    "a smaller size": (4, checkpoint(4).root, [], "SmallerSize"),
    "the size before": (3, checkpoint(3).root, [], "SmallerSize"),
    "another root for its size": (5, MADE_UP, [], "OtherRoot"),
    "size 0": (0, MADE_UP, [], "SizeOutOfRange"),
    "size 2^63": (1 << 63, MADE_UP, TRUE, "SizeOutOfRange"),
    **{
        f"hash {place} of the proof changed": (11, ELEVEN, flipped(TRUE, place), "RootMismatch")
        for place in range(len(TRUE))
    },
}


@pytest.mark.parametrize("name", REFUSED)
def test_the_contract_itself_refuses(appended: Desk, name: str) -> None:
    """Past the adapter, by the right key: the transaction fails on the chain, nothing moves."""
    size, root, path, error = REFUSED[name]
    look, account = appended.look, appended.account
    assert error in look.why(account, size, root, path, OURS.origin_hash)[0]
    receipt = look.append(account, size, root, path, OURS.origin_hash)
    assert (receipt["status"], receipt["logs"]) == ("0x0", [])
    assert appended.held() == [(3, checkpoint(3).root), (5, OURS.root)]


def test_the_true_proof_is_taken(appended: Desk) -> None:
    """What the refusals above are measured by."""
    look, account = appended.look, appended.account
    assert look.why(account, 11, ELEVEN, TRUE, OURS.origin_hash) == ()
    assert look.append(account, 11, ELEVEN, TRUE, OURS.origin_hash)["status"] == "0x1"
    assert appended.held()[-1] == (11, ELEVEN)


def test_another_sender_cannot_disturb_ours(appended: Desk) -> None:
    """The same origin, sizes beyond ours, roots that are made up: all under their own name."""
    look = appended.look
    stranger: LocalAccount = look.account()
    for size in (4, 5, 1 << 40):
        account = look.account() if size == 5 else stranger
        path = [] if size != 1 << 40 else [MADE_UP]
        look.append(account, size, MADE_UP, path, OURS.origin_hash)
    assert appended.held() == [(3, checkpoint(3).root), (5, OURS.root)]
    assert look.held(stranger.address) == [(4, MADE_UP)]
    ledger = appended.open()
    anchor(ledger, checkpoint(9))


def test_the_adapter_refuses_what_the_contract_would(appended: Desk) -> None:
    """Without a transaction: nothing is paid for what must fail."""
    ledger, before = appended.open(), appended.look.transactions(appended.account)
    for what in (
        replace(OURS, root=MADE_UP),
        replace(checkpoint(3), root=MADE_UP),
        replace(checkpoint(11), root=MADE_UP),
    ):
        with pytest.raises(LedgerRefused):
            ledger.submit(what, None, NOW)
    assert appended.look.transactions(appended.account) == before


def test_a_reorganisation_drops_an_anchor_and_it_comes_back(
    anchored: World, desk: Desk, look: Look
) -> None:
    """By the sealer's own steps: in a block, gone, handed over anew with a proof that fits."""
    around = surroundings(anchored.pool, writes=True)
    anchored.parts.ledgers[1:] = [replace(desk, around=around).open(confirmations=3)]
    dataset = anchored.dataset("weather")
    anchored.add(dataset, 2, seed=1)
    anchored.settle()
    until(anchored, 1, "committed")
    look.mine(2)
    until(anchored, 1, "verified")
    anchored.add(dataset, 2, seed=2)
    anchored.settle()
    until(anchored, 2, "committed")
    look.ask("anvil_reorg", 1, [])
    assert [size for size, _ in look.held(desk.account.address, ORIGIN)] == [1]
    anchored.anchor()
    assert states(anchored)[-1][1] in ("unknown", "submitted")
    for _ in range(5):
        anchored.pass_by(60)
        anchored.anchor()
        look.mine(1)
    assert states(anchored) == [(1, "verified"), (2, "verified")]
    assert [size for size, _ in look.held(desk.account.address, ORIGIN)] == [1, 2]
    assert anchored.audit().findings == ()


def test_a_chain_that_holds_more_than_the_database_closes_the_gate(
    anchored: World, desk: Desk, look: Look
) -> None:
    """An older database was restored: what the chain proves is heard, and nothing is accepted."""
    dataset = anchored.dataset("weather")
    for seed in (1, 2):
        anchored.add(dataset, 2, seed=seed)
        anchored.settle()
        until(anchored, seed, "verified")
    root = anchored.checkpoints()[-1][1]
    assert isinstance(root, bytes)
    larger = node_hash(root, MADE_UP)
    assert look.append(desk.account, 4, larger, [MADE_UP], OURS.origin_hash)["status"] == "0x1"
    anchored.add(dataset, 2, seed=3)
    anchored.settle()
    assert states(anchored) == [(1, "verified"), (2, "verified")]
    with pytest.raises(StateRefused, match="ledger chain"):
        Gate(anchored.pool, anchored.marks, anchored.parts.ledgers).open()


def test_a_node_that_is_restarted_with_its_state(tmp_path: Path) -> None:
    """In order: all is there as before, the evidence too, and it goes on."""
    with Anvil.open(tmp_path / "anvil") as chain:
        look = Look(chain.url)
        look.deploy()
        desk = Desk.make(look, tmp_path)
        reference = anchor(desk.open(), checkpoint(3))
        before = desk.open().evidence(checkpoint(3), reference)
        chain.restart()
        ledger = desk.open()
        assert ledger.confirm(checkpoint(3), reference) == "verified"
        assert ledger.confirm(checkpoint(3), None) == "verified"
        assert json.dumps(ledger.evidence(checkpoint(3), None)) == json.dumps(before)
        anchor(ledger, checkpoint(7))
        assert [size for size, _ in desk.held()] == [3, 7]


def test_a_node_that_was_killed(tmp_path: Path) -> None:
    """kill -9: it may have forgotten its last second. What it lost is anchored again."""
    with Anvil.open(tmp_path / "anvil") as chain:
        look = Look(chain.url)
        look.deploy()
        kept = tmp_path / "anvil" / "state.json"
        for _ in range(1_000):
            if kept.exists() and look.contract.lower() in kept.read_text().lower():
                break
            time.sleep(0.05)
        desk = Desk.make(look, tmp_path)
        ledger = desk.open()
        reference = anchor(ledger, checkpoint(3))
        chain.kill()
        with pytest.raises(LedgerUnavailable):
            ledger.confirm(checkpoint(3), reference)
        chain.start()
        look.ask("anvil_setBalance", desk.account.address, hex(10**18))
        anchor(ledger, checkpoint(3), reference)
        anchor(ledger, checkpoint(7))
        assert [size for size, _ in desk.held()] == [3, 7]
