# SPDX-License-Identifier: Apache-2.0
"""
Receipts as COSE receipts (RFC 9942) of the descriptor, in deterministic CBOR:

    18([
      << {1: -8, 4: key id, 15: {1: origin, 2: dataset}, 395: 1} >>,       protected
      {396: {-1: [<< [size, index, [hash, ...]] >>]},                      unprotected
       "city-notary/cose-receipt/1": {"extra": text, "checkpoint": note}},
      null,                                       the root, which the path leads to
      signature ])                                EdDSA by a key of its own

A reader of RFC 9942 needs the descriptor and that key; what is under the last label is the way
on to the record (receipt_extra.py) and to the log's signature and the witnesses'.
See docs/spec/cose-receipt-v1.md.
"""

from collections.abc import Iterable, Set
from dataclasses import dataclass, replace
from typing import Final

from notary.core import cbor, ed25519
from notary.core.checkpoint import Checkpoint, parse_checkpoint
from notary.core.descriptor import descriptor_leaf, parse_descriptor
from notary.core.errors import (
    MalformedReceipt,
    MalformedText,
    ReceiptRefused,
    UnknownSigner,
)
from notary.core.hashing import HASH_BYTES
from notary.core.note import parse_note
from notary.core.proof import verify_inclusion
from notary.core.receipt import verify_receipt
from notary.core.receipt_extra import format_extra, parse_extra
from notary.core.receipt_parts import Receipt
from notary.core.trust import Trust, parse_trust
from notary.core.use_keys import keys_for
from notary.core.verdict import Findings, Verdict
from notary.core.vkey import Verifier

KEY_USE: Final = "receipt"
KEY_SUFFIX: Final = "/receipts"
FIRST_BYTES: Final = b"\xd2\x84"
"""Tag 18, and an array of four."""
MAX_COSE_BYTES: Final = 2 << 20

_LABEL: Final = "city-notary/cose-receipt/1"
_ALG, _KID, _CLAIMS, _VDS, _PROOFS = 1, 4, 15, 395, 396
_INCLUSION: Final = -1
_ISSUER, _SUBJECT = 1, 2
_EDDSA, _RFC9162_SHA256 = -8, 1


@dataclass(frozen=True, slots=True)
class CoseReceipt:
    """
    A COSE receipt, parsed and not yet verified.

    `receipt` is what it carries, without anchors; `size` that of the log in its proof;
    `protected` the header as it is signed; `key_id` 4 bytes.
    """

    receipt: Receipt
    size: int
    protected: bytes
    key_id: bytes
    issuer: str
    subject: str
    signature: bytes


@dataclass(frozen=True, slots=True)
class Draft:
    """A COSE receipt that lacks its signature; `message` is what is to be signed."""

    message: bytes
    _protected: bytes
    _unprotected: dict[object, object]

    def signed(self, signature: bytes) -> bytes:
        """The receipt with its signature (64 bytes)."""
        members = [self._protected, self._unprotected, None, signature]
        return FIRST_BYTES[:1] + cbor.dumps(members)


def draft_cose_receipt(receipt: Receipt, key: Verifier) -> Draft:
    """
    Write a receipt as a COSE receipt, to be signed by `key`. Whether the log signed the
    checkpoint inside is for the caller to check first: nothing else may be signed.

    Raises:
        MalformedText, MalformedNote: a text in the receipt is malformed.
        ReceiptTooLarge: it doesn't fit.
        ReceiptRefused: the key is another log's.
        RootMismatch, MalformedProof: the descriptor isn't under the checkpoint.
    """
    checkpoint = _checkpoint(receipt)
    if key.name != checkpoint.origin + KEY_SUFFIX:
        raise ReceiptRefused("The key for COSE receipts is another log's.", reason="cose-key")
    leaf, path = descriptor_leaf(receipt.descriptor), receipt.log_path
    verify_inclusion(leaf, receipt.log_index, checkpoint.size, path, checkpoint.root)
    dataset = parse_descriptor(receipt.descriptor).dataset
    claims = {_ISSUER: checkpoint.origin, _SUBJECT: dataset}
    protected = cbor.dumps({_ALG: _EDDSA, _KID: key.key_id, _CLAIMS: claims, _VDS: _RFC9162_SHA256})
    proof = cbor.dumps([checkpoint.size, receipt.log_index, path])
    more = {"checkpoint": receipt.checkpoint, "extra": format_extra(receipt)}
    unprotected: dict[object, object] = {_PROOFS: {_INCLUSION: [proof]}, _LABEL: more}
    return Draft(_to_be_signed(protected, checkpoint.root), protected, unprotected)


def parse_cose_receipt(data: bytes) -> CoseReceipt:
    """
    Read a COSE receipt of this notary's form.

    Raises:
        MalformedReceipt: a member is missing, unknown or not in its one spelling.

    docs/spec/cose-receipt-v1.md, rules 1 to 5.
    """
    try:
        return _read(data)
    except MalformedText as error:
        raise error.renamed(MalformedReceipt) from None


