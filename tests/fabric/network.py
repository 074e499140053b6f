# SPDX-License-Identifier: Apache-2.0
"""A channel of organisations with peers, an orderer and a gateway, and the blocks it makes."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from tests.fabric.pki import Identity, Organisation
from tests.fabric.transaction import Draft, Key, Transaction
from tests.fabric.wire import item, number, octets

NOW = datetime(2026, 11, 27, 8, tzinfo=UTC)
"""When the certificates are dated from."""


@dataclass(frozen=True)
class Block:
    """A block's number, the hash of its header, and the whole block."""

    number: int
    hash: bytes
    octets: bytes


@dataclass
class Network:
    """The same one each time, for the same names: its keys come from them."""

    channel: str
    chaincode: str
    msps: dict[str, Organisation]
    orderers: dict[str, Organisation]
    gateway: Identity
    peers: list[Identity]
    orderer: Identity

    @classmethod
    def make(
        cls,
        *,
        channel: str = "app0001202611270000001",
        chaincode: str = "cc_app0001202611270000001_01",
        msps: Sequence[str] = ("OrgaNodeMSP", "OrgbNodeMSP"),
        orderer: str = "OrdererMSP",
        now: datetime = NOW,
    ) -> "Network":
        """Found the organisations, and give each its node."""
        members = {id_: Organisation(id_, now) for id_ in msps}
        ordering = Organisation(orderer, now)
        return cls(
            channel=channel,
            chaincode=chaincode,
            msps=members,
            orderers={orderer: ordering},
            gateway=members[msps[0]].issue("client", "gateway"),
            peers=[members[id_].issue("peer", f"peer1.{id_}") for id_ in msps],
            orderer=ordering.issue("orderer", f"orderer1.{orderer}"),
        )

    def trust(self) -> dict[str, object]:
        """What a trust file says of the channel, beside the ledger's id and kind."""
        return {
            "channel": self.channel,
            "chaincode": self.chaincode,
            "msps": [_organisation(one) for one in self.msps.values()],
            "orderers": [_organisation(one) for one in self.orderers.values()],
        }

    def draft(
        self,
        function: str,
        args: Sequence[str],
        *,
        time: datetime,
        nonce: bytes,
        writes: Sequence[tuple[str, bytes | None]] = (),
        reads: Sequence[Key | tuple[Key, tuple[int, int]]] = (),
        creator: Identity | None = None,
        chaincode: str | None = None,
        endorsers: Sequence[Identity] | None = None,
    ) -> Draft:
        """
        A call of the chaincode, all of which can still be changed before it is built.

        `reads` are keys, with a version where they were there already; `writes` are keys with
        values, None deletes.
        """
        return Draft(
            channel=self.channel,
            chaincode=chaincode or self.chaincode,
            args=[function, *args],
            time=time,
            nonce=nonce,
            reads=[read if isinstance(read, tuple) else (read, None) for read in reads],
            writes=list(writes),
            creator=creator or self.gateway,
            endorsers=list(self.peers if endorsers is None else endorsers),
        )

    def transaction(self, function: str, args: Sequence[str], **rest: Any) -> Transaction:
        """The same, built: endorsed and signed."""
        return self.draft(function, args, **rest).build()

    def setting(self, key: str, value: str, *, time: datetime, nonce: bytes) -> Draft:
        """The preset chaincode's `set`, as its two variants do it: look, then write."""
        return self.draft(
            "set",
            [f'{{"baseKey":"{key}","baseValue":"{value}"}}'],
            time=time,
            nonce=nonce,
            reads=[f"base_key_{key}"],
            writes=[(f"base_key_{key}", stored(key, value))],
        )

    def set(self, key: str, value: str, *, time: datetime, nonce: bytes) -> Transaction:
        """The same, built."""
        return self.setting(key, value, time=time, nonce=nonce).build()

    def block(
        self,
        number_: int,
        previous_hash: bytes,
        transactions: Sequence[Transaction | bytes],
        codes: bytes | None = None,
        *,
        orderers: Sequence[Identity] | None = None,
        **lies: Any,
    ) -> Block:
        """A block as a peer keeps it, with its codes (0 for each, where none are given)."""
        envelopes = [one if isinstance(one, bytes) else one.envelope for one in transactions]
        return Ordering(
            number=number_,
            previous_hash=previous_hash,
            envelopes=envelopes,
            codes=bytes(len(envelopes)) if codes is None else codes,
            orderers=list([self.orderer] if orderers is None else orderers),
            **lies,
        ).build()


