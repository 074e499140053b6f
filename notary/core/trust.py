# SPDX-License-Identifier: Apache-2.0
"""
What a verifier trusts, got by another way than the receipt. Format `trust/1`.

    {"delay_seconds":3600,"ledgers":[{"id":"file","key":"<vkey>","kind":"file"}],
     "logs":[{"from":0,"key":"<vkey>","to":null}],"name":"City of …","quorum":0,
     "v":"trust/1","witnesses":["<vkey of a cosigner>", …]}

A log key signs checkpoints whose size lies in `from`..`to` (null: still in use). One that
was compromised has `good`: the last size and root that are the log's beyond doubt. `keys`,
where it is there, lists keys of other uses. Keys inside a receipt are never trusted.
See docs/spec/trust-v1.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from notary.core import canonical
from notary.core.errors import MalformedNote, MalformedText, MalformedTrust
from notary.core.hashing import RootHash
from notary.core.note import KIND_COSIGNATURE, KIND_ED25519, Verifier, parse_vkey
from notary.core.words import check_count, check_id, check_string, parse_hash

VERSION: Final = "trust/1"
MAX_TRUST_BYTES: Final = 1 << 20
MAX_ITEMS: Final = 1000

_REQUIRED = frozenset({"delay_seconds", "ledgers", "logs", "name", "quorum", "v", "witnesses"})
_OPTIONAL = frozenset({"keys"})


@dataclass(frozen=True, slots=True)
class Good:
    """The last state of a log before its key was compromised: size and 32-byte root."""

    size: int
    root: RootHash


@dataclass(frozen=True, slots=True)
class LogKey:
    """A key of the log and the sizes that it served, both ends included."""

    verifier: Verifier
    first_size: int
    last_size: int | None
    good: Good | None = None

    def served(self, size: int) -> bool:
        """Whether a checkpoint of this size may be signed with the key."""
        return self.first_size <= size and (self.last_size is None or size <= self.last_size)

    @property
    def origin(self) -> str:
        """The log's name, which is its keys'."""
        return self.verifier.name

    @property
    def members(self) -> dict[str, object]:
        """The key as an item of `logs`; `parse_log_key` reads it."""
        found: dict[str, object] = {
            "key": self.verifier.vkey,
            "from": self.first_size,
            "to": self.last_size,
        }
        if self.good is None:
            return found
        return {**found, "good": {"size": self.good.size, "root": self.good.root.hex()}}


@dataclass(frozen=True, slots=True)
class LedgerTrust:
    """One ledger: its id, its kind, and what its kind needs (for `file` a `key`)."""

    id: str
    kind: str
    members: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class OtherKey:
    """A key of another use than a receipt's; its form belongs to the use."""

    use: str
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
    keys: tuple[OtherKey, ...] = ()

    def ledger(self, id_: str) -> LedgerTrust | None:
        """The ledger of that id, or None."""
        return next((ledger for ledger in self.ledgers if ledger.id == id_), None)


def parse_trust(text: str) -> Trust:
    """
    Read a trust file: canonical JSON, perhaps with one final newline.

    Raises:
        MalformedTrust: not canonical, a member missing, unknown or out of range.

    docs/spec/trust-v1.md, rules 1 to 8.
    """
    try:
        # trust-v1.md, step 1.
        members = canonical.loads(text.removesuffix("\n"), max_bytes=MAX_TRUST_BYTES)
        return _read(members)
    except (MalformedText, MalformedNote) as error:
        raise error.renamed(MalformedTrust) from None


def format_trust(members: Mapping[str, object]) -> str:
    """Write the members of a trust file as its text. Raises MalformedTrust as `parse_trust`."""
    try:
        text = canonical.dumps(dict(members)) + "\n"
    except MalformedText as error:
        raise error.renamed(MalformedTrust) from None
    parse_trust(text)
    return text


