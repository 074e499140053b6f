# SPDX-License-Identifier: Apache-2.0
"""The real database of these tests, and a notary in it."""

from tests.usecases.servers import database_url, postgres, world

__all__ = ["database_url", "postgres", "world"]
