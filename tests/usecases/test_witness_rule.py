# SPDX-License-Identifier: Apache-2.0
"""The rule about witnesses: which policies a sealer works by, and what the trust file can say."""

from pathlib import Path

import pytest

from notary.core.errors import MalformedPolicy
from notary.core.note import KIND_COSIGNATURE
from notary.core.trust import parse_trust
from notary.usecases.witness_rule import PolicyNotFlat, WitnessRule, adopt_rule, load_rule
from tests.core.signing import Signer
from tests.usecases.world import World

LOG = Signer("city.example/log").verifier
W = [Signer(f"w{i}.example", KIND_COSIGNATURE, seed=10 + i).verifier.vkey for i in range(4)]
OWN = Signer("w.example", KIND_COSIGNATURE, seed=1).verifier
"""The log's own key, as a witness's."""
URL = "https://w.example"


def rule(folder: Path, text: str, *, fails_open: bool = False, own: bool = True) -> WitnessRule:
    """As the sealer reads it."""
    path = folder / "policy"
    path.write_text(text)
    return load_rule(path, fails_open=fails_open, log_keys=[LOG] if own else None)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no quorum"),
        (f"witness a {W[0]}\nquorum a\n", "a has no URL"),
        (f"witness a {W[0]} http://w.example\nquorum a\n", "must be asked by https"),
        (f"witness a {W[0]} http://127.0.0.1.example\nquorum a\n", "must be asked by https"),
        (f"witness a {W[0]} ftp://w.example\nquorum a\n", "must be asked by https"),
        (f"witness a {W[0]} https://me:secret@w.example\nquorum a\n", "must be asked by https"),
        (f"witness a {W[0]} https://w.example/?q\nquorum a\n", "must be asked by https"),
        (f"witness a {W[0]} w.example\nquorum a\n", "must be asked by https"),
        (f"witness \u00e9 {W[0]}\nquorum none\n", "has no URL"),
        (f"witness a {OWN.vkey} {URL}\nquorum a\n", "the log's own key"),
        (f"log {Signer('x.example/log', seed=3).verifier.vkey}\nwitness a {W[0]} {URL}\nquorum a\n",
         "none of its log lines"),
    ],
)  # fmt: skip
def test_a_policy_by_which_nobody_can_work_is_refused(tmp_path: Path, text: str, says: str) -> None:
    """With the file's name and a sentence."""
    with pytest.raises(MalformedPolicy, match=says) as refused:
        rule(tmp_path, text)
    assert str(tmp_path / "policy") in refused.value.detail


def test_a_policy_that_cant_be_read_is_refused(tmp_path: Path) -> None:
    """Missing, or a folder."""
    for path in (tmp_path / "nothing", tmp_path):
        with pytest.raises(MalformedPolicy, match="can't be read"):
            load_rule(path, fails_open=False)


def test_a_name_that_isnt_text_can_be_told(tmp_path: Path) -> None:
    """Names are octets; the sentence about them can be printed everywhere."""
    path = tmp_path / "policy"
    path.write_bytes(b"witness \xff " + W[0].encode() + b"\nquorum none\n")
    with pytest.raises(MalformedPolicy) as refused:
        load_rule(path, fails_open=False)
    refused.value.detail.encode()


@pytest.mark.parametrize(
    "url", [URL, "https://w.example:8443/a/b/", "http://127.0.0.1:8461", "http://[::1]:1"]
)
def test_witnesses_are_asked_by_https_or_on_this_machine(tmp_path: Path, url: str) -> None:
    """With a path and a port, too."""
    found = rule(tmp_path, f"log {LOG.vkey}\nwitness a {W[0]} {url}\nquorum a\n")
    assert found.policy.witnesses[0].url == url
    assert not found.fails_open


def test_a_policy_that_asks_for_nothing_fails_open(tmp_path: Path) -> None:
    """Whatever the setting is: there is no quorum to wait for."""
    assert rule(tmp_path, f"witness a {W[0]} {URL}\nquorum none\n").fails_open


def adopted(world: World, folder: Path, text: str | None) -> None:
    """The sealer starts with this policy."""
    adopt_rule(world.pool, None if text is None else rule(folder, text, own=False), world.now)


FOUR = "".join(f"witness w{i} {vkey} {URL}/{i}\n" for i, vkey in enumerate(W))


def test_the_trust_file_names_witnesses_and_quorum(world: World, tmp_path: Path) -> None:
    """Those that count; none once there is no policy any more."""
    adopted(world, tmp_path, f"{FOUR}group g 2 w0 w1 w2\nquorum g\n")
    trust = parse_trust(world.parts.trust())
    assert ([one.vkey for one in trust.witnesses], trust.quorum) == (W[:3], 2)
    adopted(world, tmp_path, None)
    trust = parse_trust(world.parts.trust())
    assert (trust.witnesses, trust.quorum) == ((), 0)


def test_a_policy_of_groups_in_groups_has_no_trust_file(world: World, tmp_path: Path) -> None:
    """Rather none than one that demands less."""
    adopted(
        world, tmp_path, f"{FOUR}group g any w0 w1\ngroup h any w2 w3\ngroup i all g h\nquorum i\n"
    )
    with pytest.raises(PolicyNotFlat):
        world.parts.trust()


def test_policies_come_and_go_and_come_again(world: World, tmp_path: Path) -> None:
    """One is in force at most, and each that was is kept for the audit."""
    one, two = f"{FOUR}quorum w0\n", f"{FOUR}quorum w1\n"
    for text in (one, one, two, None, None, one):
        adopted(world, tmp_path, text)
        current = world.rows("SELECT policy FROM witness_policies WHERE is_current")
        assert [bytes(row[0]) for row in current] == ([] if text is None else [text.encode()])
    assert world.rows("SELECT count(*) FROM witness_policies") == [(2,)]
    assert world.audit().findings == ()
