# SPDX-License-Identifier: Apache-2.0
"""Versions over HTTP: handed in, read in parts, proved row by row."""

import hashlib
import json
from base64 import b64decode, b64encode
from io import BytesIO
from typing import Any

import pytest

from notary.core.receipt import verify_receipt
from tests.api.city import JSON, NDJSON, City, problem_of
from tests.usecases.tables import CSV, table

PATH = "/v1/datasets/weather/versions"
FILE = table(60_000)


def test_a_table_is_handed_in_read_and_proved(city: City) -> None:
    """From the file to the verified receipt of a row and of the whole."""
    city.open_dataset()
    told = city.publish("weather", table(300), "?name=air.csv")
    assert (told["version"], told["rows"], told["profile"]) == (1, 301, "csv-v1")
    assert told["digest"] == hashlib.sha256(table(300)).hexdigest()
    assert (told["name"], told["duplicate"]) == ("air.csv", False)
    assert told["by"].startswith("api:")
    assert told["state"]["accepted"]
    assert told["state"]["sealed"] is None
    pending = city.ask(told["links"]["receipt"])
    assert (pending.status_code, pending.get_json()["state"]) == (202, "accepted")
    city.world.settle()
    trust = city.ask("/trust.json").data
    file = city.ask(told["links"]["file"])
    assert file.data == table(300)
    assert file.headers["Content-Type"] == "application/octet-stream"
    assert file.headers["Repr-Digest"] == (
        f"sha-256=:{b64encode(hashlib.sha256(file.data).digest()).decode()}:"
    )
    assert file.headers["Content-Digest"] == file.headers["Repr-Digest"]
    assert "attachment" in file.headers["Content-Disposition"]
    verify_receipt(city.ask(told["links"]["receipt"]).data, trust, file.data)
    row = city.ask(f"{PATH}/1/rows/8").get_json()
    assert row["cells"] == ["7", "station 0, north", "25.9"]
    receipt = city.ask(row["links"]["receipt"])
    assert "immutable" in receipt.headers["Cache-Control"]
    verify_receipt(receipt.data, trust, b64decode(row["bytes_base64"]))
    shown = city.ask(f"{PATH}/1").get_json()
    assert shown["state"]["anchored"]
    assert "by" not in shown
    leaves = city.ask(f"/v1/batches/{shown['state']['sealed']['batch']}/leaves")
    assert len(leaves.data) == 32 * 301


def test_the_same_file_again_is_the_same_version(city: City) -> None:
    """200 and a mark instead of 202; another one is the next, and may correct the first."""
    city.open_dataset()
    first = city.post(PATH, table(3), key=city.key, type=CSV)
    again = city.post(PATH, table(3), key=city.key, type=CSV)
    assert (first.status_code, again.status_code) == (202, 200)
    assert again.get_json()["duplicate"] is True
    assert first.headers["Location"] == again.headers["Location"] == f"{PATH}/1"
    city.publish("weather", table(4), "?corrects=1&reason=Station%203%20was%20missing.")
    found = city.ask(PATH).get_json()["items"]
    assert [item["version"] for item in found] == [2, 1]
    assert [item.get("corrects") for item in found] == [1, None]
    assert [item.get("corrected_by") for item in found] == [None, 2]
    assert found[0]["reason"] == "Station 3 was missing."


def test_a_list_of_versions_goes_on(city: City) -> None:
    """Part by part, each version once."""
    city.open_dataset()
    for n in range(5):
        city.publish("weather", table(n))
    part = city.ask(f"{PATH}?limit=2").get_json()
    found = list(part["items"])
    while part["next"]:
        part = city.ask(f"{PATH}?limit=2&cursor={part['next']}").get_json()
        found += part["items"]
    assert [item["version"] for item in found] == [5, 4, 3, 2, 1]


@pytest.mark.parametrize(
    ("file", "type_", "profile", "rows"),
    [
        (b'[{"a":1.0},{"a":2}]', JSON, "ndjson-v1", 2),
        (b'{"a":1.0}\n{"a":2}', NDJSON, "ndjson-v1", 2),
        (b'{"type":"Topology"}', JSON, "none", 0),
        (b"PK\x03\x04", "application/zip", "none", 0),
        (b"%PDF", "application/pdf", "none", 0),
        (b"a,b", "", "none", 0),
        (b"a,b", "text/csv; charset=utf-8", "csv-v1", 1),
        (b"", CSV, "csv-v1", 0),
    ],
)
def test_each_media_type_has_its_rows(
    city: City, file: bytes, type_: str, profile: str, rows: int
) -> None:
    """JSON that is no array, and any other file, is a version without rows."""
    city.open_dataset()
    told = city.publish("weather", file, type=type_)
    assert (told["profile"], told["rows"]) == (profile, rows)
    assert ("rows" in told["links"]) == (rows > 0)
    city.world.settle()
    if profile == "ndjson-v1":
        assert city.ask(f"{PATH}/1/rows/0").get_json()["text"] == '{"a":1.0}'
    assert city.ask(f"{PATH}/1/file").data == file
    receipt = city.ask(f"{PATH}/1/receipt")
    verify_receipt(receipt.data, city.ask("/trust.json").data, file)


