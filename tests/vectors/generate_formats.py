# SPDX-License-Identifier: Apache-2.0
"""
Writes tlog_proofs.json and cose_receipts.json: `python -m tests.vectors.generate_formats`.

`trusts` holds trust files by name. Each case has `desc` (what was done), `proof` (the file: a
tlog-proof's text, a COSE receipt in base64), `trust` (a name), perhaps `payload` (base64), and
`wantErr`: the code of the error that must follow, for some followed by a dot and its reason, or
null. A refused case has `step`, which refuses it; a valid one has `verdict`, the whole answer. The
lies of receipts.json that have a place in these formats are told again in them. Keys, salts and
times are the same in each run.
"""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from notary.core import canonical
from notary.core.trust import format_trust
from tests.core import formats
from tests.core.maker import WITNESSES, City, make
from tests.vectors import expected, receipt_dishonest, receipt_signers, trusts
from tests.vectors.cose_attacks import cose_attacks
from tests.vectors.receipt_valid import CONTENT, RECORD, ROWS, WITNESSED, with_version
from tests.vectors.tlog_attacks import tlog_attacks

Case = dict[str, Any]
Wrap = Callable[[dict[str, Any]], str]
KEYS = [{"use": "receipt", "key": formats.KEY.verifier.vkey}]
_SIGNED = expected.check(
    "cose",
    "held",
    name=formats.KEY.verifier.name,
    fingerprint=expected.fingerprint(formats.KEY.verifier.vkey),
)
NO_PLACE = "receipt-v1.md, step 10"
"""Lies about anchors, which these formats don't carry."""
NO_SIZE = ("an empty note", "checkpoint with a size that is text, signed")
"""Checkpoints without a size, which a COSE receipt states beside them."""


def _trusts() -> dict[str, str]:
    """Those of the receipts with the key for COSE receipts, and some of these keys alone."""
    found = {}
    for name, text in trusts.TEXTS.items():
        members = json.loads(text)
        malformed = json.dumps({**members, "keys": KEYS}, sort_keys=True, separators=(",", ":"))
        found[name] = malformed if name == "malformed" else format_trust({**members, "keys": KEYS})
    usual = json.loads(trusts.TEXTS["usual"])

    def keys(*listed: Any) -> str:
        return format_trust({**usual, "keys": list(listed)})

    stranger, cosigner = formats.STRANGER_KEY.verifier.vkey, WITNESSES[0].verifier.vkey
    log = usual["logs"][0]["key"]
    old = {"use": "receipt", "key": formats.OLD_KEY.verifier.vkey}
    return found | {
        "an old key beside it": keys(old, *KEYS),
        "no keys": format_trust(usual),
        "another use": keys({"use": "acceptance", "key": KEYS[0]["key"]}),
        "another key": keys({"use": "receipt", "key": stranger}),
        "a member too many": keys({**KEYS[0], "from": 0}),
        "no key member": keys({"use": "receipt"}),
        "a cosigner's key": keys({"use": "receipt", "key": cosigner}),
        "the log's key": keys({"use": "receipt", "key": log}),
        "a key that is none": keys({"use": "receipt", "key": "x"}),
    }


TRUSTS = _trusts()


def build() -> dict[str, str]:
    """The files by name."""
    return {
        "tlog_proofs.json": _file(_cases(formats.tlog_proof, []), tlog_attacks()),
        "cose_receipts.json": _file(_cases(_cose, [_SIGNED]), cose_attacks()),
    }


def _cose(receipt: dict[str, Any]) -> str:
    return formats.base64(formats.cose_receipt(receipt))


def _file(*parts: Iterator[Case]) -> str:
    cases = [{"trust": "usual", **case} for part in parts for case in part]
    used = {case["trust"] for case in cases}
    named = {name: text for name, text in TRUSTS.items() if name in used}
    return json.dumps({"trusts": named, "cases": cases}, ensure_ascii=False, indent=1) + "\n"


def _cases(wrap: Wrap, more: list[dict[str, Any]]) -> Iterator[Case]:
    """Receipts that hold, and the lies of receipts.json, in the other format."""
    yield from _valid(wrap, more)
    for case in (*receipt_dishonest.cases(), *receipt_signers.cases()):
        receipt = _read(case["receipt"])
        if receipt is None or case["wantErr"] is None or case["step"] == NO_PLACE:
            continue
        if wrap is _cose and case["desc"] in NO_SIZE:
            continue
        told = {name: case[name] for name in case if name not in ("receipt", "want")}
        yield {**told, "proof": wrap(receipt)}


def _valid(wrap: Wrap, more: list[dict[str, Any]]) -> Iterator[Case]:
    """With their whole answers; `more` are the checks that the format adds to a receipt's."""

    def holds(
        desc: str,
        receipt: dict[str, Any],
        want: dict[str, str],
        payload: bytes | None = None,
        trust: str = "usual",
    ) -> Case:
        kept, trusted = {**receipt, "anchors": []}, json.loads(TRUSTS[trust])
        unanchored = {**want, "anchor": "not-checked"}
        verdict = expected.receipt_verdict(kept, trusted, unanchored, payload)
        verdict["checks"] += more
        given = {} if payload is None else {"payload": formats.base64(payload)}
        proof = {"proof": wrap(receipt), "trust": trust, **given}
        return {"desc": desc, **proof, "wantErr": None, "verdict": verdict}

    yield holds("a record of an open dataset", make().receipt("s1", 2), RECORD)
    yield holds("a record of a closed dataset", make(is_open=False).receipt(), RECORD)
    witnessed = make().receipt(witnesses=WITNESSES[:2])
    yield holds("two witnesses of two", witnessed, RECORD | WITNESSED, trust="quorum of 2")
    version = with_version(True)
    common = {name: RECORD[name] for name in ("log", "checkpoint", "witnesses", "time")}
    row = common | {"payload": "held", "row": "held"}
    yield holds("a row", version.row_receipt(3, 2, ROWS[2]), row)
    file = common | {"payload": "held"}
    yield holds("a file, given", version.file_receipt(3), file, CONTENT)
    alone = City()
    alone.accept("s0", b"")
    alone.seal()
    yield holds("the only record of a log of one", alone.receipt("s0", 0), RECORD)


def _read(text: str) -> dict[str, Any] | None:
    """The members of a receipt that is whole, for what is in one can stand in these formats."""
    try:
        members = json.loads(text)
        whole = canonical.dumps(members) == text
    except (ValueError, canonical.MalformedText):
        return None
    parts = {"anchors", "checkpoint", "descriptor", "kind", "log", "v"}
    return members if whole and parts <= members.keys() else None


if __name__ == "__main__":
    for name, text in build().items():
        (Path(__file__).parent / name).write_text(text, encoding="utf-8")
        print(name, len(json.loads(text)["cases"]), "cases")
