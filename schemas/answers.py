# SPDX-License-Identifier: Apache-2.0
"""What the API answers: times in UTC with six decimals, hashes in lower-case hex."""

from typing import Any

from marshmallow import INCLUDE, Schema, fields

from schemas.fields import Hash, Time


class FaultAnswer(Schema):
    """What is wrong at one place of the body or the query."""

    pointer = fields.String(metadata={"description": "JSON pointer into the body."})
    parameter = fields.String(metadata={"description": "Name of a query parameter."})
    code = fields.String()
    detail = fields.String()
    found = fields.String(metadata={"description": "What exactly a codec found, in English."})


class Problem(Schema):
    """An error (RFC 9457). The page at `type` says what to do."""

    type = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True)
    instance = fields.String()
    request_id = fields.String()
    errors = fields.List(fields.Nested(FaultAnswer))


class DatasetAnswer(Schema):
    """A dataset. `owner` is told to its owner only."""

    id = fields.String(required=True, attribute="name")
    label = fields.String()
    open = fields.Boolean(attribute="is_open")
    owner = fields.String()
    random_sources = fields.Boolean()
    digest_index = fields.Boolean()
    lanes = fields.Integer(attribute="lane_count")
    licence = fields.String()
    catalogue = fields.String(metadata={"description": "Its code in the data catalogue."})
    sharing = fields.String(metadata={"description": "State Council Order 809's attribute."})
    classification = fields.String()
    update_cycle = fields.String()
    keep = fields.String(metadata={"description": "For how long content stays here."})
    kept_for = fields.String(metadata={"description": "What the notary itself keeps it for."})
    batches = fields.Integer(attribute="batch_count")
    created = Time(attribute="created_at")
    links = fields.Dict()


class AcceptanceAnswer(Schema):
    """A promise: the record is durable. `duplicate`: it was there before."""

    dataset = fields.String()
    source = fields.String()
    chain = fields.Integer()
    n = fields.Integer()
    leaf = Hash()
    received = Time()
    duplicate = fields.Boolean()
    key_reused = fields.Boolean()
    signed = fields.String(metadata={"description": "A signed acceptance, where preferred."})
    links = fields.Dict()


class ItemAnswer(AcceptanceAnswer):
    """The answer to one of several items: an acceptance, or `errors` and nothing else."""

    errors = fields.List(fields.Nested(FaultAnswer))


class PostedAnswer(AcceptanceAnswer):
    """To one item its acceptance; to several the counts, and `items` in their order."""

    accepted = fields.Integer()
    refused = fields.Integer()
    items = fields.List(fields.Nested(ItemAnswer))


class SourceAnswer(Schema):
    """A source and its last record, if any: where a gateway goes on from."""

    dataset = fields.String()
    source = fields.String()
    label = fields.String(metadata={"description": "Told to the owner only, as the next three."})
    title = fields.String()
    registered = Time(attribute="registered_at")
    revoked = Time(attribute="revoked_at")
    chain = fields.Integer()
    n = fields.Integer()
    leaf = Hash()
    received = Time()
    observed = fields.String()
    key = fields.String()
    links = fields.Dict()


class GapAnswer(Schema):
    """
    `missing` numbers among the keys, `first` to `last`; a `silence`; or a `restart` of the
    sender's numbers. `size`: how many numbers, or how many seconds. It lies between the records
    `after_n` and `before_n`, which is null where the silence still lasts.
    """

    kind = fields.String()
    size = fields.Integer()
    after_n = fields.Integer()
    after_received = Time()
    before_n = fields.Integer(allow_none=True)
    before_received = Time(allow_none=True)
    first = fields.String(metadata={"description": "As a text: it may be beyond 2^53."})
    last = fields.String()


class GapsAnswer(Schema):
    """
    What a source didn't send, as far as it was looked at; go on with `next`. `looked` records
    were looked at; `duplicates` of its readings came again, ever, and are no records.
    """

    dataset = fields.String()
    source = fields.String()
    chain = fields.Integer()
    looked = fields.Integer()
    duplicates = fields.Integer()
    items = fields.List(fields.Nested(GapAnswer))
    next = fields.String(allow_none=True)


class AnchoredAnswer(Schema):
    """An anchor that covers the record. `own_word`: the notary noted it itself."""

    ledger = fields.String()
    size = fields.Integer()
    own_word = fields.Boolean()


class StateAnswer(Schema):
    """The record's states, each told apart; what isn't reached is null."""

    accepted = Time()
    sealed = fields.Dict(allow_none=True)
    signed = fields.Dict(allow_none=True)
    witnessed = fields.Dict(allow_none=True)
    anchored = fields.List(fields.Nested(AnchoredAnswer))


class ErasedAnswer(Schema):
    """That the content was erased, as receipts say it: when, on what ground, by which record."""

    at = fields.String()
    ground = fields.String()
    record = fields.String(metadata={"description": "As dataset/source/chain/n."})


