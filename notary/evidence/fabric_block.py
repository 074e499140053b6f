# SPDX-License-Identifier: Apache-2.0
"""
A block of Hyperledger Fabric: its header, the envelopes in it, the orderers' signatures and
the peer's codes.

    Block            header 1, data 2, metadata 3
    BlockHeader      number 1, previous_hash 2, data_hash 3
    BlockData        data 1 (an envelope each)
    BlockMetadata    metadata 1: at 0 the orderers' Metadata, at 2 a code for each envelope
    Metadata         value 1, signatures 2: MetadataSignature each
    MetadataSignature  signature_header 1, signature 2, identifier_header 3

What else stands in the metadata is signed by nobody; evidence leaves it out (`format_block`).
See docs/spec/anchor-bsn-fabric.md, rules 3 to 5.
"""

from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from notary.core.errors import MalformedText
from notary.evidence.protobuf import Message, field

MAX_BLOCK_BYTES: Final = 16 << 20
MAX_SIGNATURES: Final = 100
MAX_SIGNATURES_BYTES: Final = 1 << 18
_SIGNATURES, _CODES = 0, 2
_INTEGER, _OCTET_STRING, _SEQUENCE = 0x02, 0x04, 0x30


@dataclass(frozen=True, slots=True)
class BlockSignature:
    """An orderer's: its signature header as it was signed, and the signature."""

    header: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Block:
    """
    A block. Hashes have 32 bytes; `value` is what its orderers signed with the header;
    `codes` has a byte for each envelope, or none where no peer has looked at it yet.
    """

    number: int
    previous_hash: bytes
    data_hash: bytes
    envelopes: tuple[bytes, ...]
    value: bytes
    signatures: tuple[BlockSignature, ...]
    codes: bytes

    @property
    def header(self) -> bytes:
        """DER of SEQUENCE {INTEGER number, OCTET STRING previous, OCTET STRING data}."""
        number = self.number.to_bytes(self.number.bit_length() // 8 + 1, "big")
        return _der(
            _SEQUENCE,
            _der(_INTEGER, number)
            + _der(_OCTET_STRING, self.previous_hash)
            + _der(_OCTET_STRING, self.data_hash),
        )

    @property
    def hash(self) -> bytes:
        """SHA-256 of the header, by which the next block names this one."""
        return sha256(self.header).digest()


def parse_block(data: bytes) -> Block:
    """
    Read a block as a peer stores it, or as `format_block` wrote it. Nothing is verified.

    Raises:
        MalformedText: it is none, too large, the first of its channel, or signed in a way
            that names no certificate.
    """
    if len(data) > MAX_BLOCK_BYTES:
        raise MalformedText(f"The block is longer than {MAX_BLOCK_BYTES} bytes.")
    block = Message(data, "block")
    header = block.message(1, "block's header")
    metadata = block.message(3, "block's metadata").each(1)
    value, signatures = _signatures(metadata[_SIGNATURES] if metadata else b"")
    found = Block(
        number=header.integer(1),
        previous_hash=header.octets(2),
        data_hash=header.octets(3),
        envelopes=tuple(block.message(2, "block's data").each(1)),
        value=value,
        signatures=signatures,
        codes=metadata[_CODES] if len(metadata) > _CODES else b"",
    )
    if found.number < 1 or len(found.previous_hash) != 32 or len(found.data_hash) != 32:
        raise MalformedText("The block has no number from 1 on, or a hash hasn't 32 bytes.")
    return found


def format_block(block: Block) -> bytes:
    """
    Write a block with what is hashed, signed or the peer's code, and nothing else.

    Fields in the order of their numbers, absent where they are empty.
    """
    header = field(1, block.number) + field(2, block.previous_hash) + field(3, block.data_hash)
    data = b"".join(field(1, envelope) for envelope in block.envelopes)
    signed = (field(1, block.value) if block.value else b"") + b"".join(
        field(2, field(1, item.header) + field(2, item.signature)) for item in block.signatures
    )
    metadata = field(1, signed) + field(1, b"") + field(1, block.codes)
    return field(1, header) + field(2, data) + field(3, metadata)


def _signatures(data: bytes) -> tuple[bytes, tuple[BlockSignature, ...]]:
    if len(data) > MAX_SIGNATURES_BYTES:
        raise MalformedText(
            f"The orderers' signatures have more than {MAX_SIGNATURES_BYTES} bytes."
        )
    metadata = Message(data, "orderers' metadata")
    items = [Message(item, "orderer's signature") for item in metadata.each(2)]
    if len(items) > MAX_SIGNATURES:
        raise MalformedText(f"The block has more than {MAX_SIGNATURES} signatures.")
    if any(item.has(3) for item in items):
        raise MalformedText("An orderer is named by a number, which no certificate goes with.")
    return metadata.octets(1), tuple(
        BlockSignature(item.octets(1), item.octets(2)) for item in items
    )


def _der(tag: int, content: bytes) -> bytes:
    """A value of at most 127 bytes: all that a header has."""
    return bytes([tag, len(content)]) + content
