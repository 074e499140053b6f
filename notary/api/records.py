# SPDX-License-Identifier: Apache-2.0
"""Records: listed, shown, their payload and their receipt."""

from base64 import b64encode
from collections.abc import Mapping
from typing import Any, cast

from flask import Response

from notary.api.answers import (
    ASK_AGAIN,
    answer,
    fixed,
    number,
    page,
    read_cursor,
    word,
)
from notary.api.auth import caller, dataset, grant
from notary.api.handing import handing
from notary.api.receipt_formats import COSE, TLOG_PROOF, receipt_answer
from notary.api.routes import Routes
from notary.api.services import services
from notary.usecases import look
from notary.usecases.erased import erased_of, gone
from notary.usecases.prove import Until
from notary.usecases.reading import FUTURE_DATED, KEY_REUSED, REPLAYED
from notary.usecases.version_look import find_versions
from schemas.answers import (
    DigestAnswer,
    DigestsAnswer,
    NotYetAnswer,
    ReceiptAnswer,
    RecordAnswer,
    page_of,
)
from schemas.queries import ChainQuery, PageQuery, ReceiptQuery, RecordsQuery

routes = Routes("records", "What was notarised, how far each record is, and its proof.")
SOURCE = "/v1/datasets/<id:dataset>/sources/<id:source>"
RECORD = f"{SOURCE}/records/<n:n>"
BYTES = "application/octet-stream"
ENDINGS = {
    "application/json": "json",
    "application/senml+json": "json",
    "application/x-ndjson": "ndjson",
    "text/csv": "csv",
    "text/plain": "txt",
}
_RECORD, _DIGEST = RecordAnswer(), DigestAnswer()
_DEFAULT_RECEIPT = ReceiptQuery().load({})


@routes.get(
    f"{SOURCE}/records",
    right="reader:read",
    answers={200: page_of(RecordAnswer)},
    query=RecordsQuery,
)
def index(query: Mapping[str, Any], source: str, **path: str) -> Response:
    """The source's records in the order of n, without their payloads."""
    after = read_cursor(query.get("cursor"), number) or [-1]
    found = look.list_records(
        services().pool, dataset(), source, query.get("chain"), after[0], query["limit"] + 1
    )
    shown = found[: query["limit"]]
    if shown:
        first, last = shown[0], shown[-1]
        handing(
            kind="records",
            source=last["source"],
            chain=last["chain"],
            first=first["n"],
            last=last["n"],
            last_leaf=last["leaf"].hex(),
        )
    return page(
        found,
        query["limit"],
        _RECORD,
        lambda row: (row["n"],),
        lambda row: {**_shown(row), "source": row["source"]},
    )


@routes.get(RECORD, right="reader:read", answers={200: RecordAnswer}, query=ChainQuery)
def show(query: Mapping[str, Any], source: str, n: int, **path: str) -> Response:
    """One record: its statement as it was hashed, its payload and its states."""
    row = _get(source, n, query.get("chain"))
    _hand("record", row)
    shown = {**_shown(row), "by": row["by_word"], "state": row["states"]}
    if row["payload"] is not None:
        shown["payload_base64"] = b64encode(row["payload"]).decode()
        shown["size_bytes"] = len(row["payload"])
    return answer(_RECORD.dump(shown))


@routes.get(f"{RECORD}/payload", right="reader:read", answers={200: BYTES}, query=ChainQuery)
def payload(query: Mapping[str, Any], source: str, n: int, **path: str) -> Response:
    """
    The payload's bytes, as a file to keep and never as a page to show.

    Its media type is only what its sender said; it stands in the record.
    """
    row = _get(source, n, query.get("chain"))
    if row["payload"] is None:
        raise gone(row)
    _hand("payload", row)
    response = fixed(bytes(row["payload"]), BYTES, ASK_AGAIN)
    response.headers["Content-Disposition"] = f'attachment; filename="{_file_name(row)}"'
    return response


@routes.get(
    f"{RECORD}/receipt",
    right="reader:read",
    answers={200: (ReceiptAnswer, TLOG_PROOF, COSE), 202: NotYetAnswer},
    query=ReceiptQuery,
)
def receipt(query: Mapping[str, Any], source: str, n: int, **path: str) -> Response:
    """
    The record's receipt, as its bytes are verified; in the formats of others too.

    202 with Retry-After until a signed checkpoint covers it (or, with `until`, witnesses
    or ledgers have it). Fixed once every required witness and ledger is in.
    """
    proof = services().prover.receipt(
        dataset().name,
        look.name_of_source(services().pool, dataset(), source),
        n,
        caller=caller(),
        chain=query.get("chain"),
        until=cast(Until, query["until"]),
        granted=grant() is not None,
    )
    handing(kind="receipt", source=proof.source, chain=proof.chain, n=n, leaf=proof.leaf.hex())
    return receipt_answer(proof.text, query["format"], is_final=proof.final, is_public=proof.public)


@routes.get(
    "/v1/digests/<hash:digest>",
    right="public",
    answers={200: DigestsAnswer},
    query=PageQuery,
)
def digests(query: Mapping[str, Any], digest: bytes) -> Response:
    """
    Records by the SHA-256 of their payload, in open datasets that keep the index.

    On the first page, as many as fit: `versions` by the SHA-256 of their file, in open datasets,
    and in `not_searched` the open datasets whose records are in no index.
    """
    pool, limit = services().pool, query["limit"]
    after = read_cursor(query.get("cursor"), word, word, number, number)
    found = look.find_digest(pool, digest, after, limit + 1)
    versions = [] if after else find_versions(pool, digest, limit)
    not_searched = [] if after else look.without_digests(pool, limit)
    return page(
        found,
        limit,
        _DIGEST,
        lambda row: (row["dataset"], row["source"], row["chain"], row["n"]),
        lambda row: {**row, "links": links(row)},
        versions=[{**row, "links": _links_of_version(**row)} for row in versions],
        not_searched=not_searched,
    )


def _file_name(row: Mapping[str, Any]) -> str:
    """By source and n, with an ending where its sender named a type that can do no harm."""
    ending = ENDINGS.get(row["type"], "bin")
    return f"{row['source'].replace(':', '_')}-{row['n']}.{ending}"


def links(row: Mapping[str, Any]) -> dict[str, str]:
    """Where a record and its receipt are."""
    path = f"/v1/datasets/{row['dataset']}/sources/{row['source']}/records/{row['n']}"
    query = f"?chain={row['chain']}" if row["chain"] else ""
    return {"self": path + query, "receipt": f"{path}/receipt{query}"}


def _links_of_version(dataset: str, version: int) -> dict[str, str]:
    path = f"/v1/datasets/{dataset}/versions/{version}"
    return {"self": path, "receipt": f"{path}/receipt"}


def _hand(kind: str, row: Mapping[str, Any]) -> None:
    handing(kind=kind, source=row["source"], chain=row["chain"], n=row["n"], leaf=row["leaf"].hex())


def _get(source: str, n: int, chain: int | None) -> dict[str, Any]:
    pool = services().pool
    name = look.name_of_source(pool, dataset(), source)
    return look.get_record(pool, services().ledgers, dataset(), name, n, chain)


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    named = {name: value for name, value in row.items() if value is not None}
    named["dataset"] = dataset().name
    named["key_reused"] = bool(row["flags"] & KEY_REUSED)
    named["replayed"] = bool(row["flags"] & REPLAYED)
    named["future_dated"] = bool(row["flags"] & FUTURE_DATED)
    named["links"] = links(named)
    if (erased := erased_of(row)) is not None:
        named["erased"] = erased
    return named
