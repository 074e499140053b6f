# SPDX-License-Identifier: Apache-2.0
"""The pages about two checkpoints, and about a monitor: their examples are true."""

from notary.core import canonical
from notary.core.checkpoint import parse_checkpoint
from notary.core.consistency import verify_consistency_proof
from notary.core.fork import verify_fork
from notary.core.monitor_report import parse_report
from notary.core.note import open_note
from notary.core.trust import parse_trust
from tests.core.growing import consistency, fork, liar
from tests.core.maker import WITNESSES, make
from tests.test_spec import TRUST, compacted


def test_the_consistency_proof_holds_under_the_trust_file() -> None:
    """From the log of two batches to that of three, which a witness cosigned."""
    shown = compacted("consistency-v1.md", "consistency")
    assert shown == canonical.dumps(consistency(make(), 2, 3, witnesses=WITNESSES[:1]))
    verdict = verify_consistency_proof(shown, TRUST)
    assert (verdict.subject["old"], verdict.subject["new"]) == (2, 3)


def test_the_fork_holds_under_the_trust_file() -> None:
    """A second batch that is another one; the third grew from the true one."""
    shown = compacted("fork-v1.md", "fork")
    assert shown == canonical.dumps(fork(liar(1, 3), make(), 2, 3))
    verdict = verify_fork(shown, TRUST)
    assert (verdict.subject["one"], verdict.subject["two"]) == (2, 3)


def test_the_report_is_about_the_log_of_the_trust_file() -> None:
    """Its checkpoint, size, root and key belong together."""
    report = parse_report(compacted("monitor-v1.md", "monitor"))
    log = parse_trust(TRUST).logs[0].verifier
    checkpoint = parse_checkpoint(open_note(report.checkpoint, [log]).text)
    said = (report.origin, report.size, report.root, report.fingerprint.hex())
    assert said == (checkpoint.origin, checkpoint.size, checkpoint.root, log.fingerprint)
