# SPDX-License-Identifier: Apache-2.0
"""Witnesses without a server: keys in the test's hand, and what they cosign of a notary's log."""

from pathlib import Path

from notary.core.note import KIND_COSIGNATURE, parse_note
from notary.usecases.cosignatures import judge_newest, keep_cosignature
from notary.usecases.witness_rule import adopt_rule, load_rule
from tests.core.signing import Signer
from tests.usecases.world import World

W = [Signer(f"w{i}.example", KIND_COSIGNATURE, seed=10 + i) for i in range(4)]
WITNESSES = "".join(
    f"witness w{i} {one.verifier.vkey} https://w{i}.example\n" for i, one in enumerate(W)
)
TWO_OF_THREE = f"{WITNESSES}group g 2 w0 w1 w2\nquorum g\n"


def adopt(world: World, folder: Path, policy: str | None, *, fails_open: bool = False) -> None:
    """The sealer starts with this policy."""
    path, rule = folder / "policy", None
    if policy is not None:
        path.write_text(policy)
        rule = load_rule(path, fails_open=fails_open)
    adopt_rule(world.pool, rule, world.now)
    judge_newest(world.pool, world.now)


def cosign(world: World, size: int, *signers: Signer) -> None:
    """These witnesses have answered."""
    for signer in signers:
        note = str(world.rows("SELECT note FROM checkpoints WHERE size = %s", size)[0][0])
        line = signer.sign(parse_note(note).text, int(world.now.timestamp()))
        keep_cosignature(world.pool, size, signer.verifier, line, world.now)
