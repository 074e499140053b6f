# SPDX-License-Identifier: Apache-2.0
"""What the key for COSE receipts signs: what the log's keys signed, as they stand just then."""

import json

import pytest

from notary.core import canonical
from notary.core.cose_receipt import verify_cose_receipt
from notary.core.trust import parse_trust
from notary.keys import KeyRing
from notary.usecases import log_keys
from notary.usecases.marks import StateRefused
from notary.usecases.prove import StoreDamaged
from notary.wiring import connect
from tests.core.maker import make
from tests.usecases.world import World


@pytest.fixture
def grown(world: World) -> World:
    """A notary with three batches, each under a checkpoint of its own."""
    world.dataset("weather")
    for n in range(3):
        world.add("weather", 1, seed=n)
        world.settle()
    return world


def receipts(world: World) -> list[str]:
    """One receipt of each batch."""
    places = world.rows(
        "SELECT s.name, r.first FROM runs r JOIN sources s ON s.id = r.source ORDER BY r.batch"
    )
    prover = world.prover()
    return [prover.receipt("weather", str(s), int(str(n)), caller=None).text for s, n in places]


def test_each_receipt_is_signed_and_always_to_the_same_bytes(grown: World) -> None:
    """Also by another process."""
    one, other = grown.parts.receipt_signer(), grown.parts.receipt_signer()
    trust = parse_trust(grown.parts.trust())
    for text in receipts(grown):
        data = one.sign(text)
        assert data == one.sign(text) == other.sign(text)
        assert verify_cose_receipt(data, trust).status("cose") == "held"


def test_what_a_stolen_key_signed_is_signed_no_more(grown: World) -> None:
    """From the moment at which the key is given up, in a process that signed it before."""
    signer, before = grown.parts.receipt_signer(), receipts(grown)
    for text in before:
        signer.sign(text)
    ring = KeyRing(grown.parts.settings.state)
    log_keys.give_up(grown.pool, grown.gate, grown.marks, ring, None, 2)
    for text in (before[0], before[2]):  # no way to the good state, and beyond it
        with pytest.raises(StoreDamaged):
            signer.sign(text)
    grown.settle()
    trust = parse_trust(grown.parts.trust())
    for text in receipts(grown):
        assert verify_cose_receipt(signer.sign(text), trust)


def test_nothing_of_another_log_or_batch_is_signed(grown: World) -> None:
    """A checkpoint of another key; a descriptor that isn't under the checkpoint."""
    signer, (text, other, _) = grown.parts.receipt_signer(), receipts(grown)
    with pytest.raises(StoreDamaged):
        signer.sign(canonical.dumps(make().receipt("s1", 2)))
    members = json.loads(text) | {"log": json.loads(other)["log"]}
    with pytest.raises(StoreDamaged):
        signer.sign(canonical.dumps(members))


def test_while_the_gate_is_closed_nothing_is_signed(grown: World) -> None:
    """The mark is gone, so nobody knows which keys are the log's."""
    text = receipts(grown)[0]
    grown.parts.settings.mark_file.unlink()
    signer = connect(grown.parts.settings).receipt_signer()
    with pytest.raises(StateRefused):
        signer.sign(text)
