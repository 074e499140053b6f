# SPDX-License-Identifier: Apache-2.0
"""An EVM ledger's table in notary.toml: all faults at once, as sentences; keys stay secret."""

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from eth_account import Account as EthAccount

from notary.cli import main
from notary.config import SettingsRefused
from notary.keys import KeyRefused
from notary.ledgers.evm import open_ledger
from notary.ledgers.evm.account import load_account, make_account
from notary.ledgers.evm.deploy import deploy_from_table
from notary.ledgers.evm.ledger import EvmLedger
from notary.ledgers.port import LedgerUnavailable
from notary.ledgers.registry import load_ledgers
from tests.ledgers.contract import around, checkpoint
from tests.ledgers.evm.on_anvil import Desk, Look, anchor

KEY = "4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318"
OWNER = "0x2c7536e3605d9c16a7a3d7b1898e529396a65c23"
"""The address of that key, which every book about Ethereum has."""
CONTRACT = "0x" + "c0" * 20


@pytest.fixture
def at_hand(tmp_path: Path) -> Desk:
    """An account without any chain."""
    (tmp_path / "evm.key").write_text(KEY)
    (tmp_path / "evm.key").chmod(0o600)
    look = Look("http://127.0.0.1:1", CONTRACT)
    return Desk(look, EthAccount.from_key(bytes.fromhex(KEY)), tmp_path, look.url)


def faults(desk: Desk, *, writes: bool = True, **keys: object) -> list[str]:
    """The sentences about a table."""
    found: list[str] = []
    ledger = open_ledger(desk.table(found, **keys), around(writes=writes))
    assert (ledger is None) == bool(found)
    return found


def test_a_whole_table_has_no_fault(at_hand: Desk) -> None:
    """Opening it needs no network: nobody is at that address."""
    assert faults(at_hand) == []
    assert faults(at_hand, writes=False, key_file=None) == []


@pytest.mark.parametrize(
    ("keys", "word"),
    [
        ({"url": None}, "url is missing"),
        ({"url": "http://chain.example"}, "url must be an address by https"),
        ({"chain_id": None}, "chain_id is missing"),
        ({"chain_id": 0}, "chain_id must be a whole number"),
        ({"chain_id": "1"}, "chain_id must be a whole number"),
        ({"contract": None}, "contract is missing"),
        ({"contract": "0x1234"}, "contract must be an address"),
        ({"contract": "c0" * 20}, "contract must be an address"),
        ({"account": None}, "account is missing"),
        ({"account": "0x" + "zz" * 20}, "account must be an address"),
        ({"account": "0x" + "11" * 20}, f"holds the key of {OWNER}"),
        ({"key_file": None}, "key_file is missing"),
        ({"final": "soon"}, 'final must be "depth" or "finalized"'),
        ({"confirmations": 0}, "confirmations must be a whole number"),
        ({"patience_blocks": 0}, "patience_blocks must be a whole number"),
        ({"max_fee_gwei": 0}, "max_fee_gwei must be a whole number"),
        ({"from_block": -1}, "from_block must be a whole number"),
        ({"privat_key": KEY}, "privat_key is not known"),
    ],
)
def test_a_fault_is_a_sentence(at_hand: Desk, keys: dict[str, object], word: str) -> None:
    """It names the key, and no secret."""
    (sentence,) = faults(at_hand, **keys)
    assert word in sentence
    assert KEY not in sentence


def test_all_faults_are_told_at_once(at_hand: Desk) -> None:
    """Not one a try."""
    assert len(faults(at_hand, url=None, chain_id=0, contract="x", account="y", more=1)) == 5


@pytest.mark.parametrize(
    "text", ["", "x", KEY[:-1], KEY + "0", "{", "{}", '{"version":3}', "\N{SNOWMAN}", "0x", "[]"]
)
def test_a_file_that_holds_no_key_is_refused(at_hand: Desk, text: str) -> None:
    """With the file's name, and nothing of what is in it."""
    (at_hand.folder / "evm.key").write_text(text, encoding="utf-8")
    with pytest.raises(KeyRefused, match=r"evm\.key") as raised:
        at_hand.open()
    assert not text or len(text) < 3 or text not in str(raised.value)


