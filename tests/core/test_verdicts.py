# SPDX-License-Identifier: Apache-2.0
"""
Every case of the vectors is answered exactly as it says, word for word, and refused by the step
that it names: what `verify.pyz` and `verify.js` are compared with too.
"""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import notary.core
from notary.core.errors import NotaryError
from tests.core.signing import remember_signatures
from tests.vectors import generate_receipts
from tests.vectors.answering import answers, verdict_of, wanted

FOLDER = Path(generate_receipts.__file__).parent
NAMES = (
    "receipts.json",
    "windows.json",
    "acceptances.json",
    "tlog_proofs.json",
    "cose_receipts.json",
    "consistencies.json",
    "forks.json",
)
FILES = {name: json.loads((FOLDER / name).read_text("utf-8")) for name in NAMES}
CORE = Path(notary.core.__file__).parent
SOURCES = {str(path): path.read_text("utf-8").split("\n") for path in CORE.glob("*.py")}
OTHERS = ("window", "acceptance", "proof", "consistency", "fork")
KINDS = ("record", "row", "file", *OTHERS)
"""`proof`: a receipt in a format of others."""
STEPS = {
    "receipt-v1.md": range(1, 11),
    "window-v1.md": range(1, 6),
    "acceptance-v1.md": range(1, 6),
    "tlog-proof-v1.md": (1,),
    "cose-receipt-v1.md": (1, 3, 4),
    "consistency-v1.md": range(1, 7),
    "fork-v1.md": range(1, 6),
}


@pytest.fixture(autouse=True)
def _signatures_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thousands of cases share a few checkpoints."""
    remember_signatures(monkeypatch)


def step_of(error: NotaryError, page: str) -> str | None:
    """The step that refused: the one that the code cites last before the line that raised."""
    found, place = None, error.__traceback__
    while place is not None:
        code = place.tb_frame.f_code
        lines = SOURCES.get(code.co_filename, [])[code.co_firstlineno - 1 : place.tb_lineno]
        cited = re.findall(rf"{re.escape(page)}, step (\d+)(?! to step)", "\n".join(lines))
        if cited:
            found = f"{page}, step {cited[-1]}"
        place = place.tb_next
    return found


def kind_of(case: dict[str, Any]) -> str:
    """What a case is about; of what is no receipt at all, a record."""
    for kind in OTHERS:
        if kind in case:
            return kind
    found = re.search(r'"kind":"(row|file)","log"', case["receipt"])
    return found[1] if found else "record"


@pytest.mark.parametrize("name", NAMES)
def test_each_case_is_answered_as_it_says(name: str) -> None:
    """Kind, subject, origin, fingerprint and every check with its facts; or code and reason."""
    cases = FILES[name]["cases"]
    for case, answer in zip(cases, answers(FILES[name]), strict=True):
        assert (case["desc"], answer) == (case["desc"], wanted(case))


@pytest.mark.parametrize("name", NAMES)
def test_each_refusal_comes_from_the_step_that_its_case_names(name: str) -> None:
    """So what the code cites is what the code does."""
    for case in FILES[name]["cases"]:
        if case["wantErr"] is None:
            assert "step" not in case
            continue
        with pytest.raises(NotaryError) as caught:
            verdict_of(case, FILES[name]["trusts"])
        page = case["step"].partition(",")[0]
        assert (case["desc"], step_of(caught.value, page)) == (case["desc"], case["step"])


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_has_ten_attacks_to_a_valid_case(kind: str) -> None:
    """Of records, rows, files, windows and acceptances alike."""
    counts = Counter(
        case["wantErr"] is None
        for file in FILES.values()
        for case in file["cases"]
        if kind_of(case) == kind
    )
    assert counts[True] >= 4
    assert counts[False] >= 10 * counts[True]


def test_every_step_that_can_refuse_does() -> None:
    """Each step of each page has its attack; step 2 of others' formats is that of the receipt."""
    refused = {case.get("step") for file in FILES.values() for case in file["cases"]}
    for page, steps in STEPS.items():
        for step in steps:
            assert f"{page}, step {step}" in refused
