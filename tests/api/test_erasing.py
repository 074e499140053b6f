# SPDX-License-Identifier: Apache-2.0
"""Erasing over HTTP: what goes, what stays and is said, and what others see of it."""

import json
from typing import Any

import pytest

from notary.core.errors import PayloadMismatch, ReceiptRefused
from notary.core.receipt import verify_receipt
from notary.usecases import api_keys
from tests.api.city import City, problem_of

TEXT = '{"name": "Wang Wei", "wage": 4711}'
ORDER = {"order": "Letter 2031-9", "ground": "PIPL, article 47", "by": "Ms Li"}
RECORD = {"source": "desk", "n": 0}
DOTS = "d." + "0" * 32


def erase(city: City, dataset: str, what: Any, status: int = 201, **more: Any) -> Any:
    """Order an erasure as the owner; what is answered."""
    path = f"/v1/datasets/{dataset}/erasures"
    answer = city.post(path, {**ORDER, **what, **more}, key=city.key)
    assert answer.status_code == status, answer.data
    return answer.get_json()


def made(city: City, *, is_open: bool) -> str:
    """A dataset with a record, posted once under an Idempotency-Key, and a version; sealed."""
    dataset = city.open_dataset(digest_index=True) if is_open else city.closed_dataset()
    item = {"source": "desk", "payload_text": TEXT, "key": "slip-1"}
    headers = {"Idempotency-Key": "once"}
    path = f"/v1/datasets/{dataset}/records"
    assert city.post(path, item, key=city.key, headers=headers).status_code == 202
    city.record(dataset, text="a neighbour")
    city.publish(dataset, b"name,wage\nWang Wei,4711\n", "?name=wang-wei.csv")
    city.publish(dataset, b"name,wage\nLi Na,12\n")
    city.world.settle()
    return dataset


def dump(city: City) -> bytes:
    """Every row of every table, as text."""
    found = b""
    for (table,) in city.world.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"):
        for row in city.world.rows(f"SELECT * FROM {table}"):
            found += b"\n".join(v if isinstance(v, bytes) else str(v).encode() for v in row) + b"\n"
    return found


@pytest.mark.parametrize("is_open", [True, False], ids=["open", "closed"])
def test_an_erased_record_is_gone_and_its_receipt_says_so(city: City, is_open: bool) -> None:
    """410 for the content, 200 for record and receipt, which tell when, why and by which record."""
    dataset = made(city, is_open=is_open)
    path = f"/v1/datasets/{dataset}/sources/desk/records/0"
    old = city.ask(f"{path}/receipt", key=city.key).get_data(as_text=True)
    done = erase(city, dataset, RECORD)
    record = done["record"]
    problem = problem_of(city.ask(f"{path}/payload", key=city.key), 410, "content-erased")
    assert ORDER["ground"] in problem["detail"]
    shown = city.ask(path, key=city.key).get_json()
    told = {"at": done["at"], "ground": ORDER["ground"], "record": record}
    assert shown["erased"] == told
    assert "payload_base64" not in shown
    assert shown["state"]["signed"] is not None
    listed = city.ask(path.removesuffix("/0"), key=city.key).get_json()["items"]
    assert [item.get("erased") for item in listed] == [told, None]
    new = city.ask(f"{path}/receipt", key=city.key).get_data(as_text=True)
    assert json.loads(new)["erased"] == told
    trust = city.world.parts.trust()
    checks = {check.code: check for check in verify_receipt(new, trust).checks}
    assert any("erased" in code for code in checks), checks
    # What was handed out before still proves it; the new one compares nothing without salt.
    verify_receipt(old, trust, payload=TEXT.encode())
    if is_open:
        verify_receipt(new, trust, payload=TEXT.encode())
        with pytest.raises(PayloadMismatch):
            verify_receipt(new, trust, payload=b"another")
    else:
        with pytest.raises(ReceiptRefused):
            verify_receipt(new, trust, payload=TEXT.encode())
    assert TEXT.encode() not in dump(city)
    assert city.world.audit().findings == ()


@pytest.mark.parametrize("is_open", [True, False], ids=["open", "closed"])
def test_an_erased_version_is_gone_and_its_receipt_says_so(city: City, is_open: bool) -> None:
    """File and rows are 410; no byte, name, digest or salt of it is left in the database."""
    dataset = made(city, is_open=is_open)
    path = f"/v1/datasets/{dataset}/versions/1"
    before = dump(city)
    (row,) = city.world.rows("SELECT salt, secret, file_digest FROM versions WHERE version = 1")
    done = erase(city, dataset, {"version": 1})
    for what in ("file", "rows/0", "rows/1/receipt"):
        problem_of(city.ask(f"{path}/{what}", key=city.key), 410, "content-erased")
    shown = city.ask(path, key=city.key).get_json()
    assert shown["erased"]["record"] == done["record"]
    assert {"name", "size_bytes"}.isdisjoint(shown)
    receipt = city.ask(f"{path}/receipt", key=city.key).get_data(as_text=True)
    assert json.loads(receipt)["erased"] == shown["erased"]
    verify_receipt(receipt, city.world.parts.trust())
    after = dump(city)
    secrets = [b"Wang Wei,4711", b"wang-wei.csv"]
    secrets += [] if is_open else [value for value in row if isinstance(value, bytes)]
    for secret in secrets:
        assert secret in before
        assert secret not in after
    assert city.ask(f"{path[:-1]}2/file", key=city.key).status_code == 200
    assert city.world.audit().findings == ()


