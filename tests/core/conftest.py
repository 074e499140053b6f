# SPDX-License-Identifier: Apache-2.0
"""Keeps the core pure: a core test in whose course a file or socket is opened fails."""

import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import pytest

_ROOT = Path(__file__).parents[2]
_OURS = (str(_ROOT / "notary" / "core"), str(_ROOT / "tests" / "core"))
_OUTSIDE = ("<frozen importlib", "site-packages")
_watched: list[list[str]] = []


class OpenedSomethingError(AssertionError):
    """The core, or its test, reached out of the process."""


def _asked_by_us() -> bool:
    """
    Tell whether the nearest caller outside the standard library is the core or its test.

    Imports and the test tools (which keep files of their own) are nobody's fault.
    """
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        name = frame.f_code.co_filename
        if any(part in name for part in _OUTSIDE):
            return False
        if name.startswith(_OURS):
            return True
        frame = frame.f_back
    return False


def _hook(event: str, args: tuple[object, ...]) -> None:
    if _watched and (event == "open" or event.startswith("socket.")) and _asked_by_us():
        _watched[-1].append(event)
        raise OpenedSomethingError(event)


sys.addaudithook(_hook)


@pytest.fixture(autouse=True)
def opened() -> Iterator[list[str]]:
    """What was opened while this test ran; it fails unless the list is empty at its end."""
    events: list[str] = []
    _watched.append(events)
    try:
        yield events
    finally:
        _watched.remove(events)
    assert events == []
