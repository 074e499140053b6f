# SPDX-License-Identifier: Apache-2.0
"""
What a verifier trusts, got by another way than the receipt. Format `trust/1`.

    {"delay_seconds":3600,"ledgers":[{"id":"file","key":"<vkey>","kind":"file"}],
     "logs":[{"from":0,"key":"<vkey>","to":null}],"name":"City of …","quorum":0,
     "v":"trust/1","witnesses":["<vkey of a cosigner>", …]}

A log key signs checkpoints whose size lies in `from`..`to` (null: still in use). Keys
inside a receipt are never trusted. See docs/spec/trust-v1.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from notary.core import canonical
from notary.core.errors import MalformedNote, MalformedText, MalformedTrust
from notary.core.note import KIND_COSIGNATURE, KIND_ED25519, Verifier, parse_vkey
from notary.core.words import check_count, check_id, check_string

VERSION: Final = "trust/1"
MAX_TRUST_BYTES: Final = 1 << 20

_MEMBERS = frozenset({"delay_seconds", "ledgers", "logs", "name", "quorum", "v", "witnesses"})


@dataclass(frozen=True, slots=True)
class LogKey:
    """A key of the log and the sizes that it served, both ends included."""

    verifier: Verifier
    first_size: int
    last_size: int | None

    def served(self, size: int) -> bool:
        """Whether a checkpoint of this size may be signed with the key."""
        return self.first_size <= size and (self.last_size is None or size <= self.last_size)


@dataclass(frozen=True, slots=True)
class LedgerTrust:
    """One ledger: its id, its kind, and what its kind needs (for `file` a `key`)."""

    id: str
    kind: str
    members: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Trust:
    """A trust file. `quorum` of the `witnesses` must have cosigned a checkpoint."""

    name: str
    logs: tuple[LogKey, ...]
    witnesses: tuple[Verifier, ...]
    quorum: int
    ledgers: tuple[LedgerTrust, ...]
    delay_seconds: int

    def ledger(self, id_: str) -> LedgerTrust | None:
        """The ledger of that id, or None."""
        return next((ledger for ledger in self.ledgers if ledger.id == id_), None)


def parse_trust(text: str) -> Trust:
    """
    Read a trust file: canonical JSON, perhaps with one final newline.

    Raises:
        MalformedTrust: not canonical, a member missing, unknown or out of range.
    """
    try:
        members = canonical.loads(text.removesuffix("\n"), max_bytes=MAX_TRUST_BYTES)
        return _read(members)
    except (MalformedText, MalformedNote) as error:
        raise MalformedTrust(error.detail) from None


def format_trust(members: Mapping[str, object]) -> str:
    """Write the members of a trust file as its text. Raises MalformedTrust as `parse_trust`."""
    text = canonical.dumps(dict(members)) + "\n"
    parse_trust(text)
    return text


def _read(members: object) -> Trust:
    if not isinstance(members, dict) or members.keys() != _MEMBERS:
        raise MalformedText("A member is missing or unknown.")
    if members["v"] != VERSION:
        raise MalformedText(f"The version must be {VERSION}.")
    witnesses = tuple(_key(text, KIND_COSIGNATURE) for text in _list(members["witnesses"]))
    if len({witness.public_key for witness in witnesses}) != len(witnesses):
        raise MalformedText("A witness stands twice.")
    quorum = check_count(members["quorum"], "quorum")
    if quorum > len(witnesses):
        raise MalformedText("The quorum is larger than the number of witnesses.")
    logs = tuple(_log(item) for item in _list(members["logs"]))
    if not logs:
        raise MalformedText("There is no log key.")
    ledgers = tuple(_ledger(item) for item in _list(members["ledgers"]))
    if len({ledger.id for ledger in ledgers}) != len(ledgers):
        raise MalformedText("A ledger stands twice.")
    return Trust(
        name=check_string(members["name"], "name", 200),
        logs=logs,
        witnesses=witnesses,
        quorum=quorum,
        ledgers=ledgers,
        delay_seconds=check_count(members["delay_seconds"], "delay"),
    )


def _list(value: object) -> list[object]:
    if not isinstance(value, list) or len(value) > 1000:
        raise MalformedText("A list is expected.")
    return value


def _key(text: object, kind: int) -> Verifier:
    if not isinstance(text, str):
        raise MalformedText("A key must be text.")
    verifier = parse_vkey(text)
    if verifier.kind != kind:
        raise MalformedText("A key is of the wrong kind for its place.")
    return verifier


def _log(item: object) -> LogKey:
    if not isinstance(item, dict) or item.keys() != {"key", "from", "to"}:
        raise MalformedText("A log has the members key, from and to.")
    first = check_count(item["from"], "first size")
    last = None if item["to"] is None else check_count(item["to"], "last size", first)
    return LogKey(_key(item["key"], KIND_ED25519), first, last)


def _ledger(item: object) -> LedgerTrust:
    if not isinstance(item, dict) or not item.keys() >= {"id", "kind"}:
        raise MalformedText("A ledger has at least the members id and kind.")
    kind = check_id(item["kind"], "kind")
    if kind == "file":
        if item.keys() != {"id", "kind", "key"}:
            raise MalformedText("A file ledger has the members id, kind and key.")
        _key(item["key"], KIND_ED25519)
    return LedgerTrust(check_id(item["id"], "ledger"), kind, item)
