# SPDX-License-Identifier: Apache-2.0
"""
A small Hyperledger Fabric network that makes real-shaped blocks, written from the protocol's
definitions and knowing nothing of notary.evidence, which reads them.
"""
