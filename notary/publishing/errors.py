# SPDX-License-Identifier: Apache-2.0
"""Why publishing stopped: one class, and a sentence of the catalogues for each reason."""

from notary.core.errors import NotaryError


class PublishRefused(NotaryError):
    """The file could not be published."""

    code = "publish-refused"

    def __init__(self, reason: str, **facts: object) -> None:
        super().__init__(None, reason=reason, **facts)
        self.reason = reason
