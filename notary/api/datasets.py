# SPDX-License-Identifier: Apache-2.0
"""Datasets and their sources."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from flask import Response, request
from werkzeug.exceptions import UnsupportedMediaType

from notary.api.answers import answer, page, read_cursor, word
from notary.api.auth import caller, dataset, known_caller
from notary.api.bodies import read_body
from notary.api.routes import Routes
from notary.api.services import services
from notary.usecases import look
from notary.usecases.registers import DatasetFacts, add_dataset, get_dataset, list_datasets
from schemas.answers import DatasetAnswer, SourceAnswer, page_of
from schemas.bodies import JSON_TYPE, parse_body
from schemas.dataset import NewDataset
from schemas.queries import PageQuery

routes = Routes("datasets", "What departments share, and who the records come from.")
_DATASET, _SOURCE = DatasetAnswer(), SourceAnswer()


@routes.post(
    "/v1/datasets", right="key", answers={201: DatasetAnswer}, body={JSON_TYPE: NewDataset}
)
def create() -> Response:
    """Create a dataset that the key's owner owns. It is closed unless created open."""
    if request.mimetype != JSON_TYPE:
        raise UnsupportedMediaType()
    asked = parse_body(read_body(), NewDataset())
    made = add_dataset(
        services().pool,
        known_caller(),
        services().clock(),
        name=asked.get("id"),
        label=asked["label"],
        is_open=asked["open"],
        random_sources=asked["random_sources"],
        digest_index=asked["digest_index"],
        lane_count=asked["lanes"],
    )
    response = answer(_DATASET.dump(_shown(made)), 201)
    response.headers["Location"] = f"/v1/datasets/{made.name}"
    return response


@routes.get("/v1/datasets", right="anyone", answers={200: page_of(DatasetAnswer)}, query=PageQuery)
def index(query: Mapping[str, Any]) -> Response:
    """The open datasets and the caller's own, by id."""
    after = read_cursor(query.get("cursor"), word) or [""]
    found = list_datasets(services().pool, caller(), after[0], query["limit"] + 1)
    return page(list(map(_shown, found)), query["limit"], _DATASET, lambda row: (row["name"],))


@routes.get("/v1/datasets/<id:dataset>", right="reader", answers={200: DatasetAnswer})
def show(dataset: str) -> Response:
    """One dataset."""
    return answer(_DATASET.dump(_shown(get_dataset(services().pool, dataset, caller()))))


@routes.get(
    "/v1/datasets/<id:dataset>/sources",
    right="reader",
    answers={200: page_of(SourceAnswer)},
    query=PageQuery,
)
def sources(query: Mapping[str, Any], **path: str) -> Response:
    """
    The dataset's sources by name, each with its last record. Its owner also sees those that
    are registered and have none yet.
    """
    after, facts = read_cursor(query.get("cursor"), word) or [""], dataset()
    is_owner = facts.writable_by(caller())
    found = look.list_sources(
        services().pool, facts, after[0], query["limit"] + 1, registered=is_owner
    )
    return page(found, query["limit"], _SOURCE, lambda row: (row["source"],), _source)


@routes.get(
    "/v1/datasets/<id:dataset>/sources/<id:source>", right="reader", answers={200: SourceAnswer}
)
def source(source: str, **path: str) -> Response:
    """One source with its last n, key and time: where a gateway goes on from."""
    facts = dataset()
    is_owner = facts.writable_by(caller())
    found = look.get_source(services().pool, facts, source, registered=is_owner)
    return answer(_SOURCE.dump(_source(found)))


def _shown(facts: DatasetFacts) -> dict[str, Any]:
    path = f"/v1/datasets/{facts.name}"
    shown = {**asdict(facts), "links": {"self": path, "sources": f"{path}/sources"}}
    if not facts.writable_by(caller()):
        del shown["owner"]
    return shown


def _source(row: Mapping[str, Any]) -> dict[str, Any]:
    facts = dataset()
    path = f"/v1/datasets/{facts.name}/sources/{row['source']}"
    links = {"self": path, "records": f"{path}/records", "keys": f"{path}/keys"}
    shown = {name: value for name, value in row.items() if value is not None}
    if not facts.writable_by(caller()):
        for name in ("label", "title", "registered_at", "revoked_at"):
            shown.pop(name, None)
    return {**shown, "dataset": facts.name, "links": links}
