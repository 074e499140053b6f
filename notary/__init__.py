# SPDX-License-Identifier: Apache-2.0
"""A notary that stands beside a city's data-sharing platform."""

__version__ = "0.1.0"
