# SPDX-License-Identifier: Apache-2.0
"""Records: posted, listed, shown, proved."""

import base64
import json
from collections.abc import Sequence
from hashlib import sha256
from typing import Any, cast

from flask import Response, current_app, request
from flask_smorest import Blueprint
from marshmallow import ValidationError
from werkzeug.exceptions import UnsupportedMediaType

from notary.api.auth import caller, parts, readable, right, writable
from notary.api.errors import pointers, problem
from notary.api.reading import cursor_number, limit, number
from notary.api.writing import FOREVER, answer, page
from notary.core import strict_json
from notary.core.errors import MalformedText
from notary.core.words import check_string, format_time, parse_hash
from notary.usecases import look
from notary.usecases.accept import Acceptor, Once
from notary.usecases.prove import Prover, Until
from notary.usecases.reading import Outcome, Reading, Refusal
from notary.usecases.registers import Caller
from notary.wiring import clock
from schemas.record import NewRecord

blueprint = Blueprint("records", __name__, url_prefix="/v1")
MAX_ITEMS = 10_000
MAX_N = 2**53 - 1
_SCHEMA = NewRecord()


@blueprint.post("/datasets/<dataset>/records")
@right("owner")
def post(dataset: str) -> Response:
    """
    Hand in one item (JSON object), several (JSON array) or a line each (NDJSON).

    202 with acceptances in the order of the items. One bad item costs only itself; when all
    are bad, 422. With Idempotency-Key a repeat gets the first answer, another body 409.
    """
    who = cast(Caller, caller())
    facts = writable(dataset)
    items, single = _read_items()
    readings: list[Reading] = []
    places: list[Reading | Refusal] = []
    for item in items:
        found = _reading(facts.name, item, who)
        places.append(found)
        if isinstance(found, Reading):
            readings.append(found)

    def write(outcomes: Sequence[Outcome]) -> str:
        given = iter(outcomes)
        merged = [next(given) if isinstance(p, Reading) else p for p in places]
        return json.dumps([_shown(outcome) for outcome in merged], ensure_ascii=False)

    key = request.headers.get("Idempotency-Key")
    if key is None:
        text = write(acceptor().accept(readings, clock()))
    else:
        check_string(key, "Idempotency-Key", 128)
        body = f"{facts.name} {request.mimetype} ".encode() + request.get_data()
        once = Once(who.key_id, key, body, write)
        outcomes, known = acceptor().accept_once(readings, clock(), once)
        text = known if known is not None else write(outcomes)
    return _answer(json.loads(text), single)


def acceptor() -> Acceptor:
    """This process's acceptor, made at the first need."""
    if "acceptor" not in current_app.extensions:
        current_app.extensions["acceptor"] = parts().acceptor()
    found: Acceptor = current_app.extensions["acceptor"]
    return found


def _read_items() -> tuple[list[object], bool]:
    """The items of the body, each parsed or a Refusal, and whether it was a single one."""
    data = request.get_data()
    if request.mimetype in ("application/x-ndjson", "application/ndjson"):
        lines = [line for line in data.split(b"\n") if line.strip()]
        _count(len(lines))
        return [_line(line) for line in lines], False
    if request.mimetype != "application/json":
        raise UnsupportedMediaType()
    value = strict_json.loads(data)
    if not isinstance(value, list):
        return [value], True
    _count(len(value))
    return value, False


def _line(line: bytes) -> object:
    try:
        return strict_json.loads(line)
    except MalformedText as error:
        return Refusal(str(error.facts.get("reason", "malformed")), error.detail)


def _count(items: int) -> None:
    if not 1 <= items <= MAX_ITEMS:
        raise MalformedText(f"A body holds 1 to {MAX_ITEMS} items.")


def _reading(dataset: str, item: object, who: Caller) -> Reading | Refusal:
    if isinstance(item, Refusal):
        return item
    if not isinstance(item, dict):
        return Refusal("malformed", "An item must be a JSON object.")
    try:
        fields = _SCHEMA.load(item)
    except ValidationError as error:
        errors = pointers(error.messages)
        return Refusal("malformed", errors[0]["detail"], {"errors": errors})
    return Reading(dataset=dataset, by=f"api:{who.key_id}", **fields)