def verify_cose_receipt(
    cose: CoseReceipt | bytes,
    trust: Trust | str,
    payload: bytes | Iterable[bytes] | None = None,
) -> Verdict:
    """
    Check a COSE receipt, and the content where it is given, against a trust file.

    Raises: as `verify_receipt`, and
        UnknownSigner: the trust file lists no such key for receipts.
        BadSignature: the signature doesn't hold.
    """
    # cose-receipt-v1.md, step 1: trust file and receipt are of their forms.
    trust = parse_trust(trust) if isinstance(trust, str) else trust
    cose = parse_cose_receipt(cose) if isinstance(cose, bytes) else cose
    # cose-receipt-v1.md, step 2: the receipt inside holds.
    verdict = verify_receipt(cose.receipt, trust, payload)
    # cose-receipt-v1.md, step 3: the headers speak of the same log, size and dataset.
    checkpoint = _checkpoint(cose.receipt)
    told = (cose.size, cose.issuer, cose.subject)
    dataset = parse_descriptor(cose.receipt.descriptor).dataset
    if told != (checkpoint.size, checkpoint.origin, dataset):
        raise ReceiptRefused("The headers speak of another log.", reason="cose-headers")
    # cose-receipt-v1.md, step 4: a key for receipts of the trust file signed the root.
    wanted = (cose.issuer + KEY_SUFFIX, cose.key_id)
    keys = [key for key in keys_for(trust, KEY_USE, KEY_SUFFIX) if (key.name, key.key_id) == wanted]
    if not keys:
        raise UnknownSigner("The trust file lists another key.", reason="other-receipt-key")
    message = _to_be_signed(cose.protected, checkpoint.root)
    ed25519.verify(keys[0].public_key, message, cose.signature)
    findings = Findings(list(verdict.checks))
    findings.held("cose", name=keys[0].name, fingerprint=keys[0].fingerprint)
    return replace(verdict, checks=tuple(findings.checks))


def _checkpoint(receipt: Receipt) -> Checkpoint:
    return parse_checkpoint(parse_note(receipt.checkpoint).text)


def _to_be_signed(protected: bytes, root: bytes) -> bytes:
    """Sig_structure without external data, RFC 9052 section 4.4."""
    return cbor.dumps(["Signature1", protected, b"", root])


def _read(data: bytes) -> CoseReceipt:
    if len(data) > MAX_COSE_BYTES or not data.startswith(FIRST_BYTES):
        raise MalformedText("The file is not a COSE receipt.")
    members = cbor.loads(data[1:])
    assert isinstance(members, list)  # of four, by its first byte
    protected, unprotected, payload, signature = members
    if payload is not None or not isinstance(protected, bytes) or not isinstance(signature, bytes):
        raise MalformedText("A COSE receipt has a header, no payload, and a signature.")
    header = _map(cbor.loads(protected), {_ALG, _KID, _CLAIMS, _VDS})
    if (header[_ALG], header[_VDS]) != (_EDDSA, _RFC9162_SHA256):
        raise MalformedText("A COSE receipt of this notary has alg EdDSA and vds 1.")
    claims = _map(header[_CLAIMS], {_ISSUER, _SUBJECT})
    key_id = header[_KID]
    if not isinstance(key_id, bytes):
        raise MalformedText("The kid is a byte string.")
    unsigned = _map(unprotected, {_PROOFS, _LABEL})
    more = _map(unsigned[_LABEL], {"checkpoint", "extra"})
    size, index, path = _proof(_map(unsigned[_PROOFS], {_INCLUSION})[_INCLUSION])
    return CoseReceipt(
        receipt=parse_extra(_text(more["extra"]), index, path, _text(more["checkpoint"])),
        size=size,
        protected=protected,
        key_id=key_id,
        issuer=_text(claims[_ISSUER]),
        subject=_text(claims[_SUBJECT]),
        signature=signature,
    )


def _proof(proofs: object) -> tuple[int, int, tuple[bytes, ...]]:
    """The one inclusion proof: size, index and path (RFC 9942, RFC9162_SHA256)."""
    if not isinstance(proofs, list) or len(proofs) != 1 or not isinstance(proofs[0], bytes):
        raise MalformedText("A COSE receipt of this notary has one inclusion proof.")
    members = cbor.loads(proofs[0])
    if not isinstance(members, list) or len(members) != 3:
        raise MalformedText("An inclusion proof is size, index and path.")
    size, index, path = members
    if not isinstance(size, int) or not isinstance(index, int) or not isinstance(path, list):
        raise MalformedText("An inclusion proof is size, index and path.")
    if not all(isinstance(hash_, bytes) and len(hash_) == HASH_BYTES for hash_ in path):
        raise MalformedText("Each hash of a path is exactly 32 bytes.")
    return size, index, tuple(path)


def _map(value: object, keys: Set[object]) -> dict[object, object]:
    if not isinstance(value, dict) or value.keys() != keys:
        raise MalformedText("A header of the COSE receipt has other members than it must.")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise MalformedText("Text is expected in the COSE receipt.")
    return value
