# SPDX-License-Identifier: Apache-2.0
"""
Registering: which sources a dataset has, and by which keys their readings are known.

All of what is handed in at once is registered, or nothing of it. A registration is never
undone: a source or a key is revoked, and stays so; its id isn't given again.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from notary.core.errors import MalformedText, NotaryError
from notary.core.words import check_id, check_string
from notary.store.pool import Pool, Transaction
from notary.usecases.datasets import DatasetFacts
from notary.usecases.device_keys import Algorithm, SecretBox, fingerprint
from notary.usecases.lanes import Dataset, Datasets, find_sources
from notary.usecases.reading import Reading
from notary.usecases.rights import NotFound

MAX_KEYS: Final = 16
"""Keys of one source, revoked ones too."""
MAX_TITLE_CHARACTERS: Final = 200
NO_ID: Final = "-"
"""Stands for the id of a key in `bad-signature:-`, where none can be read; no key has it."""


class SourcesRefused(NotaryError):
    """Nothing was registered."""

    code = "sources-refused"


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key to be registered; `material` is the public key, or the HMAC secret itself."""

    id: str
    algorithm: Algorithm
    material: bytes = field(repr=False)
    valid_from: datetime | None = None
    valid_to: datetime | None = None


@dataclass(frozen=True, slots=True)
class NewSource:
    """A source to be registered; `line` is where it stands, for people."""

    label: str
    title: str | None = None
    keys: tuple[NewKey, ...] = ()
    line: int | None = None


@dataclass(frozen=True, slots=True)
class _Item:
    """What `find_sources` wants to know of a source that it adds."""

    reading: Reading
    dataset: Dataset
    lane: int


@dataclass(slots=True)
class _Known:
    """What is there of a source: its keys by id, each with algorithm, material, revoked_at."""

    name: str
    revoked: bool
    keys: dict[str, tuple[str, bytes | None, bool]] = field(default_factory=dict)


def check_key_id(text: object) -> str:
    """A key's id: an id, and not the word for none. Raises MalformedText."""
    if text == NO_ID:
        raise MalformedText(f"The key's id can't be {NO_ID}.", what="key")
    return check_id(text, "key's id")


def register(
    pool: Pool,
    secret: bytes,
    dataset: DatasetFacts,
    sources: Sequence[NewSource],
    now: datetime,
) -> None:
    """
    Register sources and keys. What is there already, exactly so, is no fault.

    `secret` is the instance secret.

    Raises:
        SourcesRefused: with one sentence for each fault; then nothing was registered.
        LaneBusy, StoreUnavailable: try again.
    """
    box = SecretBox(secret)
    place = Datasets(pool).find([dataset.name])[dataset.name]
    labels = {source.label: source for source in sources}
    with pool.transaction() as tx:
        tx.do("raise_source_changes")
        tx.rows("lock_lanes", ids=sorted({place.lane_of(label) for label in labels}))
        known = _find(tx, box, dataset, list(labels))
        faults = _faults(sources, known, now)
        if faults:
            raise _refused(faults)
        items = [
            _Item(Reading(dataset.name, label, b"", "-", "none"), place, place.lane_of(label))
            for label in labels
        ]
        found = find_sources(tx, items)
        ids = {label: found[dataset.id, label].id for label in labels}
        titles: dict[str, str | None] = dict.fromkeys(labels)
        titles.update({one.label: one.title for one in sources if one.title})
        tx.do(
            "add_registrations",
            sources=list(ids.values()),
            titles=[titles[label] for label in ids],
            now=now,
        )
        _add_keys(tx, box, dataset, sources, known, ids, now)


