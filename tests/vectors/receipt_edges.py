# SPDX-License-Identifier: Apache-2.0
"""Receipts at the edges of times, sizes, quorums, keys and versions."""

import json
from base64 import b64decode, b64encode
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from notary.core import note
from notary.core.descriptor import Descriptor, parse_descriptor
from notary.core.hashing import leaf_hash
from notary.core.receipt import row_leaf
from notary.core.runs import Run, format_run, run_leaf, source_tag
from tests.core import reference
from tests.core.maker import (
    LOG,
    ORIGIN,
    OTHER_LOG,
    SAME_NAME,
    START,
    WITNESSES,
    City,
    hexes,
    make,
    salt,
)
from tests.core.signing import Signer
from tests.vectors import weak_keys
from tests.vectors.receipt_attacks import changed, flip, refused, retold
from tests.vectors.receipt_sizes import WANT, bare
from tests.vectors.receipt_valid import ERASED, ROWS, Case, case, valid

DESCRIPTOR, MISMATCH, PATH = "malformed-descriptor", "root-mismatch", "malformed-proof"
SIGNATURE, QUORUM, NOTE = "bad-signature", "quorum-not-met", "malformed-note"
ORDER = 2**252 + 27742317777372353535851937790883648493
HELD = WANT | {"witnesses": "held", "time": "held"}
OWN = WANT | {"witnesses": "held"}
FILE = {
    name: WANT[name] for name in ("payload", "log", "checkpoint", "witnesses", "time", "anchor")
}


def cases() -> Iterator[Case]:
    """By what is at its edge."""
    yield from _times()
    yield from _quorums()
    yield from _keys()
    yield from _signatures()
    yield from _sizes()
    yield from _numbers()
    yield from _corrections()


def noted(city: City, *signed: tuple[Signer, int], size: int | None = None) -> str:
    """A checkpoint, signed by the log and by each witness at its own time."""
    text = city.checkpoint(size).partition("\n\n")[0] + "\n"
    signatures = [signer.sign(text, time) for signer, time in signed]
    return note.format_note(text, [LOG.sign(text), *signatures])


def _seconds(shift: int) -> int:
    return int(START.timestamp()) + shift


def _times() -> Iterator[Case]:
    """A witness states whole seconds; the delay that these trust files allow is 60 or 72 s."""
    for shift, time, trust, status in (
        (0, -1, "delay of 60", "own-word"),
        (999_999, 0, "delay of 60", "held"),
        (0, 60, "delay of 60", "held"),
        (0, 61, "delay of 60", "own-word"),
        (999_999, 61, "delay of 60", "own-word"),
        (0, 0, "delay of 0", "held"),
        (0, 1, "delay of 0", "own-word"),
    ):
        city = City()
        city.accept("s1", b"1", received=START + timedelta(microseconds=shift))
        city.seal()
        receipt = bare(city.receipt("s1", 0))
        receipt["checkpoint"] = noted(city, (WITNESSES[0], _seconds(time)))
        title = f"received {shift} us after the second, a witness {time} s after it, {trust}"
        yield valid(title, receipt, HELD if status == "held" else OWN, trust=trust)
    city = City()
    city.accept("s1", b"1")
    city.seal()
    receipt = bare(city.receipt("s1", 0))
    last = 253_402_300_799
    at_last = receipt | {"checkpoint": noted(city, (WITNESSES[0], last))}
    yield valid("a witness in the last second of the year 9999", at_last, OWN)
    after = receipt | {"checkpoint": noted(city, (WITNESSES[0], last + 1))}
    yield case("a witness in the first second after it", after, SIGNATURE, 9)
    both = receipt | {"checkpoint": noted(city, (WITNESSES[0], last + 1), (WITNESSES[1], 0))}
    yield valid("the same beside a witness of 1970, none required", both, OWN)
    yield case("the same, two required", both, SIGNATURE, 9, trust="quorum of 2")


