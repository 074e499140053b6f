# SPDX-License-Identifier: Apache-2.0
"""One root for a size: forks, and what others with the app's key may do."""

import json
from dataclasses import replace

import pytest

from notary.ledgers.port import LedgerRefused, LedgerUnavailable
from tests.bsn.gateway import MockGateway
from tests.ledgers.bsn.place import Place
from tests.ledgers.contract import NOW, checkpoint

THREE = checkpoint(3)
FORKED = replace(THREE, root=bytes(32))


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
