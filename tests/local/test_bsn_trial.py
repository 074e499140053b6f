# SPDX-License-Identifier: Apache-2.0
"""`make run LEDGER=bsn`: what the mock gateway starts with, and what is shown of its anchors."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from notary.config import Settings
from notary.core import canonical
from notary.local import bsn_trial
from notary.local.errors import LocalError
from notary.local.processes import Children
from notary.wiring import connect
from tests.usecases.servers import world
from tests.usecases.world import World

__all__ = ["world"]


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Any]:
    """The part of ./var that a trial needs."""
    (tmp_path / "var" / "log").mkdir(parents=True)
    with Children() as children:
        yield SimpleNamespace(var=tmp_path / "var", children=children)


def anchored(world: World, table: dict[str, Any], folder: Path) -> str:
    """The receipt of a record that reached the channel."""
    lines = [f"{key} = {json.dumps(value)}\n" for key, value in table.items()]
    (folder / "notary.toml").write_text("[[ledgers]]\n" + "".join(lines))
    env = {**world.env, "NOTARY_CONFIG": str(folder / "notary.toml")}
    world.parts = connect(Settings.from_env(env), writes_ledger=True)
    dataset = world.dataset("weather")
    world.add(dataset, 2, sources=1)
    world.seal()
    world.sign()
    while world.anchor()[-1].state != "verified":
        world.pass_by(60)
        time.sleep(0.05)
    return world.prover().receipt(dataset, "s0", 0, caller=None, until="anchored").text


def test_the_story_is_told_of_a_real_receipt_and_calls_the_mock_a_mock(
    world: World, local: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """Checked offline; with one bit of the block changed it is refused for that block."""
    trial = bsn_trial.begin(local)
    receipt = anchored(world, dict(trial.table), local.var)
    (local.var / "trust.json").write_text(world.parts.trust())
    (local.var / "receipt.json").write_text(receipt)
    assert trial.story(local, SimpleNamespace())  # type: ignore[arg-type]
    said = capsys.readouterr().out
    assert "a MOCK of BSN's PCN gateway" in said
    assert "no live network of BSN was asked" in said
    assert "[x] Ledger bsn (bsn-fabric)" in said
    assert "REFUSED. The evidence of a ledger" in said


def test_a_receipt_without_the_anchor_ends_the_story_badly(
    world: World, local: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is called shown that isn't there."""
    trial = bsn_trial.begin(local)
    receipt = json.loads(anchored(world, dict(trial.table), local.var))
    receipt["anchors"] = [one for one in receipt["anchors"] if one["ledger"] != "bsn"]
    (local.var / "trust.json").write_text(world.parts.trust())
    (local.var / "receipt.json").write_text(canonical.dumps(receipt))
    assert not trial.story(local, SimpleNamespace())  # type: ignore[arg-type]
    assert "carries no anchor of it" in capsys.readouterr().out


def test_without_a_checkout_there_is_no_mock(
    local: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An installed package has no tests; a sentence says so."""
    monkeypatch.setattr(bsn_trial, "ROOT", tmp_path)
    with pytest.raises(LocalError, match="needs the mock gateway of a checkout"):
        bsn_trial.begin(local)
