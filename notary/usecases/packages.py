# SPDX-License-Identifier: Apache-2.0
"""
A Data Package becomes versions: each of its resources the next version of a dataset of its own.

The package itself is a version without rows of the dataset that it is handed in to. The
dataset of a resource is `<dataset>.<name>`; of a dataset that isn't open it has a random id, as
all of these. It is made when the resource comes for the first time, with the same owner.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from notary.core.errors import NotaryError
from notary.core.policy import format_keep
from notary.core.rows import MalformedRows
from notary.core.words import MAX_ID_CHARACTERS
from notary.store.pool import Pool
from notary.usecases.datasets import DatasetFacts, add_dataset, get_dataset, no_dataset
from notary.usecases.declared_hashes import DeclaredHash
from notary.usecases.gate import Gate
from notary.usecases.package_file import (
    PackageFile,
    Resource,
    ResourceRefused,
    read_resource,
)
from notary.usecases.rights import Caller, NotFound
from notary.usecases.version_look import KeptFile, open_file, show_version
from notary.usecases.version_upload import Upload
from notary.usecases.versions import AcceptedVersion, NewVersion, accept_version

WITHOUT_ROWS: Final = "application/octet-stream"
DESCRIBED: Final = ("licence", "catalogue", "sharing", "classification", "update_cycle")
_STRANGE = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class Unpacking:
    """Who unpacks what, by which clock, and how large a file may be."""

    pool: Pool
    gate: Gate
    dataset: DatasetFacts
    caller: Caller
    clock: Callable[[], datetime]
    limit: int


def unpack(what: Unpacking, version: int) -> Iterator[dict[str, Any]]:
    """
    Make versions of the resources of a package that is a version already; what became of each,
    as soon as it is durable: `dataset`, `version` and so on, or the `error` that refused it.
    `rows_error`: why a table is a version without rows.

    Raises:
        PackageRefused: it is no package. At once, before the first is asked for.
    """
    file = PackageFile(open_file(what.pool, what.dataset, version))
    return _unpack(what, file)


def check_package(pool: Pool, upload: Upload) -> None:
    """Refuse an upload that is no package, before it is a version. Raises PackageRefused."""
    PackageFile(KeptFile(pool, upload.id, "none", upload.size_bytes, upload.file_digest))


def _unpack(what: Unpacking, file: PackageFile) -> Iterator[dict[str, Any]]:
    left, seen = what.limit, set[str]()
    for number, entry in enumerate(file.entries):
        told: dict[str, Any] = {"number": number}
        try:
            resource = read_resource(entry, number)
            told |= {"resource": resource.name, "path": resource.path}
            if resource.name in seen:
                raise ResourceRefused(f"{resource.name} stands twice in it.", reason="twice")
            seen.add(resource.name)
            size = file.size_of(resource.path)
            done = _publish(what, file, resource, size, left)
            left -= size
            yield told | done
        except NotaryError as error:
            yield told | {"error": error}


def _publish(
    what: Unpacking, file: PackageFile, resource: Resource, size: int, left: int
) -> dict[str, Any]:
    """One resource: its dataset, its version, and what was declared of it."""
    child = _dataset_of(what, resource)
    told: dict[str, Any] = {"dataset": child.name}

    def accept(type_: str) -> tuple[AcceptedVersion, DeclaredHash]:
        declared = DeclaredHash(resource.hash or "", size)
        name = resource.path.rpartition("/")[2][-255:]
        new = NewVersion(child, type_, f"api:{what.caller.key_id}", name=name)
        pieces = declared.along(file.read(resource.path, left))
        return accept_version(what.pool, what.gate, new, pieces, what.clock, what.limit), declared

    try:
        done, declared = accept(resource.type)
    except MalformedRows as error:
        # The file is a version all the same, without rows.
        told["rows_error"] = error
        done, declared = accept(WITHOUT_ROWS)
    if resource.hash is not None:
        told["hash"] = asdict(declared.result())
    row = show_version(what.pool, (), child, done.version)
    if resource.size_bytes not in (None, row["size_bytes"]):
        told["bytes"] = {"declared": resource.size_bytes, "found": row["size_bytes"]}
    kept = {name: row[name] for name in ("profile", "count", "size_bytes", "type")}
    return told | kept | {"version": done.version, "is_new": done.is_new}


def _dataset_of(what: Unpacking, resource: Resource) -> DatasetFacts:
    """
    The dataset of a resource, made where there is none yet.

    Raises:
        ScopeMissing, KeyRestricted: the caller may not make datasets.
        NameTaken: another dataset has that id.
    """
    asked = {"dataset": what.dataset.id, "name": resource.name}
    with what.pool.transaction(read_only=True) as tx:
        known = tx.row("find_resource", **asked)
    if known is not None:
        child = get_dataset(what.pool, known[0], what.caller)
        if not child.owned_by(what.caller):
            raise no_dataset(child.name)
    else:
        child = _make_dataset(what, resource)
    with what.pool.transaction() as tx:
        tx.do("set_resource", **asked, child=child.id, key=list(resource.key))
    return child


def _make_dataset(what: Unpacking, resource: Resource) -> DatasetFacts:
    """A new dataset, or the one of that id which the owner has already."""
    what.caller.demand("manage")
    ending = _STRANGE.sub("-", resource.name).strip("-") or "resource"
    name = f"{what.dataset.name}.{ending}"[:MAX_ID_CHARACTERS]
    if what.dataset.is_open:
        with suppress(NotFound):
            known = get_dataset(what.pool, name, what.caller)
            if known.owned_by(what.caller) and known.is_open:
                return known
    return add_dataset(
        what.pool,
        what.caller,
        what.clock(),
        name=name,
        label=resource.title,
        is_open=what.dataset.is_open,
        lane_count=1,
        description={
            **{name: getattr(what.dataset, name) for name in DESCRIBED},
            "keep": format_keep(what.dataset.keep_days),
        },
    )
