# SPDX-License-Identifier: Apache-2.0
"""Where checkpoints are anchored: the port, and adapters that don't know each other."""
