# SPDX-License-Identifier: Apache-2.0
"""
Writes the test vectors beside this file: `python tests/vectors/generate.py`.

Each file is a list of cases with `desc` (what was done) and `wantErr` (the code of the
error that must follow, or null). What must follow is stated here from the way a case was
made, by the recursive reference and a signing library; no verifier of ours is asked.
Hashes and keys are hex. The same run always gives the same files.
"""

import base64
import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.core import reference

Case = dict[str, Any]

MALFORMED, MISMATCH = "malformed-proof", "root-mismatch"
NOTE, SIGNATURE, SIGNER = "malformed-note", "bad-signature", "unknown-signer"

LEAVES = reference.made_up_leaves(70)
MADE_UP = "aa" * 32
INCLUSIONS = [(0, 1), (0, 2), (1, 2), (2, 3), (3, 7), (6, 7), (5, 8), (8, 9), (33, 70), (69, 70)]
CONSISTENCIES = [(1, 2), (2, 3), (3, 4), (4, 7), (6, 7), (6, 8), (8, 9), (33, 70), (64, 70)]
NO_NUMBERS = [True, 1.0, "1", None, [1]]
HUGE = [2**63, 2**64, 10**400]


def flip(text: str, byte: int = 0) -> str:
    """Flip the lowest bit of one byte of a hex text."""
    raw = bytearray(bytes.fromhex(text))
    raw[byte] ^= 1
    return raw.hex()


def changed_paths(path: list[str]) -> Iterator[tuple[str, Any, str]]:
    """What can be done to a path, and what must follow."""
    for i in range(len(path)):
        changed = [*path[:i], flip(path[i], i % 32), *path[i + 1 :]]
        yield f"hash {i} of the path changed by one bit", changed, MISMATCH
        yield f"hash {i} of the path left out", path[:i] + path[i + 1 :], MALFORMED
        if 0 < i < len(path) - 1:
            continue
        yield f"hash {i} of the path cut by a byte", _put(path, i, path[i][:-2]), MALFORMED
        yield f"hash {i} of the path longer by a byte", _put(path, i, path[i] + "00"), MALFORMED
        yield f"hash {i} of the path is empty", _put(path, i, ""), MALFORMED
        yield f"hash {i} of the path is null", _put(path, i, None), MALFORMED
    if len(path) > 1:
        yield "path in reverse order", path[::-1], MISMATCH
    yield "a hash added before the path", [MADE_UP, *path], MALFORMED
    yield "a hash added after the path", [*path, MADE_UP], MALFORMED
    yield "64 hashes added to the path", path + [MADE_UP] * 64, MALFORMED
    yield "no path at all", None, MALFORMED


def _put(path: list[str], place: int, value: str | None) -> list[str | None]:
    return [*path[:place], value, *path[place + 1 :]]


def inclusion() -> list[Case]:
    """Leaves in trees, and every way we know to change such a proof."""
    cases = []
    for index, size in INCLUSIONS:
        path = [node.hex() for node in reference.path(index, LEAVES[:size])]
        root = reference.mth(LEAVES[:size]).hex()
        good: Case = {"leaf": LEAVES[index].hex(), "index": index, "size": size, "path": path}
        good["root"] = root
        title = f"leaf {index} of {size}"

        def add(
            desc: str, want: str | None, _base: Case = good, _title: str = title, **over: Any
        ) -> None:
            cases.append({"desc": f"{_title}: {desc}", **_base, **over, "wantErr": want})

        add("as it is", None)
        for desc, changed, want in changed_paths(path):
            add(desc, want, path=changed)
        add("leaf changed by one bit", MISMATCH, leaf=flip(good["leaf"]))
        add("root changed by one bit", MISMATCH, root=flip(root, 31))
        add("root of an empty tree", MISMATCH, root=reference.mth([]).hex())
        if size > 1:
            add("the root itself as the leaf", MISMATCH, leaf=root)
        for part in ("leaf", "root"):
            add(f"{part} cut by a byte", MALFORMED, **{part: good[part][:-2]})
            add(f"{part} longer by a byte", MALFORMED, **{part: good[part] + "00"})
            add(f"{part} empty", MALFORMED, **{part: ""})
        for other in sorted({0, index - 1, index ^ 1, index + 1, size - 1} & set(range(size))):
            if other != index:
                same = len(reference.path(other, LEAVES[:size])) == len(path)
                add(f"given for leaf {other}", MISMATCH if same else MALFORMED, index=other)
        for wrong in (-1, size, size + 1, *HUGE, *NO_NUMBERS):
            add(f"index {_short(wrong)}", MALFORMED, index=wrong)
        for wrong in (*sorted({-1, 0, index}), *HUGE, *NO_NUMBERS):
            add(f"size {_short(wrong)}", MALFORMED, size=wrong)
    return cases


