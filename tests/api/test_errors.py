# SPDX-License-Identifier: Apache-2.0
"""Every error is a problem (RFC 9457), and tells nothing that is nobody's business."""

import json

import pytest
from werkzeug.exceptions import TooManyRequests

from notary.store.errors import LaneBusy, StoreRefused, StoreUnavailable
from notary.usecases.accept import ClockBehind
from notary.usecases.marks import StateRefused
from notary.usecases.prove import StoreDamaged
from tests.api.city import City, problem_of

HOSTILE_PATHS = [
    "/v1/nothing",
    "/v1/datasets/%00",
    "/v1/datasets/a%00b",
    "/v1/datasets/%ff%fe",
    "/v1/datasets/..%2f..%2fetc",
    "/v1/datasets/" + "a" * 129,
    "/v1/datasets/weather/sources/%00",
    "/v1/datasets/weather/sources/desk/records/-1",
    "/v1/datasets/weather/sources/desk/records/01",
    "/v1/datasets/weather/sources/desk/records/1.0",
    "/v1/datasets/weather/sources/desk/records/9007199254740992",
    "/v1/datasets/weather/sources/desk/records/" + "1" * 5000,
    "/v1/datasets/weather/sources/desk/records/%D9%A3",
    "/v1/datasets/weather/sources/desk/records/9007199254740991",
    "/v1/batches/9007199254740991",
    "/v1/batches/" + "9" * 400,
    "/v1/batches/-1/runs",
    "/v1/batches/7/leaves",
    "/v1/digests/zz",
    "/v1/digests/" + "A" * 64,
    "/log/tile/0/000",
    "/log/tile/0/000.p/1",
    "/log/tile/0/x999/x999/x999/x999/x999/x999/999",
    "/log/tile/64/000",
    "/log/tile/0/../../checkpoint",
    "/log/tile/entries/000",
    "/log/tile/%00",
    "/log/checkpoint",
    "/docs/../secret",
    "/docs/index.html",
    "/static/..%2fpages.py",
    "/static/none.css",
    "/problems/none",
    "/problems/%00",
    "/v1//datasets",
]


@pytest.mark.parametrize("path", HOSTILE_PATHS)
def test_hostile_paths_are_not_found(shared: City, path: str) -> None:
    """No path, however odd, ends in anything but 404."""
    answer = shared.ask(path)
    assert answer.status_code == 404
    assert [entry for entry in shared.lines if entry["event"] == "fault"] == []


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"])
@pytest.mark.parametrize("path", ["/v1/datasets", "/log/checkpoint", "/"])
def test_other_methods_are_not_allowed(shared: City, path: str, method: str) -> None:
    """405 names the methods that are."""
    answer = shared.ask(path, method=method)
    problem_of(answer, 405, "method-not-allowed")
    assert "GET" in answer.headers["Allow"]


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (StateRefused("the mark /secret/place is missing"), 503, "state-refused"),
        (StoreUnavailable("could not connect to /secret/place"), 503, "store-unavailable"),
        (StoreRefused("/secret/place"), 503, "store-refused"),
        (LaneBusy(), 503, "lane-busy"),
        (ClockBehind(), 503, "clock-behind"),
        (StoreDamaged("/secret/place"), 500, "store-damaged"),
        (TooManyRequests(), 429, "too-many-requests"),
        (RuntimeError("/secret/place"), 500, "internal-error"),
        (RecursionError("/secret/place"), 500, "internal-error"),
    ],
)
def test_faults_tell_what_to_do_and_not_where(
    shared: City, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int, code: str
) -> None:
    """Paths and messages of the inside reach neither the answer nor the request's log line."""

    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("notary.usecases.look.newest_checkpoint", fail)
    answer = shared.ask("/log/checkpoint")
    problem_of(answer, status, code)
    assert b"/secret/place" not in answer.data
    assert "/secret/place" not in json.dumps(shared.lines)
    if code in ("store-unavailable", "lane-busy"):
        assert int(answer.headers["Retry-After"]) >= 1


def test_a_fault_of_our_own_is_logged_under_the_request(
    shared: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line tells which fault it was and where it happened."""
    monkeypatch.setattr("notary.usecases.look.newest_checkpoint", lambda _: 1 / 0)
    answer = shared.ask("/log/checkpoint")
    (fault,) = [entry for entry in shared.lines if entry["event"] == "fault"]
    assert fault["error"] == "ZeroDivisionError"
    assert fault["request_id"] == answer.headers["X-Request-ID"]
    assert any("log.py" in place for place in fault["at"])


@pytest.mark.parametrize(
    ("language", "word"),
    [
        ("zh", "\u8fd9\u91cc"),
        ("zh-Hant-TW, en;q=0.5", "\u8fd9\u91cc"),
        ("fr", "There is"),
        ("en, zh;q=0.9", "There is"),
        ("\u00e9;q=x,,;;", "There is"),
        ("zh;q=0", "There is"),
    ],
)
def test_a_problem_speaks_the_callers_language(shared: City, language: str, word: str) -> None:
    """Accept-Language chooses the sentence, and caches are told."""
    answer = shared.ask("/v1/nothing", headers={"Accept-Language": language})
    assert word in problem_of(answer, 404, "not-found")["detail"]
    assert answer.headers["Vary"] == "Accept-Language"


def test_lang_comes_before_the_browser(shared: City) -> None:
    """`?lang=` chooses the language, whatever the header says."""
    answer = shared.ask("/v1/nothing?lang=zh", headers={"Accept-Language": "en"})
    assert answer.headers["Content-Language"] == "zh"


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "a\u00e9", "<script>", "a;b"])
def test_a_request_id_that_is_none_is_replaced(shared: City, given: str) -> None:
    """Only a plain word is taken over as the request's id."""
    answer = shared.ask("/livez", headers={"X-Request-ID": given})
    assert answer.headers["X-Request-ID"] != given
    assert answer.headers["X-Request-ID"].isalnum()


def test_a_request_id_is_taken_over(shared: City) -> None:
    """A proxy's id goes through answer, problem and log."""
    answer = shared.ask("/v1/nothing", headers={"X-Request-ID": "proxy-7.a_b"})
    assert answer.headers["X-Request-ID"] == "proxy-7.a_b"
    assert problem_of(answer, 404, "not-found")["request_id"] == "proxy-7.a_b"
    assert shared.lines[-1]["request_id"] == "proxy-7.a_b"


@pytest.mark.parametrize("path", ["/", "/livez", "/v1/nothing", "/docs", "/static/style.css"])
def test_every_answer_has_the_headers_of_safety(shared: City, path: str) -> None:
    """Nothing may be framed, sniffed, or run from elsewhere."""
    headers = shared.ask(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "frame-ancestors 'none'" in policy
    assert "unsafe-inline" not in policy.replace("style-src 'self' 'unsafe-inline'", "")
    assert "http" not in policy


@pytest.mark.parametrize("path", ["/v1/nothing", "/log/none"])
def test_programs_get_json_even_if_they_look_like_browsers(shared: City, path: str) -> None:
    """Below the API's paths a problem is JSON, whatever Accept says."""
    problem_of(shared.ask(path, headers={"Accept": "text/html"}), 404, "not-found")


def test_a_browser_gets_a_page(shared: City) -> None:
    """Elsewhere a browser sees the problem as a page, with the same status."""
    answer = shared.ask("/nowhere", headers={"Accept": "text/html,*/*;q=0.8"})
    assert answer.status_code == 404
    assert answer.mimetype == "text/html"
