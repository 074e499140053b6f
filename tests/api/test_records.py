# SPDX-License-Identifier: Apache-2.0
"""Records and their states, and receipts as they ripen."""

import json
from hashlib import sha256

import pytest

from notary.core.receipt import verify_receipt
from notary.core.receipt_format import parse_receipt
from notary.core.trust import parse_trust
from tests.api.city import City, problem_of

RECORD = "/v1/datasets/weather/sources/desk/records/0"


def test_each_state_is_told_apart(city: City) -> None:
    """Accepted, sealed, signed and anchored come one by one; nothing claims to be witnessed."""
    city.open_dataset()
    accepted = city.record("weather")

    def state() -> dict[str, object]:
        found: dict[str, object] = city.ask(RECORD).get_json()["state"]
        return found

    none = {"sealed": None, "signed": None, "witnessed": None, "anchored": []}
    assert state() == {"accepted": accepted["received"], **none}
    city.world.seal()
    assert state()["sealed"]["batch"] == 0  # type: ignore[index]
    assert state()["signed"] is None
    city.world.sign()
    assert state()["signed"]["size"] == 1  # type: ignore[index]
    assert state()["anchored"] == []
    city.world.anchor()
    assert state()["anchored"] == [{"ledger": "file", "size": 1, "own_word": True}]
    assert state()["witnessed"] is None


def test_a_receipt_ripens(city: City) -> None:
    """202 with Retry-After until it is signed, 200 to be asked again, then fixed for good."""
    city.open_dataset()
    city.record("weather")
    for state in ("accepted", "sealed"):
        answer = city.ask(f"{RECORD}/receipt")
        assert answer.status_code == 202
        assert answer.get_json()["state"] == state
        assert int(answer.headers["Retry-After"]) >= 1
        assert answer.headers["Cache-Control"] == "no-store"
        assert "ETag" not in answer.headers
        city.world.seal()
    city.world.sign()
    early = city.ask(f"{RECORD}/receipt")
    assert early.status_code == 200
    assert early.headers["Cache-Control"] == "no-cache"
    assert city.ask(f"{RECORD}/receipt?until=anchored").status_code == 202
    city.world.anchor()
    final = city.ask(f"{RECORD}/receipt?until=anchored")
    assert final.status_code == 200
    assert final.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert final.headers["ETag"] != early.headers["ETag"]
    assert city.ask(f"{RECORD}/receipt").data == final.data


def test_a_receipt_verifies_with_the_trust_file(city: City) -> None:
    """What the two addresses give out holds together, by the offline verifier's code."""
    city.open_dataset()
    accepted = city.record("weather", text="evidence")
    city.world.settle()
    receipt = parse_receipt(city.ask(f"{RECORD}/receipt").get_data(as_text=True))
    trust = parse_trust(city.ask("/trust.json").get_data(as_text=True))
    verdict = verify_receipt(receipt, trust, b"evidence")
    assert verdict.subject["n"] == accepted["n"]


def test_what_the_caller_has_is_not_sent_again(city: City) -> None:
    """If-None-Match is answered by 304 without a body, another tag by the whole."""
    city.open_dataset()
    city.record("weather")
    city.world.settle()
    whole = city.ask(f"{RECORD}/receipt")
    for tags in (whole.headers["ETag"], f'"x", W/{whole.headers["ETag"]}', "*"):
        again = city.ask(f"{RECORD}/receipt", headers={"If-None-Match": tags})
        assert (again.status_code, again.data) == (304, b"")
        assert again.headers["ETag"] == whole.headers["ETag"]
    other = city.ask(f"{RECORD}/receipt", headers={"If-None-Match": '"x"'})
    assert other.data == whole.data


def test_a_closed_datasets_receipt_is_for_no_shared_cache(city: City) -> None:
    """A final receipt of a closed dataset may be kept by its reader only."""
    closed = city.closed_dataset()
    accepted = city.record(closed)
    city.world.settle()
    answer = city.ask(accepted["links"]["receipt"], key=city.key)
    assert answer.headers["Cache-Control"] == "private, max-age=31536000, immutable"


@pytest.mark.parametrize(
    ("query", "parameter", "code"),
    [
        ("until=verified", "until", "until"),
        ("until=", "until", "until"),
        ("untill=anchored", "untill", "unknown"),
        ("chain=-1", "chain", "integer"),
        ("chain=" + "1" * 5000, "chain", "range"),
        ("chain=2147483648", "chain", "range"),
    ],
)
def test_a_receipts_query_is_read_strictly(
    shared: City, query: str, parameter: str, code: str
) -> None:
    """A misspelt wish is refused instead of being passed over."""
    answer = shared.ask(f"{RECORD}/receipt?{query}")
    (fault,) = problem_of(answer, 400, "malformed-request")["errors"]
    assert (fault["parameter"], fault["code"]) == (parameter, code)


