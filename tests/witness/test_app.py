# SPDX-License-Identifier: Apache-2.0
"""The witness over HTTP: addresses, methods, limits, and what it does without its state."""

import io
from pathlib import Path

import pytest

from notary.core.add_checkpoint import MAX_REQUEST_BYTES, SIZE_TYPE
from notary.core.hashing import digest
from notary.witness.state import State
from tests.witness.logs import NAME, ORIGIN, Door, SmallLog, make_state

LOG = SmallLog()
CHECKPOINT = f"/{digest(ORIGIN.encode()).hex()}/checkpoint"


@pytest.fixture
def state(folder: Path) -> State:
    """A witness of one log."""
    return make_state(folder / "witness", LOG)


@pytest.fixture
def door(state: State) -> Door:
    """Its door."""
    return Door(state)


def hand_in(door: Door, body: bytes) -> tuple[int, dict[str, str], bytes]:
    """A request with its length, as clients send it."""
    return door.ask("POST", "/add-checkpoint", io.BytesIO(body), str(len(body)))


class Endless(io.RawIOBase):
    """A body without an end; it tells how much of it was read."""

    def __init__(self) -> None:
        self.read_bytes = 0

    def read(self, size: int = -1) -> bytes:
        """Some more."""
        assert size > 0
        self.read_bytes += size
        return b"a" * size


def test_a_cosignature_and_the_checkpoint_with_it_are_handed_out(door: Door) -> None:
    """Two addresses; the second gives the note with both signatures."""
    status, headers, line = hand_in(door, LOG.request(0, 3))
    assert (status, headers["Content-Type"]) == (200, "text/plain; charset=utf-8")
    assert line.decode().startswith(f"\u2014 {NAME} ")
    status, headers, note = door.ask("GET", CHECKPOINT)
    assert (status, note.decode()) == (200, LOG.note(3) + line.decode())
    assert headers["Cache-Control"] == "no-store"
    assert door.ask("HEAD", CHECKPOINT) == (200, headers, b"")


def test_another_size_is_told_in_its_own_media_type(door: Door) -> None:
    """So that the log can try again."""
    hand_in(door, LOG.request(0, 3))
    status, headers, body = hand_in(door, LOG.request(0, 4))
    assert (status, headers["Content-Type"], body) == (409, SIZE_TYPE, b"3\n")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/add-checkpoint", 405),
        ("PUT", "/add-checkpoint", 405),
        ("POST", CHECKPOINT, 405),
        ("DELETE", CHECKPOINT, 405),
        ("POST", "/", 404),
        ("POST", "/add-checkpoint/", 404),
        ("POST", "/ADD-CHECKPOINT", 404),
        ("POST", "//add-checkpoint", 404),
        ("GET", CHECKPOINT.upper(), 404),
        ("GET", CHECKPOINT + "/", 404),
        ("GET", CHECKPOINT + "\n", 404),
        ("GET", "/../witness.key", 404),
        ("GET", "/witness.db", 404),
        ("GET", "", 404),
    ],
)
def test_nothing_else_is_answered(door: Door, method: str, path: str, status: int) -> None:
    """No other way, no other address."""
    hand_in(door, LOG.request(0, 3))
    assert door.ask(method, path, io.BytesIO())[0] == status


@pytest.mark.parametrize("length", [None, "", "many", str(MAX_REQUEST_BYTES + 1), "9" * 30])
def test_an_endless_body_is_not_read_to_its_end(door: Door, length: str | None) -> None:
    """Whether its length was said or not."""
    body = Endless()
    assert door.ask("POST", "/add-checkpoint", body, length)[0] == 413
    assert body.read_bytes <= MAX_REQUEST_BYTES + 1


def test_no_more_is_read_than_was_said(door: Door) -> None:
    """What follows is the next request's; a body without a length ends where the server says."""
    body = LOG.request(0, 3)
    file = io.BytesIO(body + b"POST / HTTP/1.1")
    assert door.ask("POST", "/add-checkpoint", file, str(len(body)))[0] == 200
    assert file.read() == b"POST / HTTP/1.1"
    body = LOG.request(3, 4)
    assert door.ask("POST", "/add-checkpoint", io.BytesIO(body))[0] == 200


@pytest.mark.parametrize("fault", ["gone", "damaged", "another's"])
def test_without_its_state_it_cosigns_nothing(
    door: Door, state: State, fault: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """503, come again; no new state is made in its place, and the operator is told."""
    file = state.folder / "witness.db"
    if fault == "gone":
        file.unlink()
    else:
        file.write_bytes(b"no database" * 1000 if fault == "damaged" else b"")
    for method, path in (("POST", "/add-checkpoint"), ("GET", CHECKPOINT)):
        body = LOG.request(0, 3)
        status, headers, said = door.ask(method, path, io.BytesIO(body), str(len(body)))
        assert (status, headers["Retry-After"]) == (503, "10")
        assert b"\xe2\x80\x94" not in said
        assert str(state.folder) not in said.decode()
    assert str(state.folder) in capsys.readouterr().err
    assert file.exists() == (fault != "gone")


def test_each_request_is_a_line_without_anything_of_its_sender(door: Door) -> None:
    """Which log, which size, which status; a log that isn't known only by what it says."""
    hand_in(door, LOG.request(0, 3))
    hand_in(door, b"secret")
    door.ask("GET", "/secret", io.BytesIO())
    assert [(line["what"], line["status"], line["size"]) for line in door.lines] == [
        ("add-checkpoint", 200, 3),
        ("add-checkpoint", 400, None),
        ("read", 404, None),
    ]
    assert "secret" not in str(door.lines)
