# SPDX-License-Identifier: Apache-2.0
"""A notary in the real database of these tests."""

from tests.usecases.servers import world

__all__ = ["world"]
