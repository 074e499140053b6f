# SPDX-License-Identifier: Apache-2.0
"""What pages offer to download: as the API gives it, for whoever may see the page."""

from typing import Any, Final

from flask import Blueprint, Response, g, request

from notary.api import records, versions, windows
from notary.api.auth import right
from notary.api.receipt_formats import formats_here
from notary.usecases.rights import NotFound
from notary.web.access import find_dataset, is_private
from notary.web.dataset_pages import place
from notary.web.missing import not_found
from notary.web.record_pages import MAX_CHAIN
from notary.web.windows import MOST_CHARACTERS

blueprint = Blueprint("downloads", __name__)
blueprint.register_error_handler(NotFound, not_found)
VERSION: Final = "/datasets/<id:dataset>/versions/<n:version>"
SOURCE: Final = "/datasets/<id:dataset>/sources/<id:source>"
RECORD: Final = f"{SOURCE}/records/<n:n>"


@blueprint.get(f"{VERSION}/file")
@right("public")
def file(dataset: str, version: int) -> Response:
    """The file of a version."""
    g.dataset = find_dataset(dataset)
    return _kept_nowhere(versions.file(version=version))


@blueprint.get(f"{VERSION}/receipt")
@right("public")
def file_receipt(dataset: str, version: int) -> Response:
    """The receipt of a version's file."""
    g.dataset = find_dataset(dataset)
    return _kept_nowhere(versions.receipt(_format(), version=version))


@blueprint.get(f"{VERSION}/rows/<n:row>/receipt")
@right("public")
def row_receipt(dataset: str, version: int, row: int) -> Response:
    """The receipt of a row."""
    g.dataset = find_dataset(dataset)
    return _kept_nowhere(versions.row_receipt(_format(), version=version, row=row))


@blueprint.get(f"{RECORD}/payload")
@right("public")
def payload(dataset: str, source: str, n: int) -> Response:
    """The payload of a record."""
    g.dataset = find_dataset(dataset)
    return _kept_nowhere(records.payload(_chain(), source=source, n=n))


@blueprint.get(f"{RECORD}/receipt")
@right("public")
def record_receipt(dataset: str, source: str, n: int) -> Response:
    """The receipt of a record."""
    g.dataset = find_dataset(dataset)
    return _kept_nowhere(records.receipt({**_chain(), **_format()}, source=source, n=n))


@blueprint.get(f"{SOURCE}/window")
@right("public")
def window(dataset: str, source: str) -> Response:
    """All records of a span of a source, and the proof that none is missing."""
    g.dataset = find_dataset(dataset)
    query = {name: request.args.get(name, "")[:MOST_CHARACTERS] for name in ("by", "from", "to")}
    return _kept_nowhere(windows.show({**query, **_chain(), "until": "signed"}, source=source))


@blueprint.get(f"{SOURCE}/window/payloads")
@right("public")
def window_payloads(dataset: str, source: str) -> Response:
    """What the records of a window hold, a line each."""
    g.dataset = find_dataset(dataset)
    ends = {name: place(name) for name in ("first", "last")}
    if None in ends.values():
        raise NotFound()
    return _kept_nowhere(windows.payloads({**ends, **_chain()}, source=source))


def _chain() -> dict[str, Any]:
    chain = place("chain")
    if chain is not None and chain > MAX_CHAIN:
        raise NotFound()
    return {"chain": chain}


def _format() -> dict[str, str]:
    """A link can't say Accept: it names the format, and without a name it is the usual one."""
    name = request.args.get("format", "receipt")
    if name not in formats_here():
        raise NotFound()
    return {"until": "signed", "format": name}


def _kept_nowhere(response: Response) -> Response:
    """What isn't for everybody isn't left in the browser's cache when its session ends."""
    if is_private():
        response.headers["Cache-Control"] = "no-store"
    return response
