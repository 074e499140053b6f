# SPDX-License-Identifier: Apache-2.0
"""
With payload and salt of a closed dataset's record gone, nothing lets its value be guessed.

The value is one of a thousand. Whoever has a dump of the whole database (made after the
erasure), all that is public, and every receipt handed out for other records, may hash each
candidate in every way that anything here uses: none of it may be found.
"""

import base64
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b, sha256
from hmac import digest as hmac_digest
from io import BytesIO

import pytest

from notary.core.hashing import commitment
from notary.core.statement import parse_statement, statement_leaf, write_statement
from notary.usecases.accept import Once
from notary.usecases.erase import RecordPlace
from notary.usecases.reading import Acceptance, Outcome, Pack, Reading
from tests.usecases.world import World

CANDIDATES = [b'{"wage": %d}' % (2000 + i) for i in range(1000)]
TRUE = 737
SOURCE = "payroll"
KEY = "slip-2031-03"
OBSERVED = "2031-03-05T06:07:08Z"


def message(payload: bytes) -> bytes:
    """The message that the record came in, with two neighbours."""
    return b'{"wage": 10}\n' + payload + b'\n{"wage": 11}\n'


@dataclass
class Scene:
    """A closed dataset with one record to be erased, in all that leaves a trace."""

    world: World
    dataset: str
    acceptance: Acceptance
    salt: bytes

    def erase(self) -> None:
        """Its owner erases it."""
        self.world.erase(self.dataset, RecordPlace(SOURCE, 1))

    def dump(self) -> bytes:
        """Every row of every table."""
        tables = self.world.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        found = BytesIO()
        with self.world.pool.transaction() as tx:
            for (table,) in tables:
                for form in ("text", "binary"):
                    tx.cursor.copy_expert(f"COPY {table} TO STDOUT (FORMAT {form})", found)
        return found.getvalue()

    def public(self) -> bytes:
        """Log, tiles, run lists, the file ledger, the trust file, the others' receipts."""
        world, parts = self.world, []
        for sql in (
            "SELECT descriptor, leaf FROM batches",
            "SELECT hash FROM log_hashes",
            "SELECT data FROM batch_tiles",
            "SELECT r.prev, r.last, s.tag FROM runs r JOIN sources s ON s.id = r.source",
            "SELECT root, note FROM checkpoints",
            "SELECT evidence FROM anchors",
        ):
            for row in world.rows(sql):
                parts += [
                    value if isinstance(value, bytes) else str(value).encode() for value in row
                ]
        prover = world.prover()
        for n in (0, 1, 2):
            parts.append(prover.receipt(self.dataset, SOURCE, n, caller=world.caller).text.encode())
        parts.append(world.parts.settings.ledger_file.read_bytes())
        parts.append(world.parts.settings.mark_file.read_bytes())
        parts.append(world.parts.trust().encode())
        return b"\n".join(parts)

    def secrets(self) -> dict[str, bytes]:
        """What a thief may have too: secrets and salts that stay, and what is in plain sight."""
        settings = self.world.parts.settings
        others = self.world.rows("SELECT salt FROM records WHERE salt IS NOT NULL AND n <> 1")
        salts = {f"salt {n}": bytes(salt) for n, (salt,) in enumerate(others)}  # type: ignore[call-overload]
        return {
            **salts,
            "instance": settings.secret_file.read_bytes(),
            "log key": settings.log_key.read_bytes(),
            "dataset": self.dataset.encode(),
            "source": SOURCE.encode(),
            "key": KEY.encode(),
            "zeros": bytes(32),
            "nothing": b"",
        }


def written(outcomes: Sequence[Outcome]) -> str:
    """What is kept of an answer: of each record its leaf, as the API keeps it."""
    return json.dumps([one.leaf.hex() for one in outcomes if isinstance(one, Acceptance)])


@pytest.fixture
def scene(world: World) -> Scene:
    """Accepted by pack, key and time, posted under an Idempotency-Key, sealed to anchored."""
    dataset = world.dataset(None)
    payloads = [b'{"wage": 10}', CANDIDATES[TRUE], b'{"wage": 11}']
    pack = Pack(message(CANDIDATES[TRUE]))
    keys = ("a", KEY, "b")
    readings = [
        Reading(dataset, SOURCE, payload, "application/json", "key:gw-1", OBSERVED, key, pack)
        for payload, key in zip(payloads, keys, strict=True)
    ]
    once = Once(world.caller.key_id, "post-1", pack.data, written)
    outcomes, _ = world.acceptor().accept_once(readings, world.now, once)
    world.settle()
    acceptance = outcomes[1]
    assert isinstance(acceptance, Acceptance)
    salt = world.rows("SELECT salt FROM records WHERE n = 1")[0][0]
    assert isinstance(salt, bytes)
    return Scene(world, dataset, acceptance, salt)


