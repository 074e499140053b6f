# SPDX-License-Identifier: Apache-2.0
"""What a trust file says of a Fabric channel is read strictly, and told apart from evidence."""

import base64
from typing import Any

import pytest
from cryptography.hazmat.primitives.hashes import SHA224

from notary.core.errors import MalformedTrust, ReceiptRefused
from notary.core.receipt_ledgers import Found
from notary.evidence.fabric_trust import MAX_ORGANISATIONS, MAX_ROOTS, parse_members
from tests.evidence.fabric_city import HONEST, NETWORK, TRUST, block_of, draft, look
from tests.fabric.network import NOW
from tests.fabric.pki import Organisation

ROOT = base64.b64encode(NETWORK.msps["OrgaNodeMSP"].ca_der).decode()
MEMBER = NETWORK.peers[0].der
NO_CA = Organisation("OrgaNodeMSP", NOW, is_ca=False).ca_der
BARE = NETWORK.msps["OrgaNodeMSP"].issue("", "x", units=(), bare=True).der
NO_USE = NETWORK.msps["OrgaNodeMSP"].issue("", "x", units=(), is_ca=True).der
NO_KEY = NETWORK.msps["OrgaNodeMSP"].ca_der.replace(
    bytes.fromhex("06082a8648ce3d030107"), bytes.fromhex("06082a8648ce3d03017f")
)
SHORT_HASH = Organisation("OrgaNodeMSP", NOW, hash=SHA224())
SM2_CA = """\
MIIBcTCCARegAwIBAgIUJaeILmKRIGnJNMAITSNh4l8bVFMwCgYIKoEcz1UBg3UwDTELMAkGA1UE
AwwCY2EwIBcNMjYxMTI3MTEwNTM2WhgPMjEyNjExMDMxMTA1MzZaMA0xCzAJBgNVBAMMAmNhMFkw
EwYHKoZIzj0CAQYIKoEcz1UBgi0DQgAEmTI1KzF8GZu3+aNfwly3gmCqoZmP9BxRq6WZtR8ASOk+
1of4FxobnJe0CLgQJa2phu7ROUhpgrWP1JSoo4AT16NTMFEwHQYDVR0OBBYEFMDXGnkp0CDxGB/Z
Z+0govVgjAAGMB8GA1UdIwQYMBaAFMDXGnkp0CDxGB/ZZ+0govVgjAAGMA8GA1UdEwEB/wQFMAMB
Af8wCgYIKoEcz1UBg3UDSAAwRQIhAPmEUsuraXNcA32hkFzSGBSXQ34rvMHx0BqoFfMSjiNRAiBc
w/9RKXUiOOVkK9B2hPgTEvp/wbjnWhQ2fJvpjjQXpQ==
"""
"""
Made by openssl 3: `openssl req -x509 -newkey sm2 -sm3 -nodes -subj "/CN=ca" -days 36500`, DER.
"""


def encoded(der: bytes) -> str:
    return base64.b64encode(der).decode()


def org(id_: object = "OrgaNodeMSP", *roots: object) -> dict[str, object]:
    return {"id": id_, "roots": list(roots or (ROOT,))}


def test_the_trust_of_the_tests_is_read() -> None:
    """With what is absent: one endorsement, any creator."""
    trust = parse_members(TRUST)
    assert (trust.channel, trust.chaincode) == (NETWORK.channel, NETWORK.chaincode)
    assert list(trust.msps) == ["OrgaNodeMSP", "OrgbNodeMSP"]
    assert (trust.endorsements, trust.creator, trust.is_sm2) == (1, None, False)
    assert parse_members({**TRUST, "id": "bsn", "kind": "bsn-fabric"}) == trust


