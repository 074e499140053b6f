# SPDX-License-Identifier: Apache-2.0
"""A notary in the real database of these tests, and the newcomer's first run."""

from tests.acceptance.first_run import first_run
from tests.usecases.servers import world

__all__ = ["first_run", "world"]
