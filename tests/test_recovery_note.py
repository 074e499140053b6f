# SPDX-License-Identifier: Apache-2.0
"""`notary verify` of what a notary says after its database was set back."""

from pathlib import Path

import pytest

from notary.core.recovery import Recovery
from notary.verifier.command import main
from tests.core.maker import LOG, OTHER_LOG
from tests.core.test_recovery import CLOSED, GIVEN_UP, WHOLE, log_item, signed, trusted

LOST = "2 were kept"


def verify(folder: Path, note: str, trust: str, *more: str) -> int:
    """Give both files to the command."""
    (folder / "note").write_text(note, encoding="utf-8")
    (folder / "trust.json").write_text(trust, encoding="utf-8")
    return main([str(folder / "note"), "--trust", str(folder / "trust.json"), *more])


@pytest.mark.parametrize(
    ("said", "outcome"), [(WHOLE, "their records are lost"), (CLOSED, "It closed this log")]
)
def test_what_was_lost_is_told_as_the_notarys_own_word(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], said: Recovery, outcome: str
) -> None:
    """With a mark of its own, and never as proved."""
    assert verify(tmp_path, signed(said), trusted(), "--lang", "en") == 0
    out = capsys.readouterr().out
    assert LOST in out
    assert outcome in out
    assert "[!]" in out
    assert "[x]" not in out


def test_it_is_told_in_chinese(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same, in the other language."""
    assert verify(tmp_path, signed(), trusted(), "--lang", "zh") == 0
    assert "记录已丢失" in capsys.readouterr().out


REFUSED = {
    "a stranger's": (signed(WHOLE, OTHER_LOG), trusted()),
    "a changed one": (signed().replace("\n3\n", "\n2\n"), trusted()),
    "a cut one": (signed()[:60], trusted()),
    "of a key that was given up": (
        signed(),
        trusted(logs=[log_item(LOG, **GIVEN_UP), log_item(OTHER_LOG, 2)]),
    ),
}


@pytest.mark.parametrize(("note", "trust"), REFUSED.values(), ids=REFUSED)
def test_a_false_note_is_refused_with_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], note: str, trust: str
) -> None:
    """And says nothing of any loss."""
    assert verify(tmp_path, note, trust, "--lang", "en") == 1
    assert LOST not in capsys.readouterr().out


def test_beside_it_nothing_is_remembered(tmp_path: Path) -> None:
    """It is no receipt whose log could be held against an older checkpoint."""
    assert verify(tmp_path, signed(), trusted(), "--since", "any") == 2
