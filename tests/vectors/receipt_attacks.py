# SPDX-License-Identifier: Apache-2.0
"""Honest receipts that someone changed afterwards."""

import json
from base64 import b64encode
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from notary.core import canonical
from tests.core.maker import City, make
from tests.vectors.receipt_valid import CONTENT, ERASED, ROWS, Case, case, with_version

FORM, MISMATCH, PATH = "malformed-receipt", "root-mismatch", "malformed-proof"
PAYLOAD, SIGNATURE, NOTE = "payload-mismatch", "bad-signature", "malformed-note"
STATEMENT, DESCRIPTOR, RUN = "malformed-statement", "malformed-descriptor", "malformed-run"
BATCH = 1
"""The receipt that is changed proves record 2 of s1: the first of two in batch 1."""


def refused(reason: str) -> str:
    """The error of a receipt whose parts don't belong together."""
    return f"receipt-refused.{reason}"


def changed(receipt: dict[str, Any], *way: str | int, to: Any) -> dict[str, Any]:
    """A copy in which the member at the end of the way is another one, or left out (...)."""
    copy = deepcopy(receipt)
    place: Any = copy
    for step in way[:-1]:
        place = place[step]
    if to is ...:
        del place[way[-1]]
    else:
        place[way[-1]] = to
    return copy


def retold(text: str, **members: Any) -> str:
    """A canonical text with other members."""
    return canonical.dumps(json.loads(text) | members)


def flip(text: str, at: int = 0) -> str:
    """A hex text with its lowest bit flipped in one byte."""
    raw = bytearray(bytes.fromhex(text))
    raw[at] ^= 1
    return raw.hex()


def cases() -> Iterator[Case]:
    """By what was changed."""
    for is_open, name in ((True, "open"), (False, "closed")):
        city = make(is_open)
        receipt = city.receipt("s1", 2)
        yield from _named(name, _payloads(receipt, is_open))
        yield from _named(name, _statements(receipt, is_open))
    receipt = make().receipt("s1", 2)
    for found in (_paths, _texts, _left_out, _swapped, _form, _members):
        yield from _named("open", found(receipt))
    for is_open, name in ((True, "open"), (False, "closed")):
        yield from _named(f"{name} version", _versions(with_version(is_open), is_open))


def _named(where: str, found: Iterator[Case]) -> Iterator[Case]:
    for item in found:
        yield item | {"desc": f"{where}: {item['desc']}"}


def _payloads(receipt: dict[str, Any], is_open: bool) -> Iterator[Case]:
    payload = b'{"t":1}'

    def inside(data: bytes) -> dict[str, Any]:
        return changed(receipt, "payload", to=b64encode(data).decode())

    yield case("another payload inside", inside(b'{"t":2}'), PAYLOAD)
    yield case("payload longer by a byte", inside(payload + b"\n"), PAYLOAD)
    yield case("payload shorter by a byte", inside(payload[:-1]), PAYLOAD)
    yield case("empty payload", inside(b""), PAYLOAD)
    yield case("another payload given", receipt, PAYLOAD, payload=b'{"t":2}')
    yield case("empty payload given", receipt, PAYLOAD, payload=b"")
    without = changed(receipt, "payload", to=...)
    yield case("another payload given alone", without, PAYLOAD, payload=b'{"t":2}')
    yield case("payload called erased", receipt | {"erased": ERASED}, refused("not-erased"))
    if is_open:
        salted = receipt | {"salt": "aa" * 32}
        yield case("a salt where there is none", salted, refused("salt-in-open"))
        tagged = receipt | {"tag_salt": "aa" * 32}
        yield case("a tag salt where there is none", tagged, refused("salt-in-open"))
        return
    salt = receipt["salt"]
    yield case("another salt", changed(receipt, "salt", to=flip(salt)), PAYLOAD)
    for length in (0, 1, 31, 33, 64):
        short = changed(receipt, "salt", to="aa" * length)
        yield case(f"a salt of {length} bytes", short, FORM)
    moved = inside(bytes.fromhex(salt)[31:] + payload)
    moved["salt"] = salt[:-2]
    yield case("a byte of the salt moved to the payload", moved, FORM)
    glued = inside(bytes.fromhex(salt) + payload)
    del glued["salt"]
    yield case("the salt moved to the payload", glued, refused("no-salt"))
    yield case("no salt", changed(receipt, "salt", to=...), refused("no-salt"))
    bare = changed(without, "salt", to=...)
    yield case("no salt for the payload given", bare, refused("no-salt"), payload=payload)
    erased = bare | {"erased": ERASED}
    yield case("a copy of what was erased", erased, refused("salt-erased"), payload=payload)
    kept = without | {"erased": ERASED}
    yield case("a salt called erased", kept, refused("not-erased"))
    yield case("no tag salt", changed(receipt, "tag_salt", to=...), refused("no-tag-salt"))
    other = changed(receipt, "tag_salt", to=flip(receipt["tag_salt"]))
    yield case("another tag salt", other, refused("other-source"))
    yield case("a tag salt of 31 bytes", changed(receipt, "tag_salt", to="aa" * 31), FORM)


