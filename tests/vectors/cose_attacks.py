# SPDX-License-Identifier: Apache-2.0
"""What can be done to the members of a COSE receipt, and what must follow."""

from collections.abc import Iterator
from typing import Any

import cbor2

from notary.core import canonical
from tests.core import formats
from tests.core.formats import KEY, LABEL, OLD_KEY, STRANGER_KEY, base64, cose, cose_parts
from tests.core.maker import LOG, OTHER_LOG, WITNESSES, make
from tests.core.signing import Signer
from tests.vectors import steps

Case = dict[str, Any]
FORM, NOTE, PATH, ROOT = (
    "malformed-receipt",
    "malformed-note",
    "malformed-proof",
    "root-mismatch",
)
SPACED, SIGNER, SIGNATURE, TRUST = (
    "malformed-receipt.not-canonical",
    "unknown-signer",
    "bad-signature",
    "malformed-trust",
)
HEADERS, OTHER_KEY = "receipt-refused.cose-headers", "unknown-signer.other-receipt-key"
NO_KEY = "unknown-signer.no-receipt-key"
STEPS = {FORM: 1, SPACED: 1, HEADERS: 3, OTHER_KEY: 4, NO_KEY: 4, TRUST: 4}
FOURTH = {"step": "cose-receipt-v1.md, step 4"}
CITY = make()
USUAL = CITY.receipt("s1", 2)
PARTS = cose_parts(USUAL)
WHOLE = cose(PARTS)


def cose_attacks() -> Iterator[Case]:
    """Around it, in each header, in the proof, by each key, under each trust file."""
    for part in (_around, _protected, _unprotected, _proof, _inside, _signatures, _trusts):
        yield from part()


def case(desc: str, proof: bytes, error: str, **more: Any) -> Case:
    """One case."""
    own = STEPS.get(error)
    said = {"step": f"cose-receipt-v1.md, step {own}"} if own else steps.of_log(error)
    return {"desc": desc, "proof": base64(proof), "wantErr": error, **said, **more}


def _around() -> Iterator[Case]:
    protected, unprotected, _, signature = _members()
    yield case("cut by a byte", WHOLE[:-1], FORM)
    yield case("longer by a byte", WHOLE + b"\0", FORM)
    yield case("twice", WHOLE + WHOLE, FORM)
    yield case("the tag and no more", WHOLE[:2], FORM)
    for desc, members in {
        "three members": [protected, unprotected, signature],
        "five members": [protected, unprotected, None, signature, None],
    }.items():
        yield case(desc, b"\xd2" + cbor2.dumps(members), FORM)
    for desc, more in {
        "the root as its payload": {"payload": PARTS["root"]},
        "an empty payload": {"payload": b""},
        "a text as its payload": {"payload": "root"},
        "a header that isn't encoded": {"protected": b"\x01"},
        "an empty protected header": {"protected": b""},
        "a protected header that is a list": {"protected": cbor2.dumps([1])},
        "a protected header with a byte behind it": {"protected": protected + b"\0"},
        "a signature that is a text": {"signature": "x" * 64},
        "null as its signature": {"signature": None},
        "an unprotected header that is a list": {"unprotected": []},
        "no unprotected header": {"unprotected": {}},
    }.items():
        yield case(desc, cose({**PARTS, **more}), FORM)
    for desc, data in {
        "the protected header in a longer head": _longer(WHOLE, protected),
        "the members in a list of indefinite length": WHOLE[:1] + b"\x9f" + WHOLE[2:] + b"\xff",
        "the unprotected header in another order": _reordered(),
    }.items():
        yield case(desc, data, FORM)


