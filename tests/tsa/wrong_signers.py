# SPDX-License-Identifier: Apache-2.0
"""Tokens by whoever is not the authority, or not for time stamps, or not then."""

from datetime import timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID as Eku

from notary.evidence.der import (
    OCTET_STRING,
    SEQUENCE,
    element,
)
from tests.tsa.certificates import FROM, TO, Wanted, between, certify, ec_key, root, rsa_key
from tests.tsa.city import city, stamp
from tests.tsa.forger import (
    CERTIFICATE,
    CERTIFICATE_V2,
    MD5,
    STAMPED,
    Forger,
    algorithm,
    certificate_id,
    certificate_id_v1,
    generalized,
    issuer_serial,
    meant,
    names,
)
from tests.tsa.tokens import Made, along, below, by, forged, stated


def resigned(**parts: object) -> bytes:
    """Signed with another key than the certificate's."""
    key = ec_key()
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return forged(sign=lambda octets: key.sign(octets, ec.ECDSA(hashes.SHA256())), **parts)


def twin(**others: object) -> bytes:
    """An authority whose certificates have the same names and numbers, and other keys."""
    real = city()
    top = root(serial=real.root.certificate.serial_number)
    issuing = between(top, serial=real.issuing.certificate.serial_number)
    signer = certify(issuing, Wanted("City TSA", serial=real.signer.certificate.serial_number))
    chain = [issuing, *([top] if others.get("with_root") else [])]
    return Forger(signer, chain).token(stamp())


def swapped() -> bytes:
    """A certificate of the same key and number, that the signer didn't mean."""
    real = city()
    wanted = Wanted(
        "Another name", key=real.signer.key, serial=real.signer.certificate.serial_number
    )
    other = certify(real.issuing, wanted)
    return real.forger.but(signer=other, ids=[real.signer]).token(stamp())


def below_one_for(issuer_uses: object) -> bytes:
    """Below an authority of these uses."""
    return below(uses=issuer_uses)