def test_what_was_remembered_of_the_post_is_forgotten(city: City) -> None:
    """The same body again, under its Idempotency-Key and with its key, is a new record."""
    dataset = made(city, is_open=False)
    item = {"source": "desk", "payload_text": TEXT, "key": "slip-1"}
    path = f"/v1/datasets/{dataset}/records"
    headers = {"Idempotency-Key": "once"}
    assert city.post(path, item, key=city.key, headers=headers).get_json()["n"] == 0
    erase(city, dataset, RECORD)
    assert city.world.rows("SELECT count(*) FROM idempotency") == [(0,)]
    assert city.world.rows("SELECT count(*) FROM duplicates") == [(0,)]
    again = city.post(path, item, key=city.key, headers=headers).get_json()
    assert (again["n"], again["duplicate"]) == (2, False)


def test_what_can_not_be_taken_away_is_said_before_and_after(city: City) -> None:
    """In either language; a dry run changes nothing."""
    dataset = made(city, is_open=True)
    before = city.world.rows("SELECT count(*), count(payload) FROM records")
    asked = erase(city, dataset, RECORD, 200, dry_run=True)
    assert city.world.rows("SELECT count(*), count(payload) FROM records") == before
    words = [one["what"] for one in asked["remains"]]
    assert words == ["statement", "hash", "names", "elsewhere"]
    assert "public" in asked["remains"][1]["detail"]
    path = f"/v1/datasets/{dataset}/erasures?lang=zh"
    body = {**ORDER, **RECORD}
    done = city.post(path, body, key=city.key).get_json()
    assert [one["what"] for one in done["remains"]] == words
    assert "\u516c\u5f00" in done["remains"][1]["detail"]


def test_the_index_finds_an_erased_record_no_more(city: City) -> None:
    """Who holds the digest isn't led to it."""
    dataset = made(city, is_open=True)
    path = f"/v1/datasets/{dataset}/sources/desk/records/0"
    digest = city.ask(path).get_json()["digest"]
    assert city.ask(f"/v1/digests/{digest}").get_json()["items"]
    erase(city, dataset, RECORD)
    assert city.ask(f"/v1/digests/{digest}").get_json()["items"] == []


def test_the_first_order_stands(city: City) -> None:
    """Erased twice is answered by the first erasure; no second record is made."""
    dataset = made(city, is_open=False)
    first = erase(city, dataset, RECORD)
    second = erase(city, dataset, RECORD, 200, order="Another", by="Mr Other")
    for name in ("order", "by", "at", "record"):
        assert second[name] == first[name]
    listed = city.ask(f"/v1/datasets/{dataset}/erasures", key=city.key).get_json()
    assert [item["record"] for item in listed["items"]] == [first["record"]]


def test_the_erasure_has_a_receipt_of_its_own(city: City) -> None:
    """It says who, on what ground and when, and never a digest of what is gone."""
    dataset = made(city, is_open=False)
    done = erase(city, dataset, RECORD)
    city.world.settle()
    answer = city.ask(done["links"]["receipt"], key=city.key)
    verify_receipt(answer.get_data(as_text=True), city.world.parts.trust())
    said = city.ask(done["links"]["record"] + "/payload", key=city.key).get_json(force=True)
    assert (said["order"], said["ground"], said["done_by"]) == tuple(ORDER.values())
    assert (
        said["leaf"]
        == city.ask(f"/v1/datasets/{dataset}/sources/desk/records/0", key=city.key).get_json()[
            "leaf"
        ]
    )
    place = done["record"].split("/")
    problem_of(
        city.post(f"/v1/datasets/{place[0]}/records", {"source": "x", "payload_text": "y"},
                  key=city.key), 409, "kept-by-notary",
    )  # fmt: skip


