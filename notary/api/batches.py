# SPDX-License-Identifier: Apache-2.0
"""What is public of batches and anchors, for monitors and the curious."""

from typing import Any

from flask import Response
from flask_smorest import Blueprint

from notary.api.auth import parts, right
from notary.api.reading import cursor_number, limit
from notary.api.writing import FOREVER, answer, fixed, page
from notary.usecases import look

blueprint = Blueprint("batches", __name__, url_prefix="/v1")


@blueprint.get("/batches/<int(max=9007199254740991):index>")
@right("public")
def show(index: int) -> Response:
    """A batch by its index in the log, with its descriptor."""
    return answer(look.get_batch(parts().pool, index), cache=FOREVER)


@blueprint.get("/batches/<int(max=9007199254740991):index>/runs")
@right("public")
def runs(index: int) -> Response:
    """The run list: a line an entry, each as it was hashed."""
    text = "".join(f"{entry}\n" for entry in look.batch_runs(parts().pool, index))
    return fixed(text, "application/x-ndjson")


@blueprint.get("/batches/<int(max=9007199254740991):index>/leaves")
@right("public")
def leaves(index: int) -> Response:
    """The leaf hashes of the batch, 32 bytes each."""
    return fixed(look.batch_leaves(parts().pool, index), "application/octet-stream")


@blueprint.get("/anchors")
@right("public")
def anchors() -> Any:
    """Anchors, the newest first; `own_word`: nobody but the notary stands behind it."""
    found = look.list_anchors(parts().pool, parts().ledgers, cursor_number(2**62), limit())
    return page(found, limit(), "size")