def test_a_key_that_others_can_read_is_refused(at_hand: Desk) -> None:
    """Mode 0600, or nothing is signed."""
    (at_hand.folder / "evm.key").chmod(0o640)
    with pytest.raises(KeyRefused, match="chmod 600"):
        at_hand.open()


def test_a_keystore_is_opened_by_its_password(at_hand: Desk) -> None:
    """Both files belong to their owner alone; another password doesn't open it."""
    folder = at_hand.folder
    store = EthAccount.encrypt(KEY, "open sesame", kdf="pbkdf2", iterations=2)
    (folder / "evm.key").write_text(json.dumps(store))
    (folder / "evm.password").write_text("open sesame\n")
    (folder / "evm.password").chmod(0o600)
    account = load_account(folder / "evm.key", folder / "evm.password")
    assert "0x" + account.address.hex() == OWNER
    assert faults(at_hand, password_file="evm.password") == []
    with pytest.raises(KeyRefused):
        load_account(folder / "evm.key")
    (folder / "evm.password").write_text("open says me\n")
    with pytest.raises(KeyRefused) as raised:
        load_account(folder / "evm.key", folder / "evm.password")
    assert "sesame" not in str(raised.value)
    (folder / "evm.password").chmod(0o644)
    with pytest.raises(KeyRefused, match="chmod 600"):
        load_account(folder / "evm.key", folder / "evm.password")


def test_a_key_shows_nowhere(tmp_path: Path) -> None:
    """Neither in what prints an account nor in what prints the ledger; its file is closed."""
    account = make_account(tmp_path / "new.key")
    text = (tmp_path / "new.key").read_text().strip()
    assert text not in repr(account) + str(account) + repr(vars(account))
    assert (tmp_path / "new.key").stat().st_mode & 0o777 == 0o600
    assert load_account(tmp_path / "new.key").address == account.address
    with pytest.raises(KeyRefused, match="already"):
        make_account(tmp_path / "new.key")


def test_trust_waits_for_the_first_anchor(at_hand: Desk) -> None:
    """Before it nobody knows from which size append-only holds."""
    with pytest.raises(LedgerUnavailable):
        at_hand.open().trust()
    ledger: EvmLedger = replace(at_hand, around=around(first=17)).open()
    assert ledger.trust() == {
        "chain_id": 31337,
        "contract": CONTRACT,
        "sender": OWNER,
        "from_size": 17,
    }


def test_deploying_needs_all_but_the_contract(at_hand: Desk) -> None:
    """And says what is missing."""
    found: list[str] = []
    assert deploy_from_table(at_hand.table(found, contract=None, key_file=None)) is None
    assert len(found) == 1
    assert "key_file is missing" in found[0]


def test_deploying_tells_whose_key_it_is(at_hand: Desk) -> None:
    """A key that was just made tells nobody its account."""
    found: list[str] = []
    assert deploy_from_table(at_hand.table(found, contract=None, account=None)) is None
    (fault,) = found
    assert fault.endswith(f"key_file holds the key of {OWNER}, and account is missing.")


@pytest.mark.needs("anvil")
def test_what_is_deployed_can_be_anchored_on(desk: Desk) -> None:
    """The address and the block that it tells are the ones to write into notary.toml."""
    found: list[str] = []
    deployed = deploy_from_table(desk.table(found, contract=None))
    assert found == []
    assert deployed is not None
    contract, block = "0x" + deployed.contract.hex(), deployed.block
    assert desk.look.ask("eth_getCode", contract, hex(block)) != "0x"
    assert desk.look.ask("eth_getCode", contract, hex(block - 1)) == "0x"
    probed = desk.open(contract=contract, from_block=block).probe()
    assert (probed["contract"], probed["has_key"]) == (contract, True)


