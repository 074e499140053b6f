# SPDX-License-Identifier: Apache-2.0
"""A time-stamping authority as a ledger: a real one by openssl, and its settings."""

import base64
import inspect
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from notary.core.errors import NotaryError
from notary.evidence.rfc3161_token import parse_token
from notary.ledgers.port import Ledger, LedgerUnavailable
from notary.ledgers.registry import load_ledgers
from notary.ledgers.rfc3161 import open_ledger
from notary.ledgers.table import Table
from tests.ledgers.contract import NOW, LedgerContract, around, checkpoint
from tests.tsa.authority import Authority
from tests.tsa.certificates import root, rsa_key
from tests.tsa.city import city
from tests.tsa.forger import POLICY
from tests.tsa.standing import address, authority

__all__ = ["address", "authority"]


def table(
    url: str, root_file: Path | str, faults: list[str] | None = None, **keys: object
) -> Table:
    """A `[[ledgers]]` table for an authority."""
    members = {
        "name": "city-tsa",
        "kind": "rfc3161",
        "url": url,
        "root_file": str(root_file),
        **keys,
    }
    return Table("Ledger 1", members, Path("/"), [] if faults is None else faults)


def opened(url: str, root_file: Path, **keys: object) -> Ledger:
    """The ledger of that table."""
    made = table(url, root_file, **keys)
    ledger = open_ledger(made, around())
    assert ledger is not None, made.faults
    return ledger


# -- a real authority


@pytest.mark.needs("openssl")
class TestContract(LedgerContract):
    """An authority by openssl keeps the promises of the port, but for what needs a memory."""

    remembers = False

    @pytest.fixture
    def ledger(self, authority: Authority, address: str) -> Ledger:
        """It holds nothing, ever."""
        return opened(address, authority.root_file)

    @pytest.fixture
    def reopened(self, authority: Authority, address: str) -> Callable[[], Ledger]:
        """Another process's."""
        return lambda: opened(address, authority.root_file)


@pytest.mark.needs("openssl")
def test_another_root_for_a_size_gets_a_token_of_its_own(
    authority: Authority, address: str
) -> None:
    """
    An authority can't refuse a fork: it keeps nothing. Both tokens would be proofs of it.

    What keeps it from happening is the notary's database, which holds one root for a size.
    """
    ledger = opened(address, authority.root_file)
    ours, other = checkpoint(3), checkpoint(3, "other.example/log")
    one, two = ledger.submit(ours, None, NOW), ledger.submit(other, None, NOW)
    assert ledger.confirm(ours, one) == ledger.confirm(other, two) == "verified"
    assert ledger.confirm(ours, two) == ledger.confirm(other, one) == "unknown"


@pytest.mark.needs("openssl")
def test_a_token_that_is_held_is_not_asked_for_again(authority: Authority, address: str) -> None:
    """The reference is enough."""
    ledger = opened(address, authority.root_file)
    reference = ledger.submit(checkpoint(3), None, NOW)
    before = len(authority.stamped)
    assert ledger.submit(checkpoint(3), reference, NOW) == reference
    assert len(authority.stamped) == before


@pytest.mark.needs("openssl")
def test_the_first_policy_is_asked_for(authority: Authority, address: str) -> None:
    """One that the authority has beside its own; others count too, for older tokens."""
    ledger = opened(address, authority.root_file, policies=[f"{POLICY}.1", POLICY])
    reference = ledger.submit(checkpoint(3), None, NOW)
    assert parse_token(base64.b64decode(reference)).stated.policy == f"{POLICY}.1"
    older = opened(address, authority.root_file).submit(checkpoint(3), None, NOW)
    assert ledger.confirm(checkpoint(3), older) == "verified"
    assert ledger.trust()["policies"] == [f"{POLICY}.1", POLICY]


@pytest.mark.needs("openssl")
def test_a_policy_that_it_doesnt_have_is_told(authority: Authority, address: str) -> None:
    """By the name of the failure, with what to do."""
    ledger = opened(address, authority.root_file, policies=["1.2.3.4"])
    with pytest.raises(LedgerUnavailable, match=r"rejected.*unacceptedPolicy: set other policies"):
        ledger.submit(checkpoint(3), None, NOW)


@pytest.mark.needs("openssl")
def test_a_look_says_whose_clock_it_is(authority: Authority, address: str) -> None:
    """And nothing of the log is stamped."""
    before = len(authority.stamped)
    found = opened(address, authority.root_file).probe()
    assert found["authority"] == "CN=City TSA,O=City of Example"
    assert (found["policy"], found["accuracy"]) == (POLICY, "1.500000")
    assert len(authority.stamped) == before + 1


