# SPDX-License-Identifier: Apache-2.0
"""Time stamps as evidence: what holds, and every way in which a token can be none."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import ExtendedKeyUsageOID as Eku

from notary.core.errors import MalformedTrust, ReceiptRefused
from notary.evidence.der import (
    BOOLEAN,
    GENERALIZED_TIME,
    INTEGER,
    OCTET_STRING,
    SEQUENCE,
    SET,
    element,
    integer,
    oid,
)
from tests.tsa.certificates import FROM, TO, Wanted, between, certify, ec_key, root, rsa_key
from tests.tsa.city import base64_of, city, good, judge, message, refuse, stamp
from tests.tsa.forger import (
    CERTIFICATE,
    CERTIFICATE_V2,
    CONTENT_TYPE,
    HASHES,
    MD5,
    MESSAGE_DIGEST,
    POLICY,
    SHA1,
    SHA256,
    SHA384,
    SHA512,
    STAMPED,
    Forger,
    algorithm,
    certificate_id,
    certificate_id_v1,
    extension,
    generalized,
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


# -- what holds


def in_order(*, reverse: bool) -> bytes:
    """The certificates, sorted as DER does it or the other way round."""
    ders = [city().signer.der, city().issuing.der]
    return element(0xA0, *sorted(ders, reverse=reverse))


def test_a_token_shows_the_authoritys_time_and_name() -> None:
    """Held: by the word of the authority, not the notary's."""
    found = judge(good())
    assert found.status == "held"
    assert found.facts == {
        "reason": "offline",
        "time": "2031-03-05T06:07:08.000000Z",
        "who": "CN=City TSA,O=City of Example",
        "accuracy": "1.000000",
    }


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
    "the first second": lambda: by(first=STAMPED),
    "the second before the last": lambda: by(last=STAMPED + timedelta(seconds=1)),
}


@pytest.mark.parametrize("what", HOLDS)
def test_a_token_holds_in_each_form_that_is_allowed(what: str) -> None:
    """And the time stays what it is."""
    assert judge(HOLDS[what]()).facts["time"] == "2031-03-05T06:07:08.000000Z"


@pytest.mark.parametrize(
    ("fraction", "shown"), [("5", "500000"), ("000001", "000001"), ("123456789", "123456")]
)
def test_a_fraction_of_a_second_is_told(fraction: str, shown: str) -> None:
    """As far as microseconds go."""
    time = element(GENERALIZED_TIME, f"20310305060708.{fraction}Z".encode())
    assert judge(stated(time=time)).facts["time"] == f"2031-03-05T06:07:08.{shown}Z"


def test_an_rsa_key_may_be_named_without_its_digest() -> None:
    """As openssl writes it: rsaEncryption."""
    signer = city().signed_by(key=rsa_key()).but(signature_name="1.2.840.113549.1.1.1")
    assert judge(signer.token(stamp())).status == "held"


def test_the_certificate_between_may_stand_in_the_trust_file() -> None:
    """Where the authority doesn't send it along."""
    members = {"intermediates": base64_of(city().issuing)}
    token = forged(chain=[])
    assert judge(token, members=members).status == "held"
    refuse(token, "does not lead to a root")


def test_a_signer_may_be_its_own_root() -> None:
    """Trusted by itself."""
    alone = certify(None, Wanted("Alone"))
    token = Forger(alone).token(stamp())
    assert judge(token, members={"roots": base64_of(alone)}).facts["who"] == (
        "CN=Alone,O=City of Example"
    )
    refuse(token, "does not lead to a root")


def test_a_certificate_that_expired_since_doesnt_matter() -> None:
    """Validity is judged at the time of the stamp: receipts are read ten years later."""
    token = by(first=FROM, last=STAMPED + timedelta(days=1))
    assert judge(token).status == "held"


@pytest.mark.parametrize("policies", [[POLICY], ["1.2.3", POLICY]])
def test_a_policy_of_the_trust_file_is_taken(policies: list[str]) -> None:
    """One of them."""
    assert judge(good(), members={"policies": policies}).status == "held"


# -- of another checkpoint


@pytest.mark.parametrize(
    "others",
    [{"size": 8}, {"log_root": bytes(32)}, {"origin": "other.example/log"}],
    ids=["size", "root", "origin"],
)
def test_a_token_of_another_checkpoint_is_refused(others: dict[str, object]) -> None:
    """Called what it is: ledger-other."""
    refuse(good(), "another checkpoint's", "ledger-other", **others)


# -- what is no token of ours


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


