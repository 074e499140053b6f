# SPDX-License-Identifier: Apache-2.0
"""`notary anchors`: what is said of each anchor, what is checked, and what is not and why."""

import json
from collections.abc import Callable

import pytest

from notary.commands.anchors import span
from notary.ledgers.port import LedgerRefused
from tests.test_cli import run
from tests.usecases.servers import world
from tests.usecases.world import World

__all__ = ["run", "world"]
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def anchored(world: World) -> World:
    """A notary with two anchors on the file ledger."""
    world.dataset("weather")
    for seed in (1, 2):
        world.add("weather", 5, seed=seed)
        world.settle()
    return world


def test_a_new_notary_lists_its_ledger_and_nothing_else(world: World, run: Run) -> None:
    """The file ledger, with no size yet."""
    assert run(world.env, "anchors", "list") == (
        0,
        "ledger file (file): size 0, required, the notary's own word\n",
        "",
    )


def test_the_list_says_state_age_and_error(anchored: World, run: Run) -> None:
    """The newest first."""
    anchored.change(
        "UPDATE anchors SET state = 'unknown', attempts = 3, error = 'The network is down.'"
        " WHERE size = 2"
    )
    code, said, _ = run(anchored.env, "anchors", "list")
    lines = said.splitlines()
    assert code == 0
    assert "size 1, required" in lines[0]
    assert lines[1].strip() == "The network is down."
    assert [line.split()[:3] for line in lines[2:]] == [
        ["2", "file", "unknown"],
        ["1", "file", "verified"],
    ]
    assert "tried 3 times  The network is down." in lines[2]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "0 s"), (119, "119 s"), (120, "2 min"), (7_199, "119 min"), (7_200, "2 h"),
     (172_799, "47 h"), (172_800, "2 days"), (8_640_000, "100 days")],
)  # fmt: skip
def test_ages_are_told_as_people_say_them(seconds: float, words: str) -> None:
    """Nobody counts a day's outage in seconds."""
    assert span(seconds) == words


def test_an_error_from_outside_is_no_command_for_a_terminal(anchored: World, run: Run) -> None:
    """What a ledger said is shown, and does nothing."""
    anchored.change("UPDATE anchors SET state = 'unknown', error = %s WHERE size = 2", "\x1b[2Jx")
    _, said, _ = run(anchored.env, "anchors", "list")
    assert "\x1b" not in said
    assert "?[2Jx" in said


def test_one_anchor_is_shown_with_its_evidence_and_what_it_shows(anchored: World, run: Run) -> None:
    """Readable, and checked from itself alone."""
    code, said, _ = run(anchored.env, "anchors", "show", "2", "file")
    stored = json.loads(str(anchored.rows("SELECT evidence FROM anchors WHERE size = 2")[0][0]))
    assert code == 0
    assert "state: verified" in said
    assert json.dumps(stored, indent=2) in said
    assert "offline: checked, the notary's own word" in said


@pytest.mark.parametrize(
    "arguments",
    [
        ("show", "9", "file"),
        ("show", "2", "nowhere"),
        ("show", "file", "2"),
        ("show", "2"),
        ("show",),
        ("retry",),
        ("retry", "nowhere"),
        ("test",),
        ("test", "nowhere"),
        ("verify", "nowhere"),
        ("verify", "file", "file"),
        ("list", "file"),
        ("show", "\N{SUPERSCRIPT TWO}", "file"),
    ],
    ids=" ".join,
)
def test_what_is_not_there_or_not_meant_is_one_sentence(
    anchored: World, run: Run, arguments: tuple[str, ...]
) -> None:
    """Exit code 2, and nothing happened."""
    code, said, error = run(anchored.env, "anchors", *arguments)
    assert (code, said, error.count("\n")) == (2, "", 1)


def test_every_anchor_is_checked_offline_and_online(anchored: World, run: Run) -> None:
    """The file ledger's is the notary's own word, both times."""
    for arguments in ((), ("file",)):
        code, said, _ = run(anchored.env, "anchors", "verify", *arguments)
        lines = said.splitlines()
        assert code == 0
        own = "checked, the notary's own word"
        assert [line.split(maxsplit=2)[2] for line in lines[:2]] == [
            f"offline: {own}; online: {own}"
        ] * 2
        assert lines[2] == "2 anchors, 0 do not hold"