def test_signing_does_not_raise_the_limit_of_recursion(at_hand: Desk) -> None:
    """A package would, a hundredfold; then JSON that is nested deep enough ends the process."""
    script = """
import json, sys
from pathlib import Path
from notary.ledgers.evm.account import load_account
before = sys.getrecursionlimit()
load_account(Path(sys.argv[1])).sign({"chainId": 1, "nonce": 0, "gas": 1, "gasPrice": 1})
assert "py_ecc" in sys.modules
assert sys.getrecursionlimit() == before
try:
    json.loads("[" * 100_000)
except RecursionError:
    print("refused")
"""
    command = [sys.executable, "-c", script, str(at_hand.folder / "evm.key")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.stdout == "refused\n", done.stderr


@pytest.mark.needs("anvil")
def test_the_command_prints_the_lines_for_the_table(
    desk: Desk, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`notary anchors deploy LEDGER`: with them below its table the ledger can be anchored on."""
    config = desk.folder / "notary.toml"
    table = (
        '[[ledgers]]\nname = "chain"\nkind = "evm"\nkey_file = "evm.key"\nconfirmations = 1\n'
        f'url = "{desk.url}"\nchain_id = 31337\naccount = "{desk.account.address}"\n'
    )
    config.write_text(table)
    monkeypatch.setenv("NOTARY_CONFIG", str(config))
    monkeypatch.setenv("NOTARY_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    assert main(["anchors", "deploy", "chain"]) == 0
    printed = capsys.readouterr().out
    config.write_text(table + printed)
    (ledger,) = load_ledgers(config, around())
    assert "0x" + str(ledger.probe()["contract"])[2:] in printed
    assert isinstance(ledger, EvmLedger)
    anchor(ledger, checkpoint(3))


@pytest.mark.parametrize(
    ("names", "word"),
    [
        ([], "notary anchors deploy LEDGER"),
        (["a", "b"], "notary anchors deploy LEDGER"),
        (["nobody"], "no [[ledgers]] table of kind evm called nobody"),
        (["chain"], "chain_id is missing"),
    ],
)
def test_the_command_says_what_is_missing(
    at_hand: Desk,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    names: list[str],
    word: str,
) -> None:
    """One sentence, exit 2."""
    config = at_hand.folder / "notary.toml"
    config.write_text('[[ledgers]]\nname = "chain"\nkind = "evm"\n')
    monkeypatch.setenv("NOTARY_CONFIG", str(config))
    monkeypatch.setenv("NOTARY_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    assert main(["anchors", "deploy", *names]) == 2
    assert word in capsys.readouterr().err


PAGE = Path("docs/ledgers-evm.md").read_text(encoding="utf-8")


def test_every_key_is_documented_and_no_other() -> None:
    """In the order of the page; with the defaults that are the real ones."""
    source = Path("notary/ledgers/evm/settings.py").read_text(encoding="utf-8")
    read = set(re.findall(r'table(?:\.\w+\(|, )"(\w+)"', source))
    listed = dict(re.findall(r"^\| `([a-z_]+)` \| ([^|]+) \|", PAGE, re.MULTILINE))
    assert read == set(listed)
    defaults = re.findall(r'table\.\w+\("(\w+)", (\d+|"\w+")[,)]', source)
    assert dict(defaults) == {
        key: value.strip("`") for key, value in listed.items() if value.startswith("`")
    }


def test_the_documented_table_can_be_used(at_hand: Desk) -> None:
    """With its two files."""
    (example,) = re.findall(r"^```toml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    folder = at_hand.folder / "secrets"
    folder.mkdir()
    for name, text in (("gateway.key", "key of the gateway\n"), ("evm.key", KEY)):
        (folder / name).write_text(text)
        (folder / name).chmod(0o600)
    (at_hand.folder / "notary.toml").write_text(example)
    with pytest.raises(SettingsRefused, match=f"holds the key of {OWNER}"):
        load_ledgers(at_hand.folder / "notary.toml", around())
    (ledger,) = load_ledgers(at_hand.folder / "notary.toml", around(writes=False))
    assert (ledger.kind, ledger.required, ledger.name) == ("evm", False, "spartan")


@pytest.mark.parametrize("text", ["s3cr3t\ns3cr3t", "s3cr3t\x00", "s3cr3t\u00e9"])
def test_a_key_for_the_gateway_that_is_no_line_is_refused_and_not_said(
    at_hand: Desk, text: str
) -> None:
    """It would be refused at each request, and the library's error quotes it."""
    file = at_hand.folder / "api.key"
    file.write_text(text, encoding="latin-1")
    file.chmod(0o600)
    with pytest.raises(KeyRefused, match="one line") as caught:
        faults(at_hand, api_key_file=str(file))
    assert "s3cr3t" not in caught.value.detail
