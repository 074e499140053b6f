# SPDX-License-Identifier: Apache-2.0
"""
Who sent it: what a message says of its sender's key, whether that holds, and what follows.

`evidence` to `hmac_tag` are pure: they read what came with a message and check it under a
registered key. `stage` decides, by a feed's policy, what becomes of its readings.
docs/for-gateways/signing.md says how a device signs.
"""
