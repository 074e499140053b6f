# SPDX-License-Identifier: Apache-2.0
"""The pages under docs/spec: their examples are true, and what the code cites is there."""

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

from notary.core import canonical
from notary.core.acceptance import verify_acceptance
from notary.core.descriptor import parse_descriptor
from notary.core.receipt import row_leaf, verify_receipt
from notary.core.row_profiles import row_cutter
from notary.core.runs import parse_run
from notary.core.statement import parse_statement
from notary.core.tree import root
from notary.core.trust import parse_trust
from notary.core.window import verify_window
from tests.core import promises
from tests.core.maker import WITNESSES, make, trust

ROOT = Path(__file__).parents[1]
PAGES = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "docs/spec").glob("*.md")}
STEP = re.compile(r"([a-z0-9-]+\.md),\s(?:#\s)?step ([0-9]+)(?! to step)")
"""A step that the code makes: `PAGE.md, step N`; of a span nothing is made at that place."""
CITATION = re.compile(r"docs/spec/([a-z0-9-]+\.md)((?:,? (?:section|rules?|steps?) [^.;:)\n]+)*)")


def examples(page: str, what: str) -> list[str]:
    """The fenced blocks of one sort."""
    return re.findall(rf"^```{what}\n(.*?)\n```$", PAGES[page], re.DOTALL | re.MULTILINE)


def example(page: str, what: str) -> str:
    found = examples(page, what)
    assert len(found) == 1
    return found[0]


def compacted(page: str, what: str) -> str:
    """An example that is shown with line breaks, as the file has it."""
    return canonical.dumps(json.loads(example(page, what)))


TRUST = compacted("trust-v1.md", "trust")
RECEIPT = make().receipt("s1", 2, witnesses=WITNESSES[:1])


def test_the_receipt_holds_under_the_trust_file() -> None:
    """With every check that it can have."""
    verdict = verify_receipt(compacted("receipt-v1.md", "receipt"), TRUST)
    held = [check.code for check in verdict.checks if check.status == "held"]
    assert held == [
        "statement",
        "payload",
        "run",
        "batch",
        "log",
        "checkpoint",
        "witnesses",
        "time",
    ]
    assert [check.code for check in verdict.checks if check.status == "own-word"] == ["anchor"]


def test_the_window_holds_under_the_trust_file() -> None:
    """With its neighbours, which were not asked for."""
    verdict = verify_window(compacted("window-v1.md", "window"), TRUST)
    assert (verdict.first, verdict.last, verdict.open_end) == (1, 5, False)
    assert (verdict.asked_first, verdict.asked_last) == (2, 4)


def test_the_examples_are_those_of_the_tests_notary() -> None:
    """So no page shows what was never made."""
    city = make()
    asked: dict[str, Any] = {"by": "n", "from": 2, "to": 5}
    window = city.window(asked, 1, 5, witnesses=WITNESSES[:1])
    trusted = trust(witnesses=[WITNESSES[0].verifier.vkey], quorum=1)
    assert compacted("receipt-v1.md", "receipt") == canonical.dumps(RECEIPT)
    assert compacted("window-v1.md", "window") == canonical.dumps(window)
    assert canonical.dumps(trusted) == TRUST
    assert parse_trust(TRUST + "\n").quorum == 1


def test_the_acceptance_holds_under_the_key_that_is_shown() -> None:
    """And is one of the tests' notary."""
    shown = compacted("acceptance-v1.md", "acceptance")
    assert shown == canonical.dumps(promises.acceptance(*promises.segment(), 2))
    key = json.loads(example("acceptance-v1.md", "key"))
    verdict = verify_acceptance(shown, canonical.dumps(trust(keys=[key])))
    assert [check.code for check in verdict.checks if check.status == "held"] == [
        "statement",
        "promise",
    ]


def test_the_texts_are_those_of_the_receipt() -> None:
    """Statement with its leaf, descriptor, entry of the run list."""
    statement = example("statement-v1.md", "statement")
    assert statement == RECEIPT["statement"]
    assert parse_statement(statement).n == 2
    leaf = hashlib.sha256(b"\x00" + statement.encode()).hexdigest()
    assert example("statement-v1.md", "leaf") == leaf
    records, version = examples("descriptor-v1.md", "descriptor")
    assert records == RECEIPT["descriptor"]
    assert parse_descriptor(version).kind == "version"
    entry = example("descriptor-v1.md", "run")
    assert entry == RECEIPT["run"]["entry"]
    assert parse_run(entry).first == 2