def consistency() -> list[Case]:
    """Trees that grew, and trees that only pretend to have."""
    cases: list[Case] = []
    for size1, size2 in CONSISTENCIES:
        path = [node.hex() for node in reference.proof(size1, LEAVES[:size2])]
        root1, root2 = (reference.mth(LEAVES[:size]).hex() for size in (size1, size2))
        good: Case = {"size1": size1, "root1": root1, "size2": size2, "root2": root2, "path": path}
        title = f"from {size1} to {size2}"

        def add(
            desc: str, want: str | None, _base: Case = good, _title: str = title, **over: Any
        ) -> None:
            cases.append({"desc": f"{_title}: {desc}", **_base, **over, "wantErr": want})

        add("as it is", None)
        for desc, changed, want in changed_paths(path):
            add(desc, want, path=changed)
        for part, other in (("root1", root2), ("root2", root1)):
            add(f"{part} changed by one bit", MISMATCH, **{part: flip(good[part])})
            add(f"{part} is the other root", MISMATCH, **{part: other})
            add(f"{part} of an empty tree", MISMATCH, **{part: reference.mth([]).hex()})
            add(f"{part} cut by a byte", MALFORMED, **{part: good[part][:-2]})
            add(f"{part} empty", MALFORMED, **{part: ""})
        rewritten = [LEAVES[-1], *LEAVES[1:size2]]
        forged = [node.hex() for node in reference.proof(size1, rewritten)]
        new_root = reference.mth(rewritten).hex()
        add("first leaf rewritten, its own path", MISMATCH, root2=new_root, path=forged)
        add("first leaf rewritten, honest path", MISMATCH, root2=new_root)
        add("sizes exchanged", MALFORMED, size1=size2, size2=size1)
        add("the same size twice, with the path", MALFORMED, size1=size2)
        add("the same size twice, two roots, no path", MISMATCH, size1=size2, path=[])
        empty = reference.mth([]).hex()
        add("from an empty tree, with the path", MALFORMED, size1=0, root1=empty)
        add("from an empty tree, no path", MALFORMED, size1=0, root1=empty, path=[])
        for wrong in (-1, *HUGE, *NO_NUMBERS):
            add(f"size1 {_short(wrong)}", MALFORMED, size1=wrong)
        for wrong in (*sorted({-1, 0, size1 - 1}), *HUGE, *NO_NUMBERS):
            add(f"size2 {_short(wrong)}", MALFORMED, size2=wrong)
    root = reference.mth(LEAVES[:7]).hex()
    same = {"size1": 7, "root1": root, "size2": 7, "root2": root}
    cases.append({"desc": "7 and 7: no path", **same, "path": [], "wantErr": None})
    cases.append({"desc": "7 and 7: a path", **same, "path": [root], "wantErr": MALFORMED})
    return cases


def _short(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) < 25 else f"of {len(text)} digits"


class Key:
    """A key pair from one byte, and lines that it signs."""

    def __init__(self, name: str, kind: int, seed: int) -> None:
        self.name, self.kind = name, kind
        self.private = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
        body = bytes([kind]) + self.private.public_key().public_bytes_raw()
        self.id = hashlib.sha256(name.encode() + b"\n" + body).digest()[:4]
        self.vkey = f"{name}+{self.id.hex()}+{base64.b64encode(body).decode()}"

    def line(self, text: str, time: int = 1_700_000_000) -> str:
        if self.kind == 4:
            message = f"cosignature/v1\ntime {time}\n{text}".encode()
            return self.raw(time.to_bytes(8, "big") + self.private.sign(message))
        return self.raw(self.private.sign(text.encode()))

    def raw(self, blob: bytes) -> str:
        return line(self.name, self.id + blob)


def line(name: str, blob: bytes) -> str:
    return f"\u2014 {name} {base64.b64encode(blob).decode()}\n"


LOG = Key("city.example/log", 1, 1)
WITNESS = Key("witness.example/w1", 4, 2)
STRANGER = Key("stranger.example", 1, 3)
LOG_AS_COSIGNER = Key("city.example/log", 4, 1)


