# SPDX-License-Identifier: Apache-2.0
"""The dishonest notary: what it does to its database, what it signs, and what it serves to whom."""

import json
import secrets
import threading
import urllib.request
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import psycopg2
from werkzeug.serving import make_server
from werkzeug.test import run_wsgi_app
from werkzeug.wrappers import Response

from notary.config import Settings
from notary.core.checkpoint import Checkpoint, format_checkpoint
from notary.core.tiles import root_from_tiles
from notary.store.logtiles import read_log_tile
from notary.usecases.gate import OpenLog, read_incarnation
from notary.usecases.reading import Reading
from notary.wiring import connect
from notary.wsgi import create_app
from tests.usecases.world import ORIGIN, World

DATASET, NEW_DATASET = "air", "water"
ONE_HOST, OTHER_HOST = "127.0.0.1", "localhost"
"""Who comes by the one name may be shown another view than who comes by the other."""

Lie = Callable[[str, Response], Response]
"""From a path and the honest answer to what is answered."""


class OpenGate:
    """A gate that nothing closes; new records join the chain of that number."""

    def __init__(self, world: World, chain: int = 0) -> None:
        world.pool.on_connect(lambda _: None)
        with world.pool.transaction() as tx:
            origin, vkey, *_ = tx.rows("get_log")[0]
            self._log = OpenLog(origin, vkey, chain, read_incarnation(tx))

    def open(self) -> OpenLog:
        """As if all were well."""
        return self._log


class View:
    """One state of the notary, its application, and the lies that it tells."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.lies: list[Lie] = []
        self._open(0)

    def _open(self, chain: int) -> None:
        gate: Any = OpenGate(self.world, chain)
        self.world.parts = replace(self.world.parts, gate=gate)
        self.app = create_app(self.world.parts, lambda: self.world.now, lambda _: None)

    def second_chain(self) -> None:
        """Write a second chain of every source from now on."""
        self._open(1)

    def answer(self, environ: dict[str, Any]) -> Response:
        """What its honest code answers, as far as it doesn't lie."""
        body, status, headers = run_wsgi_app(self.app, environ, buffered=True)
        answer = Response(b"".join(body), status, headers)
        for lie in self.lies:
            answer = lie(environ["PATH_INFO"], answer)
        return answer

    def record(self, source: str, text: str, dataset: str = DATASET) -> None:
        """Accept one reading, in a commit of its own."""
        self.world.accept([Reading(dataset, source, text.encode(), "text/plain", "acl")])

    def seal(self) -> None:
        """Put what waits into a batch, whatever the marks say."""
        assert self.world.seal()

    def sign(self) -> None:
        """Sign the log as it stands, whatever was signed before."""
        world, size = self.world, self.world.size()
        with world.pool.transaction() as tx:
            root = root_from_tiles(lambda *place: read_log_tile(tx, *place), size)
        note = world.signer.sign(format_checkpoint(Checkpoint(ORIGIN, size, root)))
        world.change("DELETE FROM checkpoints WHERE size >= %s", size)
        world.change(
            "INSERT INTO checkpoints (size, root, committed_at, signed_at, note)"
            " VALUES (%s, %s, %s, %s, %s)",
            *(size, root, world.now, world.now, note),
        )

    def grow(self, *texts: str, source: str = "desk") -> None:
        """A batch for each text, each signed; a second passes before each."""
        for text in texts:
            self.world.pass_by(1)
            self.record(source, text)
            self.seal()
            self.sign()

    def backdate(self, text: str, by: timedelta) -> None:
        """Say of a record that it was received so long ago, in a dataset that is new."""
        self.world.dataset(NEW_DATASET)
        self.world.now -= by
        self.record("desk", text, NEW_DATASET)
        self.world.now += by
        self.seal()
        self.sign()

    def drop(self, source: str, n: int) -> None:
        """Lose one record, whatever holds its hash."""
        change = "DELETE FROM records WHERE source = %s AND n = %s"
        assert self.world.change(change, self.id_of(source), n) == 1

    def forget(self, source: str, first: int = 0) -> None:
        """Lose the records of a source from one on, as if they had never come."""
        world, id_ = self.world, self.id_of(source)
        world.change("DELETE FROM segments WHERE batch IS NULL AND sources = ARRAY[%s]", id_)
        world.change("DELETE FROM records WHERE source = %s AND n >= %s", id_, first)
        # Whoever accepts must not go on from what is in mind.
        world.change("UPDATE lanes SET version = version + 1")

    def take_back(self) -> None:
        """Take the last batch out of the log: its records wait again."""
        world, last = self.world, self.world.size() - 1
        world.change(
            "UPDATE datasets d SET batch_count = batch_count - 1, last_descriptor = coalesce("
            "(SELECT o.leaf FROM batches o WHERE o.dataset = d.id AND o.index < b.index"
            " ORDER BY o.index DESC LIMIT 1), decode(repeat('00', 32), 'hex'))"
            " FROM batches b WHERE b.dataset = d.id AND b.index = %s",
            last,
        )
        for sql in (
            "DELETE FROM batch_tiles WHERE batch = %s",
            "DELETE FROM runs WHERE batch = %s",
            "DELETE FROM log_hashes WHERE level = 0 AND index = %s",
            "DELETE FROM batches WHERE index = %s",
            "UPDATE segments SET batch = NULL WHERE batch = %s",
            "UPDATE log SET size = %s",
        ):
            world.change(sql, last)

    def rewrite(self, text: str, source: str = "desk") -> None:
        """Put another record in the place of the last one of a source, in the last batch."""
        found = self.world.rows("SELECT max(n) FROM records WHERE source = %s", self.id_of(source))
        last = found[0][0]
        assert isinstance(last, int)
        self.take_back()
        self.forget(source, last)
        self.record(source, text)
        self.seal()

    def id_of(self, source: str) -> int:
        """The row of a source."""
        found = self.world.rows("SELECT id FROM sources WHERE label = %s", source)
        assert isinstance(found[0][0], int)
        return found[0][0]


