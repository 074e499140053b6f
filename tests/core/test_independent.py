# SPDX-License-Identifier: Apache-2.0
"""An independent implementation (PyPI tlog-scales) and the core accept each other's work."""

import pytest
from cryptography.exceptions import InvalidSignature
from tlog_scales import signing, tlog
from tlog_scales.reader import TilesReader

from notary.core import note, tiles, tree
from notary.core.checkpoint import Checkpoint, format_checkpoint, open_checkpoint
from notary.core.errors import BadSignature, RootMismatch
from notary.core.hashing import RootHash, leaf_hash
from notary.core.proof import verify_consistency, verify_inclusion
from tests.core.signing import Signer

ORIGIN = "city.example/log"
ENTRIES = [b'{"number":%d,"v":"descriptor/1"}' % i for i in range(70_000)]
LEAVES = [leaf_hash(entry) for entry in ENTRIES]
SIZES = [1, 2, 255, 256, 257, 1000, 70_000]
ROOTS = {size: tree.root(LEAVES[:size]) for size in SIZES}
LOG = Signer(ORIGIN)
WITNESS = Signer("witness.example/w1", note.KIND_COSIGNATURE, seed=2)


class OurLog:
    """Serves our tiles, bundles and checkpoint under the names that the other one asks for."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.hashes = {(level, index): data for level, index, data in tiles.tiles_of(LEAVES[:size])}
        text = format_checkpoint(Checkpoint(ORIGIN, size, ROOTS[size]))
        self.note = note.format_note(text, [LOG.sign(text), WITNESS.sign(text)])

    def get(self, *path: str) -> bytes | None:
        name = "/".join(path)
        if name == "checkpoint":
            return self.note.encode()
        if name.startswith("tile/entries/"):
            index, width = tiles.parse_entries_path(name)
            return tiles.format_bundle(ENTRIES[index * 256 : index * 256 + width])
        level, index, width = tiles.parse_tile_path(name)
        hashes = self.hashes.get((level, index), b"")
        return hashes if len(hashes) == width * 32 else None


@pytest.mark.parametrize("size", SIZES)
def test_the_other_one_accepts_our_checkpoint_tiles_and_proofs(size: int) -> None:
    """Its reader finds our root, its proofs from our tiles are ours, and its verifier accepts."""
    served = OurLog(size)
    reader = TilesReader(served)
    theirs = reader.get_checkpoint()
    theirs.verify(signing.Vkey.from_string(LOG.verifier.vkey))
    theirs.verify(signing.Vkey.from_string(WITNESS.verifier.vkey))
    assert (theirs.origin, theirs.size, theirs.root_hash) == (ORIGIN, size, ROOTS[size])
    assert reader.calculate_root_hash() == ROOTS[size]
    ours = tree.Tree(LEAVES[:size])
    for index in {0, 1, size // 2, size - 1} & set(range(size)):
        path = ours.inclusion_path(index)
        assert reader.get_inclusion_proof(index, size).node_hashes == path
        tlog.InclusionProof(index, size, path).check(LEAVES[index], ROOTS[size])
        assert reader.get_entry(index) == ENTRIES[index]
    for size1 in {1, size // 2, size - 1} & set(range(1, size)):
        path = ours.consistency_path(size1)
        assert reader.get_consistency_proof(size1, size).node_hashes == path
        root1 = tree.root(LEAVES[:size1])
        tlog.ConsistencyProof(size1, size, path).check(root1, ROOTS[size])


@pytest.mark.parametrize("size", SIZES)
def test_we_accept_the_other_ones_checkpoint_and_proofs(size: int) -> None:
    """Signed, written and proved there, opened and verified here."""
    signer = signing.PlainEd25519Signer(ORIGIN, bytes(32))
    reader = TilesReader(OurLog(size))
    reader.set_size(size)
    root = reader.calculate_root_hash()
    theirs = tlog.Checkpoint.make_signed(ORIGIN, size, root, [signer])
    checkpoint, _ = open_checkpoint(theirs.serialize(), [signer.vkey.serialize()])
    assert checkpoint == Checkpoint(ORIGIN, size, RootHash(root))
    for index in {0, size // 2, size - 1}:
        path = reader.get_inclusion_proof(index, size).node_hashes
        verify_inclusion(LEAVES[index], index, size, path, checkpoint.root)
    for size1 in {1, size // 2, size - 1} & set(range(1, size)):
        path = reader.get_consistency_proof(size1, size).node_hashes
        verify_consistency(size1, tree.root(LEAVES[:size1]), size, checkpoint.root, path)


def test_keys_are_spelled_alike() -> None:
    """Names, ids and base64 of both kinds of key."""
    for ours in (LOG.verifier, WITNESS.verifier):
        theirs = signing.Vkey(ours.name, None, ours.kind, ours.public_key)
        assert theirs.serialize() == ours.vkey
        assert note.parse_vkey(theirs.serialize()) == ours


def test_both_refuse_a_tampered_checkpoint() -> None:
    """The size raised by one after signing."""
    tampered = OurLog(1000).note.replace("\n1000\n", "\n1001\n")
    with pytest.raises(BadSignature):
        open_checkpoint(tampered, [LOG.verifier])
    with pytest.raises(InvalidSignature):
        tlog.Checkpoint.from_text(tampered).verify(signing.Vkey.from_string(LOG.verifier.vkey))


def test_both_refuse_a_tampered_proof() -> None:
    """One bit of the first hash."""
    path = tree.inclusion_path(LEAVES[:257], 3)
    path[0] = bytes([path[0][0] ^ 1]) + path[0][1:]
    with pytest.raises(RootMismatch):
        verify_inclusion(LEAVES[3], 3, 257, path, ROOTS[257])
    with pytest.raises(tlog.InclusionProofInvalid):
        tlog.InclusionProof(3, 257, path).check(LEAVES[3], ROOTS[257])
