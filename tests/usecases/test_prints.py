# SPDX-License-Identifier: Apache-2.0
"""Prints by which keys are known again: a source's lie together, and tell its keys apart."""

from notary.usecases.prints import key_print, source_prints

SECRET = bytes(range(32))


def prints(label: str, secret: bytes = SECRET, dataset: int = 1) -> list[int]:
    """Those of a thousand keys of a source."""
    source = source_prints(secret, dataset, label)
    found = [key_print(secret, source, f"{number}", None) for number in range(1_000)]
    return [one for one in found if one is not None]


def test_prints_of_a_source_have_one_place_in_the_index() -> None:
    """A pack of readings touches a page or two: all begin with the same two bytes."""
    assert len({one >> 48 for one in prints("s1")}) == 1
    assert len({source_prints(SECRET, 1, f"s{number}").place for number in range(100)}) > 90


def test_each_key_has_a_print_of_its_own() -> None:
    """Another key, source, dataset or secret: another print, in the 64 bits of the database."""
    others = (prints("s2"), prints("s1", dataset=2), prints("s1", secret=bytes(32)))
    all_of_them = [one for some in (prints("s1"), *others) for one in some]
    assert len(set(all_of_them)) == 4_000
    assert all(-(2**63) <= one < 2**63 for one in all_of_them)


def test_a_time_is_no_key() -> None:
    """The time counts where there is no key; with neither there is no print."""
    source = source_prints(SECRET, 1, "s1")
    by_key, by_time = (key_print(SECRET, source, *one) for one in (("7", None), (None, "7")))
    assert by_key != by_time
    assert key_print(SECRET, source, "7", "later") == by_key
    assert key_print(SECRET, source, None, None) is None
