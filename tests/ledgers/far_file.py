# SPDX-License-Identifier: Apache-2.0
"""
A small real remote ledger of the tests' own: a list of signed entries behind HTTP, which takes
whatever it is handed, twice too; and adapters for it, a good one and bad ones.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any

from notary.core.errors import NotaryError
from notary.core.hashing import digest
from notary.core.ledger_entry import LedgerEntry, format_entry, parse_entry
from notary.core.note import open_note
from notary.core.words import ZERO_HASH
from notary.keys import Signer
from notary.ledgers.http import Endpoint
from notary.ledgers.port import Anchorable, AnchorState, LedgerRefused, LedgerUnavailable
from tests.ledgers.contract import NOW

JSON = "application/json"


class FarFile:
    """The ledger: `POST /append` and `POST /read`."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer
        self.entries: list[tuple[Anchorable, str]] = []
        self._lock = Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Be away."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def held(self, candidates: Sequence[Anchorable]) -> list[tuple[int, bytes]]:
        """What it holds of these checkpoints' log."""
        ours = {candidate.origin_hash for candidate in candidates}
        return [(what.size, what.root) for what, _ in self.entries if what.origin_hash in ours]

    def answer(self, path: str, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        """Append an entry, or show the first one of a size."""
        origin, size = bytes.fromhex(asked["origin"]), asked["size"]
        with self._lock:
            if path == "/append":
                what = Anchorable(origin, size, bytes.fromhex(asked["root"]))
                entry = LedgerEntry(len(self.entries), ZERO_HASH, origin, size, what.root, NOW)
                self.entries.append((what, self._signer.sign(format_entry(entry))))
                return {"taken": True}
            found = [
                note
                for what, note in self.entries
                if what.origin_hash == origin and what.size == size
            ]
        return {"note": found[0] if found else None}


def _handler(ledger: FarFile) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            """Answer."""
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            data = json.dumps(ledger.answer(self.path, asked)).encode()
            self.send_response(200)
            self.send_header("Content-Type", JSON)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    return Handler


class FarLedger:
    """A good adapter for it."""

    kind = "file"
    own_word = False
    remembers = True
    required = False
    interval: timedelta | None = None

    def __init__(self, url: str, vkey: str, name: str = "far") -> None:
        self.name = name
        self._vkey = vkey
        self._endpoint = Endpoint(url)
        self._newest: dict[bytes, tuple[int, bytes]] = {}

    def submit(self, checkpoint: Anchorable, reference: str | None, now: datetime) -> str:
        """Unless it is there already."""
        if self._find(checkpoint) is None:
            asked = {**_asked(checkpoint), "root": checkpoint.root.hex()}
            if self._ask("/append", asked) != {"taken": True}:
                raise LedgerUnavailable("It doesn't say that it took it.")
        return str(checkpoint.size)

    def confirm(self, checkpoint: Anchorable, reference: str | None) -> AnchorState:
        """Read it back."""
        return "unknown" if self._find(checkpoint) is None else "verified"

    def evidence(self, checkpoint: Anchorable, reference: str | None) -> Mapping[str, object]:
        """The signed entry."""
        note = self._find(checkpoint)
        if note is None:
            raise LedgerUnavailable("It isn't there.")
        return {"note": note}

    def newest(self, origin: str) -> tuple[int, bytes] | None:
        """As it was last read back."""
        return self._newest.get(digest(origin.encode()))

    def trust(self) -> Mapping[str, object]:
        """The key of its entries."""
        return {"key": self._vkey}

    def probe(self) -> Mapping[str, object]:
        """Whether it answers."""
        return {"answers": self._ask("/read", {"origin": "", "size": 0}) == {"note": None}}

    def _find(self, checkpoint: Anchorable) -> str | None:
        answer = self._ask("/read", _asked(checkpoint))
        note = answer.get("note", 0)
        if answer.keys() != {"note"} or not (note is None or isinstance(note, str)):
            raise LedgerUnavailable("It answers something else.")
        return None if note is None else self._checked(checkpoint, note)

    def _checked(self, checkpoint: Anchorable, note: str) -> str:
        try:
            entry = parse_entry(open_note(note, [self._vkey]).text)
        except NotaryError as error:
            raise LedgerUnavailable(f"It shows no entry: {error.detail}") from None
        if (entry.origin_hash, entry.size) != (checkpoint.origin_hash, checkpoint.size):
            raise LedgerUnavailable("It shows another entry than it was asked for.")
        known = self._newest.get(entry.origin_hash, (0, b""))
        self._newest[entry.origin_hash] = max(known, (entry.size, entry.root))
        if entry.root != checkpoint.root:
            raise LedgerRefused(f"It holds another root for size {checkpoint.size}.")
        return note

    def _ask(self, path: str, asked: Mapping[str, object]) -> Mapping[str, Any]:
        status, body = self._endpoint.post(json.dumps(asked).encode(), JSON, path)
        try:
            answer = json.loads(body)
        except (ValueError, RecursionError):
            answer = None
        if status != 200 or not isinstance(answer, dict):
            raise LedgerUnavailable(f"It answers {status} and no object.")
        return answer


def _asked(checkpoint: Anchorable) -> dict[str, object]:
    return {"origin": checkpoint.origin_hash.hex(), "size": checkpoint.size}


# -- adapters that the suites must find


class Believes(FarLedger):
    """Says verified of whatever entry it is shown."""

    def _checked(self, checkpoint: Anchorable, note: str) -> str:
        return note


class DoesNotReadBack(FarLedger):
    """Takes it for granted that what was sent has arrived."""

    def submit(self, checkpoint: Anchorable, reference: str | None, now: datetime) -> str:
        try:
            return super().submit(checkpoint, reference, now)
        except LedgerUnavailable:
            return str(checkpoint.size)

    def confirm(self, checkpoint: Anchorable, reference: str | None) -> AnchorState:
        return "verified"

    def evidence(self, checkpoint: Anchorable, reference: str | None) -> Mapping[str, object]:
        return {"note": ""}


class Doubles(FarLedger):
    """Hands over without a look at what is there."""

    def submit(self, checkpoint: Anchorable, reference: str | None, now: datetime) -> str:
        self._ask("/append", {**_asked(checkpoint), "root": checkpoint.root.hex()})
        return str(checkpoint.size)


class GivesUp(FarLedger):
    """Takes trouble on the way for a refusal."""

    def _ask(self, path: str, asked: Mapping[str, object]) -> Mapping[str, Any]:
        try:
            return super()._ask(path, asked)
        except LedgerUnavailable as error:
            raise LedgerRefused(error.detail) from None


class Stumbles(FarLedger):
    """Believes that every answer is JSON of its own kind."""

    def _ask(self, path: str, asked: Mapping[str, object]) -> Mapping[str, Any]:
        answer: Mapping[str, Any] = json.loads(
            self._endpoint.post(json.dumps(asked).encode(), JSON, path)[1]
        )
        return answer


class TakesForks(FarLedger):
    """Does not compare the root."""

    def _checked(self, checkpoint: Anchorable, note: str) -> str:
        entry = parse_entry(open_note(note, [self._vkey]).text)
        if (entry.origin_hash, entry.size) != (checkpoint.origin_hash, checkpoint.size):
            raise LedgerUnavailable("It shows another entry than it was asked for.")
        return note


class Forgets(FarLedger):
    """Remembers in the process alone what it handed over, and never asks."""

    def __init__(self, url: str, vkey: str, name: str = "far") -> None:
        super().__init__(url, vkey, name)
        self._sent: set[Anchorable] = set()

    def submit(self, checkpoint: Anchorable, reference: str | None, now: datetime) -> str:
        if checkpoint not in self._sent:
            self._sent.add(checkpoint)
            self._ask("/append", {**_asked(checkpoint), "root": checkpoint.root.hex()})
        return str(checkpoint.size)