def _protected() -> Iterator[Case]:
    header = PARTS["protected"]
    for desc, change in {
        "alg ES256": {1: -7},
        "alg Ed25519 by its newer number": {1: -19},
        "alg none": {1: 0},
        "alg as a text": {1: "EdDSA"},
        "vds 2": {395: 2},
        "vds 0": {395: 0},
        "vds as a text": {395: "1"},
        "kid as a text": {4: "kid"},
        "kid as a number": {4: 1},
        "claims that are a list": {15: [1, 2]},
        "iss as a number": {15: {1: 1, 2: "weather"}},
        "sub as bytes": {15: {1: "notary.example/log", 2: b"weather"}},
        "without iss": {15: {2: "weather"}},
        "without sub": {15: {1: "notary.example/log"}},
        "with a time among the claims": {15: {**header[15], 6: 1}},
        "with a type": {16: "application/json"},
        "with crit": {2: [395]},
        "with the proof": {396: {}},
    }.items():
        yield case(f"protected: {desc}", _with({**header, **change}), FORM)
    for label in header:
        without = {other: header[other] for other in header if other != label}
        yield case(f"protected: without {label}", _with(without), FORM)
    for desc, claims in {
        "iss another log": {1: "other.example/log", 2: "weather"},
        "iss the key's name": {1: "notary.example/log/receipts", 2: "weather"},
        "iss empty": {1: "", 2: "weather"},
        "sub another dataset": {1: "notary.example/log", 2: "noise"},
        "sub the source": {1: "notary.example/log", 2: "s1"},
    }.items():
        yield case(f"protected: {desc}", _with({**header, 15: claims}), HEADERS)
    for desc, key_id in {
        "kid of another key": OLD_KEY.verifier.key_id,
        "kid of the log's key": LOG.verifier.key_id,
        "kid cut": KEY.verifier.key_id[:3],
        "kid empty": b"",
        "kid the public key": KEY.verifier.public_key,
    }.items():
        yield case(f"protected: {desc}", _with({**header, 4: key_id}), OTHER_KEY)
    changed = {**header, 15: {**header[15], 2: "noise"}}
    kept = cose({**PARTS, "protected": cbor2.dumps(changed), "signature": _members()[3]})
    yield case("protected: sub changed under the signature", kept, HEADERS)


def _unprotected() -> Iterator[Case]:
    proof, more = cbor2.dumps(PARTS["proof"]), PARTS["more"]
    for desc, header in {
        "no proof": {LABEL: more},
        "no label of ours": {396: {-1: [proof]}},
        "our label of another version": {396: {-1: [proof]}, "city-notary/cose-receipt/2": more},
        "a label unknown": {396: {-1: [proof]}, LABEL: more, 33: b""},
        "vds here too": {395: 1, 396: {-1: [proof]}, LABEL: more},
        "a proof of consistency": {396: {-2: [proof]}, LABEL: more},
        "both kinds of proof": {396: {-1: [proof], -2: [proof]}, LABEL: more},
        "no inclusion proof": {396: {-1: []}, LABEL: more},
        "two inclusion proofs": {396: {-1: [proof, proof]}, LABEL: more},
        "the proof not in a list": {396: {-1: proof}, LABEL: more},
        "the proof not encoded": {396: {-1: [PARTS["proof"]]}, LABEL: more},
        "proofs that are a list": {396: [proof], LABEL: more},
        "our label with a text": {396: {-1: [proof]}, LABEL: more["extra"]},
    }.items():
        yield case(f"unprotected: {desc}", cose({**PARTS, "unprotected": header}), FORM)
    for desc, change in {
        "the checkpoint as bytes": {"checkpoint": more["checkpoint"].encode()},
        "the extra data as bytes": {"extra": more["extra"].encode()},
        "the extra data as a map": {"extra": formats.extra_of(USUAL)},
        "a member more": {"anchors": []},
    }.items():
        yield case(f"ours: {desc}", cose({**PARTS, "more": {**more, **change}}), FORM)
    for name in more:
        without = {other: more[other] for other in more if other != name}
        yield case(f"ours: without {name}", cose({**PARTS, "more": without}), FORM)


