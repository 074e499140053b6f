# SPDX-License-Identifier: Apache-2.0
"""
What a verification found: each check made, each not made, and whose word it is.

Codes are stable: docs/spec/verdict-v1.md. Their sentences stand in the catalogues as
`check.<code>.<status>`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Status = Literal["held", "own-word", "not-checked"]


@dataclass(frozen=True, slots=True)
class Check:
    """
    One check. `held`: proved here. `own-word`: consistent, but only the notary says so.
    `not-checked`: not made, for the reason in `facts`. One that fails raises instead.
    """

    code: str
    status: Status
    facts: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Verdict:
    """
    A receipt that holds. `kind` is record, row or file; `subject` its facts; `origin` the
    log's name, `fingerprint` SHA-256 over kind and public key of the log key in hex.
    """

    kind: str
    subject: Mapping[str, object]
    trust_name: str
    origin: str
    fingerprint: str
    checks: tuple[Check, ...]

    def status(self, code: str) -> Status | None:
        """The status of the first check of that code, or None."""
        return next((check.status for check in self.checks if check.code == code), None)


@dataclass(slots=True)
class Findings:
    """The checks of a verification while it goes on."""

    checks: list[Check] = field(default_factory=list)

    def held(self, code: str, **facts: object) -> None:
        """Note what was proved."""
        self.checks.append(Check(code, "held", facts))

    def own_word(self, code: str, **facts: object) -> None:
        """Note what only the notary says."""
        self.checks.append(Check(code, "own-word", facts))

    def not_checked(self, code: str, **facts: object) -> None:
        """Note what was not checked; `reason` says why."""
        self.checks.append(Check(code, "not-checked", facts))
