# SPDX-License-Identifier: Apache-2.0
"""Sources: registered, and the keys by which their messages are known."""

from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from flask import Response

from notary.api.answers import answer
from notary.api.auth import dataset, reads_own
from notary.api.bodies import read_json
from notary.api.routes import Routes
from notary.api.services import services
from notary.core.errors import MalformedText
from notary.usecases import look
from notary.usecases import sources as register
from notary.usecases.device_keys import (
    check_algorithm,
    new_secret,
    parse_public_key,
    parse_secret,
)
from notary.usecases.rights import NotFound
from notary.usecases.source_files import parse_moment
from notary.usecases.sources import NO_ID, NewKey
from notary.usecases.sources import NewSource as Source
from schemas.bodies import JSON_TYPE
from schemas.faults import Fault, MalformedRequest
from schemas.source import (
    NewSource,
    NewSourceKey,
    RegisteredAnswer,
    SourceKeyAnswer,
    SourceKeysAnswer,
)

routes = Routes("sources", "Who may send to a dataset, and by which keys it is known.")
SOURCES = "/v1/datasets/<id:dataset>/sources"
KEYS = f"{SOURCES}/<id:source>/keys"
_KEY, _SOURCE = SourceKeyAnswer(), RegisteredAnswer()
Made = dict[str, bytes]
"""Secrets that were made for keys, by the keys' ids."""


@routes.post(
    SOURCES, right="owner:manage", answers={201: RegisteredAnswer}, body={JSON_TYPE: NewSource}
)
def create(**path: str) -> Response:
    """
    Register a source, with keys or without. What is there already, exactly so, is no fault; a
    source that has records goes on as the one it is.
    """
    asked = read_json(NewSource())
    made: Made = {}
    keys = [_key(key, f"/keys/{at}", made) for at, key in enumerate(asked.get("keys", ()))]
    new = Source(asked["id"], asked.get("title"), tuple(keys))
    parts, facts = services(), dataset()
    register.register(parts.pool, parts.instance_secret(), facts, [new], parts.clock())
    row = register.get_registered(parts.pool, facts, new.label)
    where = f"/v1/datasets/{facts.name}/sources/{row['name']}"
    shown = {
        **{name: value for name, value in row.items() if value is not None},
        "dataset": facts.name,
        "source": row["name"],
        "keys": [_shown(key, made) for key in row["keys"]],
        "links": {"self": where, "keys": f"{where}/keys", "records": f"{where}/records"},
    }
    response = answer(_SOURCE.dump(shown), 201)
    response.headers["Location"] = where
    return response


@routes.get(KEYS, right="reader:read", answers={200: SourceKeysAnswer})
def keys(source: str, **path: str) -> Response:
    """
    The public keys of a source, to check its signatures by; its owner also sees which secrets
    there are, and never what they are.
    """
    parts, facts = services(), dataset()
    try:
        found = register.list_keys(parts.pool, facts, source)
    except NotFound:
        look.get_source(parts.pool, facts, source)
        found = []
    is_owner = reads_own()
    shown = [_shown(key, {}) for key in found if is_owner or key["public_key"] is not None]
    return answer({"items": [_KEY.dump(key) for key in shown]})


@routes.post(
    KEYS, right="owner:manage", answers={201: SourceKeyAnswer}, body={JSON_TYPE: NewSourceKey}
)
def add_key(source: str, **path: str) -> Response:
    """Give a registered source one more key. The others stay as they are."""
    made: Made = {}
    new = _key(read_json(NewSourceKey()), "", made)
    parts, facts = services(), dataset()
    row = register.add_key(parts.pool, parts.instance_secret(), facts, source, new, parts.clock())
    return answer(_KEY.dump(_shown(row, made)), 201)


@routes.delete(f"{KEYS}/<id:key>", right="owner:manage")
def revoke_key(source: str, key: str, **path: str) -> Response:
    """Revoke a key, for good. What it signed before stays what it is."""
    register.revoke(services().pool, dataset(), source, key, services().clock())
    return Response(status=204)


def _key(asked: Mapping[str, Any], at: str, made: Made) -> NewKey:
    """A key as the register takes it; a secret that isn't given is made, and put into `made`."""
    algorithm = check_algorithm(asked["algorithm"])
    if asked["id"] == NO_ID:
        raise MalformedRequest(Fault(f"{at}/id", "id"))
    try:
        what, code = "public_key", "public-key"
        if algorithm != "hmac-sha256":
            material = parse_public_key(algorithm, asked["public_key"])
        elif "secret" in asked:
            what = code = "secret"
            material = parse_secret(asked["secret"])
        else:
            material = made[asked["id"]] = new_secret()
        code, times = "moment", []
        for what in ("valid_from", "valid_to"):
            times.append(parse_moment(asked[what]) if what in asked else None)
    except MalformedText:
        raise MalformedRequest(Fault(f"{at}/{what}", code)) from None
    return NewKey(asked["id"], algorithm, material, *times)


def _shown(row: Mapping[str, Any], made: Made) -> dict[str, Any]:
    shown = {name: value for name, value in row.items() if value is not None}
    if "public_key" in shown:
        shown["public_key"] = b64encode(shown["public_key"]).decode()
    if row["id"] in made:
        shown["secret"] = b64encode(made[row["id"]]).decode()
    return shown
