# SPDX-License-Identifier: Apache-2.0
"""docs/for-gateways/signing.md: what its programs print holds, and its list can be imported."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from iot_ingest.senders.cose import read_cose
from iot_ingest.senders.evidence import Evidence, fault_of
from iot_ingest.senders.hmac_tag import read_hmac
from notary.usecases.device_keys import DeviceKey, parse_public_key
from notary.usecases.source_files import COLUMNS, parse_sources
from tests.usecases.world import BEGIN

PAGE = (Path(__file__).parents[2] / "docs/for-gateways/signing.md").read_text(encoding="utf-8")
PROGRAMS = dict(re.findall(r"^```python (\S+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
TOPIC, READING = "plant/pump-3/counter", b'{"seq":"17","count":"1204"}'


def printed(name: str, folder: Path) -> str:
    """What one of the page's programs prints."""
    (folder / name).write_text(PROGRAMS[name])
    return subprocess.run(
        [sys.executable, name], cwd=folder, capture_output=True, text=True, check=True
    ).stdout.strip()


def test_the_tag_of_the_page_holds(tmp_path: Path) -> None:
    """Under the secret that stands there, for that topic alone; and it is the one shown."""
    tag = printed("mac.py", tmp_path)
    assert PAGE.count(tag) == 2
    found = read_hmac(tag, "pump-3-a", None, TOPIC, READING)
    assert isinstance(found, Evidence)
    secret = bytes.fromhex("6d6f6c65206d6f6c65206d6f6c65206d6f6c6521")
    assert fault_of(found, DeviceKey("pump-3-a", "hmac-sha256", secret, BEGIN), BEGIN) is None


def test_the_cose_message_of_the_page_holds(tmp_path: Path) -> None:
    """Under a key made as the page makes it; it begins as shown."""
    for command in re.findall(r"^\$ (openssl genpkey .*)$", PAGE, re.MULTILINE):
        subprocess.run(["bash", "-c", command], cwd=tmp_path, check=True, capture_output=True)
    message = printed("cose.py", tmp_path)
    (shown,) = re.findall(r"^(d284\w+)…$", PAGE, re.MULTILINE)
    assert message.startswith(shown)
    signed = read_cose(bytes.fromhex(message), TOPIC)
    assert signed is not None
    assert signed.payload == READING
    assert isinstance(signed.evidence, Evidence)
    public = parse_public_key("ed25519", (tmp_path / "device.pub").read_text())
    key = DeviceKey("mole-1", "ed25519", public, BEGIN)
    assert fault_of(signed.evidence, key, BEGIN) is None


def test_the_list_of_the_page_is_one() -> None:
    """With every column."""
    (text,) = re.findall(r"^```csv\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert text.splitlines()[0].split(",") == list(COLUMNS)
    found = parse_sources(text.encode())
    assert [(one.label, len(one.keys)) for one in found] == [
        ("mole", 1), ("pump-3", 1), ("pump-4", 0)
    ]  # fmt: skip


@pytest.mark.parametrize("word", ["unsigned", "bad-signature", "unknown-source", "revoked-source"])
def test_every_reason_stands_on_the_page(word: str) -> None:
    """As quarantine says it."""
    assert f"`{word}`" in PAGE
