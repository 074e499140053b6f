# SPDX-License-Identifier: Apache-2.0
"""A package, because a library that we test with installs one of the same name."""
