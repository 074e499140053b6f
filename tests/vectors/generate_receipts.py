# SPDX-License-Identifier: Apache-2.0
"""
Writes receipts.json and windows.json: `python -m tests.vectors.generate_receipts`.

`trusts` holds trust files by name. Each case has `desc` (what was done), `receipt` or
`window` (the file's text), `trust` (a name), perhaps `payload` (base64: what the asker
holds) or `payloads` (pairs of salt and payload), and `wantErr`: the code of the error
that must follow, for some followed by a dot and its reason, or null. A refused one has `step`: what
refuses it; a valid one `want`: the status of each check, and `verdict`: the whole answer
(docs/spec/verdict-v1.md). All that follows is stated from how a case was made; keys, salts and
times are the same in each run.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.vectors import (
    receipt_attacks,
    receipt_dishonest,
    receipt_edges,
    receipt_shapes,
    receipt_signers,
    receipt_sizes,
    receipt_trusts,
    receipt_valid,
    receipt_words,
    trusts,
    window_cases,
)

Case = dict[str, Any]


def receipts() -> Iterator[Case]:
    """Valid receipts, changed ones, ones of a dishonest notary, ones signed otherwise."""
    yield from receipt_valid.cases()
    yield from receipt_attacks.cases()
    yield from receipt_dishonest.cases()
    yield from receipt_signers.cases()
    yield from receipt_sizes.cases()
    yield from receipt_words.cases()
    yield from receipt_edges.cases()
    yield from receipt_shapes.cases()
    yield from receipt_trusts.cases()


def build() -> dict[str, str]:
    """The files by name."""
    files = {"receipts.json": list(receipts()), "windows.json": list(window_cases.cases())}
    return {name: _dumps(cases) for name, cases in files.items()}


def _dumps(cases: list[Case]) -> str:
    used = {case["trust"] for case in cases}
    known = trusts.TEXTS | receipt_trusts.TEXTS
    named = {name: text for name, text in known.items() if name in used}
    return json.dumps({"trusts": named, "cases": cases}, ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    for name, text in build().items():
        (Path(__file__).parent / name).write_text(text, encoding="utf-8")
        print(name, len(json.loads(text)["cases"]), "cases")
