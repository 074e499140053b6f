# SPDX-License-Identifier: Apache-2.0
"""From a file to its version: which dataset, sent once, however often it is tried."""

import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from notary.publishing.errors import PublishRefused
from notary.publishing.local_file import LocalFile, Progress, pieces
from notary.publishing.server import Answer, Server

PAGE: Final = 1000


@dataclass(frozen=True, slots=True)
class Place:
    """A dataset that the key may hand in to."""

    id: str
    label: str
    is_open: bool


@dataclass(frozen=True, slots=True)
class Correction:
    """Which version is corrected, and why."""

    version: int
    reason: str


def find_places(server: Server) -> tuple[list[Place], int]:
    """
    The datasets that the key may hand in to, and how many bytes a file may have.

    Raises:
        PublishRefused: wrong-key, no-right, or the server's reason.
    """
    found: list[Place] = []
    cursor: str | None = None
    while True:
        told = good(server.get("/v1/publishing", limit=PAGE, cursor=cursor)).json()
        try:
            found += [Place(str(i["id"]), str(i["label"]), bool(i["open"])) for i in told["items"]]
            cursor, most = told["next"], int(told["max_bytes"])
        except (KeyError, TypeError, ValueError):
            raise PublishRefused("no-notary", status=200) from None
        if cursor is None:
            return found, most


def choose_place(
    places: Sequence[Place], wanted: str | None, ask: Callable[[Sequence[Place]], int | None] | None
) -> Place:
    """
    The dataset that is wanted, the only one, or the one that `ask` gives (an index).

    Raises:
        PublishRefused: no-dataset, no-such-dataset, which-dataset.
    """
    if wanted is not None:
        for place in places:
            if place.id == wanted:
                return place
        raise PublishRefused("no-such-dataset", dataset=wanted, datasets=_names(places))
    if not places:
        raise PublishRefused("no-dataset")
    if len(places) == 1:
        return places[0]
    chosen = ask(places) if ask is not None else None
    if chosen is None:
        raise PublishRefused("which-dataset", datasets=_names(places))
    return places[chosen]


def send_file(
    server: Server,
    local: LocalFile,
    place: Place,
    correction: Correction | None,
    progress: Progress,
) -> dict[str, Any]:
    """
    Hand the file in; the version as the server answers it.

    Raises:
        PublishRefused: the server's reason; changed; other-digest.
    """
    query: dict[str, object] = {"name": local.name}
    if correction is not None:
        query |= {"corrects": correction.version, "reason": correction.reason}
    headers = {
        "Content-Type": local.type.type,
        "Content-Length": str(local.size_bytes),
        "Idempotency-Key": idempotency_key(server.access.key, local, place, query),
    }
    path = f"/v1/datasets/{quote(place.id, safe='')}/versions"
    told = good(server.post(path, query, headers, lambda: pieces(local, progress))).json()
    return check_version(told, local)


def send_package(
    server: Server,
    local: LocalFile,
    place: Place,
    progress: Progress,
    told: Callable[[Mapping[str, Any]], None],
) -> list[dict[str, Any]]:
    """
    Hand in a Data Package: its own version, then what became of each resource, which `told`
    is told at once. Tried again it gives the same versions.

    Raises:
        PublishRefused: the server's reason; changed; other-digest.
    """
    headers = {"Content-Type": local.type.type, "Content-Length": str(local.size_bytes)}
    path = f"/v1/datasets/{quote(place.id, safe='')}/packages"
    found: list[dict[str, Any]] = []

    def line(data: bytes) -> None:
        step = json.loads(data)
        found.append(step)
        told(step)

    def body() -> Any:
        found.clear()
        return pieces(local, progress)

    good(server.post(path, {}, headers, body, line))
    if not found:
        raise PublishRefused("no-notary", status=202)
    check_version(found[0], local)
    return found


def idempotency_key(key: str, local: LocalFile, place: Place, said: Mapping[str, object]) -> str:
    """
    The same for the same file under the same names, whenever it is sent.

    Under the API key, which the notary itself doesn't hold: what lies in its database doesn't
    let a file be guessed that was erased there.
    """
    words = [place.id, local.type.type, local.digest.hex(), *map(str, said.values())]
    return "publish-" + hmac.digest(key.encode(), json.dumps(words).encode(), "sha256").hex()


def check_version(told: dict[str, Any], local: LocalFile) -> dict[str, Any]:
    """What was answered, which must be a version of these bytes. Raises PublishRefused."""
    if type(told.get("version")) is not int or not isinstance(told.get("dataset"), str):
        raise PublishRefused("no-notary", status=200)
    if "digest" in told and told["digest"] != local.digest.hex():
        raise PublishRefused("other-digest", got=told["digest"], want=local.digest.hex())
    return told


def good(answer: Answer) -> Answer:
    """An answer that is no refusal. Raises PublishRefused with the server's own sentence."""
    if answer.status < 300:
        return answer
    problem = answer.json()
    known = {401: "wrong-key", 413: "too-large"}.get(answer.status, "server")
    detail = problem.get("detail") or f"HTTP {answer.status}"
    faults = problem.get("errors")
    if isinstance(faults, list):
        said = [str(fault.get("detail")) for fault in faults if isinstance(fault, dict)]
        detail = " ".join([str(detail), *said])
    raise PublishRefused(known, said=str(detail)[:2000])


def _names(places: Sequence[Place]) -> str:
    shown = ", ".join(place.id for place in places[:20])
    return shown + (", …" if len(places) > 20 else "") or "-"
