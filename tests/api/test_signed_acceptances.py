# SPDX-License-Identifier: Apache-2.0
"""Signed acceptances over HTTP, for whoever prefers them (RFC 7240)."""

import pytest

from notary.core.acceptance import verify_acceptance
from tests.api.city import NDJSON, City

PREFER = {"Prefer": "signed-acceptance"}
PATH = "/v1/datasets/weather/records"


def test_one_item_is_answered_with_its_signed_acceptance(city: City) -> None:
    """Which holds under the trust file that is handed out."""
    city.open_dataset()
    item = {"source": "desk", "payload_text": "hello"}
    answer = city.post(PATH, item, key=city.key, headers=PREFER)
    assert (answer.status_code, answer.headers["Preference-Applied"]) == (202, "signed-acceptance")
    accepted = answer.get_json()
    trust = city.ask("/trust.json").data
    verdict = verify_acceptance(accepted["signed"], trust, b"hello")
    assert (verdict.subject["source"], verdict.subject["n"]) == ("desk", accepted["n"])
    assert answer.headers["Location"] == accepted["links"]["self"]


def test_of_several_items_each_accepted_one_has_its_own(city: City) -> None:
    """A bad one has its errors; a duplicate has the acceptance of what was there."""
    dataset = city.closed_dataset()
    lines = b'{"source":"a","key":"1","payload_text":"x"}\n{"source":7}\n' * 2
    path = f"/v1/datasets/{dataset}/records"
    body = city.post(path, lines, key=city.key, type=NDJSON, headers=PREFER).get_json()
    assert [("signed" in item, "errors" in item) for item in body["items"]] == [
        (True, False),
        (False, True),
    ] * 2
    trust = city.ask("/trust.json").data
    for item in body["items"][::2]:
        assert verify_acceptance(item["signed"], trust, b"x").subject["n"] == 0


def test_a_repeat_under_an_idempotency_key_is_signed_too(city: City) -> None:
    """Also where the first answer wasn't."""
    city.open_dataset()
    item = {"source": "desk", "payload_text": "hello"}
    headers = {"Idempotency-Key": "k"}
    first = city.post(PATH, item, key=city.key, headers=headers).get_json()
    again = city.post(PATH, item, key=city.key, headers={**headers, **PREFER}).get_json()
    assert "signed" not in first
    assert {name: value for name, value in again.items() if name != "signed"} == first
    assert verify_acceptance(again["signed"], city.ask("/trust.json").data).subject["n"] == 0


@pytest.mark.parametrize("prefer", [None, "", "respond-async", "signed-acceptances", "x,,y"])
def test_who_does_not_prefer_it_gets_the_plain_answer(city: City, prefer: str | None) -> None:
    """Preferences that aren't known are passed over."""
    city.open_dataset()
    headers = {} if prefer is None else {"Prefer": prefer}
    item = {"source": "desk", "payload_text": "hello"}
    answer = city.post(PATH, item, key=city.key, headers=headers)
    assert answer.status_code == 202
    assert "signed" not in answer.get_json()
    assert "Preference-Applied" not in answer.headers


def test_among_other_preferences_it_is_found(city: City) -> None:
    """In any case of letters, with blanks around it."""
    city.open_dataset()
    item = {"source": "desk", "payload_text": "hello"}
    headers = {"Prefer": "respond-async,  Signed-Acceptance "}
    assert "signed" in city.post(PATH, item, key=city.key, headers=headers).get_json()


def test_a_notary_without_the_key_passes_the_preference_over(city: City) -> None:
    """And says so by not applying it."""
    city.world.parts.settings.acceptance_key.unlink()
    without = City(city.world)
    without.open_dataset()
    item = {"source": "desk", "payload_text": "hello"}
    answer = without.post(PATH, item, key=without.key, headers=PREFER)
    assert answer.status_code == 202
    assert "Preference-Applied" not in answer.headers
