# SPDX-License-Identifier: Apache-2.0
"""The examples on the pages tlog-proof-v1 and cose-receipt-v1 are those of the tests' notary."""

import json
import re
from base64 import b64decode
from pathlib import Path
from typing import Any

import cbor2

from notary.core import canonical
from notary.core.cose_receipt import verify_cose_receipt
from notary.core.trust import parse_trust
from tests.core.formats import KEY, cose_receipt, extra_of, tlog_proof
from tests.core.maker import WITNESSES, make, trust

PAGES = Path(__file__).parents[1] / "docs" / "spec"
TLOG = (PAGES / "tlog-proof-v1.md").read_text(encoding="utf-8")
COSE = (PAGES / "cose-receipt-v1.md").read_text(encoding="utf-8")
RECEIPT = make().receipt("s1", 2, witnesses=WITNESSES[:1])


def example(page: str, what: str) -> str:
    """The one fenced block of a sort."""
    (found,) = re.findall(rf"^```{what}\n(.*?)\n```$", page, re.DOTALL | re.MULTILINE)
    return str(found)


def test_the_tlog_proof_is_the_receipts_with_its_line_cut() -> None:
    """And its extra data is the text of the receipt that is left."""
    shown = example(TLOG, "tlog-proof") + "\n"
    head, tail = shown.split("\u2026")
    whole = tlog_proof(RECEIPT)
    assert whole.startswith(head)
    assert whole.endswith(tail)
    assert head.startswith("c2sp.org/tlog-proof@v1\nextra ")
    assert tail.startswith("\nindex 1\n")
    extra = json.dumps(extra_of(RECEIPT), ensure_ascii=False, indent=2, sort_keys=True)
    assert example(TLOG, "extra") == extra


def diagnostic(value: Any, indent: str = "") -> str:
    """A value in CBOR diagnostic notation (RFC 8949 section 8), a long text cut."""
    if value is None:
        return "null"
    if isinstance(value, bytes):
        return f"h'{value.hex()}'"
    if isinstance(value, str):
        text = value if len(value) <= 60 else value[:48] + "\u2026"
        return json.dumps(text, ensure_ascii=False)
    if isinstance(value, list):
        return "[" + ", ".join(diagnostic(item) for item in value) + "]"
    if isinstance(value, dict):
        inner = indent + "  "
        lines = [f"{inner}{diagnostic(key)}: {diagnostic(value[key], inner)}" for key in value]
        return "{\n" + ",\n".join(lines) + f"\n{indent}}}"
    return str(value)


def test_the_cose_receipt_is_the_receipts_in_both_notations() -> None:
    """What is shown member by member is the file, and the file holds under the key shown."""
    data = b64decode(example(COSE, "base64"), validate=False)
    assert data == cose_receipt(RECEIPT)
    assert example(COSE, "cose") == told(data)
    key = json.loads(example(COSE, "key"))
    assert key == {"use": "receipt", "key": KEY.verifier.vkey}
    trusted = parse_trust(canonical.dumps(trust(keys=[key])))
    assert verify_cose_receipt(data, trusted).status("cose") == "held"


def told(data: bytes) -> str:
    """A COSE receipt in diagnostic notation, `<< >>` around what is encoded in it."""
    protected, unprotected, payload, signature = cbor2.loads(data).value
    (proof,) = unprotected[396][-1]
    first = diagnostic(cbor2.loads(protected), "  ")
    more = next(dict(unprotected[label]) for label in unprotected if label != 396)
    return "\n".join(
        [
            "18([",
            f"  << {first} >>,",
            "  {",
            f"    396: {{-1: [<< {diagnostic(cbor2.loads(proof))} >>]}},",
            f'    "city-notary/cose-receipt/1": {diagnostic(more, "    ")}',
            "  },",
            f"  {diagnostic(payload)},",
            f"  {diagnostic(signature)}",
            "])",
        ]
    )