SIGNERS: dict[str, tuple[Made, str]] = {
    # who signed
    "another key": (resigned, "signature doesn't hold"),
    "a twin of the same names": (twin, "does not lead to a root"),
    "a twin with its root": (lambda: twin(with_root=True), "does not lead to a root"),
    "a certificate exchanged": (swapped, "another certificate than the signer says"),
    "another signer named": (
        lambda: forged(named=city().issuing),
        "another certificate than the signer says",
    ),
    "a signer that isn't there": (
        lambda: forged(named=root("Nobody")),
        "does not hold the certificate",
    ),
    "no certificate of the signer": (
        lambda: forged(certificates=element(0xA0, city().issuing.der)),
        "does not hold the certificate",
    ),
    "its certificate twice": (
        lambda: forged(certificates=element(0xA0, city().signer.der, city().signer.der)),
        "once",
    ),
    "no certificates": (lambda: forged(certificates=element(0xA0)), "1 to 20"),
    "the list left out": (lambda: forged(certificates=b""), "list of certificates"),
    "too many certificates": (
        lambda: forged(certificates=element(0xA0, *[city().signer.der] * 21)),
        "1 to 20",
    ),
    "a certificate that is none": (
        lambda: forged(certificates=element(0xA0, element(SEQUENCE, b"\x05\x00"))),
        "can't be read",
    ),
    "a certificate whose number isn't positive": (
        lambda: forged(
            certificates=element(
                0xA0,
                city().signer.der,
                city().issuing.der.replace(b"\2\1\2\2\1\2", b"\2\1\2\2\1\0"),
            )
        ),
        "isn't positive",
    ),
    "no id of the certificate": (
        lambda: forged(attributes={CERTIFICATE_V2: None}),
        "which certificate was used",
    ),
    "an empty list of ids": (
        lambda: forged(attributes={CERTIFICATE_V2: meant([])}),
        "which certificate was used",
    ),
    "the id of another certificate": (
        lambda: forged(ids=[city().issuing]),
        "another certificate than the signer says",
    ),
    "the second id is the signer's": (
        lambda: forged(ids=[city().issuing, city().signer]),
        "another certificate than the signer says",
    ),
    "an id with another issuer": (
        lambda: forged(
            attributes={
                CERTIFICATE_V2: meant(
                    [certificate_id(city().signer, issuer_serial(city().issuing))]
                )
            }
        ),
        "another certificate than the signer says",
    ),
    "one of two ids is another's": (
        lambda: forged(attributes={CERTIFICATE: meant([certificate_id_v1(city().issuing)])}),
        "another certificate than the signer says",
    ),
    "ids that leave out the way": (
        lambda: forged(ids=[city().signer, root("Nobody")]),
        "not among those meant",
    ),
    "an id by MD5": (
        lambda: forged(
            attributes={
                CERTIFICATE_V2: meant(
                    [element(SEQUENCE, algorithm(MD5), element(OCTET_STRING, bytes(16)))]
                )
            }
        ),
        "none of SHA-256",
    ),
    "another authority's name": (
        lambda: stated(tsa=element(0xA0, element(0xA4, names(city().root)[1]))),
        "names another authority",
    ),
    "a name of another sort": (
        lambda: stated(tsa=element(0xA0, element(0x86, b"http://tsa.example"))),
        "names another authority",
    ),
    # for what its key is
    "no extended key usage": (lambda: by(uses=None), "not one for time stamps"),
    "the usage not critical": (lambda: by(uses_critical=False), "not for time stamps alone"),
    "for e-mail instead": (lambda: by(uses=[Eku.EMAIL_PROTECTION]), "not for time stamps alone"),
    "for more": (
        lambda: by(uses=[Eku.TIME_STAMPING, Eku.CODE_SIGNING]),
        "not for time stamps alone",
    ),
    "for anything": (
        lambda: by(uses=[Eku.ANY_EXTENDED_KEY_USAGE]),
        "not for time stamps alone",
    ),
    "a key for encryption": (
        lambda: by(usage="key_encipherment", key=rsa_key()),
        "not for signing",
    ),
    "a key for certificates": (lambda: by(usage="key_cert_sign"), "not for signing"),
    "a short RSA key": (lambda: by(key=rsa_key(1024)), "too weak"),
    "an unusual curve": (lambda: by(key=ec_key(ec.SECP256K1())), "too weak"),
    # when
    "expired when it stamped": (
        lambda: by(last=STAMPED),
        "not valid at the time",
    ),
    "not yet valid when it stamped": (
        lambda: by(first=STAMPED + timedelta(seconds=1)),
        "not valid at the time",
    ),
    "its authority expired": (
        lambda: below(last=STAMPED - timedelta(seconds=1)),
        "does not lead to a root",
    ),
    "its authority not yet valid": (
        lambda: below(first=STAMPED + timedelta(seconds=1)),
        "does not lead to a root",
    ),
    "stamped before its root": (
        lambda: stated(time=generalized(FROM - timedelta(seconds=1))),
        "not valid at the time",
    ),
    "stamped after its root": (
        lambda: stated(time=generalized(TO + timedelta(seconds=1))),
        "not valid at the time",
    ),
    # the way to the root
    "below no authority": (
        lambda: below(ca=False, usage="digital_signature"),
        "may not certify",
    ),
    "below an authority that is none": (lambda: below(ca=False), "signature doesn't hold"),
    "below an authority for servers": (
        lambda: below_one_for([Eku.SERVER_AUTH]),
        "not for time stamps",
    ),
    "below a weak key": (lambda: below(key=rsa_key(1024)), "too weak"),
    "a certificate signed with SHA-224": (lambda: by(hashed=hashes.SHA224()), "weak hash"),
    "a longer way than its issuer allows": (
        lambda: along(2, path_length=0),
        "signature doesn't hold",
    ),
    "a way of eleven certificates": (lambda: along(9), "does not lead to a root"),
    "an extension that nobody knows": (
        lambda: by(extra=x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\5\0")),
        "signature doesn't hold",
    ),
}
"""How it is made, and a pattern of the sentence that refuses it."""
