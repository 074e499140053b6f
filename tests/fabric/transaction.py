# SPDX-License-Identifier: Apache-2.0
"""A transaction of a Fabric channel, made as a client, its peers and a gateway make it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

from tests.fabric.pki import Identity
from tests.fabric.wire import item, number, octets

Key = str
Version = tuple[int, int]
"""Number of the block and place in it, where a key was written last."""


@dataclass(frozen=True)
class Transaction:
    """Its id, and the envelope that goes into a block."""

    tx_id: str
    envelope: bytes


@dataclass
class Draft:
    """
    All that a transaction says; a test may let any of it be a lie.

    What is None is as it should be. Everything is signed after that, so that the lie is the
    only fault.
    """

    channel: str
    chaincode: str
    args: list[str]
    time: datetime
    nonce: bytes
    reads: list[tuple[Key, Version | None]]
    writes: list[tuple[Key, bytes | None]]
    creator: Identity
    endorsers: list[Identity]
    kind: int = 3
    status: int = 200
    data_model: int = 0
    nanos: int | None = None
    tx_id: str | None = None
    namespace: str | None = None
    header_chaincode: str | None = None
    action_chaincode: str | None = None
    action_header: bytes | None = None
    proposal_hash: bytes | None = None
    creator_signer: Identity | None = None
    endorser_signer: Identity | None = None
    actions: int = 1
    extra: Mapping[str, bytes] = field(default_factory=dict)
    """Fields to append to the message of a name."""

    def build(self) -> Transaction:
        """Propose, endorse, sign."""
        creator = self.creator.serialized
        tx_id = self.tx_id or sha256(self.nonce + creator).hexdigest()
        signature_header = self._message(
            "signature header", octets(1, creator), octets(2, self.nonce)
        )
        channel_header = self._channel_header(tx_id)
        proposal = self._proposal()
        hashed = sha256(channel_header + signature_header + proposal).digest()
        response = self._response(hashed if self.proposal_hash is None else self.proposal_hash)
        action = self._message(
            "action",
            octets(1, signature_header if self.action_header is None else self.action_header),
            octets(2, self._action_payload(proposal, response)),
        )
        payload = self._message(
            "payload",
            item(
                1,
                self._message("header", octets(1, channel_header), octets(2, signature_header)),
            ),
            octets(2, self._message("transaction", *([item(1, action)] * self.actions))),
        )
        signature = (self.creator_signer or self.creator).sign(payload)
        envelope = self._message("envelope", octets(1, payload), octets(2, signature))
        return Transaction(tx_id, envelope)

    def _channel_header(self, tx_id: str) -> bytes:
        seconds = int(self.time.timestamp())
        nanos = self.time.microsecond * 1000 if self.nanos is None else self.nanos
        extension = self._message(
            "extension",
            item(
                2,
                self._message(
                    "header chaincode", octets(2, self.header_chaincode or self.chaincode)
                ),
            ),
        )
        return self._message(
            "channel header",
            number(1, self.kind),
            item(3, self._message("timestamp", number(1, seconds), number(2, nanos))),
            octets(4, self.channel),
            octets(5, tx_id),
            octets(7, extension),
        )

    def _proposal(self) -> bytes:
        """ChaincodeProposalPayload with the invocation: Go chaincode, its id, its arguments."""
        spec = self._message(
            "spec",
            number(1, 1),
            item(2, self._message("call chaincode", octets(2, self.chaincode))),
            item(3, self._message("input", *(item(1, argument) for argument in self.args))),
        )
        return self._message("proposal", octets(1, self._message("invocation", item(1, spec))))

    def _response(self, proposal_hash: bytes) -> bytes:
        """ProposalResponsePayload, which the peers sign."""
        action = self._message(
            "chaincode action",
            octets(1, self._results()),
            item(
                3,
                self._message("response", number(1, self.status), octets(3, "SUCCESS")),
            ),
            item(
                4,
                self._message(
                    "action chaincode",
                    octets(2, self.action_chaincode or self.chaincode),
                    octets(3, "1.0.0"),
                ),
            ),
        )
        return self._message("proposal response", octets(1, proposal_hash), octets(2, action))

    def _results(self) -> bytes:
        """TxReadWriteSet: the peer looked up the chaincode; what the chaincode itself did."""
        looked = item(1, octets(1, self.chaincode) + item(2, number(1, 1) + number(2, 0)))
        reads = [
            item(1, self._message("read", octets(1, key), b"" if at is None else _version(at)))
            for key, at in self.reads
        ]
        writes = [
            item(
                3,
                self._message(
                    "write", octets(1, key), number(2, value is None), octets(3, value or b"")
                ),
            )
            for key, value in self.writes
        ]
        own = self._message(
            "namespace",
            octets(1, self.namespace or self.chaincode),
            octets(2, self._message("rwset", *reads, *writes)),
        )
        return self._message(
            "results",
            number(1, self.data_model),
            item(2, octets(1, "lscc") + octets(2, looked)),
            item(2, own),
        )

    def _action_payload(self, proposal: bytes, response: bytes) -> bytes:
        """ChaincodeActionPayload: what was proposed, and what was endorsed, by whom."""
        endorsements = [
            item(
                2,
                self._message(
                    "endorsement",
                    octets(1, peer.serialized),
                    octets(2, (self.endorser_signer or peer).sign(response + peer.serialized)),
                ),
            )
            for peer in self.endorsers
        ]
        endorsed = self._message("endorsed action", octets(1, response), *endorsements)
        return self._message("action payload", octets(1, proposal), item(2, endorsed))

    def _message(self, name: str, *fields: bytes) -> bytes:
        return b"".join(fields) + self.extra.get(name, b"")


def _version(at: Version) -> bytes:
    return item(2, number(1, at[0]) + number(2, at[1]))