def test_the_table_is_cut_into_the_rows_that_are_shown() -> None:
    """With their leaves and root; and so is the same table saved otherwise."""
    table = example("rows-v1.md", "csv") + "\n"
    for file in (table.replace("\n", "\r\n"), table, "\ufeff" + table[:-1]):
        cutter = row_cutter("csv-v1")
        rows = [row for _, row in cutter.feed(file.encode()) + cutter.finish()]
        assert [row.hex() for row in rows] == example("rows-v1.md", "rows").split()
        leaves = [row_leaf("csv-v1", b"", row) for row in rows]
        shown = [*leaves, root(leaves)]
        assert [hash_.hex() for hash_ in shown] == example("rows-v1.md", "leaves").split()


def sources(folder: str) -> list[Path]:
    """The code of a folder: Python, and the contract's Solidity."""
    return sorted(p for p in (ROOT / folder).rglob("*") if p.suffix in (".py", ".sol"))


def citations() -> list[tuple[str, str, str]]:
    """Where the code cites which page, and which place on it."""
    found = []
    for folder in ("notary", "schemas", "iot_ingest"):
        for path in sources(folder):
            text = re.sub(r"\s+", " ", path.read_text(encoding="utf-8"))
            found += [(path.name, page, place) for page, place in CITATION.findall(text)]
    return found


@pytest.mark.parametrize(("source", "page", "place"), citations())
def test_what_the_code_cites_is_there(source: str, page: str, place: str) -> None:
    """The page, the section, and each rule or step by its number."""
    text = PAGES[page]
    section = re.search(r"section ([A-Z][A-Za-z ]*?)(?:,|\.|$)", place)
    if section:
        text = text[text.index(f"\n## {section[1].strip()}\n") :]
        text = text.split("\n## ")[1]
    for numbers in re.findall(r"(?:rules?|steps?) ([0-9][0-9, andto]*)", place):
        for number in re.findall(r"[0-9]+", numbers):
            assert re.search(rf"^{number}\. ", text, re.MULTILINE), (source, page, number)


def steps(page: str) -> set[int]:
    """The numbered steps of a page's verification."""
    _, _, section = PAGES[page].partition("\n## Verification\n")
    section = section.split("\n## ")[0]
    return {int(number) for number in re.findall(r"^([0-9]+)\. ", section, re.MULTILINE)}


def made() -> dict[str, set[int]]:
    """The steps that the code says it makes, by page."""
    found: dict[str, set[int]] = {page: set() for page in PAGES}
    for path in sources("notary"):
        for page, number in STEP.findall(path.read_text(encoding="utf-8")):
            found[page].add(int(number))
    return found


@pytest.mark.parametrize("page", [page for page in PAGES if steps(page)])
def test_each_step_is_cited_where_it_is_made(page: str) -> None:
    """None is left out, and none is cited that the page hasn't."""
    assert made()[page] == steps(page)


def test_what_is_verified_has_steps() -> None:
    """All pages of files that somebody is handed."""
    handed = {"receipt", "window", "acceptance", "trust", "consistency", "fork"}
    assert {f"{name}-v1.md" for name in handed} | {"append-only-log.md"} <= {
        page for page in PAGES if steps(page)
    }


def test_the_code_cites_every_page() -> None:
    """A page that no code follows would be a wish."""
    assert {page for _, page, _ in citations()} == PAGES.keys()


@pytest.mark.parametrize("page", PAGES)
def test_a_page_begins_with_an_example_and_says_rules_before_steps(page: str) -> None:
    """And no example is left empty."""
    titles = re.findall(r"^## (.+)$", PAGES[page], re.MULTILINE)
    assert titles[0] == "Example"
    if "Verification" in titles:
        assert "Rules" in titles[: titles.index("Verification")]
    blocks = re.findall(r"^```[a-z-]*\n(.*?)^```$", PAGES[page], re.DOTALL | re.MULTILINE)
    assert blocks
    assert not [block for block in blocks if block.strip() in ("", "{}", "[]")]


@pytest.mark.parametrize("page", PAGES)
def test_rules_and_steps_are_numbered_without_a_gap(page: str) -> None:
    """In each section of a page."""
    for section in PAGES[page].split("\n## "):
        numbers = [int(number) for number in re.findall(r"^([0-9]+)\. ", section, re.MULTILINE)]
        assert numbers == list(range(1, len(numbers) + 1))
