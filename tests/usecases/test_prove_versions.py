# SPDX-License-Identifier: Apache-2.0
"""Receipts of rows and files verify, and nobody else's row or file passes for theirs."""

import json
from collections.abc import Iterator

import pytest

from notary.core.errors import NotaryError, PayloadMismatch, ReceiptRefused
from notary.core.receipt import format_receipt, parse_receipt, verify_receipt
from notary.core.row_profiles import row_cutter
from notary.usecases.prove import NotYet, StoreDamaged
from notary.usecases.prove_versions import VersionProver
from notary.usecases.rights import NotFound
from tests.usecases.tables import CSV, JSON, NDJSON, facts_of, publish, table
from tests.usecases.world import World


def prover(world: World) -> VersionProver:
    """A prover without anything in mind yet."""
    return VersionProver(world.pool, world.prover())


FILES = {
    "table": (CSV, table(700)),
    "long rows": (CSV, b"".join(b"%d,%s\n" % (n, b"x" * 9000) for n in range(300))),
    "no line end": (CSV, b"a,b\n1,2"),
    "lines": (NDJSON, b"\xef\xbb\xbf\n" + b"".join(b'{"n":%d}\r\n' % n for n in range(600))),
    "array": (JSON, b" [" + b" ,\n".join(b'{"n":[%d]}' % n for n in range(600)) + b"\n]\n"),
    "beyond a part": (JSON, b"[" + b" " * (1 << 20) + b"1, 2" + b" " * (1 << 19) + b"\n, 3]"),
    "blanks first": (NDJSON, b"\n" * (1 << 20) + b"[1\n,2]"),
}


@pytest.mark.parametrize("is_open", [True, False], ids=["open", "closed"])
@pytest.mark.parametrize("name", FILES)
def test_receipts_of_rows_and_file_verify(world: World, name: str, is_open: bool) -> None:
    """With the row, and with the file in pieces; in a few kilobytes."""
    type_, file = FILES[name]
    dataset = world.dataset("air" if is_open else None)
    publish(world, dataset, file, type_)
    world.settle()
    facts, trust, made = facts_of(world, dataset), world.parts.trust(), prover(world)
    profile = "csv-v1" if type_ == CSV else "ndjson-v1"
    cutter = row_cutter(profile)
    rows = [row for _, row in cutter.feed(file) + cutter.finish()]
    for number in {0, 1, 255, 256, 257, 511, 512, len(rows) - 1} & set(range(len(rows))):
        proof = made.row_receipt(facts, 1, number)
        assert proof.final
        assert format_receipt(parse_receipt(proof.text)) == proof.text
        verdict = verify_receipt(proof.text, trust, rows[number])
        assert (verdict.kind, verdict.subject["row"]) == ("row", number)
        assert len(proof.text) < 8192 + 2 * len(rows[number])
        with pytest.raises(PayloadMismatch):
            verify_receipt(proof.text, trust, rows[number] + b"x")
    whole = made.file_receipt(facts, 1)
    assert format_receipt(parse_receipt(whole.text)) == whole.text
    assert len(whole.text) < 8192
    pieces = (file[at : at + 1000] for at in range(0, len(file), 1000))
    verdict = verify_receipt(whole.text, trust, pieces)
    payload = next(check for check in verdict.checks if check.code == "payload")
    assert (payload.status, payload.facts["bytes"]) == ("held", len(file))
    for other in (file + b"\n", file[1:], b"", file.replace(b"1", b"2", 1)):
        with pytest.raises(PayloadMismatch):
            verify_receipt(whole.text, trust, other)


@pytest.fixture
def settled(world: World) -> World:
    """A closed dataset with a table, and an open one with another."""
    publish(world, world.dataset(None), table(300))
    publish(world, world.dataset("air"), table(300, 1))
    world.settle()
    return world


def names(world: World) -> list[str]:
    """The closed dataset, then the open one."""
    return sorted(world.datasets, key=lambda name: world.datasets[name].is_open)


ATTACKS = {
    "another row's bytes": lambda a, b: a["row"].update(bytes=b["row"]["bytes"]),
    "another number": lambda a, b: a["row"].update(number=b["row"]["number"]),
    "another row's salt": lambda a, b: a["row"].update(salt=b["row"]["salt"]),
    "no salt": lambda a, b: a["row"].update(salt=""),
    "another path": lambda a, b: a.update(path=b["path"]),
    "a number beyond the last": lambda a, b: a["row"].update(number=301),
    "a file's receipt made of it": lambda a, b: (
        a.pop("row"), a.pop("path"), a.update(kind="file", file={"salt": ""})),
}  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_row_cannot_be_passed_off_as_another(settled: World, attack: str) -> None:
    """Whichever part is exchanged, the receipt is refused."""
    facts, trust = facts_of(settled, names(settled)[0]), settled.parts.trust()
    made = prover(settled)
    one, other = (json.loads(made.row_receipt(facts, 1, n).text) for n in (7, 8))
    verify_receipt(one, trust)
    ATTACKS[attack](one, other)
    with pytest.raises(NotaryError):
        verify_receipt(one, trust)


