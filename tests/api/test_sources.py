# SPDX-License-Identifier: Apache-2.0
"""Sources and keys over HTTP: registered, shown, revoked, and what is refused."""

import json
from base64 import b64decode, b64encode
from typing import Any

import pytest

from notary.usecases.reading import FUTURE_DATED, KEY_REUSED, REPLAYED
from tests.api.city import City, problem_of
from tests.iot_ingest.signing import ED2_PUBLIC, ED_PUBLIC, ES_PUBLIC, SECRET

SOURCES = "/v1/datasets/weather/sources"
KEYS = f"{SOURCES}/s1/keys"
ED = {"id": "k1", "algorithm": "ed25519", "public_key": ED_PUBLIC.hex()}
MAC = {"id": "h1", "algorithm": "hmac-sha256"}


@pytest.fixture
def weather(city: City) -> City:
    """An open dataset of the water works."""
    city.open_dataset()
    return city


def register(city: City, **more: Any) -> Any:
    """Register s1; the answer."""
    answer = city.post(SOURCES, {"id": "s1", **more}, key=city.key)
    assert answer.status_code == 201, answer.data
    return answer.get_json()


def test_a_source_is_registered_with_keys(weather: City) -> None:
    """The answer tells all of it, and where it is."""
    answer = weather.post(SOURCES, {"id": "s1", "title": "Harbour", "keys": [ED]}, key=weather.key)
    made = answer.get_json()
    assert (answer.status_code, answer.headers["Location"]) == (201, f"{SOURCES}/s1")
    assert (made["source"], made["label"], made["title"]) == ("s1", "s1", "Harbour")
    (key,) = made["keys"]
    assert b64decode(key["public_key"]) == ED_PUBLIC
    assert len(key["fingerprint"]) == 64
    assert "secret" not in key


def test_a_secret_that_is_made_is_shown_once(weather: City) -> None:
    """And never again: not in lists, not in logs, not when the same is sent again."""
    made = register(weather, keys=[MAC])
    secret = made["keys"][0]["secret"]
    found = weather.world.parts.source_book().ask([("weather", "s1")])
    assert found["weather", "s1"].keys["h1"].material == b64decode(secret)
    for path in (KEYS, SOURCES, f"{SOURCES}/s1"):
        assert secret not in weather.ask(path, key=weather.key).get_data(as_text=True)
    assert secret not in json.dumps(weather.lines)
    again = weather.post(KEYS, MAC, key=weather.key)
    assert secret not in problem_of(again, 409, "sources-refused")["detail"]


def test_a_secret_that_is_given_is_not_repeated(weather: City) -> None:
    """Whoever sent it has it."""
    answer = weather.post(
        SOURCES, {"id": "s1", "keys": [{**MAC, "secret": SECRET.hex()}]}, key=weather.key
    )
    text = answer.get_data(as_text=True)
    assert answer.status_code == 201
    assert SECRET.hex() not in text
    assert b64encode(SECRET).decode() not in text


def test_a_key_is_added_and_revoked(weather: City) -> None:
    """A second one beside the first; a revoked one stays in the list as that."""
    register(weather, keys=[ED])
    times = {"valid_from": "2031-01-01T00:00:00Z", "valid_to": "2041-01-01T08:00:00+08:00"}
    es = {"id": "k2", "algorithm": "es256", "public_key": ES_PUBLIC.hex(), **times}
    added = weather.post(KEYS, es, key=weather.key)
    assert (added.status_code, added.get_json()["id"]) == (201, "k2")
    gone = weather.ask(f"{KEYS}/k1", method="DELETE", key=weather.key)
    assert (gone.status_code, gone.data) == (204, b"")
    items = weather.ask(KEYS).get_json()["items"]
    assert [(one["id"], "revoked" in one) for one in items] == [("k1", True), ("k2", False)]
    assert items[1]["valid_to"] == "2041-01-01T00:00:00.000000Z"
    problem_of(weather.ask(f"{KEYS}/k1", method="DELETE", key=weather.key), 404, "not-found")


