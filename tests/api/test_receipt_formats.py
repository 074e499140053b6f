# SPDX-License-Identifier: Apache-2.0
"""
Receipts in the formats of others: what Accept chooses, and what is refused.

What others' programs say of them: tests/acceptance/test_independent_receipts.py.
"""

import re
from collections.abc import Iterator
from contextlib import closing
from html import unescape
from typing import Any

import psycopg2
import pytest
from werkzeug.test import TestResponse

from notary.core.cose_receipt import parse_cose_receipt, verify_cose_receipt
from notary.core.receipt import parse_receipt, verify_receipt
from notary.core.tlog_proof import parse_tlog_proof
from notary.core.trust import Trust, parse_trust
from notary.local.postgres import Postgres
from tests.api.city import City, problem_of
from tests.api.conftest import standing_city

JSON, TLOG = "application/json", "text/x.tlog-proof"
COSE = "application/scitt-receipt+cose"
RECORD = "/v1/datasets/weather/sources/desk/records/0/receipt"
VERSION = "/v1/datasets/weather/versions/1"
PLACES = (RECORD, f"{VERSION}/receipt", f"{VERSION}/rows/1/receipt")


def with_receipts(city: City) -> City:
    """A record and a version, both anchored."""
    city.open_dataset()
    city.record("weather", text="evidence")
    city.publish("weather", b"a,b\n1,2\n")
    city.world.settle()
    return city


