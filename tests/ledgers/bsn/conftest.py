# SPDX-License-Identifier: Apache-2.0
"""A channel with a gateway for each test; its organisations and keys are made once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bsn.files import make_network, write_files
from tests.bsn.gateway import MockGateway
from tests.bsn.wire import Key
from tests.fabric.network import Network
from tests.ledgers.bsn.place import Place, make_chain


@pytest.fixture(scope="session")
def network() -> Network:
    """The organisations of the channel."""
    return make_network()


@pytest.fixture(scope="session")
def keys() -> tuple[Key, Key]:
    """The app's access key, and the gateway's."""
    return Key.make(), Key.make()


@pytest.fixture(scope="session")
def server(network: Network, keys: tuple[Key, Key]) -> Iterator[MockGateway]:
    """One server for all tests."""
    running = MockGateway(make_chain(network), access=keys[0], key=keys[1])
    yield running
    running.close()


@pytest.fixture
def gateway(server: MockGateway, network: Network) -> Iterator[MockGateway]:
    """An honest gateway with an empty channel, which cuts a block for each transaction at once."""
    server.begin(make_chain(network))
    yield server
    server.chain.close()


@pytest.fixture
def slow(gateway: MockGateway) -> MockGateway:
    """A gateway whose channel cuts a block only when it is told to."""
    gateway.chain.delay_seconds = None
    return gateway


@pytest.fixture
def place(tmp_path: Path, gateway: MockGateway) -> Place:
    """The files that lead to it."""
    folder = tmp_path / "bsn"
    folder.mkdir()
    write_files(folder, gateway.chain.network, gateway.access, gateway.key)
    return Place(folder, gateway)
