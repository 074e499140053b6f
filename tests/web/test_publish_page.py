# SPDX-License-Identifier: Apache-2.0
"""`/publish`: who is let in, whose form is taken, and what a clerk sees."""

import hashlib
import json
import re
import zipfile
from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest
from werkzeug.test import TestResponse

from notary.core.receipt import verify_receipt
from notary.usecases import api_keys
from notary.usecases.api_keys import NewKey
from notary.web.attempts import MOST
from notary.web.session import COOKIE, SECONDS, VISITOR_COOKIE
from tests.api.city import City, problem_of
from tests.usecases.tables import table
from tests.web.page import Page

FILE = table(300)
BOUNDARY = "b0undary"


def token(answer: TestResponse) -> str:
    """The token in a page's form."""
    found = re.search(r'name="token" value="([0-9a-f]{64})"', answer.get_data(as_text=True))
    assert found is not None
    return found[1]


def sign_in(city: City, key: str | None = None) -> TestResponse:
    """Sign in as a browser does; the page that is seen then."""
    form = {"token": token(city.ask("/publish")), "key": key or city.key}
    return city.client.post("/publish/session", data=form, follow_redirects=True)


def body(file: bytes, name: str = "air.csv", **fields: str) -> bytes:
    """A form as browsers write it."""
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{value}\r\n'
        for field, value in fields.items()
    ]
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
    head += "Content-Type: application/octet-stream\r\n\r\n"
    return "".join([*parts, head]).encode() + file + f"\r\n--{BOUNDARY}--\r\n".encode()


def send(city: City, data: bytes, **headers: str) -> TestResponse:
    """Post a form."""
    sent = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}", **headers}
    return city.client.post("/publish", data=data, headers=sent)


def hand_in(city: City, file: bytes = FILE, name: str = "air.csv", **fields: str) -> TestResponse:
    """Hand in a file to the dataset weather, as a signed-in browser does."""
    said = {"token": token(city.ask("/publish")), "dataset": "weather", **fields}
    return send(city, body(file, name, **said))


def versions(city: City) -> list[Any]:
    """The versions of weather."""
    found = city.ask("/v1/datasets/weather/versions", key=city.key).get_json()["items"]
    assert isinstance(found, list)
    return found


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_clerk_hands_in_a_file_by_form(city: City, lang: str) -> None:
    """Signed in, the form, the state, the receipt that verifies, the link; signed out."""
    city.open_dataset()
    services = city.app.extensions["city-notary"]
    city.app.extensions["city-notary"] = replace(services, public_url="https://n.example")
    form = {"token": token(city.ask(f"/publish?lang={lang}")), "key": city.key}
    https = {"base_url": "https://localhost"}
    answer = city.client.post(f"/publish/session?lang={lang}", data=form, **https)
    assert answer.status_code == 303
    cookie = answer.headers["Set-Cookie"]
    for words in ("HttpOnly", "SameSite=Strict", "Secure", "Path=/;", f"Max-Age={SECONDS}"):
        assert words in cookie
    assert city.key not in cookie
    assert city.key.split("_")[2] not in cookie
    page = city.client.get(answer.headers["Location"], **https)
    assert "weather" in Page(page).text
    said = {"token": token(page), "dataset": "weather"}
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    done = city.client.post(
        f"/publish?lang={lang}", data=body(FILE, **said), headers=headers, **https
    )
    assert done.status_code == 303
    seen = city.client.get(done.headers["Location"], **https)
    for words in (
        hashlib.sha256(FILE).hexdigest(),
        "air.csv",
        "https://n.example/datasets/weather/versions/1",
    ):
        assert words in Page(seen).text
    assert 'data-done="no"' in seen.get_data(as_text=True)
    city.world.settle()
    seen = city.client.get(done.headers["Location"], **https)
    assert 'data-done="yes"' in seen.get_data(as_text=True)
    receipt = city.client.get("/publish/weather/1/receipt", **https)
    assert "attachment" in receipt.headers["Content-Disposition"]
    verify_receipt(receipt.data, city.ask("/trust.json").data, FILE)
    left = city.client.post("/publish/leave", data={"token": token(seen)}, **https)
    assert "Max-Age=0" in left.headers["Set-Cookie"]
    assert city.client.get("/publish/weather/1", **https).status_code == 303