def seals(
    secrets: dict[str, bytes], statement: str
) -> Iterator[tuple[str, Callable[[bytes], bytes]]]:
    """Everything by which this code, or a careless later one, could make a value a trace."""
    parsed = parse_statement(statement)

    def of_statement(payload: bytes) -> bytes:
        """The statement as if it were an open dataset's."""
        values = {name: getattr(parsed, name) for name in parsed.__dataclass_fields__}
        values.update(digest=sha256(payload).digest(), commitment=None)
        return statement_leaf(write_statement(type(parsed)(**values)))

    yield "plain", lambda payload: payload
    yield "sha256", lambda payload: sha256(payload).digest()
    yield "sha256 twice", lambda payload: sha256(sha256(payload).digest()).digest()
    yield "leaf", lambda payload: sha256(b"\x00" + payload).digest()
    yield "row leaf", lambda payload: sha256(b"\x00row/1 json\n" + payload).digest()
    yield "statement with the bare digest", of_statement
    for number, secret in {**secrets, "prev": parsed.prev}.items():
        for prefix in (b"", b"payload ", b"body ", b"message "):
            yield (
                f"hmac {number} {prefix!r}",
                lambda p, s=secret, x=prefix: hmac_digest(s, x + p, "sha256"),  # type: ignore[misc]
            )
            for size in (4, 8):  # as a number of the database, with its length before it
                yield (
                    f"blake2b {size} {number} {prefix!r}",
                    lambda p, s=secret[:64], x=prefix, n=size: (
                        n.to_bytes(4, "big")  # type: ignore[misc]
                        + blake2b(x + p, digest_size=n, key=s).digest()
                    ),
                )
        yield f"salted {number}", lambda p, s=secret: sha256(s + p).digest()  # type: ignore[misc]
        yield f"salted after {number}", lambda p, s=secret: sha256(p + s).digest()  # type: ignore[misc]


def guessed(scene: Scene, data: bytes, statement: str) -> list[tuple[str, int]]:
    """Which candidates the data betrays, and by what: a sign of ten bytes or eight."""
    found = []
    for name, seal in seals(scene.secrets(), statement):
        for number, candidate in enumerate(CANDIDATES):
            # Bare, and as it stood among its neighbours in the message or the posted body.
            for bare in (candidate, message(candidate)):
                if number != TRUE and number % 100:
                    continue
                sign = seal(bare)
                short = sign if name == "plain" else sign[:8]
                # Of a payload its last whole sextet too: its neighbours begin as it does.
                whole = base64.b64encode(sign).rstrip(b"=")[:-1]
                shapes = (
                    short,
                    short.hex().encode(),
                    whole if name == "plain" else whole[:12],
                )
                if any(shape in data for shape in shapes):
                    found.append((name, number))
    return found


def statement_of(scene: Scene) -> str:
    """The statement in the record's receipt."""
    world = scene.world
    text = world.prover().receipt(scene.dataset, SOURCE, 1, caller=world.caller).text
    return str(json.loads(text)["statement"])


def test_before_the_erasure_the_value_can_be_guessed(scene: Scene) -> None:
    """The search below can find: the payload itself, and what is kept under the secret."""
    found = {name for name, _ in guessed(scene, scene.dump(), statement_of(scene))}
    assert "plain" in found
    assert "blake2b 4 instance b'payload '" in found
    assert "hmac instance b'body '" in found


def test_after_the_erasure_nothing_lets_it_be_guessed(scene: Scene) -> None:
    """Neither the dump nor anything public holds a function of a candidate without the salt."""
    statement = statement_of(scene)
    scene.erase()
    assert statement_of(scene) == statement
    assert guessed(scene, scene.dump(), statement) == []
    assert guessed(scene, scene.public(), statement) == []
    assert scene.world.audit().findings == ()


def test_the_salt_is_gone_with_the_payload(scene: Scene) -> None:
    """Else the commitment could be tried with each candidate."""
    assert scene.salt in scene.dump()
    scene.erase()
    for data in (scene.dump(), scene.public()):
        assert scene.salt not in data
        assert scene.salt.hex().encode() not in data


def test_with_the_salt_the_commitment_still_proves(scene: Scene) -> None:
    """Whoever kept payload and salt (in a receipt) can still show that this was it."""
    before = scene.world.prover().receipt(scene.dataset, SOURCE, 1, caller=scene.world.caller).text
    scene.erase()
    parsed = parse_statement(statement_of(scene))
    members = json.loads(before)
    kept = base64.b64decode(members["payload"])
    assert commitment(bytes.fromhex(members["salt"]), kept) == parsed.commitment
    others = [c for c in CANDIDATES if commitment(scene.salt, c) == parsed.commitment]
    assert others == [CANDIDATES[TRUE]]


def test_no_record_says_anything_of_its_pack(scene: Scene) -> None:
    """Under a neighbour's salt, which stays, the pack would betray the value that is gone."""
    world = scene.world
    assert world.rows("SELECT count(*) FROM records WHERE message IS NOT NULL") == [(0,)]
    for n in range(3):
        text = world.prover().receipt(scene.dataset, SOURCE, n, caller=world.caller).text
        assert parse_statement(str(json.loads(text)["statement"])).message is None


def test_salts_are_never_used_twice(world: World) -> None:
    """Two records of the same value have nothing in common."""
    dataset = world.dataset(None)
    world.accept(
        Reading(dataset, "s", CANDIDATES[0], "text/plain", "none", key=str(i)) for i in range(50)
    )
    salts = {row[0] for row in world.rows("SELECT salt FROM records")}
    assert len(salts) == 50
    assert all(isinstance(salt, bytes) and len(salt) == 32 for salt in salts)
    leaves = world.rows("SELECT count(DISTINCT leaf) FROM records")
    assert leaves == [(50,)]
