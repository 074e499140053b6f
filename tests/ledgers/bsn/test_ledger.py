# SPDX-License-Identifier: Apache-2.0
"""From `set` to a block whose bytes hold: what is handed over, kept and demanded."""

import json

import pytest

from notary.core.trust import LedgerTrust
from notary.evidence import check_evidence
from notary.ledgers.port import LedgerUnavailable
from tests.bsn.gateway import MockGateway
from tests.bsn.wire import Key
from tests.fabric.network import Network
from tests.ledgers.bsn.place import Place
from tests.ledgers.contract import NOW, ORIGIN, OTHER, checkpoint

THREE = checkpoint(3)
FOUR = checkpoint(4)


def test_it_is_submitted_until_there_is_a_block_and_verified_then(
    place: Place, slow: MockGateway
) -> None:
    """No block, no anchor."""
    ledger = place.open()
    reference = ledger.submit(THREE, None, NOW)
    assert ledger.confirm(THREE, reference) == "submitted"
    assert ledger.newest(ORIGIN) is None
    with pytest.raises(LedgerUnavailable):
        ledger.evidence(THREE, reference)
    slow.chain.cut()
    assert ledger.confirm(THREE, reference) == "verified"
    assert ledger.newest(ORIGIN) == (3, THREE.root)


def test_the_chain_gets_the_hash_of_the_origin_the_size_and_the_root(
    place: Place, gateway: MockGateway
) -> None:
    """And nothing else: no name, no time."""
    place.open().submit(THREE, None, NOW)
    asked = [body for name, body in gateway.asked if name == "reqChainCode"]
    assert len(asked) == 1
    assert asked[0]["funcName"] == "set"
    assert [json.loads(one) for one in asked[0]["args"]] == [
        {"baseKey": f"{THREE.origin_hash.hex()}-3", "baseValue": THREE.root.hex()}
    ]
    assert ORIGIN not in json.dumps(list(gateway.asked))


def test_the_evidence_convinces_a_stranger(place: Place) -> None:
    """Who has nothing but the trust file, and no way to the gateway."""
    ledger = place.open()
    reference = ledger.submit(THREE, None, NOW)
    evidence = ledger.evidence(THREE, reference)
    trust = LedgerTrust("bsn", "bsn-fabric", {"id": "bsn", "kind": "bsn-fabric", **ledger.trust()})
    found = check_evidence("bsn-fabric", evidence, 3, THREE.root, trust, ORIGIN)
    assert found.status == "held"
    assert evidence["tx"] == reference


def test_the_evidence_is_what_was_checked(place: Place, gateway: MockGateway) -> None:
    """It isn't asked for anew, when somebody else could answer."""
    ledger = place.open()
    reference = ledger.submit(THREE, None, NOW)
    assert ledger.confirm(THREE, reference) == "verified"
    before = len(gateway.asked)
    ledger.evidence(THREE, reference)
    assert len(gateway.asked) == before


def test_the_same_checkpoint_is_set_once(place: Place, gateway: MockGateway) -> None:
    """With and without its reference, by this process and the next."""
    reference = place.open().submit(THREE, None, NOW)
    for who in (place.open(), place.open()):
        for known in (reference, None, "not a transaction"):
            assert who.submit(THREE, known, NOW) == reference
    assert len(gateway.chain.placed) == 1


def test_what_timed_out_is_found_again(place: Place, gateway: MockGateway) -> None:
    """The answer was lost, the transaction wasn't: unknown, never failed, never doubled."""
    ledger = place.open(timeout_seconds=0.5)
    gateway.twists["reqChainCode"] = lambda *_: None
    with pytest.raises(LedgerUnavailable):
        ledger.submit(THREE, None, NOW)
    gateway.twists.clear()
    assert place.held(THREE) == THREE.root.hex()
    reference = ledger.submit(THREE, None, NOW)
    assert ledger.confirm(THREE, reference) == "verified"
    assert len(gateway.chain.placed) == 1


@pytest.mark.parametrize("which", ["msps", "orderers"])
def test_a_block_of_other_organisations_is_no_anchor(
    place: Place, gateway: MockGateway, which: str
) -> None:
    """The gateway answers right, and signs; under the configured roots it doesn't hold."""
    network = gateway.chain.network
    names = getattr(network, which)
    others = Network.make(msps=("XMSP", "YMSP"), orderer="ZMSP")
    stranger = next(iter(getattr(others, which).values())).ca_pem
    (place.folder / "stranger.pem").write_bytes(stranger)
    ledger = place.open(**{which: [f"{name}=stranger.pem" for name in names]})
    reference = ledger.submit(THREE, None, NOW)
    with pytest.raises(LedgerUnavailable, match="does not count"):
        ledger.confirm(THREE, reference)
    assert ledger.newest(ORIGIN) is None


def test_a_block_of_another_channel_is_no_anchor(place: Place) -> None:
    """Of which the configuration doesn't speak."""
    ledger = place.open(channel="app0001")
    reference = ledger.submit(THREE, None, NOW)
    with pytest.raises(LedgerUnavailable, match="another channel"):
        ledger.confirm(THREE, reference)


def test_fewer_endorsements_than_demanded_are_no_anchor(
    place: Place, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two organisations endorse here; where one does, its block is true and not enough."""
    ledger = place.open(endorsements=2)
    enough = ledger.submit(THREE, None, NOW)
    assert ledger.confirm(THREE, enough) == "verified"
    assert ledger.trust()["endorsements"] == 2
    monkeypatch.setattr(network, "peers", network.peers[:1])
    alone = ledger.submit(FOUR, None, NOW)
    assert place.open().confirm(FOUR, alone) == "verified"
    with pytest.raises(LedgerUnavailable, match="2 are demanded"):
        ledger.confirm(FOUR, alone)


def test_a_gateway_with_another_key_is_not_heard(place: Place) -> None:
    """The pin is what the operator was given, whatever TLS says."""
    (place.folder / "gateway.pem").write_bytes(Key.make().public_pem)
    ledger = place.open()
    for call in (
        lambda: ledger.submit(THREE, None, NOW),
        lambda: ledger.confirm(THREE, None),
        lambda: ledger.confirm(THREE, "0" * 64),
        lambda: ledger.evidence(THREE, "0" * 64),
        lambda: ledger.probe(),
    ):
        with pytest.raises(LedgerUnavailable, match="not made with the gateway's key"):
            call()


def test_two_logs_share_a_channel(place: Place) -> None:
    """The same size, other roots, other keys."""
    ledger = place.open()
    for origin in (ORIGIN, OTHER):
        what = checkpoint(3, origin)
        assert ledger.confirm(what, ledger.submit(what, None, NOW)) == "verified"


def test_a_process_that_only_reads_needs_no_key(place: Place) -> None:
    """It has the roots of trust, and nothing to sign questions with."""
    (place.folder / "access.pem").unlink()
    reader = place.open(writes=False)
    assert reader.trust() == place.gateway.chain.network.trust()
    assert reader.newest(ORIGIN) is None
    for call in (
        lambda: reader.submit(THREE, None, NOW),
        lambda: reader.confirm(THREE, None),
        lambda: reader.confirm(THREE, "0" * 64),
        lambda: reader.evidence(THREE, "0" * 64),
        lambda: reader.probe(),
    ):
        with pytest.raises(LedgerUnavailable, match="no key"):
            call()