def _statements(receipt: dict[str, Any], is_open: bool) -> Iterator[Case]:
    text = receipt["statement"]
    bare = {key: value for key, value in receipt.items() if key not in ("payload", "salt")}
    hashed = "digest" if is_open else "commitment"

    def other(error: str, **members: Any) -> Case:
        name, value = next(iter(members.items()))
        statement = retold(text, **members)
        place = 6 if error == MISMATCH else None
        return case(f"statement with {name} {value}", bare | {"statement": statement}, error, place)

    yield other(MISMATCH, **{hashed: "aa" * 32})
    yield other(MISMATCH, observed="2013-01-01T02:00:00Z")
    yield other(MISMATCH, key="m-1")
    yield other(MISMATCH, message="aa" * 32)
    yield other(MISMATCH, by="none")
    yield other(MISMATCH, type="text/plain")
    yield other(MISMATCH, received="2026-11-24T08:00:06.000001Z")
    yield other(refused("outside-times"), received="2026-11-24T08:00:04.999999Z")
    yield other(refused("outside-times"), received="2026-11-24T08:00:08.000001Z")
    yield other(refused("other-dataset"), dataset="weather2")
    yield other(refused("other-source"), source="s0")
    yield other(refused("other-chain"), chain=1)
    yield other(refused("outside-run"), n=1)
    yield other(refused("outside-run"), n=4)
    yield other(refused("other-last"), n=3)
    yield other(refused("other-prev"), prev="aa" * 32)
    yield other(STATEMENT, v="statement/2")
    yield other(STATEMENT, n=-1)
    yield other(STATEMENT, place="roof")
    yield other(STATEMENT, observed="a\nb")
    yield other(STATEMENT, received="2026-11-24T24:00:00.000000Z")
    swapped = "commitment" if is_open else "digest"
    members = json.loads(text)
    members[swapped] = members.pop(hashed)
    resorted = bare | {"statement": canonical.dumps(members)}
    error = refused("no-tag-salt" if is_open else "salt-in-open")
    yield case(f"statement with {swapped} instead of {hashed}", resorted, error)


def _paths(receipt: dict[str, Any]) -> Iterator[Case]:
    ways: dict[str, tuple[int, tuple[str | int, ...]]] = {
        "batch": (6, ("path",)),
        "run": (5, ("run", "path")),
        "log": (8, ("log", "path")),
        "anchor": (10, ("anchors", 0, "path")),
    }
    for name, (at, way) in ways.items():
        path: Any = receipt
        for step in way:
            path = path[step]
        for i in range(len(path)):
            bit = [*path[:i], flip(path[i], i), *path[i + 1 :]]
            broken = changed(receipt, *way, to=bit)
            yield case(f"{name} path, bit of hash {i}", broken, MISMATCH, at)
        last = f"{name} path"
        yield case(f"{last} without its last", changed(receipt, *way, to=path[:-1]), PATH, at)
        yield case(f"{last} without its first", changed(receipt, *way, to=path[1:]), PATH, at)
        longer = changed(receipt, *way, to=[*path, "aa" * 32])
        yield case(f"{last} with one more", longer, PATH, at)
        yield case(f"{last} in reverse", changed(receipt, *way, to=path[::-1]), MISMATCH, at)
        yield case(f"{last} of 64", changed(receipt, *way, to=["aa" * 32] * 64), FORM)
        yield case(f"{last} that is null", changed(receipt, *way, to=None), FORM)
        short = changed(receipt, *way, to=[path[0][:-2], *path[1:]])
        yield case(f"{last} with 31 bytes", short, FORM)
        loud = changed(receipt, *way, to=[path[0].upper(), *path[1:]])
        yield case(f"{last} in capitals", loud, FORM)


