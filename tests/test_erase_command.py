# SPDX-License-Identifier: Apache-2.0
"""`notary erase`: says what stays, asks, and erases nothing by mistake."""

import io
from collections.abc import Iterator

import pytest

from notary import cli
from tests.usecases.servers import world
from tests.usecases.tables import publish
from tests.usecases.world import World

__all__ = ["world"]

WORDS = ("--order", "Letter 9", "--ground", "PIPL, article 47", "--by", "Ms Li")
RECORD = ("--source", "s0", "--n", "1")


@pytest.fixture
def dataset(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A closed dataset with records and a version; the environment is the notary's."""
    for name, value in world.env.items():
        monkeypatch.setenv(name, value)
    made = world.dataset(None)
    world.add(made, 4, sources=1)
    publish(world, made, b"a,b\n1,2\n")
    return made


def left(world: World) -> tuple[object, ...]:
    """How many payloads and parts of files are there."""
    (row,) = world.rows(
        "SELECT (SELECT count(payload) FROM records r JOIN sources s ON s.id = r.source"
        " WHERE s.name = 's0'), (SELECT count(*) FROM version_parts)"
    )
    return row


class Terminal(io.StringIO):
    """Somebody who types."""

    def isatty(self) -> bool:
        """It is one."""
        return True


def test_it_says_what_stays_and_which_record_tells(
    world: World, dataset: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A second time it says that it was done before."""
    assert cli.main(["erase", dataset, *RECORD, *WORDS, "--yes"]) == 0
    said = capsys.readouterr()
    assert said.out.startswith("Erased ")
    assert "random salt stays" in said.err
    assert left(world) == (3, 1)
    assert cli.main(["erase", dataset, *RECORD, *WORDS, "--yes"]) == 0
    again = capsys.readouterr().out
    assert again.startswith("It was erased before,")
    assert again.split("record ")[1] == said.out.split("record ")[1]
    assert cli.main(["erase", dataset, "--version", "1", *WORDS, "--yes"]) == 0
    assert left(world) == (3, 0)
    assert world.audit().findings == ()


@pytest.mark.parametrize(("typed", "code"), [("erase\n", 0), ("yes\n", 2), ("\n", 2), ("", 2)])
def test_on_a_terminal_it_asks(
    world: World, dataset: str, typed: str, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the whole word goes on."""
    monkeypatch.setattr("sys.stdin", Terminal(typed))
    assert cli.main(["erase", dataset, *RECORD, *WORDS]) == code
    assert left(world) == (4 - (code == 0), 1)


WRONG = [
    (*RECORD, *WORDS),
    (*WORDS, "--yes"),
    ("--source", "s0", *WORDS, "--yes"),
    ("--n", "1", *WORDS, "--yes"),
    ("--version", "1", "--n", "1", *WORDS, "--yes"),
    ("--version", "1", "--chain", "0", *WORDS, "--yes"),
    ("--version", "9", *WORDS, "--yes"),
    ("--version", "-1", *WORDS, "--yes"),
    ("--version", "99999999999999999999", *WORDS, "--yes"),
    ("--source", "s0", "--n", "-1", *WORDS, "--yes"),
    ("--source", "s0", "--n", "99999999999999999999", *WORDS, "--yes"),
    ("--source", "s0", "--n", "1", "--chain", "99999999999", *WORDS, "--yes"),
    ("--source", "no such\x00source", "--n", "1", *WORDS, "--yes"),
    (*RECORD, "--order", "", *WORDS[2:], "--yes"),
]


@pytest.mark.parametrize("arguments", WRONG, ids=str)
def test_a_wrong_order_is_a_sentence_and_erases_nothing(
    world: World, dataset: str, arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    """Never a traceback; without a terminal it must be said that it is meant."""
    assert cli.main(["erase", dataset, *arguments]) == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith("notary: ")
    assert left(world) == (4, 1)


def test_a_dataset_that_is_not_there(dataset: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Is told so."""
    assert cli.main(["erase", "nothing", *RECORD, *WORDS, "--yes"]) == 2
    assert "no dataset nothing" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("word", "code", "days"),
    [("30 days", 0, 30), ("none", 0, 0), ("all", 0, None), ("soon", 2, None), ("", 2, None)],
)
def test_the_operator_says_what_a_dataset_keeps(
    world: World, dataset: str, word: str, code: int, days: int | None
) -> None:
    """Any other word changes nothing."""
    assert cli.main(["datasets", "set", dataset, "--keep", word]) == code
    assert world.rows("SELECT keep_days FROM datasets WHERE name = %s", dataset) == [(days,)]
