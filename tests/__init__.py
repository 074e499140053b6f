# SPDX-License-Identifier: Apache-2.0
"""The tests. A package, because merkletools installs a stray package of this name."""
