# SPDX-License-Identifier: Apache-2.0
"""A stand-in for a PCN gateway and the channel behind it: no live network of BSN can be asked."""
