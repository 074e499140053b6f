# SPDX-License-Identifier: Apache-2.0
"""Over HTTP: the proof that the log only grew between any two sizes that it signed."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from notary.core.consistency import parse_consistency, verify_consistency_proof
from notary.local.postgres import Postgres
from notary.usecases.witness_rule import adopt_rule, load_rule
from tests.api.city import City, problem_of
from tests.api.conftest import standing_city
from tests.api.test_log import grow
from tests.core import reference
from tests.core.maker import WITNESSES

PATH = "/v1/log/consistency"


@pytest.fixture(scope="module")
def signed(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    """A log that signed the sizes 1, 3, 4 and 7, and holds 8 batches; for tests that only read."""
    with standing_city(postgres, tmp_path_factory) as city:
        city.open_dataset()
        for batches in (1, 2, 1, 3):
            grow(city, batches)
        city.record("weather", text="not signed yet")
        city.world.seal()
        yield city


def test_any_two_signed_sizes_are_proved(signed: City) -> None:
    """The verifier accepts each, and the path is the slow reference's."""
    trust = signed.world.parts.trust()
    leaves: list[Any] = [
        row[0] for row in signed.world.rows("SELECT leaf FROM batches ORDER BY index")
    ]
    for new in (1, 3, 4, 7):
        for old in (1, 3, 4, 7):
            if old > new:
                continue
            answer = signed.ask(f"{PATH}?from={old}&to={new}")
            assert answer.status_code == 200
            assert answer.content_type == "application/json"
            text = answer.get_data(as_text=True)
            subject = verify_consistency_proof(text, trust).subject
            assert (subject["old"], subject["new"]) == (old, new)
            assert list(parse_consistency(text).path) == reference.proof(old, leaves[:new])


def test_the_newest_is_taken_unless_another_is_asked_for(city: City) -> None:
    """Whoever remembers a size asks with that alone; it may be kept for a moment only."""
    problem_of(city.ask(f"{PATH}?from=1"), 404, "not-found")
    city.open_dataset()
    grow(city, 1)
    grow(city, 2)
    answer = city.ask(f"{PATH}?from=1")
    verdict = verify_consistency_proof(answer.data.decode(), city.world.parts.trust())
    assert (verdict.subject["old"], verdict.subject["new"]) == (1, 3)
    assert answer.headers["Cache-Control"] == "public, max-age=2"
    tag = {"If-None-Match": answer.headers["ETag"]}
    assert city.ask(f"{PATH}?from=1", headers=tag).status_code == 304
    grow(city, 1)
    assert city.ask(f"{PATH}?from=1", headers=tag).status_code == 200


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("from=2", 404, "not-found"),
        ("from=3&to=5", 404, "not-found"),
        ("from=3&to=8", 404, "not-found"),
        ("from=9007199254740991", 404, "not-found"),
        ("from=4&to=3", 404, "malformed-proof"),
        ("", 400, "malformed-request"),
        ("to=3", 400, "malformed-request"),
        ("from=0", 400, "malformed-request"),
        ("from=-1", 400, "malformed-request"),
        ("from=1.0", 400, "malformed-request"),
        ("from=%D9%A3", 400, "malformed-request"),
        ("from=9007199254740992", 400, "malformed-request"),
        ("from=3&to=", 400, "malformed-request"),
        ("from=3&to=7&more=1", 400, "malformed-request"),
    ],
)
def test_what_was_never_signed_has_no_proof(
    signed: City, query: str, status: int, code: str
) -> None:
    """Sizes between two checkpoints, beyond the newest one, in the wrong order, and no sizes."""
    problem_of(signed.ask(f"{PATH}?{query}"), status, code)


def test_what_still_lacks_its_witnesses_is_not_the_newest(city: City, tmp_path: Path) -> None:
    """As `/log/checkpoint` doesn't show it either; whoever names it gets it."""
    city.open_dataset()
    grow(city, 1)
    grow(city, 2)
    (policy := tmp_path / "policy").write_text(
        f"witness w {WITNESSES[0].verifier.vkey} http://127.0.0.1:1\nquorum w\n"
    )
    adopt_rule(city.world.pool, load_rule(policy, fails_open=False), city.world.now)
    problem_of(city.ask(f"{PATH}?from=1"), 404, "not-found")
    city.world.change(
        "UPDATE checkpoints SET met = (SELECT fingerprint FROM witness_policies),"
        " witnessed_at = signed_at WHERE size = 1"
    )
    for query, new in (("from=1", 1), ("from=1&to=3", 3)):
        text = city.ask(f"{PATH}?{query}").data.decode()
        assert f"\n{new}\n" in parse_consistency(text).new


def test_what_openapi_says_of_it(signed: City) -> None:
    """Both sizes, one of them needed."""
    spec = json.loads(signed.ask("/openapi.json").data)
    parameters = {one["name"]: one for one in spec["paths"][PATH]["get"]["parameters"]}
    assert parameters["from"]["required"] is True
    assert parameters["to"].get("required", False) is False
