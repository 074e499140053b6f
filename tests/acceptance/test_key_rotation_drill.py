# SPDX-License-Identifier: Apache-2.0
"""The lines of docs/operations.md by which keys are changed, beside a sealer at work."""

from pathlib import Path

import pytest

from notary.core.checkpoint import Checkpoint, format_checkpoint
from notary.core.errors import NotaryError, ReceiptRefused, UnknownSigner
from notary.core.hashing import RootHash
from notary.core.note import parse_note
from notary.core.receipt import verify_receipt
from notary.core.receipt_signers import check_checkpoint
from notary.core.trust import parse_trust
from notary.keys import load_key
from notary.local.place import servant
from notary.local.programs import postgres_programs
from tests.acceptance.drills import Operator
from tests.acceptance.sealers import SealerProcess, now, settled, wait_for
from tests.usecases.servers import world as made_world
from tests.usecases.world import ORIGIN, World

world = made_world


@pytest.fixture
def filled(world: World) -> World:
    """A notary on the real clock with three batches."""
    world.now = now()
    world.dataset("weather")
    for seed in range(3):
        world.add("weather", 6, seed=seed)
        world.settle()
    return world


def receipts(world: World) -> list[str]:
    """One of each batch."""
    found = world.rows(
        "SELECT DISTINCT ON (r.batch) s.name, r.first FROM runs r JOIN sources s ON s.id = r.source"
        " ORDER BY r.batch, r.position"
    )
    prover = world.prover()
    return [
        prover.receipt("weather", str(source), int(str(n)), caller=None).text for source, n in found
    ]


def add(world: World, seed: int) -> None:
    """A batch that the sealer at work seals, signs and anchors."""
    size = world.size()
    world.now = now()
    world.add("weather", 6, seed=seed)
    wait_for("it is sealed", lambda: world.size() > size)
    wait_for("it is anchored", lambda: settled(world))


def test_a_planned_change_goes_by_the_page(filled: World, tmp_path: Path) -> None:
    """Nobody is without a receipt that holds, before, in the overlap, and after."""
    operator = Operator(filled, tmp_path / "desk", postgres_programs(servant()))
    before = operator.run("notary trust")
    with SealerProcess(filled.env, tmp_path / "sealer.log") as sealer:
        operator.paste("rotation")
        add(filled, 10)
        assert sealer.stop() == 0
    assert [line for line in sealer.said() if line["event"] == "stopped"] == []
    after = (tmp_path / "desk" / "trust.json").read_text()
    *old, newest = receipts(filled)
    for receipt in (*old, newest):
        verify_receipt(receipt, after)
    for receipt in old:
        verify_receipt(receipt, before)
    with pytest.raises(UnknownSigner):
        verify_receipt(newest, before)
    filled.parts.settings.log_key.unlink()
    with SealerProcess(filled.env, tmp_path / "again.log") as sealer:
        add(filled, 11)
        assert sealer.stop() == 0
    assert filled.audit().findings == ()


def test_a_theft_goes_by_the_page(filled: World, tmp_path: Path) -> None:
    """The sealer that runs changes over; what the thief signs is worth nothing."""
    thief = load_key(filled.parts.settings.log_key)
    operator = Operator(filled, tmp_path / "desk", postgres_programs(servant()))
    with SealerProcess(filled.env, tmp_path / "sealer.log") as sealer:
        operator.paste("compromise")
        add(filled, 10)
        assert sealer.stop() == 0
    trust = (tmp_path / "desk" / "trust.json").read_text()
    for receipt in receipts(filled):
        verify_receipt(receipt, trust)
    size, root, note = filled.checkpoints()[-1]
    stolen = thief.verifier.key_id
    assert stolen not in {line.key_id for line in parse_note(str(note)).unverified}
    text = format_checkpoint(Checkpoint(ORIGIN, int(str(size)), RootHash(root)))  # type: ignore[arg-type]
    with pytest.raises(ReceiptRefused):
        check_checkpoint(thief.sign(text), parse_trust(trust))
    assert filled.audit().findings == ()


def test_two_operators_at_once_make_one_key(filled: World, tmp_path: Path) -> None:
    """Both paste the line; the log gets one new key."""
    from concurrent.futures import ThreadPoolExecutor

    operator = Operator(filled, tmp_path / "desk", postgres_programs(servant()))
    with ThreadPoolExecutor(3) as threads:
        said = list(threads.map(operator.run, ["notary log-keys rotate"] * 3))
    assert len(filled.marks.log_keys()) == 2
    assert sum(text.startswith("A new key signs") for text in said) == 1


def test_a_wrong_line_is_answered_by_a_sentence(filled: World, tmp_path: Path) -> None:
    """And changes nothing."""
    operator = Operator(filled, tmp_path / "desk", postgres_programs(servant()))
    for line in (
        "log-keys end",
        "log-keys compromised",
        "log-keys compromised --good-size 99",
        "log-keys compromised --good-size 1 --key 00000000",
        "other-keys rotate",
    ):
        said = operator.run(f"notary {line}; echo $?")
        assert said.startswith("notary: "), line
        assert said.endswith(".\n2\n"), line
    assert len(filled.marks.log_keys()) == 1


def test_a_closed_notary_changes_no_key(filled: World, tmp_path: Path) -> None:
    """The mark is gone: a person must look first."""
    filled.marks.path.unlink()
    operator = Operator(filled, tmp_path / "desk", postgres_programs(servant()))
    assert "high-water mark" in operator.run("notary log-keys rotate")
    with pytest.raises(NotaryError):
        filled.marks.log_keys()
