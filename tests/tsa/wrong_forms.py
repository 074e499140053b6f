# SPDX-License-Identifier: Apache-2.0
"""Tokens by the authority's own key that are no time stamps of the form that is allowed."""

from notary.evidence.der import (
    BOOLEAN,
    GENERALIZED_TIME,
    OCTET_STRING,
    SEQUENCE,
    SET,
    element,
    integer,
    oid,
)
from tests.tsa.city import city
from tests.tsa.forger import (
    CONTENT_TYPE,
    MD5,
    MESSAGE_DIGEST,
    SHA1,
    SHA256,
    SHA384,
    SHA512,
    algorithm,
    extension,
)
from tests.tsa.tokens import Made, forged, stated

FORMS: dict[str, tuple[Made, str]] = {
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
    "an attribute twice": (
        lambda: forged(twice=MESSAGE_DIGEST),
        "stands twice",
    ),
    "no signed data": (lambda: forged(kind="1.2.840.113549.1.7.1"), "no signed data"),
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

"""How it is made, and a pattern of the sentence that refuses it."""