def authority_for(issuer_uses: object) -> bytes:
    return below(uses=issuer_uses)


ATTACKS: dict[str, tuple[Made, str]] = {
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
        "may not certify|signature doesn't hold",
    ),
    "below an authority that is none": (lambda: below(ca=False), "signature doesn't hold"),
    "below an authority for servers": (
        lambda: authority_for([Eku.SERVER_AUTH]),
        "not for time stamps",
    ),
    "below a weak key": (lambda: below(key=rsa_key(1024)), "too weak"),
    "a certificate signed with SHA-224": (lambda: by(hashed=hashes.SHA224()), "weak hash"),
    "a way that is too long": (
        lambda: Forger(
            certify(longer := between(between(city().root, path_length=0)), Wanted("City TSA")),
            [longer],
        ).token(stamp()),
        "does not lead to a root",
    ),
    # what was signed
    "another content": (
        lambda: forged(attributes={MESSAGE_DIGEST: element(OCTET_STRING, bytes(32))}),
        "another content",
    ),
    "no digest": (lambda: forged(attributes={MESSAGE_DIGEST: None}), "another content"),
    "not called a time stamp": (
        lambda: forged(attributes={CONTENT_TYPE: oid("1.2.840.113549.1.7.1")}),
        "not called a time stamp",
    ),
    "no content type": (
        lambda: forged(attributes={CONTENT_TYPE: None}),
        "not called a time stamp",
    ),
    "two values of an attribute": (
        lambda: forged(attributes={CONTENT_TYPE: oid("1.2.3") * 2}),
        "not called a time stamp",
    ),
    "signed with SHA-1": (lambda: forged(digest=SHA1), "none of SHA-256"),
    "two digest algorithms": (
        lambda: forged(digests=element(SET, algorithm(SHA256), algorithm(SHA512))),
        "only digest algorithm",
    ),
    "another digest told": (
        lambda: forged(digests=element(SET, algorithm(SHA384))),
        "another digest algorithm",
    ),
    "the algorithm of another digest": (
        lambda: forged(signature_name="1.2.840.10045.4.3.3"),
        "of another digest",
    ),
    "an unknown algorithm": (
        lambda: forged(signature_name="1.3.101.112"),
        "not known here",
    ),
    "the algorithm of another key": (
        lambda: forged(signature_name="1.2.840.113549.1.1.11"),
        "another sort than the key",
    ),
    "attributes that aren't signed": (
        lambda: forged(
            unsigned=element(0xA1, element(SEQUENCE, oid("1.2.3"), element(SET, b"\x05\x00")))
        ),
        "all attributes must be signed",
    ),
    "revocation lists": (
        lambda: forged(crls=element(0xA1, element(SEQUENCE))),
        "list of signers",
    ),
    "two signers": (lambda: forged(signers=2), "only signer"),
    "no signer": (lambda: forged(signers=0), "signer"),
    "another content type": (
        lambda: forged(content_type="1.2.840.113549.1.7.1"),
        "no time stamp",
    ),
    "another version of CMS": (lambda: forged(version=integer(1)), "version 3"),
    "another version of the signer": (lambda: forged(signer_version=integer(3)), "issuer and"),
    # what is stated
    "an imprint by SHA-1": (lambda: stated(hashed_with=SHA1), "not made with SHA-256"),
    "an imprint by MD5": (lambda: stated(hashed_with=MD5), "not made with SHA-256"),
    "an imprint by SHA-512": (lambda: stated(hashed_with=SHA512), "not made with SHA-256"),
    "another version": (lambda: stated(version=integer(2)), "version 1"),
    "no policy": (lambda: stated(policy=b""), "policy"),
    "a time with an offset": (
        lambda: stated(time=element(GENERALIZED_TIME, b"20310305060708+0100")),
        "no time in UTC",
    ),
    "a time without seconds": (
        lambda: stated(time=element(GENERALIZED_TIME, b"203103050607Z")),
        "no time in UTC",
    ),
    "a fraction with a last zero": (
        lambda: stated(time=element(GENERALIZED_TIME, b"20310305060708.10Z")),
        "no time in UTC",
    ),
    "a day that isn't there": (
        lambda: stated(time=element(GENERALIZED_TIME, b"20310230060708Z")),
        "no time in UTC",
    ),
    "a time with two digits for the year": (
        lambda: stated(time=element(0x17, b"310305060708Z")),
        "time",
    ),
    "an accuracy of a thousand milliseconds": (
        lambda: stated(accuracy=element(SEQUENCE, element(0x80, b"\x03\xe8"))),
        "accuracy",
    ),
    "a negative accuracy": (
        lambda: stated(accuracy=element(SEQUENCE, integer(-1))),
        "accuracy",
    ),
    "an accuracy of a thousand years": (
        lambda: stated(accuracy=element(SEQUENCE, integer(10**11))),
        "accuracy",
    ),
    "false written out": (lambda: stated(ordering=element(BOOLEAN, b"\0")), "ordering"),
    "a critical extension": (
        lambda: stated(extensions=extension(critical=True)),
        "must be understood",
    ),
    "something behind what is stated": (lambda: stated(behind=element(SET)), "extensions"),
    "nothing stated": (lambda: city().forger.token(b""), "time stamp"),
    "no stamp inside": (lambda: city().forger.token(element(SEQUENCE)), "version"),
}