def test_anybody_sees_the_public_keys_of_an_open_dataset(weather: City) -> None:
    """To check signatures by; that there is a secret is the owner's alone, and so is the title."""
    register(weather, title="Harbour", keys=[ED, MAC])
    weather.record("weather", source="s1")
    assert [one["id"] for one in weather.ask(KEYS).get_json()["items"]] == ["k1"]
    mine = weather.ask(KEYS, key=weather.key).get_json()["items"]
    assert [one["id"] for one in mine] == ["h1", "k1"]
    for path in (SOURCES, f"{SOURCES}/s1", "/datasets/weather"):
        for key in (None, weather.other_key):
            assert "Harbour" not in weather.ask(path, key=key).get_data(as_text=True)
    shown = weather.ask(f"{SOURCES}/s1", key=weather.key).get_json()
    assert (shown["title"], "registered" in shown) == ("Harbour", True)


def test_the_owner_sees_sources_without_records(weather: City) -> None:
    """Nobody else does: there is nothing of them yet."""
    register(weather)
    weather.record("weather")
    mine = weather.ask(SOURCES, key=weather.key).get_json()["items"]
    assert [one["source"] for one in mine] == ["desk", "s1"]
    assert "n" not in mine[1]
    assert [one["source"] for one in weather.ask(SOURCES).get_json()["items"]] == ["desk"]
    assert weather.ask(f"{SOURCES}/s1", key=weather.key).status_code == 200
    problem_of(weather.ask(f"{SOURCES}/s1"), 404, "not-found")


def test_a_source_of_persons_is_registered_under_a_random_name(city: City) -> None:
    """The owner finds it by either."""
    closed = city.closed_dataset(random_sources=True)
    path = f"/v1/datasets/{closed}/sources"
    made = city.post(path, {"id": "mrs-smith", "keys": [ED]}, key=city.key).get_json()
    assert made["source"].startswith("s.")
    for name in ("mrs-smith", made["source"]):
        assert city.ask(f"{path}/{name}/keys", key=city.key).get_json()["items"][0]["id"] == "k1"
    assert city.record(closed, source="mrs-smith")["source"] == made["source"]


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({}, "/id", "missing"),
        ({"id": "s 1"}, "/id", "id"),
        ({"id": "s1", "title": ""}, "/title", "text"),
        ({"id": "s1", "colour": "red"}, "/colour", "unknown"),
        ({"id": "s1", "keys": {}}, "/keys", "invalid"),
        ({"id": "s1", "keys": [ED] * 17}, "/keys", "too-many-keys"),
        ({"id": "s1", "keys": [{"id": "k1", "algorithm": "rsa"}]}, "/keys/0/algorithm",
         "algorithm"),
        ({"id": "s1", "keys": [{"id": "k1"}]}, "/keys/0/algorithm", "missing"),
        ({"id": "s1", "keys": [{"id": "k1", "algorithm": "es256"}]}, "/keys/0/public_key",
         "missing"),
        ({"id": "s1", "keys": [{**ED, "id": "-"}]}, "/keys/0/id", "id"),
        ({"id": "s1", "keys": [{**ED, "secret": "00"}]}, "/keys/0/secret", "other-algorithm"),
        ({"id": "s1", "keys": [{**MAC, "public_key": "00"}]}, "/keys/0/public_key",
         "other-algorithm"),
        ({"id": "s1", "keys": [ED, {**ED, "public_key": "zz"}]}, "/keys/1/public_key",
         "public-key"),
        ({"id": "s1", "keys": [{**ED, "public_key": 7}]}, "/keys/0/public_key", "string"),
        ({"id": "s1", "keys": [{**ED, "public_key": "x" * 2001}]}, "/keys/0/public_key",
         "public-key"),
        ({"id": "s1", "keys": [{**MAC, "secret": "hunter2"}]}, "/keys/0/secret", "secret"),
        ({"id": "s1", "keys": [{**MAC, "secret": "x" * 2001}]}, "/keys/0/secret", "secret"),
        ({"id": "s1", "keys": [{**ED, "valid_from": "today"}]}, "/keys/0/valid_from", "moment"),
        ({"id": "s1", "keys": [{**ED, "valid_to": "2040-01-01T00:00:00"}]}, "/keys/0/valid_to",
         "moment"),
        ({"id": "s1", "keys": [{**ED, "fingerprint": "00"}]}, "/keys/0/fingerprint", "unknown"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_faulty_registration_names_each_place(
    weather: City, body: Any, pointer: str, code: str, language: str
) -> None:
    """With a sentence in the caller's language; nothing is registered."""
    answer = weather.post(f"{SOURCES}?lang={language}", body, key=weather.key)
    (error,) = problem_of(answer, 422, "malformed-request")["errors"]
    assert (error["pointer"], error["code"]) == (pointer, code)
    assert error["detail"] != f"field.{code}"
    assert "hunter2" not in answer.get_data(as_text=True)
    assert weather.world.rows("SELECT count(*) FROM registrations") == [(0,)]


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ({**ED, "public_key": ED2_PUBLIC.hex()}, "another key k1"),
        ({**ED, "id": "k2", "valid_to": "2001-01-01T00:00:00Z"}, "before it begins"),
    ],
)
def test_what_does_not_fit_what_is_there_is_a_conflict(weather: City, key: Any, words: str) -> None:
    """A sentence that says what; in Chinese too."""
    register(weather, keys=[ED])
    assert (
        words
        in problem_of(weather.post(KEYS, key, key=weather.key), 409, "sources-refused")["detail"]
    )
    zh = weather.post(f"{KEYS}?lang=zh", key, key=weather.key)
    assert "密钥" in problem_of(zh, 409, "sources-refused")["detail"]


