# SPDX-License-Identifier: Apache-2.0
"""A record's page: how far it is, what is proved of it, and what it says."""

from typing import Any, Final

from flask import Blueprint, Response

from notary.api.auth import right
from notary.api.language import say
from notary.api.receipt_formats import other_formats
from notary.api.services import services
from notary.usecases import look
from notary.usecases.datasets import DatasetFacts
from notary.usecases.departments import name_of_department
from notary.usecases.reading import FUTURE_DATED, KEY_REUSED, REPLAYED
from notary.usecases.rights import NotFound
from notary.web.access import find_dataset
from notary.web.certificate import certificate
from notary.web.dataset_pages import place
from notary.web.missing import not_found
from notary.web.render import render, words_of_erasure
from notary.web.way import steps

blueprint = Blueprint("record_pages", __name__)
blueprint.register_error_handler(NotFound, not_found)
SHOWN_BYTES: Final = 2000
MAX_CHAIN: Final = (1 << 31) - 1
FLAGS: Final = {
    KEY_REUSED: "page.flag-key-reused",
    REPLAYED: "page.flag-replayed",
    FUTURE_DATED: "page.flag-future-dated",
}
"""What a page says of a record's flags."""


@blueprint.get("/datasets/<id:dataset>/sources/<id:source>/records/<n:n>")
@right("public")
def record(dataset: str, source: str, n: int) -> Response:
    """A record with its states, its receipt to download, and its neighbours."""
    return render("record.html", **_facts(dataset, source, n))


@blueprint.get("/datasets/<id:dataset>/sources/<id:source>/records/<n:n>/certificate")
@right("public")
def record_certificate(dataset: str, source: str, n: int) -> Response:
    """A record's certificate to print."""
    facts = _facts(dataset, source, n)
    row, about = facts["row"], facts["dataset"]
    path = f"/datasets/{row['dataset']}/sources/{row['source']}/records/{row['n']}"
    is_open = row["digest"] is not None
    return certificate(
        f"{path}?chain={row['chain']}" if row["chain"] else path,
        subject=say("verify.record", dataset=row["dataset"], source=row["source"], n=row["n"]),
        dataset=about,
        owner=name_of_department(services().pool, about.owner),
        received=row["received"],
        says=[
            ("page.by", _by_words(row["by_word"])),
            ("page.media-type", row["type"]),
            *words_of_erasure(row),
        ],
        hash_label="page.digest" if is_open else "page.commitment",
        hash=(row["digest"] if is_open else row["commitment"]).hex(),
        is_signed=row["states"]["signed"] is not None,
        steps=facts["steps"],
    )


def _facts(dataset: str, source: str, n: int) -> dict[str, Any]:
    parts, facts = services(), find_dataset(dataset)
    chain = place("chain")
    if chain is not None and chain > MAX_CHAIN:
        raise NotFound(f"There is no chain {chain} of {source} in {dataset} here.")
    name = look.name_of_source(parts.pool, facts, source)
    row = look.get_record(parts.pool, parts.ledgers, facts, name, n, chain)
    return {
        "row": row,
        "dataset": facts,
        "by": _by_words(row["by_word"]),
        "steps": steps(row["states"], parts.ledgers),
        "formats": other_formats(),
        "is_last": _is_last(facts, row),
        "preview": preview(row["payload"]),
        "is_cut": row["payload"] is not None and len(row["payload"]) > SHOWN_BYTES,
        "flags": [text for flag, text in FLAGS.items() if row["flags"] & flag],
        "path": f"/datasets/{row['dataset']}/sources/{row['source']}/records/{row['n']}",
        "values": {"dataset": dataset, "source": source},
    }


def _by_words(by: str) -> str:
    """Who handed it in, as far as it is known, for people."""
    kind, _, name = by.partition(":")
    return say(f"page.by-{kind}", id=name)


def _is_last(facts: DatasetFacts, row: dict[str, Any]) -> bool:
    """Whether it is where its source's newest chain ends; of an older chain nothing is said."""
    end = look.get_source(services().pool, facts, row["source"])
    return bool(end["chain"] != row["chain"] or end["n"] == row["n"])


def preview(payload: bytes | None) -> str | None:
    """A payload as text where it is some, at most a screenful."""
    if payload is None:
        return None
    try:
        shown = payload[:SHOWN_BYTES].decode()
    except UnicodeDecodeError as error:
        if len(payload) > SHOWN_BYTES and error.start >= SHOWN_BYTES - 3:
            shown = payload[: error.start].decode()
        else:
            return payload[:200].hex(" ")
    return "".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in shown)
