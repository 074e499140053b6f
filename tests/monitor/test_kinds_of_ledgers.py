# SPDX-License-Identifier: Apache-2.0
"""Anchors on ledgers of other kinds, as a monitor looks at them with the checkers handed in."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from notary import cli
from notary.core import canonical
from notary.core.monitor_report import parse_report
from notary.evidence import checkers
from notary.evidence.online import BLOCKS_AFTER, online_checkers
from tests.core.maker import make
from tests.core.promises import trusting
from tests.evidence.chain import LEDGER, evm_anchor, trusted
from tests.evidence.nodes import NUMBER, Node, node
from tests.monitor.shown import Shown, Watch, after
from tests.outside.raw import Raw

__all__ = ["node"]
TRUST = trusting() | {"ledgers": [*trusting()["ledgers"], LEDGER]}
TOLD = "ledger:chain"


class Chained(Shown):
    """What is shown of a city whose log is anchored on a chain too."""

    def put(self, size: int, **more: Any) -> None:
        """One more anchor on it, of that size."""
        made = evm_anchor(self.city, 0, size)
        item = {name: made[name] for name in ("ledger", "size", "root", "evidence")}
        self.anchored.append({**item, "state": "verified", **more})
        self.anchored.sort(key=lambda one: (-one["size"], one["ledger"]))


@pytest.fixture
def shown() -> Chained:
    """Three batches, the last state on both ledgers."""
    made = Chained(make(rounds=3))
    made.anchor()
    made.put(3)
    return made


@pytest.fixture
def server(shown: Chained) -> Iterator[Raw]:
    """It, over HTTP."""
    with Raw(shown, keeps=True) as running:
        yield running


def watch(folder: Path, ledger: dict[str, Any] = LEDGER, **plan: Any) -> Watch:
    """A monitor that reads evidence of chains."""
    trust = trusting() | {"ledgers": [*trusting()["ledgers"], ledger]}
    return Watch(folder, trust, **{"checkers": checkers(), **plan})


def told(of: Watch) -> str | None:
    """Why the chain isn't looked at, by the last report."""
    assert of.last is not None
    found = [one.reason for one in of.last.not_checked if one.what == TOLD]
    return found[0] if found else None


def test_evidence_is_read_and_what_nobody_asked_is_said(
    shown: Chained, server: Raw, tmp_path: Path
) -> None:
    """Also at the next look, which reads nothing again."""
    mine = watch(tmp_path)
    for _ in range(2):
        assert mine.look(server, after(shown.city)) == []
        assert told(mine) == "ask-the-chain"


def test_without_a_checker_it_needs_a_package(shown: Chained, server: Raw, tmp_path: Path) -> None:
    """As before there were any."""
    mine = Watch(tmp_path, TRUST)
    assert mine.look(server, after(shown.city)) == []
    assert told(mine) == "needs-package"


@pytest.mark.parametrize("attack", ["another state's", "a node flipped", "none", "a root"])
def test_evidence_that_does_not_hold_is_an_alarm(
    attack: str, shown: Chained, server: Raw, tmp_path: Path
) -> None:
    """Whatever is wrong with it."""
    shown.anchored.clear()
    shown.put(3)
    evidence = shown.anchored[0]["evidence"]
    if attack == "another state's":
        shown.anchored[0]["evidence"] = evm_anchor(shown.city, 0, 2)["evidence"]
    elif attack == "a node flipped":
        node = evidence["proof"][0]
        flipped = node[:20] + ("A" if node[20] != "A" else "B") + node[21:]
        shown.anchored[0]["evidence"] = evidence | {"proof": [flipped, *evidence["proof"][1:]]}
    elif attack == "none":
        shown.anchored[0]["evidence"] = None
    else:
        shown.anchored[0]["root"] = "ab" * 32
    mine = watch(tmp_path)
    assert mine.look(server, after(shown.city)) == ["other-anchor"]
    facts = json.loads(json.dumps(dict(mine.report().alarms[0].facts)))
    what = "root" if attack == "a root" else "evidence"
    assert (facts["ledger"], facts["what"]) == ("chain", what)


def test_a_trust_file_of_no_use_for_a_ledger_is_no_alarm(
    shown: Chained, server: Raw, tmp_path: Path
) -> None:
    """The notary can't help it; the rest is looked at."""
    mine = watch(tmp_path, LEDGER | {"contract": "0x00"})
    assert mine.look(server, after(shown.city)) == []
    assert told(mine) == "malformed-trust"


def test_what_is_said_of_a_ledger_is_of_its_largest_size(
    shown: Chained, server: Raw, tmp_path: Path
) -> None:
    """An anchor of a smaller size changes nothing of it."""
    shown.anchored.clear()
    shown.put(2)
    mine = watch(tmp_path, LEDGER | {"from_size": 3})
    assert mine.look(server, after(shown.city)) == []
    assert told(mine) == "below-from-size"
    shown.put(3)
    assert mine.look(server, after(shown.city, seconds=5)) == []
    assert told(mine) == "ask-the-chain"


