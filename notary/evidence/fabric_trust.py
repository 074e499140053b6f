# SPDX-License-Identifier: Apache-2.0
"""
What a trust file says of a ledger of the kind `bsn-fabric`.

    channel, chaincode: texts      msps, orderers: [{"id": "<MSP id>", "roots": ["<base64 DER>"]}]
    perhaps endorsements: so many organisations of `msps` must have endorsed, at least 1 (as where
    it is absent); creator: the MSP id of `msps` whose member must have made the transaction

A root is the CA that issued the certificates of an organisation's nodes and clients; chains are
not built. See docs/spec/anchor-bsn-fabric.md, section Trust.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from notary.core.errors import MalformedNote, MalformedText, MalformedTrust
from notary.core.vkey import decode_base64
from notary.core.words import check_count, check_id, check_string
from notary.evidence.fabric_certificate import (
    KEY_CERT_SIGN,
    Certificate,
    parse_certificate,
)

Roots = Mapping[str, tuple[Certificate, ...]]
"""The certificates of an organisation's CAs, by its MSP id."""

MAX_NAME_CHARACTERS: Final = 249
MAX_ORGANISATIONS: Final = 100
MAX_ROOTS: Final = 16

_REQUIRED: Final = frozenset({"channel", "chaincode", "msps", "orderers"})
_OPTIONAL: Final = frozenset({"id", "kind", "endorsements", "creator"})


@dataclass(frozen=True, slots=True)
class FabricTrust:
    """The members, read; `is_sm2` where a CA signs by SM2, which can't be checked here."""

    channel: str
    chaincode: str
    msps: Roots
    orderers: Roots
    endorsements: int
    creator: str | None
    is_sm2: bool


def parse_members(members: Mapping[str, object]) -> FabricTrust:
    """
    Read what a trust file says of the ledger, `id` and `kind` among it or not.

    Raises:
        MalformedTrust: a member is missing, unknown, or of no use.
    """
    if not _REQUIRED <= members.keys() <= _REQUIRED | _OPTIONAL:
        raise MalformedTrust("A member of the Fabric ledger is missing or unknown.")
    try:
        msps = _organisations(members["msps"], "msps")
        orderers = _organisations(members["orderers"], "orderers")
        trust = FabricTrust(
            channel=check_string(members["channel"], "channel", MAX_NAME_CHARACTERS),
            chaincode=check_string(members["chaincode"], "chaincode", MAX_NAME_CHARACTERS),
            msps=msps,
            orderers=orderers,
            endorsements=check_count(members.get("endorsements", 1), "endorsements", 1),
            creator=check_id(members["creator"], "creator") if "creator" in members else None,
            is_sm2=any(root.is_sm2 for root in [*_all(msps), *_all(orderers)]),
        )
    except MalformedText as error:
        raise error.renamed(MalformedTrust) from None
    if trust.endorsements > len(msps):
        raise MalformedTrust("More endorsements are demanded than there are organisations.")
    if trust.creator is not None and trust.creator not in msps:
        raise MalformedTrust("The creator is none of the organisations in msps.")
    return trust


def _organisations(value: object, what: str) -> Roots:
    if not isinstance(value, list) or not 1 <= len(value) <= MAX_ORGANISATIONS:
        raise MalformedText(f"{what} is a list of 1 to {MAX_ORGANISATIONS} organisations.")
    found: dict[str, tuple[Certificate, ...]] = {}
    for item in value:
        if not isinstance(item, dict) or item.keys() != {"id", "roots"}:
            raise MalformedText(f"An organisation in {what} has the members id and roots.")
        id_, roots = check_id(item["id"], "MSP id"), item["roots"]
        if id_ in found:
            raise MalformedText(f"{id_} stands twice in {what}.")
        if not isinstance(roots, list) or not 1 <= len(roots) <= MAX_ROOTS:
            raise MalformedText(f"{id_} has 1 to {MAX_ROOTS} roots.")
        found[id_] = tuple(_root(root, id_) for root in roots)
    return found


def _root(value: object, id_: str) -> Certificate:
    """A CA's certificate that may sign certificates, with an EC key."""
    if not isinstance(value, str):
        raise MalformedText(f"A root of {id_} is no text.")
    try:
        root = parse_certificate(decode_base64(value), f"root of {id_}")
    except MalformedNote:
        raise MalformedText(f"A root of {id_} is not in base64.") from None
    if not root.is_ca or not root.may(KEY_CERT_SIGN):
        raise MalformedText(f"A root of {id_} is not the certificate of a CA.")
    if root.key is None and not root.is_sm2:
        raise MalformedText(f"A root of {id_} has no key on a curve that is known here.")
    return root


def _all(roots: Roots) -> list[Certificate]:
    return [root for item in roots.values() for root in item]
