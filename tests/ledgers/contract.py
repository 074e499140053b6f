# SPDX-License-Identifier: Apache-2.0
"""
What every ledger must do (notary/ledgers/port.py).

An adapter's test inherits `LedgerContract` and gives it the fixtures `ledger` (empty) and
`reopened` (a function: the same ledger as another process finds it). Where an adapter asks for
the log's growth it gets it from `around`. `ripen` is called between two confirms: a test of a
ledger that needs time lets it pass there.
"""

import json
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import ClassVar

import pytest

from notary.core.hashing import leaf_hash
from notary.core.tree import consistency_path, root
from notary.ledgers.port import (
    Anchorable,
    Ledger,
    LedgerRefused,
    LedgerUnavailable,
    Surroundings,
    anchorable,
)

NOW = datetime(2031, 3, 5, 6, 7, 8, 123456, tzinfo=UTC)
ORIGIN = "notary.example/log"
OTHER = "other.example/log"
MOST_CONFIRMS = 200


@cache
def leaves(origin: str = ORIGIN) -> list[bytes]:
    """The leaves of a made-up log."""
    return [leaf_hash(f"{origin} {index}".encode()) for index in range(128)]


def checkpoint(size: int, origin: str = ORIGIN) -> Anchorable:
    """A checkpoint of a made-up log of at most 128 leaves, which only grew."""
    return anchorable(origin, size, root(leaves(origin)[:size]))


def around(*, writes: bool = True, first: int | None = None) -> Surroundings:
    """The notary of that log, as an adapter sees it."""
    return Surroundings(
        growth=lambda old, new: consistency_path(leaves()[:new], old),
        root=lambda size: root(leaves()[:size]),
        first=lambda ledger: first,
        writes=writes,
    )


