# SPDX-License-Identifier: Apache-2.0
"""What is shown of witnesses: of a record, of the log, to the operator; closed and open."""

import json
from pathlib import Path

import pytest

from notary.core.note import parse_note
from notary.core.receipt import verify_receipt
from notary.core.trust import parse_trust
from tests.api.city import City, problem_of
from tests.usecases.cosigned import TWO_OF_THREE, WITNESSES, W, adopt, cosign

RECORD = "/v1/datasets/weather/sources/desk/records/0"


@pytest.fixture
def sealed(city: City) -> City:
    """An open dataset with one record, which is signed and anchored."""
    city.open_dataset()
    city.record("weather")
    city.world.settle()
    return city


@pytest.mark.parametrize("path", [f"{RECORD}/receipt", f"{RECORD}/receipt?until=witnessed"])
def test_closed_a_receipt_waits_for_its_quorum(sealed: City, tmp_path: Path, path: str) -> None:
    """202 until two of three have signed; then it holds by the notary's trust file, for good."""
    adopt(sealed.world, tmp_path, TWO_OF_THREE)
    for signer in W[:2]:
        answer = sealed.ask(path)
        assert answer.status_code == 202
        assert answer.headers["Retry-After"]
        cosign(sealed.world, 1, signer)
    answer = sealed.ask(path)
    assert answer.status_code == 200
    assert "immutable" in answer.headers["Cache-Control"]
    trust = sealed.ask("/trust.json").text
    assert parse_trust(trust).quorum == 2
    checks = {check.code: check for check in verify_receipt(answer.text, trust).checks}
    assert (checks["witnesses"].status, checks["witnesses"].facts["count"]) == ("held", 2)


def test_open_a_receipt_is_given_and_may_still_change(sealed: City, tmp_path: Path) -> None:
    """Who asks for the quorum waits; who keeps the first one is told to ask again."""
    adopt(sealed.world, tmp_path, TWO_OF_THREE, fails_open=True)
    answer = sealed.ask(f"{RECORD}/receipt")
    assert answer.status_code == 200
    assert "immutable" not in answer.headers["Cache-Control"]
    assert sealed.ask(f"{RECORD}/receipt?until=witnessed").status_code == 202
    assert sealed.ask("/log/checkpoint").status_code == 200
    cosign(sealed.world, 1, *W[:2])
    later = sealed.ask(f"{RECORD}/receipt")
    assert "immutable" in later.headers["Cache-Control"]
    assert len(parse_note(json.loads(later.text)["checkpoint"]).unverified) == 3


def test_closed_the_log_ends_where_its_witnesses_do(sealed: City, tmp_path: Path) -> None:
    """Nobody is shown a checkpoint without its quorum, nor the receipts under it."""
    adopt(sealed.world, tmp_path, TWO_OF_THREE)
    assert sealed.ask("/log/checkpoint").status_code == 404
    cosign(sealed.world, 1, *W[:2])
    shown = sealed.ask("/log/checkpoint").text
    assert len(parse_note(shown).unverified) == 3
    sealed.record("weather", text="later")
    sealed.world.settle()
    assert sealed.ask("/log/checkpoint").text == shown
    assert sealed.ask(f"{RECORD}/receipt").status_code == 200
    assert sealed.ask(f"{RECORD.replace('/0', '/1')}/receipt").status_code == 202


def test_without_witnesses_nobody_waits_for_them(sealed: City) -> None:
    """409 says so at once."""
    problem_of(sealed.ask(f"{RECORD}/receipt?until=witnessed"), 409, "no-witnesses")
    assert sealed.ask(f"{RECORD}/receipt").status_code == 200


def test_a_trust_file_that_would_demand_less_is_not_made(sealed: City, tmp_path: Path) -> None:
    """409: groups in groups can't be said there."""
    policy = f"{WITNESSES}group a any w0 w1\ngroup b any w2 w3\ngroup c all a b\nquorum c\n"
    adopt(sealed.world, tmp_path, policy)
    problem_of(sealed.ask("/trust.json"), 409, "policy-not-flat")


def test_a_record_tells_when_and_by_whom_it_was_witnessed(sealed: City, tmp_path: Path) -> None:
    """In the API and on the pages; not before the quorum is whole."""
    adopt(sealed.world, tmp_path, TWO_OF_THREE, fails_open=True)
    cosign(sealed.world, 1, W[0])
    assert sealed.ask(RECORD).get_json()["state"]["witnessed"] is None
    pages = ("/datasets/weather/sources/desk/records/0", "/batches/0")
    for page in pages:
        assert "w0.example" not in sealed.ask(page).text
    assert "without its witnesses" in sealed.ask("/").text
    sealed.world.pass_by(5)
    cosign(sealed.world, 1, W[2])
    for page in (*pages, "/checkpoints/1"):
        assert "w0.example, w2.example" in sealed.ask(page).text
    assert "without its witnesses" not in sealed.ask("/").text
    found = sealed.ask(RECORD).get_json()["state"]["witnessed"]
    assert found["size"] == 1
    assert found["witnesses"] == ["w0.example", "w2.example"]
    assert found["at"].startswith("2031-03-05T06:07:13")
    batch = sealed.ask("/v1/batches/0").get_json()
    assert batch["witnessed"] == found


def test_status_and_metrics_tell_of_each_witness(sealed: City, tmp_path: Path) -> None:
    """Its size, its failures, an alarm: what an operator watches."""
    assert sealed.ask("/statusz").get_json()["witnesses"]["fail"] == "none"
    adopt(sealed.world, tmp_path, TWO_OF_THREE)
    cosign(sealed.world, 1, *W[:2])
    sealed.world.change(
        "UPDATE witnesses SET failures = 3, problem = 'claims-fork', claims_fork = true"
        " WHERE vkey = %s",
        W[2].verifier.vkey,
    )
    status = sealed.ask("/statusz").get_json()["witnesses"]
    assert (status["fail"], status["witnessed_size"], status["alarm"]) == ("closed", 1, True)
    items = {item["name"]: item for item in status["items"]}
    assert (items["w0.example"]["size"], items["w0.example"]["problem"]) == (1, None)
    assert (items["w2.example"]["size"], items["w2.example"]["alarm"]) == (0, True)
    metrics = sealed.ask("/metrics").text
    assert "notary_witnessed_size 1.0" in metrics
    assert 'notary_witness_size{witness="w0.example"} 1.0' in metrics
    assert 'notary_witness_failures{witness="w2.example"} 3.0' in metrics
    assert 'notary_witness_alarm{witness="w2.example"} 1.0' in metrics