def add_key(
    pool: Pool,
    secret: bytes,
    dataset: DatasetFacts,
    source: str,
    key: NewKey,
    now: datetime,
    *,
    overlap: timedelta | None = None,
) -> dict[str, Any]:
    """
    One more key for a registered source. With `overlap` it takes the place of the others,
    which stay valid for that long.

    Raises:
        NotFound: no source of that name is registered.
        SourcesRefused: the source is revoked, or has another key of that id.
    """
    label, identity = _registered(pool, dataset, source)
    register(pool, secret, dataset, [NewSource(label, keys=(key,))], now)
    if overlap is not None:
        with pool.transaction() as tx:
            tx.do("raise_source_changes")
            tx.do("end_source_keys", source=identity, keep=key.id, until=now + overlap)
    return next(row for row in list_keys(pool, dataset, source) if row["id"] == key.id)


def revoke(pool: Pool, dataset: DatasetFacts, source: str, key: str | None, now: datetime) -> None:
    """
    Revoke a key, or without one the source with all its keys; heeded within seconds.

    Raises:
        NotFound: there is none of that name that is valid.
    """
    _, identity = _registered(pool, dataset, source)
    with pool.transaction() as tx:
        tx.do("raise_source_changes")
        if key is not None:
            if not tx.do("revoke_source_key", source=identity, id=key, now=now):
                raise NotFound(f"{source} has no valid key {key}.")
            return
        if not tx.do("revoke_source", source=identity, now=now):
            raise NotFound(f"{source} is revoked already.")
        tx.do("revoke_keys_of_source", source=identity, now=now)


def list_registered(
    pool: Pool, dataset: DatasetFacts, after: str = "", limit: int = 1000
) -> list[dict[str, Any]]:
    """Registered sources by label, beginning after `after`, each with its `keys`."""
    with pool.transaction(read_only=True) as tx:
        rows = tx.maps("list_registered", dataset=dataset.id, after=after, limit=limit)
        keys = _shown_keys(tx, [row["id"] for row in rows])
    return [{**row, "keys": keys.get(row["id"], [])} for row in rows]


def get_registered(pool: Pool, dataset: DatasetFacts, source: str) -> dict[str, Any]:
    """One of them by its label or its name. Raises NotFound."""
    _, identity = _registered(pool, dataset, source)
    with pool.transaction(read_only=True) as tx:
        row = tx.maps("get_registered", source=identity)[0]
        return {**row, "keys": _shown_keys(tx, [identity]).get(identity, [])}


def list_keys(pool: Pool, dataset: DatasetFacts, source: str) -> list[dict[str, Any]]:
    """
    The keys of a source by its name or label; of a secret nothing is told but that it is there.

    Raises:
        NotFound: no source of that name is registered.
    """
    _, identity = _registered(pool, dataset, source)
    with pool.transaction(read_only=True) as tx:
        return _shown_keys(tx, [identity]).get(identity, [])


def _registered(pool: Pool, dataset: DatasetFacts, source: str) -> tuple[str, int]:
    """Label and database id of a registered source, by its label or its name."""
    with pool.transaction(read_only=True) as tx:
        row = tx.row("find_registered_source", dataset=dataset.id, source=source)
    if row is None:
        raise NotFound(f"No source {source} is registered in {dataset.name} here.")
    return row[0], row[1]


def _shown_keys(tx: Transaction, sources: list[int]) -> dict[int, list[dict[str, Any]]]:
    found: dict[int, list[dict[str, Any]]] = {}
    for row in tx.maps("list_source_keys", sources=sources):
        source, material = row.pop("source"), bytes(row.pop("material"))
        is_public = row["algorithm"] != "hmac-sha256"
        row["public_key"] = material if is_public else None
        row["fingerprint"] = fingerprint(row["algorithm"], material)
        found.setdefault(source, []).append(row)
    return found


