# SPDX-License-Identifier: Apache-2.0
"""The whole message is one reading, of which nothing is known."""

from collections.abc import Sequence

from iot_ingest.codecs import Decoded, Fault, Members


def decode_raw(payload: bytes, members: Members) -> Sequence[Decoded | Fault]:
    """One reading of any bytes."""
    return [Decoded(payload)]
