# SPDX-License-Identifier: Apache-2.0
"""Tokens over the city's checkpoint: each form that is allowed, and the parts of wrong ones."""

from collections.abc import Callable
from datetime import timedelta

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID as Eku

from notary.evidence.der import (
    BOOLEAN,
    SEQUENCE,
    element,
    integer,
)
from tests.tsa.certificates import Wanted, between, certify, ec_key, root, rsa_key
from tests.tsa.city import city, stamp
from tests.tsa.forger import (
    CERTIFICATE,
    CERTIFICATE_V2,
    SHA512,
    STAMPED,
    Forger,
    certificate_id,
    certificate_id_v1,
    extension,
    issuer_serial,
    meant,
    names,
)

Made = Callable[[], bytes]


def forged(**parts: object) -> bytes:
    """The honest stamp by a forger with some parts otherwise."""
    return city().forger.but(**parts).token(stamp())


def stated(**parts: object) -> bytes:
    """Another stamp by the honest signer."""
    return city().forger.token(stamp(**parts))


def by(**wanted: object) -> bytes:
    """The honest stamp by a signer of another sort."""
    return city().signed_by(**wanted).token(stamp())


def below(**members: object) -> bytes:
    """The honest stamp by a signer below an authority of another sort."""
    issuing = between(city().root, **members)
    return Forger(certify(issuing, Wanted("City TSA")), [issuing]).token(stamp())


def along(count: int, path_length: int | None = None) -> bytes:
    """By a signer below so many authorities, one below the other; the first is restricted."""
    chain = [between(city().root, "Authority 1", path_length=path_length)]
    for number in range(2, count + 1):
        chain.append(between(chain[-1], f"Authority {number}"))
    return Forger(certify(chain[-1], Wanted("City TSA")), chain).token(stamp())


def in_order(*, reverse: bool) -> bytes:
    """The certificates, sorted as DER does it or the other way round."""
    ders = [city().signer.der, city().issuing.der]
    return element(0xA0, *sorted(ders, reverse=reverse))


HOLDS: dict[str, Made] = {
    "without accuracy": lambda: stated(accuracy=b""),
    "accuracy in parts": lambda: stated(
        accuracy=element(SEQUENCE, integer(1), element(0x80, b"\x05"), element(0x81, b"\x07"))
    ),
    "in order": lambda: stated(ordering=element(BOOLEAN, b"\xff")),
    "a nonce": lambda: stated(nonce=integer(2**64 - 1)),
    "a long serial number": lambda: stated(serial=integer(2**159)),
    "its name": lambda: stated(tsa=element(0xA0, element(0xA4, names(city().signer)[1]))),
    "an extension": lambda: stated(extensions=extension(critical=False)),
    "an id by SHA-1 alone": lambda: forged(
        attributes={CERTIFICATE_V2: None, CERTIFICATE: meant([certificate_id_v1(city().signer)])}
    ),
    "ids of both sorts": lambda: forged(
        attributes={CERTIFICATE: meant([certificate_id_v1(city().signer)])}
    ),
    "an id with its issuer": lambda: forged(
        attributes={
            CERTIFICATE_V2: meant([certificate_id(city().signer, issuer_serial(city().signer))])
        }
    ),
    "ids of the whole way": lambda: forged(ids=[city().signer, city().issuing]),
    "the root beside it": lambda: forged(chain=[city().issuing, city().root]),
    "a stranger's certificate beside it": lambda: forged(chain=[city().issuing, root("Nobody")]),
    "certificates in the one order": lambda: forged(certificates=in_order(reverse=False)),
    "certificates in the other order": lambda: forged(certificates=in_order(reverse=True)),
    "RSA": lambda: by(key=rsa_key()),
    "P-384": lambda: by(key=ec_key(ec.SECP384R1())),
    "SHA-512": lambda: forged(digest=SHA512),
    "not to be denied": lambda: by(usage="content_commitment"),
    "no usage told": lambda: by(usage=None),
    "an authority for time stamps": lambda: below(uses=[Eku.TIME_STAMPING, Eku.CODE_SIGNING]),
    "an authority for anything": lambda: below(uses=[Eku.ANY_EXTENDED_KEY_USAGE]),
    "a way of ten certificates": lambda: along(8),
    "the first second": lambda: by(first=STAMPED),
    "the second before the last": lambda: by(last=STAMPED + timedelta(seconds=1)),
}
