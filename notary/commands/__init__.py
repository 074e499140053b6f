# SPDX-License-Identifier: Apache-2.0
"""What the operator runs beside the database: each command, the longer ones by themselves."""
