# SPDX-License-Identifier: Apache-2.0
"""
The decisions that a caller can be forced to take, one class for each.

Every error carries a stable `code` (also the name of its RFC 9457 problem type and
of its text in the catalogues) and `facts`, the values that fill that text.
"""

from typing import ClassVar, TypeVar

E = TypeVar("E", bound="NotaryError")


class NotaryError(Exception):
    """Something is not as the notary requires it."""

    code: ClassVar[str] = "notary-error"

    def __init__(self, detail: str | None = None, **facts: object) -> None:
        text = detail or (type(self).__doc__ or "").strip().splitlines()[0]
        super().__init__(text)
        self.detail = text
        self.facts: dict[str, object] = {"detail": text, **facts}

    def renamed(self, kind: type[E]) -> E:
        """The same fault as an error of another class: a text in a receipt, say."""
        facts = {name: value for name, value in self.facts.items() if name != "detail"}
        return kind(self.detail, **facts)


class MalformedProof(NotaryError):
    """The proof cannot belong to a tree of this size."""

    code = "malformed-proof"


class RootMismatch(NotaryError):
    """The proof is well formed and leads to another root."""

    code = "root-mismatch"


class MalformedTile(NotaryError):
    """The tile, or the path of a tile, is not one of this tree."""

    code = "malformed-tile"


class MalformedNote(NotaryError):
    """The text is not a signed note, a verifier key or a checkpoint."""

    code = "malformed-note"


class BadSignature(NotaryError):
    """A signature does not belong to this text and this key."""

    code = "bad-signature"


class UnknownSigner(NotaryError):
    """None of the signatures was made with a key that is trusted here."""

    code = "unknown-signer"


class MalformedText(NotaryError):
    """The text is not canonical JSON of the expected members."""

    code = "malformed-text"


class MalformedStatement(MalformedText):
    """The text is not a statement of this format."""

    code = "malformed-statement"


class MalformedDescriptor(MalformedText):
    """The text is not a batch descriptor of this format."""

    code = "malformed-descriptor"


class MalformedRun(MalformedText):
    """The text is not an entry of a run list of this format."""

    code = "malformed-run"


class MalformedReceipt(MalformedText):
    """The file is not a receipt of this format."""

    code = "malformed-receipt"


class MalformedWindow(MalformedText):
    """The file is not a window of this format."""

    code = "malformed-window"


class MalformedAcceptance(MalformedText):
    """The file is not a signed acceptance of this format."""

    code = "malformed-acceptance"


class MalformedConsistency(MalformedText):
    """The file is not a consistency proof of this format."""

    code = "malformed-consistency"


class MalformedFork(MalformedText):
    """The file is not a proof of a fork of this format."""

    code = "malformed-fork"


class MalformedReport(MalformedText):
    """The file is not a monitor's report of this format."""

    code = "malformed-report"


class MalformedPolicy(MalformedText):
    """The file is not a policy about witnesses (C2SP tlog-policy)."""

    code = "malformed-policy"


class MalformedTrust(MalformedText):
    """The file is not a trust file of this format."""

    code = "malformed-trust"


class ReceiptTooLarge(NotaryError):
    """The receipt is too large for this format."""

    code = "receipt-too-large"


class ReceiptRefused(NotaryError):
    """The parts of the receipt do not belong together."""

    code = "receipt-refused"


class AcceptanceRefused(NotaryError):
    """The parts of the acceptance do not belong together."""

    code = "acceptance-refused"


class ConsistencyRefused(NotaryError):
    """The checkpoints are not two of one log that only grew."""

    code = "consistency-refused"


class ForkRefused(NotaryError):
    """The two checkpoints do not prove that the log was forked."""

    code = "fork-refused"


class RecoveryRefused(NotaryError):
    """The note does not tell of a recovery of the log."""

    code = "recovery-refused"


class LogForked(NotaryError):
    """The log signed two states that no log can have which only grows."""

    code = "log-forked"

    @property
    def fork(self) -> str:
        """The file that proves it (fork/1)."""
        return str(self.facts["fork"])


class PayloadMismatch(NotaryError):
    """The payload is not the one that was notarised."""

    code = "payload-mismatch"


class QuorumNotMet(NotaryError):
    """Too few of the required witnesses have signed the checkpoint."""

    code = "quorum-not-met"


class RecordRejected(NotaryError):
    """The reading cannot become a record, now or later."""

    code = "record-rejected"
