# SPDX-License-Identifier: Apache-2.0
"""What may stand behind the question mark. Unknown parameters are errors there too."""

from marshmallow import fields, validate

from notary.core.canonical import MAX_INTEGER
from schemas.fields import Id, Moment, Strict, Text, Whole

MAX_CHAIN = 2**31 - 1
LANGUAGE = validate.OneOf(["en", "zh"], error="language")


class AnyQuery(Strict):
    """`lang` chooses the language of sentences, before Accept-Language."""

    lang = fields.String(validate=LANGUAGE)


class PageQuery(AnyQuery):
    """A part of a list: go on with the `next` of the part before."""

    limit = Whole(1, 1000, text=True, load_default=100)
    cursor = fields.String(validate=validate.Length(1, 400, error="cursor"))


class ChainQuery(AnyQuery):
    """`chain` is the current one unless it is given; it rises only after a recovery."""

    chain = Whole(0, MAX_CHAIN, text=True)


class PostQuery(AnyQuery):
    """
    `codec` reads the body as a gateway's message. Then `source` is whose it is, unless the
    message names it, and `observed` and `key` are the members with the sender's time and id.
    """

    codec = fields.String(validate=validate.Length(1, 64, error="codec"))
    source = Id()
    observed = Text(128)
    key = Text(128)


class RecordsQuery(PageQuery, ChainQuery):
    """A part of a source's records, by n."""


class GapsQuery(PageQuery):
    """
    `interval_seconds` is how often the source should send: longer silence is a gap. `since`:
    only from then on. `limit`: about so many gaps at most.
    """

    interval_seconds = Whole(1, 366 * 86_400, text=True)
    since = Moment()


class UntilQuery(AnyQuery):
    """What the receipt must hold at least before it is given out."""

    until = fields.String(
        validate=validate.OneOf(["signed", "witnessed", "anchored"], error="until"),
        load_default="signed",
    )


class FormatQuery(UntilQuery):
    """And in which format it is given; without it Accept says so."""

    format = fields.String(
        validate=validate.OneOf(["receipt", "tlog-proof", "cose"], error="format"),
        load_default=None,
    )


class ReceiptQuery(FormatQuery, ChainQuery):
    """The same of a record, in a chain."""


class WindowQuery(UntilQuery, ChainQuery):
    """
    A span, half-open: `by` says whether `from` and `to` are n, times of receipt (RFC 3339), or
    the sender's times as they were sent.
    """

    by = fields.String(
        validate=validate.OneOf(["n", "received", "observed"], error="window-by"),
        load_default="received",
    )
    start = Text(64, required=True, data_key="from", attribute="from")
    stop = Text(64, required=True, data_key="to", attribute="to")


class PayloadsQuery(ChainQuery):
    """The records `first` to `last`, both included: those that a window carries."""

    first = Whole(0, MAX_INTEGER, text=True, required=True)
    last = Whole(0, MAX_INTEGER, text=True, required=True)


class ConsistencyQuery(AnyQuery):
    """Two signed sizes of the log, `from` at most `to`; `to` is the newest unless it is given."""

    start = Whole(1, MAX_INTEGER, text=True, required=True, data_key="from", attribute="from")
    stop = Whole(1, MAX_INTEGER, text=True, data_key="to", attribute="to")