def test_the_record_of_an_erasure_can_be_erased_too(city: City) -> None:
    """Names go from it and from the list; what was erased stays so, and the audit is clean."""
    dataset = made(city, is_open=False)
    log, source, _, n = erase(city, dataset, RECORD)["record"].split("/")
    erase(city, log, {"source": source, "n": int(n)}, by="Mr Zhao")
    (listed,) = city.ask(f"/v1/datasets/{dataset}/erasures", key=city.key).get_json()["items"]
    assert {"order", "by"}.isdisjoint(listed)
    assert listed["ground"] == ORDER["ground"]
    assert city.world.audit().findings == ()


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({}, "/source", "missing"),
    ({"source": "desk"}, "/n", "missing"),
    ({"n": 0}, "/source", "missing"),
    ({"version": 1, "n": 0}, "/n", "record-or-version"),
    ({"version": 1, "source": "desk", "n": 0}, "/source", "record-or-version"),
    ({"version": 0}, "/version", "range"),
    ({**RECORD, "n": -1}, "/n", "integer"),
    ({**RECORD, "chain": 1.5}, "/chain", "integer"),
    ({**RECORD, "order": ""}, "/order", "text"),
    ({**RECORD, "ground": "x" * 501}, "/ground", "text"),
    ({**RECORD, "by": "a\nb"}, "/by", "text"),
    ({**RECORD, "dry_run": 1}, "/dry_run", "boolean"),
    ({**RECORD, "all": True}, "/all", "unknown"),
]


@pytest.mark.parametrize(("what", "pointer", "code"), WRONG)
def test_a_half_order_erases_nothing(
    shared: City, what: dict[str, Any], pointer: str, code: str
) -> None:
    """Each fault is named by its place."""
    answer = shared.post("/v1/datasets/weather/erasures", {**ORDER, **what}, key=shared.key)
    problem = problem_of(answer, 422, "malformed-request")
    assert (pointer, code) in [(fault["pointer"], fault["code"]) for fault in problem["errors"]]
    assert shared.world.rows("SELECT count(*) FROM erasures") == [(0,)]


@pytest.mark.parametrize("what", [{"source": "x", "n": 0}, {**RECORD, "n": 99}, {"version": 99}])
def test_what_is_not_there_can_not_be_erased(city: City, what: dict[str, Any]) -> None:
    """404, and no record tells of an erasure that wasn't."""
    dataset = made(city, is_open=False)
    problem = city.post(f"/v1/datasets/{dataset}/erasures", {**ORDER, **what}, key=city.key)
    problem_of(problem, 404, "not-found")
    assert city.world.rows("SELECT count(*) FROM erasures") == [(0,)]


@pytest.mark.parametrize("is_open", [True, False], ids=["open", "closed"])
def test_nobody_else_erases(city: City, is_open: bool) -> None:
    """Another department is answered as of no such name, a key without `erase` is told so."""
    dataset = made(city, is_open=is_open)
    world = city.world
    keys = {}
    for department in ("tax-office", "water-works"):
        for scope in ("erase", "manage"):
            new = api_keys.NewKey(department, [scope], days=30)
            keys[department, scope] = api_keys.add_key(world.pool, new, world.now)
    path, body = f"/v1/datasets/{dataset}/erasures", {**ORDER, **RECORD}
    problem_of(city.post(path, body, key=keys["tax-office", "erase"]), 404, "not-found")
    problem_of(city.ask(path, key=keys["tax-office", "erase"]), 404, "not-found")
    problem_of(city.post(path, body, key=keys["water-works", "manage"]), 403, "scope-missing")
    problem_of(city.post(path, body), 401, "api-key-unknown")
    assert world.rows("SELECT count(*) FROM erasures") == [(0,)]
    assert city.post(path, body, key=keys["water-works", "erase"]).status_code == 201


KEEPS = [("none", 0), ("1 day", 1), ("30 days", 30), ("all", None)]


@pytest.mark.parametrize(("keep", "days"), KEEPS)
def test_a_dataset_says_what_it_keeps(city: City, keep: str, days: int | None) -> None:
    """When it is created, and changed later."""
    body = {"label": "Wages", "keep": keep}
    answer = city.post("/v1/datasets", body, key=city.key).get_json()
    assert answer["keep"] == keep
    assert city.world.rows("SELECT keep_days FROM datasets") == [(days,)]
    path = f"/v1/datasets/{answer['id']}"
    for other in ("7 days", "all"):
        changed = city.ask(
            path, method="PATCH", key=city.key, data=json.dumps({"keep": other}),
            headers={"Content-Type": "application/json"},
        )  # fmt: skip
        assert changed.get_json()["keep"] == other


@pytest.mark.parametrize("keep", ["", "0 days", "-1 days", "30", 30, "36526 days", "ALL", None])
def test_a_word_that_is_no_time_is_refused(shared: City, keep: object) -> None:
    """Nothing is dropped for a word that nobody understood."""
    answer = shared.post("/v1/datasets", {"label": "x", "keep": keep}, key=shared.key)
    assert problem_of(answer, 422, "malformed-request")["errors"][0]["pointer"] == "/keep"