@pytest.fixture(scope="module")
def signed(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    """Such a city for all tests that change nothing."""
    with standing_city(postgres, tmp_path_factory) as city:
        yield with_receipts(city)


def ask(city: City, path: str, accept: str | None, **more: Any) -> TestResponse:
    headers = {} if accept is None else {"Accept": accept}
    return city.ask(path, headers=headers, **more)


def trust_of(city: City) -> Trust:
    return parse_trust(city.ask("/trust.json").get_data(as_text=True))


CHOICES = [
    (None, JSON),
    ("", JSON),
    ("*/*", JSON),
    ("application/json", JSON),
    ("application/*", JSON),
    ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", JSON),
    ("application/json; charset=utf-8", JSON),
    (TLOG, TLOG),
    ("TEXT/X.TLOG-PROOF", TLOG),
    ("text/*", TLOG),
    (COSE, COSE),
    (f"{COSE};q=0.5, {TLOG};q=0.4", COSE),
    (f"{COSE};q=0.4, {TLOG};q=0.5", TLOG),
    (f"{COSE}, application/json;q=0.9", COSE),
    (f"{COSE};q=0.9, application/json", JSON),
    ("application/json;q=0, */*", TLOG),
    ("application/*;q=0, */*;q=0.1", TLOG),
    ("application/json;q=0, text/*;q=0, */*", COSE),
    ("text/*;q=0.9, application/*;q=0.1", TLOG),
    (f"*/*;q=0.1, {COSE};q=0.2", COSE),
    ("image/png, */*;q=0.01", JSON),
]


@pytest.mark.parametrize(("accept", "wanted"), CHOICES)
def test_accept_chooses_the_format(signed: City, accept: str | None, wanted: str) -> None:
    """By quality, the most specific range first; what a cache keeps is kept for that Accept."""
    for path in PLACES:
        answer = ask(signed, path, accept)
        assert (answer.status_code, answer.mimetype) == (200, wanted)
        assert "Accept" in answer.headers["Vary"]
        assert "immutable" in answer.headers["Cache-Control"]


@pytest.mark.parametrize(
    "accept",
    [
        *("text/html", "image/*", "application/xml", "nonsense", "*", "text", ";q=1"),
        *("application/json;q=0", "*/*;q=0", f"{COSE};q=0, {TLOG};q=0"),
        "application/json;q=0, application/*;q=0, text/*;q=0",
    ],
)
def test_what_is_not_there_is_406_and_says_what_is(signed: City, accept: str) -> None:
    """Every format is named; the other places answer the same."""
    for path in PLACES:
        problem = problem_of(ask(signed, path, accept), 406, "not-acceptable")
        for type_ in (JSON, TLOG, COSE):
            assert type_ in problem["detail"]


@pytest.mark.parametrize(
    "accept",
    [
        *(
            "*/*;q=2",
            "*/*;q=-1",
            "*/*;q=nan",
            "*/*;q=x",
            ";;;,,,",
            "/",
            "*/json",
            "a/b/c",
            "\xff/\xfe",
        ),
        *(",".join(["a/b"] * 5_000), f"{COSE};q=" + "0" * 5_000, "q" * 10_000, '"', 'a/b;c="d,e"'),
    ],
)
def test_whatever_accept_says_is_answered(signed: City, accept: str) -> None:
    """By a receipt or by 406, never by a fault of ours."""
    assert ask(signed, RECORD, accept).status_code in (200, 406)


@pytest.mark.parametrize(
    ("name", "wanted"), [("receipt", JSON), ("tlog-proof", TLOG), ("cose", COSE)]
)
def test_a_link_names_the_format(signed: City, name: str, wanted: str) -> None:
    """`?format=` goes before Accept, whatever a browser says."""
    for path in PLACES:
        for accept in (None, "text/html", COSE):
            assert ask(signed, f"{path}?format={name}", accept).mimetype == wanted


@pytest.mark.parametrize("name", ["", "json", "COSE", "tlog-proof ", "receipt/1"])
def test_an_unknown_format_is_a_fault_of_the_query(signed: City, name: str) -> None:
    """It is not taken for the usual one."""
    for path in PLACES:
        problem_of(signed.ask(f"{path}?format={name}"), 400, "malformed-request")


def test_each_format_has_its_own_etag(signed: City) -> None:
    """And 304 is answered for that format alone."""
    tags = {type_: ask(signed, RECORD, type_).headers["ETag"] for type_ in (JSON, TLOG, COSE)}
    assert len(set(tags.values())) == 3
    for type_, tag in tags.items():
        again = signed.ask(RECORD, headers={"Accept": type_, "If-None-Match": tag})
        assert (again.status_code, again.headers["Vary"]) == (304, "Accept")
        other = signed.ask(RECORD, headers={"Accept": JSON, "If-None-Match": tag})
        assert other.status_code == (304 if type_ == JSON else 200)


def test_all_three_say_the_same(signed: City) -> None:
    """Whatever is proved, the checks are those of the receipt, less the anchors."""
    trust = trust_of(signed)
    for path in PLACES:
        whole = parse_receipt(ask(signed, path, JSON).get_data(as_text=True))
        tlog = parse_tlog_proof(ask(signed, path, TLOG).get_data(as_text=True))
        data = ask(signed, path, COSE).data
        assert tlog == parse_cose_receipt(data).receipt
        assert (whole.subject, whole.checkpoint) == (tlog.subject, tlog.checkpoint)
        assert len(whole.anchors) == 1
        verdict = verify_receipt(tlog, trust)
        assert verify_cose_receipt(data, trust).checks[:-1] == verdict.checks
        assert verdict.subject == verify_receipt(whole, trust).subject


def test_until_holds_for_every_format(city: City) -> None:
    """202 until it is signed, or anchored where that was asked for."""
    city.open_dataset()
    city.record("weather")
    for type_ in (TLOG, COSE):
        assert ask(city, RECORD, type_).status_code == 202
    city.world.seal()
    city.world.sign()
    for type_ in (TLOG, COSE):
        answer = ask(city, RECORD, type_)
        assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-cache")
        assert ask(city, f"{RECORD}?until=anchored", type_).status_code == 202


def test_a_closed_datasets_receipt_is_its_readers_alone(city: City) -> None:
    """In every format: for strangers it isn't there, and no shared cache keeps it."""
    closed = city.closed_dataset()
    city.record(closed, text="1200")
    city.world.settle()
    path = f"/v1/datasets/{closed}/sources/desk/records/0/receipt"
    for type_ in (JSON, TLOG, COSE, "image/png"):
        problem_of(ask(city, path, type_), 404, "not-found")
        problem_of(ask(city, path, type_, key=city.other_key), 404, "not-found")
    for type_ in (TLOG, COSE):
        answer = ask(city, path, type_, key=city.key)
        assert "private" in answer.headers["Cache-Control"]


def test_a_row_too_large_for_a_format_is_406_and_there_as_json(city: City) -> None:
    """The sentence says how large it is and what is allowed."""
    city.open_dataset()
    city.publish("weather", b"a\n" + b"x" * 60_000 + b"\n")
    city.world.settle()
    path = f"{VERSION}/rows/1/receipt"
    for type_ in (TLOG, COSE):
        problem = problem_of(ask(city, path, type_), 406, "receipt-too-large")
        assert "48000" in problem["detail"]
    assert ask(city, path, JSON).status_code == 200


def test_without_a_key_there_are_no_cose_receipts(city: City) -> None:
    """All else is there, and nothing names COSE."""
    with_receipts(city).world.parts.settings.receipt_key.unlink()
    city = City(city.world)
    assert ask(city, RECORD, TLOG).status_code == 200
    for path in (RECORD, f"{RECORD}?format=cose"):
        problem = problem_of(ask(city, path, COSE), 406, "not-acceptable")
        assert COSE not in problem["detail"]
    assert list(links_of(city, RECORD)) == ["tlog-proof"]


def links_of(city: City, path: str) -> dict[str, str]:
    """Where the page of what this receipt proves links to, by format."""
    page = city.ask(path.removeprefix("/v1").removesuffix("/receipt")).text
    found = re.findall(r'href="([^"]*[?&;]format=([a-z-]+))"', page)
    return {form: unescape(link) for link, form in found}


def test_the_pages_link_to_the_other_formats(signed: City) -> None:
    """Of a record and of a version, and the links lead there."""
    for path in PLACES[:2]:
        links = links_of(signed, path)
        assert list(links) == ["tlog-proof", "cose"]
        for form, link in links.items():
            assert ask(signed, link, "text/html").mimetype == {"cose": COSE}.get(form, TLOG)


def test_the_key_is_a_file_that_its_owner_alone_may_read(city: City) -> None:
    """Made by `notary init`; a wider mode closes COSE receipts and nothing else."""
    key = with_receipts(city).world.parts.settings.receipt_key
    assert key.stat().st_mode & 0o777 == 0o600
    key.chmod(0o644)
    city = City(city.world)
    problem_of(ask(city, RECORD, COSE), 503, "key-refused")
    assert ask(city, RECORD, JSON).status_code == 200


def test_only_what_the_log_signed_is_signed(city: City) -> None:
    """Whoever writes to the database gets no signature over another root."""
    world = with_receipts(city).world
    forged = "notary.example/log\n2\n" + "A" * 43 + "=\n\n\u2014 notary.example/log AAAAAAAAAAA=\n"
    with (
        closing(psycopg2.connect(world.parts.settings.database_url)) as connection,
        connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("UPDATE checkpoints SET note = %s", (forged,))
    for path in PLACES:
        problem_of(ask(City(world), path, COSE), 500, "store-damaged")


def test_openapi_names_the_formats(signed: City) -> None:
    """At each place where a receipt is given out."""
    paths = signed.ask("/openapi.json").get_json()["paths"]
    found = {path for path, item in paths.items() if path.endswith("/receipt") and "get" in item}
    assert len(found) == 4
    for path in found:
        content = paths[path]["get"]["responses"]["200"]["content"]
        assert content.keys() == {JSON, TLOG, COSE}
