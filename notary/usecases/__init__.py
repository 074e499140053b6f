# SPDX-License-Identifier: Apache-2.0
"""The six verbs: accept, seal, sign, anchor, prove, audit. Nothing else decides."""
