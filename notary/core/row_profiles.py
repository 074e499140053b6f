# SPDX-License-Identifier: Apache-2.0
"""Which profile cuts how (docs/spec/rows-v1.md), and the salts of rows."""

import hmac
from typing import Final

from notary.core.csv_rows import CsvRows
from notary.core.ndjson_rows import JsonArray, JsonLines, NdjsonRows
from notary.core.rows import Buffer, Maker, NoRows, Row, RowCutter

_MAKERS: Final[dict[str, Maker]] = {
    "csv-v1": CsvRows,
    "ndjson-v1": NdjsonRows,
    "none": lambda row, offset: NoRows(),
}


def row_cutter(profile: str) -> RowCutter:
    """What cuts a whole file. Raises KeyError for a profile that is none."""
    return _MAKERS[profile](0, 0)


def cutter_from(profile: str, row: int, offset: int, *, in_array: bool) -> RowCutter:
    """
    What goes on cutting where a row is known to begin.

    `in_array` says of a file of ndjson-v1 whether it is one array. Raises KeyError.
    """
    if profile == "ndjson-v1":
        buffer = Buffer(row, offset)
        return JsonArray(buffer, inside=True) if in_array else JsonLines(buffer)
    return _MAKERS[profile](row, offset)


def row_salt(secret: bytes | None, number: int) -> bytes:
    """
    The salt of a row: none in an open dataset, else HMAC-SHA256 under the version's secret.

    Over the row's number as a 64-bit big-endian integer. docs/spec/rows-v1.md, section Salts.
    """
    return b"" if secret is None else hmac.digest(secret, number.to_bytes(8, "big"), "sha256")


__all__ = ["Row", "RowCutter", "cutter_from", "row_cutter", "row_salt"]
