# SPDX-License-Identifier: Apache-2.0
"""The octets of a time stamp: DER alone, and none without meaning."""

from collections.abc import Callable

import pytest

from notary.core.errors import ReceiptRefused
from notary.evidence.der import (
    OCTET_STRING,
    SEQUENCE,
    SET,
    Reader,
    element,
    integer,
    oid,
)
from tests.tsa.certificates import rsa_key
from tests.tsa.city import city, good, judge, refuse, stamp
from tests.tsa.forger import CONTENT_TYPE, TST_INFO


def test_what_stands_behind_the_token_is_refused() -> None:
    """Trailing octets."""
    refuse(good() + b"\0", "Something stands behind the token")


@pytest.mark.parametrize("at", [0, 1, 2, 30, 100, -1])
def test_a_token_that_is_cut_is_refused(at: int) -> None:
    """Wherever."""
    refuse(good()[:at] if at else b"\x30", "can't be read|is not base64")


BER: dict[str, Callable[[bytes], bytes]] = {
    "an indefinite length": lambda token: b"\x30\x80" + token[4:] + b"\0\0",
    "a length in more octets than needed": lambda token: b"\x30\x83\0" + token[2:],
    "a tag in two octets": lambda token: b"\x3f\x10" + token[1:],
}


@pytest.mark.parametrize("what", BER)
def test_another_encoding_of_the_same_is_refused(what: str) -> None:
    """DER alone: two readers never see two things."""
    token = good()
    assert token[:2] == b"\x30\x82"
    refuse(BER[what](token), "can't be read")


def test_an_octet_string_in_pieces_is_refused() -> None:
    """As BER allows for the content."""
    content = stamp().der
    token = city().forger.token(content)
    whole = element(OCTET_STRING, content)
    pieces = element(0x24, element(OCTET_STRING, content[:50]), element(OCTET_STRING, content[50:]))
    assert token.count(whole) == 1
    refuse(lengthened(token, whole, pieces), "time stamp is missing")


def lengthened(token: bytes, old: bytes, new: bytes) -> bytes:
    """Exchange the content's octets, and write the lengths around it again."""

    def again(data: bytes) -> bytes:
        parts, reader = [], Reader(data)
        while reader.tag is not None:
            tag = reader.tag
            found = reader.take(tag, "")
            if found.whole == old:
                parts.append(new)
            elif old in found.content:
                parts.append(element(tag, again(found.content)))
            else:
                parts.append(found.whole)
        return b"".join(parts)

    return again(token)


def test_attributes_out_of_order_are_refused() -> None:
    """A signature over a set is over its one order."""
    token = good()
    first = element(SEQUENCE, oid(CONTENT_TYPE), element(SET, oid(TST_INFO)))
    second = Reader(token.partition(first)[2]).take(SEQUENCE, "").whole
    refuse(token.replace(first + second, second + first), "order of DER")


def flips(token: bytes, step: int) -> list[tuple[int, int]]:
    """An octet each `step`, with one bit of it."""
    return [(at, 1 << (at // step % 8)) for at in range(0, len(token), step)]


@pytest.mark.parametrize("key", ["ec", "rsa"])
def test_a_flipped_bit_anywhere_is_refused(key: str, long: bool) -> None:
    """No octet of a token is without meaning."""
    forger = city().forger if key == "ec" else city().signed_by(key=rsa_key())
    token = forger.token(stamp(nonce=integer(2**63)))
    for at, bit in flips(token, 1 if long else 13):
        changed = bytearray(token)
        changed[at] ^= bit
        with pytest.raises(ReceiptRefused) as caught:
            judge(bytes(changed))
        assert caught.value.facts["reason"] == "ledger-evidence", at