RANGES = [
    ("bytes=0-", 206, 0, None),
    ("bytes=5-9", 206, 5, 10),
    ("bytes=-7", 206, -7, None),
    ("bytes=1048570-1048583", 206, 1_048_570, 1_048_584),
    ("bytes=5-99999999", 206, 5, None),
    ("bytes=0-1,4-5", 200, 0, None),
    ("bytes=9-5", 200, 0, None),
    ("rows=1-2", 200, 0, None),
    ("nonsense", 200, 0, None),
    ("bytes=99999999-", 416, 0, 0),
]


def test_a_file_is_read_in_parts(city: City) -> None:
    """Whatever part of it, across the parts in which it is stored too."""
    city.open_dataset()
    city.publish("weather", FILE)
    for asked, status, start, stop in RANGES:
        answer = city.ask(f"{PATH}/1/file", headers={"Range": asked})
        assert answer.status_code == status, asked
        if status == 416:
            assert answer.headers["Content-Range"] == f"bytes */{len(FILE)}"
            continue
        assert answer.data == FILE[start:stop], asked
        assert ("Content-Digest" in answer.headers) == (status == 200)
        if status == 206:
            first = start % len(FILE)
            last = first + len(answer.data) - 1
            assert answer.headers["Content-Range"] == f"bytes {first}-{last}/{len(FILE)}"
    tag = city.ask(f"{PATH}/1/file").headers["ETag"]
    assert city.ask(f"{PATH}/1/file", headers={"If-None-Match": tag}).status_code == 304
    for same, status in ((tag, 206), ('"other"', 200)):
        headers = {"Range": "bytes=0-3", "If-Range": same}
        assert city.ask(f"{PATH}/1/file", headers=headers).status_code == status
    head = city.ask(f"{PATH}/1/file", method="HEAD")
    assert (head.status_code, head.headers["Content-Length"]) == (200, str(len(FILE)))


def test_a_file_that_cannot_be_cut_is_refused_in_words(city: City) -> None:
    """Row, byte and what to do, in both languages; nothing is accepted."""
    city.open_dataset()
    bad = table(3) + b'7,"x" y\r\n'
    for language, word in (("en", "Row 4"), ("zh", "第 4 行")):
        headers = {"Accept-Language": language}
        answer = city.post(PATH, bad, key=city.key, type=CSV, headers=headers)
        problem = problem_of(answer, 422, "malformed-rows")
        assert word in problem["detail"]
        assert str(len(table(3)) + 5) in problem["detail"]
    assert city.ask(PATH).get_json()["items"] == []


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("?corrects=7&reason=why", 409, "correction-refused"),
        ("?corrects=1", 409, "correction-refused"),
        ("?reason=why", 409, "correction-refused"),
        ("?corrects=x&reason=why", 400, "malformed-request"),
        ("?corrects=0&reason=why", 400, "malformed-request"),
        ("?name=", 400, "malformed-request"),
        ("?name=a%00b", 400, "malformed-request"),
        (f"?name={'x' * 256}", 400, "malformed-request"),
        ("?color=red", 400, "malformed-request"),
    ],
)
def test_a_question_that_is_wrong_is_refused(
    city: City, query: str, status: int, code: str
) -> None:
    """Before anything of the file is kept."""
    city.open_dataset()
    answer = city.post(PATH + query, table(3), key=city.key, type=CSV)
    problem_of(answer, status, code)
    assert city.world.rows("SELECT 1 FROM uploads") == []


def stream(city: City, body: BytesIO, headers: dict[str, str], **environ: Any) -> Any:
    """A body as gunicorn hands it on: with a stated length, or in chunks."""
    sent = {"Authorization": f"Bearer {city.key}", "Content-Type": CSV, **headers}
    return city.client.post(PATH, input_stream=body, headers=sent, environ_overrides=environ)


def test_a_body_that_is_cut_short_is_no_version(city: City) -> None:
    """Its sender went away; what came before was durable, and is gone."""
    city.open_dataset()
    answer = stream(city, BytesIO(FILE), {}, CONTENT_LENGTH=str(len(FILE) + 1))
    assert answer.status_code == 400
    for name in ("uploads", "versions", "version_parts", "version_tiles"):
        assert city.world.rows(f"SELECT 1 FROM {name}") == []


