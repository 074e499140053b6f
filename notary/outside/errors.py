# SPDX-License-Identifier: Apache-2.0
"""Two decisions: come back later, or tell that something is not as it must be."""

from notary.core.errors import NotaryError


class Unreachable(NotaryError):
    """
    Nobody was reached who could be believed to be the server; nothing is said about the log.

    `reason`: bad-url, bad-ca, certificate, away, redirected.
    """

    code = "notary-unreachable"

    def __init__(self, reason: str, **facts: object) -> None:
        super().__init__(None, reason=reason, **facts)
        self.reason = reason


class BadAnswer(NotaryError):
    """
    The server answered, and not with what was asked for.

    `reason`: status (`status` says which), too-large, cut-off, slow, form. `path` is what was
    asked for.
    """

    code = "bad-answer"

    def __init__(self, reason: str, path: str, status: int = 200, **facts: object) -> None:
        super().__init__(None, reason=reason, path=path, status=status, **facts)
        self.reason = reason
        self.path = path
        self.status = status
