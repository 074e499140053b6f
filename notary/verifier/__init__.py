# SPDX-License-Identifier: Apache-2.0
"""`notary verify`: proofs checked offline. Standard library, core and texts alone."""