def test_the_pages_of_a_session_run_our_script_alone_and_are_kept_nowhere(city: City) -> None:
    """No inline script or style, nothing from outside, not even in the browser's own cache."""
    city.open_dataset()
    for answer in (city.ask("/publish"), sign_in(city), hand_in(city)):
        if answer.status_code == 303:
            answer = city.ask(answer.headers["Location"])
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy
        assert answer.headers["Cache-Control"] == "no-store"
        page = Page(answer)
        assert all(address.startswith(("/", "#")) for address in page.addresses)
        assert not any(name.startswith("on") or name == "style" for _, f in page.tags for name in f)
        for tag, found in page.tags:
            assert tag != "script" or found["src"] == "/static/publish.js"
            assert tag != "label" or any(f.get("id") == found["for"] for _, f in page.tags)


PLACES = ["/publish/weather/1", "/publish/weather/1/receipt"]


@pytest.mark.parametrize("path", PLACES)
def test_without_a_session_nothing_is_seen(city: City, path: str) -> None:
    """Neither with an API key in a header, nor with the cookie of nobody."""
    city.open_dataset()
    city.publish("weather")
    city.ask("/publish")
    for key in (None, city.key):
        answer = city.ask(path, key=key)
        assert answer.status_code == 303
        assert answer.headers["Location"] == "/publish?say=ended"
    assert send(city, body(FILE, token="0" * 64, dataset="weather")).status_code == 303
    answer = send(city, body(FILE), Accept="application/json")
    problem_of(answer, 401, "api-key-unknown")
    assert len(versions(city)) == 1


def forged(value: str) -> list[str]:
    """Cookies that somebody might make of a good one."""
    version, key, end, nonce, mac = value.split(".")
    return [
        "",
        "x" * 2000,
        value[:-1] + ("0" if value[-1] != "0" else "1"),
        ".".join([version, "0" * 12, end, nonce, mac]),
        ".".join([version, key, str(int(end) + 1), nonce, mac]),
        ".".join([version, key, end, "0" * 32, mac]),
        ".".join([version, key, end, nonce, "0" * 64]),
        ".".join(["2", key, end, nonce, mac]),
        ".".join([version, key, end, nonce]),
        value + "\u00e9",
    ]


def test_a_forged_cookie_opens_nothing(city: City) -> None:
    """One letter more or less, another key, a later end: nobody is signed in."""
    city.open_dataset()
    city.publish("weather")
    sign_in(city)
    good = city.client.get_cookie(COOKIE, path="/")
    assert good is not None
    assert city.ask("/publish/weather/1").status_code == 200
    for value in forged(good.value):
        city.client.set_cookie(COOKIE, value, path="/")
        assert city.ask("/publish/weather/1").status_code == 303, value
    city.client.set_cookie(COOKIE, good.value, path="/")
    assert city.ask("/publish/weather/1").status_code == 200


def test_a_session_ends(city: City) -> None:
    """With its time; before that with its key."""
    city.open_dataset()
    city.publish("weather")
    sign_in(city)
    city.world.pass_by(SECONDS + 1)
    assert city.ask("/publish/weather/1").status_code == 303
    sign_in(city)
    assert city.ask("/publish/weather/1").status_code == 200
    api_keys.revoke_key(city.world.pool, city.key.split("_")[1], city.world.now)
    assert city.ask("/publish/weather/1").status_code == 303


