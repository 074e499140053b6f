# SPDX-License-Identifier: Apache-2.0
"""Grants: made, seen by both sides, withdrawn; and what was handed over under them."""

from collections.abc import Mapping
from typing import Any, cast

from flask import Response

from notary.api.answers import (
    answer,
    number,
    page,
    read_cursor,
    word,
)
from notary.api.auth import dataset, known_caller
from notary.api.bodies import read_json
from notary.api.receipt_formats import COSE, TLOG_PROOF, receipt_answer
from notary.api.routes import Routes
from notary.api.services import services
from notary.usecases import sharing
from notary.usecases.prove import Until
from notary.usecases.sharing import NewGrant as New
from schemas.answers import NotYetAnswer, ReceiptAnswer, page_of
from schemas.bodies import JSON_TYPE
from schemas.queries import FormatQuery, PageQuery
from schemas.sharing import GrantAnswer, NewGrant, SharingRecordAnswer

routes = Routes("sharing", "Who was granted what, and who took what.")
GRANTS = "/v1/datasets/<id:dataset>/grants"
RECORDS = "/v1/grants/<id:grant>/records"
_GRANT, _RECORD = GrantAnswer(), SharingRecordAnswer()
_RECORDS = page_of(SharingRecordAnswer)


@routes.post(GRANTS, right="owner:share", answers={201: GrantAnswer}, body={JSON_TYPE: NewGrant})
def grant(**path: str) -> Response:
    """
    Grant a department the dataset or a version of it. Its keys with `read` may then read that
    as they read what is their own. The grant is a record, with a receipt for both sides.
    """
    asked, parts, facts = read_json(NewGrant()), services(), dataset()
    id_ = parts.sharer().grant(facts, New(**asked), known_caller(), parts.clock())
    found = sharing.get_grant(parts.pool, id_, known_caller())
    response = answer(_GRANT.dump(_granted(found)), 201)
    response.headers["Location"] = f"/v1/grants/{id_}/records"
    return response


@routes.get(GRANTS, right="party:read|share", answers={200: page_of(GrantAnswer)}, query=PageQuery)
def list_grants(query: Mapping[str, Any], **path: str) -> Response:
    """The dataset's grants by id: to its owner all, ended ones too; to others their own."""
    after = read_cursor(query.get("cursor"), word) or [""]
    found = sharing.list_grants(
        services().pool, dataset(), known_caller(), after[0], query["limit"] + 1
    )
    return page(found, query["limit"], _GRANT, lambda row: (row["id"],), _granted)


@routes.delete(f"{GRANTS}/<id:grant>", right="owner:share")
def withdraw(grant: str, **path: str) -> Response:
    """Take a grant back. It is kept, with its time; old receipts stay what they are."""
    parts = services()
    parts.sharer().withdraw(dataset(), grant, known_caller(), parts.clock())
    return Response(status=204)


@routes.get(
    "/v1/datasets/<id:dataset>/handovers",
    right="owner:share",
    answers={200: _RECORDS},
    query=PageQuery,
)
def handovers(query: Mapping[str, Any], **path: str) -> Response:
    """Who took what of the dataset, when, under which grant; in the order in which it went."""
    after = read_cursor(query.get("cursor"), number) or [-1]
    found = sharing.list_handovers(services().pool, dataset(), after[0], query["limit"] + 1)
    return page(found, query["limit"], _RECORD, lambda row: (row["id"],), _record)


@routes.get(RECORDS, right="key:read|share", answers={200: _RECORDS}, query=PageQuery)
def records(query: Mapping[str, Any], grant: str) -> Response:
    """The records about a grant, for both its sides; also once it has ended."""
    after = read_cursor(query.get("cursor"), number) or [-1]
    found = sharing.list_grant_records(
        services().pool, grant, known_caller(), after[0], query["limit"] + 1
    )
    return page(found, query["limit"], _RECORD, lambda row: (row["number"],), _record)


@routes.get(
    f"{RECORDS}/<n:number>/receipt",
    right="key:read|share",
    answers={200: (ReceiptAnswer, TLOG_PROOF, COSE), 202: NotYetAnswer},
    query=FormatQuery,
)
def receipt(query: Mapping[str, Any], grant: str, number: int) -> Response:
    """The receipt of such a record, for both sides, to be verified offline as any other."""
    parts = services()
    place = sharing.find_grant_record(parts.pool, grant, number, known_caller())
    proof = parts.prover.receipt(
        place["dataset"],
        place["source"],
        place["n"],
        caller=known_caller(),
        chain=place["chain"],
        until=cast(Until, query["until"]),
        granted=True,
    )
    return receipt_answer(proof.text, query["format"], is_final=proof.final, is_public=False)


def _granted(row: Mapping[str, Any]) -> dict[str, Any]:
    known = {name: value for name, value in row.items() if value is not None}
    path = f"/v1/datasets/{row['dataset']}/grants/{row['id']}"
    return {**known, "links": {"self": path, "records": f"/v1/grants/{row['id']}/records"}}


def _record(row: Mapping[str, Any]) -> dict[str, Any]:
    known = {name: value for name, value in row.items() if value is not None}
    path = f"/v1/grants/{row['granted']}/records/{row['number']}"
    return {**known, "links": {"receipt": f"{path}/receipt"}}
