# SPDX-License-Identifier: Apache-2.0
"""
What others' programs say of our receipts, as they fetch them over HTTP from a whole notary: COSE
receipts to PyPI `scitt-cose`, tlog-proofs to PyPI `proofbundle`, cosignatures to `tlog-scales` too.
"""

import json
from functools import cache
from typing import Any
from urllib.request import Request, urlopen

import cbor2
import proofbundle.tlogproof
import pytest
import scitt_cose
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from tlog_scales import signing, tlog

from notary.core.cose_receipt import verify_cose_receipt
from notary.core.errors import NotaryError
from notary.core.receipt import verify_receipt
from notary.core.tlog_proof import parse_tlog_proof
from notary.core.trust import Trust, parse_trust
from notary.core.vkey import parse_vkey
from tests.acceptance.first_run import FirstRun
from tests.core.formats import tlog_proof
from tests.core.maker import LOG, STRANGER, WITNESSES, make

needs_broker = pytest.mark.needs("mosquitto")
PLACES = [f"/v1/datasets/weather/sources/JFK/records/{n}/receipt" for n in (0, 100, 1000)]
JSON, TLOG = "application/json", "text/x.tlog-proof"
COSE = "application/scitt-receipt+cose"


@cache
def fetch(url: str, type_: str) -> bytes:
    """What the running notary answers to that Accept."""
    with urlopen(Request(url, headers={"Accept": type_}), timeout=120) as answer:
        assert answer.headers.get_content_type() == type_
        found: bytes = answer.read()
        return found


def trust_of(run: FirstRun) -> Trust:
    """The trust file that it hands out."""
    return parse_trust(fetch(f"{run.url}/trust.json", JSON).decode())


def pem(public_key: bytes) -> bytes:
    """A key as scitt-cose takes it."""
    public = Ed25519PublicKey.from_public_bytes(public_key)
    spki = serialization.PublicFormat.SubjectPublicKeyInfo
    return public.public_bytes(serialization.Encoding.PEM, spki)


def pem_of(run: FirstRun) -> bytes:
    """The key for COSE receipts in its trust file."""
    (vkey,) = (key.members["key"] for key in trust_of(run).keys if key.use == "receipt")
    return pem(parse_vkey(str(vkey)).public_key)


def scitt_says(data: bytes, entry: str, key: bytes) -> scitt_cose.ReceiptResult:
    """What PyPI scitt-cose says of a COSE receipt of that entry of the log."""
    return scitt_cose.verify_receipt(
        data, leaf_entry_hex=entry.encode().hex(), log_public_key_pem=key
    )


@needs_broker
@pytest.mark.parametrize("place", PLACES)
def test_scitt_cose_accepts_our_cose_receipts(first_run: FirstRun, place: str) -> None:
    """With nothing but the log's entry and the key; and it reads our claims."""
    receipt = json.loads(fetch(first_run.url + place, JSON))
    data = fetch(first_run.url + place, COSE)
    found = scitt_says(data, receipt["descriptor"], pem_of(first_run))
    assert found.ok, found.errors
    size = int(receipt["checkpoint"].split("\n")[1])
    assert (found.tree_size, found.leaf_index) == (size, receipt["log"]["index"])
    origin = receipt["checkpoint"].split("\n")[0]
    assert (found.issuer, found.subject) == (origin, "weather")
    assert verify_cose_receipt(data, trust_of(first_run)).status("cose") == "held"


def tampered(data: bytes) -> dict[str, bytes]:
    """One change to each member that RFC 9942 knows."""
    protected, unprotected, payload, signature = cbor2.loads(data).value
    header = dict(cbor2.loads(protected))
    claims = dict(header[15])
    label = next(key for key in unprotected if isinstance(key, str))
    size, index, path = cbor2.loads(unprotected[396][-1][0])

    def whole(
        protected: Any = protected, proof: Any = (size, index, path), payload: Any = payload,
        signature: bytes = signature,
    ) -> bytes:  # fmt: skip
        if not isinstance(protected, bytes):
            protected = cbor2.dumps(protected)
        more = {396: {-1: [cbor2.dumps(proof)]}, label: dict(unprotected[label])}
        return cbor2.dumps(cbor2.CBORTag(18, [protected, more, payload, signature]))

    assert whole() == data
    return {
        "alg": whole(protected={**header, 1: -7}),
        "kid": whole(protected={**header, 4: b"kid!"}),
        "iss": whole(protected={**header, 15: {**claims, 1: "other.example"}}),
        "sub": whole(protected={**header, 15: {**claims, 2: "noise"}}),
        "vds": whole(protected={**header, 395: 2}),
        "size": whole(proof=(size + 1, index, path)),
        "index": whole(proof=(size, index ^ 1, path)),
        "path": whole(proof=(size, index, [bytes(32), *path[1:]])),
        "a hash more": whole(proof=(size, index, [*path, bytes(32)])),
        # The log of a run that has only begun may have one entry, whose path is empty.
        **({"no hash": whole(proof=(size, index, []))} if path else {}),
        "payload": whole(payload=bytes(32)),
        "signature": whole(signature=bytes([signature[0] ^ 1]) + signature[1:]),
        "a byte behind": data + b"\0",
        "a byte less": data[:-1],
    }