def _texts(receipt: dict[str, Any]) -> Iterator[Case]:
    descriptor, entry = receipt["descriptor"], receipt["run"]["entry"]

    def described(error: str, **members: Any) -> Case:
        name, value = next(iter(members.items()))
        text = retold(descriptor, **members)
        at = {"root": 6, "runs": 5, "count": 6}.get(name, 8) if error in (MISMATCH, PATH) else None
        return case(f"descriptor with {name} {value}", receipt | {"descriptor": text}, error, at)

    yield described(refused("other-dataset"), dataset="weather2")
    yield described(MISMATCH, number=2)
    yield described(MISMATCH, prev="aa" * 32)
    yield described(MISMATCH, root="aa" * 32)
    yield described(MISMATCH, runs="aa" * 32)
    yield described(PATH, count=5)
    yield described(refused("run-too-long"), count=2)
    yield described(MISMATCH, first="2026-11-24T08:00:05.500000Z")
    yield described(MISMATCH, last="2026-11-24T08:00:08.500000Z")
    yield described(refused("outside-times"), first="2026-11-24T08:00:07.500000Z")
    yield described(refused("outside-times"), last="2026-11-24T08:00:05.500000Z")
    yield described(DESCRIPTOR, kind="version")
    yield described(DESCRIPTOR, v="descriptor/2")
    yield described(DESCRIPTOR, label="Weather")
    yield described(DESCRIPTOR, count=0)

    def run(error: str, **members: Any) -> Case:
        name, value = next(iter(members.items()))
        text = retold(entry, **members)
        at = 5 if error == MISMATCH else None
        return case(
            f"run with {name} {value}", changed(receipt, "run", "entry", to=text), error, at
        )

    yield run(refused("other-source"), tag="aa" * 32)
    yield run(refused("other-chain"), chain=1)
    yield run(refused("outside-run"), first=3)
    yield run(refused("other-prev"), prev="aa" * 32)
    yield run(MISMATCH, last="aa" * 32)
    yield run(MISMATCH, number=0)
    yield run(MISMATCH, offset=2)
    yield run(MISMATCH, count=3)
    yield run(refused("run-too-long"), count=4)
    yield run(refused("run-too-long"), offset=3)
    yield run(refused("other-last"), count=1)
    yield run(RUN, first=0)
    yield run(RUN, count=0)
    yield run(RUN, place="roof")


def _left_out(receipt: dict[str, Any]) -> Iterator[Case]:
    """Each member of each text that has to be there."""
    ways: dict[str, tuple[tuple[str, ...], str]] = {
        "statement": (("statement",), STATEMENT),
        "descriptor": (("descriptor",), DESCRIPTOR),
        "run": (("run", "entry"), RUN),
    }
    for name, (way, error) in ways.items():
        text: Any = receipt
        for step in way:
            text = text[step]
        members = json.loads(text)
        for member in sorted(members.keys() - {"observed"}):
            rest = {key: value for key, value in members.items() if key != member}
            without = changed(receipt, *way, to=canonical.dumps(rest))
            yield case(f"{name} without {member}", without, error)
        spaced = changed(receipt, *way, to=text.replace(",", ", "))
        yield case(f"{name} with blanks", spaced, f"{error}.not-canonical")


def _swapped(receipt: dict[str, Any]) -> Iterator[Case]:
    """Parts of other honest receipts of the same notary."""
    city = make()
    later, source = city.receipt("s1", 4), city.receipt("s2", 1)
    neighbour = city.receipt("s1", 3)
    yield case("run of another source", receipt | {"run": source["run"]}, refused("other-source"))
    yield case("run of another batch", receipt | {"run": later["run"]}, refused("outside-run"))
    swapped = receipt | {"descriptor": later["descriptor"]}
    yield case("descriptor of another batch", swapped, refused("outside-times"))
    whole = later | {key: receipt[key] for key in ("statement", "payload")}
    yield case("statement of another batch", whole, refused("outside-times"))
    statement = receipt | {"statement": neighbour["statement"]}
    yield case("statement of its neighbour", statement, MISMATCH, 6)
    yield case("path of its neighbour", receipt | {"path": neighbour["path"]}, MISMATCH, 6)
    yield case("log path of another batch", receipt | {"log": later["log"]}, MISMATCH, 8)
    yield case("anchor of another batch", receipt | {"anchors": later["anchors"]}, PATH, 10)
    earlier = city.receipt("s1", 2, size=2)
    yield case("an earlier checkpoint", receipt | {"checkpoint": earlier["checkpoint"]}, PATH, 8)
    yield case("log path of an earlier size", receipt | {"log": earlier["log"]}, PATH, 8)
    first = city.checkpoint(1)
    yield case("a checkpoint before the batch", receipt | {"checkpoint": first}, PATH, 8)
    index = changed(receipt, "log", "index", to=2)
    yield case("another index in the log", index, PATH, 8)
    yield case("index beyond the log", changed(receipt, "log", "index", to=3), PATH, 8)
    moved = changed(receipt, "run", "index", to=0)
    yield case("another index of the run", moved, MISMATCH, 5)
    yield case("run index beyond the list", changed(receipt, "run", "index", to=3), PATH, 5)
    yield case("run list of another size", changed(receipt, "run", "size", to=2), PATH, 5)
    yield case("run list that is empty", changed(receipt, "run", "size", to=0), FORM)
    elsewhere = make(dataset="traffic").receipt("s1", 2)
    for name in ("statement", "descriptor"):
        mixed = receipt | {name: elsewhere[name]}
        yield case(f"{name} of another dataset", mixed, refused("other-dataset"))
    yield case("log path of another log", receipt | {"log": elsewhere["log"]}, MISMATCH, 8)
    checkpoint = receipt | {"checkpoint": elsewhere["checkpoint"]}
    yield case("checkpoint of another log", checkpoint, MISMATCH, 8)


