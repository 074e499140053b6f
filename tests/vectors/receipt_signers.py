# SPDX-License-Identifier: Apache-2.0
"""Receipts under the wrong keys, sizes, witnesses, ledgers, or a broken signature."""

import hashlib
from base64 import b64decode, b64encode
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from notary.core import note
from notary.core.checkpoint import Checkpoint, format_checkpoint
from notary.core.ledger_entry import LedgerEntry
from tests.core import reference
from tests.core.maker import (
    LOG,
    ORIGIN,
    OTHER_LEDGER,
    OTHER_LOG,
    SAME_NAME,
    START,
    STRANGER,
    WITNESSES,
    City,
    ledger_note,
    make,
)
from tests.core.signing import Signer
from tests.vectors.receipt_attacks import changed, flip, refused
from tests.vectors.receipt_valid import ROWS, Case, case, consistency

SIGNATURE, SIGNER, NOTE = "bad-signature", "unknown-signer", "malformed-note"
QUORUM, MISMATCH, PATH = "quorum-not-met", "root-mismatch", "malformed-proof"
RENAMED_LOG = Signer("elsewhere.example/log", seed=1)
LOG_AS_WITNESS = Signer(ORIGIN, note.KIND_COSIGNATURE, seed=1)


def cases() -> Iterator[Case]:
    """By whose word is missing or false."""
    city = make(rounds=5)
    yield from _logs(city)
    yield from _notes(city)
    yield from _witnesses(city)
    yield from _compromised(city)
    yield from _ledgers(city)
    yield from _entries(city)


def _logs(city: City) -> Iterator[Case]:
    def under(**checkpoint: Any) -> dict[str, Any]:
        return city.receipt("s1", 1, **checkpoint)

    yield case("another log's trust file", under(), SIGNER, trust="another log")
    yield case("a key that isn't in the trust file", under(log=[OTHER_LOG]), SIGNER)
    yield case("witnesses alone", under(log=[], witnesses=WITNESSES), SIGNER)
    yield case("the log's key as a witness", under(log=[LOG_AS_WITNESS]), SIGNER)
    origin = under(origin="elsewhere.example/log")
    yield case("another origin under the log's key", origin, SIGNER)
    renamed = under(log=[RENAMED_LOG], origin="elsewhere.example/log")
    yield case("the log's key under another name", renamed, SIGNER)
    served = refused("size-not-served")
    yield case("a size after the key's last", under(), served, trust="sizes 0 to 3")
    yield case("a size before the key's first", under(size=3), served, trust="sizes from 4")
    successor = under(log=[OTHER_LOG], size=3)
    yield case("a key before it served", successor, served, trust="two keys")
    predecessor = under()
    yield case("a key after it served", predecessor, served, trust="two keys")


def _resigned(city: City, text: str) -> dict[str, Any]:
    signed = note.format_note(text, [LOG.sign(text)])
    return city.receipt("s1", 1) | {"checkpoint": signed}


def _notes(city: City) -> Iterator[Case]:
    receipt = city.receipt("s1", 1)
    signed = receipt["checkpoint"]
    text, _, lines = signed.partition("\n\n")
    origin, _, root = text.split("\n")

    def with_note(desc: str, changed_note: str, error: str) -> Case:
        return case(desc, receipt | {"checkpoint": changed_note}, error)

    yield with_note("checkpoint of another size", signed.replace("\n5\n", "\n6\n"), SIGNATURE)
    other = b64encode(bytes(32)).decode()
    yield with_note("checkpoint of another root", signed.replace(root, other), SIGNATURE)
    yield with_note("checkpoint of another origin", signed.replace(origin, "x", 1), SIGNATURE)
    encoded = lines.rsplit(" ", 1)[1].strip()
    for place in (4, 35, 36, 67):
        blob = bytes.fromhex(flip(b64decode(encoded).hex(), place))
        broken = signed.replace(encoded, b64encode(blob).decode())
        yield with_note(f"signature with a bit of byte {place} flipped", broken, SIGNATURE)
    cut = b64encode(b64decode(encoded)[:-1]).decode()
    yield with_note("signature of 63 bytes", signed.replace(encoded, cut), SIGNATURE)
    key_id = b64encode(bytes.fromhex(flip(b64decode(encoded).hex(), 0))).decode()
    yield with_note("signature under another key id", signed.replace(encoded, key_id), SIGNER)
    yield with_note("no signature", text + "\n\n", NOTE)
    yield with_note("no empty line", text + "\n" + lines, NOTE)
    yield with_note("no final newline", signed[:-1], NOTE)
    yield with_note("base64 that is not canonical", signed.replace(encoded, encoded + "="), NOTE)
    yield with_note("Windows line ends in the note", signed.replace("\n", "\r\n"), NOTE)
    yield with_note("an empty note", "", NOTE)
    for desc, lie in (
        ("a line of extension", text + "\nextra\n"),
        ("a size with a zero before it", text.replace("\n5\n", "\n05\n") + "\n"),
        ("a size that is text", text.replace("\n5\n", "\nfive\n") + "\n"),
        ("a root of 31 bytes", f"{origin}\n5\n{b64encode(bytes(31)).decode()}\n"),
        ("two lines", f"{origin}\n5\n"),
    ):
        yield case(f"checkpoint with {desc}, signed", _resigned(city, lie), NOTE)
    real = Checkpoint(ORIGIN, 5, reference.mth(city.log_leaves()))  # type: ignore[arg-type]
    larger = format_checkpoint(Checkpoint(ORIGIN, 9, real.root))
    yield case("checkpoint of a size that never was, signed", _resigned(city, larger), PATH, 8)
    forked = make(rounds=4)
    forked.seal_version(ROWS, b"")
    fork = receipt | {"checkpoint": forked.checkpoint()}
    yield case("checkpoint of a fork, signed", fork, MISMATCH, 8)