def _proof() -> Iterator[Case]:
    size, index, path = PARTS["proof"]
    made_up = bytes(32)
    for desc, proof, error in (
        ("one size more", [size + 1, index, path], HEADERS),
        ("one size less", [size - 1, index, path], HEADERS),
        ("size 0", [0, index, path], HEADERS),
        ("size 2^64 - 1", [2**64 - 1, index, path], HEADERS),
        ("size below 0", [-1, index, path], HEADERS),
        ("size as a text", [str(size), index, path], FORM),
        ("size null", [None, index, path], FORM),
        ("index 0", [size, 0, path], ROOT),
        ("index 2", [size, 2, path], PATH),
        ("index 3, beyond the log", [size, 3, path], PATH),
        ("index below 0", [size, -1, path], FORM),
        ("index 2^53", [size, 2**53, path], FORM),
        ("index as a text", [size, "1", path], FORM),
        ("index as bytes", [size, b"\x01", path], FORM),
        ("a hash changed", [size, index, [made_up, path[1]]], ROOT),
        ("the last hash changed", [size, index, [path[0], made_up]], ROOT),
        ("the hashes exchanged", [size, index, path[::-1]], ROOT),
        ("a hash left out", [size, index, path[:1]], PATH),
        ("no hash", [size, index, []], PATH),
        ("a hash added", [size, index, [*path, made_up]], PATH),
        ("64 hashes", [size, index, [made_up] * 64], FORM),
        ("a hash of 31 bytes", [size, index, [made_up[1:], path[1]]], FORM),
        ("a hash of 33 bytes", [size, index, [path[0], made_up + b"\0"]], FORM),
        ("a hash as a text", [size, index, [path[0].hex(), path[1]]], FORM),
        ("a hash as a number", [size, index, [32, path[1]]], FORM),
        ("the path as one byte string", [size, index, b"".join(path)], FORM),
        ("two members", [size, index], FORM),
        ("four members", [size, index, path, []], FORM),
        ("a map", {0: size, 1: index, 2: path}, FORM),
        ("nothing", b"", FORM),
        ("a byte behind it", cbor2.dumps([size, index, path]) + b"\0", FORM),
    ):
        yield case(f"proof: {desc}", cose({**PARTS, "proof": proof}), error)


def _inside() -> Iterator[Case]:
    extra, more = formats.extra_of(USUAL), PARTS["more"]
    for desc, changed, error in (
        ("no JSON", "receipt", FORM),
        ("with blanks", more["extra"].replace("{", "{ ", 1), SPACED),
        ("a list", "[]", FORM),
        ("with the log", {**extra, "log": USUAL["log"]}, FORM),
        ("with anchors", {**extra, "anchors": USUAL["anchors"]}, FORM),
        ("another kind", {**extra, "kind": "file"}, FORM),
        ("another version", {**extra, "v": "receipt/2"}, FORM),
        ("another payload", {**extra, "payload": base64(b'{"t":9}')}, "payload-mismatch"),
        ("longer than 48,000 bytes", {**extra, "payload": base64(bytes(36_000))}, FORM),
        ("another dataset's", formats.extra_of(make(dataset="noise").receipt("s1", 2)), ROOT),
        ("another batch's", formats.extra_of(CITY.receipt("s1", 4)), ROOT),
    ):
        text = changed if isinstance(changed, str) else canonical.dumps(changed)
        yield case(f"extra: {desc}", cose({**PARTS, "more": {**more, "extra": text}}), error)
    later = make(rounds=4)
    other_signed = CITY.checkpoint(log=[OTHER_LOG])
    swapped = USUAL["checkpoint"].replace("\n3\n", "\n4\n", 1)
    for desc, note, error in (
        ("empty", "", NOTE),
        ("its text alone", USUAL["checkpoint"].partition("\n\n")[0] + "\n", NOTE),
        ("of a later size", later.checkpoint(), ROOT),
        ("of another log", make(dataset="noise").checkpoint(), ROOT),
        ("by another key", other_signed, SIGNER),
        ("of another size", swapped, SIGNATURE),
    ):
        changed_note = {**more, "checkpoint": note}
        yield case(f"checkpoint: {desc}", cose({**PARTS, "more": changed_note}), error)
    quorum = {"trust": "quorum of 2"}
    yield case("a quorum of 2 without witnesses", WHOLE, "quorum-not-met", **quorum)
    one = cose(cose_parts(CITY.receipt("s1", 2, witnesses=WITNESSES[:1])))
    yield case("a quorum of 2 with one witness", one, "quorum-not-met", **quorum)
    salted = base64(b"x")
    yield case("another content given", WHOLE, "payload-mismatch", payload=salted)