def test_what_another_site_sends_is_not_taken(city: City) -> None:
    """A form without the session's token, or with another session's, does nothing."""
    city.open_dataset()
    first = token(city.ask("/publish"))
    stale = {"token": "0" * 64, "key": city.key}
    assert "say=forged" in city.client.post("/publish/session", data=stale).headers["Location"]
    page = sign_in(city)
    good = token(page)
    assert good != first
    for bad in ("", first, "0" * 64, good[:-1], "\u00e9" * 64):
        answer = send(city, body(FILE, token=bad, dataset="weather"), Accept="application/json")
        problem_of(answer, 422, "form-refused")
        left = city.client.post("/publish/leave", data={"token": bad})
        assert "say=forged" in left.headers["Location"]
    for site in ("cross-site", "same-site"):
        headers = {"Accept": "application/json", "Sec-Fetch-Site": site}
        answer = send(city, body(FILE, token=good, dataset="weather"), **headers)
        problem_of(answer, 422, "form-refused")
    assert versions(city) == []
    assert city.world.rows("SELECT 1 FROM uploads") == []
    assert send(city, body(FILE, token=good, dataset="weather")).status_code == 303


def test_a_token_behind_the_file_comes_too_late(city: City) -> None:
    """What lets a file in stands before it; the file isn't read for one that may follow."""
    city.open_dataset()
    good = token(sign_in(city))
    late = body(FILE).removesuffix(f"--{BOUNDARY}--\r\n".encode())
    late += body(b"", token=good, dataset="weather")
    problem_of(send(city, late, Accept="application/json"), 422, "form-refused")
    assert versions(city) == []


@pytest.mark.parametrize("key", ["", "ntr_", "ntr_" + "0" * 12 + "_" + "0" * 64, "x" * 10_000])
def test_a_wrong_key_lets_nobody_in(city: City, key: str) -> None:
    """And is told as one."""
    form = {"token": token(city.ask("/publish")), "key": key}
    answer = city.client.post("/publish/session", data=form, follow_redirects=True)
    assert "The key is not known here" in Page(answer).text


def test_a_key_that_may_not_write_is_told_so(city: City) -> None:
    """It would see a form that takes nothing."""
    world = city.world
    key = api_keys.add_key(world.pool, NewKey("water-works", ["read"], days=1_096), world.now)
    assert "lacks the right write" in Page(sign_in(city, key)).text


def test_wrong_keys_are_bounded(city: City) -> None:
    """After some in a minute no key is looked at any more, for a minute."""
    form = {"token": token(city.ask("/publish")), "key": "ntr_"}
    for _ in range(MOST):
        assert city.client.post("/publish/session", data=form).status_code == 303
    answer = city.client.post("/publish/session", data={**form, "key": city.key})
    problem_of(answer, 429, "too-many-requests")
    assert 1 <= int(answer.headers["Retry-After"]) <= 61
    city.world.pass_by(61)
    assert "Signed in" in Page(sign_in(city)).text


def test_anothers_dataset_is_as_if_it_were_not_there(city: City) -> None:
    """To be written, seen or proved: open, closed, or no dataset at all."""
    city.open_dataset()
    closed = city.closed_dataset()
    city.publish("weather")
    city.publish(closed)
    city.world.settle()
    page = sign_in(city, city.other_key)
    assert "weather" not in page.get_data(as_text=True)
    answers = []
    for name in ("weather", closed, "nowhere"):
        said = body(FILE, token=token(page), dataset=name)
        answer = send(city, said, Accept="application/json")
        problem = problem_of(answer, 404, "not-found")
        answers.append(problem["detail"].replace(name, "NAME"))
        for path in (f"/publish/{name}/1", f"/publish/{name}/1/receipt"):
            assert city.ask(path).status_code == 404
    assert len(set(answers)) == 1
    assert len(versions(city)) == 1


def test_a_key_without_read_sees_no_receipt_of_a_closed_dataset(city: City) -> None:
    """It may hand in and see how far it is; the receipt opens the commitment."""
    closed = city.closed_dataset()
    city.publish(closed)
    city.world.settle()
    world = city.world
    key = api_keys.add_key(world.pool, NewKey("water-works", ["write"], days=1_096), world.now)
    sign_in(city, key)
    seen = city.ask(f"/publish/{closed}/1")
    assert seen.status_code == 200
    assert not any("receipt" in address for address in Page(seen).addresses)
    problem_of(city.ask(f"/publish/{closed}/1/receipt"), 403, "scope-missing")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/passwd.csv", "passwd.csv"),
        ("C:/fakepath/air.csv", "air.csv"),
        ("a\x07\x1b[31m.csv", "a__[31m.csv"),
        ("<script>.csv", "<script>.csv"),
        ("x" * 400 + ".csv", ("x" * 400 + ".csv")[-255:]),
    ],
)
def test_a_file_name_is_a_name_for_people(city: City, name: str, shown: str) -> None:
    """No folder, no control character, no markup; never a path of ours."""
    city.open_dataset()
    sign_in(city)
    done = hand_in(city, name=name)
    assert done.status_code == 303
    assert versions(city)[0]["name"] == shown
    page = Page(city.ask(done.headers["Location"]))
    assert shown in page.text
    assert [f["src"] for tag, f in page.tags if tag == "script"] == ["/static/publish.js"]


