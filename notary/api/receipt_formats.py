# SPDX-License-Identifier: Apache-2.0
"""
In which format a receipt is answered: as `?format=` says, else as Accept asks (RFC 9110).

| format       | media type                      |                                        |
|--------------|---------------------------------|----------------------------------------|
| `receipt`    | `application/json`              | receipt/1, whole                       |
| `tlog-proof` | `text/x.tlog-proof`             | docs/spec/tlog-proof-v1.md             |
| `cose`       | `application/scitt-receipt+cose`| docs/spec/cose-receipt-v1.md           |
"""

from collections.abc import Mapping
from typing import Final

from flask import Response, request

from notary.api.answers import ASK_AGAIN, FOREVER, FOREVER_FOR_ONE, fixed
from notary.api.services import services
from notary.core.errors import NotaryError
from notary.core.receipt_format import parse_receipt
from notary.core.tlog_proof import format_tlog_proof

TLOG_PROOF: Final = "text/x.tlog-proof"
COSE: Final = "application/scitt-receipt+cose"
TYPES: Final[Mapping[str, str]] = {
    "receipt": "application/json",
    "tlog-proof": TLOG_PROOF,
    "cose": COSE,
}


class NotAcceptable(NotaryError):
    """There is no such format of this receipt here."""

    code = "not-acceptable"


def formats_here() -> list[str]:
    """The formats that there are, the usual one first: COSE only where there is a key for it."""
    return [name for name in TYPES if name != "cose" or services().receipt_signer is not None]


def other_formats() -> dict[str, str]:
    """The formats besides the usual one, each with how the name of its file ends."""
    return {name: f".{name}" for name in formats_here()[1:]}


def receipt_answer(text: str, asked: str | None, *, is_final: bool, is_public: bool) -> Response:
    """
    A receipt in the format that was asked for by name (None: by Accept).

    Raises:
        NotAcceptable: there is none of those here.
        ReceiptTooLarge: it doesn't fit into that format.
        StateRefused, StoreDamaged: no COSE receipt can be signed.
    """
    name = _choose(asked)
    data: str | bytes = text
    if name == "tlog-proof":
        data = format_tlog_proof(parse_receipt(text))
    elif name == "cose":
        signer = services().receipt_signer
        assert signer is not None
        data = signer().sign(text)
    forever = FOREVER if is_public else FOREVER_FOR_ONE
    response = fixed(data, TYPES[name], forever if is_final else ASK_AGAIN)
    response.headers["Vary"] = "Accept"
    return response


def _choose(asked: str | None) -> str:
    here = formats_here()
    if asked is None and not request.accept_mimetypes:
        return here[0]
    best = max(here, key=_quality) if asked is None else asked
    if best not in here or (asked is None and not _quality(best)):
        raise NotAcceptable(formats=", ".join(TYPES[name] for name in here))
    return best


def _quality(name: str) -> float:
    """
    How much a format is wanted, 0 to 1: the most specific range that it is in decides
    (RFC 9110 section 12.5.1). Parameters other than q are passed over.
    """
    ranges: dict[str, float] = {}
    for item, quality in request.accept_mimetypes:
        ranges.setdefault(item.partition(";")[0].strip().lower(), quality)
    whole = TYPES[name]
    for range_ in (whole, f"{whole.partition('/')[0]}/*", "*/*"):
        if range_ in ranges:
            return ranges[range_]
    return 0.0
