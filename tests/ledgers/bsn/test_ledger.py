# SPDX-License-Identifier: Apache-2.0
"""From `set` to a block whose bytes hold: what is believed on the way, and what never is."""

import json
from dataclasses import replace

import pytest

from notary.core.trust import LedgerTrust
from notary.evidence import check_evidence
from notary.ledgers.bsn.ledger import PATIENCE
from notary.ledgers.bsn.verdicts import NAMES, SET_AGAIN
from notary.ledgers.port import LedgerRefused, LedgerUnavailable
from tests.bsn.gateway import MockGateway
from tests.bsn.wire import Key
from tests.fabric.network import Network
from tests.ledgers.bsn.place import Place
from tests.ledgers.contract import NOW, ORIGIN, OTHER, checkpoint

THREE = checkpoint(3)
FORKED = replace(THREE, root=bytes(32))


@pytest.fixture
def slow(gateway: MockGateway) -> MockGateway:
    """A gateway whose channel cuts a block only when it is told to."""
    gateway.chain.delay_seconds = None
    return gateway


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


def test_of_two_that_wait_the_peers_take_one(place: Place, slow: MockGateway) -> None:
    """The answer was lost before the block came: the second set fails by code 11, no anchor."""
    slow.twists["reqChainCode"] = lambda *_: None
    ledger = place.open(timeout_seconds=0.5)
    with pytest.raises(LedgerUnavailable):
        ledger.submit(THREE, None, NOW)
    slow.twists.clear()
    second = ledger.submit(THREE, None, NOW)
    slow.chain.cut()
    assert slow.chain.placed[second].code == 11
    assert ledger.confirm(THREE, second) == "unknown"
    first = ledger.submit(THREE, second, NOW)
    assert first != second
    assert ledger.confirm(THREE, first) == "verified"
    assert ledger.confirm(THREE, second) == "unknown"


@pytest.mark.parametrize("code", SET_AGAIN)
def test_a_code_that_asks_for_another_try_gets_one(
    place: Place, gateway: MockGateway, code: int
) -> None:
    """MVCC conflict, phantom read, an id that was used, a chaincode that was exchanged."""
    ledger = place.open()
    gateway.chain.code = code
    reference = ledger.submit(THREE, None, NOW)
    assert ledger.confirm(THREE, reference) == "unknown"
    again = ledger.submit(THREE, reference, NOW)
    assert again != reference
    assert ledger.confirm(THREE, again) == "verified"


@pytest.mark.parametrize("code", [*NAMES, 26, 99])
def test_a_code_that_lasts_stops_the_ledger_until_a_person_looked(
    place: Place, gateway: MockGateway, code: int
) -> None:
    """It says which code; a retry sets again."""
    ledger = place.open()
    gateway.chain.code = code
    reference = ledger.submit(THREE, None, NOW)
    for who in (ledger, place.open()):
        with pytest.raises(LedgerRefused, match=f"validation code {code}, "):
            who.confirm(THREE, reference)
        assert who.newest(ORIGIN) is None
    again = ledger.submit(THREE, reference, NOW)
    assert ledger.confirm(THREE, again) == "verified"


def test_a_block_that_no_peer_looked_at_yet_is_waited_for(
    place: Place, gateway: MockGateway
) -> None:
    """Code 254."""
    ledger = place.open()
    gateway.chain.code = 254
    reference = ledger.submit(THREE, None, NOW)
    assert ledger.confirm(THREE, reference) == "submitted"


def test_a_block_that_never_comes_is_not_waited_for_for_ever(
    place: Place, slow: MockGateway
) -> None:
    """After some looks the root is set once more; the first may come all the same."""
    ledger = place.open()
    lost = ledger.submit(THREE, None, NOW)
    states = [ledger.confirm(THREE, lost) for _ in range(PATIENCE)]
    assert states == ["submitted"] * (PATIENCE - 1) + ["unknown"]
    second = ledger.submit(THREE, lost, NOW)
    assert second != lost
    assert ledger.confirm(THREE, second) == "submitted"
    slow.chain.waiting.pop(0)
    slow.chain.cut()
    assert ledger.confirm(THREE, second) == "verified"