def asking(folder: Path, node: Node, **plan: Any) -> Watch:
    """A monitor that asks a node of the chain."""
    return watch(folder, checkers=online_checkers([f"chain={node.url}"], [trusted()]), **plan)


def test_a_node_tells_what_evidence_can_not(
    shown: Chained, server: Raw, tmp_path: Path, node: Node
) -> None:
    """Then nothing is left unchecked, and nothing is asked again."""
    mine = asking(tmp_path, node)
    assert mine.look(server, after(shown.city)) == []
    assert told(mine) is None
    assert node.server is not None
    asked = len(node.server.bodies)
    assert mine.look(server, after(shown.city, seconds=5)) == []
    assert len(node.server.bodies) == asked


@pytest.mark.parametrize("reason", ["no-answer", "too-new"])
def test_what_passes_is_asked_again(
    shown: Chained, server: Raw, tmp_path: Path, node: Node, reason: str
) -> None:
    """It is no alarm meanwhile, however long it takes."""
    if reason == "no-answer":
        node.raw = [b"hello\r\n\r\n"]
    else:
        node.after = 0
    mine = asking(tmp_path, node, anchor_within=60.0)
    for minutes in (1, 10):
        assert mine.look(server, after(shown.city, minutes=minutes)) == []
        assert told(mine) == reason
    node.raw, node.after, node.instead = None, BLOCKS_AFTER, {}
    assert mine.look(server, after(shown.city, minutes=11)) == []
    assert told(mine) is None


def test_a_forged_block_beyond_the_end_of_the_chain_is_no_anchor(
    shown: Chained, server: Raw, tmp_path: Path, node: Node
) -> None:
    """Anybody can make up a header with a number that never comes: the anchor is late."""
    node.instead["eth_getBlockByNumber"] = None
    mine = asking(tmp_path, node, anchor_within=60.0)
    assert mine.look(server, after(shown.city)) == []
    assert told(mine) == "not-there"
    assert mine.look(server, after(shown.city, minutes=5)) == ["late-anchor"]
    node.instead = {}
    assert mine.look(server, after(shown.city, minutes=6)) == []
    assert told(mine) is None


def test_what_the_chain_dropped_is_no_anchor(
    shown: Chained, server: Raw, tmp_path: Path, node: Node
) -> None:
    """Where it isn't handed in again the anchor is late; once the chain has it all is well."""
    node.instead["eth_getBlockByNumber"] = {"number": hex(NUMBER), "hash": "0x" + "ab" * 32}
    mine = asking(tmp_path, node, anchor_within=60.0)
    assert mine.look(server, after(shown.city)) == []
    assert told(mine) == "ledger-dropped"
    assert mine.look(server, after(shown.city, minutes=5)) == ["late-anchor"]
    assert [alarm.facts["ledger"] for alarm in mine.report().alarms] == ["chain"]
    node.instead = {}
    assert mine.look(server, after(shown.city, minutes=6)) == []
    assert told(mine) is None


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("file=https://node.example", "file is none"),
        ("chain=http://node.example/secret", "can't be believed"),
    ],
)
def test_what_can_not_be_asked_is_told_at_the_start(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], asked: str, words: str
) -> None:
    """In one sentence, before anything is looked at; the command hands all checkers in."""
    (tmp_path / "trust.json").write_text(canonical.dumps(TRUST))
    arguments = ["--trust", f"{tmp_path}/trust.json", "--state", f"{tmp_path}/state", "--once"]
    assert cli.main(["monitor", "run", "http://127.0.0.1:9", *arguments, "--online", asked]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert words in err
    assert "secret" not in err


def test_the_command_reads_evidence_and_asks(
    shown: Chained, server: Raw, tmp_path: Path, node: Node
) -> None:
    """As `notary verify` does."""
    (tmp_path / "trust.json").write_text(canonical.dumps(TRUST))
    state = tmp_path / "state"
    arguments = ["--trust", f"{tmp_path}/trust.json", "--state", f"{state}", "--once"]
    # Its clock is the machine's, so the city's states are late; what counts here is the report.
    cli.main(["monitor", "run", server.url, *arguments])
    assert reason_in(state) == "ask-the-chain"
    shown.city.accept("s0", b"more")
    shown.city.seal()
    shown.put(4)
    cli.main(["monitor", "run", server.url, *arguments, "--online", f"chain={node.url}"])
    assert reason_in(state) == "ledger-dropped"


def reason_in(state: Path) -> str | None:
    """Why the chain isn't looked at, by the report that lies there."""
    report = parse_report((state / "report.json").read_text())
    return next((one.reason for one in report.not_checked if one.what == TOLD), None)
