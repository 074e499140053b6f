# SPDX-License-Identifier: Apache-2.0
"""Tests of notary.evidence: what the evidence of each kind of ledger shows."""
