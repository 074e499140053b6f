# SPDX-License-Identifier: Apache-2.0
"""Each test has the chain and an account of its own."""

from tests.ledgers.evm.standing import desk, look

__all__ = ["desk", "look"]