def _signatures() -> Iterator[Case]:
    signature = _members()[3]
    flipped = bytes([signature[0] ^ 1]) + signature[1:]
    for desc, made in {
        "a bit changed": flipped,
        "empty": b"",
        "cut": signature[:-1],
        "longer": signature + b"\0",
        "zeros": bytes(64),
    }.items():
        yield case(f"signature {desc}", cose({**PARTS, "signature": made}), SIGNATURE, **FOURTH)
    for desc, key in {
        "a stranger": STRANGER_KEY,
        "the log's key": LOG,
        "an old key": OLD_KEY,
    }.items():
        yield case(f"signed by {desc} under the key's id", cose(PARTS, key), SIGNATURE, **FOURTH)
    own = cose_parts(USUAL, STRANGER_KEY)
    yield case("signed by a stranger under its own id", cose(own, STRANGER_KEY), OTHER_KEY)
    other_root = cose_parts(make(rounds=4).receipt("s1", 2))["root"]
    yield case("signed over another root", cose({**PARTS, "root": other_root}), SIGNATURE, **FOURTH)
    yield case("signed over nothing", cose({**PARTS, "root": b""}), SIGNATURE, **FOURTH)
    message = cbor2.dumps(["Signature1", _members()[0], b"x", PARTS["root"]])
    external = {**PARTS, "signature": KEY.private.sign(message)}
    yield case("signed with external data", cose(external), SIGNATURE, **FOURTH)
    signed_root = {**PARTS, "signature": KEY.private.sign(PARTS["root"])}
    yield case("the bare root signed", cose(signed_root), SIGNATURE, **FOURTH)
    note_text = USUAL["checkpoint"].partition("\n\n")[0] + "\n"
    signed_note = {**PARTS, "signature": LOG.private.sign(note_text.encode())}
    yield case("the log's signature of the checkpoint", cose(signed_note), SIGNATURE, **FOURTH)
    renamed = Signer("other.example/log/receipts", seed=40)
    header = {**PARTS["protected"], 4: renamed.verifier.key_id}
    yield case("the same key under another name", _with(header), OTHER_KEY)
    noise = cose_parts(make(dataset="noise").receipt("s1", 2))
    foreign = cbor2.loads(cose(noise)).value[3]
    yield case(
        "another log's signature", cose({**PARTS, "signature": foreign}), SIGNATURE, **FOURTH
    )


def _trusts() -> Iterator[Case]:
    for name, error in (
        ("no keys", NO_KEY),
        ("another use", NO_KEY),
        ("another key", OTHER_KEY),
        ("a member too many", TRUST),
        ("no key member", TRUST),
        ("a cosigner's key", TRUST),
        ("the log's key", TRUST),
        ("a key that is none", TRUST),
        ("another log", SIGNER),
    ):
        yield case(f"trust file: {name}", WHOLE, error, trust=name)
    first = {"step": "cose-receipt-v1.md, step 1"}
    yield case("trust file: malformed", WHOLE, TRUST, trust="malformed", **first)


def _with(header: dict[Any, Any]) -> bytes:
    return cose({**PARTS, "protected": header})


def _members() -> Any:
    return cbor2.loads(WHOLE).value


def _longer(data: bytes, protected: bytes) -> bytes:
    """The head of the protected header in three bytes, where two are enough."""
    head = cbor2.dumps(protected)[: -len(protected)]
    long = b"\x59" + len(protected).to_bytes(2, "big")
    assert data[2:].startswith(head)
    return data[:2] + long + data[2 + len(head) :]


def _reordered() -> bytes:
    protected, unprotected, _, signature = _members()
    members = [protected, {LABEL: dict(unprotected[LABEL]), 396: {-1: [_proof_bytes()]}}, None]
    return b"\xd2" + cbor2.dumps([*members, signature])


def _proof_bytes() -> bytes:
    encoded: bytes = cbor2.dumps(PARTS["proof"], canonical=True)
    return encoded
