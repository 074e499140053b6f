# SPDX-License-Identifier: Apache-2.0
"""Both catalogues say the same, and everything that can be said has its text."""

import ast
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from string import Formatter

import pytest

from notary.texts import LANGUAGES, catalogue, choose, text

ROOT = Path(__file__).parents[1]
SOURCES = [
    path for name in ("notary", "iot_ingest", "schemas") for path in (ROOT / name).rglob("*.py")
]
STATUSES = {"held": "held", "own_word": "own-word", "not_checked": "not-checked"}
CHINESE = re.compile("[\u4e00-\u9fff]")


@cache
def trees() -> list[ast.Module]:
    """All sources, parsed by whoever runs these tests and not by each worker."""
    return [ast.parse(path.read_text(encoding="utf-8")) for path in SOURCES]


def placeholders(template: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(template) if name is not None}


def error_codes() -> Iterator[str]:
    """The `code` of each class that has one."""
    for tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                yield from (code for item in node.body for code in _code(item))


def _code(item: ast.stmt) -> Iterator[str]:
    targets = item.targets if isinstance(item, ast.Assign) else [getattr(item, "target", None)]
    value = getattr(item, "value", None)
    for target in targets:
        if isinstance(target, ast.Name) and target.id == "code" and isinstance(value, ast.Constant):
            yield str(value.value)


def checks() -> Iterator[str]:
    """`check.<code>.<status>` for each check that a verification can note."""
    for tree in trees():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            owner, status = node.func.value, STATUSES.get(node.func.attr)
            if isinstance(owner, ast.Name) and owner.id == "findings" and status:
                assert isinstance(node.args[0], ast.Constant)
                yield f"check.{node.args[0].value}.{status}"


def refusals() -> set[str]:
    """`error.<code>.<reason>` of each refusal that the vectors show."""
    found = set()
    for name in (
        "receipts.json",
        "windows.json",
        "acceptances.json",
        "cose_receipts.json",
        "consistencies.json",
        "forks.json",
    ):
        file = json.loads((ROOT / "tests" / "vectors" / name).read_text(encoding="utf-8"))
        found |= {f"error.{case['wantErr']}" for case in file["cases"] if case["wantErr"]}
    return found


def test_both_catalogues_have_the_same_codes() -> None:
    """What is said in one language is said in the other."""
    assert catalogue("en").keys() == catalogue("zh").keys()


def test_both_texts_of_a_code_are_filled_by_the_same_facts() -> None:
    """And each can be filled."""
    for code, english in catalogue("en").items():
        facts = placeholders(english)
        assert facts == placeholders(catalogue("zh")[code]), code
        for language in LANGUAGES:
            assert text(language, code, **dict.fromkeys(facts, "x")).strip(), (language, code)


def test_each_text_is_in_its_language() -> None:
    """Names of languages and texts that are only a fact stand outside."""
    names = {f"page.{language}" for language in LANGUAGES}
    for code, english in catalogue("en").items():
        if code not in names:
            without_facts = re.sub(r"\{\w+\}", "", english)
            is_chinese = CHINESE.search(catalogue("zh")[code]) is not None
            assert not CHINESE.search(english), code
            assert is_chinese or not re.search("[a-z]", without_facts), code


def test_every_error_has_its_text() -> None:
    """So no caller ever reads a bare code."""
    wanted = {f"error.{code}" for code in error_codes()}
    assert len(wanted) > 50
    assert wanted - catalogue("en").keys() == set()


def test_every_check_has_its_text_and_every_text_its_check() -> None:
    """Reasons refine a text, and need none of their own."""
    wanted = set(checks())
    assert len(wanted) > 15
    codes = {code for code in catalogue("en") if code.startswith("check.")}
    assert wanted <= codes
    assert {".".join(code.split(".")[:3]) for code in codes} == wanted


def test_every_reason_of_a_refusal_has_its_text_and_every_text_its_reason() -> None:
    """
    The texts of what is refused as untrue are exactly those that the vectors show, and the one
    that only a ledger can say which is asked.
    """
    shown = refusals() | {"error.receipt-refused.ledger-dropped"}
    for what in ("receipt", "acceptance", "consistency", "fork"):
        kind = f"error.{what}-refused."
        texts = {code for code in catalogue("en") if code.startswith(kind)}
        assert texts == {code for code in shown if code.startswith(kind)}


def test_a_reason_chooses_the_text() -> None:
    """Where it has one; else the text without it is taken."""
    wanted = catalogue("en")["error.receipt-refused.fork"]
    assert text("en", "error.receipt-refused", reason="fork") == wanted
    assert text("en", "error.receipt-refused", reason="other", detail="Why.").endswith("Why.")


def test_a_fact_that_is_missing_is_a_dash_and_a_code_without_text_its_detail() -> None:
    """Nobody reads a traceback because of a text."""
    assert text("en", "verify.received").startswith("received - ")
    assert text("en", "no.such.code", detail="Why.") == "Why."
    assert text("zh", "no.such.code") == "no.such.code"


def test_facts_may_have_any_name() -> None:
    """Also those of the parameters."""
    assert text("en", "verify.refused", language="x", code="y", detail="Why.") == "REFUSED. Why."


def test_an_unknown_language_has_no_catalogue() -> None:
    """`choose` never gives one."""
    with pytest.raises(KeyError):
        catalogue("../../etc/passwd")


@pytest.mark.parametrize(
    ("wanted", "language"),
    [
        (None, "en"),
        ("", "en"),
        ("C", "en"),
        ("POSIX", "en"),
        ("de_DE.UTF-8", "en"),
        ("en", "en"),
        ("zh", "zh"),
        ("ZH", "zh"),
        ("zh_CN.UTF-8", "zh"),
        ("zh_TW", "zh"),
        ("zh-Hans-CN", "zh"),
        ("zh.UTF-8", "zh"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en;q=0.8,zh;q=0.9", "zh"),
        ("en,zh", "en"),
        ("zh;q=0", "en"),
        ("zh;q=x", "en"),
        ("zh;q=nan", "en"),
        ("fr-FR,fr;q=0.9,zh;q=0.1", "zh"),
        ("*", "en"),
        (";;;,,,", "en"),
        ("x" * 1_000_000, "en"),
    ],
)
def test_the_language_is_chosen(wanted: str | None, language: str) -> None:
    """From an Accept-Language header, `--lang` or LANG."""
    assert choose(wanted) == language