class Liar:
    """The notary over HTTP: one view, or one for each of the two hosts that it is asked by."""

    def __init__(self, world: World) -> None:
        self.view = View(world)
        self.views = {ONE_HOST: self.view, OTHER_HOST: self.view}
        self._server = make_server(ONE_HOST, 0, self, threaded=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        for view in self.views.values():
            view.world.close()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """One request."""
        host = environ["HTTP_HOST"].rpartition(":")[0]
        return self.views[host].answer(environ)(environ, start_response)

    @property
    def url(self) -> str:
        """Where everybody comes."""
        return f"http://{ONE_HOST}:{self._server.port}"

    @property
    def other_url(self) -> str:
        """Where those come who are shown the other view."""
        return f"http://{OTHER_HOST}:{self._server.port}"

    def promise(self, source: str, text: str) -> str:
        """Hand a reading in over HTTP as its owner; the signed acceptance."""
        body = json.dumps({"source": source, "payload_text": text}).encode()
        headers = {
            "Authorization": f"Bearer {self.view.world.api_key}",
            "Content-Type": "application/json",
            "Prefer": "signed-acceptance",
        }
        path = f"{self.url}/v1/datasets/{DATASET}/records"
        asked = urllib.request.Request(path, body, headers)
        with urllib.request.urlopen(asked, timeout=120) as answer:
            return str(json.load(answer)["signed"])

    def publish(self, table: str) -> dict[str, Any]:
        """Hand in a table over HTTP as its owner, and seal it; the receipt of its last row."""
        path = f"{self.url}/v1/datasets/{DATASET}/versions"
        headers = {
            "Authorization": f"Bearer {self.view.world.api_key}",
            "Content-Type": "text/csv",
        }
        with urllib.request.urlopen(urllib.request.Request(path, table.encode(), headers)):
            self.view.seal()
            self.view.sign()
        last = len(table.splitlines()) - 1
        found: dict[str, Any] = json.loads(get(f"{path}/1/rows/{last}/receipt"))
        return found

    def second_view(self) -> View:
        """A copy of all that it knows, to go another way from here on, under the same key."""
        self.views[OTHER_HOST] = View(copy_of(self.view.world))
        return self.views[OTHER_HOST]


def get(url: str) -> bytes:
    """What anybody gets."""
    with urllib.request.urlopen(url, timeout=120) as answer:
        data: bytes = answer.read()
        return data


def copy_of(world: World) -> World:
    """The same notary on a copy of its database; whoever makes it closes it."""
    world.pool.close()
    url = world.env["NOTARY_DATABASE_URL"]
    name = url.rpartition("/")[2]
    copied = f"copy_{secrets.token_hex(6)}"
    admin = psycopg2.connect(url.replace(f"/{name}", "/postgres"))
    admin.autocommit = True
    with admin.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {copied} TEMPLATE {name}")
    admin.close()
    env = {**world.env, "NOTARY_DATABASE_URL": url.replace(f"/{name}", f"/{copied}")}
    parts = connect(Settings.from_env(env))
    return World(parts, env, world.caller, world.api_key, world.now, dict(world.datasets))
