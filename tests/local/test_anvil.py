# SPDX-License-Identifier: Apache-2.0
"""The EVM chain of trials and tests: on loopback alone, one at a time in its folder, durable."""

import socket
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from notary.local import anvil as module
from notary.local.anvil import CHAIN_ID, Anvil, fetch_anvil
from notary.local.errors import FolderInUse, LocalError, PartMissing, PortTaken

pytestmark = pytest.mark.needs("anvil")

SOMEBODY = "0x" + "5b" * 20


def test_it_answers_on_loopback_alone(tmp_path: Path) -> None:
    """And for the chain that was asked for."""
    with Anvil.open(tmp_path) as chain:
        assert chain.ask("eth_chainId") == hex(CHAIN_ID)
        assert chain.url.startswith("http://127.0.0.1:")
        with socket.socket() as probe, pytest.raises(ConnectionError):
            probe.connect(("127.0.0.2", chain.port))
        with pytest.raises(LocalError):
            chain.ask("eth_nothing")
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(chain.url, b"{}", timeout=5)


def test_it_goes_on_with_what_was_there(tmp_path: Path) -> None:
    """Stopped in order, it knows its blocks and accounts the next time, on the same port."""
    with Anvil.open(tmp_path) as chain:
        chain.ask("anvil_setBalance", SOMEBODY, "0x1234")
        chain.ask("anvil_mine", "0x3")
        port = chain.port
    with Anvil.open(tmp_path) as chain:
        assert chain.port == port
        assert chain.ask("eth_blockNumber") == "0x3"
        assert chain.ask("eth_getBalance", SOMEBODY, "latest") == "0x1234"


def test_a_folder_has_one_chain(tmp_path: Path) -> None:
    """Two would write over each other's state."""
    with Anvil.open(tmp_path), pytest.raises(FolderInUse):
        Anvil.open(tmp_path)


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    """With what it was wanted for."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        with pytest.raises(PortTaken, match=f"{port}.*anvil"):
            Anvil.open(tmp_path, port)


def test_a_program_that_is_not_the_pinned_one_is_never_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other bytes in the archive's place: refused, and nothing is laid beside this Python."""
    monkeypatch.setattr(module.sys, "prefix", str(tmp_path / "python"))
    monkeypatch.setattr(module.platform, "system", lambda: "Linux")
    monkeypatch.setattr(module.platform, "machine", lambda: "x86_64")
    (tmp_path / "foundry-rs-anvil-linux-amd64-1.7.1.tgz").write_bytes(b"another")
    with pytest.raises(PartMissing, match="not the archive"):
        fetch_anvil(tmp_path)
    assert not (tmp_path / "python").exists()


def test_a_machine_for_which_there_is_none_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With what to do."""
    monkeypatch.setattr(module.platform, "machine", lambda: "s390x")
    with pytest.raises(PartMissing, match=r"s390x.*install Foundry"):
        fetch_anvil(tmp_path)
