# SPDX-License-Identifier: Apache-2.0
"""
`make bench`: what the notary does in a second, each beside a yardstick of the same run.

These machines are shared and noisy, so the ratio is the figure, not the rate.
"""