BAD = [
    (body(b""), "empty"),
    (body(FILE, name=""), "No file"),
    (body(FILE)[:-30], "cut off"),
    (body(FILE).removesuffix(b"--\r\n"), "cut off"),
    (b"-", "cut off"),
    (b"nonsense", "cut off"),
    (body(FILE, corrects="x"), "is a number"),
    (body(FILE, corrects="7", reason="why"), "no version 7"),
    (body(FILE, corrects="7"), "names the version"),
    (body(FILE, reason="x" * 5000), "cut off"),
    (body(b'a,b\n"x" y,1\n'), "Row 1, at byte 7"),
]


@pytest.mark.parametrize(("data", "words"), BAD)
def test_a_form_that_can_not_be_taken_is_told_and_leaves_nothing(
    city: City, data: bytes, words: str
) -> None:
    """For people as a page, for the script as a problem; no half of a file becomes a version."""
    city.open_dataset()
    good = token(sign_in(city))
    start = b"" if data in (b"-", b"nonsense") else body(b"", token=good, dataset="weather")
    fields = start.partition(b'name="file"')[0].rpartition(b"--" + BOUNDARY.encode())[0]
    answer = send(city, fields + data, Accept="application/json")
    assert 400 <= answer.status_code < 500
    assert words in answer.get_json()["detail"]
    page = send(city, fields + data, Accept="text/html")
    assert page.status_code == answer.status_code
    assert Page(page).text
    assert versions(city) == []
    assert city.world.rows("SELECT 1 FROM uploads") == []


def test_a_file_beyond_the_limit_is_refused(city: City) -> None:
    """Whether its form says how long it is or not."""
    city.open_dataset()
    sign_in(city)
    services = city.app.extensions["city-notary"]
    city.app.extensions["city-notary"] = replace(services, max_version_bytes=1000)
    assert hand_in(city).status_code == 413
    assert hand_in(city, b"a\n" * 800_000).status_code == 413
    assert versions(city) == []
    assert city.world.rows("SELECT 1 FROM uploads") == []


@pytest.mark.parametrize(
    ("file", "name", "profile", "found"),
    [
        (b"a,b\n1,2\n", "x.csv", "csv-v1", "csv"),
        (b'[{"a":1}]', "x.json", "ndjson-v1", "json-array"),
        (b'{"a":1}\n{"a":2}\n', "x.txt", "ndjson-v1", "ndjson"),
        (b'{"type":"Topology"}', "x.json", "none", "json"),
        (b"PK\x03\x04", "x.xlsx", "none", "office"),
        (b"PK\x03\x04", "x.csv", "none", "zip"),
        (b"%PDF-1.7", "x.csv", "none", "other"),
        (b"hello", "x", "none", "text"),
        (b"\xff\xfe\x00", "x.json", "none", "other"),
    ],
)
def test_the_format_is_found_by_content_and_name(
    city: City, file: bytes, name: str, profile: str, found: str
) -> None:
    """And told with the reason; taken as it is where that is asked for."""
    city.open_dataset()
    sign_in(city)
    done = hand_in(city, file, name)
    assert f"found={found}" in done.headers["Location"]
    assert versions(city)[0]["profile"] == profile
    again = hand_in(city, file, name)
    assert ("known=1" in again.headers["Location"], len(versions(city))) == (True, 1)
    hand_in(city, file + b" ", name, as_it_is="1")
    assert versions(city)[0]["profile"] == "none"


