# SPDX-License-Identifier: Apache-2.0
"""
Another program's word: openssl makes the tokens that are taken here, and `openssl ts -verify`
refuses those that are refused here, as far as it looks at the same.
"""

import subprocess
import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from notary.core.errors import ReceiptRefused
from notary.evidence.der import element, integer
from notary.ledgers.rfc3161.exchange import query, token_in
from tests.evidence.test_rfc3161 import ATTACKS
from tests.evidence.test_rfc3161_octets import flips
from tests.tsa.authority import Authority, openssl_says
from tests.tsa.certificates import FROM, TO, root, rsa_key
from tests.tsa.city import base64_of, city, good, judge, message
from tests.tsa.forger import STAMPED
from tests.tsa.tokens import HOLDS

pytestmark = pytest.mark.needs("openssl")

LAXER = frozenset(
    (
        # weak keys and hashes
        "a certificate signed with SHA-224",
        "a short RSA key",
        "an unusual curve",
        "below a weak key",
        "signed with SHA-1",
        # the imprint's hash: it takes whatever the token names
        "an imprint by MD5",
        "an imprint by SHA-1",
        "an imprint by SHA-512",
        # the way to the root
        "a way of eleven certificates",
        "below an authority for servers",
        # the forms of CMS
        "an attribute twice",
        "an unknown algorithm",
        "another version of CMS",
        "another version of the signer",
        "attributes that aren't signed",
        "no content type",
        "not called a time stamp",
        "the algorithm of another digest",
        "the algorithm of another key",
        "two digest algorithms",
        "two values of an attribute",
        # the forms of TSTInfo
        "a critical extension",
        "a day that isn't there",
        "a fraction with a last zero",
        "a negative accuracy",
        "a time with an offset",
        "a time without seconds",
        "an accuracy of a thousand milliseconds",
        "an accuracy of a thousand years",
        "false written out",
    )
)
"""Attacks at which `openssl ts -verify` does not look."""

OTHER_TIMES = {
    "stamped before its root": FROM - timedelta(seconds=1),
    "stamped after its root": TO + timedelta(seconds=1),
}
"""It is told the time of the stamp; it does not read it from the token."""


def says(token: bytes, folder: Path, of: bytes | None = None, at: datetime = STAMPED) -> bool:
    """What openssl says of a token of the tests' city."""
    return openssl_says(token, of or message(), city().root, folder, int(at.timestamp()))


@pytest.mark.parametrize("key", ["ec", "rsa"])
@pytest.mark.parametrize("chain", [True, False], ids=["ids-of-the-chain", "id-of-the-signer"])
def test_a_token_of_openssl_holds(tmp_path: Path, key: str, chain: bool) -> None:
    """With its name, its accuracy and the whole chain, and now."""
    authority = Authority.make(
        tmp_path / "tsa", key=rsa_key() if key == "rsa" else None, chain=chain
    )
    before = int(time.time())
    token = token_in(authority.reply(query(message(), 2**63 + 1, None)), "openssl")
    found = judge(token, members={"roots": base64_of(authority.root)})
    assert found.facts["who"] == "CN=City TSA,O=City of Example"
    assert found.facts["accuracy"] == "1.500000"
    assert str(found.facts["time"]) >= time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(before))
    now = int(time.time())
    assert openssl_says(token, message(), authority.root, tmp_path, now)


def test_a_flipped_bit_of_openssls_token_is_refused(tmp_path: Path, long: bool) -> None:
    """Anywhere; the ids of the whole chain and the name are in it."""
    authority = Authority.make(tmp_path / "tsa", key=rsa_key())
    token = token_in(authority.reply(query(message(), 2**63 + 1, None)), "openssl")
    members = {"roots": base64_of(authority.root)}
    for at, bit in flips(token, 1 if long else 17):
        changed = bytearray(token)
        changed[at] ^= bit
        with pytest.raises(ReceiptRefused):
            judge(bytes(changed), members=members)


@pytest.mark.parametrize("what", HOLDS)
def test_what_holds_here_holds_there(tmp_path: Path, what: str) -> None:
    """The forger's honest tokens are tokens."""
    assert says(HOLDS[what](), tmp_path)


@pytest.mark.parametrize("what", sorted(ATTACKS.keys() - LAXER))
def test_what_is_refused_here_is_refused_there(tmp_path: Path, what: str) -> None:
    """By a program that shares no line with ours."""
    assert not says(ATTACKS[what][0](), tmp_path, at=OTHER_TIMES.get(what, STAMPED))


@pytest.mark.parametrize("what", sorted(LAXER))
def test_where_openssl_is_laxer(tmp_path: Path, what: str) -> None:
    """So nobody believes that it looks there too."""
    assert says(ATTACKS[what][0](), tmp_path)


def test_another_checkpoints_token_is_refused_by_both(tmp_path: Path) -> None:
    """And the right one taken."""
    assert says(good(), tmp_path)
    assert not says(good(), tmp_path, message(size=8))


def test_another_root_of_the_same_name_is_refused_by_both(tmp_path: Path) -> None:
    """By its key."""
    at = int(STAMPED.timestamp())
    assert not openssl_says(good(), message(), root(), tmp_path, at)


def test_the_question_is_what_openssl_asks(tmp_path: Path) -> None:
    """Octet by octet, but for the nonce, which it draws by itself."""
    (tmp_path / "message").write_bytes(message())
    done = subprocess.run(
        ["openssl", "ts", "-query", "-data", "message", "-sha256", "-cert"],
        cwd=tmp_path, capture_output=True, check=True,
    )  # fmt: skip
    theirs = done.stdout
    ours = query(message(), 5, None)
    cut = ours.index(integer(5) + element(0x01, b"\xff"))
    assert theirs[2:cut] == ours[2:cut]
    assert theirs[-3:] == ours[-3:]
