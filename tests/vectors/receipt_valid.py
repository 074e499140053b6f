# SPDX-License-Identifier: Apache-2.0
"""Receipts that hold, and what each of their checks says."""

import json
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

from notary.core import canonical
from tests.core import reference
from tests.core.maker import LOG, OTHER_LOG, STRANGER, WITNESSES, City, hexes, make
from tests.vectors import expected, steps, trusts

Case = dict[str, Any]

RECORD = {
    "statement": "held",
    "payload": "held",
    "run": "held",
    "batch": "held",
    "log": "held",
    "checkpoint": "held",
    "witnesses": "not-checked",
    "time": "own-word",
    "anchor": "own-word",
}
WITNESSED = {"witnesses": "held", "time": "held"}
ROWS = [b"a,1\n", b"b,2\n", "城,3\n".encode()]
CONTENT = b"name,n\n" + b"".join(ROWS)
ERASED = {
    "at": "2027-01-02T03:04:05.000000Z",
    "ground": "PIPL art. 47",
    "record": "erasures/office/12",
}


def case(
    desc: str,
    receipt: dict[str, Any] | str,
    error: str | None,
    step: int | None = None,
    **more: Any,
) -> Case:
    """One case, the trust file being the usual one where none is named; which step refuses it."""
    text = receipt if isinstance(receipt, str) else canonical.dumps(receipt)
    payload = more.pop("payload", None)
    if payload is not None:
        more["payload"] = b64encode(payload).decode()
    more |= steps.step("receipt-v1.md", error, step)
    return {"desc": desc, "receipt": text, "trust": "usual", "wantErr": error} | more


def valid(desc: str, receipt: dict[str, Any] | str, want: dict[str, str], **more: Any) -> Case:
    """A case that holds, and its whole answer."""
    found = case(desc, receipt, None, want=want, **more)
    trust = json.loads(trusts.TEXTS[found["trust"]])
    members = json.loads(found["receipt"])
    verdict = expected.receipt_verdict(members, trust, want, more.get("payload"))
    return found | {"verdict": verdict}


def with_version(is_open: bool) -> City:
    """A city whose log ends with a version of a table."""
    city = make(is_open)
    city.seal_version(ROWS, CONTENT)
    return city


def consistency(city: City, size: int, to: int) -> dict[str, Any]:
    """The member which shows that the log grew from one size to the other."""
    path = reference.proof(size, city.log_leaves(to))
    return {"size": to, "path": hexes(path)}


def cases() -> Iterator[Case]:
    """At least one for each way through the verification."""
    yield from _records()
    yield from _versions()
    yield from _signers()


def _records() -> Iterator[Case]:
    usual = make().receipt()
    yield valid("open dataset, payload inside", usual, RECORD)
    without = {name: usual[name] for name in usual if name != "payload"}
    unchecked = RECORD | {"payload": "not-checked"}
    yield valid("open dataset, a final newline", canonical.dumps(without) + "\n", unchecked)
    yield valid("open dataset, payload given", without, RECORD, payload=b'{"t":0}')
    closed = make(is_open=False).receipt("s2", 1)
    yield valid("closed dataset, payload inside", closed, RECORD)
    del closed["payload"]
    yield valid("closed dataset, payload given", closed, RECORD, payload=b'{"t":1}')
    del closed["salt"]
    yield valid("closed dataset, neither payload nor salt", closed, unchecked)
    closed["erased"] = ERASED
    yield valid("closed dataset, erased", closed, unchecked | {"erased": "own-word"})
    without["erased"] = ERASED
    again = RECORD | {"erased": "own-word"}
    yield valid("open dataset, erased, a copy given", without, again, payload=b'{"t":0}')
    yield valid("first record of a chain", make().receipt("s1", 0), RECORD)
    yield valid("first record of a later run", make().receipt("s1", 2), RECORD)
    yield valid("a batch of one leaf in a log of one leaf", _one(), RECORD)


def _one() -> dict[str, Any]:
    city = City()
    city.accept("s0", b"")
    city.seal()
    return city.receipt("s0", 0)


