# SPDX-License-Identifier: Apache-2.0
"""A real notary too, for the tests that want one."""

from tests.usecases.servers import world

__all__ = ["world"]