@pytest.mark.parametrize("what", ATTACKS)
def test_a_token_that_is_none_is_refused(what: str) -> None:
    """Each for its own reason."""
    made, sentence = ATTACKS[what]
    refuse(made(), sentence)


@pytest.mark.parametrize("key", ["rsa", "ed25519"])
def test_a_signature_of_another_sort_is_refused(key: str) -> None:
    """Even where the certificate is the authority's."""
    signer = city().signed_by(key=rsa_key()) if key == "rsa" else city().forger
    sign = ed25519.Ed25519PrivateKey.generate().sign
    refuse(signer.but(sign=sign).token(stamp()), "signature doesn't hold")


def test_a_policy_that_is_not_wanted_is_refused() -> None:
    """The authority stamps for tests under another, say."""
    refuse(good(), f"under the policy {POLICY}", members={"policies": ["1.2.3"]})


def test_a_name_that_cant_be_shown_is_refused() -> None:
    """It would stand in a verdict."""
    refuse(by_name("evil\x1b[2J"), "name can't be shown")
    refuse(by_name("n" * 64, parts=10), "name can't be shown")


def by_name(name: str, parts: int = 1) -> bytes:
    """The honest stamp by a signer of that name, some times over."""
    real = city()
    wanted = Wanted("x")
    signer = certify(real.issuing, wanted)
    attributes = [x509.NameAttribute(x509.NameOID.COMMON_NAME, name)] * parts
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name(attributes))
        .issuer_name(real.issuing.certificate.subject)
        .public_key(signer.key.public_key())
        .serial_number(4711)
        .not_valid_before(FROM)
        .not_valid_after(TO)
        .add_extension(x509.ExtendedKeyUsage([Eku.TIME_STAMPING]), critical=True)
    )
    certificate = builder.sign(real.issuing.key, hashes.SHA256())
    named = type(signer)(certificate, signer.key)
    return real.forger.but(signer=named).token(stamp())


# -- the octets


def test_what_stands_behind_the_token_is_refused() -> None:
    """Trailing octets."""
    refuse(good() + b"\0", "Something stands behind the token")


@pytest.mark.parametrize("at", [0, 1, 2, 30, 100, -1])
def test_a_token_that_is_cut_is_refused(at: int) -> None:
    """Wherever."""
    refuse(good()[:at] if at else b"\x30", "can't be read|is not base64")


BER: dict[str, Callable[[bytes], bytes]] = {
    "an indefinite length": lambda token: b"\x30\x80" + token[4:] + b"\0\0",
    "a length in more octets than needed": lambda token: b"\x30\x83\0" + token[2:],
    "a tag in two octets": lambda token: b"\x3f\x10" + token[1:],
}


@pytest.mark.parametrize("what", BER)
def test_another_encoding_of_the_same_is_refused(what: str) -> None:
    """DER alone: two readers never see two things."""
    token = good()
    assert token[:2] == b"\x30\x82"
    refuse(BER[what](token), "can't be read")


def test_an_octet_string_in_pieces_is_refused() -> None:
    """As BER allows for the content."""
    content = stamp().der
    token = city().forger.token(content)
    whole = element(OCTET_STRING, content)
    pieces = element(0x24, element(OCTET_STRING, content[:50]), element(OCTET_STRING, content[50:]))
    assert token.count(whole) == 1
    refuse(lengthened(token, whole, pieces), "time stamp is missing")


