# SPDX-License-Identifier: Apache-2.0
"""What a witness refuses to its operator; what it answers to logs are status codes."""

from notary.core.errors import NotaryError


class WitnessRefused(NotaryError):
    """The witness's state is not fit for work, or the command can't be done."""

    code = "witness-refused"
