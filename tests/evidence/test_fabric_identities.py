# SPDX-License-Identifier: Apache-2.0
"""Who may sign what in a Fabric block: by the trust file's CAs, with the right role, in time."""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.x509.oid import ObjectIdentifier

from notary.core.errors import ReceiptRefused
from notary.core.receipt_ledgers import Found
from tests.evidence.fabric_city import HONEST, NETWORK, TRUST, block_of, draft, look
from tests.fabric.network import NOW
from tests.fabric.pki import Identity, Organisation, derive_key, sign
from tests.fabric.wire import octets

ORGA, ORGB = NETWORK.msps.values()
ORDERERS = NETWORK.orderers["OrdererMSP"]
IMPOSTOR = Organisation("OrgaNodeMSP", NOW, seed="somebody else")
FALSE_ORDERERS = Organisation("OrdererMSP", NOW, seed="somebody else")
STRANGERS = Organisation("StrangerMSP", NOW)
UNKNOWN = x509.UnrecognizedExtension(ObjectIdentifier("1.2.3.4.5"), b"\x05\x00")


def as_creator(who: Identity) -> Found:
    """The anchor by another creator."""
    transaction = draft(creator=who).build()
    return look(block_of(transaction), transaction.tx_id)


def as_endorser(who: Identity) -> Found:
    """The anchor with one endorsement, by that one."""
    transaction = draft(endorsers=[who]).build()
    return look(block_of(transaction), transaction.tx_id)


def as_orderer(who: Identity) -> Found:
    """The anchor in a block of another orderer."""
    return look(block_of(HONEST, orderers=[who]))


def refuse(judge: Callable[[Identity], Found], who: Identity, match: str | None = None) -> None:
    with pytest.raises(ReceiptRefused, match=match) as refusal:
        judge(who)
    assert refusal.value.facts["reason"] == "ledger-evidence"


PLACES = {
    "creator": (as_creator, ORGA, "client"),
    "endorser": (as_endorser, ORGA, "peer"),
    "orderer": (as_orderer, ORDERERS, "orderer"),
}
places = pytest.mark.parametrize(("judge", "organisation", "role"), PLACES.values(), ids=PLACES)


@places
def test_another_node_of_the_organisation_holds(
    judge: Callable[[Identity], Found], organisation: Organisation, role: str
) -> None:
    """With whatever else its certificate says of units, and without extensions too."""
    for who in (
        organisation.issue(role, "second"),
        organisation.issue(role, "third", units=("a department", role, "com")),
        organisation.issue(role, "fourth", bare=True),
        organisation.issue(role, "fifth", x509.SubjectAlternativeName([x509.DNSName("a.b")])),
    ):
        assert judge(who).status == "held"


# Certificates

CERTIFICATES: dict[str, Callable[[Organisation, str], Identity]] = {
    "expired": lambda one, role: one.issue(role, "x", days=(-300, -1)),
    "not yet valid": lambda one, role: one.issue(role, "x", days=(1, 300)),
    "of a CA": lambda one, role: one.issue(role, "x", is_ca=True),
    "not for signing": lambda one, role: one.issue(role, "x", signs=False),
    "with a critical extension of its own": lambda one, role: one.issue(role, "x", UNKNOWN),
    "of a P-384 key": lambda one, role: one.issue(role, "x", curve=ec.SECP384R1()),
    "of a secp256k1 key": lambda one, role: one.issue(role, "x", curve=ec.SECP256K1()),
    "of a CA with the same name": lambda one, role: Organisation(
        one.id, NOW, seed="somebody else"
    ).issue(role, "x"),
    "of a CA with the same key and another name": lambda one, role: Identity(
        one.id, *_parts(Organisation("OtherMSP", NOW, seed=one.id).issue(role, "x"))
    ),
    "of another organisation": lambda one, role: Identity(
        one.id, *_parts(STRANGERS.issue(role, "x"))
    ),
    "of one who was issued it by a member": lambda one, role: issued_by_a_member(one, role),
    "the CA's own": lambda one, role: Identity(one.id, one.ca_der, one.key),
}


def _parts(who: Identity) -> tuple[bytes, ec.EllipticCurvePrivateKey]:
    return who.der, who.key