def _form(receipt: dict[str, Any]) -> Iterator[Case]:
    text = canonical.dumps(receipt)
    spelled = f"{FORM}.not-canonical"
    yield case("two final newlines", text + "\n\n", spelled)
    yield case("a blank before it", " " + text, spelled)
    yield case("indented", json.dumps(receipt, indent=1, sort_keys=True), spelled)
    yield case("members in another order", json.dumps(receipt, separators=(",", ":")), spelled)
    yield case("Windows line ends", text + "\r\n", spelled)
    yield case("an escape that isn't needed", text.replace("acl", "\\u0061cl"), spelled)
    yield case("a byte order mark", "\ufeff" + text, FORM)
    yield case("a member twice", text[:-1] + ',"v":"receipt/1"}', FORM)
    yield case("cut off", text[: len(text) // 2], FORM)
    yield case("cut off by its last byte", text[:-1], FORM)
    yield case("a number with fraction", text.replace('"size":3', '"size":3.0'), FORM)
    yield case("a number with exponent", text.replace('"size":3', '"size":3e0'), FORM)
    yield case("nothing", "", FORM)
    yield case("null", "null", FORM)
    yield case("a list", f"[{text}]", FORM)
    yield case("deeply nested", "[" * 100_000, FORM)
    yield case("a number of 5000 digits", "9" * 5000, FORM)


def _members(receipt: dict[str, Any]) -> Iterator[Case]:
    for name in receipt:
        if name != "payload":
            yield case(f"without {name}", changed(receipt, name, to=...), FORM)
        yield case(f"{name} that is null", changed(receipt, name, to=None), FORM)
        yield case(f"{name} that is a number", changed(receipt, name, to=7), FORM)
    for outer in ("run", "log"):
        for name in receipt[outer]:
            yield case(f"{outer} without {name}", changed(receipt, outer, name, to=...), FORM)
        yield case(f"{outer} with more", changed(receipt, outer, "hint", to=1), FORM)
    for name in receipt["anchors"][0]:
        yield case(f"anchor without {name}", changed(receipt, "anchors", 0, name, to=...), FORM)
    yield case(
        "anchor with evidence as text", changed(receipt, "anchors", 0, "evidence", to=""), FORM
    )
    yield case("anchor of size 0", changed(receipt, "anchors", 0, "size", to=0), FORM)
    yield case(
        "anchor with a kind of two words", changed(receipt, "anchors", 0, "kind", to="a b"), FORM
    )
    yield case("anchor with a short root", changed(receipt, "anchors", 0, "root", to="aa"), FORM)
    yield case("a thousand and one anchors", receipt | {"anchors": [None] * 1001}, FORM)
    yield case("an unknown member", receipt | {"comment": "hello"}, FORM)
    yield case("a key inside", receipt | {"logs": [{"key": "mine"}]}, FORM)
    yield case("another version", receipt | {"v": "receipt/2"}, FORM)
    yield case("an unknown kind", receipt | {"kind": "page"}, FORM)
    yield case("a kind that is a list", receipt | {"kind": ["record"]}, FORM)
    yield case("a row's member", receipt | {"row": {"number": 0, "bytes": "", "salt": ""}}, FORM)
    yield case("a file's member", receipt | {"file": {"salt": ""}}, FORM)
    yield case("a negative index", changed(receipt, "log", "index", to=-1), FORM)
    yield case("an index that is true", changed(receipt, "log", "index", to=True), FORM)
    for name, text in (
        ("blanks", "e yJ9"),
        ("no padding", "e30"),
        ("url-safe", "_-8="),
        ("?", "é"),
    ):
        yield case(f"payload in base64 with {name}", receipt | {"payload": text}, FORM)
    for name in ERASED:
        erased = {key: value for key, value in ERASED.items() if key != name}
        yield case(f"erased without {name}", receipt | {"erased": erased}, FORM)
    yield case("erased at no time", receipt | {"erased": ERASED | {"at": "today"}}, FORM)
    long = receipt | {"erased": ERASED | {"ground": "x" * 501}}
    yield case("erased for a reason without end", long, FORM)
    escape = receipt | {"erased": ERASED | {"ground": "\x1b[2J"}}
    yield case("erased with a control character", escape, FORM)
    yield case("consistency without path", receipt | {"consistency": {"size": 3}}, FORM)
    yield case("consistency to size 0", receipt | {"consistency": {"size": 0, "path": []}}, FORM)
    yield case("a malformed trust file", receipt, "malformed-trust", trust="malformed")


def _versions(city: City, is_open: bool) -> Iterator[Case]:
    row, file = city.row_receipt(3, 1, ROWS[1]), city.file_receipt(3)
    salt = refused("version-salt")
    yield case("another row", changed(row, "row", "bytes", to="YSwyCg=="), MISMATCH, 6)
    yield case("another row given", row, PAYLOAD, payload=ROWS[0])
    yield case("the row without its newline given", row, PAYLOAD, payload=ROWS[1][:-1])
    yield case("another row number", changed(row, "row", "number", to=0), MISMATCH, 6)
    yield case("the last row's number", changed(row, "row", "number", to=2), PATH, 6)
    yield case("a row number beyond the rows", changed(row, "row", "number", to=3), PATH, 6)
    yield case("a row's path with one more", row | {"path": [*row["path"], "aa" * 32]}, PATH, 6)
    yield case("a row of a text as number", changed(row, "row", "number", to="1"), FORM)
    yield case("a row called erased", row | {"erased": ERASED}, FORM)
    yield case("a row with a payload", row | {"payload": ""}, FORM)
    yield case("a row with a short salt", changed(row, "row", "salt", to="aa" * 31), FORM)
    yield case("a row without salt", changed(row, "row", "salt", to=...), FORM)
    moved = row | {"descriptor": city.batches[0].descriptor}
    yield case("a row under a batch of records", moved, refused("row-in-records"))
    wrong = "aa" * 32 if is_open else ""
    yield case("a row with the other sort of salt", changed(row, "row", "salt", to=wrong), salt)
    yield case("another file given", file, PAYLOAD, payload=CONTENT + b"\n")
    yield case("an empty file given", file, PAYLOAD, payload=b"")
    yield case("a file with a short salt", changed(file, "file", "salt", to="aa" * 31), FORM)
    yield case("a file without salt", changed(file, "file", "salt", to=...), FORM)
    yield case("a file with a path", file | {"path": []}, FORM)
    yield case("a file with the other sort of salt", changed(file, "file", "salt", to=wrong), salt)
    records = file | {"descriptor": city.batches[0].descriptor}
    yield case("a file under a batch of records", records, refused("file-in-records"))
    record = city.receipt("s1", 2) | {"descriptor": city.batches[3].descriptor}
    yield case("a record under a version", record, refused("statement-in-version"))
    text = retold(file["descriptor"], corrects=1, version=2)
    yield case("a version called a later one", file | {"descriptor": text}, MISMATCH, 8)
    hashed = "digest" if is_open else "commitment"
    forged = file | {"descriptor": retold(file["descriptor"], **{hashed: "aa" * 32})}
    yield case("a file of another hash", forged, MISMATCH, 8)
    yield case("a file of another hash, given", forged, PAYLOAD, payload=CONTENT)
    if not is_open:
        kept = file | {"erased": ERASED}
        yield case("an erased file with its salt", kept, salt)
        gone = changed(kept, "file", "salt", to="")
        yield case("a copy of an erased file", gone, refused("salt-erased"), payload=CONTENT)
        yield case(
            "another salt, the file given",
            changed(file, "file", "salt", to="aa" * 32),
            PAYLOAD,
            payload=CONTENT,
        )
        flipped = changed(row, "row", "salt", to=flip(row["row"]["salt"]))
        yield case("another row salt", flipped, MISMATCH, 6)