@pytest.mark.parametrize("query", ["chain=1", "chain=2147483647"])
@pytest.mark.parametrize("path", ["", "/payload", "/receipt"])
def test_another_chain_has_no_such_record(shared: City, path: str, query: str) -> None:
    """A chain that was never begun holds nothing, however large its number."""
    problem_of(shared.ask(f"{RECORD}{path}?{query}"), 404, "not-found")
    listed = shared.ask(f"/v1/datasets/weather/sources/desk/records?{query}")
    assert listed.get_json()["items"] == []


def test_records_are_listed_in_the_order_of_n(city: City) -> None:
    """Pages go on where the last one ended, without payloads, with digests."""
    city.open_dataset()
    for number in range(5):
        city.record("weather", text=f"reading {number}")
    seen, cursor = [], ""
    while True:
        path = f"/v1/datasets/weather/sources/desk/records?limit=2{cursor}"
        page = city.ask(path).get_json()
        seen += page["items"]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert [item["n"] for item in seen] == list(range(5))
    assert [item["digest"] for item in seen] == [
        sha256(f"reading {number}".encode()).hexdigest() for number in range(5)
    ]
    assert not any("payload_base64" in item for item in seen)


def test_a_closed_record_shows_a_commitment_and_its_salt_to_the_owner(city: City) -> None:
    """SHA-256(salt || payload) is what the statement holds."""
    closed = city.closed_dataset()
    accepted = city.record(closed, text="1200")
    record = city.ask(accepted["links"]["self"], key=city.key).get_json()
    committed = sha256(bytes.fromhex(record["salt"]) + b"1200").hexdigest()
    assert record["commitment"] == committed
    assert json.loads(record["statement"])["commitment"] == committed
    assert "digest" not in record
    listed = city.ask(f"/v1/datasets/{closed}/sources/desk/records", key=city.key).get_json()
    assert listed["items"][0]["commitment"] == committed
    assert "salt" not in listed["items"][0]


@pytest.mark.parametrize("type", ["text/html", "image/svg+xml", "application/javascript"])
def test_a_payload_is_never_shown_as_a_page(city: City, type: str) -> None:
    """Whatever its sender called it, it is handed out as bytes to keep, from which nothing runs."""
    city.open_dataset()
    city.record("weather", text="<script>alert(1)</script>", type=type)
    answer = city.ask(f"{RECORD}/payload")
    assert answer.mimetype == "application/octet-stream"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="desk-0.bin"'
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")


@pytest.mark.parametrize(
    ("source", "type", "name"),
    [
        ("roof:1", "application/json", "roof_1-0.json"),
        ("a.html", "text/plain", "a.html-0.txt"),
        ("page", "text/html", "page-0.bin"),
        ("exe", "application/x-msdownload", "exe-0.bin"),
    ],
)
def test_a_payload_is_called_after_its_record(
    city: City, source: str, type: str, name: str
) -> None:
    """With an ending that opens where nothing can run; no other is taken from the sender."""
    city.open_dataset()
    path = city.record("weather", source=source, text="1", type=type)["links"]["self"]
    answer = city.ask(f"{path}/payload")
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}"'


def test_a_record_that_was_altered_in_the_store_gets_no_receipt(city: City) -> None:
    """Where the columns don't give the leaf, the answer is a fault and not a wrong proof."""
    city.open_dataset()
    city.record("weather")
    city.world.settle()
    city.world.change("UPDATE records SET payload = 'other'")
    problem_of(city.ask(f"{RECORD}/receipt"), 500, "store-damaged")


def test_a_closed_statement_names_neither_the_senders_time_nor_its_key(city: City) -> None:
    """They find repeats, and nothing of them outlives an erasure."""
    closed = city.closed_dataset()
    first = city.record(closed, key="wage-7", observed="2031-03-05")
    again = city.record(closed, key="wage-7", observed="2031-03-05")
    assert (again["n"], again["duplicate"]) == (first["n"], True)
    record = city.ask(first["links"]["self"], key=city.key).get_data(as_text=True)
    assert "wage-7" not in record
    assert "2031-03-05T" in record
    assert '"observed"' not in record
