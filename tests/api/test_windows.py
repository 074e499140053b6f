# SPDX-License-Identifier: Apache-2.0
"""Windows over HTTP, checked by the offline verifier with the payloads beside them."""

import json
from pathlib import Path

import pytest

from notary.verifier import command as verifier
from tests.api.city import City, problem_of

COUNT = 12


def fill(city: City, dataset: str) -> str:
    """A reading a minute; the address of the source."""
    for number in range(COUNT):
        city.record(dataset, source="desk", text=f"reading {number}", key=str(number))
        city.world.pass_by(60)
    city.world.settle()
    return f"/v1/datasets/{dataset}/sources/desk/window"


@pytest.fixture(params=["open", "closed"])
def place(city: City, request: pytest.FixtureRequest) -> str:
    """Of a source in an open dataset, or in one that isn't."""
    name = city.open_dataset() if request.param == "open" else city.closed_dataset()
    return fill(city, name)


def verify(city: City, folder: Path, window: bytes, payloads: bytes | None) -> int:
    """What `notary verify` says of the files."""
    (folder / "window.json").write_bytes(window)
    (folder / "trust.json").write_text(city.world.parts.trust(), encoding="utf-8")
    arguments = [str(folder / "window.json"), "--trust", str(folder / "trust.json")]
    if payloads is not None:
        (folder / "payloads.ndjson").write_bytes(payloads)
        arguments += ["--payload", str(folder / "payloads.ndjson")]
    return verifier.main(arguments)


def test_a_window_and_its_payloads_verify_offline(
    city: City, place: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """All of them; a byte changed, a line left out, moved or doubled is told."""
    answer = city.ask(f"{place}?by=n&from=2&to=8", key=city.key)
    assert answer.status_code == 200
    assert answer.content_type == "application/json"
    window = answer.data
    carried = json.loads(window)
    assert json.loads(carried["head"])["n"] == 1
    lines = city.ask(f"{place}/payloads?first=1&last=8", key=city.key).data
    assert verify(city, tmp_path, window, lines) == verifier.HOLDS
    said = capsys.readouterr().out
    assert "all records 1 to 8 of source" in said
    assert "8 in number, none missing between them" in said
    assert verify(city, tmp_path, window, None) == verifier.HOLDS
    rows = lines.splitlines(keepends=True)
    other = json.dumps({**json.loads(rows[3]), "payload": "AAAA"}).encode() + b"\n"
    for attack, code in (
        ([*rows[:3], other, *rows[4:]], verifier.REFUSED),
        (rows[:3] + rows[4:], verifier.UNUSABLE),
        (rows[:-1], verifier.REFUSED),
        ([*rows, rows[-1].replace(b'"n":8', b'"n":9')], verifier.REFUSED),
        ([rows[1], rows[0], *rows[2:]], verifier.UNUSABLE),
        ([*rows[:4], b"\n", *rows[4:]], verifier.UNUSABLE),
        ([*rows[:4], b"[1]\n", *rows[5:]], verifier.UNUSABLE),
        ([*rows[:4], b'{"n":5}\n', *rows[5:]], verifier.UNUSABLE),
        ([*rows[:4], b'{"n":5,"payload":"?"}\n', *rows[5:]], verifier.UNUSABLE),
        ([*rows[:4], b"\xff\n", *rows[5:]], verifier.UNUSABLE),
    ):
        assert verify(city, tmp_path, window, b"".join(attack)) == code
    damaged = window.replace(b'"r":60000000', b'"r":60000001', 1)
    assert verify(city, tmp_path, damaged, lines) == verifier.REFUSED


def test_a_span_of_times_is_asked_for_in_any_zone(city: City) -> None:
    """It is written down in UTC."""
    place = fill(city, city.open_dataset())
    first = city.ask(place.replace("window", "records/3")).get_json()["received"]
    query = {"from": first.replace("Z", "+00:00"), "to": "2999-01-01T00:00:00+08:00"}
    answer = city.app.test_client().get(place, query_string=query)
    assert answer.get_json()["asked"] == {
        "by": "received", "from": first, "to": "2998-12-31T16:00:00.000000Z",
    }  # fmt: skip
    assert answer.headers["Cache-Control"] == "no-cache"


def test_a_window_is_fixed_once_nothing_can_come_any_more(city: City, place: str) -> None:
    """With the end open it is asked for again; a closed dataset's is for one reader."""
    for query, word in (("from=2&to=8", "immutable"), ("from=2&to=99", "no-cache")):
        answer = city.ask(f"{place}?by=n&{query}", key=city.key)
        assert word in answer.headers["Cache-Control"]
    kept = city.ask(f"{place}?by=n&from=2&to=8", key=city.key).headers["Cache-Control"]
    assert kept.startswith("public" if "weather" in place else "private")


def test_before_a_checkpoint_it_says_when_to_ask_again(city: City) -> None:
    """202 with Retry-After, as for a receipt."""
    city.record(city.open_dataset())
    answer = city.ask("/v1/datasets/weather/sources/desk/window?by=n&from=0&to=1")
    assert answer.status_code == 202
    assert int(answer.headers["Retry-After"]) > 0


@pytest.mark.parametrize(
    "query",
    [
        "", "from=1", "by=n&from=1", "by=time&from=1&to=2", "by=n&from=2&to=2", "by=n&from=-1&to=2",
        "by=n&from=1&to=1e3", "by=n&from=1&to=99999999999999999", "by=n&from=%D9%A1&to=2",
        "from=yesterday&to=today", "from=2026-01-01T00:00:00&to=2026-01-02T00:00:00",
        "from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "from=0001-01-01T00:00:00%2B23&to=1",
        "by=observed&from=b&to=a", "by=n&from=0&to=1&until=soon", "by=n&from=0&to=1&more=1",
    ],
)  # fmt: skip
def test_what_is_no_span_is_a_problem_with_a_sentence(city: City, query: str) -> None:
    """Never a traceback."""
    city.record(city.open_dataset())
    answer = city.ask(f"/v1/datasets/weather/sources/desk/window?{query}")
    assert answer.status_code in (400, 422)
    assert len(answer.get_json()["detail"]) > 10


def test_too_long_a_span_says_how_many_and_what_to_do(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In parts."""
    place = fill(city, city.open_dataset())
    monkeypatch.setattr("notary.usecases.prove_window.MAX_RECORDS", 5)
    told = problem_of(city.ask(f"{place}?by=n&from=0&to=9"), 422, "window-too-long")
    assert "10 records" in told["detail"]
    problem_of(city.ask(f"{place}/payloads?first=0&last=5"), 422, "window-too-long")
    problem_of(city.ask(f"{place}/payloads?first=5&last=4"), 404, "not-found")
