# SPDX-License-Identifier: Apache-2.0
"""Time-stamping authorities of the tests: real ones by `openssl ts`, and one that forges."""
