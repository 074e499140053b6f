# SPDX-License-Identifier: Apache-2.0
"""The high-water mark outside the database only rises, and never forks."""

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from notary.usecases.marks import Incarnation, Mark, MarkFile, StateRefused

LIFE = Incarnation("7", 8, 9, 1000)
VKEY = "notary.example/log+11223344+AQ=="
MARK = Mark("notary.example/log", VKEY, 5, "ab" * 32, LIFE)


@pytest.fixture
def marks(tmp_path: Path) -> MarkFile:
    """A mark of size 5."""
    file = MarkFile(tmp_path / "mark.json")
    file.raise_to(MARK)
    return file


def test_a_mark_is_read_back_as_written(marks: MarkFile) -> None:
    """What was raised to is what the next process reads."""
    assert MarkFile(marks.path).read() == MARK


def test_no_file_is_no_mark(tmp_path: Path) -> None:
    """A missing file isn't a mark of size 0: the gate must tell them apart."""
    assert MarkFile(tmp_path / "mark.json").read() is None


def test_a_mark_is_nobody_elses_business(marks: MarkFile) -> None:
    """The file may be read and written by its owner alone."""
    assert stat.S_IMODE(marks.path.stat().st_mode) == 0o600


def test_a_mark_is_never_lowered(marks: MarkFile) -> None:
    """A slower process that comes with a smaller size changes nothing."""
    marks.raise_to(replace(MARK, size=4, root="cd" * 32))
    assert marks.read() == MARK


def test_a_mark_rises(marks: MarkFile) -> None:
    """A larger size takes its place."""
    larger = replace(MARK, size=6, root="cd" * 32)
    marks.raise_to(larger)
    assert marks.read() == larger


def test_the_same_size_takes_on_the_newer_position(marks: MarkFile) -> None:
    """Written again for the same checkpoint, the mark keeps the later place in the WAL."""
    later = replace(MARK, incarnation=replace(LIFE, written=2000))
    marks.raise_to(later)
    assert marks.read() == later


def test_the_same_size_keeps_the_newer_position(marks: MarkFile) -> None:
    """A process that read the position earlier and comes later doesn't turn it back."""
    marks.raise_to(replace(MARK, incarnation=replace(LIFE, written=999)))
    assert marks.read() == MARK


def test_a_second_root_for_a_size_is_refused(marks: MarkFile) -> None:
    """Two roots for one size would be a fork; the mark stays."""
    with pytest.raises(StateRefused) as refused:
        marks.raise_to(replace(MARK, root="cd" * 32))
    assert refused.value.facts["reason"] == "fork"
    assert marks.read() == MARK


def test_another_logs_checkpoint_is_refused(marks: MarkFile) -> None:
    """The mark of one log can't be raised by another."""
    with pytest.raises(StateRefused) as refused:
        marks.raise_to(replace(MARK, origin="other.example/log", size=9))
    assert refused.value.facts["reason"] == "other-log"
    assert marks.read() == MARK


def test_another_key_is_refused(marks: MarkFile) -> None:
    """The mark of a log can't be raised under another key of the same name."""
    with pytest.raises(StateRefused) as refused:
        marks.raise_to(replace(MARK, vkey="notary.example/log+00000000+AQ==", size=9))
    assert refused.value.facts["reason"] == "other-key"
    assert marks.read() == MARK


@pytest.mark.parametrize(
    "text",
    [
        *("", "{}", "[]", "null", "7", '"mark/1"', '{"v": "mark/1"'),
        '{"origin": "x", "size": 1, "root": "00"}',
        '{"origin": "x", "size": 1, "root": "00", "incarnation": {"system": "7"}}',
        '{"origin": "x", "size": 1, "root": "00", "incarnation": 7}',
    ],
)
def test_a_broken_mark_is_refused_not_overlooked(marks: MarkFile, text: str) -> None:
    """A file that can't be read as a mark stops the service; it isn't 'no mark'."""
    marks.path.write_text(text)
    with pytest.raises(StateRefused) as refused:
        marks.read()
    assert refused.value.facts["reason"] == "mark-broken"
    with pytest.raises(StateRefused):
        marks.raise_to(MARK)


@pytest.mark.parametrize("kept", range(1, 200, 13))
def test_a_mark_cut_off_anywhere_is_refused(marks: MarkFile, kept: int) -> None:
    """No beginning of a mark passes for a mark."""
    marks.path.write_text(marks.path.read_text()[:kept])
    with pytest.raises(StateRefused):
        marks.read()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"size": 5', '"size": -5'),
        ('"size": 5', '"size": 5.0'),
        ('"size": 5', '"size": true'),
        ('"size": 5', '"size": "5"'),
        ("ab" * 32, "ab" * 31),
        ("ab" * 32, "AB" * 32),
        ("ab" * 32, "zz" * 32),
        ("ab" * 32, ""),
    ],
)
def test_a_mark_with_a_wrong_member_is_refused(marks: MarkFile, old: str, new: str) -> None:
    """Size and root are read strictly, so that no later comparison fails by accident."""
    marks.path.write_text(marks.path.read_text().replace(old, new))
    with pytest.raises(StateRefused) as refused:
        marks.read()
    assert refused.value.facts["reason"] == "mark-broken"


def test_what_a_crash_left_beside_the_mark_does_no_harm(marks: MarkFile) -> None:
    """A half-written new file of a process that was killed is simply overwritten."""
    marks.path.with_name("mark.json.new").write_text("{")
    assert marks.read() == MARK
    marks.raise_to(replace(MARK, size=6))
    assert marks.read() == replace(MARK, size=6)


def test_many_at_once_leave_the_largest(marks: MarkFile) -> None:
    """Whatever the order in which processes come, the largest size stays."""

    def lift(size: int) -> None:
        MarkFile(marks.path).raise_to(replace(MARK, size=size, root=f"{size:064x}"))

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lift, [6, 90, 7, 30, 8, 89, 9, 40, 10, 50, 11, 60]))
    found = marks.read()
    assert found is not None
    assert (found.size, found.root) == (90, f"{90:064x}")


def test_a_mark_that_cannot_be_written_is_an_error_not_a_shrug(marks: MarkFile) -> None:
    """Where the folder is gone, raising fails: signing must not go on."""
    os.rename(marks.path.parent, marks.path.parent.with_name("elsewhere"))
    with pytest.raises(OSError):  # noqa: PT011
        marks.raise_to(replace(MARK, size=6))