def _quorums() -> Iterator[Case]:
    city = make(rounds=1)
    receipt = bare(city.receipt("s1", 1))
    received = int(city.records["s1"][1].statement.received.timestamp())
    one, two, three = WITNESSES

    def under(*signed: tuple[Signer, int]) -> dict[str, Any]:
        return receipt | {"checkpoint": noted(city, *signed)}

    early, late = received + 10, received + 4000
    spread = under((three, late), (one, early + 10), (two, early))
    yield valid("the second of three times counts", spread, HELD, trust="quorum of 2")
    yield valid("the first of three times counts", spread, HELD, trust="quorum of 1")
    yield valid("the third of three times counts", spread, OWN, trust="quorum of 3")
    pair = under((one, early), (two, late))
    yield valid("the later of two times counts", pair, OWN, trust="quorum of 2")
    twice = under((one, late), (one, early))
    yield valid("a witness's first line counts, and its time", twice, OWN, trust="quorum of 1")
    keys = "two keys of one witness"
    renewed = under((one, late), (SAME_NAME, early), (two, early + 10))
    yield valid("a witness with two keys counts by its earliest time", renewed, HELD, trust=keys)
    for desc, signed in (
        ("a witness with two keys alone", [(one, early), (SAME_NAME, early)]),
        ("its new key alone", [(SAME_NAME, early)]),
        ("another witness alone", [(two, early)]),
        ("a witness that the trust file lacks", [(two, early), (three, early)]),
        ("the log itself under another kind", [(two, early), (_log_as_witness(), early)]),
        ("nobody", []),
    ):
        yield case(f"quorum of two names: {desc}", under(*signed), QUORUM, trust=keys)
    text = city.checkpoint().partition("\n\n")[0] + "\n"
    other = two.sign(city.checkpoint().replace("notary", "motary").partition("\n\n")[0] + "\n", 7)
    for desc, line in (
        ("a cosignature of another log's checkpoint", two.signature(other.blob)),
        ("another witness's cosignature", two.signature(one.sign(text, early).blob)),
        ("the log's signature", two.signature(LOG.sign(text).blob)),
        ("a cosignature over the text alone", two.signature(_over(two, text, early))),
        ("a cosignature with its time in little endian", two.signature(_little(two, text))),
        ("an empty cosignature", two.signature(bytes(72))),
    ):
        signed_note = note.format_note(text, [LOG.sign(text), one.sign(text, early), line])
        broken = receipt | {"checkpoint": signed_note}
        yield case(f"cosigned: {desc}", broken, SIGNATURE, trust="quorum of 1")
    for count in (1, 2, 3):
        fewer = under(*[(witness, early) for witness in WITNESSES[: count - 1]])
        yield case(f"one fewer than {count}", fewer, QUORUM, trust=f"quorum of {count}")


def _log_as_witness() -> Signer:
    return Signer(ORIGIN, note.KIND_COSIGNATURE, seed=1)


def _over(signer: Signer, text: str, time: int) -> bytes:
    return time.to_bytes(8, "big") + signer.private.sign(text.encode())


def _little(signer: Signer, text: str) -> bytes:
    return (7).to_bytes(8, "little") + signer.private.sign(note.cosigned_message(7, text))


def _keys() -> Iterator[Case]:
    """Rotation: two keys of one origin, of which one may be compromised."""
    city = make(rounds=5)
    receipt = bare(city.receipt("s1", 1, size=2))

    def under(*signers: Signer, size: int = 2) -> dict[str, Any]:
        made = bare(city.receipt("s1", 1, size=size))
        return made | {"checkpoint": city.checkpoint(size, log=signers)}

    overlap, good = "two keys in an overlap", "an overlap, the first compromised"
    for signers, name in (([LOG, OTHER_LOG], "in order"), ([OTHER_LOG, LOG], "in reverse")):
        yield valid(f"both keys of an overlap, {name}", under(*signers), WANT, trust=overlap)
        told = f"a compromised key beside a sound one, {name}"
        yield valid(told, under(*signers), WANT, trust=good)
    yield valid("the new key alone", under(OTHER_LOG), WANT, trust=overlap)
    yield valid("the sound key alone", under(OTHER_LOG), WANT, trust=good)
    none = refused("no-consistency")
    yield case("the compromised key alone", receipt, none, trust=good)
    larger = under(LOG, size=4)
    yield case(
        "the compromised key beyond its size", larger, refused("size-not-served"), trust=good
    )
    broken = city.checkpoint(2, log=[LOG, OTHER_LOG])
    line = broken.rstrip("\n").rsplit("\n", 1)[1]
    blob = bytearray(b64decode(line.rsplit(" ", 1)[1]))
    blob[40] ^= 1
    spoiled = broken.replace(line.rsplit(" ", 1)[1], b64encode(bytes(blob)).decode())
    for trust in (overlap, good):
        told = f"{trust}: the second key's line doesn't hold"
        yield case(told, receipt | {"checkpoint": spoiled}, SIGNATURE, trust=trust)
    vouched = "an overlap, the first compromised, quorum of 1"
    cosigned = city.checkpoint(2, witnesses=WITNESSES[:1])
    want = HELD | {"consistency": "held"}
    yield valid("a compromised key that a witness vouches for", receipt | {"checkpoint": cosigned},
                want, trust=vouched)  # fmt: skip
    yield case("a compromised key that nobody vouches for", receipt, QUORUM, trust=vouched)
    for size in (1, 2):
        unlisted = under(LOG, size=4) | {"consistency": {"size": size, "path": []}}
        served = refused("size-not-served")
        yield case(f"a path back to size {size}", unlisted, served, trust=good)
    collision = bare(city.receipt("s1", 1))
    yield case("a key of no point", collision, "unknown-signer", trust="a key that is no point")
    forged = LOG.sign("x\n").blob
    point = Signer(ORIGIN, seed=1)
    text = city.checkpoint().partition("\n\n")[0] + "\n"
    signature = note.Signature(ORIGIN, _no_point_id(), forged)
    signed = note.format_note(text, [point.sign(text), signature])
    told = "a key of no point beside the log's"
    yield case(told, collision | {"checkpoint": signed}, SIGNATURE, trust="a key that is no point")


