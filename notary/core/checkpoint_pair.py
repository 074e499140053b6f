# SPDX-License-Identifier: Apache-2.0
"""
Two signed checkpoints of one log and a path between them: how `consistency/1` and `fork/1` are
written.

    {"<first>":"<note>","<second>":"<note>","path":["<hash>", …],"v":"<version>"}
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from notary.core import canonical
from notary.core.errors import MalformedText, NotaryError
from notary.core.proof import MAX_PATH
from notary.core.receipt_signers import Signed
from notary.core.trust import Trust, parse_trust
from notary.core.words import check_hash, parse_hash

MAX_PAIR_BYTES: Final = 4 << 20


@dataclass(frozen=True, slots=True)
class Kind:
    """A format of this shape: its version, and the names of its two notes."""

    version: str
    first: str
    second: str


Pair = tuple[str, str, tuple[bytes, ...]]
"""Two notes as text, and hashes of 32 bytes."""


def read_pair(text: str, kind: Kind) -> Pair:
    """
    Read the members of a file of that kind, perhaps with one final newline behind it.

    Raises:
        MalformedText: not canonical, a member missing, unknown or out of range.
    """
    members = canonical.loads(text.removesuffix("\n"), max_bytes=MAX_PAIR_BYTES)
    if not isinstance(members, dict) or members.keys() != {kind.first, kind.second, "path", "v"}:
        raise MalformedText("A member is missing or unknown.")
    if members["v"] != kind.version:
        raise MalformedText(f"The version must be {kind.version}.")
    first, second, path = members[kind.first], members[kind.second], members["path"]
    if not isinstance(first, str) or not isinstance(second, str):
        raise MalformedText("A checkpoint must be text.")
    if not isinstance(path, list) or len(path) > MAX_PATH:
        raise MalformedText(f"A path is a list of at most {MAX_PATH} hashes.")
    return first, second, tuple(parse_hash(item) for item in path)


def write_pair(kind: Kind, first: str, second: str, path: Sequence[bytes]) -> str:
    """
    Write such a file as its canonical text, without final newline.

    Raises:
        MalformedText: `read_pair` would not give it back.
    """
    hashes = [check_hash(item).hex() for item in path]
    text = canonical.dumps(
        {kind.first: first, kind.second: second, "path": hashes, "v": kind.version}
    )
    read_pair(text, kind)
    return text


def check_one_log(one: Signed, two: Signed, refused: type[NotaryError]) -> None:
    """
    Demand that two checkpoints are one log's.

    Raises:
        `refused`: with `reason` other-origin.
    """
    if one.checkpoint.origin != two.checkpoint.origin:
        raise refused("The checkpoints are two logs'.", reason="other-origin")


def as_trust(trust: Trust | str) -> Trust:
    """A trust file that may also come as text. Raises MalformedTrust."""
    return trust if isinstance(trust, Trust) else parse_trust(trust)