def issued_by_a_member(one: Organisation, role: str) -> Identity:
    """A member's key plays the CA, under the CA's name."""
    false = Organisation(one.id, NOW, seed=f"{one.id}/x")
    assert false.key.private_numbers() == one.issue(role, "x").key.private_numbers()
    return false.issue(role, "y")


@places
@pytest.mark.parametrize("certificate", CERTIFICATES.values(), ids=CERTIFICATES)
def test_a_certificate_that_does_not_hold_is_refused(
    judge: Callable[[Identity], Found],
    organisation: Organisation,
    role: str,
    certificate: Callable[[Organisation, str], Identity],
) -> None:
    """Whoever it is used for, though its key signed all that it should."""
    refuse(judge, certificate(organisation, role), "certificate|key")


@pytest.mark.parametrize("units", [("client",), ("admin",), ("orderer",), (), ("Peer",)])
def test_only_a_peer_endorses(units: tuple[str, ...]) -> None:
    """Everybody else has a certificate of the same CA."""
    refuse(as_endorser, ORGA.issue("", "x", units=units), "kind peer")


@pytest.mark.parametrize("units", [("client",), ("admin",), ("peer",), ()])
def test_only_an_orderer_orders(units: tuple[str, ...]) -> None:
    """Everybody else has a certificate of the same CA."""
    refuse(as_orderer, ORDERERS.issue("", "x", units=units), "kind orderer")


def test_who_has_two_roles_has_none() -> None:
    """Fabric refuses them as well."""
    refuse(as_endorser, ORGA.issue("", "x", units=("peer", "client")), "kind peer")
    refuse(as_orderer, ORDERERS.issue("", "x", units=("orderer", "peer")), "kind orderer")


def test_a_ca_that_was_not_valid_at_the_time_is_refused() -> None:
    """Though its member's certificate says that it was."""
    late = Organisation("OrgaNodeMSP", NOW, ca_days=(1, 8000))
    trust = {**TRUST, "msps": [{"id": late.id, "roots": [_base64(late)]}]}
    transaction = draft(endorsers=[NETWORK.peers[0]]).build()
    with pytest.raises(ReceiptRefused, match="not valid at"):
        look(block_of(transaction), transaction.tx_id, trust)


def test_validity_has_both_its_ends() -> None:
    """The transaction's time may be the first or the last second of a certificate."""
    peer = ORGA.issue("peer", "x", days=(-1, 1))
    first, last = NOW - timedelta(days=1), NOW + timedelta(days=1)
    for time, holds in (
        (first, True),
        (last, True),
        (first - timedelta(microseconds=1), False),
        (last + timedelta(microseconds=1), False),
    ):
        transaction = draft(endorsers=[peer], time=time).build()
        block = block_of(transaction)
        if holds:
            assert look(block, transaction.tx_id).status == "held"
        else:
            with pytest.raises(ReceiptRefused, match="not valid at"):
                look(block, transaction.tx_id)


def _base64(one: Organisation) -> str:
    return base64.b64encode(one.ca_der).decode()


# Identities


@dataclass
class Odd(Identity):
    """One whose serialised form is what a test says."""

    form: bytes = b""

    @property
    def serialized(self) -> bytes:
        """As said."""
        return self.form


def odd(organisation: Organisation, role: str, form: Callable[[bytes], bytes]) -> Odd:
    """A member whose PEM, or whole identity, was changed."""
    who = organisation.issue(role, "x")
    return Odd(who.msp, who.der, who.key, form(who.pem))


@places
def test_line_ends_of_a_certificate_are_a_matter_of_taste(
    judge: Callable[[Identity], Found], organisation: Organisation, role: str
) -> None:
    """Clients hand over the file as they have it."""
    for change in (
        lambda pem: pem.replace(b"\n", b"\r\n"),
        lambda pem: pem.rstrip(b"\n"),
        lambda pem: b"\n" + pem,
    ):
        who = odd(
            organisation,
            role,
            lambda pem, change=change: octets(1, organisation.id) + octets(2, change(pem)),
        )
        assert judge(who).status == "held"


