# SPDX-License-Identifier: Apache-2.0
"""Time stamps as evidence: what holds, and every way in which a token can be none."""

from collections.abc import Callable
from datetime import timedelta
from math import gcd

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID as Eku

from notary.core.errors import MalformedTrust
from notary.evidence.der import (
    GENERALIZED_TIME,
    SEQUENCE,
    element,
)
from tests.tsa.certificates import FROM, TO, Wanted, between, certify, root, rsa_key
from tests.tsa.city import base64_of, city, good, judge, refuse, stamp
from tests.tsa.forger import (
    POLICY,
    STAMPED,
    Forger,
)
from tests.tsa.tokens import HOLDS, by, forged, stated
from tests.tsa.wrong_forms import FORMS
from tests.tsa.wrong_signers import SIGNERS


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


ATTACKS = SIGNERS | FORMS


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
    "too many policies": lambda: {"policies": [POLICY] * 51},
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


def slow_key() -> rsa.RSAPrivateKey:
    """A true RSA key whose exponent has nearly as many bits as its modulus."""
    numbers = rsa_key().private_numbers()  # type: ignore[union-attr]
    p, q, n = numbers.p, numbers.q, numbers.public_numbers.n
    e, phi = (1 << 2030) + 1, (p - 1) * (q - 1)
    while gcd(e, phi) != 1:
        e += 2
    d = pow(e, -1, phi)
    parts = (d % (p - 1), d % (q - 1), pow(q, -1, p))
    return rsa.RSAPrivateNumbers(p, q, d, *parts, rsa.RSAPublicNumbers(e, n)).private_key()


def test_a_way_of_keys_that_are_slow_to_check_is_not_gone() -> None:
    """Twenty such certificates in a thousand tokens would hold up a verifier for minutes."""
    slow = between(city().root, name="Slow CA", key=slow_key())
    signer = certify(slow, Wanted("City TSA"))
    token = city().forger.but(signer=signer, chain=[slow]).token(stamp())
    refuse(token, "does not lead to a root")
    quick = between(city().root, name="Slow CA", key=rsa_key())
    honest = city().forger.but(signer=certify(quick, Wanted("City TSA")), chain=[quick])
    assert judge(honest.token(stamp())).status == "held"
