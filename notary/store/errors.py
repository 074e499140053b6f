# SPDX-License-Identifier: Apache-2.0
"""What the store can force a caller to do."""

from notary.core.errors import NotaryError


class StoreUnavailable(NotaryError):
    """The database can't be reached just now; the same call may succeed later."""

    code = "store-unavailable"


class StoreRefused(NotaryError):
    """The database is not fit to hold a notary's records."""

    code = "store-refused"


class LaneBusy(NotaryError):
    """Another process holds a lane for too long; the same call may succeed later."""

    code = "lane-busy"


class NameTaken(NotaryError):
    """The name is taken."""

    code = "name-taken"
