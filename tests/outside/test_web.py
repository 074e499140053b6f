# SPDX-License-Identifier: Apache-2.0
"""What comes from a server that nobody has to believe: bounded, in time, and from itself alone."""

import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from notary.outside.errors import BadAnswer, Unreachable
from notary.outside.web import Web
from tests.iot_ingest.certificates import Authority
from tests.outside.raw import Answer, Raw, ok

OPEN: list[Web] = []


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    """No connection outlives its test."""
    yield
    while OPEN:
        OPEN.pop().close()


def client_of(url: str, ca_file: Path | None = None, **more: Any) -> Web:
    """A client of an address, without pauses."""
    OPEN.append(Web(url, ca_file, **{"pauses": (), **more}))
    return OPEN[-1]


def web(server: Raw, *, seconds: float = 60.0, pauses: tuple[float, ...] = ()) -> Web:
    """A client of a server."""
    return client_of(server.url, seconds=seconds, pauses=pauses)


def read(client: Web, how: str, limit: int) -> bytes:
    """An answer, whole or streamed."""
    return client.get("/x", limit) if how == "get" else b"".join(client.stream("/x", limit))


BOTH = pytest.mark.parametrize("how", ["get", "stream"])


@BOTH
def test_an_answer_comes_as_it_was_sent(how: str) -> None:
    """By the path below the address, uncompressed, and without anything that could be a secret."""
    with Raw(lambda path: ok(path.encode())) as server:
        client = client_of(f"{server.url}/log/")
        assert read(client, how, 6) == b"/log/x"
        head = server.asked[0].lower()
        assert head.startswith("get /log/x http/1.1\r\n")
        assert "accept-encoding: identity" in head
        assert not {"authorization", "cookie"} & {line.split(":")[0] for line in head.split("\r\n")}


@BOTH
@pytest.mark.parametrize("has_length", [True, False])
def test_an_endless_answer_is_left_at_its_limit(how: str, has_length: bool) -> None:
    """Whether it states its length or not, not a byte more than was asked for is kept."""
    sent = 0

    def endless(_: str) -> Answer:
        nonlocal sent
        yield b"HTTP/1.1 200 OK\r\n"
        yield b"Content-Length: 99999999999\r\n\r\n" if has_length else b"\r\n"
        while sent < 1 << 30:
            sent += 65536
            yield bytes(65536)

    with Raw(endless) as server, pytest.raises(BadAnswer) as refused:
        read(web(server), how, 100_000)
    assert refused.value.reason == "too-large"
    assert sent < 1 << 26


@BOTH
def test_an_answer_that_is_cut_off_is_none(how: str) -> None:
    """What states more bytes than come is refused, even where the bytes would do."""
    with Raw(lambda _: [*ok(b"whole")[:1], b"who"]) as server, pytest.raises(BadAnswer) as refused:
        read(web(server), how, 100)
    assert refused.value.reason == "cut-off"


@BOTH
def test_an_answer_that_drips_is_too_slow(how: str) -> None:
    """Each byte comes in time, and the whole would take for ever."""
    with Raw(lambda _: ()) as server:

        def drip(_: str) -> Answer:
            yield b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
            while not server.ending.wait(0.02):
                yield b"x"

        server._answer = drip
        with pytest.raises(BadAnswer) as refused:
            read(web(server, seconds=2), how, 1000)
    assert refused.value.reason == "slow"


def test_headers_that_drip_are_too_slow() -> None:
    """The limit of time begins with the question."""
    with Raw(lambda _: ()) as server:

        def drip(_: str) -> Answer:
            yield b"HTTP/1.1 200 OK\r\n"
            while not server.ending.wait(0.02):
                yield b"A"

        server._answer = drip
        with pytest.raises(BadAnswer) as refused:
            web(server, seconds=2).get("/x", 10)
    assert refused.value.reason == "slow"


def test_whoever_says_nothing_is_away() -> None:
    """A server that takes the question and never answers says nothing about the log."""
    with Raw(lambda _: ()) as server:

        def silent(_: str) -> Answer:
            server.ending.wait(10)
            return ()

        server._answer = silent
        with pytest.raises(Unreachable) as away:
            web(server, seconds=0.5).get("/x", 10)
    assert away.value.reason == "away"