def _no_point_id() -> bytes:
    return note.key_id(ORIGIN, note.KIND_ED25519, weak_keys.NO_POINT)


def _signatures() -> Iterator[Case]:
    """Ed25519, where libraries differ."""
    city = make(rounds=1)
    receipt = bare(city.receipt("s1", 1))
    text = city.checkpoint().partition("\n\n")[0] + "\n"
    good = LOG.sign(text).blob
    number = int.from_bytes(good[32:], "little")

    def signed(blob: bytes, key: bytes | None = None) -> dict[str, Any]:
        key_id = LOG.verifier.key_id if key is None else note.key_id(ORIGIN, 1, key)
        line = note.Signature(ORIGIN, key_id, blob)
        return receipt | {"checkpoint": note.format_note(text, [line])}

    for desc, blob in (
        ("S beyond the order", good[:32] + (number + ORDER).to_bytes(32, "little")),
        ("S far beyond the order", good[:32] + (number + 8 * ORDER).to_bytes(32, "little")),
        ("S with its highest bit", good[:32] + (number | 1 << 255).to_bytes(32, "little")),
        ("S = 0", good[:32] + bytes(32)),
        ("S negated", good[:32] + (ORDER - number).to_bytes(32, "little")),
        ("R with its sign flipped", good[:31] + bytes([good[31] ^ 0x80]) + good[32:]),
        ("R neutral", weak_keys.NEUTRAL + good[32:]),
        ("R not canonical", weak_keys.NEUTRAL_AGAIN + good[32:]),
        ("R no point", weak_keys.NO_POINT + good[32:]),
        ("R and S exchanged", good[32:] + good[:32]),
        ("nothing but zeros", bytes(64)),
        ("65 bytes", good + b"\x00"),
        ("a byte", b"\x00"),
        ("the text's hash signed", LOG.private.sign(leaf_hash(text.encode()))),
        ("the text signed without its newline", LOG.private.sign(text[:-1].encode())),
    ):
        yield case(f"signature: {desc}", signed(blob), SIGNATURE)
    for name, key in weak_keys.SMALL.items():
        for start, word in ((weak_keys.NEUTRAL, "R neutral"), (key, "R = A")):
            lie = signed(start + bytes(32), key)
            yield case(f"{name}, {word}, S = 0", lie, SIGNATURE, trust=name)


