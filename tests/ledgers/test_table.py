# SPDX-License-Identifier: Apache-2.0
"""The tables of notary.toml: every fault of all of them at once, as sentences; never a value."""

import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from notary.config import SettingsRefused
from notary.ledgers import registry
from notary.ledgers.port import Ledger, LedgerUnavailable, Surroundings
from notary.ledgers.registry import MAX_LEDGERS, load_ledgers, read_tables
from notary.ledgers.table import Table
from tests.ledgers.contract import around

HEAD = {"name": "far", "kind": "evm"}


def table(**members: Any) -> Table:
    """A table with these keys too."""
    return Table("Ledger 1 (far)", {**HEAD, **members}, Path("/etc/notary"), [])


def test_a_table_without_more_has_the_notarys_ways() -> None:
    """Optional, at the notary's interval."""
    read = table()
    read.check_no_more()
    assert (read.name, read.kind, read.required, read.interval) == ("far", "evm", False, None)
    assert read.is_good
    assert read.faults == []


def test_each_kind_of_key_is_read() -> None:
    """Required ones, optional ones, and those with a default."""
    read = table(
        required=True, interval_seconds=1.5, a="text", b=["x", "y"], c=7, d=2, e="keys/f.pem",
        f="https://ledger.example/?k=1", g="http://127.0.0.1:8545", h=True,
    )  # fmt: skip
    assert (read.required, read.interval) == (True, timedelta(seconds=1.5))
    assert (read.text("a"), read.texts("b"), read.number("c", None, 0, 9)) == (
        "text",
        ["x", "y"],
        7,
    )
    assert (read.seconds("d", 1.0), read.path("e")) == (2.0, Path("/etc/notary/keys/f.pem"))
    assert (read.url("f"), read.url("g")) == (
        "https://ledger.example/?k=1",
        "http://127.0.0.1:8545",
    )
    assert read.flag("h", False)
    assert table(k="http://far.example").url("k", is_signed=True) == "http://far.example"
    absent = read.text("z", None), read.texts("z", []), read.path("z", None), read.url("z", None)
    assert absent == (None, [], None, None)
    assert (read.text("z", "q"), read.number("z", 3, 0, 9), read.seconds("z", 1.5)) == ("q", 3, 1.5)
    read.check_no_more()
    assert read.faults == []


def test_what_is_not_read_is_not_known() -> None:
    """A slip of the pen is found."""
    read = table(chanel="c1")
    read.check_no_more()
    assert read.faults == ["Ledger 1 (far): chanel is not known."]
    assert not read.is_good


READERS: dict[str, tuple[Callable[[Table], object], object, list[object]]] = {
    "text": (lambda read: read.text("k"), "", [7, True, "", "x\ny", "x" * 5000, ["x"], {}]),
    "optional text": (lambda read: read.text("k", None), None, [7, "", "\0", []]),
    "texts": (lambda read: read.texts("k"), [], [[], [7], [""], ["x", "\n"], "x", ["x"] * 1001]),
    "number": (lambda read: read.number("k", 3, 1, 5), 3, [0, 6, True, 1.0, "3", [], 1 << 70]),
    "seconds": (
        lambda read: read.seconds("k", 2.0),
        2.0,
        [0, 0.01, -1, True, "3", float("nan"), float("inf"), 1 << 70],
    ),
    "flag": (lambda read: read.flag("k", True), True, [1, 0, "true", "", []]),
    "url": (
        lambda read: read.url("k"),
        "",
        ["http://ledger.example", "ftp://x", "https://", "https://u:p@x", "x", "https://x#f"],
    ),
    "url that answers with what is signed": (
        lambda read: read.url("k", is_signed=True),
        "",
        ["ftp://x", "http://", "https://", "http://u:p@x", "x", "http://x#f"],
    ),
}


@pytest.mark.parametrize("reader", READERS)
def test_a_value_that_can_not_be_used_is_one_sentence_and_a_harmless_value(reader: str) -> None:
    """And the sentence doesn't say the value: it may be a secret in the wrong place."""
    read_it, harmless, values = READERS[reader]
    for value in values:
        read = table(k=value)
        assert read_it(read) == harmless
        assert len(read.faults) == 1, value
        assert read.faults[0].startswith("Ledger 1 (far): k must ")
        assert "u:p" not in read.faults[0]


@pytest.mark.parametrize("reader", ["text", "texts", "url"])
def test_what_must_be_there_is_missed(reader: str) -> None:
    """Once."""
    read = table()
    READERS[reader][0](read)
    assert read.faults == ["Ledger 1 (far): k is missing."]


def test_a_missing_number_and_path_are_missed() -> None:
    """Where they have no default."""
    read = table()
    assert read.number("k", None, 4, 9) == 4
    read.path("p")
    assert read.faults == ["Ledger 1 (far): k is missing.", "Ledger 1 (far): p is missing."]


