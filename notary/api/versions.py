# SPDX-License-Identifier: Apache-2.0
"""Versions: listed, shown, their file, their rows, and the proofs of both."""

from base64 import b64encode
from collections.abc import Mapping
from typing import Any, Final, cast

from flask import Response, request
from werkzeug.exceptions import RequestedRangeNotSatisfiable

from notary.api.answers import (
    ASK_AGAIN,
    answer,
    number,
    page,
    read_cursor,
)
from notary.api.auth import dataset, reads_own
from notary.api.handing import handing
from notary.api.receipt_formats import COSE, TLOG_PROOF, receipt_answer
from notary.api.routes import Routes
from notary.api.services import services
from notary.core.csv_rows import csv_cells
from notary.usecases.erased import erased_of
from notary.usecases.prove import Until
from notary.usecases.prove_versions import VersionProof, VersionProver
from notary.usecases.version_look import get_row, list_versions, open_file, show_version
from schemas.answers import NotYetAnswer, ReceiptAnswer, page_of
from schemas.queries import FormatQuery
from schemas.version import RowAnswer, VersionAnswer, VersionsQuery

routes = Routes("versions", "Files and tables: their versions, rows and proofs.")
DATASET: Final = "/v1/datasets/<id:dataset>"
VERSIONS: Final = f"{DATASET}/versions"
VERSION: Final = f"{VERSIONS}/<n:version>"
BYTES: Final = "application/octet-stream"
ENDINGS: Final = {"csv-v1": ".csv", "ndjson-v1": ".json", "none": ".bin"}
_VERSION, _ROW = VersionAnswer(), RowAnswer()


@routes.get(
    VERSIONS, right="reader:read", answers={200: page_of(VersionAnswer)}, query=VersionsQuery
)
def index(query: Mapping[str, Any], **path: str) -> Response:
    """The versions of a dataset, the newest first."""
    before = read_cursor(query.get("cursor"), number) or [None]
    found = list_versions(services().pool, dataset(), before[0], query["limit"] + 1)
    return page(found, query["limit"], _VERSION, lambda row: (row["version"],), shown)


@routes.get(VERSION, right="reader:read", answers={200: VersionAnswer})
def show(version: int, **path: str) -> Response:
    """One version and its states."""
    row = show_version(services().pool, services().ledgers, dataset(), version)
    return answer(_VERSION.dump(shown(row)))


@routes.get(f"{VERSION}/file", right="reader:read", answers={200: BYTES, 206: BYTES})
def file(version: int, **path: str) -> Response:
    """
    The file as it was handed in; with `Range` a part of it.

    `Repr-Digest` (RFC 9530) is that of the whole file, `Content-Digest` the same where all of it
    is sent. What proves it is its receipt.
    """
    kept = open_file(services().pool, dataset(), version)
    tag = kept.digest.hex()[:32]
    headers = {
        "ETag": f'"{tag}"',
        "Accept-Ranges": "bytes",
        "Cache-Control": ASK_AGAIN,
        "Repr-Digest": f"sha-256=:{b64encode(kept.digest).decode()}:",
        "Content-Disposition": f'attachment; filename="{_file_name(version, kept.profile)}"',
    }
    if "If-None-Match" in request.headers and request.if_none_match.contains_weak(tag):
        return Response(status=304, headers=headers)
    start, stop, status = 0, kept.size_bytes, 200
    if request.range is not None and ("If-Range" not in request.headers or _is_same(tag)):
        span = request.range.range_for_length(kept.size_bytes)
        if span is None and len(request.range.ranges) == 1 and request.range.units == "bytes":
            raise RequestedRangeNotSatisfiable(kept.size_bytes)
        if span is not None:
            start, stop, status = *span, 206
            headers["Content-Range"] = f"bytes {start}-{stop - 1}/{kept.size_bytes}"
    if status == 200:
        headers["Content-Digest"] = headers["Repr-Digest"]
    headers["Content-Length"] = str(stop - start)
    handing(kind="file", version=version, first_byte=start, last_byte=stop - 1)
    return Response(kept.pieces(start, stop), status, headers, mimetype=BYTES)


@routes.get(
    f"{VERSION}/receipt",
    right="reader:read",
    answers={200: (ReceiptAnswer, TLOG_PROOF, COSE), 202: NotYetAnswer},
    query=FormatQuery,
)
def receipt(query: Mapping[str, Any], version: int, **path: str) -> Response:
    """
    The receipt of the file: with it and the file, anyone checks the whole of it offline.

    202 with Retry-After until a signed checkpoint covers it (or, with `until`, ledgers do).
    """
    until = cast(Until, query["until"])
    handing(kind="receipt", version=version)
    return _proof(_prover().file_receipt(dataset(), version, until), query["format"])


@routes.get(f"{VERSION}/rows/<n:row>", right="reader:read", answers={200: RowAnswer})
def row(version: int, row: int, **path: str) -> Response:
    """One row by its number, from 0; of a CSV file row 0 is the header."""
    profile, data = get_row(services().pool, dataset(), version, row)
    handing(kind="row", version=version, row=row)
    where = f"/v1/datasets/{dataset().name}/versions/{version}/rows/{row}"
    told: dict[str, Any] = {"cells": csv_cells(data)} if profile == "csv-v1" else {}
    if not told:
        told["text"] = data.decode()
    told |= {"dataset": dataset().name, "version": version, "row": row, "profile": profile}
    told |= {"bytes_base64": b64encode(data).decode()}
    told |= {"links": {"self": where, "receipt": f"{where}/receipt"}}
    return answer(_ROW.dump(told), cache=ASK_AGAIN)


@routes.get(
    f"{VERSION}/rows/<n:row>/receipt",
    right="reader:read",
    answers={200: (ReceiptAnswer, TLOG_PROOF, COSE), 202: NotYetAnswer},
    query=FormatQuery,
)
def row_receipt(query: Mapping[str, Any], version: int, row: int, **path: str) -> Response:
    """The receipt of one row: of the file nothing but that row is in it."""
    until = cast(Until, query["until"])
    handing(kind="receipt", version=version, row=row)
    return _proof(_prover().row_receipt(dataset(), version, row, until), query["format"])


def shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """A version as it is answered; who sent it is told to the owner only."""
    where = f"/v1/datasets/{dataset().name}/versions/{row['version']}"
    links = {"self": where, "file": f"{where}/file", "receipt": f"{where}/receipt"}
    if row["file_digest"] is None or row["is_dropped"]:
        del links["file"]
    elif row["count"]:
        links["rows"] = f"{where}/rows/0"
    if services().public_url is not None and dataset().is_open:
        links["page"] = f"{services().public_url}{where.removeprefix('/v1')}"
    told = {name: value for name, value in row.items() if value is not None}
    told["digest" if dataset().is_open else "commitment"] = row["hash"]
    told["state"] = row.get("states")
    if (erased := erased_of(row)) is not None:
        told["erased"] = erased
    if not reads_own():
        told.pop("by_word", None)
    if told["state"] is None:
        del told["state"]
    return {**told, "dataset": dataset().name, "links": links}


def _prover() -> VersionProver:
    return VersionProver(services().pool, services().prover)


def _proof(proof: VersionProof, asked: str | None) -> Response:
    is_open = dataset().is_open
    return receipt_answer(proof.text, asked, is_final=proof.final, is_public=is_open)


def _file_name(version: int, profile: str) -> str:
    name = dataset().name.replace(":", "_")
    return f"{name}-version-{version}{ENDINGS[profile]}"


def _is_same(tag: str) -> bool:
    return request.if_range.etag == tag
