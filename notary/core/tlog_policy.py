# SPDX-License-Identifier: Apache-2.0
"""
Policies about witnesses (C2SP tlog-policy): whose cosignatures a checkpoint needs.

    log <vkey> [<url>]
    witness <name> <vkey> [<url>]
    group <name> <k|any|all> <member>...
    quorum <name|none>

Lines in any order, but what is named was defined before; each name is a member once at most;
one quorum. Blanks and tabs divide, `#` begins a comment. Names are octets without a meaning.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from notary.core.errors import MalformedNote, MalformedPolicy
from notary.core.hashing import digest
from notary.core.vkey import KIND_COSIGNATURE, KIND_ED25519, Verifier, parse_vkey

MAX_POLICY_BYTES: Final = 1 << 18
MAX_DEFINED: Final = 64
"""So many logs, witnesses and groups each; a note has room for all their signatures."""

_NONE: Final = "none"
_FORBIDDEN: Final = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]")
_THRESHOLD: Final = re.compile(r"[1-9][0-9]{0,3}")


@dataclass(frozen=True, slots=True)
class PolicyLog:
    """A log whose checkpoints are accepted, and perhaps where it is."""

    verifier: Verifier
    url: str | None


@dataclass(frozen=True, slots=True)
class PolicyWitness:
    """A witness by its name in the policy, its key, and perhaps where it takes checkpoints."""

    name: str
    verifier: Verifier
    url: str | None


@dataclass(frozen=True, slots=True)
class PolicyGroup:
    """A group: it has witnessed what at least `threshold` of its `members` have."""

    name: str
    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TlogPolicy:
    """
    A policy. `groups` in the order of their lines, so that each is behind its members;
    `quorum` names a witness or a group, None where no cosignature is asked for.
    `fingerprint` is SHA-256 of the file.
    """

    logs: tuple[PolicyLog, ...]
    witnesses: tuple[PolicyWitness, ...]
    groups: tuple[PolicyGroup, ...]
    quorum: str | None
    fingerprint: bytes

    def is_met(self, cosigners: Iterable[Verifier]) -> bool:
        """
        Whether a checkpoint with valid cosignatures of these keys has its quorum.

        The caller has checked the cosignatures; keys that the policy doesn't know don't count.
        """
        if self.quorum is None:
            return True
        have = set(cosigners)
        witnessed = {one.name: one.verifier in have for one in self.witnesses}
        for group in self.groups:
            count = sum(witnessed[member] for member in group.members)
            witnessed[group.name] = count >= group.threshold
        return witnessed[self.quorum]

    def as_quorum(self) -> tuple[tuple[Verifier, ...], int] | None:
        """
        The same rule as a trust file says it: witnesses, counted by the names of their keys,
        and how many of them; None where it can't say it (groups in groups, one name twice).
        """
        by_name = {one.name: one.verifier for one in self.witnesses}
        if self.quorum is None:
            return tuple(by_name.values()), 0
        group = next((one for one in self.groups if one.name == self.quorum), None)
        members = (self.quorum,) if group is None else group.members
        if not by_name.keys() >= set(members):
            return None
        chosen = tuple(by_name[name] for name in members)
        if len({verifier.name for verifier in chosen}) < len(chosen):
            return None
        return chosen, 1 if group is None else group.threshold


def parse_policy(data: bytes) -> TlogPolicy:
    """
    Read a policy file.

    Raises:
        MalformedPolicy: it isn't one, or has more than is read here; the sentence names the line.
    """
    if type(data) is not bytes or len(data) > MAX_POLICY_BYTES:
        raise MalformedPolicy(f"A policy has at most {MAX_POLICY_BYTES} bytes.")
    reader = _Reader()
    for number, items in _lines(data):
        try:
            reader.take(items)
        except (MalformedPolicy, MalformedNote) as error:
            raise MalformedPolicy(f"Line {number} of the policy: {error.detail}") from None
    if reader.quorum is None:
        raise MalformedPolicy("The policy has no quorum line: write `quorum none` if none is due.")
    return TlogPolicy(
        logs=tuple(reader.logs),
        witnesses=tuple(reader.witnesses),
        groups=tuple(reader.groups),
        quorum=None if reader.quorum == _NONE else reader.quorum,
        fingerprint=digest(data),
    )


def _lines(data: bytes) -> Iterator[tuple[int, list[str]]]:
    """The lines that say something, numbered from 1, each in its items."""
    *lines, rest = data.split(b"\n")
    if rest:
        raise MalformedPolicy("The last line of the policy doesn't end in a newline.")
    for number, line in enumerate(lines, start=1):
        if _FORBIDDEN.search(line):
            raise MalformedPolicy(
                f"Line {number} of the policy has a control character (a carriage return, say)."
            )
        # Octets stay what they are: other octets are another name, whatever they look like.
        text = line.decode("utf-8", "surrogateescape")
        items = [item for item in re.split("[ \t]+", text) if item]
        if items and not items[0].startswith("#"):
            yield number, items


@dataclass(slots=True)
class _Reader:
    """What the lines so far have defined."""

    logs: list[PolicyLog] = field(default_factory=list)
    witnesses: list[PolicyWitness] = field(default_factory=list)
    groups: list[PolicyGroup] = field(default_factory=list)
    quorum: str | None = None
    defined: set[str] = field(default_factory=set)
    members: set[str] = field(default_factory=set)

    def take(self, items: list[str]) -> None:
        """One line."""
        match items:
            case ["log", vkey, *url] if len(url) < 2:
                verifier = self._key(vkey, KIND_ED25519, [one.verifier for one in self.logs])
                self.logs.append(PolicyLog(verifier, url[0] if url else None))
            case ["witness", name, vkey, *url] if len(url) < 2:
                known = [one.verifier for one in self.witnesses]
                verifier = self._key(vkey, KIND_COSIGNATURE, known)
                self._define(name)
                self.witnesses.append(PolicyWitness(name, verifier, url[0] if url else None))
            case ["group", name, threshold, *members] if members:
                for member in members:
                    self._use(member)
                # Defined behind its members: no group is its own.
                self._define(name)
                count = _threshold(threshold, len(members))
                self.groups.append(PolicyGroup(name, count, tuple(members)))
            case ["quorum", name]:
                if self.quorum is not None:
                    raise MalformedPolicy("there is a second quorum.")
                if name != _NONE and name not in self.defined:
                    raise MalformedPolicy("the quorum names what no line before it defines.")
                self.quorum = name
            case _:
                raise MalformedPolicy(
                    "it is none of `log VKEY [URL]`, `witness NAME VKEY [URL]`, "
                    "`group NAME K|any|all MEMBER...` and `quorum NAME|none`."
                )
        if max(len(self.logs), len(self.witnesses), len(self.groups)) > MAX_DEFINED:
            raise MalformedPolicy(f"more than {MAX_DEFINED} of a kind are not read here.")

    def _key(self, vkey: str, kind: int, known: Iterable[Verifier]) -> Verifier:
        verifier = parse_vkey(vkey)
        if verifier.kind != kind:
            raise MalformedPolicy("the key is of the wrong kind for its place.")
        if verifier.public_key in {one.public_key for one in known}:
            raise MalformedPolicy("the same public key stands in a line before.")
        return verifier

    def _define(self, name: str) -> None:
        if name == _NONE or name in self.defined:
            raise MalformedPolicy("the name is taken.")
        self.defined.add(name)

    def _use(self, member: str) -> None:
        if member not in self.defined:
            raise MalformedPolicy("a member is defined by no line before it.")
        if member in self.members:
            raise MalformedPolicy("a member is the member of a group already.")
        self.members.add(member)


def _threshold(text: str, count: int) -> int:
    if text in ("any", "all"):
        return 1 if text == "any" else count
    if not _THRESHOLD.fullmatch(text) or int(text) > count:
        raise MalformedPolicy(
            "the threshold is `any`, `all` or a number from 1 to that of members."
        )
    return int(text)
