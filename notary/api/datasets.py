# SPDX-License-Identifier: Apache-2.0
"""Datasets: create, list, show; their sources."""

from typing import Any

from flask import Response
from flask_smorest import Blueprint

from notary.api.auth import caller, parts, readable, right
from notary.api.reading import StrictParser, cursor, limit
from notary.api.writing import answer, page
from notary.usecases import look
from notary.usecases.registers import DatasetFacts, KeyUnknown, add_dataset, list_datasets
from notary.wiring import clock
from schemas.dataset import Dataset, NewDataset

blueprint = Blueprint("datasets", __name__, url_prefix="/v1/datasets")
blueprint.ARGUMENTS_PARSER = StrictParser()


@blueprint.post("")
@blueprint.arguments(NewDataset)
@blueprint.response(201, Dataset)
@right("key")
def create(body: dict[str, Any]) -> Any:
    """Create a dataset that the key's owner owns."""
    who = caller()
    if who is None:
        raise KeyUnknown()
    made = add_dataset(
        parts().pool,
        who,
        clock(),
        name=body.get("id"),
        label=body["label"],
        is_open=body["open"],
        random_sources=body["random_sources"],
        digest_index=body["digest_index"],
        lane_count=body["lanes"],
    )
    response = answer(shown(made), 201)
    response.headers["Location"] = f"/v1/datasets/{made.name}"
    return response


@blueprint.get("")
@right("public")
def index() -> Response:
    """The open datasets and the caller's own."""
    found = list_datasets(parts().pool, caller(), cursor(), limit())
    return page([shown(dataset) for dataset in found], limit(), "id")


@blueprint.get("/<dataset>")
@blueprint.response(200, Dataset)
@right("public")
def show(dataset: str) -> Any:
    """One dataset."""
    return answer(shown(readable(dataset)))


@blueprint.get("/<dataset>/sources")
@right("public")
def sources(dataset: str) -> Response:
    """The dataset's sources, each with the end of its chain."""
    found = look.list_sources(parts().pool, readable(dataset), cursor(), limit())
    return page(found, limit(), "source")


@blueprint.get("/<dataset>/sources/<source>")
@right("public")
def source(dataset: str, source: str) -> Response:
    """One source with its last n, key and time: where a gateway goes on from."""
    found = look.get_source(parts().pool, readable(dataset), source)
    return answer({name: value for name, value in found.items() if name not in ("lane", "id")})


def shown(dataset: DatasetFacts) -> dict[str, object]:
    """A dataset as it is shown."""
    return {
        "id": dataset.name,
        "label": dataset.label,
        "open": dataset.is_open,
        "random_sources": dataset.random_sources,
        "digest_index": dataset.digest_index,
        "lanes": dataset.lane_count,
        "batches": dataset.batch_count,
        "sealed_sources": dataset.source_count,
        "created_at": dataset.created_at,
    }