def _read(members: object) -> Trust:
    if not isinstance(members, dict) or not _REQUIRED <= members.keys() <= _REQUIRED | _OPTIONAL:
        raise MalformedText("A member is missing or unknown.")
    if members["v"] != VERSION:
        raise MalformedText(f"The version must be {VERSION}.")
    # trust-v1.md, step 2.
    trust = Trust(
        name=check_string(members["name"], "name", 200),
        logs=tuple(parse_log_key(item) for item in _list(members["logs"])),
        witnesses=tuple(_key(text, KIND_COSIGNATURE) for text in _list(members["witnesses"])),
        quorum=check_count(members["quorum"], "quorum"),
        ledgers=tuple(_ledger(item) for item in _list(members["ledgers"])),
        delay_seconds=check_count(members["delay_seconds"], "delay"),
        keys=tuple(_other_key(item) for item in _list(members.get("keys", []))),
    )
    _check_parties(trust)
    return trust


def _check_parties(trust: Trust) -> None:
    """Nobody stands twice, and nobody confirms themselves."""
    # trust-v1.md, step 3.
    log_keys = [log.verifier.public_key for log in trust.logs]
    witness_keys = [witness.public_key for witness in trust.witnesses]
    ledger_ids = [ledger.id for ledger in trust.ledgers]
    if not log_keys:
        raise MalformedText("There is no log key.")
    for items, what in ((log_keys, "log key"), (witness_keys, "witness"), (ledger_ids, "ledger")):
        if len(set(items)) != len(items):
            raise MalformedText(f"A {what} stands twice.")
    confirming = [*witness_keys, *(_file_key(ledger) for ledger in trust.ledgers)]
    if set(log_keys) & set(confirming):
        raise MalformedText("A log key is also the key of a witness or a ledger.")
    if trust.quorum > len({witness.name for witness in trust.witnesses}):
        raise MalformedText("The quorum is larger than the number of witnesses.")


def _list(value: object) -> list[object]:
    if not isinstance(value, list) or len(value) > MAX_ITEMS:
        raise MalformedText(f"A list of at most {MAX_ITEMS} items is expected.")
    return value


def _key(text: object, kind: int) -> Verifier:
    if not isinstance(text, str):
        raise MalformedText("A key must be text.")
    verifier = parse_vkey(text)
    if verifier.kind != kind:
        raise MalformedText("A key is of the wrong kind for its place.")
    return verifier


def parse_log_key(item: object) -> LogKey:
    """
    Read an item of `logs`.

    Raises:
        MalformedText, MalformedNote: a member is missing, unknown or out of range.
    """
    names = {"key", "from", "to"}
    if not isinstance(item, dict) or item.keys() not in (names, names | {"good"}):
        raise MalformedText("A log has the members key, from, to and perhaps good.")
    first = check_count(item["from"], "first size")
    last = None if item["to"] is None else check_count(item["to"], "last size", first)
    good = _good(item["good"]) if "good" in item else None
    if good is not None and good.size != last:
        raise MalformedText("The last good size must also be the last that the key served.")
    return LogKey(_key(item["key"], KIND_ED25519), first, last, good)


def _good(value: object) -> Good:
    if not isinstance(value, dict) or value.keys() != {"root", "size"}:
        raise MalformedText("good has the members size and root.")
    return Good(check_count(value["size"], "size", 1), RootHash(parse_hash(value["root"], "root")))


def _ledger(item: object) -> LedgerTrust:
    if not isinstance(item, dict) or not item.keys() >= {"id", "kind"}:
        raise MalformedText("A ledger has at least the members id and kind.")
    kind = check_id(item["kind"], "kind")
    if kind == "file":
        if item.keys() != {"id", "kind", "key"}:
            raise MalformedText("A file ledger has the members id, kind and key.")
        _key(item["key"], KIND_ED25519)
    return LedgerTrust(check_id(item["id"], "ledger"), kind, item)


def _file_key(ledger: LedgerTrust) -> bytes:
    """The public key of a file ledger; empty for another kind."""
    return parse_vkey(str(ledger.members["key"])).public_key if ledger.kind == "file" else b""


def _other_key(item: object) -> OtherKey:
    if not isinstance(item, dict) or "use" not in item:
        raise MalformedText("A key of another use has at least the member use.")
    return OtherKey(check_id(item["use"], "use"), item)