IDENTITIES: dict[str, Callable[[str, bytes], bytes]] = {
    "nothing": lambda msp, pem: b"",
    "no certificate": lambda msp, pem: octets(1, msp),
    "no organisation": lambda msp, pem: octets(2, pem),
    "an organisation that isn't known": lambda msp, pem: octets(1, "OtherMSP") + octets(2, pem),
    "an organisation with a control character": lambda msp, pem: (
        octets(1, msp + "\x1b[2J") + octets(2, pem)
    ),
    "two organisations": lambda msp, pem: octets(1, msp) * 2 + octets(2, pem),
    "two certificates": lambda msp, pem: octets(1, msp) + octets(2, pem + pem),
    "text before the certificate": lambda msp, pem: octets(1, msp) + octets(2, b"a\n" + pem),
    "text behind the certificate": lambda msp, pem: octets(1, msp) + octets(2, pem + b"a"),
    "DER": lambda msp, pem: (
        octets(1, msp) + octets(2, base64.b64decode(b"".join(pem.splitlines()[1:-1])))
    ),
    "a key": lambda msp, pem: octets(1, msp) + octets(2, pem.replace(b"CERTIFICATE", b"KEY")),
    "half a certificate": lambda msp, pem: (
        octets(1, msp) + octets(2, b"\n".join(pem.splitlines()[:3] + pem.splitlines()[-1:]))
    ),
    "no base64": lambda msp, pem: octets(1, msp) + octets(2, pem.replace(b"MII", b"***")),
}


@places
@pytest.mark.parametrize("form", IDENTITIES.values(), ids=IDENTITIES)
def test_an_identity_that_names_nobody_is_refused(
    judge: Callable[[Identity], Found],
    organisation: Organisation,
    role: str,
    form: Callable[[str, bytes], bytes],
) -> None:
    """Or more than one, or nobody whom the trust file knows."""
    refuse(judge, odd(organisation, role, lambda pem: form(organisation.id, pem)))


def test_the_organisation_that_an_identity_claims_must_have_issued_it() -> None:
    """A member of one is none of the other."""
    for judge, who in (
        (as_creator, ORGA.issue("client", "x")),
        (as_endorser, ORGA.issue("peer", "x")),
    ):
        refuse(judge, Identity("OrgbNodeMSP", who.der, who.key), "no CA of its")


def test_a_peers_organisation_does_not_order_nor_an_orderers_endorse() -> None:
    """They are listed apart."""
    refuse(as_orderer, ORGA.issue("orderer", "x"), "not in the trust file")
    refuse(as_endorser, ORDERERS.issue("peer", "x"), "0 organisations")
    refuse(as_creator, ORDERERS.issue("client", "x"), "not in the trust file")


# Signatures


@dataclass
class Signing(Identity):
    """One who signs in a way that a test says."""

    how: Callable[[ec.EllipticCurvePrivateKey, bytes], bytes] = sign

    def sign(self, message: bytes) -> bytes:
        """As said."""
        return self.how(self.key, message)


def _long_form(der: bytes) -> bytes:
    return b"\x30\x81" + der[1:]


SIGNATURES: dict[str, Callable[[ec.EllipticCurvePrivateKey, bytes], bytes]] = {
    "of another key": lambda key, message: sign(derive_key("another"), message),
    "of another text": lambda key, message: sign(key, message + b"\x00"),
    "of the text without its end": lambda key, message: sign(key, message[:-1]),
    "with the higher s": lambda key, message: sign(key, message, high=True),
    "none": lambda key, message: b"",
    "of zeros": lambda key, message: encode_dss_signature(0, 0),
    "with something behind it": lambda key, message: sign(key, message) + b"\x00",
    "with a length spelt long": lambda key, message: _long_form(sign(key, message)),
    "as two numbers": lambda key, message: bytes(64),
}


@places
@pytest.mark.parametrize("how", SIGNATURES.values(), ids=SIGNATURES)
def test_a_signature_that_is_not_the_signers_is_refused(
    judge: Callable[[Identity], Found],
    organisation: Organisation,
    role: str,
    how: Callable[[ec.EllipticCurvePrivateKey, bytes], bytes],
) -> None:
    """Nor is one in another spelling, which anybody could make of a good one."""
    who = organisation.issue(role, "x")
    refuse(judge, Signing(who.msp, who.der, who.key, how), "signature does not hold")