@dataclass
class Ordering:
    """All that a block says; a test may let any of it be a lie."""

    number: int
    previous_hash: bytes
    envelopes: list[bytes]
    codes: bytes
    orderers: list[Identity]
    data_hash: bytes | None = None
    value: bytes = item(1, number(1, 1)) + octets(2, number(1, 5))
    signer: Identity | None = None
    """Who signs in the orderers' names, where it isn't they."""
    is_full: bool = True
    """With the other metadata that a peer has, which nobody signed."""
    extra: Mapping[str, bytes] = field(default_factory=dict)
    """Fields to append to the message of a name."""

    def build(self) -> Block:
        """The block, with the hash of its header."""
        data_hash = self.data_hash or sha256(b"".join(self.envelopes)).digest()
        header = der_header(self.number, self.previous_hash, data_hash)
        signatures = [self._sign(orderer, header) for orderer in self.orderers]
        signed = self._message("orderers", octets(1, self.value), *signatures)
        metadata = [signed, b"", self.codes]
        if self.is_full:
            commit = octets(1, sha256(b"commit" + data_hash).digest())
            metadata = [signed, octets(1, number(1, 1)), self.codes, octets(1, b"kafka"), commit]
        block = self._message(
            "block",
            item(
                1,
                self._message(
                    "header",
                    number(1, self.number),
                    octets(2, self.previous_hash),
                    octets(3, data_hash),
                ),
            ),
            item(2, self._message("data", *(item(1, envelope) for envelope in self.envelopes))),
            item(3, self._message("metadata", *(item(1, one) for one in metadata))),
        )
        return Block(self.number, sha256(header).digest(), block)

    def _sign(self, orderer: Identity, header: bytes) -> bytes:
        nonce = sha256(b"orderer" + header).digest()[:24]
        signature_header = octets(1, orderer.serialized) + octets(2, nonce)
        message = self.value + signature_header + header
        signature = (self.signer or orderer).sign(message)
        return item(
            2, self._message("signature", octets(1, signature_header), octets(2, signature))
        )

    def _message(self, name: str, *fields: bytes) -> bytes:
        return b"".join(fields) + self.extra.get(name, b"")


def stored(key: str, value: str) -> bytes:
    """What the preset chaincode keeps of a key."""
    return f'{{"BaseKey":"{key}","BaseInfo":"{value}"}}'.encode()


def processed(envelope: bytes, code: int) -> bytes:
    """ProcessedTransaction: the envelope and the peer's code."""
    return item(1, envelope) + number(2, code)


def der_header(number_: int, previous_hash: bytes, data_hash: bytes) -> bytes:
    """ASN.1 SEQUENCE {INTEGER, OCTET STRING, OCTET STRING}."""
    digits = f"{number_:x}"
    raw = bytes.fromhex(digits if len(digits) % 2 == 0 else "0" + digits)
    raw = b"\x00" + raw if raw[0] > 127 else raw
    inner = b"\x02" + bytes([len(raw)]) + raw
    for hash_ in (previous_hash, data_hash):
        inner += b"\x04" + bytes([len(hash_)]) + hash_
    return b"\x30" + bytes([len(inner)]) + inner


def _organisation(one: Organisation) -> dict[str, object]:
    return {"id": one.id, "roots": [base64.b64encode(one.ca_der).decode()]}
