# SPDX-License-Identifier: Apache-2.0
"""The whole message is one reading, of which nothing is known."""

from collections.abc import Sequence

from iot_ingest.codecs import Decoded, Fault, Members, too_large


def decode_raw(payload: bytes, members: Members) -> Sequence[Decoded | Fault]:
    """One reading of any bytes."""
    if len(payload) > members.max_bytes:
        return [too_large(payload, members)]
    return [Decoded(payload)]
