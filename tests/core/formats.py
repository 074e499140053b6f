# SPDX-License-Identifier: Apache-2.0
"""
Receipts of the tests' notary in the formats of others, made apart from the core.

Base64 by the standard library, CBOR by `cbor2`, signatures by a library: members of a COSE
receipt are dicts, which tests change as an attacker would.
"""

from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any

import cbor2

from notary.core import canonical
from tests.core.maker import ORIGIN, trust
from tests.core.signing import Signer

KEY = Signer(f"{ORIGIN}/receipts", seed=40)
OLD_KEY = Signer(f"{ORIGIN}/receipts", seed=41)
STRANGER_KEY = Signer(f"{ORIGIN}/receipts", seed=42)
LABEL = "city-notary/cose-receipt/1"
ELSEWHERE = ("anchors", "checkpoint", "log")


def trusting(*keys: Signer, **members: Any) -> dict[str, Any]:
    """The usual trust file, with keys for COSE receipts."""
    listed = [{"use": "receipt", "key": key.verifier.vkey} for key in keys or (KEY,)]
    return trust(**{"keys": listed, **members})


def base64(data: bytes) -> str:
    """As RFC 4648 section 4 has it."""
    return b64encode(data).decode()


def extra_of(receipt: Mapping[str, Any]) -> dict[str, Any]:
    """What stands in `extra`."""
    return {name: receipt[name] for name in receipt if name not in ELSEWHERE}


def tlog_lines(receipt: Mapping[str, Any]) -> list[str]:
    """The lines before the checkpoint, to be changed; its note follows them."""
    extra = canonical.dumps(extra_of(receipt)).encode()
    path = [base64(bytes.fromhex(hash_)) for hash_ in receipt["log"]["path"]]
    first = ["c2sp.org/tlog-proof@v1", f"extra {base64(extra)}"]
    return [*first, f"index {receipt['log']['index']}", *path]


def tlog_proof(receipt: Mapping[str, Any]) -> str:
    """The receipt as a tlog-proof."""
    return "\n".join([*tlog_lines(receipt), "", receipt["checkpoint"]])


def cose_parts(receipt: Mapping[str, Any], key: Signer = KEY) -> dict[str, Any]:
    """The members of the COSE receipt before it is signed, the headers not yet encoded."""
    origin, size, root = receipt["checkpoint"].split("\n")[:3]
    dataset = canonical.loads(receipt["descriptor"], max_bytes=65_535)["dataset"]  # type: ignore[index]
    path = [bytes.fromhex(hash_) for hash_ in receipt["log"]["path"]]
    more = {
        "checkpoint": receipt["checkpoint"],
        "extra": canonical.dumps(extra_of(receipt)),
    }
    return {
        "protected": {1: -8, 4: key.verifier.key_id, 15: {1: origin, 2: dataset}, 395: 1},
        "proof": [int(size), receipt["log"]["index"], path],
        "more": more,
        "root": b64decode(root),
    }


def cose(parts: Mapping[str, Any], key: Signer = KEY) -> bytes:
    """Those members signed; one that is there already as bytes is taken as it stands."""
    protected = parts["protected"]
    if not isinstance(protected, bytes):
        protected = cbor2.dumps(protected, canonical=True)
    proof = parts["proof"]
    if not isinstance(proof, bytes):
        proof = cbor2.dumps(proof, canonical=True)
    unprotected = parts.get("unprotected", {396: {-1: [proof]}, LABEL: parts["more"]})
    message = cbor2.dumps(["Signature1", protected, b"", parts["root"]])
    signature = parts.get("signature", key.private.sign(message))
    members = [protected, unprotected, parts.get("payload"), signature]
    return cbor2.dumps(cbor2.CBORTag(18, members), canonical=True)


def cose_receipt(receipt: Mapping[str, Any], key: Signer = KEY) -> bytes:
    """The receipt as a COSE receipt."""
    return cose(cose_parts(receipt, key), key)