class LedgerContract:
    """The promises of the port, each with a test that tries to break it."""

    remembers: ClassVar[bool] = True
    """Whether the ledger itself can be asked; false where only a reference finds an anchor."""

    def ripen(self) -> None:
        """Let the ledger get on with what it was handed."""
        time.sleep(0.02)

    def anchored(self, ledger: Ledger, what: Anchorable, now: datetime = NOW) -> str:
        """Hand over, and confirm until it is verified, as the sealer does; the reference."""
        reference = ledger.submit(what, None, now)
        states = []
        for _ in range(MOST_CONFIRMS):
            states.append(ledger.confirm(what, reference))
            if states[-1] == "verified":
                return reference
            if states[-1] == "unknown":
                reference = ledger.submit(what, reference, now)
            assert states[-1] != "failed"
            self.ripen()
        raise AssertionError(f"never verified: {states}")

    def test_what_was_submitted_is_verified(self, ledger: Ledger) -> None:
        """Submitted, it is read back in the end, and stays."""
        reference = self.anchored(ledger, checkpoint(3))
        assert ledger.confirm(checkpoint(3), reference) == "verified"

    def test_what_was_submitted_is_there_after_a_restart(
        self, ledger: Ledger, reopened: Callable[[], Ledger]
    ) -> None:
        """Durable before `submit` returned; the evidence is always the same."""
        reference = self.anchored(ledger, checkpoint(3))
        evidence = ledger.evidence(checkpoint(3), reference)
        other = reopened()
        assert other.confirm(checkpoint(3), reference) == "verified"
        assert other.evidence(checkpoint(3), reference) == evidence

    def test_a_lost_reference_is_found_out(
        self, ledger: Ledger, reopened: Callable[[], Ledger]
    ) -> None:
        """After a crash nobody has it: handed over again, it stands there once."""
        self.anchored(ledger, checkpoint(3))
        other = reopened()
        reference = self.anchored(other, checkpoint(3))
        assert other.confirm(checkpoint(3), reference) == "verified"

    def test_submitting_again_changes_nothing(
        self, ledger: Ledger, reopened: Callable[[], Ledger]
    ) -> None:
        """Idempotent, in this process and in the next, at another time too."""
        reference = self.anchored(ledger, checkpoint(3))
        before = ledger.evidence(checkpoint(3), reference)
        again = ledger.submit(checkpoint(3), reference, NOW + timedelta(days=1))
        other = reopened()
        again = other.submit(checkpoint(3), again, NOW + timedelta(days=2))
        assert other.confirm(checkpoint(3), again) == "verified"
        assert other.evidence(checkpoint(3), again) == before

    def test_another_root_for_a_known_size_is_refused(
        self, ledger: Ledger, reopened: Callable[[], Ledger]
    ) -> None:
        """A fork: never taken, never called unavailable, whoever comes with it."""
        if not self.remembers:
            return
        reference = self.anchored(ledger, checkpoint(3))
        forked = replace(checkpoint(3), root=bytes(32))
        for who in (ledger, reopened()):
            with pytest.raises(LedgerRefused):
                who.submit(forked, None, NOW)
        assert ledger.confirm(checkpoint(3), reference) == "verified"
        assert ledger.newest(ORIGIN) == (3, checkpoint(3).root)

    def test_another_root_is_never_confirmed(self, ledger: Ledger) -> None:
        """Asked for a root that it doesn't hold, it doesn't say verified."""
        reference = self.anchored(ledger, checkpoint(3))
        forked = replace(checkpoint(3), root=bytes(32))
        for known in (reference, None):
            with suppress(LedgerRefused, LedgerUnavailable):
                assert ledger.confirm(forked, known) != "verified"
            with pytest.raises((LedgerRefused, LedgerUnavailable)):
                ledger.evidence(forked, known)

    def test_anothers_reference_confirms_nothing(self, ledger: Ledger) -> None:
        """The reference of one size is no word for another one."""
        reference = self.anchored(ledger, checkpoint(3))
        with suppress(LedgerRefused, LedgerUnavailable):
            assert ledger.confirm(checkpoint(4), reference) != "verified"
        with pytest.raises((LedgerRefused, LedgerUnavailable)):
            ledger.evidence(checkpoint(4), reference)

    @pytest.mark.parametrize("reference", ["", "x", "0x", "{}", "null", "0" * 64, "\N{SNOWMAN}"])
    def test_a_reference_that_is_none_confirms_nothing(
        self, ledger: Ledger, reference: str
    ) -> None:
        """What a damaged database hands back ends in a clear answer."""
        with suppress(LedgerRefused, LedgerUnavailable):
            assert ledger.confirm(checkpoint(3), reference) in ("unknown", "submitted")
        with pytest.raises((LedgerRefused, LedgerUnavailable)):
            ledger.evidence(checkpoint(3), reference)

    def test_what_was_never_submitted_is_unknown(self, ledger: Ledger) -> None:
        """Not verified, not failed, and there is no evidence of it."""
        self.anchored(ledger, checkpoint(3))
        assert ledger.confirm(checkpoint(4), None) == "unknown"
        with pytest.raises(LedgerUnavailable):
            ledger.evidence(checkpoint(4), None)

    def test_another_logs_size_is_not_ours(self, ledger: Ledger) -> None:
        """Two logs may have the same size with different roots."""
        ours = self.anchored(ledger, checkpoint(3))
        assert ledger.confirm(checkpoint(3, OTHER), None) == "unknown"
        theirs = self.anchored(ledger, checkpoint(3, OTHER))
        assert ledger.confirm(checkpoint(3, OTHER), theirs) == "verified"
        assert ledger.confirm(checkpoint(3), ours) == "verified"

    def test_the_newest_is_the_largest_of_this_log(
        self, ledger: Ledger, reopened: Callable[[], Ledger]
    ) -> None:
        """Not another log's; another process says so once it looked, and nothing else before."""
        assert ledger.newest(ORIGIN) is None
        for what in (checkpoint(3), checkpoint(5), checkpoint(7), checkpoint(99, OTHER)):
            reference = self.anchored(ledger, what)
            if what == checkpoint(7):
                last = reference
        newest = (7, checkpoint(7).root) if self.remembers else None
        assert ledger.newest(ORIGIN) == newest
        other = reopened()
        assert other.newest(ORIGIN) in (None, newest)
        assert other.confirm(checkpoint(7), last) == "verified"
        assert other.newest(ORIGIN) == newest
        assert other.newest("third.example/log") is None

    def test_a_size_that_comes_late_changes_nothing(self, ledger: Ledger) -> None:
        """5 after 7: taken, or never will be; the newest stays 7."""
        if not self.remembers:
            return
        self.anchored(ledger, checkpoint(3))
        self.anchored(ledger, checkpoint(7))
        reference = ledger.submit(checkpoint(5), None, NOW)
        for _ in range(MOST_CONFIRMS):
            state = ledger.confirm(checkpoint(5), reference)
            if state in ("verified", "failed"):
                break
            self.ripen()
        assert state in ("verified", "failed")
        assert ledger.newest(ORIGIN) == (7, checkpoint(7).root)

    def test_evidence_is_plain_json(self, ledger: Ledger) -> None:
        """Strings and integers, for a receipt that is read in ten years."""

        def plain(value: object) -> bool:
            if isinstance(value, dict):
                return all(isinstance(key, str) and plain(item) for key, item in value.items())
            if isinstance(value, list):
                return all(map(plain, value))
            return type(value) in (str, int)

        evidence = ledger.evidence(checkpoint(3), self.anchored(ledger, checkpoint(3)))
        assert plain(dict(evidence))
        assert json.loads(json.dumps(evidence)) == evidence

    def test_no_name_goes_out(self, ledger: Ledger) -> None:
        """The evidence holds the origin's hash, never the origin of the log."""
        reference = self.anchored(ledger, checkpoint(3))
        assert ORIGIN not in json.dumps(ledger.evidence(checkpoint(3), reference))

    def test_it_says_who_it_is(self, ledger: Ledger) -> None:
        """Name, kind and what it found at a look are what people and the trust file need."""
        assert ledger.name
        assert ledger.kind
        found = ledger.probe()
        assert found
        assert all(type(value) in (str, int, bool) for value in found.values())
        assert ledger.newest(ORIGIN) is None
