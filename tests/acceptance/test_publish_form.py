# SPDX-License-Identifier: Apache-2.0
"""The clerk's story by the form, on the real server: without JavaScript, and through faults."""

import hashlib
import http.client
import re
import socket
from dataclasses import dataclass, field
from http.cookies import SimpleCookie

import pytest

from tests.acceptance.publishers import PUBLIC_URL, TABLE, Office
from tests.acceptance.sealers import wait_for

BOUNDARY = "b0undary"
TYPE = f"multipart/form-data; boundary={BOUNDARY}"
LARGE = b"station,reading\n" + b"".join(b"%08d,%08d\n" % (n, n * 7) for n in range(120_000))


@dataclass
class Seen:
    """An answer."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def token(self) -> str:
        """The token in its form."""
        found = re.search(r'name="token" value="([0-9a-f]{64})"', self.text)
        assert found is not None, self.text
        return found[1]


@dataclass
class Browser:
    """A browser without JavaScript: it keeps cookies, and follows where it is sent."""

    office: Office
    cookies: dict[str, str] = field(default_factory=dict)

    def ask(
        self, path: str, data: bytes | None = None, type_: str = "", follow: bool = True
    ) -> Seen:
        """A GET, or a POST of a body."""
        link = http.client.HTTPConnection("127.0.0.1", self.office.web.port, timeout=300)
        headers = {"Cookie": "; ".join(f"{n}={v}" for n, v in self.cookies.items())}
        if data is not None:
            headers["Content-Type"] = type_
        link.request("GET" if data is None else "POST", path, data, headers)
        answer = link.getresponse()
        seen = Seen(
            answer.status,
            {name.lower(): value for name, value in answer.getheaders()},
            answer.read().decode(),
        )
        link.close()
        for name, morsel in SimpleCookie(seen.headers.get("set-cookie", "")).items():
            assert morsel["secure"]
            assert morsel["httponly"]
            self.cookies[name] = morsel.value
        return self.ask(seen.headers["location"]) if seen.status == 303 and follow else seen

    def sign_in(self, key: str) -> Seen:
        """With an API key; the page that is seen then."""
        said = f"token={self.ask('/publish').token}&key={key}".encode()
        return self.ask("/publish/session", said, "application/x-www-form-urlencoded")

    def form(self, dataset: str, file: bytes, name: str = "air.csv") -> bytes:
        """The form that is on the page, filled in."""
        parts = {"token": self.ask("/publish").token, "dataset": dataset}
        text = "".join(
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{part}"\r\n\r\n{value}\r\n'
            for part, value in parts.items()
        )
        text += f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; '
        text += f'filename="{name}"\r\nContent-Type: text/csv\r\n\r\n'
        return text.encode() + file + f"\r\n--{BOUNDARY}--\r\n".encode()


@pytest.fixture
def name(office: Office, request: pytest.FixtureRequest) -> str:
    """An open dataset of the test's own."""
    return office.world.dataset(hashlib.sha256(request.node.name.encode()).hexdigest()[:12])


@pytest.fixture
def browser(office: Office, name: str) -> Browser:
    """A browser, signed in with a key for that dataset."""
    made = Browser(office)
    page = made.sign_in(office.key(datasets=[name]).read_text().strip())
    assert name in page.text
    return made


def test_a_clerk_publishes_by_the_form_and_anyone_checks_it(
    office: Office, name: str, browser: Browser
) -> None:
    """A table of two megabytes: its digest, each state, the link, the receipt; verified offline."""
    seen = browser.ask("/publish", browser.form(name, LARGE), TYPE)
    for words in (
        "a CSV table, for its name ends in .csv",
        hashlib.sha256(LARGE).hexdigest(),
        f"{PUBLIC_URL}/datasets/{name}/versions/1",
    ):
        assert words in seen.text
    path = f"/publish/{name}/1"
    wait_for("the anchor", lambda: 'data-done="yes"' in browser.ask(path).text)
    file = office.file("air.csv", LARGE)
    receipt = file.with_name("air.receipt.json")
    receipt.write_text(browser.ask(f"{path}/receipt").text)
    held = office.verify(receipt, file)
    assert held.code == 0, held.warned
    again = browser.ask("/publish", browser.form(name, LARGE), TYPE)
    assert f"These bytes are version 1 of {name} already." in again.text
    assert len(office.versions(name)) == 1


def test_form_and_command_line_make_the_same_version(
    office: Office, name: str, browser: Browser
) -> None:
    """What was handed in by one is found there by the other."""
    browser.ask("/publish", browser.form(name, TABLE), TYPE)
    file = office.file("air.csv")
    done = office.publish(office.key(datasets=[name]), file)
    assert (done.code, "are version 1 of" in done.said) == (0, True), done.warned
    assert office.verify(file.with_name("air.csv.receipt.json"), file).code == 0


@pytest.mark.parametrize(
    ("file", "status", "words"),
    [
        (b"", 422, "empty (0 bytes)"),
        (b"a\n" * (3 << 19) + b"a", 413, ""),
        (b"a\n" * (3 << 20), 413, ""),
        (b'a,b\n"x" y,1\n', 422, "Row 1, at byte 7"),
    ],
)
def test_a_file_that_can_not_be_taken_is_told_by_the_real_server(
    office: Office, name: str, browser: Browser, file: bytes, status: int, words: str
) -> None:
    """With its status and a sentence, and nothing of it is left."""
    form = browser.form(name, file)
    link = http.client.HTTPConnection("127.0.0.1", office.web.port, timeout=300)
    cookie = "; ".join(f"{n}={v}" for n, v in browser.cookies.items())
    headers = {"Cookie": cookie, "Content-Type": TYPE, "Accept": "text/html"}
    link.request("POST", "/publish", form, headers)
    answer = link.getresponse()
    text = answer.read().decode()
    link.close()
    assert (answer.status, words in text) == (status, True), text
    assert office.versions(name) == []


def test_a_form_that_is_cut_in_the_middle_leaves_nothing(
    office: Office, name: str, browser: Browser
) -> None:
    """The browser's connection ends; no half becomes a version."""
    form = browser.form(name, LARGE)
    cookie = "; ".join(f"{n}={v}" for n, v in browser.cookies.items())
    head = (
        f"POST /publish HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\n"
        f"Content-Type: {TYPE}\r\nContent-Length: {len(form)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", office.web.port), timeout=300) as link:
        link.sendall(head.encode() + form[: len(form) // 2])
    wait_for("no halves", lambda: office.world.rows("SELECT 1 FROM uploads") == [])
    assert office.versions(name) == []
    assert browser.ask("/publish", browser.form(name, LARGE), TYPE).status == 200


def test_a_session_outlives_a_restart_of_the_server(
    office: Office, name: str, browser: Browser
) -> None:
    """While the clerk waits for the anchor; the page goes on where it was."""
    browser.ask("/publish", browser.form(name, TABLE), TYPE)
    office.web.stop()
    office.web.start()
    path = f"/publish/{name}/1"
    wait_for("the anchor", lambda: 'data-done="yes"' in browser.ask(path).text)


def test_another_department_sees_and_writes_nothing(
    office: Office, name: str, browser: Browser
) -> None:
    """Signed in with its own key: as if neither dataset nor version were there."""
    browser.ask("/publish", browser.form(name, TABLE), TYPE)
    other = Browser(office)
    key = office.stranger()
    assert name not in other.sign_in(key).text
    assert other.ask(f"/publish/{name}/1").status == 404
    assert other.ask("/publish", other.form(name, TABLE + b"1,1\n"), TYPE).status == 404
    assert len(office.versions(name)) == 1