def test_each_place_wants_its_own_signers_key() -> None:
    """A good certificate of one, a good signature of another of the same organisation."""
    other = ORGA.issue("peer", "y")
    for changes in ({"creator_signer": other}, {"endorser_signer": other}):
        transaction = draft(**changes).build()
        with pytest.raises(ReceiptRefused, match="signature does not hold"):
            look(block_of(transaction), transaction.tx_id)
    with pytest.raises(ReceiptRefused, match="signature does not hold"):
        look(block_of(HONEST, signer=ORDERERS.issue("orderer", "y")))


# How many


def test_one_organisation_that_endorsed_is_enough_where_no_more_are_demanded() -> None:
    """And only what holds is told."""
    assert as_endorser(NETWORK.peers[1]).facts["endorsers"] == "OrgbNodeMSP"


def test_nobody_who_endorsed_is_not_enough() -> None:
    """Then the peers would call it invalid."""
    transaction = draft(endorsers=[]).build()
    with pytest.raises(ReceiptRefused, match="0 organisations"):
        look(block_of(transaction), transaction.tx_id)


def test_two_endorsements_of_one_organisation_count_once() -> None:
    """Where two are demanded, two different ones must have endorsed."""
    two = {**TRUST, "endorsements": 2}
    assert look(trust=two).status == "held"
    transaction = draft(endorsers=[NETWORK.peers[0], ORGA.issue("peer", "second")]).build()
    assert look(block_of(transaction), transaction.tx_id).status == "held"
    with pytest.raises(ReceiptRefused, match="1 organisations endorsed, 2"):
        look(block_of(transaction), transaction.tx_id, two)


def test_who_is_not_in_the_trust_file_does_not_count_and_does_no_harm() -> None:
    """A channel may have members whom the verifier doesn't know."""
    stranger = STRANGERS.issue("peer", "x")
    transaction = draft(endorsers=[stranger, NETWORK.peers[0]]).build()
    found = look(block_of(transaction), transaction.tx_id)
    assert found.facts["endorsers"] == "OrgaNodeMSP"
    refuse(as_endorser, stranger, "0 organisations")


def test_an_endorsement_that_does_not_hold_is_refused_beside_one_that_does() -> None:
    """Of an organisation in the trust file."""
    false = IMPOSTOR.issue("peer", "x")
    transaction = draft(endorsers=[NETWORK.peers[1], false]).build()
    with pytest.raises(ReceiptRefused, match="no CA of its"):
        look(block_of(transaction), transaction.tx_id)


def test_all_who_ordered_are_known_and_hold() -> None:
    """Their signatures stand outside of what is hashed."""
    more = Organisation("SecondOrdererMSP", NOW)
    both = [NETWORK.orderer, more.issue("orderer", "x")]
    block = block_of(HONEST, orderers=both)
    with pytest.raises(ReceiptRefused, match="not in the trust file"):
        look(block)
    listed = [*TRUST["orderers"], {"id": more.id, "roots": [_base64(more)]}]
    found = look(block, trust={**TRUST, "orderers": listed})
    assert found.facts["orderers"] == "OrdererMSP, SecondOrdererMSP"
    with pytest.raises(ReceiptRefused, match="no CA of its"):
        look(block_of(HONEST, orderers=[NETWORK.orderer, FALSE_ORDERERS.issue("orderer", "x")]))
    with pytest.raises(ReceiptRefused, match="No orderer"):
        look(block_of(HONEST, orderers=[]))


def test_the_creators_organisation_can_be_pinned() -> None:
    """Where it isn't, any member's may have made the transaction."""
    pinned = {**TRUST, "creator": "OrgaNodeMSP"}
    assert look(trust=pinned).status == "held"
    assert as_creator(ORGB.issue("client", "x")).facts["who"] == "OrgbNodeMSP"
    with pytest.raises(ReceiptRefused, match="creator is of OrgaNodeMSP"):
        look(trust={**TRUST, "creator": "OrgbNodeMSP"})


def test_an_organisation_may_have_several_cas() -> None:
    """An old one beside its successor."""
    roots = [_base64(IMPOSTOR), _base64(ORGA)]
    trust = {**TRUST, "msps": [{"id": "OrgaNodeMSP", "roots": roots}]}
    for organisation in (IMPOSTOR, ORGA):
        transaction = draft(
            creator=organisation.issue("client", "x"), endorsers=[organisation.issue("peer", "y")]
        ).build()
        assert look(block_of(transaction), transaction.tx_id, trust).status == "held"
