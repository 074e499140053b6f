# SPDX-License-Identifier: Apache-2.0
"""
A transaction of Hyperledger Fabric, from its envelope down to what it writes.

    Envelope               payload 1, signature 2
    Payload                header 1 {channel_header 1, signature_header 2}, data 2
    ChannelHeader          type 1, timestamp 3 {seconds 1, nanos 2}, channel_id 4, tx_id 5,
                           extension 7 {chaincode_id 2}
    SignatureHeader        creator 1, nonce 2
    Transaction (data)     actions 1: {header 1, payload 2}
    action's payload       chaincode_proposal_payload 1, action 2
    ChaincodeEndorsedAction  proposal_response_payload 1, endorsements 2: {endorser 1, signature 2}
    proposal response      proposal_hash 1, extension 2: ChaincodeAction
    ChaincodeAction        results 1, response 3 {status 1}, chaincode_id 4 {name 2}
    proposal               input 1: {chaincode_spec 1: {chaincode_id 2, input 3 {args 1}}}
    results                data_model 1, ns_rwset 2: {namespace 1, rwset 2}
    rwset                  reads 1: {key 1, version 2}, writes 3: {key 1, is_delete 2, value 3}

See docs/spec/anchor-bsn-fabric.md, rules 4 and 6.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final

from notary.core.errors import MalformedText
from notary.evidence.fabric_block import Block
from notary.evidence.protobuf import Message

ENDORSER_TRANSACTION: Final = 3
MAX_ENDORSEMENTS: Final = 100
MAX_NAMING_BYTES: Final = 1 << 18
"""Of all envelopes that name a transaction: they are read before anything is verified."""
_STATUS_OK: Final = 200
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Endorsement:
    """A serialised identity, and its signature over the response and that identity."""

    endorser: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Read:
    """A key that was read; `is_new` where the ledger had no value for it."""

    namespace: str
    key: str
    is_new: bool


@dataclass(frozen=True, slots=True)
class Write:
    """A key that is written, or deleted."""

    namespace: str
    key: str
    is_delete: bool
    value: bytes


@dataclass(frozen=True, slots=True)
class Transaction:
    """
    An endorser transaction, nothing of it verified.

    `payload` and `signature` are the envelope's; `creator` is a serialised identity; `time` is
    what the creator's clock said; `proposal` is the hash of header and proposal as they stand
    here, `proposal_hash` the one that was endorsed; `response` is what was endorsed.
    """

    payload: bytes
    signature: bytes
    channel: str
    tx_id: str
    time: datetime
    creator: bytes
    nonce: bytes
    chaincode: str
    args: tuple[bytes, ...]
    proposal: bytes
    proposal_hash: bytes
    response: bytes
    endorsements: tuple[Endorsement, ...]
    reads: tuple[Read, ...]
    writes: tuple[Write, ...]


def parse_transaction(envelope: bytes) -> Transaction:
    """
    Read an envelope of a block.

    Raises:
        MalformedText: it is no endorser transaction of one action that succeeded, or names two
            chaincodes, two creators, a key's namespace twice.
    """
    outer = Message(envelope, "envelope")
    payload = Message(outer.octets(1), "envelope's payload")
    header = payload.message(1, "transaction's header")
    channel_octets, signer_octets = header.octets(1), header.octets(2)
    channel = Message(channel_octets, "channel header")
    if channel.integer(1) != ENDORSER_TRANSACTION:
        raise MalformedText("It is no endorser transaction.")
    signer = Message(signer_octets, "signature header")
    actions = Message(payload.octets(2), "transaction").each(1)
    if len(actions) != 1:
        raise MalformedText("A transaction has exactly one action.")
    action = Message(actions[0], "transaction's action")
    if action.octets(1) != signer_octets:
        raise MalformedText("The action has another header than its transaction.")
    invoked = Message(action.octets(2), "action's payload")
    proposal = invoked.octets(1)
    endorsed = invoked.message(2, "endorsed action")
    response = endorsed.octets(1)
    answer = Message(response, "proposal response")
    result = Message(answer.octets(2), "chaincode's action")
    spec = Message(Message(proposal, "proposal").octets(1), "invocation").message(1, "call")
    if result.message(3, "chaincode's response").integer(1) != _STATUS_OK:
        raise MalformedText("The chaincode did not answer with status 200.")
    reads, writes = _parse_results(result.octets(1))
    return Transaction(
        payload=outer.octets(1),
        signature=outer.octets(2),
        channel=channel.text(4),
        tx_id=channel.text(5),
        time=_parse_time(channel.message(3, "timestamp")),
        creator=signer.octets(1),
        nonce=signer.octets(2),
        chaincode=_same_chaincode(
            Message(channel.octets(7), "header's extension").message(2, "header's chaincode"),
            spec.message(2, "call's chaincode"),
            result.message(4, "action's chaincode"),
        ),
        args=tuple(spec.message(3, "call's input").each(1)),
        proposal=sha256(channel_octets + signer_octets + proposal).digest(),
        proposal_hash=answer.octets(1),
        response=response,
        endorsements=_parse_endorsements(endorsed.each(2)),
        reads=reads,
        writes=writes,
    )


def find(block: Block, tx: str) -> tuple[int, Transaction]:
    """
    The transaction of that id, and its place in the block.

    Raises:
        MalformedText: the block holds none, or several, or it can't be read.
    """
    text = tx.encode()
    naming = {place: item for place, item in enumerate(block.envelopes) if text in item}
    if sum(map(len, naming.values())) > MAX_NAMING_BYTES:
        raise MalformedText(
            f"More than {MAX_NAMING_BYTES} bytes of the block name the transaction."
        )
    places = [place for place, item in naming.items() if _tx_id(item) == tx]
    if len(places) != 1:
        raise MalformedText(f"The block holds the transaction {len(places)} times.")
    return places[0], parse_transaction(block.envelopes[places[0]])


def _tx_id(envelope: bytes) -> str | None:
    """The id in the header alone: what others have in a block need not be of any use here."""
    try:
        payload = Message(Message(envelope, "envelope").octets(1), "envelope's payload")
        header = payload.message(1, "transaction's header")
        return Message(header.octets(1), "channel header").text(5)
    except MalformedText:
        return None


def _same_chaincode(*ids: Message) -> str:
    """The name that header, call and action agree on."""
    names = {id_.text(2) for id_ in ids}
    if len(names) != 1:
        raise MalformedText("The transaction names several chaincodes.")
    return names.pop()


def _parse_time(timestamp: Message) -> datetime:
    """Microseconds; what is smaller is cut off."""
    seconds, nanos = timestamp.integer(1), timestamp.integer(2)
    try:
        if nanos < 1_000_000_000:
            return _EPOCH + timedelta(seconds=seconds, microseconds=nanos // 1000)
    except OverflowError:
        pass
    raise MalformedText("The transaction's time is none.")


def _parse_endorsements(items: list[bytes]) -> tuple[Endorsement, ...]:
    if len(items) > MAX_ENDORSEMENTS:
        raise MalformedText(f"The transaction has more than {MAX_ENDORSEMENTS} endorsements.")
    messages = [Message(item, "endorsement") for item in items]
    return tuple(Endorsement(item.octets(1), item.octets(2)) for item in messages)


def _parse_results(data: bytes) -> tuple[tuple[Read, ...], tuple[Write, ...]]:
    results = Message(data, "results")
    if results.integer(1) != 0:
        raise MalformedText("The results are not those of keys and values.")
    reads: list[Read] = []
    writes: list[Write] = []
    seen: set[str] = set()
    for item in results.each(2):
        part = Message(item, "results of a namespace")
        namespace = part.text(1)
        if namespace in seen:
            raise MalformedText("The results have a namespace twice.")
        seen.add(namespace)
        sets = Message(part.octets(2), "read and write set")
        for octets in sets.each(1):
            read = Message(octets, "read")
            reads.append(Read(namespace, read.text(1), not read.has(2)))
        for octets in sets.each(3):
            write = Message(octets, "write")
            writes.append(Write(namespace, write.text(1), write.flag(2), write.octets(3)))
    return tuple(reads), tuple(writes)