class RecordAnswer(Schema):
    """A record: what its statement says, how far it is, and (alone) its payload."""

    dataset = fields.String()
    source = fields.String()
    chain = fields.Integer()
    n = fields.Integer()
    leaf = Hash()
    received = Time()
    observed = fields.String()
    key = fields.String()
    by = fields.String()
    type = fields.String()
    digest = Hash()
    commitment = Hash()
    size_bytes = fields.Integer(allow_none=True)
    key_reused = fields.Boolean()
    replayed = fields.Boolean(
        metadata={"description": "Its signature came before, or was made more than a day ago."}
    )
    future_dated = fields.Boolean(
        metadata={"description": "The sender's time lies more than a day ahead of our clock."}
    )
    statement = fields.String()
    payload_base64 = fields.String(metadata={"format": "byte"})
    salt = Hash()
    erased = fields.Nested(ErasedAnswer)
    state = fields.Nested(StateAnswer)
    links = fields.Dict()


class Document(Schema):
    """A document with a specification of its own, of which only some members stand here."""

    class Meta:
        """More members than these."""

        unknown = INCLUDE


class ReceiptAnswer(Document):
    """A receipt, format `receipt/1`: see docs/spec/receipt-v1.md."""

    v = fields.String()


class TrustAnswer(Document):
    """The trust file, format `trust/1`: see docs/spec/trust-v1.md."""

    v = fields.String()
    name = fields.String()
    logs = fields.List(fields.Dict())
    witnesses = fields.List(fields.Raw())
    ledgers = fields.List(fields.Dict())
    keys = fields.List(fields.Dict())


class NotYetAnswer(Schema):
    """The state that the record has, and when to ask again."""

    state = fields.String()
    retry_after_seconds = fields.Integer()
    detail = fields.String()


class BatchAnswer(Schema):
    """A leaf of the log. `descriptor` is the text that was hashed."""

    index = fields.Integer()
    dataset = fields.String()
    number = fields.Integer()
    count = fields.Integer()
    leaf = Hash()
    sealed = Time(attribute="sealed_at")
    descriptor = fields.String()
    signed = fields.Dict(allow_none=True)
    witnessed = fields.Dict(allow_none=True)
    anchored = fields.List(fields.Nested(AnchoredAnswer))
    links = fields.Dict()


class AnchorAnswer(Schema):
    """
    A checkpoint on a ledger. `refused`: the ledger refused it, and gets nothing more until a
    person has looked. `required`: a record is called anchored only once this ledger has it.
    """

    ledger = fields.String()
    kind = fields.String(metadata={"description": "Which evidence it gives."})
    required = fields.Boolean()
    size = fields.Integer()
    root = Hash()
    state = fields.String()
    refused = fields.Boolean()
    attempts = fields.Integer()
    built = Time(attribute="built_at")
    submitted = Time(attribute="submitted_at", allow_none=True)
    changed = Time(attribute="changed_at")
    own_word = fields.Boolean()
    meaning = fields.String(allow_none=True)
    evidence = fields.Raw(allow_none=True)


class DigestAnswer(Schema):
    """A record whose payload has the digest that was asked for."""

    dataset = fields.String()
    source = fields.String()
    chain = fields.Integer()
    n = fields.Integer()
    links = fields.Dict()


class VersionDigestAnswer(Schema):
    """A version whose file has the digest that was asked for."""

    dataset = fields.String()
    version = fields.Integer()
    links = fields.Dict()


class NotSearchedAnswer(Schema):
    """An open dataset whose records can't be found by their digest."""

    dataset = fields.String()
    label = fields.String()


class DigestsAnswer(Schema):
    """What has the digest that was asked for: records, and on the first page versions."""

    items = fields.List(fields.Nested(DigestAnswer))
    next = fields.String(allow_none=True)
    versions = fields.List(fields.Nested(VersionDigestAnswer))
    not_searched = fields.List(fields.Nested(NotSearchedAnswer))


class StatusAnswer(Schema):
    """How the service stands."""

    name = fields.String()
    version = fields.String()
    time = Time()
    gate = fields.Dict()
    second_root = fields.String()
    totals = fields.Dict()
    quarantine = fields.List(fields.Dict())
    processes = fields.Dict()
    witnesses = fields.Dict()
    ledgers = fields.List(fields.Dict())


class ReadyAnswer(Schema):
    """A word of life."""

    live = fields.Boolean()
    ready = fields.Boolean()


def page_of(item: type[Schema]) -> type[Schema]:
    """The schema of a page: its items, and the cursor of the next one or null."""
    members: dict[str, fields.Field[Any]] = {
        "items": fields.List(fields.Nested(item)),
        "next": fields.String(allow_none=True),
    }
    return Schema.from_dict(members, name=f"{item.__name__.removesuffix('Answer')}Page")
