# SPDX-License-Identifier: Apache-2.0
"""A table of notary.toml makes a ledger, or a sentence for each of its faults."""

import ssl
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from notary.core.errors import NotaryError
from notary.keys import KeyRefused
from notary.ledgers.bsn import open_ledger
from notary.ledgers.bsn.chaincode import Chaincode
from notary.ledgers.bsn.ledger import BsnLedger
from notary.ledgers.port import LedgerUnavailable
from tests.bsn.files import CHAINCODE, write_files
from tests.bsn.gateway import MockGateway
from tests.bsn.wire import Key
from tests.evidence.test_fabric_trust import SM2_CA
from tests.fabric.network import Network
from tests.iot_ingest.certificates import Authority
from tests.ledgers.bsn.place import Place, make_chain
from tests.ledgers.contract import NOW, around, checkpoint


def faults_of(place: Place, **changes: Any) -> list[str]:
    """What is told of a table."""
    faults: list[str] = []
    try:
        made = open_ledger(place.table(faults, **changes), around())
    except NotaryError as error:
        return [*faults, error.detail]
    assert (made is None) == bool(faults)
    return faults


def test_a_whole_table_makes_a_ledger(place: Place) -> None:
    """With what the registry reads of it."""
    ledger = place.open(required=True, interval_seconds=60)
    assert (ledger.name, ledger.kind, ledger.own_word) == ("bsn", "bsn-fabric", False)
    assert ledger.required
    assert ledger.interval == timedelta(minutes=1)
    assert ledger.trust() == place.gateway.chain.network.trust()


@pytest.mark.parametrize(
    "key",
    [
        "url",
        "user_code",
        "app_code",
        "channel",
        "chaincode",
        "key_file",
        "gateway_key_file",
        "msps",
        "orderers",
    ],
)
def test_a_key_that_is_missing_is_told(place: Place, key: str) -> None:
    """By its name."""
    assert f"Ledger 1 (bsn): {key} is missing." in faults_of(place, **{key: None})


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"url": "http://gateway.example:17502"}, "must be an address by https"),
        ({"algorithm": "sm2"}, "sm2 is not built"),
        ({"algorithm": "k1"}, "k1 is not built"),
        ({"algorithm": "rsa"}, "algorithm must be one of r1"),
        ({"key_mode": 2}, "key_mode 2, keys that are uploaded, is not built"),
        ({"key_mode": 3}, "key_mode must be a whole number"),
        ({"endorsements": 0}, "endorsements must be a whole number"),
        ({"endorsements": 3}, "More endorsements are demanded"),
        ({"msps": ["OrgaNodeMSP"]}, 'texts like "OrgMSP=ca.pem"'),
        ({"msps": ["=a.pem"]}, 'texts like "OrgMSP=ca.pem"'),
        ({"msps": ["OrgaNodeMSP="]}, 'texts like "OrgMSP=ca.pem"'),
        ({"msps": ["A=OrgaNodeMSP.pem", "A=OrgbNodeMSP.pem"]}, "each organisation once"),
        ({"orderers": ["OrdererMSP=gone.pem"]}, "gone.pem can't be read"),
        ({"orderers": ["OrdererMSP=gateway.pem"]}, "holds no certificates in PEM"),
        ({"orderers": ["OrdererMSP=empty.pem"]}, "holds no certificates in PEM"),
        ({"msps": ["Orga NodeMSP=OrgaNodeMSP.pem"]}, "MSP id"),
        ({"key_file": "gone.pem"}, "gone.pem can't be read"),
        ({"gateway_key_file": "gone.pem"}, "gone.pem can't be read"),
        ({"gateway_key_file": "access.pem"}, "neither a public key nor a certificate"),
        ({"key_file": "gateway.pem"}, "may be read by others"),
        ({"tls_ca_file": "empty.pem", "url": "https://localhost"}, "holds no certificates"),
        ({"user_name": ""}, "user_name must be text"),
        ({"timeout_seconds": 0}, "timeout_seconds must lie between"),
        ({"usercode": "USER1"}, "usercode is not known"),
    ],
    ids=str,
)
def test_a_fault_is_told_as_a_sentence(place: Place, changes: dict[str, Any], why: str) -> None:
    """That an operator can act on."""
    (place.folder / "empty.pem").touch()
    (place.folder / "gateway.pem").chmod(0o644)
    told = faults_of(place, **changes)
    assert any(why in fault for fault in told), told