def lengthened(token: bytes, old: bytes, new: bytes) -> bytes:
    """Exchange the content's octets, and write the lengths around it again."""
    from notary.evidence.der import Reader

    def again(data: bytes) -> bytes:
        parts, reader = [], Reader(data)
        while reader.tag is not None:
            tag = reader.tag
            found = reader.take(tag, "")
            if found.whole == old:
                parts.append(new)
            elif old in found.content:
                parts.append(element(tag, again(found.content)))
            else:
                parts.append(found.whole)
        return b"".join(parts)

    return again(token)


def test_attributes_out_of_order_are_refused() -> None:
    """A signature over a set is over its one order."""
    token = good()
    start = token.index(element(SEQUENCE, oid(CONTENT_TYPE), element(SET, oid(
        "1.2.840.113549.1.9.16.1.4"))))  # fmt: skip
    first = len(element(SEQUENCE, oid(CONTENT_TYPE), element(SET, oid(
        "1.2.840.113549.1.9.16.1.4"))))  # fmt: skip
    second = 49
    swapped = (
        token[:start]
        + token[start + first : start + first + second]
        + token[start : start + first]
        + token[start + first + second :]
    )
    assert len(swapped) == len(token)
    assert swapped != token
    refuse(swapped, "order of DER")


def flips(token: bytes, step: int) -> list[tuple[int, int]]:
    """An octet each `step`, with one bit of it."""
    return [(at, 1 << (at // step % 8)) for at in range(0, len(token), step)]


@pytest.mark.parametrize("key", ["ec", "rsa"])
def test_a_flipped_bit_anywhere_is_refused(key: str, long: bool) -> None:
    """No octet of a token is without meaning."""
    forger = city().forger if key == "ec" else city().signed_by(key=rsa_key())
    token = forger.token(stamp(nonce=integer(2**63)))
    for at, bit in flips(token, 1 if long else 13):
        changed = bytearray(token)
        changed[at] ^= bit
        with pytest.raises(ReceiptRefused) as caught:
            judge(bytes(changed))
        assert caught.value.facts["reason"] == "ledger-evidence", at


# -- the evidence and the trust file


@pytest.mark.parametrize(
    "evidence",
    [{}, {"token": 7}, {"token": ""}, {"token": "%%%%"}, {"token": "AAAA", "more": 1}, {"t": ""}],
)
def test_evidence_of_another_form_is_refused(evidence: dict[str, object]) -> None:
    """Exactly one member, base64."""
    refuse(b"", "members token|base64", evidence=evidence)


def test_an_enormous_token_is_refused_before_it_is_read() -> None:
    """65,536 octets are enough for any."""
    refuse(bytes(65_537), "65536|65,536")
    refuse(element(SEQUENCE, bytes(65_000)), "can't be read")


TRUST: dict[str, Callable[[], dict[str, object]]] = {
    "no roots": lambda: {"roots": []},
    "roots that are none": lambda: {"roots": "all"},
    "a root that is no text": lambda: {"roots": [7]},
    "a root that is no base64": lambda: {"roots": ["%"]},
    "a root that is no certificate": lambda: {"roots": ["AAAA"]},
    "a root twice": lambda: {"roots": base64_of(city().root, city().root)},
    "a root that doesn't sign itself": lambda: {"roots": base64_of(city().root, city().issuing)},
    "no root but others": lambda: {"roots": base64_of(city().issuing)},
    "an intermediate that is a root": lambda: {"intermediates": base64_of(root("Another"))},
    "a weak root": lambda: {"roots": base64_of(root("Weak", key=rsa_key(1024)))},
    "too many": lambda: {"roots": base64_of(city().root) * 51},
    "a policy that is none": lambda: {"policies": ["1.2.3.x"]},
    "a policy that is no text": lambda: {"policies": [7]},
    "policies that are no list": lambda: {"policies": "1.2.3"},
    "another member": lambda: {"key": "x"},
}


@pytest.mark.parametrize("what", TRUST)
def test_what_is_trusted_must_be_of_the_form(what: str) -> None:
    """The trust file is to blame, not the receipt."""
    with pytest.raises(MalformedTrust):
        judge(good(), members=TRUST[what]())


def test_a_root_of_the_same_name_is_not_the_root() -> None:
    """Trust is in keys."""
    refuse(good(), "does not lead to a root", members={"roots": base64_of(root())})
    both = {"roots": base64_of(root(), city().root)}
    assert judge(good(), members=both).status == "held"


def test_all_hashes_of_the_table_are_known_here() -> None:
    """The forger can do what is refused."""
    assert set(HASHES) == {SHA1, SHA256, SHA384, SHA512, MD5}
    assert len(message()) == 72
    assert INTEGER == 2