def _find(
    tx: Transaction, box: SecretBox, dataset: DatasetFacts, labels: list[str]
) -> dict[str, _Known]:
    """What there is of sources, by label."""
    by_id, found = {}, {}
    for row in tx.maps("find_registered", dataset=dataset.id, labels=labels):
        by_id[row["id"]] = row["label"]
        found[row["label"]] = _Known(row["name"], row["revoked_at"] is not None)
    for row in tx.maps("find_registered_keys", sources=list(by_id)):
        label, material = by_id[row["source"]], bytes(row["material"])
        opened: bytes | None = material
        if row["algorithm"] == "hmac-sha256":
            opened = box.open(material, dataset.name, label, row["id"])
        is_revoked = row["revoked_at"] is not None
        found[label].keys[row["id"]] = (row["algorithm"], opened, is_revoked)
    return found


def _faults(
    sources: Sequence[NewSource], known: dict[str, _Known], now: datetime
) -> list[tuple[str, str, dict[str, object]]]:
    """(reason, sentence, facts) of each."""
    faults: list[tuple[str, str, dict[str, object]]] = []
    keys: dict[str, dict[str, tuple[str, bytes | None]]] = {}

    def fault(source: NewSource, reason: str, sentence: str, **facts: object) -> None:
        where = "" if source.line is None else f"Line {source.line}: "
        faults.append((reason, where + sentence, {"source": source.label, **facts}))

    for source in sources:
        try:
            check_id(source.label, "source")
            if source.title is not None:
                check_string(source.title, "title", MAX_TITLE_CHARACTERS)
            for key in source.keys:
                check_key_id(key.id)
        except MalformedText as error:
            fault(source, "malformed", error.detail)
            continue
        there = known.get(source.label)
        if there is not None and there.revoked:
            fault(source, "source-revoked", f"The source {source.label} is revoked.")
            continue
        given = keys.setdefault(source.label, {})
        if there is not None and not given:
            given.update({name: key[:2] for name, key in there.keys.items()})
        for key in source.keys:
            same = given.setdefault(key.id, (key.algorithm, key.material))
            revoked = there is not None and key.id in there.keys and there.keys[key.id][2]
            if same != (key.algorithm, key.material) or revoked:
                fault(
                    source,
                    "key-taken",
                    f"The source {source.label} has another key {key.id}, or a revoked one: "
                    "give the new key another id.",
                    key=key.id,
                )
            begins = key.valid_from or now
            if key.valid_to is not None and key.valid_to <= begins:
                fault(
                    source,
                    "never-valid",
                    f"The key {key.id} of {source.label} would end before it begins to be valid.",
                    key=key.id,
                )
        if len(given) > MAX_KEYS:
            fault(
                source,
                "too-many-keys",
                f"The source {source.label} would have more than {MAX_KEYS} keys.",
                most=MAX_KEYS,
            )
    return faults


def _refused(faults: Sequence[tuple[str, str, dict[str, object]]]) -> SourcesRefused:
    sentences = [sentence for _, sentence, _ in faults]
    facts = {} if len(faults) > 1 else {**faults[0][2], "reason": faults[0][0]}
    return SourcesRefused("\n".join(sentences), faults=sentences, **facts)


def _add_keys(
    tx: Transaction,
    box: SecretBox,
    dataset: DatasetFacts,
    sources: Iterable[NewSource],
    known: dict[str, _Known],
    ids: dict[str, int],
    now: datetime,
) -> None:
    """Those that aren't there; twice the same in one list is one."""
    new = {
        (source.label, key.id): key
        for source in sources
        for key in source.keys
        if source.label not in known or key.id not in known[source.label].keys
    }
    if not new:
        return
    tx.do(
        "add_source_keys",
        sources=[ids[label] for label, _ in new],
        ids=[key.id for key in new.values()],
        algorithms=[key.algorithm for key in new.values()],
        materials=[
            box.seal(key.material, dataset.name, label, key.id)
            if key.algorithm == "hmac-sha256"
            else key.material
            for (label, _), key in new.items()
        ],
        froms=[key.valid_from or now for key in new.values()],
        tos=[key.valid_to for key in new.values()],
        now=now,
    )