def test_a_body_in_chunks_needs_no_length(city: City) -> None:
    """It ends where it ends."""
    city.open_dataset()
    chunked = {"wsgi.input_terminated": True}
    answer = stream(city, BytesIO(FILE), {"Transfer-Encoding": "chunked"}, **chunked)
    assert (answer.status_code, answer.get_json()["rows"]) == (202, 60_001)


@pytest.mark.parametrize("is_chunked", [True, False])
def test_a_file_beyond_the_limit_is_refused(city: City, is_chunked: bool) -> None:
    """Whether its length is stated or not; the limit of other bodies doesn't count."""
    city.open_dataset()
    services = city.app.extensions["city-notary"]
    object.__setattr__(services, "max_version_bytes", 100)
    environ = {"wsgi.input_terminated": True} if is_chunked else {"CONTENT_LENGTH": "101"}
    answer = stream(city, BytesIO(b"a\n" * 50 + b"b"), {}, **environ)
    assert answer.status_code == 413
    assert answer.get_json()["type"] in ("/problems/file-too-large", "/problems/body-too-large")
    assert city.world.rows("SELECT 1 FROM uploads") == []
    assert stream(city, BytesIO(b"a\n" * 50), {}, CONTENT_LENGTH="100").status_code == 202


def test_an_idempotency_key_gives_the_first_version(city: City) -> None:
    """Also after other versions; for another file it is refused."""
    city.open_dataset()
    headers = {"Idempotency-Key": "june"}
    for _ in range(2):
        told = city.post(PATH, table(3), key=city.key, type=CSV, headers=headers).get_json()
        assert told["version"] == 1
        city.publish("weather", table(5))
    answer = city.post(PATH, table(4), key=city.key, type=CSV, headers=headers)
    problem_of(answer, 409, "idempotency-key-reused")
    answer = city.post(PATH, b"a", key=city.key, type=CSV, headers={"Idempotency-Key": "x" * 129})
    problem_of(answer, 422, "malformed-request")


@pytest.mark.parametrize("who", ["nobody", "another"])
def test_only_the_owner_hands_in(city: City, who: str) -> None:
    """A stranger's file is not even read; of a closed dataset nothing is told."""
    city.open_dataset()
    key = None if who == "nobody" else city.other_key
    for name in ("weather", city.closed_dataset(), "nowhere"):
        answer = city.post(f"/v1/datasets/{name}/versions", table(3), key=key, type=CSV)
        problem_of(answer, *((401, "api-key-unknown") if key is None else (404, "not-found")))
    assert city.world.rows("SELECT 1 FROM uploads") == []


@pytest.mark.parametrize(
    "place", ["2", "0", "1/rows/9", "1/rows/x", "2/file", "2/receipt", "1/rows/9/receipt", "-1"]
)
def test_what_is_not_there_is_not_found(city: City, place: str) -> None:
    """No version, no row, no number."""
    city.open_dataset()
    city.publish("weather", table(3))
    city.world.settle()
    problem_of(city.ask(f"{PATH}/{place}"), 404, "not-found")


def test_a_damaged_row_is_said_to_be_one(city: City) -> None:
    """And no receipt is made of it."""
    city.open_dataset()
    city.publish("weather", table(3))
    city.world.settle()
    city.world.change("UPDATE version_parts SET data = set_byte(data, 20, 48)")
    for place in ("1/rows/1", "1/rows/1/receipt"):
        problem_of(city.ask(f"{PATH}/{place}"), 500, "store-damaged")


def test_the_receipt_of_a_closed_row_tells_nothing_of_the_others(city: City) -> None:
    """One row, one salt; neither the file's salt nor the version's secret."""
    closed = city.closed_dataset()
    city.publish(closed, table(300))
    city.world.settle()
    receipt = city.ask(f"/v1/datasets/{closed}/versions/1/rows/7/receipt", key=city.key)
    assert "private" in receipt.headers["Cache-Control"]
    found = json.loads(receipt.data)
    assert b"station 6" in b64decode(found["row"]["bytes"])
    for column in ("salt", "secret", "file_digest"):
        kept = bytes(city.world.rows(f"SELECT {column} FROM versions")[0][0])  # type: ignore[call-overload]
        assert kept.hex() not in receipt.get_data(as_text=True)
    shown = city.ask(f"/v1/datasets/{closed}/versions/1", key=city.key).get_json()
    assert "digest" not in shown
    assert len(shown["commitment"]) == 64
