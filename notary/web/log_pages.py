# SPDX-License-Identifier: Apache-2.0
"""A batch and a checkpoint in brief: what the log, which is public, says of them."""

import json

from flask import Blueprint, Response

from notary.api.auth import right
from notary.api.services import services
from notary.usecases import look
from notary.usecases.rights import NotFound
from notary.web.access import find_dataset
from notary.web.log_key import fingerprint
from notary.web.missing import not_found
from notary.web.render import render
from notary.web.way import on_ledgers

blueprint = Blueprint("log_pages", __name__)
blueprint.register_error_handler(NotFound, not_found)


@blueprint.get("/batches/<n:index>")
@right("public")
def batch(index: int) -> Response:
    """What the log holds of a batch; who may see the dataset is led to it."""
    parts = services()
    row = look.get_batch(parts.pool, parts.ledgers, index)
    try:
        dataset = find_dataset(row["dataset"])
    except NotFound:
        dataset = None
    return render(
        "batch.html",
        row=row,
        dataset=dataset,
        says=json.loads(row["descriptor"]),
        steps=on_ledgers(row["anchored"], parts.ledgers),
        values={},
    )


@blueprint.get("/checkpoints/<n:size>")
@right("public")
def checkpoint(size: int) -> Response:
    """A signed checkpoint, its note, and the ledgers that have it."""
    parts = services()
    row = look.get_checkpoint(parts.pool, parts.ledgers, size)
    return render(
        "checkpoint.html",
        row=row,
        fingerprint=fingerprint(look.log_facts(parts.pool), row),
        steps=on_ledgers(row["anchored"], parts.ledgers),
        values={},
    )