@needs_broker
def test_scitt_cose_refuses_what_was_changed_and_so_do_we(first_run: FirstRun) -> None:
    """Each member; another entry; another key."""
    entry = json.loads(fetch(first_run.url + PLACES[1], JSON))["descriptor"]
    data, trust = fetch(first_run.url + PLACES[1], COSE), trust_of(first_run)
    key = pem_of(first_run)
    assert scitt_says(data, entry, key).ok
    for name, changed in tampered(data).items():
        assert not scitt_says(changed, entry, key).ok, name
        with pytest.raises(NotaryError):
            verify_cose_receipt(changed, trust)
    assert not scitt_says(data, entry + " ", key).ok
    assert not scitt_says(data, entry, pem(trust.logs[0].verifier.public_key)).ok


def proofbundle_says(text: str, entry: str, vkey: str, **more: Any) -> dict[str, Any]:
    """What PyPI proofbundle says of a tlog-proof of that entry of the log."""
    origin = vkey.split("+")[0]
    found: dict[str, Any] = proofbundle.tlogproof.verify_tlog_proof(
        text, entry.encode(), vkey, expected_origin=origin, **more
    )
    return found


@needs_broker
@pytest.mark.parametrize("place", PLACES)
def test_proofbundle_accepts_our_tlog_proofs(first_run: FirstRun, place: str) -> None:
    """Log's signature, quorum of witnesses, inclusion; and so do we, down to the record."""
    receipt = json.loads(fetch(first_run.url + place, JSON))
    text, trust = fetch(first_run.url + place, TLOG).decode(), trust_of(first_run)
    assert trust.quorum == 1
    found = proofbundle_says(
        text,
        receipt["descriptor"],
        trust.logs[0].verifier.vkey,
        witness_vkeys=[witness.vkey for witness in trust.witnesses],
        threshold=trust.quorum,
    )
    assert found["ok"], found
    assert found["index"] == receipt["log"]["index"]
    assert verify_receipt(parse_tlog_proof(text), trust).status("witnesses") == "held"


@needs_broker
def test_tlog_scales_accepts_the_witness_of_the_newest_checkpoint(first_run: FirstRun) -> None:
    """Under the log's own line stands the second party's, and no stranger's."""
    trust = trust_of(first_run)
    with urlopen(f"{first_run.url}/log/checkpoint", timeout=120) as answer:
        checkpoint = tlog.Checkpoint.from_text(answer.read().decode())
    for key in (trust.logs[0].verifier, *trust.witnesses):
        checkpoint.verify(signing.Vkey.from_string(key.vkey))
    with pytest.raises(Exception, match=r".+"):
        checkpoint.verify(signing.Vkey.from_string(WITNESSES[0].verifier.vkey))


def test_proofbundle_refuses_what_was_changed() -> None:
    """Index, hash, size, root, signature; another entry, another log's key."""
    receipt = make().receipt("s1", 2)
    text, vkey, entry = tlog_proof(receipt), LOG.verifier.vkey, receipt["descriptor"]
    lines, other = text.split("\n"), "A" * 43 + "="
    assert proofbundle_says(text, entry, vkey)["ok"]
    changes = {
        "index": text.replace("\nindex 1\n", "\nindex 0\n"),
        "hash": text.replace(lines[3], other),
        "size": text.replace("\n3\n", "\n4\n"),
        "root": text.replace(lines[8], other),
        "signature": text[:-10] + "AAAAAAAA=\n",
        "no checkpoint": "\n".join(lines[:5]),
    }
    for name, changed in changes.items():
        assert changed != text, name
        assert not proofbundle_says(changed, entry, vkey)["ok"], name
    assert not proofbundle_says(text, entry + " ", vkey)["ok"]
    assert not proofbundle_says(text, entry, STRANGER.verifier.vkey)["ok"]


@pytest.mark.parametrize(("cosigned", "quorum", "wanted"), [(2, 2, True), (1, 2, False)])
def test_both_others_accept_our_cosignatures(cosigned: int, quorum: int, wanted: bool) -> None:
    """The quorum by proofbundle, each cosignature of the checkpoint by tlog-scales."""
    receipt = make().receipt("s1", 2, witnesses=WITNESSES[:cosigned])
    keys = [witness.verifier.vkey for witness in WITNESSES]
    found = proofbundle_says(
        tlog_proof(receipt),
        receipt["descriptor"],
        LOG.verifier.vkey,
        witness_vkeys=keys,
        threshold=quorum,
    )
    assert found["ok"] is wanted, found
    checkpoint = tlog.Checkpoint.from_text(receipt["checkpoint"])
    for witness in WITNESSES[:cosigned]:
        checkpoint.verify(signing.Vkey.from_string(witness.verifier.vkey))
    with pytest.raises(Exception, match=r".+"):
        checkpoint.verify(signing.Vkey.from_string(WITNESSES[2].verifier.vkey))
