# SPDX-License-Identifier: Apache-2.0
"""What can be done to a file of two checkpoints and a path, and what must follow."""

import json
from collections.abc import Iterator
from typing import Any

from notary.core import canonical, note
from tests.core.maker import LOG, STRANGER
from tests.core.signing import Signer

PATH, MISMATCH, SIGNER = "malformed-proof", "root-mismatch", "unknown-signer"
NOTE, SIGNATURE = "malformed-note", "bad-signature"
Attack = tuple[str, dict[str, Any] | str, str]
FORGER = Signer(LOG.verifier.name, seed=40)


def attacks(
    whole: dict[str, Any], kind: str, first: str, second: str, sizes: tuple[int, int]
) -> Iterator[Attack]:
    """On the form and on the notes; `sizes` are those that the notes state."""
    yield from _form(whole, f"malformed-{kind}", first, second)
    for name, size in zip((first, second), sizes, strict=True):
        yield from _notes(whole, name, size)


def _form(whole: dict[str, Any], form: str, first: str, second: str) -> Iterator[Attack]:
    text, spaced = canonical.dumps(whole), f"{form}.not-canonical"
    for name in whole:
        yield f"without {name}", {key: whole[key] for key in whole if key != name}, form
        for value in (None, True, 1, {}, "x" if name == "path" else []):
            yield f"{name} is {value!r}", _plain({**whole, name: value}), form
    yield f"{first} is a list of lines", {**whole, first: whole[first].split("\n")}, form
    yield "with an unknown member", {**whole, "more": 1}, form
    yield "with a size beside the note", {**whole, "size": 5}, form
    versions = {"consistency/1", "fork/1", "receipt/1", whole["v"] + " ", whole["v"][:-1] + "2"}
    for version in sorted(versions - {whole["v"]}):
        yield f"version {version}", {**whole, "v": version}, form
    for bad in ("00" * 31, "00" * 33, "AB" * 32, "", " " + "00" * 31, 7, None, ["00" * 32]):
        yield f"path with {bad!r}", {**whole, "path": [bad]}, form
    yield "64 hashes", {**whole, "path": ["00" * 32] * 64}, form
    yield "63 hashes", {**whole, "path": ["00" * 32] * 63}, PATH
    yield "a member twice", text.replace('"path":', '"path":[],"path":', 1), form
    yield "with blanks", text.replace(",", ", ", 1), spaced
    yield "two final newlines", text + "\n\n", spaced
    yield "CR LF at its end", text + "\r\n", spaced
    yield "members in another order", _plain({"v": whole["v"], **whole}, ordered=False), spaced
    yield "escaped where it needn't be", text.replace("/", "\\/", 1), spaced
    yield "a byte order mark", "\ufeff" + text, form
    yield "cut off", text[:-1], form
    yield "empty", "", form
    yield "a list", f"[{text}]", form
    yield f"{second} alone", {second: whole[second]}, form


def _notes(whole: dict[str, Any], name: str, size: int) -> Iterator[Attack]:
    text = whole[name]
    body, _, lines = text.partition("\n\n")
    body += "\n"

    def noted(changed: str) -> dict[str, Any]:
        return {**whole, name: changed}

    def signed(other: str, *keys: Signer) -> dict[str, Any]:
        return noted(note.format_note(other, [key.sign(other) for key in keys]))

    yield f"{name}: empty", noted(""), NOTE
    yield f"{name}: not signed", noted(body), NOTE
    yield f"{name}: signatures alone", noted(lines), NOTE
    yield f"{name}: without its last newline", noted(text[:-1]), NOTE
    yield f"{name}: another size under it", noted(text.replace(f"\n{size}\n", "\n6\n")), SIGNATURE
    yield (
        f"{name}: a larger size by a digit",
        noted(text.replace(f"\n{size}\n", f"\n{size}0\n")),
        (SIGNATURE),
    )
    root = body.split("\n")[2]
    other_root = ("B" if root[0] == "A" else "A") + root[1:]
    yield f"{name}: another root under it", noted(text.replace(root, other_root)), SIGNATURE
    spoilt = text[:-20] + ("A" if text[-20] != "A" else "B") + text[-19:]
    yield f"{name}: signature changed", noted(spoilt), SIGNATURE
    foreign = note.Signature(LOG.verifier.name, LOG.verifier.key_id, FORGER.sign(body).blob)
    forged = note.format_note(body, [foreign])
    yield f"{name}: another's signature under the key's id", noted(forged), SIGNATURE
    yield f"{name}: signed by another of that name", signed(body, FORGER), SIGNER
    yield f"{name}: cosigned by a stranger alone", signed(body, STRANGER), SIGNER
    for desc, changed in (
        ("a line more", body + "more\n"),
        ("a line less", "\n".join(body.split("\n")[:2]) + "\n"),
        ("leading zero", body.replace(f"\n{size}\n", f"\n0{size}\n")),
        ("a negative size", body.replace(f"\n{size}\n", f"\n-{size}\n")),
        ("digits of another script", body.replace(f"\n{size}\n", "\n\u0665\n")),
        ("a size of 2^63", body.replace(f"\n{size}\n", f"\n{2**63}\n")),
        ("a short root", body.replace(root, "AAAA")),
        ("an empty log with a root", body.replace(f"\n{size}\n", "\n0\n")),
    ):
        yield f"{name}: {desc}, signed", signed(changed, LOG), NOTE
    promise = f"city-notary/acceptance/1\n{LOG.verifier.name}\n"
    yield f"{name}: something else, signed", signed(promise, LOG), NOTE


def _plain(members: dict[str, Any], *, ordered: bool = True) -> str:
    """As canonical JSON writes it, also what it refuses."""
    return json.dumps(members, sort_keys=ordered, separators=(",", ":"), ensure_ascii=False)