def _witnesses(city: City) -> Iterator[Case]:
    def under(*witnesses: Signer, **checkpoint: Any) -> dict[str, Any]:
        return city.receipt("s1", 1, witnesses=witnesses, **checkpoint)

    yield case("no witness of one", under(), QUORUM, trust="quorum of 1")
    yield case("one witness of two", under(WITNESSES[0]), QUORUM, trust="quorum of 2")
    twice = under(WITNESSES[0], WITNESSES[0])
    yield case("one witness twice", twice, QUORUM, trust="quorum of 2")
    strange = under(WITNESSES[0], STRANGER)
    yield case("a stranger as a witness", strange, QUORUM, trust="quorum of 2")
    namesake = under(WITNESSES[0], SAME_NAME)
    yield case("another key under a witness's name", namesake, QUORUM, trust="quorum of 2")
    itself = under(WITNESSES[0], LOG_AS_WITNESS)
    yield case("the log as a witness", itself, QUORUM, trust="quorum of 2")
    yield case("two of three", under(*WITNESSES[:2]), QUORUM, trust="quorum of 3")
    text = city.checkpoint().partition("\n\n")[0] + "\n"
    plain = WITNESSES[0].private.sign(text.encode())
    other_size = WITNESSES[0].sign(city.checkpoint(3).partition("\n\n")[0] + "\n")
    good = WITNESSES[0].sign(text)
    moved = (int.from_bytes(good.blob[:8], "big") + 1).to_bytes(8, "big") + good.blob[8:]
    huge = (2**63).to_bytes(8, "big") + good.blob[8:]
    for desc, blob in (
        ("a cosignature of another size", other_size.blob),
        ("a cosignature at another time", moved),
        ("a cosignature at time 2^63", huge),
        ("a witness's signature without its time", plain),
        ("a cosignature cut short", good.blob[:-1]),
        ("a cosignature of 8 bytes", good.blob[:8]),
        ("a cosignature with a bit flipped", bytes.fromhex(flip(good.blob.hex(), 20))),
    ):
        line = WITNESSES[0].signature(blob)
        signed = note.format_note(text, [LOG.sign(text), line, WITNESSES[1].sign(text)])
        yield case(desc, city.receipt("s1", 1) | {"checkpoint": signed}, SIGNATURE)
    far = under(WITNESSES[0], time=2**62)
    yield case("a cosignature beyond all calendars", far, SIGNATURE, 9)