@pytest.mark.needs("openssl")
def test_other_roots_take_no_token(authority: Authority, address: str, tmp_path: Path) -> None:
    """Not even those of the same name; what was verified with the old roots isn't any more."""
    (tmp_path / "root.pem").write_bytes(root("City TSA Root").pem)
    ledger = opened(address, tmp_path / "root.pem")
    with pytest.raises(LedgerUnavailable, match="does not lead to a root"):
        ledger.submit(checkpoint(3), None, NOW)
    reference = opened(address, authority.root_file).submit(checkpoint(3), None, NOW)
    assert ledger.confirm(checkpoint(3), reference) == "unknown"


# -- settings


def certificates(tmp_path: Path) -> Path:
    """A good file of an operator: root and what is below it, as PEM."""
    path = tmp_path / "chain.pem"
    path.write_bytes(b"The chain\n" + city().root.pem + city().issuing.pem)
    return path


def test_a_file_may_hold_the_whole_chain(tmp_path: Path) -> None:
    """What signs itself is trusted; the rest only leads there."""
    trusted = opened("https://tsa.example", certificates(tmp_path)).trust()
    assert {name: len(trusted[name]) for name in trusted} == {"roots": 1, "intermediates": 1}  # type: ignore[arg-type]


def test_a_root_may_be_der(tmp_path: Path) -> None:
    """As many authorities hand theirs out."""
    (tmp_path / "root.der").write_bytes(city().root.certificate.public_bytes(Encoding.DER))
    assert list(opened("https://tsa.example", tmp_path / "root.der").trust()) == ["roots"]


PAGE = (Path(__file__).parents[2] / "docs/ledgers-rfc3161.md").read_text(encoding="utf-8")


def test_the_example_of_the_page_can_be_used(tmp_path: Path) -> None:
    """As it stands there, by the notary's own way of reading it."""
    (example,) = re.findall(r"^```toml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    (tmp_path / "notary.toml").write_text(example)
    (tmp_path / "tsa").mkdir()
    (tmp_path / "tsa/roots.pem").write_bytes(city().root.pem)
    (ledger,) = load_ledgers(tmp_path / "notary.toml", around())
    assert (ledger.name, ledger.kind, ledger.required) == ("city-tsa", "rfc3161", False)
    assert ledger.interval == timedelta(hours=1)


def test_the_page_has_every_key() -> None:
    """None that isn't read, and none left out."""
    read = re.findall(r"table\.\w+\(\"(\w+)\"", inspect.getsource(open_ledger))
    assert read
    assert set(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)) == set(read)


FAULTS: dict[str, tuple[Callable[[Path], dict[str, object]], str]] = {
    "no such file": (lambda at: {"root_file": str(at / "none.pem")}, "can't be read: No such"),
    "a folder": (lambda at: {"root_file": str(at)}, "can't be read: Is a directory"),
    "a text": (lambda at: {"root_file": written(at, b"roots")}, "no certificates"),
    "PEM of nothing": (
        lambda at: {"root_file": written(at, b"-----BEGIN CERTIFICATE-----\n")},
        "no certificates",
    ),
    "no root": (lambda at: {"root_file": written(at, city().issuing.pem)}, "roots are needed"),
    "a root twice": (lambda at: {"root_file": written(at, city().root.pem * 2)}, "stands twice"),
    "a weak root": (
        lambda at: {"root_file": written(at, root("Weak", key=rsa_key(1024)).pem)},
        "too weak",
    ),
    "a policy that is none": (lambda _: {"policies": ["forty-two"]}, "no object identifier"),
    "an address with a password": (lambda _: {"url": "http://a:b@tsa.example"}, "by https or http"),
    "a key too many": (lambda _: {"hash": "sha1"}, "hash is not known"),
    "certificates of TLS that aren't there": (
        lambda at: {"tls_ca_file": str(at / "none.pem")},
        "none.pem",
    ),
}


def written(folder: Path, data: bytes) -> str:
    """A file of an operator."""
    (folder / "other.pem").write_bytes(data)
    return str(folder / "other.pem")


@pytest.mark.parametrize("what", FAULTS)
def test_a_fault_of_the_settings_is_a_sentence(tmp_path: Path, what: str) -> None:
    """Nothing is opened with half of what was meant."""
    keys, sentence = FAULTS[what]
    faults: list[str] = []
    members = {"url": "https://tsa.example", "root_file": certificates(tmp_path)}
    members |= keys(tmp_path)
    made = table(str(members.pop("url")), str(members.pop("root_file")), faults, **members)
    try:
        assert open_ledger(made, around()) is None
    except NotaryError as error:  # the registry makes a fault of it
        faults.append(error.detail)
    assert len(faults) == 1
    assert sentence in faults[0]