def notes() -> list[Case]:
    """Notes opened with the keys of one log and one witness."""
    text = "seven degrees\n\nat the harbour\n"
    trusted = [LOG.vkey, WITNESS.vkey]
    good, cosigned, strange = LOG.line(text), WITNESS.line(text), STRANGER.line(text)
    cases: list[Case] = []

    def add(desc: str, whole: str, want: str | None, verifiers: list[str] = trusted) -> None:
        cases.append({"desc": desc, "note": whole, "verifiers": verifiers, "wantErr": want})

    add("signed by the log", f"{text}\n{good}", None)
    add("cosigned too", f"{text}\n{good}{cosigned}", None)
    add("with a stranger's line before", f"{text}\n{strange}{good}", None)
    add("cosigned twice", f"{text}\n{good}{cosigned}{WITNESS.line(text, 5)}", None)
    stranger_as_log = line(LOG.name, STRANGER.id + bytes(64))
    add("a stranger's line under the log's name", f"{text}\n{stranger_as_log}{good}", None)

    add("a stranger's signature only", f"{text}\n{strange}", SIGNER)
    add("a stranger under the log's name only", f"{text}\n{stranger_as_log}", SIGNER)
    add("the log's id under another name", f"{text}\n{line('a', LOG.id + bytes(64))}", SIGNER)
    add("no key trusted", f"{text}\n{good}", SIGNER, [])
    add("the cosigner's other kind trusted", f"{text}\n{good}", SIGNER, [LOG_AS_COSIGNER.vkey])

    for i in (0, 5, 14, len(text) - 2):
        changed = text[:i] + "_" + text[i + 1 :]
        add(f"character {i} of the text changed", f"{changed}\n{good}{cosigned}", SIGNATURE)
    add("a line added to the text", f"{text}more\n\n{good}", SIGNATURE)
    add("an empty line added to the text", f"{text}\n\n{good}", SIGNATURE)
    add("the first line taken from the text", f"{text[14:]}\n{good}", SIGNATURE)
    for key in (LOG, WITNESS):
        whole = base64.b64decode(key.line(text).split()[2])[4:]
        for i in range(0, len(whole), 9):
            blob = whole[:i] + bytes([whole[i] ^ 1]) + whole[i + 1 :]
            add(f"{key.name}: byte {i} changed", f"{text}\n{good}{key.raw(blob)}", SIGNATURE)
        add(f"{key.name}: cut", f"{text}\n{good}{key.raw(whole[:-1])}", SIGNATURE)
        add(f"{key.name}: longer", f"{text}\n{good}{key.raw(whole + b'x')}", SIGNATURE)
        add(f"{key.name}: one byte only", f"{text}\n{good}{key.raw(b'x')}", SIGNATURE)
        add(
            f"{key.name}: good, then failing",
            f"{text}\n{good}{cosigned}{key.raw(whole[1:])}",
            SIGNATURE,
        )
    plain = WITNESS.raw(WITNESS.private.sign(text.encode()))
    add("a cosigner signs without a time", f"{text}\n{good}{plain}", SIGNATURE)
    later = WITNESS.raw((2**63).to_bytes(8, "big") + bytes(64))
    add("a cosigner's time of 2^63", f"{text}\n{good}{later}", SIGNATURE)

    encoded = good.split()[2]
    for desc, bad in (
        ("hyphen for the dash", good.replace("\u2014", "-")),
        ("en dash", good.replace("\u2014", "\u2013")),
        ("no space after the dash", good.replace("\u2014 ", "\u2014")),
        ("two spaces after the dash", good.replace("\u2014 ", "\u2014  ")),
        ("two spaces after the name", good.replace("/log ", "/log  ")),
        ("a no-break space in the name", good.replace("/log", "\u00a0log")),
        ("a plus sign in the name", good.replace("/log", "+log")),
        ("no name", good.replace(LOG.name + " ", "")),
        ("no signature", f"\u2014 {LOG.name}\n"),
        ("an empty signature", f"\u2014 {LOG.name} \n"),
        ("a key id only", line(LOG.name, LOG.id)),
        ("base64 without padding", good.replace(encoded, encoded.rstrip("="))),
        ("base64 with too much padding", good.replace(encoded, encoded + "=")),
        ("base64 for addresses", f"\u2014 {LOG.name} " + "-_" + encoded[2:] + "\n"),
        ("base64 with spare bits set", line(LOG.name, b"12345").replace("U=", "V=")),
        ("base64 with a space", good.replace(encoded, encoded[:8] + " " + encoded[8:])),
        ("a space at the end", good[:-1] + " \n"),
        ("a carriage return at the end", good[:-1] + "\r\n"),
        ("no newline at the end", good[:-1]),
        ("an empty line at the end", good + "\n"),
        ("another line at the end", good + "more\n"),
    ):
        add(f"signature line: {desc}", f"{text}\n{bad}", NOTE)
    add("no signature line", f"{text}\n", NOTE)
    add("text alone", text, NOTE)
    add("nothing", "", NOTE)
    add("no empty line", f"seven degrees\n{good}", NOTE)
    add("101 signature lines", f"{text}\n{good}{strange * 100}", NOTE)
    for code in (0x00, 0x01, 0x09, 0x0B, 0x0D, 0x1B, 0x1F):
        other = f"{text}{chr(code)}\n"
        add(f"control character {code:#04x}", f"{other}\n{LOG.line(other)}", NOTE)
    add("half a surrogate pair", f"\ud83d\n\n{good}", NOTE)

    name, identity, body = LOG.vkey.split("+", 2)
    for desc, vkey in (
        ("another id", f"{name}+{'0' * 8}+{body}"),
        ("upper-case id", f"{name}+{identity.upper()}+{body}"),
        ("another name", f"x{name}+{identity}+{body}"),
        ("no name", f"+{identity}+{body}"),
        ("no key", f"{name}+{identity}+"),
        ("no id", f"{name}+{body}"),
        ("a space at the end", LOG.vkey + " "),
        ("a private key", f"PRIVATE+KEY+{LOG.vkey}"),
        ("not a key", "city.example/log"),
        ("empty", ""),
    ):
        add(f"trusted key: {desc}", f"{text}\n{good}", NOTE, [vkey])
    return cases


