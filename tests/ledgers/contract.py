# SPDX-License-Identifier: Apache-2.0
"""
What every ledger must do (notary/ledgers/port.py).

An adapter's test inherits `LedgerContract` and gives it the fixtures `ledger` (empty) and
`reopened` (a function: the same ledger as another process finds it).
"""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest

from notary.ledgers.port import Anchorable, Ledger, LedgerRefused, LedgerUnavailable, anchorable

NOW = datetime(2031, 3, 5, 6, 7, 8, 123456, tzinfo=UTC)
ORIGIN = "notary.example/log"
OTHER = "other.example/log"


def checkpoint(size: int, origin: str = ORIGIN) -> Anchorable:
    """A made-up checkpoint of a log."""
    return anchorable(origin, size, sha256(f"{origin} {size}".encode()).digest())


class LedgerContract:
    """The promises of the port, each with a test that tries to break it."""

    def test_what_was_submitted_is_verified(self, ledger: Ledger) -> None:
        """Submitted, it is read back in the end."""
        ledger.submit(checkpoint(3), None, NOW)
        assert ledger.confirm(checkpoint(3), None) == "verified"

    def test_what_was_submitted_is_there_after_a_restart(
        self, ledger: Ledger, reopened: Callable[[], Ledger]
    ) -> None:
        """Durable before `submit` returned."""
        ledger.submit(checkpoint(3), None, NOW)
        evidence = ledger.evidence(checkpoint(3), None)
        assert reopened().confirm(checkpoint(3), None) == "verified"
        assert reopened().evidence(checkpoint(3), None) == evidence

    def test_submitting_again_changes_nothing(
        self, ledger: Ledger, reopened: Callable[[], Ledger]
    ) -> None:
        """Idempotent, in this process and in the next, at another time too."""
        ledger.submit(checkpoint(3), None, NOW)
        before = ledger.evidence(checkpoint(3), None)
        ledger.submit(checkpoint(3), None, NOW + timedelta(days=1))
        reopened().submit(checkpoint(3), None, NOW + timedelta(days=2))
        assert reopened().evidence(checkpoint(3), None) == before

    def test_another_root_for_a_known_size_is_refused(
        self, ledger: Ledger, reopened: Callable[[], Ledger]
    ) -> None:
        """A fork: never taken, never called unavailable, whoever comes with it."""
        ledger.submit(checkpoint(3), None, NOW)
        forked = replace(checkpoint(3), root=bytes(32))
        for who in (ledger, reopened()):
            with pytest.raises(LedgerRefused):
                who.submit(forked, None, NOW)
        assert ledger.confirm(checkpoint(3), None) == "verified"
        assert ledger.newest(ORIGIN) == (3, checkpoint(3).root)

    def test_another_root_is_never_confirmed(self, ledger: Ledger) -> None:
        """Asked for a root that it doesn't hold, it doesn't say verified."""
        ledger.submit(checkpoint(3), None, NOW)
        forked = replace(checkpoint(3), root=bytes(32))
        with suppress(LedgerRefused):
            assert ledger.confirm(forked, None) != "verified"
        with pytest.raises((LedgerRefused, LedgerUnavailable)):
            ledger.evidence(forked, None)

    def test_what_was_never_submitted_is_unknown(self, ledger: Ledger) -> None:
        """Not verified, not failed, and there is no evidence of it."""
        ledger.submit(checkpoint(3), None, NOW)
        assert ledger.confirm(checkpoint(4), None) == "unknown"
        with pytest.raises(LedgerUnavailable):
            ledger.evidence(checkpoint(4), None)

    def test_another_logs_size_is_not_ours(self, ledger: Ledger) -> None:
        """Two logs may have the same size with different roots."""
        ledger.submit(checkpoint(3), None, NOW)
        assert ledger.confirm(checkpoint(3, OTHER), None) == "unknown"
        ledger.submit(checkpoint(3, OTHER), None, NOW)
        assert ledger.confirm(checkpoint(3, OTHER), None) == "verified"
        assert ledger.confirm(checkpoint(3), None) == "verified"

    def test_the_newest_is_the_largest_of_this_log(
        self, ledger: Ledger, reopened: Callable[[], Ledger]
    ) -> None:
        """Not the last one that came, and not another log's."""
        assert ledger.newest(ORIGIN) is None
        for what in (checkpoint(3), checkpoint(7), checkpoint(5), checkpoint(99, OTHER)):
            ledger.submit(what, None, NOW)
        for who in (ledger, reopened()):
            assert who.newest(ORIGIN) == (7, checkpoint(7).root)
            assert who.newest("third.example/log") is None

    def test_evidence_is_plain_json(self, ledger: Ledger) -> None:
        """Strings and integers, for a receipt that is read in ten years."""

        def plain(value: object) -> bool:
            if isinstance(value, dict):
                return all(isinstance(key, str) and plain(item) for key, item in value.items())
            if isinstance(value, list):
                return all(map(plain, value))
            return type(value) in (str, int)

        ledger.submit(checkpoint(3), None, NOW)
        evidence = ledger.evidence(checkpoint(3), None)
        assert plain(dict(evidence))
        assert json.loads(json.dumps(evidence)) == evidence

    def test_no_name_goes_out(self, ledger: Ledger) -> None:
        """The evidence holds the origin's hash, never the origin of the log."""
        ledger.submit(checkpoint(3), None, NOW)
        assert ORIGIN not in json.dumps(ledger.evidence(checkpoint(3), None))

    def test_it_says_who_it_is(self, ledger: Ledger) -> None:
        """Name, kind and trust are what the trust file needs."""
        assert ledger.name
        assert ledger.kind
        assert ledger.trust()
