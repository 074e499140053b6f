# SPDX-License-Identifier: Apache-2.0
"""
A signed acceptance: the notary's promise to put a record into its log by a stated time.
Format `acceptance/1`, canonical JSON. See docs/spec/acceptance-v1.md.

    {"index":2,"note":"<signed note>","path":["…"],"statement":"…","v":"acceptance/1"}

and perhaps `salt`, in a dataset that isn't open. The note's text is

    city-notary/acceptance/1
    <origin of the log>
    <number of leaves>
    <root over the leaves in hex>
    <time by which they will be sealed, UTC>

signed by the acceptance key, which the trust file lists and which isn't the log's. The leaves
are those of records that were accepted in one commit (RFC 9162 section 2.1).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from notary.core import canonical
from notary.core.errors import MalformedAcceptance, MalformedNote, MalformedText
from notary.core.note import parse_note
from notary.core.proof import MAX_PATH
from notary.core.tree import Tree
from notary.core.vkey import check_name
from notary.core.words import check_count, check_hash, format_time, parse_hash, parse_time

VERSION: Final = "acceptance/1"
HEADING: Final = "city-notary/acceptance/1"
MAX_ACCEPTANCE_BYTES: Final = 1 << 20
MAX_RECORDS: Final = 1 << 24

_REQUIRED = frozenset({"index", "note", "path", "statement", "v"})
_SIZE = re.compile(r"[1-9][0-9]{0,7}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Promise:
    """
    What is signed: `size` leaves (1 to 2^24) under `root` (32 bytes) will be sealed in the log
    of that origin by `sealed_by` (aware UTC).
    """

    origin: str
    size: int
    root: bytes
    sealed_by: datetime


@dataclass(frozen=True, slots=True)
class SignedAcceptance:
    """An acceptance, parsed and not yet verified; texts are kept as they are hashed."""

    statement: str
    index: int
    path: tuple[bytes, ...]
    note: str
    salt: bytes | None = None


def format_promise(promise: Promise) -> str:
    """
    Write a promise as the text of a note, final newline included.

    Raises:
        MalformedAcceptance: a member isn't what the format demands.
    """
    try:
        check_name(promise.origin)
        check_count(promise.size, "size", 1)
        root = check_hash(promise.root, "root").hex()
        text = f"{HEADING}\n{promise.origin}\n{promise.size}\n{root}\n"
        text += f"{format_time(promise.sealed_by)}\n"
    except (MalformedNote, MalformedText) as error:
        raise error.renamed(MalformedAcceptance) from None
    parse_promise(text)
    return text


def parse_promise(text: str) -> Promise:
    """
    Read the text of a promise's note.

    Raises:
        MalformedAcceptance: not exactly the five lines.

    docs/spec/acceptance-v1.md, rule 5.
    """
    lines = text.split("\n")
    if len(lines) != 6 or lines[0] != HEADING or lines[5] != "":
        raise MalformedAcceptance("The note is not the promise of an acceptance.")
    if not _SIZE.fullmatch(lines[2]) or int(lines[2]) > MAX_RECORDS:
        raise MalformedAcceptance("The number of leaves is not a decimal from 1 to 2^24.")
    try:
        check_name(lines[1])
        return Promise(
            origin=lines[1],
            size=int(lines[2]),
            root=parse_hash(lines[3], "root"),
            sealed_by=parse_time(lines[4], "time of sealing"),
        )
    except (MalformedNote, MalformedText) as error:
        raise error.renamed(MalformedAcceptance) from None


def parse_acceptance(text: str) -> SignedAcceptance:
    """
    Read an acceptance: canonical JSON, perhaps with one final newline.

    Raises:
        MalformedAcceptance: not canonical, a member missing, unknown or out of range, or a
            text in it not of its format.

    docs/spec/acceptance-v1.md, rules 1 to 6.
    """
    try:
        members = canonical.loads(text.removesuffix("\n"), max_bytes=MAX_ACCEPTANCE_BYTES)
        acceptance = _read(members)
        parse_promise(parse_note(acceptance.note).text)
    except (MalformedNote, MalformedText) as error:
        raise error.renamed(MalformedAcceptance) from None
    return acceptance


def format_acceptance(acceptance: SignedAcceptance) -> str:
    """
    Write an acceptance as its canonical text, without final newline.

    Raises:
        MalformedAcceptance: `parse_acceptance` would not give it back.
    """
    members: dict[str, object] = {
        "v": VERSION,
        "statement": acceptance.statement,
        "index": acceptance.index,
        "path": [hash_.hex() for hash_ in acceptance.path],
        "note": acceptance.note,
    }
    if acceptance.salt is not None:
        members["salt"] = acceptance.salt.hex()
    try:
        text = canonical.dumps(members)
    except MalformedText as error:
        raise error.renamed(MalformedAcceptance) from None
    if parse_acceptance(text) != acceptance:
        raise MalformedAcceptance("The acceptance doesn't survive being written.")
    return text


def make_promise(origin: str, leaves: Sequence[bytes], sealed_by: datetime) -> tuple[str, Tree]:
    """
    The text to be signed for the leaves of one commit, and the tree that gives their paths.

    Raises:
        MalformedProof: a leaf is not 32 bytes.
        MalformedAcceptance: there is no leaf, or too many.
    """
    tree = Tree(leaves)
    return format_promise(Promise(origin, tree.size, tree.root, sealed_by)), tree


def _read(members: object) -> SignedAcceptance:
    if not isinstance(members, dict) or members.get("v") != VERSION:
        raise MalformedText(f"The version must be {VERSION}.")
    if not _REQUIRED <= members.keys() <= _REQUIRED | {"salt"}:
        raise MalformedText("A member is missing or unknown.")
    statement, note, path = members["statement"], members["note"], members["path"]
    if not isinstance(statement, str) or not isinstance(note, str):
        raise MalformedText("Statement and note must be texts.")
    if not isinstance(path, list) or len(path) > MAX_PATH:
        raise MalformedText(f"A path is a list of at most {MAX_PATH} hashes.")
    return SignedAcceptance(
        statement=statement,
        index=check_count(members["index"], "index"),
        path=tuple(parse_hash(item) for item in path),
        note=note,
        salt=parse_hash(members["salt"], "salt") if "salt" in members else None,
    )
