# SPDX-License-Identifier: Apache-2.0
"""The pages under docs/spec on which all others stand: their examples are true."""

import json
import re

import pytest

from notary.core import canonical
from notary.core.checkpoint import parse_checkpoint
from notary.core.errors import MalformedText, NotaryError
from notary.core.hashing import digest, leaf_hash
from notary.core.note import open_note
from notary.core.proof import verify_consistency, verify_inclusion
from notary.core.receipt import verify_receipt
from notary.core.resaved import CHANGES, lead_back
from notary.core.tree import root
from notary.core.vkey import parse_vkey
from tests.test_spec import PAGES, RECEIPT, TRUST, compacted, example
from tests.vectors.answering import refused, told


def test_the_canonical_document_is_its_own_spelling() -> None:
    """Read and written again it is the same text."""
    text = example("json-v1.md", "json")
    assert canonical.dumps(canonical.loads(text, max_bytes=4096)) == text


@pytest.mark.parametrize("line", example("json-v1.md", "refused").splitlines())
def test_a_refused_text_is_refused_for_the_reason_that_is_shown(line: str) -> None:
    """`not-canonical`, or none."""
    text, reason, _ = re.split(r" {3,}", line)
    with pytest.raises(MalformedText) as caught:
        canonical.loads(text, max_bytes=4096)
    assert caught.value.facts.get("reason", "-") == reason


def test_the_note_is_signed_by_the_keys_that_are_shown() -> None:
    """And it is the checkpoint of the receipt's example."""
    note = example("note-v1.md", "note") + "\n"
    assert note == RECEIPT["checkpoint"]
    keys = [parse_vkey(line) for line in example("note-v1.md", "vkeys").splitlines()]
    opened = open_note(note, keys)
    assert [item.verifier for item in opened.verified] == keys
    assert parse_checkpoint(opened.text).size == 3


def test_the_tree_has_the_leaves_roots_and_paths_that_are_shown() -> None:
    """Three leaves; a leaf's path, and the path from two to three."""
    leaves = [leaf_hash(f"leaf {number}".encode()) for number in range(3)]
    assert [leaf.hex() for leaf in leaves] == example("tree-v1.md", "leaves").split()
    whole, first = root(leaves), root(leaves[:2])
    assert [whole.hex(), first.hex()] == example("tree-v1.md", "roots").split()
    inclusion, consistency = (
        [bytes.fromhex(hash_) for hash_ in line.split()]
        for line in example("tree-v1.md", "paths").splitlines()
    )
    verify_inclusion(leaves[1], 1, 3, inclusion, whole)
    verify_consistency(2, first, 3, whole, consistency)


def test_the_verdict_is_that_of_the_example() -> None:
    """Word for word; and so is the refusal."""
    receipt = compacted("receipt-v1.md", "receipt")
    answer = json.loads(example("verdict-v1.md", "verdict"))
    assert told(verify_receipt(receipt, TRUST)) == answer
    with pytest.raises(NotaryError) as caught:
        verify_receipt(canonical.dumps(RECEIPT | {"payload": "e30="}), TRUST)
    assert refused(caught.value) == json.loads(example("verdict-v1.md", "refusal"))


def test_the_copy_is_what_is_said_of_it() -> None:
    """With every word that may be told in the page's table."""
    original, copy = (bytes.fromhex(example("resaved.md", what)) for what in ("original", "copy"))
    wanted = digest(original)
    assert wanted.hex() == example("resaved.md", "digest")
    answer = json.loads(example("resaved.md", "answer"))
    changes = lead_back(wanted, b"", lambda: [copy])
    assert answer == {"reason": "resaved", "changes": list(changes or ())}
    assert all(f"`{word}`" in PAGES["resaved.md"] for word in CHANGES)