def test_a_revoked_source_gets_no_key(weather: City) -> None:
    """It was revoked for good."""
    register(weather)
    weather.world.change("UPDATE registrations SET revoked_at = now()")
    problem_of(weather.post(KEYS, ED, key=weather.key), 409, "sources-refused")


@pytest.mark.parametrize("who", ["nobody", "another"])
def test_only_the_owner_registers_and_revokes(weather: City, who: str) -> None:
    """For others it is as if the dataset weren't there; the keys stay as they are."""
    register(weather, keys=[ED])
    key = None if who == "nobody" else weather.other_key
    answers = [
        weather.post(SOURCES, {"id": "s2"}, key=key),
        weather.post(KEYS, {**ED, "id": "k2"}, key=key),
        weather.ask(f"{KEYS}/k1", method="DELETE", key=key),
    ]
    for answer in answers:
        problem_of(answer, *((401, "api-key-unknown") if key is None else (404, "not-found")))
    rows = weather.world.rows("SELECT id, revoked_at FROM source_keys")
    assert rows == [("k1", None)]


def test_a_key_of_another_dataset_is_not_found(weather: City) -> None:
    """Registered in one, it is neither shown nor revoked by another's address."""
    register(weather, keys=[ED])
    weather.open_dataset("air")
    path = "/v1/datasets/air/sources/s1/keys"
    for answer in (
        weather.ask(path, key=weather.key),
        weather.post(path, {**ED, "id": "k2"}, key=weather.key),
        weather.ask(f"{path}/k1", method="DELETE", key=weather.key),
    ):
        problem_of(answer, 404, "not-found")


def test_another_type_of_body_is_refused(weather: City) -> None:
    """JSON alone is taken."""
    answer = weather.post(SOURCES, b"id=s1", key=weather.key, type="text/plain")
    problem_of(answer, 415, "unsupported-media-type")


def test_flags_are_shown_by_api_and_page(weather: City) -> None:
    """A posted record that is dated ahead is flagged by this door too."""
    weather.record("weather", text="x", observed="2040-01-01T00:00:00Z")
    path = "/v1/datasets/weather/sources/desk/records/0"
    shown = weather.ask(path).get_json()
    flags = (shown["future_dated"], shown["replayed"], shown["key_reused"])
    assert flags == (True, False, False)
    page = "/datasets/weather/sources/desk/records/0"
    assert "ahead of the notary" in weather.ask(page).get_data(as_text=True)
    weather.world.change("UPDATE records SET flags = %s", KEY_REUSED | REPLAYED)
    shown = weather.ask(path).get_json()
    flags = (shown["future_dated"], shown["replayed"], shown["key_reused"])
    assert flags == (False, True, True)
    assert "Its signature came before" in weather.ask(page).get_data(as_text=True)
    weather.world.change("UPDATE records SET flags = 0")
    assert "Remarks of the notary" not in weather.ask(page).get_data(as_text=True)
    assert FUTURE_DATED | REPLAYED | KEY_REUSED == 7
