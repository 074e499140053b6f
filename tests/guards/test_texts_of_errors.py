# SPDX-License-Identifier: Apache-2.0
"""Every error has a status and its sentences, in every language."""

import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import iot_ingest
import iot_simulator
import notary
import schemas
from notary.api.errors import HTTP_CODES, STATUS, status_of
from notary.core.errors import NotaryError
from notary.texts import LANGUAGES, catalogue
from notary.usecases.prove import NotYet

NEVER_OVER_HTTP = {
    "acceptance-refused",
    "audit-differs",
    "bad-answer",
    "bad-signature",
    "broker-away",
    "broker-refused",
    "consistency-refused",
    "feeds-refused",
    "fork-refused",
    "log-forked",
    "malformed-note",
    "malformed-topic",
    "monitor-refused",
    "notary-error",
    "notary-unreachable",
    "online-refused",
    "payload-mismatch",
    "publish-refused",
    "quorum-not-met",
    "receipt-refused",
    "key-change-refused",
    "records-missing",
    "recover-refused",
    "recovery-refused",
    "root-mismatch",
    "roots-disagree",
    "second-root-missing",
    "settings-refused",
    "state-unusable",
    "unknown-signer",
    "witness-away",
    "witness-refused",
}
"""Codes of the command line, the sealer, ingest and the verifier: over HTTP a fault of ours."""


def all_errors() -> Iterator[type[NotaryError]]:
    """Every class of ours, after importing everything."""
    for package in (notary, iot_ingest, iot_simulator, schemas):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.startswith("notary.local"):
                importlib.import_module(module.name)
    waiting = [NotaryError]
    while waiting:
        found = waiting.pop()
        waiting += found.__subclasses__()
        if not found.__module__.startswith(("tests.", "notary.local")):
            yield found


ERRORS = sorted(set(all_errors()), key=lambda error: f"{error.__module__}.{error.__name__}")


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.__name__)
def test_an_error_has_a_status_and_a_sentence(error: type[NotaryError]) -> None:
    """It has a code in kebab case, a text in each language, and a decided status."""
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", error.code)
    for language in LANGUAGES:
        assert f"error.{error.code}" in catalogue(language)
    decided = any(parent in STATUS for parent in error.__mro__)
    assert decided != (error.code in NEVER_OVER_HTTP), "decide its status in notary/api/errors.py"
    if not decided:
        assert status_of(error) == 500


def test_one_code_has_one_status() -> None:
    """Two errors of one code are two statuses only for a body that can't even be read."""
    by_code: dict[str, set[int]] = {}
    for error in ERRORS:
        by_code.setdefault(error.code, set()).add(status_of(error))
    assert {code for code, found in by_code.items() if len(found) > 1} <= {"malformed-request"}
    assert by_code["malformed-request"] == {400, 422}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_problem_has_a_title_and_says_what_to_do(language: str) -> None:
    """The page of each problem type has all its parts."""
    codes = {error.code for error in ERRORS if status_of(error) != 500 or error in STATUS}
    codes = {code for code in codes if not code.startswith("malformed-")} | {
        "malformed-request",
        "malformed-text",
        "malformed-tile",
        "malformed-proof",
    }
    for code in (codes | set(HTTP_CODES.values())) - {NotYet.code}:
        assert f"problem.{code}.title" in catalogue(language), code
        assert f"problem.{code}.do" in catalogue(language), code


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_code_of_a_fault_has_a_sentence(language: str) -> None:
    """Whatever code the schemas give to a fault, people can read what it means."""
    codes: set[str] = set()
    doors = [Path("notary/api") / name for name in ("posting.py", "messages.py", "sources.py")]
    for file in [*Path("schemas").glob("*.py"), *doors]:
        text = file.read_text(encoding="utf-8")
        codes |= set(re.findall(r'Fault\("[^"]*", "([a-z-]+)"\)', text))
        codes |= set(re.findall(r'ValidationError\("([a-z-]+)"\)', text))
        codes |= set(re.findall(r'error="([a-z-]+)"', text))
        codes |= set(re.findall(r'(?:= |: )\["([a-z-]+)"\]', text))
        codes |= set(re.findall(r'super\(\).__init__\(\w+, "([a-z-]+)"', text))
        codes |= set(re.findall(r'"(?:required|null|unknown|type|invalid)": "([a-z-]+)"', text))
    reasons = Path("notary/core/strict_json.py").read_text(encoding="utf-8")
    codes |= {f"json-{reason}" for reason in re.findall(r'reason="([a-z0-9-]+)"', reasons)}
    refused = Path("notary/usecases/accept.py").read_text(encoding="utf-8")
    codes |= set(re.findall(r'reason="(too-large|unknown-dataset|needs-closed-dataset)"', refused))
    assert len(codes) > 25
    assert {code for code in codes if f"field.{code}" not in catalogue(language)} == set()
