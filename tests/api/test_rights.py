# SPDX-License-Identifier: Apache-2.0
"""Who may read and write what; what isn't yours is as if it weren't there."""

import json

import pytest
from werkzeug.test import TestResponse

from notary.usecases import api_keys
from tests.api.city import City, problem_of

CLOSED = "d." + "0" * 32
READS = [
    "/v1/datasets/{d}",
    "/v1/datasets/{d}/sources",
    "/v1/datasets/{d}/sources/desk",
    "/v1/datasets/{d}/sources/desk/keys",
    "/v1/datasets/{d}/sources/desk/gaps",
    "/v1/datasets/{d}/sources/desk/records",
    "/v1/datasets/{d}/sources/desk/records/0",
    "/v1/datasets/{d}/sources/desk/records/0/payload",
    "/v1/datasets/{d}/sources/desk/records/0/receipt",
    "/v1/datasets/{d}/sources/desk/window?by=n&from=0&to=1",
    "/v1/datasets/{d}/sources/desk/window/payloads?first=0&last=0",
    "/v1/datasets/{d}/versions",
    "/v1/datasets/{d}/versions/1",
    "/v1/datasets/{d}/versions/1/changes",
    "/v1/datasets/{d}/versions/1/file",
    "/v1/datasets/{d}/versions/1/receipt",
    "/v1/datasets/{d}/versions/1/rows/0",
    "/v1/datasets/{d}/versions/1/rows/0/receipt",
]
PAGES = ["/datasets/{d}", "/datasets/{d}/sources/desk/records/0"]


def told(data: bytes, name: str) -> object:
    """A problem without what differs from request to request."""
    problem = json.loads(data.replace(name.encode(), b"NAME"))
    problem.pop("request_id")
    return problem


@pytest.mark.parametrize("who", ["nobody", "another"])
def test_a_closed_dataset_is_answered_as_one_that_does_not_exist(city: City, who: str) -> None:
    """Neither status nor text nor header tells a stranger that the dataset is there."""
    closed = city.closed_dataset()
    city.record(closed)
    city.publish(closed)
    city.world.settle()
    key = None if who == "nobody" else city.other_key
    for path in READS:
        there = city.ask(path.format(d=closed), key=key)
        missing = city.ask(path.format(d=CLOSED), key=key)
        problem_of(there, 404, "not-found")
        assert told(there.data, closed) == told(missing.data, CLOSED), path
        assert headers_of(there) == headers_of(missing), path


def headers_of(answer: TestResponse) -> dict[str, str]:
    """The headers without what differs from request to request."""
    return {name: value for name, value in answer.headers.items() if name != "X-Request-ID"}


def test_the_owner_reads_a_closed_dataset(city: City) -> None:
    """The owner's key opens every address of it, and no shared cache may keep the answer."""
    closed = city.closed_dataset()
    city.record(closed)
    city.publish(closed)
    city.world.settle()
    for path in READS:
        answer = city.ask(path.format(d=closed), key=city.key)
        assert answer.status_code == 200, path
        assert "public" not in answer.headers["Cache-Control"], path


def test_an_open_dataset_is_read_without_a_key(city: City) -> None:
    """Anybody reads what is open; another department's key is no hindrance."""
    city.open_dataset()
    city.record("weather")
    city.publish("weather")
    city.world.settle()
    for path in READS:
        for key in (None, city.other_key):
            assert city.ask(path.format(d="weather"), key=key).status_code == 200, path


def test_pages_show_open_datasets_only(city: City) -> None:
    """A closed dataset has no page, not even for its owner's key."""
    closed = city.closed_dataset()
    city.record(closed)
    for path in PAGES:
        for key in (None, city.key):
            answer = city.ask(path.format(d=closed), key=key)
            assert answer.status_code == 404
            missing = city.ask(path.format(d=CLOSED), key=key)
            assert answer.data.replace(closed.encode(), CLOSED.encode()) == missing.data


def test_lists_hold_nothing_of_other_departments(city: City) -> None:
    """One sees the open datasets and one's own, and owners are not named to others."""
    city.open_dataset()
    closed = city.closed_dataset()
    mine = city.ask("/v1/datasets", key=city.key).get_json()["items"]
    others = city.ask("/v1/datasets", key=city.other_key).get_json()["items"]
    nobody = city.ask("/v1/datasets").get_json()["items"]
    assert [item["id"] for item in mine] == [closed, "weather"]
    assert [item["id"] for item in others] == [item["id"] for item in nobody] == ["weather"]
    assert all(item["owner"] == "water-works" for item in mine)
    assert not any("owner" in item for item in others + nobody)