def _sizes() -> Iterator[Case]:
    """A log of 2^60 batches: no float can count them."""
    city = make(rounds=1)
    receipt = bare(city.receipt("s1", 1))
    descriptor = receipt["descriptor"]
    index = 5
    path = [salt("huge", level) for level in range(60)]
    node = leaf_hash(descriptor.encode())
    for level, sibling in enumerate(path):
        left, right = (sibling, node) if index >> level & 1 else (node, sibling)
        node = reference.node(left, right)

    def signed(size: int | str, hashes: Sequence[bytes], at: int = index) -> dict[str, Any]:
        text = f"{ORIGIN}\n{size}\n{b64encode(node).decode()}\n"
        checkpoint = note.format_note(text, [LOG.sign(text)])
        log = {"index": at, "path": hexes(hashes)}
        return receipt | {"checkpoint": checkpoint, "log": log}

    yield valid("a log of 2^60 batches", signed(2**60, path), WANT)
    for desc, made, error, step in (
        ("one batch more", signed(2**60 + 1, path), PATH, 8),
        ("half as many", signed(2**59, path), PATH, 8),
        ("2^53 + 1, a path as of 2^53", signed(2**53 + 1, path[:53]), PATH, 8),
        ("2^63 - 1, a path of 60", signed(2**63 - 1, path), PATH, 8),
        ("2^63", signed(2**63, path), NOTE, 7),
        ("2^64", signed(2**64, path), NOTE, 7),
        ("one index further", signed(2**60, path, 6), MISMATCH, 8),
        ("the greatest index", signed(2**60, path, 2**53 - 1), MISMATCH, 8),
        ("a hash less", signed(2**60, path[:-1]), PATH, 8),
        ("a hash more", signed(2**60, [*path, path[0]]), PATH, 8),
        ("a size in hexadecimal", signed("0x10", path), NOTE, 7),
        ("a size with an exponent", signed("1e18", path), NOTE, 7),
        ("a size of other digits", signed("\u0661\u0662", path), NOTE, 7),
        ("size 0", signed(0, path), NOTE, 7),
    ):
        yield case(f"a huge log: {desc}", made, error, step)
    beyond = signed(2**60, path)
    for bad in (2**53, 2**60, -1, 5.0):
        text = json.dumps(changed(beyond, "log", "index", to=bad), ensure_ascii=False,
                          sort_keys=True, separators=(",", ":"))  # fmt: skip
        yield case(f"a huge log: index {bad}", text, "malformed-receipt")


def numbered(
    n: int, *, chain: int = 0, count: int = 1, is_open: bool = True, **members: Any
) -> dict[str, Any]:
    """The receipt of record n of s1, in a batch that says it holds `count` from there on."""
    city = City(is_open=is_open)
    prev = salt("before") if n else bytes(32)
    made = city.accept("s1", b"1", n=n, chain=chain, prev=prev)
    received = made.statement.received
    tag = source_tag(city.dataset, "s1", city.tag_salt("s1"))
    honest = Run(0, tag, chain, n, count, 0, prev, made.leaf if count == 1 else salt("last"))
    entry = format_run(replace(honest, **members))
    descriptor = Descriptor(
        dataset=city.dataset,
        kind="records",
        number=0,
        prev=bytes(32),
        count=1,
        root=made.leaf,
        first=received,
        last=received,
        runs=run_leaf(entry),
    )
    city.append(descriptor, [made.leaf], [entry], {"s1": 0})
    city.sealed["s1", 0] = 0
    return bare(city.receipt("s1", 0))


def _numbers() -> Iterator[Case]:
    most = 2**53 - 1
    for is_open in (True, False):
        name = "open" if is_open else "closed"
        for n, chain in ((most, 0), (most - 1, most), (0, 1), (1, 1)):
            made = numbered(n, chain=chain, is_open=is_open)
            yield valid(f"{name}: n {n} of chain {chain}", made, WANT)
        for n in (0, most - 1, most):
            long = numbered(n, count=most, is_open=is_open)
            told = f"{name}: n {n} of a run of {most}"
            yield case(told, long, refused("run-too-long"))
            away = numbered(n, is_open=is_open, offset=most)
            yield case(f"{name}: n {n} at offset {most}", away, refused("run-too-long"))
            other = numbered(n, is_open=is_open, last=bytes(32))
            yield case(f"{name}: n {n} with another last", other, refused("other-last"))
            chained = numbered(n, is_open=is_open, chain=1)
            text = retold(chained["statement"], chain=0)
            moved = chained | {"statement": text}
            yield case(f"{name}: n {n} of another chain", moved, refused("other-chain"))
        for n in (most - 1, most):
            linked = numbered(n, is_open=is_open, prev=bytes(32))
            yield case(f"{name}: n {n} linked elsewhere", linked, refused("other-prev"))
            early = numbered(n, is_open=is_open, first=n - 1)
            yield case(f"{name}: n {n} behind its run", early, refused("outside-run"))
        late = numbered(most - 1, is_open=is_open, first=most)
        yield case(f"{name}: n {most - 1} before its run", late, refused("outside-run"))
    whole = numbered(most)
    for member in ("first", "count", "offset", "number", "chain"):
        for bad in (2**53, -1, 1.5, "1", None, True):
            entry = json.loads(whole["run"]["entry"]) | {member: bad}
            text = json.dumps(entry, sort_keys=True, separators=(",", ":"))
            spoiled = changed(whole, "run", "entry", to=text)
            yield case(f"a run with {member} {bad!r}", spoiled, "malformed-run")


