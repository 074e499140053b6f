# SPDX-License-Identifier: Apache-2.0
"""Why a monitor can't look at all: one class, and a sentence of the catalogues for each reason."""

from notary.core.errors import NotaryError


class MonitorRefused(NotaryError):
    """The log could not be followed."""

    code = "monitor-refused"

    def __init__(self, reason: str, **facts: object) -> None:
        super().__init__(None, reason=reason, **facts)
        self.reason = reason
