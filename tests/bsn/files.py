# SPDX-License-Identifier: Apache-2.0
"""The files by which a notary gets to know the mock gateway: what a city gets from BSN's portal."""

from datetime import UTC, datetime
from pathlib import Path

from tests.bsn.wire import Key
from tests.fabric.network import Network

USER_CODE, APP_CODE = "USER0001202611270900000000001", "app0001202611270900000000002"
CHANNEL, CHAINCODE = APP_CODE, f"cc_{APP_CODE}_01"
BORN = datetime(2026, 1, 1, tzinfo=UTC)


def make_network() -> Network:
    """The organisations of the channel; always the same."""
    return Network.make(channel=CHANNEL, chaincode=CHAINCODE, now=BORN)


def write_files(folder: Path, network: Network, access: Key, key: Key) -> None:
    """The access key, the gateway's public key, and each organisation's certificate."""
    path = folder / "access.pem"
    path.unlink(missing_ok=True)
    path.touch(0o600)
    path.write_bytes(access.private_pem)
    (folder / "gateway.pem").write_bytes(key.public_pem)
    for organisation in (*network.msps.values(), *network.orderers.values()):
        (folder / f"{organisation.id}.pem").write_bytes(organisation.ca_pem)


def make_table(network: Network, url: str, folder: Path | None = None) -> dict[str, object]:
    """The ledger's table of notary.toml; its files in `folder`, or beside it."""

    def file(name: str) -> str:
        return name if folder is None else str(folder / name)

    return {
        "name": "bsn",
        "kind": "bsn-fabric",
        "url": url,
        "user_code": USER_CODE,
        "app_code": APP_CODE,
        "channel": CHANNEL,
        "chaincode": CHAINCODE,
        "key_file": file("access.pem"),
        "gateway_key_file": file("gateway.pem"),
        "msps": [f"{name}={file(name)}.pem" for name in network.msps],
        "orderers": [f"{name}={file(name)}.pem" for name in network.orderers],
    }
