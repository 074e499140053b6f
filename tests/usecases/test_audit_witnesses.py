# SPDX-License-Identifier: Apache-2.0
"""The audit of cosignatures: nobody puts one, or the word of a quorum, where there is none."""

from pathlib import Path

import pytest

from notary.core.note import KIND_COSIGNATURE, format_note, parse_note, parse_vkey, signature_line
from notary.usecases.cosignatures import keep_cosignature
from tests.core.signing import Signer
from tests.usecases.cosigned import TWO_OF_THREE, WITNESSES, W, adopt, cosign
from tests.usecases.world import World


@pytest.fixture
def cosigned(world: World, tmp_path: Path) -> World:
    """Two of three witnesses have cosigned, which is their quorum."""
    world.dataset("weather")
    world.add("weather", 5)
    world.settle()
    adopt(world, tmp_path, TWO_OF_THREE)
    cosign(world, 1, *W[:2])
    assert world.rows("SELECT met IS NOT NULL, witnessed_at FROM checkpoints") == [
        (True, world.now)
    ]
    report = world.audit()
    assert report.findings == ()
    return world


def note(world: World) -> str:
    """The note of the one checkpoint."""
    return str(world.checkpoints()[0][2])


def put(world: World, text: str) -> None:
    """Another note in its place."""
    world.change("UPDATE checkpoints SET note = %s", text)


def without(world: World, name: str) -> str:
    """The note without a witness's line."""
    parsed = parse_note(note(world))
    return format_note(parsed.text, [line for line in parsed.unverified if line.name != name])


def test_a_line_of_a_stranger_is_found(cosigned: World) -> None:
    """A witness that was never asked here."""
    stranger = Signer("x.example", KIND_COSIGNATURE, seed=50)
    put(cosigned, note(cosigned) + signature_line(stranger.sign(parse_note(note(cosigned)).text)))
    assert "nobody who is known" in str(cosigned.audit().findings)


def test_a_cosignature_that_doesnt_hold_is_found(cosigned: World) -> None:
    """One over another text."""
    line = signature_line(W[2].sign("another\n1\n"))
    put(cosigned, note(cosigned) + line)
    assert "checkpoint of size 1" in str(cosigned.audit().findings)


@pytest.mark.parametrize("names", [("w0.example",), ("w0.example", "w1.example")])
def test_a_quorum_that_is_only_said_is_found(cosigned: World, names: tuple[str, ...]) -> None:
    """A line, or all, taken away afterwards."""
    for name in names:
        put(cosigned, without(cosigned, name))
    assert "a quorum of witnesses that it hasn't" in str(cosigned.audit().findings)


def test_another_policy_in_its_place_is_found(cosigned: World) -> None:
    """One that asks for less, under the same fingerprint."""
    cosigned.change("UPDATE witness_policies SET policy = %s", f"{WITNESSES}quorum none\n".encode())
    assert "not the one of its fingerprint" in str(cosigned.audit().findings)


def test_a_damaged_policy_is_found(cosigned: World) -> None:
    """It is no policy."""
    cosigned.change("UPDATE witness_policies SET policy = 'x'")
    assert "a policy about witnesses" in str(cosigned.audit().findings)


def test_the_first_cosignature_of_a_witness_stays(cosigned: World) -> None:
    """A later one of the same witness doesn't make it look younger or older."""
    before = note(cosigned)
    later = W[0].sign(parse_note(before).text, int(cosigned.now.timestamp()) + 5)
    keep_cosignature(cosigned.pool, 1, parse_vkey(W[0].verifier.vkey), later, cosigned.now)
    assert note(cosigned) == before