def test_no_block_in_time_is_unknown_and_not_set_again_at_once(
    place: Place, slow: MockGateway
) -> None:
    """Status -1 is no failure: the block may come any moment."""
    ledger = place.open()
    reference = ledger.submit(THREE, None, NOW)
    slow.timed_out.add(reference)
    assert ledger.confirm(THREE, reference) == "unknown"
    assert ledger.submit(THREE, reference, NOW) == reference
    assert slow.count("reqChainCode", "set") == 1
    slow.chain.cut()
    assert ledger.confirm(THREE, reference) == "verified"


def test_that_it_is_valid_is_never_believed(place: Place, slow: MockGateway) -> None:
    """getTransaction says status 0, signed, while there is no block."""
    ledger = place.open()
    reference = ledger.submit(THREE, None, NOW)
    body = {
        "blockHash": "00" * 32,
        "blockNumber": 7,
        "status": 0,
        "createName": "",
        "timeSpanSec": 1,
        "timeSpanNsec": 1,
    }
    slow.twists["getTransaction"] = lambda *_: slow.signed("getTransaction", 0, "success", body)
    assert ledger.confirm(THREE, reference) == "submitted"
    assert ledger.newest(ORIGIN) is None


def test_the_block_counts_where_the_status_says_otherwise(
    place: Place, gateway: MockGateway
) -> None:
    """getTransaction says valid, the block's code says 10."""
    ledger = place.open()
    gateway.chain.code = 10
    reference = ledger.submit(THREE, None, NOW)
    gateway.twists["getTransaction"] = lambda _, answer: gateway.signed(
        "getTransaction", 0, "success", {**answer["body"], "status": 0}
    )
    with pytest.raises(LedgerRefused, match="code 10"):
        ledger.confirm(THREE, reference)


def test_that_the_chaincode_has_it_is_never_believed(place: Place, slow: MockGateway) -> None:
    """`get` isn't asked, and a history without blocks behind it anchors nothing."""
    ledger = place.open()
    reference = ledger.submit(THREE, None, NOW)
    history = json.dumps([{"txId": reference, "dataInfo": THREE.root.hex(), "isDelete": False}])
    body = {
        "blockInfo": {"txId": "0" * 64, "blockHash": "", "status": 0},
        "ccRes": {"ccCode": 200, "ccData": history},
    }
    slow.twists["reqChainCode"] = lambda *_: slow.signed("reqChainCode", 0, "success", body)
    assert ledger.confirm(THREE, None) == "unknown"
    assert slow.count("reqChainCode", "get") == 0


def test_another_root_in_a_block_is_a_fork(place: Place) -> None:
    """Found by whoever comes with it, with a reference and without."""
    ledger = place.open()
    reference = ledger.submit(THREE, None, NOW)
    for who in (ledger, place.open()):
        for known in (None, reference):
            with pytest.raises(LedgerRefused, match="another root for size 3"):
                who.submit(FORKED, known, NOW)
            with pytest.raises(LedgerRefused, match="another root for size 3"):
                who.confirm(FORKED, known)
            with pytest.raises(LedgerRefused):
                who.evidence(FORKED, known)


def test_another_root_that_comes_first_by_minutes_is_a_fork(
    place: Place, slow: MockGateway
) -> None:
    """Both were endorsed, one got into the block: the other is refused, not set again."""
    ledger, other = place.open(), place.open()
    theirs = other.submit(FORKED, None, NOW)
    ours = ledger.submit(THREE, None, NOW)
    slow.chain.cut()
    assert other.confirm(FORKED, theirs) == "verified"
    assert ledger.confirm(THREE, ours) == "unknown"
    with pytest.raises(LedgerRefused, match="another root for size 3"):
        ledger.submit(THREE, ours, NOW)


def test_a_root_that_failed_under_our_key_is_no_fork(place: Place, gateway: MockGateway) -> None:
    """What the peers refused stands in a block, and is no anchor of anything."""
    ledger = place.open()
    gateway.chain.code = 11
    place.open().submit(FORKED, None, NOW)
    reference = ledger.submit(THREE, None, NOW)
    assert ledger.confirm(THREE, reference) == "verified"


def test_what_others_with_the_apps_key_write_later_takes_nothing_away(
    place: Place, gateway: MockGateway
) -> None:
    """`update` and `delete` change the state; the block with our `set` stays."""
    ledger = place.open()
    reference = ledger.submit(THREE, None, NOW)
    value = json.dumps({"baseKey": place.key(THREE), "baseValue": "00" * 32})
    gateway.chain.call("update", [value])
    assert ledger.confirm(THREE, reference) == "verified"
    assert ledger.submit(THREE, None, NOW) == reference
    gateway.chain.call("delete", [place.key(THREE)])
    assert ledger.confirm(THREE, reference) == "verified"
    assert place.open().confirm(THREE, None) == "verified"


