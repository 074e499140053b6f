# SPDX-License-Identifier: Apache-2.0
"""What is public of batches and anchors, for monitors and the curious."""

from collections.abc import Mapping
from typing import Any

from flask import Response

from notary.api.answers import answer, number, page, read_cursor, streamed, word
from notary.api.language import say
from notary.api.routes import Routes
from notary.api.services import services
from notary.usecases import look
from notary.usecases.anchor_look import get_anchor, list_evidence
from schemas.answers import AnchorAnswer, BatchAnswer, page_of
from schemas.queries import PageQuery

routes = Routes("batches", "The leaves of the log, their run lists and leaf hashes, and anchors.")
BATCH = "/v1/batches/<n:index>"
_BATCH, _ANCHOR = BatchAnswer(), AnchorAnswer()


@routes.get(BATCH, right="public", answers={200: BatchAnswer})
def show(index: int) -> Response:
    """A batch by its index in the log. SHA-256(0x00 || descriptor) is the log's leaf."""
    row = look.get_batch(services().pool, services().ledgers, index)
    path = f"/v1/batches/{index}"
    where = {"self": path, "runs": f"{path}/runs", "leaves": f"{path}/leaves"}
    return answer(_BATCH.dump({**row, "links": where}))


@routes.get(f"{BATCH}/runs", right="public", answers={200: "application/x-ndjson"})
def runs(index: int) -> Response:
    """The run list: a line an entry, each as it was hashed."""
    lines = look.batch_runs(services().pool, index)
    return streamed(("".join(part).encode() for part in lines), "application/x-ndjson")


@routes.get(f"{BATCH}/leaves", right="public", answers={200: "application/octet-stream"})
def leaves(index: int) -> Response:
    """The leaf hashes of the batch in their order, 32 bytes each."""
    return streamed(look.batch_leaves(services().pool, index), "application/octet-stream")


@routes.get("/v1/anchors", right="public", answers={200: page_of(AnchorAnswer)}, query=PageQuery)
def anchors(query: Mapping[str, Any]) -> Response:
    """Anchors, the newest first; `own_word`: nobody but the notary stands behind it."""
    before = read_cursor(query.get("cursor"), number, word)
    found, count = list_evidence(services().pool, services().ledgers, before, query["limit"])
    return page(found, count, _ANCHOR, lambda row: (row["size"], row["ledger"]), _anchor)


@routes.get("/v1/anchors/<id:ledger>/<n:size>", right="public", answers={200: AnchorAnswer})
def anchor(ledger: str, size: int) -> Response:
    """The anchor of a size on a ledger: how far it is, and its evidence once it is verified."""
    row = get_anchor(services().pool, services().ledgers, ledger, size)
    return answer(_ANCHOR.dump(_anchor(row)))


def _anchor(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "meaning": say("page.own-word") if row["own_word"] else None}