def test_the_first_page_names_no_closed_dataset(city: City) -> None:
    """Neither id nor label of a closed dataset stands on the first page."""
    closed = city.closed_dataset()
    page = city.ask("/").get_data(as_text=True)
    assert closed not in page
    assert "Wages" not in page


@pytest.mark.parametrize("path", ["/v1/datasets", "/v1/datasets/weather/records"])
@pytest.mark.parametrize(
    "header",
    [
        None,
        "Bearer",
        "Bearer ",
        "Bearer ntr_000000000000_" + "0" * 64,
        "Bearer NTR_x",
        "Basic {key}",
        "{key}",
        "Bearer {key}0",
        "Bearer {cut}",
        "Bearer \u00e9",
        "Bearer '; DROP TABLE records; --",
    ],
)
def test_writing_needs_a_valid_key(shared: City, path: str, header: str | None) -> None:
    """401 with the same words for every key that isn't valid."""
    headers = {"Content-Type": "application/json"}
    if header is not None:
        headers["Authorization"] = header.format(key=shared.key, cut=shared.key[:-1])
    answer = shared.ask(path, method="POST", headers=headers, data=b"{}")
    problem_of(answer, 401, "api-key-unknown")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_bad_key_is_told_even_where_none_is_needed(shared: City) -> None:
    """Whoever sends a key that isn't valid learns it, instead of seeing less than expected."""
    problem_of(shared.ask("/v1/datasets/weather", key="ntr_bad"), 401, "api-key-unknown")
    problem_of(shared.ask("/v1/datasets", key="ntr_bad"), 401, "api-key-unknown")


def test_a_revoked_key_is_no_key(city: City) -> None:
    """Revoking takes effect at the next request."""
    city.open_dataset()
    api_keys.revoke_key(city.world.pool, city.key.split("_")[1], city.world.now)
    item = {"source": "a", "payload_text": "x"}
    problem_of(
        city.post("/v1/datasets/weather/records", item, key=city.key), 401, "api-key-unknown"
    )


@pytest.mark.parametrize("is_open", [True, False])
def test_only_the_owner_writes(city: City, is_open: bool) -> None:
    """Another department's key can't add a record; the answer is that of a missing name."""
    name = city.open_dataset() if is_open else city.closed_dataset()
    item = {"source": "a", "payload_text": "x"}
    there = city.post(f"/v1/datasets/{name}/records", item, key=city.other_key)
    missing = city.post("/v1/datasets/nowhere/records", item, key=city.other_key)
    problem_of(there, 404, "not-found")
    assert told(there.data, name) == told(missing.data, "nowhere")
    assert city.world.rows("SELECT count(*) FROM records") == [(0,)]


def test_an_item_cannot_name_another_dataset(city: City) -> None:
    """The dataset is the one in the address; an item has no member for it."""
    city.open_dataset()
    closed = city.closed_dataset()
    item = {"source": "a", "payload_text": "x", "dataset": closed}
    assert city.post("/v1/datasets/weather/records", item, key=city.key).status_code == 422
    assert city.world.rows("SELECT count(*) FROM records") == [(0,)]


def test_random_sources_are_found_by_label_and_by_name(city: City) -> None:
    """A gateway knows its label, a receipt the random name; both lead its owner there."""
    closed = city.closed_dataset(random_sources=True)
    accepted = city.record(closed, source="mrs-smith")
    assert accepted["source"].startswith("s.")
    city.world.settle()
    for name in ("mrs-smith", accepted["source"]):
        path = f"/v1/datasets/{closed}/sources/{name}"
        assert city.ask(path, key=city.key).get_json()["source"] == accepted["source"]
        receipt = city.ask(f"{path}/records/0/receipt", key=city.key)
        assert receipt.status_code == 200
        assert b"mrs-smith" not in receipt.data
    assert (
        city.ask(f"/v1/datasets/{closed}/sources", key=city.key).get_json()["items"][0]["label"]
        == "mrs-smith"
    )


def test_digests_of_closed_datasets_are_never_found(city: City) -> None:
    """Look-up by digest knows only open datasets that asked for it."""
    city.open_dataset("found", digest_index=True)
    city.open_dataset("unlisted")
    closed = city.closed_dataset()
    for name in ("found", "unlisted", closed):
        city.record(name, text="same bytes")
    digest = "ff4b6ad50e0cdd6a0ec1d4dc3ddb3e3a3b8e5d1c0a1f9a9f0d6c8d21aa1e7a44"
    assert city.ask(f"/v1/digests/{digest}").get_json()["items"] == []
    record = city.ask("/v1/datasets/found/sources/desk/records/0").get_json()
    items = city.ask(f"/v1/digests/{record['digest']}", key=city.key).get_json()["items"]
    assert [item["dataset"] for item in items] == ["found"]
