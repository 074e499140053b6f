# SPDX-License-Identifier: Apache-2.0
"""`/publish`: a clerk signs in by API key, hands in a file, and sees how far it is."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Final

from flask import Blueprint, Response, current_app, request, url_for
from werkzeug.exceptions import HTTPException

from notary.api.answers import answer, fixed
from notary.api.auth import right
from notary.api.publishing import resource_told
from notary.api.requests import PAGE, POLICY
from notary.api.services import services
from notary.core.errors import NotaryError
from notary.filetypes import file_type, without_rows
from notary.texts import LANGUAGES
from notary.usecases.api_keys import find_caller
from notary.usecases.datasets import DatasetFacts, get_dataset, list_own_datasets, no_dataset
from notary.usecases.package_file import PackageRefused
from notary.usecases.packages import Unpacking, unpack
from notary.usecases.prove import NotYet
from notary.usecases.prove_versions import VersionProver
from notary.usecases.rights import Caller, KeyUnknown, NotFound
from notary.usecases.version_look import show_version
from notary.usecases.versions import NewVersion, accept_version
from notary.web import session as sessions
from notary.web.attempts import Attempts
from notary.web.missing import missing
from notary.web.render import render
from notary.web.session import Session
from notary.web.upload_form import FormRefused, drain, events, read_fields, read_form
from notary.web.way import steps

blueprint = Blueprint("publish", __name__)
SHOWN_DATASETS: Final = 1000
KEY_CHARACTERS: Final = 200
DRAINED_BYTES: Final = 16 << 20
FORM_BYTES: Final = 1 << 20
"""What a form may have beside its file."""
POLICY_WITH_SCRIPT: Final = f"{PAGE}; script-src 'self'; connect-src 'self'"
SAID: Final = ("wrong-key", "no-right", "ended", "left", "forged")
KINDS: Final = (
    "csv",
    "ndjson",
    "json-array",
    "json",
    "zip",
    "package",
    "office",
    "other",
    "text",
    "as-it-is",
)
ATTEMPTS: Final = "city-notary-attempts"
_View = Callable[..., Response]


def signed_in(view: _View) -> _View:
    """Only for whoever is signed in with a key that may write; all others are asked to be."""

    @wraps(view)
    def wrapper(**path: Any) -> Response:
        session = sessions.read_session()
        who = sessions.caller_of(session)
        if session is None or who is None or not who.may("write"):
            drain(DRAINED_BYTES)
            if _wants_json():
                raise KeyUnknown()
            return _to("publish.first", say="ended")
        return view(session, who, **path)

    return wrapper


@blueprint.get("/publish")
@right("public")
def first() -> Response:
    """The form to sign in, or the one to hand in a file."""
    session = sessions.read_session()
    who = sessions.caller_of(session)
    said = request.args.get("say")
    told = said if said in SAID else None
    if session is None or who is None:
        session = sessions.read_visitor() or sessions.new_session(sessions.NOBODY)
        page = _page("publish_sign_in.html", token=session.token, said=told)
        return sessions.keep(page, session)
    found = list_own_datasets(services().pool, who, "", SHOWN_DATASETS)
    return _page(
        "publish.html",
        token=session.token,
        said=told,
        who=who,
        datasets=found,
        chosen=request.args.get("dataset"),
        most=services().max_version_bytes,
    )


@blueprint.post("/publish/session")
@right("public")
def sign_in() -> Response:
    """Take the key, once; what the browser keeps is a signed cookie without it."""
    now, address = services().clock(), request.remote_addr or ""
    attempts: Attempts = current_app.extensions.setdefault(ATTEMPTS, Attempts())
    attempts.demand(address, now)
    if not sessions.is_own_form(sessions.read_visitor(), request.form.get("token")):
        return _to("publish.first", say="forged")
    key = request.form.get("key", "").strip()
    try:
        who = find_caller(services().pool, key[:KEY_CHARACTERS], now)
    except KeyUnknown:
        attempts.note(address, now)
        return _to("publish.first", say="wrong-key")
    if not who.may("write"):
        return _to("publish.first", say="no-right")
    return sessions.keep(_to("publish.first"), sessions.new_session(who.key_id))


@blueprint.post("/publish/leave")
@right("public")
def leave() -> Response:
    """Sign out."""
    if not sessions.is_own_form(sessions.read_session(), request.form.get("token")):
        return _to("publish.first", say="forged")
    return sessions.drop(_to("publish.first", say="left"))


@blueprint.post("/publish")
@right("public")
@signed_in
def upload(session: Session, who: Caller) -> Response:
    """Hand in a file: to its state, or (asked for JSON) the address of it."""
    request.max_content_length = services().max_version_bytes + FORM_BYTES
    try:
        facts, version, kind, is_new = _take(session, who)
    except (NotaryError, HTTPException):
        drain(DRAINED_BYTES)
        raise
    inside = _unpack(facts, version, who) if kind == "zip" else None
    kind = "package" if inside is not None else kind
    more: dict[str, object] = {"found": kind} | ({} if is_new else {"known": 1})
    there = _address("publish.state", dataset=facts.name, version=version, **more)
    if _wants_json():
        return answer({"location": there}, 201 if is_new else 200)
    if inside is not None:
        return _page("publish_package.html", token=session.token, there=there, inside=inside)
    return Response(status=303, headers={"Location": there})


@blueprint.get("/publish/<id:dataset>/<n:version>")
@right("public")
@signed_in
def state(session: Session, who: Caller, dataset: str, version: int) -> Response:
    """How far a version is, with its receipt and the link to send along as soon as they are."""
    parts = services()
    try:
        facts = _own(dataset, who)
        row = show_version(parts.pool, parts.ledgers, facts, version)
    except NotFound:
        return missing({})
    found = request.args.get("found")
    link = f"{parts.public_url}/datasets/{facts.name}/versions/{version}"
    return _page(
        "publish_version.html",
        token=session.token,
        row=row,
        dataset=facts,
        steps=steps(row["states"], parts.ledgers),
        found=found if found in KINDS else None,
        known=bool(request.args.get("known")),
        link=link if parts.public_url is not None and facts.is_open else None,
        may_read=facts.is_open or who.may("read"),
    )


@blueprint.get("/publish/<id:dataset>/<n:version>/receipt")
@right("public")
@signed_in
def receipt(session: Session, who: Caller, dataset: str, version: int) -> Response:
    """The receipt of the file, to be kept beside it."""
    parts = services()
    try:
        facts = _own(dataset, who)
        if not facts.is_open:
            who.demand("read")
        proof = VersionProver(parts.pool, parts.prover).file_receipt(facts, version)
    except NotFound:
        return missing({})
    except NotYet:
        return _to("publish.state", dataset=dataset, version=version)
    response = fixed(proof.text, "application/json", "no-store")
    name = f"{facts.name.replace(':', '_')}-version-{version}.receipt.json"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _take(session: Session, who: Caller) -> tuple[DatasetFacts, int, str, bool]:
    """
    Read the form and make its file a version: dataset, number, kind of file, whether it is new.

    Raises:
        FormRefused: forged, broken, no-file, empty, correction.
        NotFound: the dataset isn't the caller's to write.
        And what `accept_version` raises.
    """
    parts, parsed = services(), events()
    fields, name = read_fields(parsed)
    if not sessions.is_own_form(session, fields.get("token")):
        raise FormRefused("forged")
    facts = _own(fields.get("dataset", ""), who)
    corrects, reason = fields.get("corrects", "").strip(), fields.get("reason", "").strip()
    if corrects and not (corrects.isascii() and corrects.isdigit() and len(corrects) <= 9):
        raise FormRefused("correction")
    form = read_form(parsed, fields, name)
    type_ = file_type(name, form.beginning)
    if fields.get("as_it_is"):
        type_ = without_rows(type_)
    what = NewVersion(
        dataset=facts,
        type=type_.type,
        by_word=f"api:{who.key_id}",
        name=name,
        corrects=int(corrects) if corrects else None,
        reason=reason or None,
    )
    limit = parts.max_version_bytes
    done = accept_version(parts.pool, parts.gate, what, form.pieces, parts.clock, limit)
    return facts, done.version, type_.kind, done.is_new


def _unpack(facts: DatasetFacts, version: int, who: Caller) -> list[dict[str, Any]] | None:
    """What became of each resource of a Data Package; None: the ZIP file is none."""
    parts = services()
    limit = parts.max_version_bytes
    what = Unpacking(parts.pool, parts.gate, facts, who, parts.clock, limit)
    try:
        steps_ = unpack(what, version)
    except PackageRefused:
        return None
    return [resource_told(step) for step in steps_]


def _own(name: str, who: Caller) -> DatasetFacts:
    """A dataset that the caller may hand in to. Raises NotFound, as for one that isn't there."""
    facts = get_dataset(services().pool, name, who)
    if not facts.owned_by(who) or facts.kept_for is not None:
        raise no_dataset(name)
    return facts


def _page(template: str, **values: Any) -> Response:
    """A page of a session: kept nowhere, and with our own script."""
    response = render(template, **values)
    response.headers[POLICY] = POLICY_WITH_SCRIPT
    response.headers["Cache-Control"] = "no-store"
    return response


def _address(endpoint: str, **more: Any) -> str:
    lang = request.args.get("lang")
    return url_for(endpoint, lang=lang if lang in LANGUAGES else None, **more)


def _to(endpoint: str, **more: Any) -> Response:
    return Response(status=303, headers={"Location": _address(endpoint, **more)})


def _wants_json() -> bool:
    return request.headers.get("Accept", "").startswith("application/json")