def test_an_update_is_no_anchor(place: Place, gateway: MockGateway) -> None:
    """Whoever may write over a value could write any; only `set` looks before."""
    ledger = place.open()
    gateway.chain.call("set", [json.dumps({"baseKey": place.key(THREE), "baseValue": "x"})])
    value = json.dumps({"baseKey": place.key(THREE), "baseValue": THREE.root.hex()})
    tx, _ = gateway.chain.call("update", [value])
    assert place.held(THREE) == THREE.root.hex()
    assert ledger.confirm(THREE, tx) == "unknown"
    with pytest.raises(LedgerUnavailable, match="already exists"):
        ledger.submit(THREE, None, NOW)


def test_a_set_that_is_refused_for_another_reason_says_which(
    place: Place, gateway: MockGateway
) -> None:
    """Nothing is found in the history then, and the reason isn't read by a machine."""
    body = {
        "blockInfo": {"txId": "", "blockHash": "", "status": 0},
        "ccRes": {"ccCode": 500, "ccData": "failed to add data: disk full"},
    }
    gateway.twists["reqChainCode"] = lambda *_: gateway.signed("reqChainCode", 0, None, body)
    with pytest.raises(LedgerUnavailable, match="says no to set: failed to add data: disk full"):
        place.open().submit(THREE, None, NOW)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"blockInfo": None, "ccRes": None},
        {"blockInfo": {"txId": "", "blockHash": "", "status": 0}},
        {"ccRes": {"ccCode": 200, "ccData": "SUCCESS"}},
    ],
    ids=str,
)
def test_a_result_without_its_parts_is_no_answer(
    place: Place, gateway: MockGateway, body: dict[str, object]
) -> None:
    """Signed, and of no use; nobody knows then what became of the call."""
    block = body.get("blockInfo") or {"txId": "", "blockHash": "", "status": ""}
    result = body.get("ccRes") or {"ccCode": "", "ccData": ""}
    signed = gateway.signed("reqChainCode", 0, None, {"blockInfo": block, "ccRes": result})
    gateway.twists["reqChainCode"] = lambda *_: {**signed, "body": body}
    with pytest.raises(LedgerUnavailable, match="without a result"):
        place.open().submit(THREE, None, NOW)


@pytest.mark.parametrize("tx", ["", "x", "AB" * 32, "ab" * 31])
def test_an_id_that_is_none_is_no_reference(place: Place, gateway: MockGateway, tx: str) -> None:
    """It would find nothing again."""
    body = {
        "blockInfo": {"txId": tx, "blockHash": "", "status": 0},
        "ccRes": {"ccCode": 200, "ccData": "SUCCESS"},
    }
    gateway.twists["reqChainCode"] = lambda *_: gateway.signed("reqChainCode", 0, None, body)
    with pytest.raises(LedgerUnavailable, match="without a txId"):
        place.open().submit(THREE, None, NOW)


@pytest.mark.parametrize(
    "history", ["", "x", "{}", '{"txId":1}', "7", '["a"]', "[{}]", "[" * 9999, '[{"txId":null}]']
)
def test_a_history_that_is_none_is_no_answer(
    place: Place, gateway: MockGateway, history: str
) -> None:
    """Neither a traceback, nor taken as empty where it isn't."""
    ledger = place.open()
    body = {
        "blockInfo": {"txId": "0" * 64, "blockHash": "", "status": 0},
        "ccRes": {"ccCode": 200, "ccData": history},
    }
    gateway.twists["reqChainCode"] = lambda *_: gateway.signed("reqChainCode", 0, None, body)
    if history in ("{}", '[{"txId":null}]'):
        assert ledger.confirm(THREE, None) == "unknown"
        return
    with pytest.raises(LedgerUnavailable, match="what is no history"):
        ledger.confirm(THREE, None)


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


def test_fewer_endorsements_than_demanded_are_no_anchor(place: Place) -> None:
    """Two organisations endorse here."""
    enough = place.open(endorsements=2)
    reference = enough.submit(THREE, None, NOW)
    assert enough.confirm(THREE, reference) == "verified"
    assert enough.trust()["endorsements"] == 2


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
