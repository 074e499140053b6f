# SPDX-License-Identifier: Apache-2.0
"""
Signed acceptances: reading and writing is acceptance_format.py's matter; `verify_acceptance`
checks them. The steps are those of docs/spec/acceptance-v1.md, in their order.
"""

from dataclasses import dataclass
from typing import Final

from notary.core.acceptance_format import (
    Promise,
    SignedAcceptance,
    format_acceptance,
    format_promise,
    make_promise,
    parse_acceptance,
    parse_promise,
)
from notary.core.errors import (
    AcceptanceRefused,
    MalformedAcceptance,
    MalformedText,
    MalformedTrust,
    PayloadMismatch,
)
from notary.core.hashing import RootHash, commitment, digest
from notary.core.note import open_note
from notary.core.proof import verify_inclusion
from notary.core.statement import Statement, parse_statement, statement_leaf
from notary.core.trust import Trust, parse_trust
from notary.core.use_keys import keys_for
from notary.core.verdict import Findings, Verdict
from notary.core.vkey import Verifier
from notary.core.words import format_time

__all__ = [
    "Promise",
    "SignedAcceptance",
    "format_acceptance",
    "format_promise",
    "make_promise",
    "parse_acceptance",
    "parse_promise",
    "verify_acceptance",
]

KEY_USE: Final = "acceptance"
KEY_SUFFIX: Final = "/acceptances"


def verify_acceptance(
    acceptance: SignedAcceptance | str | bytes,
    trust: Trust | str | bytes,
    payload: bytes | None = None,
) -> Verdict:
    """
    Check an acceptance, and the record's payload where one is given, against a trust file.

    It proves a promise: that the record is in the log is proved by its receipt only.

    Raises:
        MalformedText: the acceptance, the trust file or a text in the acceptance is malformed.
        PayloadMismatch: the payload is not the one that was accepted.
        AcceptanceRefused: the parts don't belong together; `facts["reason"]` says which.
        RootMismatch, MalformedProof: the path doesn't lead to the signed root.
        MalformedNote, BadSignature, UnknownSigner: no acceptance key of the trust file signed.
    """
    # acceptance-v1.md, step 1: the trust file first.
    trust = trust if isinstance(trust, Trust) else parse_trust(_text(trust, MalformedTrust))
    verified = check_acceptance(acceptance, trust)
    statement, promise, findings = verified.statement, verified.promise, Findings()
    where = {"dataset": statement.dataset, "source": statement.source, "n": statement.n}
    findings.held("statement", **where)
    _check_payload(statement, verified.acceptance.salt, payload, findings)
    sealed_by = format_time(promise.sealed_by)
    findings.held("promise", sealed_by=sealed_by, origin=promise.origin, count=promise.size)
    findings.own_word("time", received=format_time(statement.received), reason="no-witness")
    findings.not_checked("log", reason="promise", sealed_by=sealed_by)
    return Verdict(
        kind="acceptance",
        subject={
            **where,
            "chain": statement.chain,
            "received": format_time(statement.received),
            "observed": statement.observed,
            "key": statement.key,
            "by": statement.by,
            "type": statement.type,
            "sealed_by": sealed_by,
        },
        trust_name=trust.name,
        origin=promise.origin,
        fingerprint=verified.key.fingerprint,
        checks=tuple(findings.checks),
    )


@dataclass(frozen=True, slots=True)
class Checked:
    """An acceptance that holds: its statement with its leaf, the promise and who signed it."""

    acceptance: SignedAcceptance
    statement: Statement
    leaf: bytes
    promise: Promise
    key: Verifier


def check_acceptance(acceptance: SignedAcceptance | str | bytes, trust: Trust) -> Checked:
    """
    Check an acceptance without a payload. Raises as `verify_acceptance`.

    docs/spec/acceptance-v1.md, step 1 to step 4.
    """
    # acceptance-v1.md, step 1: the acceptance and the statement in it are of their formats.
    if not isinstance(acceptance, SignedAcceptance):
        acceptance = parse_acceptance(_text(acceptance, MalformedAcceptance))
    statement = parse_statement(acceptance.statement)
    leaf = statement_leaf(acceptance.statement)
    if acceptance.salt is not None and statement.digest is not None:
        raise AcceptanceRefused("An open dataset has no salts.", reason="salt-in-open")
    # acceptance-v1.md, step 2: an acceptance key of the trust file signed, for the named log.
    opened = open_note(acceptance.note, acceptance_keys(trust))
    promise, key = parse_promise(opened.text), opened.verified[0].verifier
    if key.name != promise.origin + KEY_SUFFIX:
        raise AcceptanceRefused("The key is another log's.", reason="other-origin")
    # acceptance-v1.md, step 3: the record is among those that are promised.
    root = RootHash(promise.root)
    verify_inclusion(leaf, acceptance.index, promise.size, acceptance.path, root)
    # acceptance-v1.md, step 4: the promise is not older than the record.
    if promise.sealed_by < statement.received:
        raise AcceptanceRefused("It should have been sealed before it came.", reason="no-time")
    return Checked(acceptance, statement, leaf, promise, key)


def acceptance_keys(trust: Trust) -> list[Verifier]:
    """
    The acceptance keys of a trust file: the entries of `keys` with this use. Raises as `keys_for`.

    docs/spec/acceptance-v1.md, section Key.
    """
    return keys_for(trust, KEY_USE, KEY_SUFFIX)


def _check_payload(
    statement: Statement, salt: bytes | None, payload: bytes | None, findings: Findings
) -> None:
    """SHA-256(payload), or SHA-256(salt || payload) where the dataset isn't open."""
    # acceptance-v1.md, step 5.
    if payload is None:
        findings.not_checked("payload", reason="none")
        return
    if statement.digest is not None:
        holds = digest(payload) == statement.digest
    elif salt is None:
        raise AcceptanceRefused("Without its salt no content can be compared.", reason="no-salt")
    else:
        holds = commitment(salt, payload) == statement.commitment
    if not holds:
        raise PayloadMismatch()
    findings.held("payload", bytes=len(payload), reason="given")


def _text(value: str | bytes, error_class: type[MalformedText]) -> str:
    if isinstance(value, str):
        return value
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise error_class("The file is not UTF-8.") from None
