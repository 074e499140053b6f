# SPDX-License-Identifier: Apache-2.0
"""The guard of this folder does catch what it is there for."""

import os
import socket
from pathlib import Path

import pytest


def test_a_core_test_that_opens_a_file_is_caught(opened: list[str]) -> None:
    """Opening a file raises at once and is remembered, so catching it would not help."""
    with pytest.raises(AssertionError, match="open"):
        open(os.devnull)  # noqa: SIM115
    with pytest.raises(AssertionError, match="open"):
        Path(os.devnull).read_bytes()
    assert opened == ["open", "open"]
    opened.clear()


def test_a_core_test_that_opens_a_socket_is_caught(opened: list[str]) -> None:
    """Making a socket is refused too."""
    with pytest.raises(AssertionError, match="socket"):
        socket.socket()
    assert opened == ["socket.__new__"]
    opened.clear()