def test_rows_of_one_dataset_are_no_rows_of_another(settled: World) -> None:
    """Descriptor and log of the other batch don't fit."""
    made, trust = prover(settled), settled.parts.trust()
    closed, open_ = (
        json.loads(made.row_receipt(facts_of(settled, name), 1, 7).text) for name in names(settled)
    )
    for part in ("descriptor", "log", "row", "path"):
        with pytest.raises(NotaryError):
            verify_receipt({**closed, part: open_[part]}, trust)


def test_a_closed_file_without_its_salt_is_not_compared(settled: World) -> None:
    """Neither with none, nor with that of another."""
    facts, trust = facts_of(settled, names(settled)[0]), settled.parts.trust()
    whole = json.loads(prover(settled).file_receipt(facts, 1).text)
    verify_receipt(whole, trust, table(300))
    with pytest.raises(PayloadMismatch):
        verify_receipt({**whole, "file": {"salt": "ab" * 32}}, trust, table(300))
    with pytest.raises(ReceiptRefused):
        verify_receipt({**whole, "file": {"salt": ""}}, trust, table(300))


def test_a_receipt_is_there_when_its_state_is(world: World) -> None:
    """Accepted, sealed, signed: each says so, and anchored can be waited for."""
    air = world.dataset("air")
    publish(world, air, table(3))
    facts = facts_of(world, air)

    def states() -> Iterator[object]:
        for ask in ("signed", "anchored"):
            try:
                prover(world).file_receipt(facts, 1, ask)  # type: ignore[arg-type]
                prover(world).row_receipt(facts, 1, 2, ask)  # type: ignore[arg-type]
                yield "there"
            except NotYet as error:
                yield error.state

    assert list(states()) == ["accepted", "accepted"]
    world.seal()
    assert list(states()) == ["sealed", "sealed"]
    world.sign()
    assert list(states()) == ["there", "signed"]
    world.anchor()
    assert list(states()) == ["there", "there"]


@pytest.mark.parametrize(("version", "row"), [(2, 0), (0, 0), (1, 301), (1, 1 << 40)])
def test_what_is_not_there_is_not_found(settled: World, version: int, row: int) -> None:
    """No version, no row."""
    with pytest.raises(NotFound):
        prover(settled).row_receipt(facts_of(settled, "air"), version, row)


def test_a_version_without_rows_has_a_receipt_of_its_file_only(world: World) -> None:
    """A PDF, say."""
    air = world.dataset("air")
    publish(world, air, b"%PDF\xff", "application/pdf")
    world.settle()
    text = prover(world).file_receipt(facts_of(world, air), 1).text
    verify_receipt(text, world.parts.trust(), b"%PDF\xff")
    with pytest.raises(NotFound):
        prover(world).row_receipt(facts_of(world, air), 1, 0)


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE version_parts SET data = set_byte(data, 3000, 0)",
        "UPDATE version_parts SET data = replace_it(data)",
        "UPDATE version_tiles SET mark = mark + 1",
        "UPDATE version_tiles SET mark = NULL",
        "DELETE FROM version_parts",
        "DELETE FROM version_tiles WHERE level = 0",
        "UPDATE version_tiles SET data = set_byte(data, 32 * 200, 0) WHERE level = 0 AND index = 0",
    ],
)
def test_no_receipt_is_made_of_a_damaged_row(settled: World, damage: str, long: bool) -> None:
    """It is said, instead of a receipt that wouldn't verify."""
    settled.change(
        "CREATE FUNCTION replace_it(data bytea) RETURNS bytea LANGUAGE sql AS"
        " 'SELECT overlay(data PLACING ''9''::bytea FROM 4400)'"
    )
    assert settled.change(damage)
    found = []
    # The damage lies in rows 100 to 299, one alone near 176; each row in long runs.
    numbers = range(301) if long else (0, *range(100, 300, 10), 108, 156, 199, 201, 255, 256, 257)
    for number in numbers:
        try:
            text = prover(settled).row_receipt(facts_of(settled, "air"), 1, number).text
            verify_receipt(text, settled.parts.trust())
        except NotaryError as error:
            found.append(error)
    assert found
    assert all(isinstance(error, StoreDamaged) for error in found)
