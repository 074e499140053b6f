# SPDX-License-Identifier: Apache-2.0
"""
What was recorded: the canonical text whose hash is a leaf. Format `statement/1`.

    {"by":"acl","chain":0,"dataset":"weather","digest":"ba78…15ad","n":7,
     "observed":"2013-01-01T06:00:00Z","prev":"9f86…0a08",
     "received":"2026-11-24T23:32:34.123456Z","source":"JFK",
     "type":"application/json","v":"statement/1"}

(one line, no blanks: RFC 8785). See docs/spec/statement-v1.md.
"""

from dataclasses import dataclass
from datetime import datetime
from json.encoder import encode_basestring
from typing import Final

from notary.core import canonical
from notary.core.errors import MalformedStatement, MalformedText
from notary.core.hashing import LeafHash, leaf_hash
from notary.core.words import (
    check_by,
    check_count,
    check_hash,
    check_id,
    check_key,
    check_observed,
    check_type,
    format_time,
    parse_hash,
    parse_time,
)

VERSION: Final = "statement/1"
MAX_STATEMENT_BYTES: Final = 4096

_REQUIRED = frozenset({"by", "chain", "dataset", "n", "prev", "received", "source", "type", "v"})
_OPTIONAL = frozenset({"commitment", "digest", "key", "message", "observed"})


@dataclass(frozen=True, slots=True)
class Statement:
    """
    One record's statement. Hashes have 32 bytes; `received` is an aware UTC datetime.

    Exactly one of `digest` (an open dataset) and `commitment` (any other) is there.
    """

    dataset: str
    source: str
    chain: int
    n: int
    prev: bytes
    received: datetime
    by: str
    type: str
    digest: bytes | None = None
    commitment: bytes | None = None
    observed: str | None = None
    key: str | None = None
    message: bytes | None = None


def format_statement(statement: Statement) -> str:
    """
    Write a statement as its canonical text.

    Raises:
        MalformedStatement: a member isn't what the format demands.
    """
    try:
        _check(statement)
    except MalformedText as error:
        raise error.renamed(MalformedStatement) from None
    return write_statement(statement)


def parse_statement(text: str) -> Statement:
    """
    Read a statement and demand that it serialises to the same text.

    Raises:
        MalformedStatement: not canonical, a member missing, unknown or out of range.

    docs/spec/statement-v1.md, rules 1 to 9.
    """
    try:
        # statement-v1.md, step 1.
        members = canonical.loads(text, max_bytes=MAX_STATEMENT_BYTES)
        if not isinstance(members, dict):
            raise MalformedText("The statement is not an object.")
        return _read(members)
    except MalformedText as error:
        raise error.renamed(MalformedStatement) from None


def statement_leaf(text: str) -> LeafHash:
    """The leaf hash of a statement: SHA-256(0x00 || text), RFC 9162 section 2.1.1."""
    return leaf_hash(text.encode())


def write_statement(s: Statement) -> str:
    """
    Write the members in the order of RFC 8785 without looking at them again.

    Requires every member as `format_statement` demands it.
    """
    is_open = s.commitment is None
    hash_ = s.digest if s.commitment is None else s.commitment
    writer = StatementWriter(
        s.by, s.chain, s.dataset, is_open, format_time(s.received), s.source, s.type
    )
    return writer.write(hash_ or b"", s.key, s.message, s.n, s.observed, s.prev)


class StatementWriter:
    """
    Writes the statements of one source that were handed in alike and received at one time, for a
    caller that writes tens of thousands a second: what they share is written once.

    Requires every member as `format_statement` demands it, `received` as `format_time` writes it.
    """

    __slots__ = ("_begin", "_end", "_hashed")

    def __init__(
        self,
        by: str,
        chain: int,
        dataset: str,
        is_open: bool,
        received: str,
        source: str,
        type: str,
    ) -> None:
        hashed = f'"dataset":"{dataset}","digest":"' if is_open else '"commitment":"'
        self._begin = f'{{"by":"{by}","chain":{chain},{hashed}'
        self._hashed = '"' if is_open else f'","dataset":"{dataset}"'
        self._end = (
            f'","received":"{received}","source":"{source}","type":"{type}","v":"{VERSION}"}}'
        )

    def write(
        self,
        hash_: bytes,
        key: str | None,
        message: bytes | None,
        n: int,
        observed: str | None,
        prev: bytes,
    ) -> str:
        """One statement's text; `hash_` is the digest in an open dataset, else the commitment."""
        named = "" if key is None else f',"key":{encode_basestring(key)}'
        if message is not None:
            named = f'{named},"message":"{message.hex()}"'
        said = "" if observed is None else f',"observed":{encode_basestring(observed)}'
        return (
            f'{self._begin}{hash_.hex()}{self._hashed}{named},"n":{n}{said},'
            f'"prev":"{prev.hex()}{self._end}'
        )


def _check(s: Statement) -> None:
    check_id(s.dataset, "dataset")
    check_id(s.source, "source")
    check_count(s.chain, "chain")
    check_count(s.n, "n")
    check_hash(s.prev, "prev")
    check_by(s.by)
    check_type(s.type)
    if s.received.tzinfo is None:
        raise MalformedText("A time has no zone.")
    if (s.digest is None) == (s.commitment is None):
        raise MalformedText("Exactly one of digest and commitment must be there.")
    for value, what in ((s.digest, "digest"), (s.commitment, "commitment"), (s.message, "message")):
        if value is not None:
            check_hash(value, what)
    if s.observed is not None:
        check_observed(s.observed)
    if s.key is not None:
        check_key(s.key)
    if s.n == 0 and s.prev != bytes(32):
        raise MalformedText("At n = 0 prev must be 64 zeros.")


def _read(members: dict[str, object]) -> Statement:
    names = members.keys()
    # statement-v1.md, step 2; that exactly one of the two hashes is there: `_check`.
    if not names >= _REQUIRED or not names <= _REQUIRED | _OPTIONAL:
        raise MalformedText("A member is missing or unknown.")
    if members["v"] != VERSION:
        raise MalformedText(f"The version must be {VERSION}.")
    # statement-v1.md, step 3.
    statement = Statement(
        dataset=check_id(members["dataset"], "dataset"),
        source=check_id(members["source"], "source"),
        chain=check_count(members["chain"], "chain"),
        n=check_count(members["n"], "n"),
        prev=parse_hash(members["prev"], "prev"),
        received=parse_time(members["received"], "received time"),
        by=check_by(members["by"]),
        type=check_type(members["type"]),
        digest=parse_hash(members["digest"], "digest") if "digest" in names else None,
        commitment=parse_hash(members["commitment"], "commitment")
        if "commitment" in names
        else None,
        observed=check_observed(members["observed"]) if "observed" in names else None,
        key=check_key(members["key"]) if "key" in names else None,
        message=parse_hash(members["message"], "message") if "message" in names else None,
    )
    _check(statement)
    return statement
