# SPDX-License-Identifier: Apache-2.0
"""Where a server's files lie, and that no folder is opened for them."""

import os
import shutil
from pathlib import Path

import pytest

from notary.local import place
from notary.local.errors import FolderInUse, LocalError, PortTaken
from notary.local.place import Account, home_of, reachable_copy
from notary.local.ports import free_port, is_free, require_free
from tests.local.support import listener

NOBODY = Account(65534, 65534)


@pytest.fixture(autouse=True)
def outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An outside of each test's own."""
    monkeypatch.setenv("NOTARY_OUTSIDE", str(tmp_path / "outside"))
    return tmp_path / "outside"


@pytest.fixture
def closed(tmp_path: Path) -> Path:
    """A folder in a home that its owner alone can enter."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    return home / "var" / "postgres"


def test_ourselves_we_stay_in_the_folder(closed: Path) -> None:
    """A plain user's servers run as that user: nothing lies anywhere else."""
    assert home_of(closed, None) == closed
    assert closed.stat().st_mode & 0o077 == 0


def test_what_another_user_can_not_reach_lies_outside(closed: Path, outside: Path) -> None:
    """And the closed home stays closed."""
    home = home_of(closed, NOBODY)
    assert home.parent == outside
    assert home_of(closed, NOBODY) == home
    assert closed.parent.parent.stat().st_mode & 0o777 == 0o700


def test_two_folders_have_two_homes(closed: Path) -> None:
    """One server's files never get into another's."""
    assert home_of(closed, NOBODY) != home_of(closed.with_name("broker"), NOBODY)


def test_a_moved_folder_keeps_its_files(closed: Path) -> None:
    """Who renames the checkout finds all records again."""
    home = home_of(closed, NOBODY)
    moved = closed.parent.with_name("moved")
    closed.parent.rename(moved)
    assert home_of(moved / "postgres", NOBODY) == home


def test_a_copied_folder_does_not_get_the_files_of_the_first(closed: Path) -> None:
    """Two servers on one data folder would destroy it."""
    home_of(closed, NOBODY)
    copy = closed.with_name("copy")
    shutil.copytree(closed, copy)
    with pytest.raises(FolderInUse, match=r"is a copy of .*postgres"):
        home_of(copy, NOBODY)


def test_a_removed_folder_leaves_nothing(closed: Path, outside: Path) -> None:
    """The next one of that name begins empty."""
    first = home_of(closed, NOBODY)
    (first / "data").mkdir()
    shutil.rmtree(closed)
    second = home_of(closed, NOBODY)
    assert list(outside.iterdir()) == [second]
    assert not (second / "data").exists()


def test_programs_that_can_not_be_reached_are_copied_for_all(closed: Path) -> None:
    """Files of a strict umask are readable in the copy; the original is untouched."""
    closed.mkdir(parents=True)
    (closed / "postgres").write_text("#!/bin/sh\n")
    (closed / "postgres").chmod(0o700)
    copy = reachable_copy({"a/bin": closed}, "made-1", NOBODY)
    assert copy is not None
    assert (copy / "a/bin/postgres").stat().st_mode & 0o777 == 0o755
    assert (closed / "postgres").stat().st_mode & 0o777 == 0o700
    assert reachable_copy({"a/bin": closed}, "made-1", NOBODY) == copy
    assert [path.name for path in copy.parent.iterdir()] == ["made-1"]


def test_a_user_without_a_name_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """initdb would fail with a sentence that nobody understands."""
    monkeypatch.setattr(os, "geteuid", lambda: 54321)
    with pytest.raises(LocalError, match=r"54321.*useradd"):
        place.servant()


def test_a_port_is_not_free_where_somebody_listens() -> None:
    """On loopback or on all addresses, and the error says port, part and setting."""
    with listener() as port:
        assert not is_free(port)
        with pytest.raises(PortTaken, match=rf"{port}.*the broker.*NOTARY_MQTT_PORT="):
            require_free(port, "the broker", "NOTARY_MQTT_PORT")


def test_free_ports_are_below_those_of_outgoing_connections() -> None:
    """Else any connection could take the port between two starts."""
    assert all(20000 <= free_port() < 32000 for _ in range(20))
