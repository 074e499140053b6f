# SPDX-License-Identifier: Apache-2.0
"""The log as somebody else reads it: fetched by curl, checked by PyPI `tlog-scales`."""

import json
import subprocess
from hashlib import sha256

import pytest
from tlog_scales import signing, tlog
from tlog_scales.reader import TilesReader

from tests.acceptance.first_run import FirstRun

pytestmark = pytest.mark.needs("mosquitto")


def curl(run: FirstRun, path: str) -> bytes:
    """What curl gets."""
    done = subprocess.run(
        ["curl", "-sS", "-f", run.url + path], capture_output=True, check=True, timeout=30
    )
    return done.stdout


class Curled:
    """The log's files, each fetched by curl when the other one's reader asks for it."""

    def __init__(self, run: FirstRun) -> None:
        self._run = run

    def get(self, *path: str) -> bytes | None:
        """The file of that name under /log."""
        return curl(self._run, "/log/" + "/".join(path))


def test_the_other_one_accepts_checkpoint_tiles_and_proofs(first_run: FirstRun) -> None:
    """Signature, root from tiles, entries, inclusion and consistency: all by its own code."""
    vkey = json.loads(curl(first_run, "/trust.json"))["logs"][0]["key"]
    reader = TilesReader(Curled(first_run))
    checkpoint = reader.get_checkpoint()
    checkpoint.verify(signing.Vkey.from_string(vkey))
    size, root = checkpoint.size, checkpoint.root_hash
    assert size >= 3
    assert reader.calculate_root_hash() == root
    for index in range(size):
        entry = reader.get_entry(index)
        descriptor = json.loads(curl(first_run, f"/v1/batches/{index}"))["descriptor"]
        text = descriptor if isinstance(descriptor, str) else json.dumps(descriptor)
        assert entry.decode() == text
        leaf = sha256(b"\0" + entry).digest()
        reader.get_inclusion_proof(index, size).check(leaf, root)
    reader.get_consistency_proof(1, size).check(sha256(b"\0" + reader.get_entry(0)).digest(), root)


def test_the_other_one_refuses_a_changed_entry(first_run: FirstRun) -> None:
    """So that the test above can fail."""
    reader = TilesReader(Curled(first_run))
    checkpoint = reader.get_checkpoint()
    leaf = sha256(b"\0" + reader.get_entry(0) + b" ").digest()
    with pytest.raises(Exception, match=r".+"):
        reader.get_inclusion_proof(0, checkpoint.size).check(leaf, checkpoint.root_hash)


def test_our_receipt_path_is_accepted_by_the_other_one(first_run: FirstRun) -> None:
    """The log path inside a receipt, checked by tlog-scales with the receipt's checkpoint."""
    path = "/v1/datasets/weather/sources/JFK/records/100/receipt"
    receipt = json.loads(curl(first_run, path))
    reader = TilesReader(Curled(first_run))
    checkpoint = tlog.Checkpoint.from_text(receipt["checkpoint"])
    checkpoint.verify(
        signing.Vkey.from_string(json.loads(curl(first_run, "/trust.json"))["logs"][0]["key"])
    )
    hashes = [bytes.fromhex(hash_) for hash_ in receipt["log"]["path"]]
    proof = tlog.InclusionProof(receipt["log"]["index"], checkpoint.size, hashes)
    proof.check(sha256(b"\0" + receipt["descriptor"].encode()).digest(), checkpoint.root_hash)
    assert reader.get_checkpoint().size >= checkpoint.size
