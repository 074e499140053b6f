# SPDX-License-Identifier: Apache-2.0
"""Pages of what isn't open: for its owner, signed in, and for nobody else."""

import re

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from notary.core.receipt import verify_receipt
from notary.core.trust import parse_trust
from notary.texts import catalogue
from notary.usecases.api_keys import NewKey, add_key, revoke_key
from tests.api.city import City
from tests.web.page import Page

NOTHING = "d." + "0" * 32
PATHS = [
    *("", "/sources/desk", "/sources/desk/records/0", "/sources/desk/records/0/certificate"),
    *("/sources/desk/records/0/payload", "/sources/desk/records/0/receipt", "/versions/1"),
    *("/sources/desk/window?by=n&from=0&to=1", "/sources/desk/window/payloads?first=0&last=0"),
    *("/versions/1?row=1", "/versions/1/file", "/versions/1/receipt", "/versions/1/certificate"),
    *("/versions/1/rows/1/receipt", "/versions/1/changes?to=2"),
]


@pytest.fixture
def closed(city: City) -> str:
    """A closed dataset with a record and two versions, all anchored."""
    name = city.closed_dataset()
    city.record(name, text="secret wages")
    city.publish(name)
    city.publish(name, b"a,b\n1,3\n")
    city.world.settle()
    return name


def sign_in(city: City, key: str) -> FlaskClient:
    """A browser in which the key was given."""
    browser = city.app.test_client()
    form = browser.get("/publish").get_data(as_text=True)
    token = re.search(r'name="token" value="([^"]+)"', form)
    assert token is not None
    browser.post("/publish/session", data={"token": token[1], "key": key})
    return browser


def key_for(city: City, department: str = "water-works", *scopes: str, **more: tuple[str]) -> str:
    """A new key of a department."""
    new = NewKey(department, scopes or ("read", "write"), days=30, **more)
    return add_key(city.world.pool, new, city.world.now)


def same_as_nothing(browser: FlaskClient, dataset: str) -> None:
    """Every page and download is what it is for a name that doesn't exist."""
    for path in PATHS:
        found, none = (browser.get(f"/datasets/{name}{path}") for name in (dataset, NOTHING))
        assert found.status_code == none.status_code == 404, path
        told = found.get_data(as_text=True).replace(dataset, NOTHING)
        assert told == none.get_data(as_text=True), path
        assert dict(found.headers).keys() == dict(none.headers).keys()


def test_the_owner_sees_pages_and_downloads(city: City, closed: str) -> None:
    """All of them answer, none may be kept by the browser, and every link on them works."""
    browser = sign_in(city, key_for(city))
    for path in PATHS:
        answer = browser.get(f"/datasets/{closed}{path}")
        assert answer.status_code == 200, path
        assert answer.headers["Cache-Control"] == "no-store", path
        if answer.mimetype == "text/html":
            _links_work(browser, answer)
    page = Page(browser.get(f"/datasets/{closed}"))
    assert catalogue("en")["page.is-closed"] in page.text
    assert "Wages" in page.text


def _links_work(browser: FlaskClient, answer: TestResponse) -> None:
    for address in Page(answer).addresses:
        if address.startswith("/") and not address.startswith("/find"):
            assert browser.get(address).status_code == 200, address


def test_what_the_owner_downloads_verifies(city: City, closed: str) -> None:
    """File and receipt by the session alone."""
    browser = sign_in(city, key_for(city))
    file, receipt = (
        browser.get(f"/datasets/{closed}/versions/1/{what}").get_data()
        for what in ("file", "receipt")
    )
    trust = parse_trust(city.ask("/trust.json").get_data(as_text=True))
    assert verify_receipt(receipt.decode(), trust, file)


def test_nobody_else_sees_that_it_is_there(city: City, closed: str) -> None:
    """Nobody, another department, a key that may not read, one for another dataset."""
    elsewhere = city.closed_dataset()
    for browser in (
        city.app.test_client(),
        sign_in(city, key_for(city, "tax-office")),
        sign_in(city, key_for(city, "water-works", "write")),
        sign_in(city, key_for(city, datasets=(elsewhere,))),
    ):
        same_as_nothing(browser, closed)


def test_a_grant_opens_the_api_and_no_page(city: City, closed: str) -> None:
    """What is read under a grant is noted, and only the API does that."""
    body = {"to": "tax-office", "purpose": "<b>audit</b>", "approval": "7"}
    city.ask(
        f"/v1/datasets/{closed}",
        key=city.key,
        method="PATCH",
        headers={"Content-Type": "application/json"},
        data='{"sharing":"conditional"}',
    )
    assert city.post(f"/v1/datasets/{closed}/grants", body, key=city.key).status_code == 201
    key = key_for(city, "tax-office")
    assert city.ask(f"/v1/datasets/{closed}/versions/1", key=key).status_code == 200
    same_as_nothing(sign_in(city, key), closed)
    page = Page(sign_in(city, key_for(city)).get(f"/datasets/{closed}"))
    assert catalogue("en")["page.who-may"] in page.text
    assert "tax-office · The whole dataset · <b>audit</b> (7) granted since" in page.text


def test_a_revoked_key_closes_the_pages_at_once(city: City, closed: str) -> None:
    """The session is still in the browser, and opens nothing."""
    key = key_for(city)
    browser = sign_in(city, key)
    assert browser.get(f"/datasets/{closed}").status_code == 200
    revoke_key(city.world.pool, key.split("_")[1], city.world.now, None)
    same_as_nothing(browser, closed)


def test_a_session_is_no_key_for_the_api(city: City, closed: str) -> None:
    """A page of another site can't make the browser write or read there."""
    browser = sign_in(city, key_for(city, "water-works", "read", "write", "manage", "erase"))
    assert browser.get(f"/v1/datasets/{closed}").status_code == 404
    answer = browser.post(
        f"/v1/datasets/{closed}/records", json={"source": "desk", "payload_text": "x"}
    )
    assert answer.status_code == 401
    assert browser.post("/v1/datasets", json={"label": "x"}).status_code == 401


def test_what_is_open_is_shown_alike_to_all(city: City) -> None:
    """Signed in or not: the same page, which browsers may keep and ask again for."""
    city.open_dataset()
    city.publish("weather")
    browser = sign_in(city, key_for(city))
    for path in ("", "/versions/1"):
        known, nobody = (one.get(f"/datasets/weather{path}") for one in (browser, city.client))
        assert known.get_data() == nobody.get_data()
        assert known.headers["Cache-Control"] == "no-cache"
