# SPDX-License-Identifier: Apache-2.0
"""Records: handed in."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import astuple
from functools import partial
from typing import Any

from flask import Response, request
from werkzeug.exceptions import UnsupportedMediaType

from notary.api.answers import answer
from notary.api.auth import dataset, known_caller
from notary.api.bodies import read_body, read_idempotency_key
from notary.api.errors import describe
from notary.api.messages import MEDIA_TYPES, Posted, choose, parse_message
from notary.api.records import links
from notary.api.routes import Routes
from notary.api.services import services
from notary.usecases.accept import Once
from notary.usecases.promises import Place
from notary.usecases.reading import FUTURE_DATED, Outcome, Reading, Refusal
from notary.usecases.sender_time import FutureWatch
from schemas.answers import AcceptanceAnswer, PostedAnswer
from schemas.bodies import JSON_TYPE, NDJSON_TYPES, Body, parse_records
from schemas.faults import MAX_FAULTS, Fault, MalformedRequest
from schemas.queries import PostQuery
from schemas.record import Item, NewRecord

PREFERENCE = "signed-acceptance"
routes = Routes("posting", "How records are handed in.")
_ACCEPTANCE = AcceptanceAnswer()

Kept = list[dict[str, Any]]
"""What is kept of an answer: for each item its acceptance, or `{"faults": [...]}`."""


class ItemsRefused(MalformedRequest):
    """None of the items can become a record; `errors` names the place of each fault."""

    code = "items-refused"


@routes.post(
    "/v1/datasets/<id:dataset>/records",
    right="owner:write",
    answers={202: PostedAnswer},
    body={
        JSON_TYPE: NewRecord,
        NDJSON_TYPES[0]: "one item a line",
        **dict.fromkeys(MEDIA_TYPES, "a gateway's message"),
    },
    query=PostQuery,
)
def post(query: Mapping[str, Any], **path: str) -> Response:
    """
    Hand in one item (a JSON object), several (an array, or `{"records": [...]}`), or one
    a line (NDJSON); at most 10,000.

    Answered once they are durable, in the order of the items. One bad item costs only
    itself; where all are bad the answer is 422. Under an Idempotency-Key a repeat gets the
    first answer and changes nothing, another body 409. With `Prefer: signed-acceptance` each
    acceptance comes signed too (`signed`), to be checked with `notary verify`.

    A message as gateways send it is taken too, as its media type, as `application/json;
    profile=CODEC` or with `?codec=CODEC`; its answer is always that to several items.
    """
    codec = choose(query)
    if codec is None and request.mimetype not in (JSON_TYPE, *NDJSON_TYPES):
        raise UnsupportedMediaType()
    data = read_body()
    if codec is None:
        posted = Posted(parse_records(data, request.mimetype))
    else:
        posted = parse_message(data, codec, query)
    body = posted.body
    keep, now = partial(_keep, body), services().clock()
    watch = FutureWatch(now)
    readings = [_reading(item, posted, watch) for item in body.items if isinstance(item, Item)]
    key = read_idempotency_key()
    if not readings:
        return _answer(keep([]), is_one=body.is_one)
    if key is None:
        return _answer(keep(services().acceptor().accept(readings, now)), is_one=body.is_one)
    told = "" if codec is None else f" {json.dumps({**query, 'codec': codec}, sort_keys=True)}"
    what = f"{request.mimetype} {dataset().name}{told}\n".encode() + data
    once = Once(known_caller().key_id, key, what, lambda done: json.dumps(keep(done)))
    outcomes, kept = services().acceptor().accept_once(readings, now, once)
    return _answer(keep(outcomes) if kept is None else json.loads(kept), is_one=body.is_one)


def _reading(item: Item, posted: Posted, watch: FutureWatch) -> Reading:
    return Reading(
        dataset=dataset().name,
        source=item.source,
        payload=item.payload,
        type=item.type,
        by=f"api:{known_caller().key_id}",
        observed=item.observed,
        key=item.key,
        pack=posted.pack,
        closed_only=posted.closed_only,
        flags=FUTURE_DATED if item.observed and watch.is_future(item.observed) else 0,
    )


def _keep(body: Body, outcomes: Sequence[Outcome]) -> Kept:
    """What is answered to each item: what the schema or the acceptor said."""
    given = iter(outcomes)
    kept: Kept = []
    for item in body.items:
        outcome = next(given) if isinstance(item, Item) else None
        if outcome is None:
            faults = [astuple(fault) for fault in item]  # type: ignore[union-attr]
            kept.append({"faults": faults})
        elif isinstance(outcome, Refusal):
            member = item.payload_member  # type: ignore[union-attr]
            pointer = f"/{member}" if member and outcome.reason == "too-large" else ""
            kept.append({"faults": [(pointer, outcome.reason)]})
        else:
            place = {"dataset": outcome.dataset, "source": outcome.source}
            where = links({**place, "chain": outcome.chain, "n": outcome.n})
            kept.append({**_ACCEPTANCE.dump(outcome), "links": where})
    return kept


def _answer(kept: Kept, *, is_one: bool) -> Response:
    refused = sum("faults" in item for item in kept)
    if refused == len(kept):
        places = [("" if is_one else f"/{at}", item["faults"]) for at, item in enumerate(kept)]
        faults = [Fault(*one).below(at) for at, found in places for one in found]
        raise ItemsRefused(*faults[:MAX_FAULTS])
    if services().promiser is not None and request.headers.get("Prefer") is not None:
        return _with_signed(kept, refused, is_one=is_one)
    return _accepted(kept, refused, is_one=is_one)


def _with_signed(kept: Kept, refused: int, *, is_one: bool) -> Response:
    """The answer with signed acceptances, where they are preferred (RFC 7240)."""
    sign = services().promiser
    wanted = [part.strip().lower() for part in request.headers["Prefer"].split(",")]
    if sign is None or PREFERENCE not in wanted:
        return _accepted(kept, refused, is_one=is_one)
    accepted = [item for item in kept if "faults" not in item]
    places = [Place(item["dataset"], item["source"], item["chain"], item["n"]) for item in accepted]
    for item, text in zip(accepted, sign().sign(places), strict=True):
        if text is not None:
            item["signed"] = text
    response = _accepted(kept, refused, is_one=is_one)
    response.headers["Preference-Applied"] = PREFERENCE
    return response


def _accepted(kept: Kept, refused: int, *, is_one: bool) -> Response:
    if is_one:
        response = answer(kept[0], 202)
        response.headers["Location"] = kept[0]["links"]["self"]
        return response
    items = [{"errors": _said(item["faults"])} if "faults" in item else item for item in kept]
    return answer({"accepted": len(kept) - refused, "refused": refused, "items": items}, 202)


def _said(faults: Sequence[Sequence[str]]) -> list[dict[str, str]]:
    return [describe(Fault(*fault)) for fault in faults]
