# SPDX-License-Identifier: Apache-2.0
"""
The wire contract: what may be sent to the API. Unknown fields are errors.
"""
