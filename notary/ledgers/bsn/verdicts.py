# SPDX-License-Identifier: Apache-2.0
"""
What a transaction's validation code in a block means for an anchor (Fabric's TxValidationCode).

The code is the word of the peer that served the block; nobody signs it. An evil one can make us
wait or set again, never believe: code 0 is looked behind, and `set` refuses a key that is there.
"""

from typing import Final

VALID: Final = 0
NOT_VALIDATED: Final = 254
NO_BLOCK: Final = -1
"""Of the gateway's own: no block came in the time that it waited."""

SET_AGAIN: Final = {
    9: "its id is that of an earlier transaction",
    11: "another transaction wrote the key first",
    12: "what it read had changed",
    17: "the chaincode was exchanged meanwhile",
    18: "the chaincode was exchanged meanwhile",
}
"""Nothing is wrong with what we asked for: a new transaction may do."""

NAMES: Final = {
    1: "empty envelope",
    2: "bad payload",
    3: "bad common header",
    4: "bad signature of the creator",
    5: "invalid endorser transaction",
    6: "invalid configuration transaction",
    7: "unsupported payload",
    8: "bad id of the transaction",
    10: "the endorsement policy is not met",
    13: "unknown type of transaction",
    14: "no such channel",
    15: "can't be encoded",
    16: "no action",
    19: "bad header extension",
    20: "bad channel header",
    21: "bad response payload",
    22: "bad read-write set",
    23: "illegal write set",
    24: "invalid write set",
    25: "invalid chaincode",
    255: "another reason",
}
"""The others say that gateway, app or chaincode are not set up right."""


def name_of(code: int) -> str:
    """What a lasting failure is called."""
    return NAMES.get(code, "unknown to us")
