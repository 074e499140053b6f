# SPDX-License-Identifier: Apache-2.0
"""A receipt that would hold, under trust files that are none."""

import json
from collections.abc import Iterator
from typing import Any

from notary.core import canonical, note
from tests.core.maker import (
    LEDGER,
    LOG,
    ORIGIN,
    OTHER_LOG,
    STRANGER,
    WITNESSES,
    make,
    trust,
)
from tests.core.signing import Signer
from tests.vectors.receipt_attacks import changed
from tests.vectors.receipt_valid import Case, case

TRUST = "malformed-trust"
SPELLED = f"{TRUST}.not-canonical"
LOG_AS_WITNESS = Signer("w.example", note.KIND_COSIGNATURE, seed=1)
LOG_AS_LEDGER = Signer(f"{ORIGIN}/file-ledger", seed=1)


def cases() -> Iterator[Case]:
    """One receipt; the trust files are the attacks."""
    receipt = make().receipt("s1", 2)
    for desc, _, error in texts():
        yield case(f"trust file: {desc}", receipt, error, trust=f"malformed: {desc}")
    # What is wrong with the receipt is not asked: the trust file comes first.
    first = next(iter(TEXTS))
    yield case("trust file: and the receipt is none either", "{}", TRUST, trust=first)


def texts() -> Iterator[tuple[str, str, str]]:
    """What is wrong, the text, and what must follow."""
    good = trust()
    text = canonical.dumps(good)
    for desc, members in _members(good):
        yield desc, _plain(members), TRUST
    yield "indented", json.dumps(good, indent=1, sort_keys=True), SPELLED
    yield "members in another order", json.dumps(good, separators=(",", ":")), SPELLED
    yield "two final newlines", text + "\n\n", SPELLED
    yield "a blank before it", " " + text, SPELLED
    yield "a slash that is escaped", text.replace("/log+", "\\/log+", 1), SPELLED
    yield "cut off", text[:-1], TRUST
    yield "nothing", "", TRUST
    yield "a byte order mark", "\ufeff" + text, TRUST
    yield "a member twice", text[:-1] + ',"v":"trust/1"}', TRUST
    yield "a fraction", text.replace("3600", "3600.0"), TRUST
    yield "a quorum beyond 2^53", text.replace('"quorum":0', f'"quorum":{2**53}'), TRUST
    yield "a list of itself", f"[{text}]", TRUST


def _plain(members: Any) -> str:
    return json.dumps(members, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _members(good: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name in good:
        yield f"without {name}", changed(good, name, to=...)
        yield f"{name} is null", changed(good, name, to=None)
        yield f"{name} is a list of a number", changed(good, name, to=[7])
    yield "an unknown member", good | {"url": "x"}
    yield "another version", good | {"v": "trust/2"}
    yield "a name of 201 characters", good | {"name": "名" * 201}
    yield "an empty name", good | {"name": ""}
    yield "a name with a newline", good | {"name": "a\nb"}
    yield "no log", good | {"logs": []}
    yield "1,001 witnesses", good | {"witnesses": ["x"] * 1001}
    log = good["logs"][0]
    root = "aa" * 32
    for desc, members in (
        ("a log without from", {"key": log["key"], "to": None}),
        ("a log without to", {"key": log["key"], "from": 0}),
        ("a log with more", log | {"url": "x"}),
        ("a log that is text", log["key"]),
        ("a log from -1", log | {"from": -1}),
        ("a log that ends before it begins", log | {"from": 5, "to": 4}),
        ("a log to true", log | {"to": True}),
        ("a good state of a key in use", log | {"good": {"size": 3, "root": root}}),
        ("a good state before its end", log | {"to": 4, "good": {"size": 3, "root": root}}),
        ("a good state of size 0", log | {"to": 0, "good": {"size": 0, "root": root}}),
        ("a good state without root", log | {"to": 3, "good": {"size": 3}}),
        ("a good state in capitals", log | {"to": 3, "good": {"size": 3, "root": "AA" * 32}}),
        ("a good state with more", log | {"to": 3, "good": {"size": 3, "root": root, "at": ""}}),
        ("a good state that is null", log | {"to": 3, "good": None}),
    ):
        yield desc, good | {"logs": [members]}
    vkey: str = log["key"]
    name, identity, body = vkey.split("+", 2)
    for desc, key in (
        ("a key that is a number", 7),
        ("a key without its id", f"{name}+{body}"),
        ("a key with another id", f"{name}+{'0' * 8}+{body}"),
        ("a key with its id in capitals", f"{name}+{identity.upper()}+{body}"),
        ("a key without name", f"+{identity}+{body}"),
        ("a key of another name", f"x{name}+{identity}+{body}"),
        ("a key without base64", f"{name}+{identity}+"),
        ("a key with a blank behind it", f"{vkey} "),
        ("a key that is a witness's", WITNESSES[0].verifier.vkey),
        ("a key that is private", f"PRIVATE+KEY+{vkey}"),
        ("a key cut by a byte", f"{name}+{identity}+{body[:-4]}"),
    ):
        yield desc, good | {"logs": [log | {"key": key}]}
    yield "one log key twice", good | {"logs": [log, log | {"from": 9}]}
    successor = {"key": OTHER_LOG.verifier.vkey, "from": 0, "to": None}
    renamed = Signer("renamed.example/log", seed=1).verifier.vkey
    yield "one log key under two names", good | {"logs": [log, successor, log | {"key": renamed}]}
    witness = good["witnesses"][0]
    yield "one witness twice", good | {"witnesses": [witness, witness]}
    yield "a witness that is a log key", good | {"witnesses": [vkey]}
    yield "the log as its own witness", good | {"witnesses": [LOG_AS_WITNESS.verifier.vkey]}
    yield "a quorum of more than there are", good | {"quorum": 4}
    namesakes = [witness, Signer("witness0.example", note.KIND_COSIGNATURE, seed=20).verifier.vkey]
    yield "a quorum of more than there are names", good | {"witnesses": namesakes, "quorum": 2}
    ledger = good["ledgers"][0]
    for desc, items in (
        ("a ledger twice", [ledger, ledger]),
        ("a ledger without id", [{"kind": "file", "key": ledger["key"]}]),
        ("a ledger without kind", [{"id": "file", "key": ledger["key"]}]),
        ("a file ledger without key", [{"id": "file", "kind": "file"}]),
        ("a file ledger with more", [ledger | {"url": "x"}]),
        ("a file ledger with a witness's key", [ledger | {"key": STRANGER.verifier.vkey}]),
        ("the log as its own ledger", [ledger | {"key": LOG_AS_LEDGER.verifier.vkey}]),
        ("a ledger of two words", [{"id": "a b", "kind": "evm"}]),
        ("a ledger of a kind in Chinese", [{"id": "a", "kind": "链"}]),
        ("a ledger that is text", ["file"]),
    ):
        yield desc, good | {"ledgers": items}
    for desc, items in (
        ("a key without use", [{"key": LEDGER.verifier.vkey}]),
        ("a key with a use of two words", [{"use": "a b"}]),
        ("a key that is text", [LOG.verifier.vkey]),
        ("keys that are an object", {}),
    ):
        yield f"keys: {desc}", good | {"keys": items}


TEXTS = {f"malformed: {desc}": text for desc, text, _ in texts()}
"""By the name under which a case has it."""
