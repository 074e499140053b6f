# SPDX-License-Identifier: Apache-2.0
"""That the log only grew: the proof between any two sizes that it signed."""

from collections.abc import Mapping
from typing import Any

from flask import Response

from notary.api.answers import BRIEFLY, fixed
from notary.api.routes import Routes
from notary.api.services import services
from notary.usecases.prove_growth import prove_growth
from schemas.queries import ConsistencyQuery

routes = Routes("consistency", "That the log only grew since the checkpoint that you remember.")
JSON = "application/json"


@routes.get("/v1/log/consistency", right="public", answers={200: JSON}, query=ConsistencyQuery)
def show(query: Mapping[str, Any]) -> Response:
    """
    The proof that the log only grew between two sizes that it signed: docs/spec/consistency-v1.md.

    Keep the checkpoint that you saw last, and hold whatever comes later against it
    (`notary verify --since`).
    """
    proof = prove_growth(services().pool, query["from"], query.get("to"))
    # A checkpoint may still be cosigned.
    return fixed(proof, JSON, BRIEFLY)
