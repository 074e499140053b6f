# SPDX-License-Identifier: Apache-2.0
"""Windows: all records of a span, proved to be complete."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, cast

from flask import Response

from notary.api.answers import ASK_AGAIN, FOREVER, FOREVER_FOR_ONE
from notary.api.auth import dataset
from notary.api.handing import handing
from notary.api.routes import Routes
from notary.api.services import services
from notary.core.errors import MalformedText
from notary.core.window_format import Asked, parse_asked
from notary.core.words import format_time
from notary.usecases.prove import Until
from notary.usecases.prove_window import Run, WindowProver
from schemas.answers import NotYetAnswer
from schemas.queries import PayloadsQuery, WindowQuery

routes = Routes("windows", "All records of a span, and the proof that none is missing.")
WINDOW = "/v1/datasets/<id:dataset>/sources/<id:source>/window"
JSON, LINES = "application/json", "application/x-ndjson"
MAX_DIGITS: Final = 16


@routes.get(
    WINDOW,
    right="reader:read",
    answers={200: JSON, 202: NotYetAnswer},
    query=WindowQuery,
)
def show(query: Mapping[str, Any], source: str, **path: str) -> Response:
    """
    The records `from` <= n, received or observed < `to` of a source, in compact form, with
    their neighbours and one receipt for the last: docs/spec/window-v1.md.

    202 with Retry-After until a signed checkpoint covers any of them. What is not yet signed
    is not carried: the window says that its end is open.
    """
    asked = _asked(query["by"], query["from"], query["to"])
    proof = _prover().window(
        dataset(), source, asked, chain=query.get("chain"), until=cast(Until, query["until"])
    )
    _hand("window", proof.run, proof.leaf)
    forever = FOREVER if dataset().is_open else FOREVER_FOR_ONE
    headers = {"Cache-Control": forever if proof.final else ASK_AGAIN}
    return Response(proof.parts, 200, headers, mimetype=JSON)


@routes.get(
    f"{WINDOW}/payloads",
    right="reader:read",
    answers={200: LINES},
    query=PayloadsQuery,
)
def payloads(query: Mapping[str, Any], source: str, **path: str) -> Response:
    """
    What the records that a window carries hold: a line of JSON each, `n`, `payload` in base64
    (null: it is not kept here) and, in a dataset that isn't open, `salt`.
    """
    run, lines = _prover().payloads(
        dataset(), source, query["first"], query["last"], query.get("chain")
    )
    _hand("payloads", run, None)
    return Response(lines, 200, {"Cache-Control": ASK_AGAIN}, mimetype=LINES)


def _prover() -> WindowProver:
    return WindowProver(services().pool, services().prover)


def _asked(by: str, start: str, stop: str) -> Asked:
    """What was asked for; raises MalformedText with a sentence."""
    if by == "received":
        return parse_asked({"by": by, "from": _time(start), "to": _time(stop)})
    if by == "observed":
        return parse_asked({"by": by, "from": start, "to": stop})
    ends = [text for text in (start, stop) if text.isascii() and text.isdigit()]
    if len(ends) < 2 or max(map(len, ends)) > MAX_DIGITS:
        raise MalformedText("By n, from and to are whole numbers.")
    return parse_asked({"by": by, "from": int(start), "to": int(stop)})


def _time(text: str) -> str:
    """A time with its zone, as statements have it."""
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            return format_time(moment.astimezone(UTC))
    except (ValueError, OverflowError):
        pass
    raise MalformedText("By received, from and to are times with their zone (RFC 3339).")


def _hand(kind: str, run: Run, leaf: bytes | None) -> None:
    last_leaf = None if leaf is None else leaf.hex()
    handing(
        kind=kind, source=run.source, chain=run.chain, first=run.first, last=run.last,
        last_leaf=last_leaf,
    )  # fmt: skip