MALFORMED: dict[str, dict[str, Any]] = {
    "no channel": {"channel": None},
    "an empty channel": {"channel": ""},
    "a channel that is a number": {"channel": 7},
    "a channel with a line end": {"channel": "a\n"},
    "a long chaincode": {"chaincode": "c" * 250},
    "a chaincode that is a list": {"chaincode": ["c"]},
    "no organisation": {"msps": []},
    "no orderer": {"orderers": []},
    "organisations as an object": {"msps": org()},
    "too many organisations": {"msps": [org(f"Org{n}") for n in range(MAX_ORGANISATIONS + 1)]},
    "an organisation that is text": {"msps": ["OrgaNodeMSP"]},
    "an organisation with another member": {"msps": [{**org(), "admins": []}]},
    "an organisation without roots": {"msps": [{"id": "OrgaNodeMSP", "roots": []}]},
    "an organisation whose roots are text": {"msps": [{"id": "OrgaNodeMSP", "roots": ROOT}]},
    "too many roots": {"msps": [org("OrgaNodeMSP", *[ROOT] * (MAX_ROOTS + 1))]},
    "an organisation twice": {"msps": [org(), org()]},
    "an organisation without a name": {"msps": [org("")]},
    "an organisation whose name has a blank": {"msps": [org("Orga MSP")]},
    "a root that is a number": {"msps": [org("OrgaNodeMSP", 7)]},
    "a root that is empty": {"msps": [org("OrgaNodeMSP", "")]},
    "a root in PEM": {"msps": [org("OrgaNodeMSP", NETWORK.msps["OrgaNodeMSP"].ca_pem.decode())]},
    "a root in base64 with a line end": {"msps": [org("OrgaNodeMSP", ROOT + "\n")]},
    "a root that is cut": {"msps": [org("OrgaNodeMSP", ROOT[:400])]},
    "a root that is a member's": {"msps": [org("OrgaNodeMSP", encoded(MEMBER))]},
    "a root that is no CA's": {"msps": [org("OrgaNodeMSP", encoded(NO_CA))]},
    "a root whose key may not sign certificates": {"msps": [org("OrgaNodeMSP", encoded(NO_USE))]},
    "a root of which nothing is said": {"msps": [org("OrgaNodeMSP", encoded(BARE))]},
    "a root whose key is none": {"msps": [org("OrgaNodeMSP", encoded(NO_KEY))]},
    "an orderer's root that is none": {"orderers": [org("OrdererMSP", "AAAA")]},
    "no endorsement": {"endorsements": 0},
    "true endorsements": {"endorsements": True},
    "more endorsements than organisations": {"endorsements": 3},
    "a creator who is not in msps": {"creator": "OrdererMSP"},
    "a creator that is a list": {"creator": ["OrgaNodeMSP"]},
    "an unknown member": {"roots": [ROOT]},
}


@pytest.mark.parametrize("change", MALFORMED.values(), ids=MALFORMED)
def test_a_trust_file_that_cannot_be_used_is_not_the_evidences_fault(
    change: dict[str, Any],
) -> None:
    """And says what is wrong in a sentence, before anything is read of the evidence."""
    with pytest.raises(MalformedTrust, match=r"^[A-Zmo]"):
        parse_members({**TRUST, **change})
    with pytest.raises(MalformedTrust):
        look(b"\xff", trust={**TRUST, **change})


@pytest.mark.parametrize("name", ["channel", "chaincode", "msps", "orderers"])
def test_no_member_may_be_missing(name: str) -> None:
    """There is no harmless value for any."""
    with pytest.raises(MalformedTrust, match="missing"):
        parse_members({key: value for key, value in TRUST.items() if key != name})


@pytest.mark.parametrize("place", ["msps", "orderers"])
def test_a_network_with_sm2_is_not_checked_and_says_so(place: str) -> None:
    """By the trust file alone: evidence can't choose not to be checked."""
    sm2 = {**TRUST, place: [*TRUST[place], org("SmMSP", SM2_CA.replace("\n", ""))]}
    assert parse_members(sm2).is_sm2
    assert look(trust=sm2) == Found("not-checked", {"reason": "sm2"})
    assert look(b"\xff", HONEST.tx_id, sm2).status == "not-checked"


def test_how_a_cas_own_certificate_was_signed_does_not_matter() -> None:
    """It is trusted because it stands in the trust file; what it issued is another matter."""
    assert parse_members({**TRUST, "msps": [org("OrgaNodeMSP", encoded(SHORT_HASH.ca_der))]})
    signed = SHORT_HASH.issue("peer", "x", units=("peer",))
    transaction = draft(endorsers=[signed]).build()
    trust = {
        **TRUST,
        "msps": [org("OrgaNodeMSP", ROOT, encoded(SHORT_HASH.ca_der))],
    }
    with pytest.raises(ReceiptRefused, match="no CA of its"):
        look(block_of(transaction), transaction.tx_id, trust)