def sm2_pem() -> bytes:
    """A certificate that signs by SM2."""
    return f"-----BEGIN CERTIFICATE-----\n{SM2_CA.strip()}\n-----END CERTIFICATE-----\n".encode()


@pytest.mark.parametrize("key", ["msps", "orderers"])
def test_a_channel_whose_blocks_cannot_be_checked_is_refused(place: Place, key: str) -> None:
    """Nothing on it would ever be verified: better told before the first transaction is paid."""
    (place.folder / "sm2.pem").write_bytes(sm2_pem())
    table = place.table([])
    names = table.texts(key)
    told = faults_of(place, **{key: [*names, "SmMSP=sm2.pem"]})
    assert told == [
        "Ledger 1 (bsn): a certificate in msps or orderers signs by SM2, which can't be checked."
    ]


def test_a_block_that_cannot_be_checked_is_no_anchor(place: Place) -> None:
    """Not checked is not held, however one came there."""
    honest = place.open()
    reference = honest.submit(checkpoint(1), None, NOW)
    sm2 = {"id": "SmMSP", "roots": [SM2_CA.replace("\n", "")]}
    msps = honest.trust()["msps"]
    assert isinstance(msps, list)
    chaincode = Chaincode(place.client(), CHAINCODE, "")
    ledger = BsnLedger("bsn", {**honest.trust(), "msps": [*msps, sm2]}, chaincode)
    with pytest.raises(LedgerUnavailable, match="can't be checked here"):
        ledger.confirm(checkpoint(1), reference)


def test_all_faults_are_told_at_once(place: Place) -> None:
    """Nobody has to come again for the next."""
    told = faults_of(place, url=None, algorithm="sm2", msps=["x"], tls="no")
    assert len(told) == 4


def test_a_user_of_the_app_is_named_in_its_calls(place: Place, gateway: MockGateway) -> None:
    """Where the app has users; else the name is empty."""
    place.open(user_name="notary").submit(checkpoint(1), None, NOW)
    place.open().submit(checkpoint(2), None, NOW)
    calls = [body["userName"] for name, body in gateway.asked if name == "reqChainCode"]
    assert calls == ["notary", ""]


def test_several_authorities_of_an_organisation_stand_in_one_file(
    place: Place, network: Network
) -> None:
    """While one is exchanged for the next, say."""
    one, other = (network.msps[name].ca_pem for name in ("OrgaNodeMSP", "OrgbNodeMSP"))
    (place.folder / "OrgaNodeMSP.pem").write_bytes(one + other)
    trust = place.open().trust()["msps"]
    assert isinstance(trust, list)
    assert [len(one["roots"]) for one in trust] == [2, 1]


@pytest.fixture
def authority() -> Authority:
    """Who vouches for the gateway's name."""
    return Authority("gateway")


@pytest.fixture
def tls(
    tmp_path: Path, network: Network, keys: tuple[Key, Key], authority: Authority
) -> Iterator[Place]:
    """A gateway by TLS, with a certificate of that authority for localhost."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue("localhost"))
    running = MockGateway(make_chain(network), access=keys[0], key=keys[1], tls=context)
    folder = tmp_path / "by-tls"
    folder.mkdir()
    write_files(folder, network, *keys)
    yield Place(folder, running)
    running.close()


def test_tls_is_verified_by_the_authority_that_is_named(tls: Place, authority: Authority) -> None:
    """By which a gateway with a certificate of BSN's own is reached."""
    ledger = tls.open(tls_ca_file=str(authority.file))
    reference = ledger.submit(checkpoint(1), None, NOW)
    assert ledger.confirm(checkpoint(1), reference) == "verified"


@pytest.mark.parametrize("is_named", [False, True])
def test_a_certificate_that_nobody_vouches_for_is_refused(tls: Place, is_named: bool) -> None:
    """Neither by the system's authorities nor by another's; nothing was asked then."""
    ca_file = str(Authority("another").file) if is_named else None
    with pytest.raises(LedgerUnavailable, match="can't be trusted"):
        tls.open(tls_ca_file=ca_file).submit(checkpoint(1), None, NOW)
    assert not tls.gateway.asked


def test_a_key_is_refused_where_it_is_needed_alone(place: Place) -> None:
    """A process that only reads never opens it."""
    (place.folder / "access.pem").chmod(0o644)
    place.open(writes=False)
    with pytest.raises(KeyRefused, match="chmod 600"):
        place.open()