# -- the file


def written(folder: Path, text: str) -> Path:
    """A notary.toml."""
    file = folder / "notary.toml"
    file.write_text(text, encoding="utf-8")
    return file


def faults_of(file: Path) -> list[str]:
    """Every sentence about it."""
    with pytest.raises(SettingsRefused) as caught:
        load_ledgers(file, around(writes=False))
    faults = caught.value.facts["faults"]
    assert isinstance(faults, list)
    return faults


@pytest.fixture
def kind(monkeypatch: pytest.MonkeyPatch) -> str:
    """A kind of ledger of the tests' own: it needs `url`, and takes nothing else."""
    module: Any = ModuleType("a_kind")

    def open_ledger(table: Table, around: Surroundings) -> Ledger | None:
        table.url("url")
        table.check_no_more()
        if table.has("away"):
            raise LedgerUnavailable("secrets/far.key can't be read.")
        return None

    module.open_ledger = open_ledger
    monkeypatch.setitem(sys.modules, "a_kind", module)
    monkeypatch.setitem(registry.ADAPTERS, "own", ("a_kind", "pip install x"))
    return "own"


def test_no_file_and_no_tables_are_no_ledgers(tmp_path: Path) -> None:
    """The file ledger is always there, and not by this."""
    assert load_ledgers(None, around()) == []
    assert load_ledgers(written(tmp_path, ""), around()) == []


def test_all_faults_of_all_tables_are_told_at_once(tmp_path: Path, kind: str) -> None:
    """One sentence each, in the order of the file."""
    file = written(
        tmp_path,
        '[[ledgers]]\nname = "one"\nkind = "own"\nurl = "http://far.example"\nmore = 1\n'
        '[[ledgers]]\nname = "two"\nkind = "other"\n'
        '[[ledgers]]\nkind = "own"\nurl = "https://far.example"\nrequired = 1\n'
        '[[ledgers]]\nname = "a name"\nkind = "own"\nurl = "https://far.example"\n'
        '[[ledgers]]\nname = "file"\nkind = "own"\nurl = "https://far.example"\n'
        '[[ledgers]]\nname = "one"\nkind = "own"\nurl = "https://far.example"\naway = 1\n',
    )
    said = faults_of(file)
    for sentence in (
        "Ledger 1 (one): url must be an address by https, or by http on this machine.",
        "Ledger 1 (one): more is not known.",
        "Ledger 2 (two): kind must be one of rfc3161, bsn-fabric, evm, own.",
        "Ledger 3 (without a name): name is missing.",
        "Ledger 3 (without a name): required must be true or false.",
        "Ledger 5 (file): the name file is the embedded ledger's.",
        "Two ledgers have the name one.",
        "Ledger 6 (one): secrets/far.key can't be read.",
    ):
        assert said.count(sentence) == 1, said
    assert any(sentence.startswith("Ledger 4 (a name): The name must be") for sentence in said)


def test_a_missing_package_is_a_fault_that_says_what_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In every process; nothing is half there."""
    monkeypatch.setitem(registry.ADAPTERS, "own", ("no_such_package.ledger", "pip install 'x[y]'"))
    file = written(tmp_path, '[[ledgers]]\nname = "one"\nkind = "own"\n')
    assert faults_of(file) == [
        "Ledger 1 (one): kind own needs the package no_such_package: pip install 'x[y]'"
    ]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("ledgers = 7", "ledgers must be tables"),
        ("[ledgers]\nname = 'x'", "ledgers must be tables"),
        ("ledgers = ['x']", "Ledger 1 (without a name): it is not a table."),
        ("[[ledgers]", "is not TOML"),
        ('[[ledgers]]\nname = "\\u001b[31m"\nkind = "own"', "Ledger 1 (without a name)"),
        ("[[ledgers]]\n" * (MAX_LEDGERS + 1), f"more than {MAX_LEDGERS} ledgers"),
    ],
)
def test_a_file_of_another_shape_is_told(
    tmp_path: Path, kind: str, text: str, sentence: str
) -> None:
    """A sentence, never a traceback."""
    assert any(sentence in said for said in faults_of(written(tmp_path, text)))


def test_a_file_that_can_not_be_read_is_told(tmp_path: Path) -> None:
    """Missing, a folder, or no text."""
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    for name in ("missing.toml", ".", "bytes.toml"):
        assert "can't be read" in faults_of(tmp_path / name)[0]


def test_the_table_of_a_ledger_is_found_by_its_name(tmp_path: Path) -> None:
    """For commands that need what stands in it."""
    text = '[[ledgers]]\nname = "one"\nkind = "evm"\n[[ledgers]]\nname = "two"\nkind = "evm"\n'
    faults: list[str] = []
    tables = read_tables(written(tmp_path, text), faults)
    assert [one.name for one in tables] == ["one", "two"]
    assert tables[1].folder == tmp_path
    assert faults == []