def test_evidence_that_does_not_hold_is_found_offline(anchored: World, run: Run) -> None:
    """That of another size, say: exit code 1."""
    anchored.change(
        "UPDATE anchors SET evidence = (SELECT evidence FROM anchors WHERE size = 1) WHERE size = 2"
    )
    code, said, _ = run(anchored.env, "anchors", "verify")
    assert code == 1
    assert "offline: DOES NOT HOLD" in said.splitlines()[1]
    assert run(anchored.env, "anchors", "show", "2", "file")[0] == 1


def test_a_ledger_that_lost_an_anchor_is_found_online(anchored: World, run: Run) -> None:
    """Its evidence still holds, by itself."""
    file = anchored.parts.settings.ledger_file
    file.write_bytes(file.read_bytes().splitlines(keepends=True)[0])
    code, said, _ = run(anchored.env, "anchors", "verify")
    assert code == 1
    assert "offline: checked" in said.splitlines()[1]
    assert "online: DOES NOT HOLD (the ledger says unknown)" in said.splitlines()[1]


def test_a_ledger_that_can_not_be_asked_is_no_fault(anchored: World, run: Run) -> None:
    """It is said why."""
    settings = anchored.parts.settings
    settings.ledger_file.rename(settings.ledger_dir / "elsewhere")
    settings.ledger_key.chmod(0o600)
    settings.ledger_key.rename(settings.ledger_dir / "ledger.key.away")
    code, said, _ = run(anchored.env, "anchors", "verify")
    assert code == 0
    assert "online: not checked (The file ledger" in said


def test_a_long_reference_is_cut(anchored: World, run: Run) -> None:
    """It stands in the evidence, which is shown whole."""
    anchored.change("UPDATE anchors SET reference = %s WHERE size = 2", "r" * 5_000)
    _, said, _ = run(anchored.env, "anchors", "show", "2", "file")
    assert f"reference: {'r' * 500}…\n" in said


def test_a_ledger_that_was_taken_out_is_listed_and_not_checked(anchored: World, run: Run) -> None:
    """Nobody knows any more whom to trust."""
    anchored.change(
        "INSERT INTO ledgers (name, kind, own_word) VALUES ('old-tsa', 'rfc3161', false)"
    )
    anchored.change("UPDATE anchors SET ledger = 'old-tsa' WHERE size = 1")
    _, listed, _ = run(anchored.env, "anchors", "list")
    assert "ledger old-tsa (rfc3161): size 1, optional, not in the settings any more" in listed
    code, said, _ = run(anchored.env, "anchors", "verify", "old-tsa")
    why = "not checked (the ledger is not in the settings any more)"
    assert (code, f"offline: {why}; online: {why}" in said) == (0, True)


def test_what_was_refused_is_taken_up_by_a_persons_word(anchored: World, run: Run) -> None:
    """And shown as stopped until then."""
    anchored.add("weather", 5, seed=3)
    anchored.seal()
    anchored.sign()
    with pytest.MonkeyPatch.context() as patch:
        refuse = LedgerRefused("Another root for size 3 is noted.")

        def submit(*_: object) -> str:
            raise refuse

        patch.setattr("notary.ledgers.file.FileLedger.submit", submit)
        anchored.anchor()
    _, listed, _ = run(anchored.env, "anchors", "list")
    assert "STOPPED" in listed.splitlines()[0]
    assert refuse.detail in listed
    code, said, _ = run(anchored.env, "anchors", "retry", "file")
    assert (code, said) == (0, "1 anchors are handed to file again by the sealer.\n")
    assert anchored.anchor()[0].state == "verified"
    _, listed, _ = run(anchored.env, "anchors", "list")
    assert "STOPPED" not in listed


def test_a_ledger_is_tried_without_anchoring_anything(anchored: World, run: Run) -> None:
    """What it found is printed."""
    before = anchored.parts.settings.ledger_file.read_bytes()
    code, said, _ = run(anchored.env, "anchors", "test", "file")
    assert code == 0
    assert "entries: 2" in said
    assert "can_write: True" in said
    assert anchored.parts.settings.ledger_file.read_bytes() == before