def checkpoints() -> list[Case]:
    """Checkpoints, each signed by the log as it stands, and opened with its key."""
    root = base64.b64encode(reference.mth(LEAVES)).decode()
    empty = base64.b64encode(reference.mth([])).decode()
    trusted = [LOG.vkey, WITNESS.vkey, STRANGER.vkey, LOG_AS_COSIGNER.vkey]
    good = f"{LOG.name}\n70\n{root}\n"
    cases: list[Case] = []

    def add(desc: str, text: str, want: str | None, *signers: Key) -> None:
        lines = "".join(key.line(text) for key in signers or (LOG,))
        whole = f"{text}\n{lines}"
        cases.append({"desc": desc, "note": whole, "verifiers": trusted, "wantErr": want})

    add("of 70 leaves", good, None)
    add("of 70 leaves, cosigned", good, None, LOG, WITNESS)
    add("of an empty log", f"{LOG.name}\n0\n{empty}\n", None)

    add("cosigned only", good, SIGNER, WITNESS)
    add("signed by another log", good, SIGNER, STRANGER)
    add("signed by the log's key as a cosigner", good, SIGNER, LOG_AS_COSIGNER)
    add("signed for another origin", good.replace("city", "town"), SIGNER)
    for size in ("", "070", "00", "+70", "-70", "-0", " 70", "70 ", "7_0", "70.0", "7e1", "0x46",
                 "\u0667\u0660", str(2**63), "9" * 30, "seventy", "0"):  # fmt: skip
        add(f"size {size!a}", good.replace("\n70\n", f"\n{size}\n"), NOTE)
    for desc, text in (
        ("missing", ""),
        ("of 31 bytes", base64.b64encode(bytes(31)).decode()),
        ("of 33 bytes", base64.b64encode(bytes(33)).decode()),
        ("in hex", reference.mth(LEAVES).hex()),
        ("without padding", root[:-1]),
        ("with a space", root + " "),
        ("with spare bits set", base64.b64encode(bytes(32)).decode()[:-2] + "B="),
    ):
        add(f"root {desc}", good.replace(root, text), NOTE)
    add("an empty log with a root", f"{LOG.name}\n0\n{root}\n", NOTE)
    add("a line of extension", good + "extension\n", NOTE)
    add("an empty line of extension", good + "\n", NOTE)
    add("a time as extension", good + "1700000000\n", NOTE)
    add("no root line", f"{LOG.name}\n70\n", NOTE)
    add("no origin line", f"70\n{root}\n", NOTE)
    add("an empty origin", f"\n70\n{root}\n", NOTE)
    add("an origin with a space", good.replace("/log", " log"), NOTE)
    add("an origin with a plus sign", good.replace("/log", "+log"), NOTE)
    add("size and root exchanged", f"{LOG.name}\n{root}\n70\n", NOTE)
    return cases


def build() -> dict[str, str]:
    """All files, by name."""
    made = {
        "inclusion.json": inclusion(),
        "consistency.json": consistency(),
        "notes.json": notes(),
        "checkpoints.json": checkpoints(),
    }
    return {name: _lines(cases) for name, cases in made.items()}


def _lines(cases: list[Case]) -> str:
    """One case a line, so a change shows as what it is."""
    return "[\n" + ",\n".join(map(json.dumps, cases)) + "\n]\n"


if __name__ == "__main__":
    for file_name, content in build().items():
        (Path(__file__).parent / file_name).write_text(content)
