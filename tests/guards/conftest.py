# SPDX-License-Identifier: Apache-2.0
"""A notary on a real database, with its pages."""

from tests.api.conftest import _standing, city, shared
from tests.usecases.servers import world

__all__ = ["_standing", "city", "shared", "world"]