def test_whoever_is_not_there_is_away() -> None:
    """Nobody listens on the port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(Unreachable) as away:
        client_of(f"http://127.0.0.1:{port}").get("/x", 10)
    assert away.value.reason == "away"
    assert away.value.facts["url"] == f"http://127.0.0.1:{port}"


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 1000 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nA: " + b"b" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnot hexadecimal\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\nshort",
    ],
    ids=["nothing", "ssh", "status", "many-headers", "long-header", "chunk", "short-chunk"],
)
@BOTH
def test_what_is_no_http_is_refused(how: str, answer: bytes) -> None:
    """As one of the two errors, never as another one."""
    with Raw(lambda _: [answer]) as server, pytest.raises((Unreachable, BadAnswer)):
        read(web(server), how, 1000)


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary", "308 Permanent"])
def test_no_redirect_is_followed(status: str) -> None:
    """Who else would answer is for the user to say."""
    with (
        Raw(lambda _: ok(b"mine")) as other,
        Raw(lambda _: ok(b"", f"Location: {other.url}/x", status=status)) as server,
    ):
        with pytest.raises(Unreachable) as refused:
            web(server, pauses=(0, 0)).get("/x", 10)
        assert refused.value.reason == "redirected"
        assert (other.asked, len(server.asked)) == ([], 1)


@pytest.mark.parametrize("status", ["404 Not Found", "410 Gone", "500 Oops", "204 No Content"])
def test_another_status_is_told_at_once(status: str) -> None:
    """What won't change soon isn't asked for again."""
    with Raw(lambda _: ok(b"", status=status)) as server:
        with pytest.raises(BadAnswer) as refused:
            web(server, pauses=(0, 0)).get("/x", 10)
        assert (refused.value.reason, refused.value.status) == ("status", int(status[:3]))
        assert refused.value.path == "/x"
        assert len(server.asked) == 1


@pytest.mark.parametrize("first", ["429 Slow Down", "503 Wait", "502 Bad", "drop", "short"])
def test_a_moments_trouble_is_tried_again(first: str) -> None:
    """Once for each pause; then the answer counts."""
    answers: Iterator[Answer] = iter(
        [
            [] if first == "drop" else ok(b"12")[:1] if first == "short" else ok(b"", status=first),
            ok(b"good"),
        ]
    )
    with Raw(lambda _: next(answers)) as server:
        assert web(server, pauses=(0,)).get("/x", 10) == b"good"


def test_trouble_that_stays_is_told() -> None:
    """After as many tries as there are pauses, and one."""
    with Raw(lambda _: ok(b"", status="503 Wait")) as server:
        with pytest.raises(BadAnswer) as refused:
            web(server, pauses=(0, 0)).get("/x", 10)
        assert (refused.value.status, len(server.asked)) == (503, 3)


def test_a_connection_is_kept_and_one_that_went_stale_is_made_anew() -> None:
    """Without a pause: that the server closed it meanwhile is no trouble."""
    with Raw(lambda path: ok(path.encode()), keeps=True) as server:
        client = web(server)
        assert [client.get(f"/{i}", 9) for i in range(3)] == [b"/0", b"/1", b"/2"]
        assert server.connections == 1
        assert client._kept is not None
        client._kept.sock.shutdown(socket.SHUT_RDWR)
        assert client.get("/3", 9) == b"/3"
        assert server.connections == 2
        client.close()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "notary.example",
        "ftp://notary.example",
        "http://",
        "http://user@notary.example",
        "http://user:password@notary.example",
        "http://notary.example:99999",
        "http://notary.example:0",
        "http://notary.example/?a=b",
        "http://notary.example/#a",
        "http://notary.example/a b",
        "http://notary.example/\r\nHost: x",
        "http://notäry.example",
        "http://[::1",
    ],
)
def test_an_address_that_is_none_is_refused(url: str) -> None:
    """With a sentence, before anything is sent."""
    with pytest.raises(Unreachable) as refused:
        Web(url)
    assert refused.value.reason == "bad-url"


@pytest.mark.parametrize(
    ("url", "is_safe"),
    [
        ("http://notary.example", False),
        ("https://notary.example", True),
        ("http://localhost:8080/x", True),
        ("http://127.0.0.9", True),
        ("http://[::1]:80", True),
        ("http://localhost.example", False),
    ],
)
def test_only_tls_and_this_machine_are_safe(url: str, is_safe: bool) -> None:
    """By the name alone: nobody is asked."""
    assert Web(url).address.is_safe is is_safe


def test_a_certificate_that_nobody_vouches_for_is_refused() -> None:
    """Refused at once; with its authority named it is trusted, for its own name alone."""
    authority = Authority("outside")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue("127.0.0.1"))
    with Raw(lambda _: ok(b"good"), tls=context) as server:
        with pytest.raises(Unreachable) as refused:
            client_of(server.url, pauses=(0, 0)).get("/x", 10)
        assert (refused.value.reason, server.asked) == ("certificate", [])
        assert client_of(server.url, authority.file).get("/x", 10) == b"good"
        other = server.url.replace("127.0.0.1", "localhost")
        with pytest.raises(Unreachable) as refused:
            client_of(other, authority.file).get("/x", 10)
        assert refused.value.reason == "certificate"


@pytest.mark.parametrize("content", [None, "", "no certificate"])
def test_authorities_that_cannot_be_read_are_named(tmp_path: Path, content: str | None) -> None:
    """Rather than none being trusted, or all."""
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content)
    with pytest.raises(Unreachable) as refused:
        Web("https://notary.example", file)
    assert (refused.value.reason, refused.value.facts["path"]) == ("bad-ca", str(file))


def test_what_is_posted_goes_to_the_address_itself() -> None:
    """Its query too, which may hold a secret; any good answer will do."""
    with Raw(lambda _: ok(b"", status="204 No Content")) as server:
        hook = Web(f"{server.url}/hook?key=s3cret", pauses=(), has_query=True)
        hook.post(b"{}", {"Content-Type": "application/json"})
        assert server.asked[0].startswith("POST /hook?key=s3cret HTTP/1.1\r\n")
        assert server.bodies == [b"{}"]


def test_what_is_posted_in_vain_is_told() -> None:
    """A refusal is one."""
    with Raw(lambda _: ok(b"", status="403 No")) as server, pytest.raises(BadAnswer) as refused:
        Web(server.url, pauses=(), has_query=True).post(b"{}", {})
    assert refused.value.status == 403
