# SPDX-License-Identifier: Apache-2.0
"""The rule about witnesses: which policies a sealer works by, and what the trust file can say."""

from pathlib import Path

import pytest

from notary.core.errors import MalformedPolicy
from notary.core.note import KIND_COSIGNATURE
from notary.core.trust import parse_trust
from notary.usecases.witness_rule import PolicyNotFlat, WitnessRule, load_rule
from tests.core.signing import Signer
from tests.usecases.cosigned import TWO_OF_THREE, WITNESSES, W, adopt
from tests.usecases.world import World

LOG = Signer("city.example/log").verifier
KEY = W[0].verifier.vkey
OWN = Signer("w.example", KIND_COSIGNATURE, seed=1).verifier
"""The log's own key, as a witness's."""
URL = "https://w.example"


def rule(folder: Path, text: str) -> WitnessRule:
    """As the sealer reads it."""
    path = folder / "policy"
    path.write_text(text)
    return load_rule(path, fails_open=False, log_keys=[LOG])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no quorum"),
        (f"witness a {KEY}\nquorum a\n", "a has no URL"),
        (f"witness a {KEY} http://w.example\nquorum a\n", "must be asked by https"),
        (f"witness a {KEY} http://127.0.0.1.example\nquorum a\n", "must be asked by https"),
        (f"witness a {KEY} ftp://w.example\nquorum a\n", "must be asked by https"),
        (f"witness a {KEY} https://me:secret@w.example\nquorum a\n", "must be asked by https"),
        (f"witness a {KEY} https://w.example/?q\nquorum a\n", "must be asked by https"),
        (f"witness a {KEY} w.example\nquorum a\n", "must be asked by https"),
        (f"witness \u00e9 {KEY}\nquorum none\n", "has no URL"),
        (f"witness a {OWN.vkey} {URL}\nquorum a\n", "the log's own key"),
        (f"log {Signer('x.example/log', seed=3).verifier.vkey}\nwitness a {KEY} {URL}\nquorum a\n",
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
    path.write_bytes(b"witness \xff " + KEY.encode() + b"\nquorum none\n")
    with pytest.raises(MalformedPolicy) as refused:
        load_rule(path, fails_open=False)
    refused.value.detail.encode()


@pytest.mark.parametrize(
    "url", [URL, "https://w.example:8443/a/b/", "http://127.0.0.1:8461", "http://[::1]:1"]
)
def test_witnesses_are_asked_by_https_or_on_this_machine(tmp_path: Path, url: str) -> None:
    """With a path and a port, too."""
    found = rule(tmp_path, f"log {LOG.vkey}\nwitness a {KEY} {url}\nquorum a\n")
    assert found.policy.witnesses[0].url == url
    assert not found.fails_open


def test_a_policy_that_asks_for_nothing_fails_open(tmp_path: Path) -> None:
    """Whatever the setting is: there is no quorum to wait for."""
    assert rule(tmp_path, f"witness a {KEY} {URL}\nquorum none\n").fails_open


def test_the_trust_file_names_witnesses_and_quorum(world: World, tmp_path: Path) -> None:
    """Those that count; none once there is no policy any more."""
    adopt(world, tmp_path, TWO_OF_THREE)
    trust = parse_trust(world.parts.trust())
    assert (list(trust.witnesses), trust.quorum) == ([one.verifier for one in W[:3]], 2)
    adopt(world, tmp_path, None)
    trust = parse_trust(world.parts.trust())
    assert (trust.witnesses, trust.quorum) == ((), 0)


def test_a_policy_of_groups_in_groups_has_no_trust_file(world: World, tmp_path: Path) -> None:
    """Rather none than one that demands less."""
    adopt(
        world,
        tmp_path,
        f"{WITNESSES}group g any w0 w1\ngroup h any w2 w3\ngroup i all g h\nquorum i\n",
    )
    with pytest.raises(PolicyNotFlat):
        world.parts.trust()


def test_policies_come_and_go_and_come_again(world: World, tmp_path: Path) -> None:
    """One is in force at most, and each that was is kept for the audit."""
    one, two = f"{WITNESSES}quorum w0\n", f"{WITNESSES}quorum w1\n"
    for text in (one, one, two, None, None, one):
        adopt(world, tmp_path, text)
        current = world.rows("SELECT policy FROM witness_policies WHERE is_current")
        assert [bytes(row[0]) for row in current] == ([] if text is None else [text.encode()])
    assert world.rows("SELECT count(*) FROM witness_policies") == [(2,)]
    assert world.audit().findings == ()
