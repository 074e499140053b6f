# SPDX-License-Identifier: Apache-2.0
"""The yardstick of receipt: a Flask route that answers NOTARY_BENCH_BYTES bytes."""

import os

from flask import Flask, Response

app = Flask(__name__)
ANSWER = b"x" * int(os.environ.get("NOTARY_BENCH_BYTES", "4000"))


@app.get("/empty")
def empty() -> Response:
    """An answer of the size of a receipt."""
    return Response(ANSWER, mimetype="application/json")
