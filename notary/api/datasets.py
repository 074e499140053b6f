# SPDX-License-Identifier: Apache-2.0
"""Datasets and their sources."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from flask import Response

from notary.api.answers import answer, page, read_cursor, word
from notary.api.auth import caller, dataset, known_caller, reads_own
from notary.api.bodies import read_json
from notary.api.routes import Routes
from notary.api.services import services
from notary.core.policy import format_keep
from notary.usecases import look
from notary.usecases.datasets import (
    DatasetFacts,
    add_dataset,
    describe_dataset,
    get_dataset,
    list_datasets,
)
from schemas.answers import DatasetAnswer, SourceAnswer, page_of
from schemas.bodies import JSON_TYPE
from schemas.dataset import DatasetChange, NewDataset
from schemas.faults import Fault, MalformedRequest
from schemas.queries import PageQuery

routes = Routes("datasets", "What departments share, and who the records come from.")
_DATASET, _SOURCE = DatasetAnswer(), SourceAnswer()
DESCRIPTION = ("licence", "catalogue", "sharing", "classification", "update_cycle", "keep")


@routes.post(
    "/v1/datasets", right="key:manage", answers={201: DatasetAnswer}, body={JSON_TYPE: NewDataset}
)
def create() -> Response:
    """Create a dataset that the key's owner owns. It is closed unless created open."""
    asked = read_json(NewDataset())
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
        description={name: asked[name] for name in DESCRIPTION if name in asked},
    )
    response = answer(_DATASET.dump(shown(made)), 201)
    response.headers["Location"] = f"/v1/datasets/{made.name}"
    return response


@routes.get(
    "/v1/datasets", right="anyone:read", answers={200: page_of(DatasetAnswer)}, query=PageQuery
)
def index(query: Mapping[str, Any]) -> Response:
    """The open datasets and the caller's own, by id."""
    after = read_cursor(query.get("cursor"), word) or [""]
    found = list_datasets(services().pool, caller(), after[0], query["limit"] + 1)
    return page(list(map(shown, found)), query["limit"], _DATASET, lambda row: (row["name"],))


@routes.get("/v1/datasets/<id:dataset>", right="party:read", answers={200: DatasetAnswer})
def show(dataset: str) -> Response:
    """One dataset."""
    return answer(_DATASET.dump(shown(get_dataset(services().pool, dataset, caller()))))


@routes.patch(
    "/v1/datasets/<id:dataset>",
    right="owner:manage",
    answers={200: DatasetAnswer},
    body={JSON_TYPE: DatasetChange},
)
def change(dataset: str) -> Response:
    """Change what is said of a dataset: label, licence, catalogue code, sharing attribute …"""
    asked, pool = read_json(DatasetChange()), services().pool
    facts = get_dataset(pool, dataset, caller())
    if facts.is_open and asked.get("sharing", "unconditional") != "unconditional":
        raise MalformedRequest(Fault("/sharing", "only-closed"))
    describe_dataset(pool, facts, asked)
    return answer(_DATASET.dump(shown(get_dataset(pool, dataset, caller()))))


@routes.get(
    "/v1/datasets/<id:dataset>/sources",
    right="reader:read",
    answers={200: page_of(SourceAnswer)},
    query=PageQuery,
)
def sources(query: Mapping[str, Any], **path: str) -> Response:
    """
    The dataset's sources by name, each with its last record. Its owner also sees those that
    are registered and have none yet.
    """
    after, facts = read_cursor(query.get("cursor"), word) or [""], dataset()
    is_owner = reads_own()
    found = look.list_sources(
        services().pool, facts, after[0], query["limit"] + 1, registered=is_owner
    )
    return page(found, query["limit"], _SOURCE, lambda row: (row["source"],), _source)


@routes.get(
    "/v1/datasets/<id:dataset>/sources/<id:source>",
    right="reader:read",
    answers={200: SourceAnswer},
)
def source(source: str, **path: str) -> Response:
    """One source with its last n, key and time: where a gateway goes on from."""
    facts = dataset()
    is_owner = reads_own()
    found = look.get_source(services().pool, facts, source, registered=is_owner)
    return answer(_SOURCE.dump(_source(found)))


def shown(facts: DatasetFacts) -> dict[str, Any]:
    """A dataset as it is answered; its owner is told to its owner only."""
    path = f"/v1/datasets/{facts.name}"
    known = {name: value for name, value in asdict(facts).items() if value is not None}
    links = {"self": path, "sources": f"{path}/sources"}
    told = {**known, "keep": format_keep(facts.keep_days), "links": links}
    if not facts.owned_by(caller()):
        del told["owner"]
    return told


def _source(row: Mapping[str, Any]) -> dict[str, Any]:
    facts = dataset()
    path = f"/v1/datasets/{facts.name}/sources/{row['source']}"
    links = {"self": path, "records": f"{path}/records", "keys": f"{path}/keys"}
    shown = {name: value for name, value in row.items() if value is not None}
    if not reads_own():
        for name in ("label", "title", "registered_at", "revoked_at"):
            shown.pop(name, None)
    return {**shown, "dataset": facts.name, "links": links}
