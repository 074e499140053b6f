# SPDX-License-Identifier: Apache-2.0
"""What an authority may answer: only tokens that hold are taken, nothing is claimed without."""

from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from notary.evidence.der import NULL, OCTET_STRING, SEQUENCE, element, integer, oid, one
from notary.ledgers.port import Ledger, LedgerUnavailable
from notary.ledgers.rfc3161.exchange import query
from tests.ledgers.contract import NOW, checkpoint
from tests.ledgers.test_rfc3161 import opened
from tests.tsa.certificates import Wanted, certify, root
from tests.tsa.city import City, city
from tests.tsa.forger import SHA1, SHA256, Stamp, algorithm, answer

Reply = Callable[[City, bytes, int], tuple[int, str, bytes]]
"""From the question's imprint and nonce to status, media type and body."""
GRANTED = "application/timestamp-reply"


def token(imprint: bytes, nonce: int | None, **others: object) -> bytes:
    """What the city's authority would sign."""
    stamp = Stamp(b"", imprint=imprint, nonce=b"" if nonce is None else integer(nonce))
    return city().forger.but(**others).token(stamp)


def body(made: bytes) -> tuple[int, str, bytes]:
    """A usual HTTP answer."""
    return 200, GRANTED, made


@pytest.fixture
def asked(tmp_path: Path) -> Iterator[Callable[[Reply], Ledger]]:
    """A function: a ledger whose authority answers so."""
    servers = []

    def ask(reply: Reply) -> Ledger:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                question = self.rfile.read(int(self.headers["Content-Length"]))
                imprint, nonce = read_query(question)
                status, kind, data = reply(city(), imprint, nonce)
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                """Nothing is printed."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        servers.append(server)
        (tmp_path / "root.pem").write_bytes(city().root.pem)
        return opened(f"http://127.0.0.1:{server.server_port}/tsa", tmp_path / "root.pem")

    yield ask
    for server in servers:
        server.shutdown()
        server.server_close()


def read_query(question: bytes) -> tuple[bytes, int]:
    """Imprint and nonce of a question without a policy."""
    parts = one(question, SEQUENCE, "question")
    assert parts.integer("version") == 1
    imprint = parts.open(SEQUENCE, "imprint")
    assert imprint.algorithm("algorithm") == SHA256
    hashed = imprint.take(OCTET_STRING, "imprint").content
    nonce = parts.integer("nonce")
    assert parts.true_if("certReq")
    parts.close("the question")
    return hashed, nonce


TAKEN: dict[str, Reply] = {
    "granted": lambda _, imprint, nonce: body(answer(token(imprint, nonce))),
    "granted with changes": lambda _, imprint, nonce: body(answer(token(imprint, nonce), 1)),
    "granted with a word": lambda _, imprint, nonce: body(answer(token(imprint, nonce), text="ok")),
    "under another media type": lambda _, imprint, nonce: (
        200,
        "text/html",
        answer(token(imprint, nonce)),
    ),
}


@pytest.mark.parametrize("what", TAKEN)
def test_a_token_is_taken(asked: Callable[[Reply], Ledger], what: str) -> None:
    """For what it is: octets, whatever they are called."""
    ledger = asked(TAKEN[what])
    reference = ledger.submit(checkpoint(3), None, NOW)
    assert ledger.confirm(checkpoint(3), reference) == "verified"
    assert ledger.evidence(checkpoint(3), reference) == {"token": reference}


def resealed(imprint: bytes, nonce: int) -> bytes:
    """By another authority of the same names."""
    top = root()
    signer = certify(top, Wanted("City TSA"))
    return token(imprint, nonce, signer=signer, chain=[top])


LEFT: dict[str, tuple[Reply, str]] = {
    # a token that isn't the answer
    "another nonce": (
        lambda _, imprint, nonce: body(answer(token(imprint, nonce ^ 1))),
        "answers another request",
    ),
    "no nonce": (
        lambda _, imprint, nonce: body(answer(token(imprint, None))),
        "answers another request",
    ),
    "another imprint": (
        lambda _, imprint, nonce: body(answer(token(bytes(32), nonce))),
        "another checkpoint's",
    ),
    "another authority": (
        lambda _, imprint, nonce: body(answer(resealed(imprint, nonce))),
        "does not lead to a root",
    ),
    "without its certificate": (
        lambda _, imprint, nonce: body(
            answer(token(imprint, nonce, certificates=element(0xA0, city().issuing.der)))
        ),
        "does not hold the certificate",
    ),
    "signed with SHA-1": (
        lambda _, imprint, nonce: body(answer(token(imprint, nonce, digest=SHA1))),
        "none of SHA-256",
    ),
    # no token
    "granted without a token": (lambda *_: body(answer()), "granted a time stamp and sent none"),
    "waiting": (lambda *_: body(answer(status=3)), "lets the request wait"),
    "a warning": (lambda *_: body(answer(status=4)), "is being revoked"),
    "revoked": (lambda *_: body(answer(status=5)), "was revoked"),
    "an unknown status": (lambda *_: body(answer(status=17)), "status 17"),
    "rejected, no reason": (lambda *_: body(answer(status=2)), "rejected the request"),
    "rejected with a token": (
        lambda _, imprint, nonce: body(answer(token(imprint, nonce), status=2)),
        "rejected the request",
    ),
    "rejected with words": (
        lambda *_: body(answer(status=2, text="No \x1b[31mcredit\nleft.")),
        r"rejected the request; No  ?\[31mcredit left\.",
    ),
    "badAlg": (lambda *_: body(answer(status=2, failure=0)), "badAlg: .* another authority"),
    "badRequest": (lambda *_: body(answer(status=2, failure=2)), "badRequest: "),
    "badDataFormat": (lambda *_: body(answer(status=2, failure=5)), "badDataFormat: "),
    "timeNotAvailable": (lambda *_: body(answer(status=2, failure=14)), "timeNotAvailable: .*clo"),
    "unacceptedPolicy": (lambda *_: body(answer(status=2, failure=15)), "unacceptedPolicy: .*set"),
    "unacceptedExtension": (lambda *_: body(answer(status=2, failure=16)), "unacceptedExtension"),
    "addInfoNotAvailable": (lambda *_: body(answer(status=2, failure=17)), "addInfoNotAvailable"),
    "systemFailure": (lambda *_: body(answer(status=2, failure=25)), "systemFailure: .*order"),
    "an unknown failure": (lambda *_: body(answer(status=2, failure=40)), "rejected the request"),
    # no answer
    "nothing": (lambda *_: body(b""), "is no time stamp"),
    "text": (lambda *_: body(b"<html>502</html>"), "is no time stamp"),
    "the token alone": (
        lambda _, imprint, nonce: body(token(imprint, nonce)),
        "is no time stamp",
    ),
    "octets behind the answer": (
        lambda _, imprint, nonce: body(answer(token(imprint, nonce)) + b"\0"),
        "is no time stamp",
    ),
    "octets behind the token": (
        lambda _, imprint, nonce: body(answer(token(imprint, nonce) + element(NULL))),
        "is no time stamp",
    ),
    "an indefinite length": (
        lambda _, imprint, nonce: body(b"\x30\x80" + answer(token(imprint, nonce))[4:] + b"\0\0"),
        "is no time stamp",
    ),
    "too much": (
        lambda _, imprint, nonce: body(answer(token(imprint, nonce)) + bytes(100_000)),
        "more than",
    ),
    "a large token": (
        lambda *_: body(answer(element(SEQUENCE, bytes(66_000)))),
        "has more than",
    ),
    "another status": (
        lambda _, imprint, nonce: (503, GRANTED, answer(token(imprint, nonce))),
        "HTTP status 503",
    ),
    "a status without content": (lambda *_: (204, GRANTED, b""), "HTTP status 204"),
    "sent elsewhere": (lambda *_: (302, GRANTED, b""), "HTTP status 302"),
}


@pytest.mark.parametrize("what", LEFT)
def test_what_is_no_token_of_ours_claims_nothing(
    asked: Callable[[Reply], Ledger], what: str
) -> None:
    """Never final: what isn't signed may be anybody's. The sentence names the place."""
    reply, sentence = LEFT[what]
    ledger = asked(reply)
    with pytest.raises(LedgerUnavailable, match=rf"127\.0\.0\.1.*({sentence})"):
        ledger.submit(checkpoint(3), None, NOW)
    assert ledger.confirm(checkpoint(3), None) == "unknown"


def test_a_token_replayed_is_none(asked: Callable[[Reply], Ledger]) -> None:
    """The first answer again, to another question on the same checkpoint."""
    first: list[bytes] = []

    def reply(_: City, imprint: bytes, nonce: int) -> tuple[int, str, bytes]:
        first.append(answer(token(imprint, nonce)))
        return body(first[0])

    ledger = asked(reply)
    ledger.submit(checkpoint(3), None, NOW)
    with pytest.raises(LedgerUnavailable, match="answers another request"):
        ledger.submit(checkpoint(3), None, NOW)


def test_each_question_has_a_nonce_of_its_own(asked: Callable[[Reply], Ledger]) -> None:
    """64 random bits."""
    seen: set[int] = set()

    def reply(_: City, imprint: bytes, nonce: int) -> tuple[int, str, bytes]:
        seen.add(nonce)
        return body(answer(token(imprint, nonce)))

    ledger = asked(reply)
    for _ in range(10):
        ledger.submit(checkpoint(3), None, NOW)
    assert len(seen) == 10
    assert max(seen) > 2**48


def test_a_question_is_the_octets_of_the_standard() -> None:
    """As openssl writes one for the same (see below), with a policy and without."""
    plain = query(b"abc", 5, None)
    assert plain.hex() == (
        "303c"
        "020101"
        "3031300d060960864801650304020105000420"
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        "020105"
        "0101ff"
    )
    assert oid("1.2.3") in query(b"abc", 5, "1.2.3")
    assert algorithm(SHA256)[2:] in plain