def _versions() -> Iterator[Case]:
    common = {name: RECORD[name] for name in ("log", "checkpoint", "witnesses", "time", "anchor")}
    for is_open, name in ((True, "open"), (False, "closed")):
        city = with_version(is_open)
        row = city.row_receipt(3, 2, ROWS[2])
        want = common | {"payload": "held", "row": "held"}
        yield valid(f"a row of an {name} version", row, want)
        yield valid(f"a row of an {name} version, given", row, want, payload=ROWS[2])
        file, unchecked = city.file_receipt(3), common | {"payload": "not-checked"}
        yield valid(f"the file of an {name} version, not given", file, unchecked)
        held = common | {"payload": "held"}
        yield valid(f"the file of an {name} version, given", file, held, payload=CONTENT)
        erased = file | {"file": {"salt": ""}, "erased": ERASED}
        gone = unchecked | {"erased": "own-word"}
        yield valid(f"the file of an {name} version, erased", erased, gone)
    erased = with_version(True).file_receipt(3) | {"erased": ERASED}
    held = common | {"payload": "held"}
    again = held | {"erased": "own-word"}
    yield valid("an erased open file, a copy given", erased, again, payload=CONTENT)
    city = City()
    city.seal_version([], b"%PDF")
    yield valid("a file without rows", city.file_receipt(0), held, payload=b"%PDF")


def _signers() -> Iterator[Case]:
    city = make(rounds=5)

    def receipt(**checkpoint: Any) -> dict[str, Any]:
        return city.receipt("s1", 1, **checkpoint)

    witnessed = RECORD | WITNESSED
    two = receipt(witnesses=WITNESSES[:2])
    yield valid("two witnesses, none required", two, witnessed)
    yield valid("two witnesses of two", two, witnessed, trust="quorum of 2")
    mixed = receipt(log=[], witnesses=[STRANGER, WITNESSES[2], LOG, WITNESSES[0]])
    yield valid("signatures in any order, a stranger's too", mixed, witnessed, trust="quorum of 2")
    yield valid("witnesses that aren't in the trust file", two, RECORD, trust="no witnesses")
    received = int(city.records["s1"][1].statement.received.timestamp())
    late = receipt(witnesses=WITNESSES[:1], time=received + 72)
    yield valid("the witness at the last moment", late, witnessed, trust="delay of 72")
    own = RECORD | {"witnesses": "held"}
    yield valid("the witness too late", late, own, trust="delay of 60")
    early = receipt(witnesses=WITNESSES[:1], time=received - 1)
    yield valid("the witness before the notary's time", early, own)
    both = receipt(log=[LOG, OTHER_LOG], size=3)
    yield valid("two log keys, one that served the size", both, RECORD, trust="two keys")
    yield valid("the last size of a key", receipt(size=3), RECORD, trust="sizes 0 to 3")
    yield valid("the first size of a key", receipt(size=3), RECORD, trust="sizes from 3")
    unlisted = RECORD | {"anchor": "not-checked"}
    yield valid("a ledger that isn't listed", receipt(), unlisted, trust="no ledger")
    yield valid("no anchor", receipt() | {"anchors": []}, unlisted)
    earlier = receipt() | {"anchors": [city.anchor(0, 2), city.anchor(0)]}
    yield valid("anchors of two sizes", earlier, RECORD)
    many = receipt() | {"anchors": [city.anchor(0)] * 22}
    yield valid("more anchors than are read", many, RECORD)
    evm = city.anchor(0) | {"kind": "evm", "evidence": {"tx": "0x1", "block": 7}}
    package = receipt() | {"anchors": [evm]}
    yield valid("evidence of another kind", package, unlisted, trust="file is an EVM chain")
    good = RECORD | {"consistency": "held"}
    yield valid("the last good state", receipt(size=3), good, trust="compromised after 3")
    grown = receipt(size=3) | {"consistency": consistency(city, 3, 5)}
    yield valid("a path to the last good state", grown, good, trust="compromised after 5")
    vouched = receipt(size=3, witnesses=WITNESSES[:1])
    quorum = "compromised after 5, quorum of 1"
    yield valid("witnesses instead of a path", vouched, good | WITNESSED, trust=quorum)
    beside = RECORD | {"consistency": "not-checked"}
    yield valid("a path that nothing needs", grown, beside)