def _corrections() -> Iterator[Case]:
    """Versions that correct earlier ones, are closed, of other profiles, without rows."""
    for is_open, name in ((True, "open"), (False, "closed")):
        city = City(is_open=is_open)
        for _ in range(2):
            city.seal_version(ROWS, b"first")
        last = parse_descriptor(city.batches.pop().descriptor)
        leaves: list[bytes] = [
            row_leaf("ndjson-v1", city.row_salt(i), row) for i, row in enumerate(ROWS)
        ]
        root = reference.mth(leaves)
        city.append(replace(last, version=2, corrects=1, profile="ndjson-v1", root=root), leaves)
        row = bare(city.row_receipt(1, 1, ROWS[1]))
        file = bare(city.file_receipt(1))
        want = FILE | {"payload": "held", "row": "held"}
        yield valid(f"a row of a correction, {name}", row, want)
        yield valid(f"the file of a correction, {name}", file, FILE)
        text = file["descriptor"]
        for desc, members, error in (
            ("itself", {"corrects": 2}, DESCRIPTOR),
            ("a later one", {"corrects": 3}, DESCRIPTOR),
            ("version 0", {"corrects": 0}, DESCRIPTOR),
            ("a text", {"corrects": "1"}, DESCRIPTOR),
            ("null", {"corrects": None}, DESCRIPTOR),
            ("more than an earlier one", {"corrects": [1]}, DESCRIPTOR),
            ("one of a version 0", {"version": 0, "corrects": 1}, DESCRIPTOR),
            ("one, as a version of no number", {"version": None}, DESCRIPTOR),
            ("one in an unknown profile", {"profile": "csv-v2"}, DESCRIPTOR),
            ("one in no profile", {"profile": None}, DESCRIPTOR),
            ("one without rows, having some", {"profile": "none"}, DESCRIPTOR),
            ("one with no row, under a root", {"count": 0}, DESCRIPTOR),
            ("one with a run list", {"runs": "aa" * 32}, DESCRIPTOR),
            ("one with both hashes", {"digest": "aa" * 32, "commitment": "aa" * 32}, DESCRIPTOR),
            ("one that ends before it begins", {"last": "2026-11-24T08:00:00.000000Z"}, DESCRIPTOR),
            ("one as the first of its dataset", {"number": 0}, DESCRIPTOR),
            ("one at another time", {"last": "2026-11-24T09:00:00.000000Z"}, MISMATCH),
            ("one as version 3", {"version": 3}, MISMATCH),
            ("one in another dataset", {"dataset": "traffic"}, MISMATCH),
        ):
            spoiled = file | {"descriptor": retold(text, **members)}
            step = 8 if error == MISMATCH else None
            yield case(f"a correction of {desc}, {name}", spoiled, error, step)
        members = json.loads(text)
        del members["corrects"]
        hidden = json.dumps(members, sort_keys=True, separators=(",", ":"))
        told = f"a correction that hides what it corrects, {name}"
        yield case(told, file | {"descriptor": hidden}, MISMATCH, 8)
        other = row | {"descriptor": retold(text, profile="csv-v1")}
        yield case(f"a row of a correction in the other profile, {name}", other, MISMATCH, 6)
        old = row | {"descriptor": city.batches[0].descriptor}
        yield case(f"a row of a correction in what it corrects, {name}", old, MISMATCH, 6)
        gone = file | {"erased": ERASED, "file": {"salt": ""}}
        yield valid(
            f"the file of a correction, erased, {name}", gone, FILE | {"erased": "own-word"}
        )
        empty = row | {"path": [flip(row["path"][0]), *row["path"][1:]]}
        yield case(f"a row of a correction with another path, {name}", empty, MISMATCH, 6)
