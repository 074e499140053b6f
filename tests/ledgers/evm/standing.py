# SPDX-License-Identifier: Apache-2.0
"""A chain for all tests of a run, and for each test an account of its own."""

from pathlib import Path

import pytest

from notary.local.anvil import Anvil
from tests.ledgers.evm.on_anvil import Desk, Look


@pytest.fixture(scope="session")
def look(anvil: Anvil) -> Look:
    """The chain as tests see it, with a contract on it."""
    look = Look(anvil.url)
    look.deploy()
    return look


@pytest.fixture
def desk(look: Look, tmp_path: Path) -> Desk:
    """A new account on it; an anchor counts in the newest block."""
    return Desk.make(look, tmp_path)
