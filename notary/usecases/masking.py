# SPDX-License-Identifier: Apache-2.0
"""
Passwords inside messages (PW of HJ 212) are masked before quarantine keeps a message.

The CRC goes too: with all else in sight, its 16 bits leave a handful of passwords to try.
What was masked isn't the evidence any more, and can't become a record later.
"""

import re
from typing import Final

MASK: Final = b"****"

_LOOKS_LIKE_HJ212 = re.compile(rb"##[0-9]{4}|CP=&&|MN=", re.IGNORECASE)
_PASSWORD = re.compile(rb"""(PW\w*["']?\s*[=:]\s*["']?)[^;,&"'\s]+""", re.IGNORECASE)
_CRC = re.compile(rb"(?<!CP=)(&&)[0-9A-F]{4}|()[0-9A-F]{4}(?=\s*(?:\Z|##))", re.IGNORECASE)
# What may stay of a message that holds a password: fields of a known name and form.
_HARMLESS = re.compile(
    rb"##[0-9]{4}(?=[A-Z])|\r\n(?=##|\Z)|(?<=[;0-9])(?:"
    rb"QN=[0-9]{1,17}|ST=[0-9A-Z]{1,2}|CN=[0-9]{1,4}|MN=[0-9A-Z._:-]{1,128}|Flag=[0-9]{1,3}"
    rb"|PNUM=[0-9]{1,4}|PNO=[0-9]{1,4}|CP=&&);?"
    rb"|(?<=[;,&])(?:DataTime=[0-9]{1,14}"
    rb"|[a-z]{1,3}[0-9]{0,6}-(?:Rtd|Avg|Min|Max|Cou|ZsRtd|ZsAvg|ZsMin|ZsMax|Flag)=[0-9A-Z.-]{0,12})"
    rb"(?=[;,&])[;,]?"
)


def mask(data: bytes, secret: bool = False) -> bytes:
    """
    A message as quarantine may keep it; bytes in which no password is seen are unchanged.

    `secret`: its format holds one, so that only what is known to be harmless stays: a
    broken message may hold its password anywhere.
    """
    if secret:
        return _keep_harmless(data)
    if not _LOOKS_LIKE_HJ212.search(data) or not _PASSWORD.search(data):
        return data
    return _CRC.sub(rb"\1" + MASK, _PASSWORD.sub(rb"\1" + MASK, data))


def is_masked(data: bytes) -> bool:
    """Whether something of a message was masked, so that it can't be read again."""
    return MASK in data


def mask_text(text: str) -> str:
    """The same for a sentence about a message."""
    return _PASSWORD.sub(rb"\1" + MASK, text.encode("utf-8", "replace")).decode("utf-8", "replace")


def _keep_harmless(data: bytes) -> bytes:
    """Harmless parts as they are, whatever lies between two of them as one mask."""
    parts: list[bytes] = []
    done = 0
    for match in _HARMLESS.finditer(data):
        if match.start() > done:
            parts.append(MASK)
        parts.append(match[0])
        done = match.end()
    if done < len(data):
        parts.append(MASK)
    return b"".join(parts)