def _compromised(city: City) -> Iterator[Case]:
    earlier, good = city.receipt("s1", 1, size=2), consistency(city, 2, 3)
    trust = "compromised after 3"
    none = refused("no-consistency")
    yield case("a compromised key, nothing else", earlier, none, trust=trust)
    other_size = earlier | {"consistency": consistency(city, 2, 4)}
    yield case("a path to another size", other_size, none, trust=trust)
    bit = {"size": 3, "path": [flip(good["path"][0]), *good["path"][1:]]}
    yield case(
        "a path with a bit flipped", earlier | {"consistency": bit}, MISMATCH, 8, trust=trust
    )
    longer = {"size": 3, "path": [*good["path"], "aa" * 32]}
    yield case("a path with one more", earlier | {"consistency": longer}, PATH, 8, trust=trust)
    shorter = {"size": 3, "path": []}
    yield case("an empty path", earlier | {"consistency": shorter}, PATH, 8, trust=trust)
    grown = earlier | {"consistency": good}
    other = "compromised after another 3"
    yield case("a path to a root that is another", grown, MISMATCH, 8, trust=other)
    last = city.receipt("s1", 1, size=3)
    yield case("another root of the good size", last, refused("not-good"), trust=other)
    served = refused("size-not-served")
    yield case("a size after the good one", city.receipt("s1", 1), served, trust=trust)
    forked = make(rounds=1)
    forked.seal_version(ROWS, b"")
    fork = forked.receipt("s1", 1) | {"anchors": [], "consistency": good}
    yield case("a fork before the good size", fork, MISMATCH, 8, trust=trust)
    alone = {key: fork[key] for key in fork if key != "consistency"}
    yield case("a fork without any path", alone, none, trust=trust)
    unwitnessed = city.receipt("s1", 1, size=3)
    quorum = "compromised after 5, quorum of 1"
    yield case("a compromised key without witnesses", unwitnessed, QUORUM, trust=quorum)


def _ledgers(city: City) -> Iterator[Case]:
    receipt = city.receipt("s1", 1)
    evidence = refused("ledger-evidence")
    yield case("another ledger key", receipt, evidence, trust="another file ledger")
    yield case(
        "a ledger of another kind", receipt, refused("ledger-kind"), trust="file is an EVM chain"
    )

    def anchored(desc: str, error: str, **members: Any) -> Case:
        at = 10 if error in (MISMATCH, PATH) else None
        return case(desc, receipt | {"anchors": [city.anchor(0) | members]}, error, at)

    yield anchored("an anchor called another kind", refused("ledger-kind"), kind="evm")
    # The first leaf's path is as long in a log of 6, and leads to the same root.
    yield anchored("an anchor of another size", refused("ledger-other"), size=6)
    yield anchored("an anchor of a size with longer paths", PATH, size=9)
    yield anchored("an anchor of size 1", PATH, size=1)
    yield anchored("an anchor of another root", MISMATCH, root="aa" * 32)
    yield anchored("no evidence", evidence, evidence={})
    yield anchored("evidence that is a number", evidence, evidence={"note": 7})
    extra = city.anchor(0)["evidence"] | {"url": "x"}
    yield anchored("evidence with more", evidence, evidence=extra)
    signed = city.anchor(0)["evidence"]["note"]
    yield anchored("a checkpoint as evidence", evidence, evidence={"note": city.checkpoint()})
    cut = signed.replace("\n5\n", "\n6\n", 1)
    yield anchored("an entry of another number", evidence, evidence={"note": cut})
    forked = make(rounds=4)
    forked.seal_version(ROWS, b"")
    fork = receipt | {"anchors": [forked.anchor(0)]}
    yield case("an anchor of a fork", fork, refused("fork"))
    second = receipt | {"anchors": [city.anchor(0), city.anchor(0, 3) | {"root": "aa" * 32}]}
    yield case("a second anchor that is false", second, MISMATCH, 10)
    unlisted = changed(receipt, "anchors", 0, "root", to="aa" * 32)
    yield case("a false anchor of an unlisted ledger", unlisted, MISMATCH, 10, trust="no ledger")


def _entries(city: City) -> Iterator[Case]:
    root = reference.mth(city.log_leaves())
    honest = LedgerEntry(5, bytes(32), hashlib.sha256(ORIGIN.encode()).digest(), 5, root, START)
    receipt = city.receipt("s1", 1)

    def entry(desc: str, error: str, signer: Signer | None = None, **members: Any) -> Case:
        evidence = {"note": ledger_note(LedgerEntry(**(_members(honest) | members)), signer)}
        return case(desc, changed(receipt, "anchors", 0, "evidence", to=evidence), error)

    other = refused("ledger-other")
    yield entry("an entry of another size", other, size=4)
    yield entry("an entry of another root", other, root=bytes(32))
    yield entry("an entry of another log", other, origin_hash=bytes(32))
    evidence = refused("ledger-evidence")
    yield entry("an entry under another key", evidence, OTHER_LEDGER)
    yield entry("an entry under the log's key", evidence, LOG)
    late = START + timedelta(days=1)
    text = ledger_note(LedgerEntry(**(_members(honest) | {"time": late})), None)
    forged = text.replace("2026-11-25", "2026-11-24")
    note_member = {"note": forged}
    backdated = changed(receipt, "anchors", 0, "evidence", to=note_member)
    yield case("an entry that was backdated", backdated, evidence)


def _members(entry: LedgerEntry) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in LedgerEntry.__dataclass_fields__}
