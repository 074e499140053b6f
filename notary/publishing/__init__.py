# SPDX-License-Identifier: Apache-2.0
"""
`notary publish`: hand in a file over HTTP, wait for its proof, put that beside the file.

A client, and a stranger to the notary's own parts: it knows the core's words, the texts, and
the API as docs/ tell it. It holds no state: whatever was interrupted is run again, and ends in
the same version (`Idempotency-Key`, see `deliver.py`).
"""
