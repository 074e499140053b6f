# SPDX-License-Identifier: Apache-2.0
"""Audit: clean where all is right, and whatever is changed in its scope is found and named."""

import json
import random
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from notary.core.checkpoint import Checkpoint, format_checkpoint
from notary.core.hashing import RootHash
from notary.core.note import format_note, parse_note
from notary.keys import make_key
from notary.local.postgres import Postgres
from notary.usecases.audit import audit, describe
from notary.usecases.erase import RecordPlace, VersionPlace
from notary.usecases.reading import Pack, Reading
from notary.usecases.scope import COVERED, covered_columns, other_columns
from notary.usecases.witness_rule import load_rule
from notary.usecases.witnessing import Witnesses
from tests.usecases.flipping import flip, loosen
from tests.usecases.servers import new_database
from tests.usecases.tables import publish, table
from tests.usecases.world import World, fresh_seed
from tests.witness.served import HonestWitness, policy_of

NAMED = {
    "log": "log|checkpoint|mark",
    "datasets": "dataset|source|lane|batch|record",
    "lanes": "lane|source|segment",
    "sources": "source|batch|record|segment",
    "forms": "record|batch|run",
    "records": "record|batch|run",
    "segments": "segment|chain|record",
    "digests": "digest",
    "batches": "batch|descriptor|log",
    "batch_tiles": "tile|batch",
    "runs": "run|batch|record",
    "versions": "version|batch",
    "version_parts": "version|batch",
    "version_tiles": "version|batch",
    "erasures": "erasure|erased|missing|gone",
    "log_hashes": "tile of the log",
    "checkpoints": "checkpoint|mark|anchor",
    "witness_policies": "policy|checkpoint",
    "witnesses": "witness|checkpoint",
    "anchors": "anchor",
    "ledgers": "anchor|ledger",
}


def fill(world: World) -> None:
    """Open and closed datasets, many batches, waiting records, an index, erased content."""
    air = world.dataset("air", digest_index=True, lane_count=2)
    weather = world.dataset("weather")
    wages = world.dataset(None, random_sources=True)
    files = world.dataset(None)
    for seed in range(4):
        for dataset in (air, weather, wages, files):
            world.add(dataset, 18, sources=6, seed=seed)
        pack = Pack(b'{"seed": %d}\n{"second": true}' % seed)
        world.accept(
            Reading(dataset, "gate", line, "application/x-ndjson", "key:gw-1", pack=pack)
            for dataset in (weather, files)
            for line in pack.data.splitlines()
        )
        if seed < 3:
            why = {"corrects": 1, "reason": "Wrong unit."} if seed == 2 else {}
            for dataset in (weather, files):
                publish(world, dataset, table(300, seed), **why)  # type: ignore[arg-type]
            publish(world, wages, b"%%PDF %d" % seed, "application/pdf")
        if seed == 2:
            erase(world, (air, wages), (weather, files))
        world.pass_by()
        if seed < 3:
            world.settle()
    world.erase("air", RecordPlace("s0", 2))
    world.erase(*_first_erasure(world))


def erase(world: World, of_records: Iterable[str], of_versions: Iterable[str]) -> None:
    """The second record of each source, and the second version, of some datasets."""
    for dataset in of_records:
        for source in range(6):
            world.erase(dataset, RecordPlace(f"s{source}", 1))
    for dataset in of_versions:
        world.erase(dataset, VersionPlace(2))


def _first_erasure(world: World) -> tuple[str, RecordPlace]:
    """The record that tells of the first erasure."""
    row = world.rows(
        "SELECT d.name, s.name FROM erasures e JOIN sources s ON s.id = e.told_source"
        " JOIN datasets d ON d.id = s.dataset ORDER BY e.id LIMIT 1"
    )[0]
    return str(row[0]), RecordPlace(str(row[1]), 0)


def cosign(world: World, folder: Path) -> None:
    """Have the newest checkpoint cosigned by a witness of another party, as a policy demands."""
    keys = world.marks.log_keys()
    with closing(HonestWitness(folder / "witness", "w.example", lambda: world.now, keys)) as one:
        policy = folder / "policy"
        policy.write_text(policy_of([one]))
        rule = load_rule(policy, fails_open=False, log_keys=[key.verifier for key in keys])
        asker = Witnesses(
            world.pool, rule, world.marks.log_keys, lambda: world.now, lambda _, /, **facts: None
        )
        asker.turn(world.now)
        asker.wait(60)