def _shown(outcome: Outcome) -> dict[str, object]:
    if isinstance(outcome, Refusal):
        shown: dict[str, object] = {"refused": outcome.reason, "detail": outcome.detail}
        if "errors" in outcome.facts:
            shown["errors"] = outcome.facts["errors"]
        return shown
    path = f"/v1/datasets/{outcome.dataset}/sources/{outcome.source}/records/{outcome.n}/receipt"
    return {
        "dataset": outcome.dataset,
        "source": outcome.source,
        "chain": outcome.chain,
        "n": outcome.n,
        "leaf": outcome.leaf.hex(),
        "received": format_time(outcome.received),
        "duplicate": outcome.duplicate,
        "key_reused": outcome.key_reused,
        "receipt": path,
    }


def _answer(items: list[dict[str, Any]], single: bool) -> Response:
    refused = [item for item in items if "refused" in item]
    if len(refused) == len(items):
        errors = [
            {**error, "pointer": ("" if single else f"/{place}") + error["pointer"]}
            for place, item in enumerate(items[:100])
            for error in item.get("errors", [{"pointer": "", "detail": item["detail"]}])
        ]
        return problem(422, "malformed-request", errors=errors)
    if single:
        response = answer(items[0], 202)
        response.headers["Location"] = items[0]["receipt"].removesuffix("/receipt")
        return response
    counts = {"accepted": len(items) - len(refused), "refused": len(refused)}
    return answer({**counts, "items": items}, 202)


@blueprint.get("/datasets/<dataset>/sources/<source>/records")
@right("public")
def index(dataset: str, source: str) -> Response:
    """The source's records in the order of n."""
    found = look.list_records(
        parts().pool, readable(dataset), source, _chain(), cursor_number(-1), limit()
    )
    return page(found, limit(), "n")


@blueprint.get("/datasets/<dataset>/sources/<source>/records/<int:n>")
@right("public")
def show(dataset: str, source: str, n: int) -> Response:
    """One record: its statement, payload and states."""
    _check_n(n)
    row = look.get_record(parts().pool, parts().ledgers, readable(dataset), source, n, _chain())
    payload, salt = row["payload"], row["salt"]
    return answer(
        {
            **{name: row[name] for name in ("dataset", "source", "chain", "n", "received")},
            **{name: row[name] for name in ("observed", "key", "type", "leaf", "statement")},
            "by": row["by_word"],
            "key_reused": bool(row["flags"] & 1),
            "payload_base64": None if payload is None else base64.b64encode(payload).decode(),
            "salt": None if salt is None else salt.hex(),
            "states": row["states"],
        }
    )


@blueprint.get("/datasets/<dataset>/sources/<source>/records/<int:n>/receipt")
@right("public")
def receipt(dataset: str, source: str, n: int) -> Response:
    """
    The record's receipt, as its bytes are verified.

    202 with Retry-After until a signed checkpoint covers it (or, with `until=anchored`, a
    ledger has it). Fixed once every required witness and ledger is in.
    """
    _check_n(n)
    until = request.args.get("until", "signed")
    if until not in ("signed", "witnessed", "anchored"):
        raise MalformedText("until must be signed, witnessed or anchored.")
    prover: Prover = current_app.extensions["prover"]
    proof = prover.receipt(
        dataset, source, n, caller=caller(), chain=_chain(), until=cast(Until, until)
    )
    response = Response(proof.text, mimetype="application/json")
    response.set_etag(sha256(proof.text.encode()).hexdigest()[:32])
    response.headers["Cache-Control"] = (
        (FOREVER if proof.public else FOREVER.replace("public", "private"))
        if proof.final
        else "no-cache"
    )
    if request.if_none_match:
        response.make_conditional(request)
    return response


@blueprint.get("/digests/<digest>")
@right("public")
def digests(digest: str) -> Response:
    """Records by the SHA-256 of their payload, in open datasets that keep the index."""
    found = look.find_digest(parts().pool, parse_hash(digest, "digest"), limit())
    return answer({"items": found})


def _chain() -> int | None:
    return number("chain", -1, 0, 2**31 - 1) if "chain" in request.args else None


def _check_n(n: int) -> None:
    if n > MAX_N:
        raise MalformedText("n is larger than any record's.")
