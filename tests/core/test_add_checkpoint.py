# SPDX-License-Identifier: Apache-2.0
"""What a log hands to a witness is written and read in one way only (C2SP tlog-witness)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notary.core.add_checkpoint import (
    MAX_REQUEST_BYTES,
    AddCheckpoint,
    format_request,
    parse_request,
    parse_size,
)
from notary.core.errors import MalformedNote
from notary.core.tree import MAX_SIZE

HASH = "PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw="
NOTE = "example.com/log\n3\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\u2014 a b\n"
BODY = f"old 2\n{HASH}\n\n{NOTE}"


def test_the_example_of_the_specification() -> None:
    """Old size, path, empty line, checkpoint as it came."""
    request = parse_request(BODY.encode())
    assert (request.old, len(request.path), request.note) == (2, 1, NOTE)
    assert format_request(request.old, request.path, request.note) == BODY.encode()


@given(
    st.integers(0, MAX_SIZE),
    st.lists(st.binary(min_size=32, max_size=32), max_size=63),
    st.text("ab\n\u2014", max_size=40),
)
def test_requests_are_read_back(old: int, path: list[bytes], note: str) -> None:
    """Whatever stands in the note: it is not looked at here."""
    read = parse_request(format_request(old, path, note))
    assert read == AddCheckpoint(old, tuple(path), note)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "\n",
        "\n\n",
        "old 2",
        "old 2\n",
        f"old 2\n{HASH}\n",
        f"old 2\n{HASH}\n{NOTE[:20]}",
        BODY.replace("old 2", "old  2"),
        BODY.replace("old 2", "old 2 "),
        BODY.replace("old 2", "Old 2"),
        BODY.replace("old 2", "old"),
        BODY.replace("old 2", "old "),
        BODY.replace("old 2", "old 02"),
        BODY.replace("old 2", "old +2"),
        BODY.replace("old 2", "old -2"),
        BODY.replace("old 2", "old 2.0"),
        BODY.replace("old 2", "old 0x2"),
        BODY.replace("old 2", "old \u0662"),
        BODY.replace("old 2", f"old {MAX_SIZE + 1}"),
        BODY.replace("old 2", f"old {'9' * 4000}"),
        BODY.replace("old 2\n", "old 2\r\n"),
        BODY.replace("old 2\n", ""),
        BODY.replace(HASH, HASH + " "),
        BODY.replace(HASH, HASH[:-1]),
        BODY.replace(HASH, HASH[:-4] + "===="),
        BODY.replace(HASH, "AAAA"),
        BODY.replace(HASH, HASH.replace("l", "-")),
        BODY.replace(HASH, HASH[:-2] + "x="),
        BODY.replace(HASH, "\u00e9"),
        "old 2\n" + f"{HASH}\n" * 64 + f"\n{NOTE}",
    ],
)
def test_what_is_no_request_is_refused(body: str) -> None:
    """Before any hash is looked at."""
    with pytest.raises(MalformedNote):
        parse_request(body.encode())


def test_a_body_that_isnt_text_is_refused() -> None:
    """Octets that aren't UTF-8."""
    with pytest.raises(MalformedNote, match="UTF-8"):
        parse_request(b"old 2\n\n\xff")


def test_a_body_that_is_too_large_is_refused() -> None:
    """By one byte."""
    fits = b"old 2\n\n" + b"a" * (MAX_REQUEST_BYTES - 7)
    assert len(parse_request(fits).note) == MAX_REQUEST_BYTES - 7
    with pytest.raises(MalformedNote, match="at most"):
        parse_request(fits + b"a")


@pytest.mark.parametrize("size", [0, 1, 10, MAX_SIZE])
def test_a_size_is_read(size: int) -> None:
    """Decimal and a newline."""
    assert parse_size(b"%d\n" % size) == size


@pytest.mark.parametrize(
    "body",
    [b"", b"\n", b"7", b"07\n", b"-1\n", b"7\n\n", b"7\r\n", b" 7\n", b"7 \n", b"\xff\n",
     b"%d\n" % (MAX_SIZE + 1), b"9" * 5000 + b"\n", "\u0667\n".encode()],
)  # fmt: skip
def test_what_is_no_size_is_refused(body: bytes) -> None:
    """Whoever answers so says nothing."""
    with pytest.raises(MalformedNote):
        parse_size(body)
