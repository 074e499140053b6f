# SPDX-License-Identifier: Apache-2.0
"""
Bodies that are gateways' messages: read by the codecs that read the same from a broker.

Chosen by the content type, where it has a codec of its own; by `application/json;
profile=CODEC`; or by `?codec=CODEC`, for senders whose content type is fixed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from flask import request
from werkzeug.exceptions import UnsupportedMediaType

from iot_ingest.codecs import Codec, Decoded, Members, codecs
from notary.api.language import has_text
from notary.api.services import services
from notary.usecases.reading import Pack
from schemas.bodies import JSON_TYPE, Body
from schemas.faults import Fault, MalformedQuery
from schemas.record import Item

CODECS: Final = codecs()
MEDIA_TYPES: Final = {
    media_type: name for name, codec in CODECS.items() for media_type in codec.media_types
}
PROFILED: Final = (JSON_TYPE, "application/ld+json")
OF_CODECS: Final = ("source", "observed", "key")
"""Parameters that are told of a message; an item tells it itself."""


@dataclass(frozen=True, slots=True)
class Posted:
    """A body's items; `pack` is the message from which they were split, if they were."""

    body: Body
    pack: Pack | None = None
    closed_only: bool = False


def choose(query: Mapping[str, Any]) -> str | None:
    """
    The codec that the request asks for; None: its body is of items.

    Raises:
        UnsupportedMediaType: the profile is none.
        MalformedQuery: there is no such codec, or a parameter isn't for it.
    """
    name: str | None = query.get("codec")
    if name is None:
        name = MEDIA_TYPES.get(request.mimetype)
        if request.mimetype in PROFILED:
            name = request.mimetype_params.get("profile")
        if name is not None and name not in CODECS:
            raise UnsupportedMediaType()
    elif name not in CODECS:
        raise MalformedQuery(Fault("/codec", "codec"))
    codec = None if name is None else CODECS[name]
    takes = () if codec is None else OF_CODECS if codec.has_members else OF_CODECS[:1]
    strange = [
        Fault(f"/{one}", "unknown") for one in OF_CODECS if one in query and one not in takes
    ]
    if codec is not None and not codec.names_source and "source" not in query:
        strange.append(Fault("/source", "missing"))
    if strange:
        raise MalformedQuery(*strange)
    return name


def parse_message(data: bytes, name: str, query: Mapping[str, Any]) -> Posted:
    """The readings of a message as items, and what is wrong with the others."""
    codec, source = CODECS[name], query.get("source")
    members = Members(
        query.get("observed"),
        query.get("key"),
        services().max_body_bytes,
        names_source=source is None,
    )
    found = codec.decode(data, members)
    items = [_item(one, codec, source) for one in found]
    is_split = len(found) > 1 or found[0].payload.strip() != data.strip()
    return Posted(Body(items, is_one=False), Pack(data) if is_split else None, codec.secret)


def _item(found: Any, codec: Codec, source: str | None) -> Item | list[Fault]:
    if not isinstance(found, Decoded):
        own = f"field.{found.reason}"
        code = found.reason if has_text(own) else f"json-{found.reason}"
        return [Fault("", code, found.detail)]
    return Item(
        source=source or found.source or "",
        payload=found.payload,
        type=codec.type,
        observed=found.observed,
        key=found.key,
        payload_member="",
    )
