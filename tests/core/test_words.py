# SPDX-License-Identifier: Apache-2.0
"""Ids, strings, numbers, hashes and times have one spelling each."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notary.core import words
from notary.core.errors import MalformedText

NO_TEXT = [None, 1, True, b"a", ["a"], {"a": 1}]


def refuses(check: Callable[[object], object], value: object) -> None:
    with pytest.raises(MalformedText):
        check(value)


@pytest.mark.parametrize("id_", ["a", "JFK", "a.b_c:d-e", "...", "..a", "0", "x" * 128])
def test_ids(id_: str) -> None:
    """1 to 128 of `A-Z a-z 0-9 . _ : -`."""
    assert words.check_id(id_) == id_


@pytest.mark.parametrize(
    "id_",
    ["", ".", "..", "x" * 129, "a b", "a/b", "a\n", "é", "站", "a\x00", "a%", "a+b", "٣", *NO_TEXT],
)
def test_what_is_no_id(id_: object) -> None:
    """Names of folders above, spaces, slashes, newlines and other writings."""
    refuses(words.check_id, id_)


@pytest.mark.parametrize("text", ["a", "2013-01-01T06:00Z", "昨天", "\u0080", " ", "😀" * 64])
def test_strings_from_outside(text: str) -> None:
    """All Unicode scalar values but control characters; the length counts code points."""
    assert words.check_observed(text) == text


@pytest.mark.parametrize("text", ["", "a\n", "\x00", "\x1f", "\x7f", "\ud800", "x" * 65, *NO_TEXT])
def test_strings_that_break(text: object) -> None:
    """Control characters, half of a surrogate pair, too long, no text."""
    refuses(words.check_observed, text)


def test_a_key_may_have_128_characters() -> None:
    """One more is refused."""
    assert words.check_key("k" * 128) == "k" * 128
    refuses(words.check_key, "k" * 129)


@pytest.mark.parametrize("text", ["text/csv", "application/vnd.a+json", "a/b", "x/" + "y" * 125])
def test_media_types(text: str) -> None:
    """Type and subtype in lower case."""
    assert words.check_type(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "text",
        "/csv",
        "text/",
        "Text/csv",
        "text/csv;a=b",
        "a/b/c",
        "a /b",
        "x/" + "y" * 126,
        "text/csv\n",
        *NO_TEXT,
    ],
)
def test_what_is_no_media_type(text: object) -> None:
    """Parameters, capitals and blanks are refused."""
    refuses(words.check_type, text)


@pytest.mark.parametrize("text", ["acl", "none", "key:a", "bad-signature:a.b", "api:" + "x" * 128])
def test_words_for_the_sender(text: str) -> None:
    """What is known of who handed it in."""
    assert words.check_by(text) == text


@pytest.mark.parametrize(
    "text", ["", "ACL", "acl:a", "none:", "key", "key:", "key:a b", "api:" + "x" * 129, *NO_TEXT]
)
def test_what_is_no_word_for_the_sender(text: object) -> None:
    """An unknown word, or one without its id."""
    refuses(words.check_by, text)


def test_counts() -> None:
    """Whole numbers up to 2^53 - 1, from a minimum."""
    assert words.check_count(0, "n") == 0
    assert words.check_count(2**53 - 1, "n") == 2**53 - 1
    assert words.check_count(1, "n", 1) == 1


@pytest.mark.parametrize("value", [-1, 2**53, True, False, 1.0, "1", None, [1]])
def test_what_is_no_count(value: object) -> None:
    """Below the minimum, too large, or no whole number."""
    refuses(lambda item: words.check_count(item, "n"), value)


def test_a_count_below_its_minimum() -> None:
    """Is refused."""
    refuses(lambda item: words.check_count(item, "n", 1), 0)


def test_hashes() -> None:
    """64 lower-case digits are 32 bytes."""
    assert words.parse_hash("0f" * 32) == b"\x0f" * 32
    assert words.check_hash(bytes(32)) == bytes(32)
    refuses(lambda item: words.check_hash(b"a" * 31), None)
    refuses(lambda item: words.check_hash(b"a" * 33), None)


@pytest.mark.parametrize(
    "text", ["", "0F" * 32, "0f" * 31, "0f" * 33, "0f" * 31 + "0g", "0f" * 32 + "\n", *NO_TEXT]
)
def test_what_is_no_hash(text: object) -> None:
    """Capitals, another length, other characters."""
    refuses(words.parse_hash, text)


@given(st.datetimes(timezones=st.just(UTC)))
def test_times_are_read_back(time: datetime) -> None:
    """From year 1 to 9999."""
    text = words.format_time(time)
    assert len(text) == 27
    assert words.parse_time(text) == time


@given(st.datetimes(timezones=st.just(UTC)), st.datetimes(timezones=st.just(UTC)))
def test_the_texts_of_times_sort_as_the_times_do(one: datetime, other: datetime) -> None:
    """So a window may compare them as text."""
    assert (one < other) == (words.format_time(one) < words.format_time(other))


def test_a_time_of_another_zone_is_written_in_utc() -> None:
    """Eight hours earlier than in Shanghai; one without zone has no meaning."""
    time = datetime(2026, 11, 25, 7, 32, 34, 123456, timezone(timedelta(hours=8)))
    assert words.format_time(time) == "2026-11-24T23:32:34.123456Z"
    with pytest.raises(MalformedText):
        words.format_time(time.replace(tzinfo=None))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-11-24T23:32:34.123456",
        "2026-11-24T23:32:34.123456+00:00",
        "2026-11-24T23:32:34.12345Z",
        "2026-11-24T23:32:34.1234567Z",
        "2026-11-24T23:32:34Z",
        "2026-11-24 23:32:34.123456Z",
        "2026-11-24t23:32:34.123456z",
        "2026-02-30T23:32:34.123456Z",
        "2026-11-24T24:00:00.000000Z",
        "2026-11-24T23:59:60.000000Z",
        "2026-13-24T23:32:34.123456Z",
        "0000-11-24T23:32:34.123456Z",
        "20261-1-24T23:32:34.123456Z",
        "２０２６-11-24T23:32:34.123456Z",
        "2026-11-24T23:32:34.123456Z\n",
        *NO_TEXT,
    ],
)
def test_what_is_no_time(text: object) -> None:
    """Other spellings, days and hours that don't exist, leap seconds."""
    refuses(words.parse_time, text)