@pytest.fixture(scope="module")
def filled(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A notary with something in each column of the scope; tests put back what they change."""
    folder = tmp_path_factory.mktemp("audited")
    world = World.make(folder, new_database(postgres))
    fill(world)
    cosign(world, folder)
    loosen(world)
    yield world
    world.close()


def test_an_audit_of_an_honest_notary_is_clean(filled: World) -> None:
    """Open, closed, indexed, erased, waiting, signed, anchored: nothing differs."""
    report = filled.audit()
    assert report.findings == ()
    assert (report.records, report.waiting) == (3 * 76 + 14, 76 + 2)
    assert (report.versions, report.batches) == (9, 22)
    assert (report.checkpoints, report.anchors) == (3, 3)
    assert list(describe(report))[-1] == "Nothing differs."


def test_an_audit_of_a_new_notary_is_clean(world: World) -> None:
    """No record yet, or none sealed yet."""
    assert world.audit().findings == ()
    world.add(world.dataset("weather"), 5)
    report = world.audit()
    assert (report.records, report.waiting, report.findings) == (0, 5, ())


def test_an_audit_changes_nothing(filled: World) -> None:
    """It reads one snapshot and writes not a row, nor the mark, nor the ledger."""

    def state() -> list[object]:
        rows: list[object] = [filled.rows(f"SELECT xmin, t::text FROM {t} t") for t in COVERED]
        settings = filled.parts.settings
        return [*rows, settings.mark_file.read_bytes(), settings.ledger_file.read_bytes()]

    before = state()
    assert filled.audit().findings == ()
    assert state() == before


def test_progress_is_told(filled: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A long audit says how far it is."""
    monkeypatch.setattr("notary.usecases.audit_batches.PROGRESS_EVERY", 50)
    told: list[int] = []
    audit(filled.pool, filled.marks, filled.parts.ledgers, told.append)
    assert told[:3] == [50, 100, 150]


# -- the scope


def test_the_scope_lists_every_column_once(filled: World) -> None:
    """Covered or not, with the reason; no column of the database is forgotten."""
    columns = filled.rows(
        "SELECT table_name || '.' || column_name FROM information_schema.columns"
        " WHERE table_schema = 'public'"
    )
    listed = [*covered_columns(), *other_columns()]
    assert sorted(listed) == sorted(str(column) for (column,) in columns)
    assert len(listed) == len(set(listed))


def test_each_column_outside_the_scope_has_its_reason() -> None:
    """Not an empty one."""
    assert all(len(reason) > 10 for reason in other_columns().values())


@pytest.mark.parametrize("where", covered_columns())
def test_one_flipped_bit_is_found_and_named(
    filled: World, where: str, request: pytest.FixtureRequest
) -> None:
    """In any column of the scope, in a random row, at a random place."""
    seed = fresh_seed()
    print(f"NOTARY_TEST_SEED={seed}")
    dice = random.Random(f"{seed} {where}")
    for _ in range(40 if request.config.getoption("--long", default=False) else 2):
        flipped = flip(filled, where, dice)
        try:
            findings = filled.audit().findings
        finally:
            flipped.undo()
        assert findings, f"not found: {flipped.text}"
        words = NAMED[where.split(".")[0]].split("|")
        assert any(word in findings[0].lower() for word in words), (flipped.text, findings)


@pytest.mark.parametrize("table", sorted(set(COVERED) - {"log", "anchors", "checkpoints"}))
def test_a_missing_row_is_found(filled: World, table: str) -> None:
    """Wherever it stood (a checkpoint that nobody refers to may be left out)."""
    seed = fresh_seed()
    print(f"NOTARY_TEST_SEED={seed}")
    places = filled.rows(f"SELECT ctid::text FROM {table} ORDER BY ctid")
    place = random.Random(f"{seed} {table}").choice(places)[0]
    filled.change(f"CREATE TEMP TABLE kept AS SELECT * FROM {table} WHERE ctid = %s", place)
    try:
        filled.change(f"DELETE FROM {table} WHERE ctid = %s", place)
        findings = filled.audit().findings
    finally:
        filled.change(f"INSERT INTO {table} SELECT * FROM kept; DROP TABLE kept")
    assert findings


def test_a_doubled_record_is_found(filled: World) -> None:
    """The same n with another time: the key of the table allows it, the chain doesn't."""
    place = filled.rows(
        "INSERT INTO records SELECT lane, source, n, received + interval '1 second', chain, form,"
        " flags, leaf, observed, key, message, salt, digest, payload FROM records"
        " WHERE n = 0 ORDER BY source LIMIT 1 RETURNING ctid::text"
    )[0][0]
    try:
        findings = filled.audit().findings
    finally:
        filled.change("DELETE FROM records WHERE ctid = %s", place)
    assert findings


@pytest.mark.parametrize(
    "exchange",
    [
        "UPDATE records a SET payload = b.payload FROM records b WHERE b.source = a.source"
        " AND a.n IN (0, 2) AND b.n = 2 - a.n AND a.payload IS NOT NULL"
        " AND b.payload IS NOT NULL AND a.salt IS NULL",
        "UPDATE records a SET payload = b.payload, salt = b.salt FROM records b"
        " WHERE b.source = a.source AND a.n IN (0, 2) AND b.n = 2 - a.n AND a.salt IS NOT NULL"
        " AND b.salt IS NOT NULL",
    ],
    ids=["open", "closed"],
)
def test_exchanged_payloads_are_found(filled: World, exchange: str) -> None:
    """Both are real payloads of this notary, each in the other's place."""
    assert filled.change(exchange) > 1
    try:
        findings = filled.audit().findings
    finally:
        filled.change(exchange)
    assert findings[0].startswith(("Record 0 of ", "Record 2 of "))


# -- what stands outside the database


def test_another_key_in_the_database_is_found(filled: World, tmp_path: Path) -> None:
    """A whole other key of the same name."""
    other = make_key(filled.signer.name, tmp_path / "other.key")
    filled.change("UPDATE log SET vkey = %s", other.vkey)
    try:
        findings = filled.audit().findings
    finally:
        filled.change("UPDATE log SET vkey = %s", filled.signer.vkey)
    assert any("checkpoint of size" in finding for finding in findings)


def test_a_key_exchanged_with_all_its_signatures_is_found(filled: World, tmp_path: Path) -> None:
    """Each note signed anew fits the key in the database; the mark outside knows another."""
    other = make_key(filled.signer.name, tmp_path / "other.key")
    kept = filled.checkpoints()
    filled.change("UPDATE log SET vkey = %s", other.vkey)
    for size, root, old in kept:
        assert isinstance(size, int)
        assert isinstance(root, bytes)
        text = format_checkpoint(Checkpoint(other.name, size, RootHash(root)))
        lines = [line for line in parse_note(str(old)).unverified if line.name != other.name]
        note = format_note(text, [other.signature(text), *lines])
        filled.change("UPDATE checkpoints SET note = %s WHERE size = %s", note, size)
    try:
        findings = filled.audit().findings
    finally:
        filled.change("UPDATE log SET vkey = %s", filled.signer.vkey)
        for size, _, note in kept:
            filled.change("UPDATE checkpoints SET note = %s WHERE size = %s", note, size)
    assert findings == ("the high-water mark: it knows another log or another key of it",)


def test_a_missing_mark_is_found(filled: World) -> None:
    """So is one that can't be read."""
    text = filled.marks.path.read_bytes()
    try:
        filled.marks.path.unlink()
        missing = filled.audit().findings
        filled.marks.path.write_text("{")
        broken = filled.audit().findings
    finally:
        filled.marks.path.write_bytes(text)
    assert missing == ("the high-water mark: it is missing",)
    assert "can't be read" in broken[0]


def test_a_mark_beyond_the_database_is_found(filled: World) -> None:
    """Its checkpoint isn't here."""
    text = filled.marks.path.read_text()
    members = json.loads(text)
    try:
        filled.marks.path.write_text(json.dumps({**members, "size": members["size"] + 1}))
        findings = filled.audit().findings
    finally:
        filled.marks.path.write_text(text)
    assert findings == ("the high-water mark: the database doesn't hold its checkpoint",)


def test_a_ledger_without_the_anchor_is_found(filled: World) -> None:
    """The database says verified; the ledger itself is asked, and holds only the first."""
    file = filled.parts.settings.ledger_file
    data = file.read_bytes()
    try:
        file.write_bytes(data.splitlines(keepends=True)[0])
        findings = filled.again().audit().findings
    finally:
        file.write_bytes(data)
    assert len(findings) == 1
    assert findings[0].startswith("anchor of size")


def test_a_damaged_ledger_is_found(filled: World) -> None:
    """An audit of a ledger that can't be read isn't clean."""
    file = filled.parts.settings.ledger_file
    data = file.read_bytes()
    try:
        file.write_bytes(data.replace(b"note", b"nota", 1))
        findings = filled.again().audit().findings
    finally:
        file.write_bytes(data)
    assert "is damaged" in findings[0]


def test_the_audited_notary_is_whole_again(filled: World) -> None:
    """All that the tests above changed was put back: each finding was its own."""
    assert filled.audit().findings == ()
