# SPDX-License-Identifier: Apache-2.0
"""Erasures: ordered, done, listed."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Response

from notary.api.answers import answer, number, page, read_cursor
from notary.api.auth import dataset, known_caller
from notary.api.bodies import read_json
from notary.api.language import say
from notary.api.records import links as record_links
from notary.api.routes import Routes
from notary.api.services import services
from notary.usecases.erase import Order, RecordPlace, VersionPlace, list_erasures, what_remains
from schemas.answers import page_of
from schemas.bodies import JSON_TYPE
from schemas.erasure import ErasureAnswer, NewErasure
from schemas.queries import PageQuery

routes = Routes("erasing", "What was erased on whose order, and what that can't take away.")
ERASURES = "/v1/datasets/<id:dataset>/erasures"
_ERASURE = ErasureAnswer()


@routes.post(
    ERASURES,
    right="owner:erase",
    answers={200: ErasureAnswer, 201: ErasureAnswer},
    body={JSON_TYPE: NewErasure},
)
def erase(**path: str) -> Response:
    """
    Erase the content of a record or a version, for good; the erasure is a record itself.

    201 once it is done; 200 where it was erased before (the first order stands), and to a
    `dry_run`, which only says what would remain. In an open dataset the digest is public: it
    remains, and whoever can guess the content can tell by it that they guessed right.
    """
    asked, parts, facts = read_json(NewErasure()), services(), dataset()
    what: RecordPlace | VersionPlace
    if "version" in asked:
        what = VersionPlace(asked["version"])
    else:
        what = RecordPlace(asked["source"], asked["n"], asked.get("chain"))
    if asked["dry_run"]:
        remains = what_remains(facts, parts.eraser().look(facts, what))
        return answer(_ERASURE.dump({"dataset": facts.name, "remains": _told(remains)}))
    order = Order(asked["order"], asked["ground"], asked["by"])
    done = parts.eraser().erase(facts, what, order, known_caller(), parts.clock())
    shown = {**_shown(done), "remains": _told(done["remains"])}
    return answer(_ERASURE.dump(shown), 201 if done["is_new"] else 200)


@routes.get(
    ERASURES, right="owner:erase|read", answers={200: page_of(ErasureAnswer)}, query=PageQuery
)
def index(query: Mapping[str, Any], **path: str) -> Response:
    """What was erased of the dataset, in the order in which it was."""
    after = read_cursor(query.get("cursor"), number) or [-1]
    found = list_erasures(services().pool, dataset(), after[0], query["limit"] + 1)
    return page(found, query["limit"], _ERASURE, lambda row: (row["id"],), _shown)


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    place = [row[f"told_{name}"] for name in ("dataset", "source", "chain", "n")]
    names = dict(zip(("dataset", "source", "chain", "n"), place, strict=True))
    links = {"record": record_links(names)["self"], "receipt": record_links(names)["receipt"]}
    known = {name: value for name, value in row.items() if value is not None}
    return {**known, "record": "/".join(map(str, place)), "links": links}


def _told(remains: Sequence[str]) -> list[dict[str, str]]:
    return [{"what": what, "detail": say(f"remains.{what}")} for what in remains]