def test_the_script_is_told_where_to_go_on(city: City) -> None:
    """JSON for whoever asks for it, an address on this site alone."""
    city.open_dataset()
    good = token(sign_in(city))
    answer = send(city, body(FILE, token=good, dataset="weather"), Accept="application/json")
    assert answer.status_code == 201
    assert answer.get_json() == {"location": "/publish/weather/1?found=csv"}


def test_the_key_is_written_nowhere(city: City) -> None:
    """Neither page, cookie, address nor log has it; the log has the key's id."""
    city.open_dataset()
    page = sign_in(city)
    done = hand_in(city)
    secret = city.key.split("_")[2]
    shown = [page.get_data(as_text=True), str(page.headers), str(done.headers), str(city.lines)]
    assert not any(secret in text for text in shown)
    assert city.lines[-1]["api_key"] == city.key.split("_")[1]


def test_the_cookie_of_a_visitor_is_no_session(city: City) -> None:
    """Signed by us as it is, it opens nothing under the session's name, and the other way round."""
    city.open_dataset()
    city.publish("weather")
    city.ask("/publish")
    visitor = city.client.get_cookie(VISITOR_COOKIE, path="/")
    assert visitor is not None
    city.client.set_cookie(COOKIE, visitor.value, path="/")
    assert city.ask("/publish/weather/1").status_code == 303
    sign_in(city)
    session = city.client.get_cookie(COOKIE, path="/")
    assert session is not None
    city.client.set_cookie(VISITOR_COOKIE, session.value, path="/")
    form = {"token": token(city.ask("/publish")), "key": city.key}
    assert "say=forged" in city.client.post("/publish/session", data=form).headers["Location"]


def test_a_visit_that_another_site_brought_about_does_not_end_a_session(city: City) -> None:
    """It comes without the session's cookie, and leaves that one alone."""
    city.open_dataset()
    sign_in(city)
    answer = city.app.test_client().get("/publish")
    assert answer.headers["Set-Cookie"].startswith(f"{VISITOR_COOKIE}=")
    assert "Signed in" in Page(city.ask("/publish")).text


def test_a_data_package_becomes_its_tables_on_the_page_too(city: City) -> None:
    """What became of each is told, with a link to its state; again they are the same versions."""
    city.open_dataset()
    sign_in(city)
    inside = [
        {"name": "air", "path": "air.csv", "hash": "sha256:" + "0" * 64},
        {"name": "<b>", "path": "bad.csv"},
        {"name": "gone", "path": "gone.csv"},
    ]
    held = BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("datapackage.json", json.dumps({"resources": inside}))
        archive.writestr("air.csv", FILE)
        archive.writestr("bad.csv", b'a\n"x" y\n')
    for times in range(2):
        page = Page(hand_in(city, held.getvalue(), "all.zip"))
        for words in (
            "air: the hash that the package declares is not that of the file.",
            "<b> is a version without rows",
            "gone was refused",
        ):
            assert words in page.text
        assert page.text.count("already") == 2 * times
        assert "b" not in {tag for tag, _ in page.tags}
        assert "/publish/weather.air/1" in page.addresses
    assert city.ask("/publish/weather.air/1").status_code == 200
    assert len(city.ask("/v1/datasets/weather.air/versions").get_json()["items"]) == 1
    assert len(versions(city)) == 1
    whole = hand_in(city, held.getvalue() + b"\0" * 9, "all.zip", as_it_is="1")
    assert "found=as-it-is" in whole.headers["Location"]


def test_a_package_taken_as_a_whole_by_the_script_has_a_place_to_go_on(city: City) -> None:
    """Its tables are made all the same."""
    city.open_dataset()
    good = token(sign_in(city))
    held = BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("datapackage.json", json.dumps({"resources": [{"path": "a.csv"}]}))
        archive.writestr("a.csv", FILE)
    said = body(held.getvalue(), "all.zip", token=good, dataset="weather")
    answer = send(city, said, Accept="application/json")
    assert answer.get_json() == {"location": "/publish/weather/1?found=package"}
    listed = city.ask("/v1/publishing", key=city.key).get_json()["items"]
    assert len(listed) == 2
