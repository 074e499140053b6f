# SPDX-License-Identifier: Apache-2.0
"""
Following the log itself: checkpoints, consistency, entries and tiles, all recomputed.

1. The checkpoint is fetched and its signatures are checked.
2. It is held against the one remembered: a state that an append-only log can't have leaves a
   `fork/1` file.
3. New entries are fetched and hashed into the tree that is kept here; its root must be the
   checkpoint's. So what was there before is unchanged.
4. Every new tile must be the tree's. Then, and only then, the checkpoint is remembered.
"""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from notary.core.errors import ForkRefused, LogForked, MalformedTile, NotaryError, RootMismatch
from notary.core.fork import check_growth
from notary.core.receipt_signers import Signed, check_checkpoint
from notary.core.recovery import recoveries_of
from notary.core.tiles import TILE_WIDTH, widths
from notary.core.trust import Trust
from notary.core.words import format_time, parse_time
from notary.monitor.alarms import Alarms
from notary.monitor.errors import MonitorRefused
from notary.monitor.state import State
from notary.outside.errors import BadAnswer, Unreachable
from notary.outside.notary import Notary
from notary.outside.web import AGAIN
from notary.remembered import keep_fork

COMMIT_SECONDS: Final = 1.0
TRIES: Final = 2


class Committer:
    """Commits now and then, so that a long way is not gone twice."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._last = time.monotonic()

    def now_and_then(self) -> None:
        """Commit, if it is a while since."""
        if time.monotonic() - self._last >= COMMIT_SECONDS:
            self._state.checkpoint()
            self._last = time.monotonic()


def remembered(state: State, trust: Trust) -> Signed | None:
    """
    The newest checkpoint that the log was followed to; None: there is none, or the key that
    signed it was given up since, so that its size and root alone still count.

    Raises:
        MonitorRefused: other-trust: the trust file is another log's.
    """
    note = state.get("note")
    if note is None:
        return None
    try:
        return check_checkpoint(note, trust)
    except NotaryError as error:
        origin = state.get("origin")
        if any(log.origin == origin for log in trust.logs):
            return None
        raise MonitorRefused("other-trust", origin=origin, why=error.detail) from None


class Follower:
    """One look at the log, at `now`; inside `with state:`."""

    def __init__(
        self, state: State, notary: Notary, trust: Trust, alarms: Alarms, now: datetime
    ) -> None:
        self._state = state
        self._notary = notary
        self._trust = trust
        self._alarms = alarms
        self._now = now
        self._note = ""

    def follow(self) -> Signed | None:
        """
        Follow the log to the checkpoint that it shows; None: it couldn't be, an alarm says why.

        Raises:
            Unreachable: nobody is there.
            MonitorRefused: nothing-signed, other-trust, closed.
        """
        known = remembered(self._state, self._trust)
        signed = self._fetch(known)
        if signed is None:
            return None
        state, alarms, size = self._state, self._alarms, signed.checkpoint.size
        followed = state.number("size")
        if known is None and size <= followed and state.root(size) != signed.checkpoint.root:
            alarms.sound("rewritten", "entries", what="entries", size=size)
            return None
        if size < followed:
            if known is None or self._is_consistent(signed, known):
                alarms.sound("went-back", size=size, shown=followed)
            return None
        alarms.whole("went-back")
        if known is not None and size == followed:
            if not self._is_consistent(known, signed):
                return None
        elif not self._grow(known, signed):
            return None
        self._remember(known, signed)
        return signed

    def _fetch(self, known: Signed | None) -> Signed | None:
        """Step 1."""
        alarms = self._alarms
        try:
            self._note = self._notary.checkpoint()
        except BadAnswer as error:
            if error.status in AGAIN or error.reason in ("slow", "cut-off"):
                # It is slow, or a proxy speaks for it: that says nothing of the log.
                url, why = self._notary.web.address.url, f"{error.reason}, HTTP {error.status}"
                raise Unreachable("away", url=url, why=why) from None
            if known is None:
                raise MonitorRefused("nothing-signed", status=error.status) from None
            _withheld(alarms, "checkpoint", error)
            return None
        alarms.whole("withheld", "checkpoint")
        try:
            signed = check_checkpoint(self._note, self._trust)
        except NotaryError as error:
            alarms.sound("bad-checkpoint", reason=error.code, why=error.detail)
            return None
        origin = self._state.get("origin")
        if origin not in (None, signed.checkpoint.origin):
            for one in recoveries_of(self._trust):
                if (one.origin, one.goes_on) == (origin, signed.checkpoint.origin):
                    raise MonitorRefused("closed", origin=origin, goes_on=one.goes_on)
            why = f"{signed.checkpoint.origin}, not {origin}"
            alarms.sound("bad-checkpoint", reason="other-origin", why=why)
            return None
        good, shown = signed.log.good, signed.checkpoint
        is_good = good is None or (good.size, good.root) == (shown.size, shown.root)
        if good is not None and not is_good and (known is None or good.size == shown.size):
            alarms.sound("bad-checkpoint", reason="not-good", why="Not the last good state.")
            return None
        alarms.whole("bad-checkpoint")
        return signed

    def _is_consistent(self, smaller: Signed, larger: Signed) -> bool:
        """
        Step 2, by the tree that is kept here. Requires `larger` to be one that was followed, or
        both to have one size.
        """
        try:
            check_growth(smaller, larger, self._state.tile)
        except LogForked as error:
            keep_proof(self._state, self._alarms, error)
            return False
        except ForkRefused as error:
            self._alarms.sound("bad-checkpoint", reason="not-good", why=error.detail)
            return False
        return True

    def _grow(self, known: Signed | None, signed: Signed) -> bool:
        """Steps 3 and 4."""
        state, size = self._state, signed.checkpoint.size
        first = state.number("size")
        for _ in range(TRIES):
            try:
                is_same = self._fetch_entries(size)
            except BadAnswer as error:
                _withheld(self._alarms, "entries", error)
                return False
            if is_same and state.root(size) == signed.checkpoint.root:
                break
            # What was fetched in an earlier look may have been wrong, and be right by now.
            state.cut(first)
        else:
            self._explain(known, signed)
            return False
        self._alarms.whole("withheld", "entries")
        self._alarms.whole("rewritten", "entries")
        try:
            wrong = self._wrong_tile(first, size)
        except BadAnswer as error:
            _withheld(self._alarms, "tiles", error)
            return False
        self._alarms.whole("withheld", "tiles")
        if wrong is not None:
            self._alarms.sound("rewritten", "tiles", what=f"tile {wrong}", size=size)
            return False
        self._alarms.whole("rewritten", "tiles")
        return True

    def _fetch_entries(self, size: int) -> bool:
        """Fetch what is missing here; False: what is here already is handed out otherwise."""
        state, committer = self._state, Committer(self._state)
        have = state.fetched()
        while have < size:
            bundle, place = divmod(have, TILE_WIDTH)
            width = min(TILE_WIDTH, size - bundle * TILE_WIDTH)
            entries = self._notary.bundle(bundle, width)
            if any(
                state.entry(bundle * TILE_WIDTH + at) != entry
                for at, entry in enumerate(entries[:place])
            ):
                return False
            for entry in entries[place:]:
                state.append(have, entry)
                have += 1
            committer.now_and_then()
        return True

    def _wrong_tile(self, first: int, size: int) -> str | None:
        """One of the tiles that are new since `first`, full or partial, that isn't the tree's."""
        wrong = None
        for level, index, width in _new_tiles(first, size):
            served = self._notary.tile(level, index, width)
            if served != self._state.tile(level, index, width):
                wrong = wrong or f"{level}/{index}"
        return wrong

    def _explain(self, known: Signed | None, signed: Signed) -> None:
        """The entries don't lead to the checkpoint: do its own tiles, and to the old one too?"""
        alarms, size = self._alarms, signed.checkpoint.size
        try:
            check_growth(known or signed, signed, self._notary.tile)
        except LogForked as error:
            keep_proof(self._state, alarms, error)
            return
        except BadAnswer as error:
            _withheld(alarms, "tiles", error)
            return
        except (RootMismatch, MalformedTile, ForkRefused):
            pass
        alarms.sound("rewritten", "entries", what="entries", size=size)

    def _remember(self, known: Signed | None, signed: Signed) -> None:
        state, checkpoint = self._state, signed.checkpoint
        now, times = format_time(self._now), witnesses_times(signed)
        if state.get("origin") is None:
            state.set(origin=checkpoint.origin, since=now)
        if known is None or known.checkpoint.size < checkpoint.size or _more(signed, known):
            state.set(note=self._note)
        state.set(size=checkpoint.size, root=checkpoint.root.hex())
        state.set(followed=max(now, state.get("since") or now, state.get("followed") or now))
        quorum = max(self._trust.quorum, 1)
        witnessed = format_time(times[quorum - 1]) if len(times) >= quorum else None
        state.do(
            "INSERT INTO seen VALUES (?, ?, ?, ?) ON CONFLICT (size) DO UPDATE SET"
            " until = max(until, excluded.until),"
            " witnessed = max(coalesce(witnessed, ''), coalesce(excluded.witnessed, ''))",
            *(checkpoint.size, now, now, witnessed),
        )


def keep_proof(state: State, alarms: Alarms, error: LogForked) -> None:
    """Keep the proof of a fork beside the state, and raise the alarm."""
    path = keep_fork(error.fork, None, state.folder)
    one, two = error.facts["one"], error.facts["two"]
    alarms.sound("fork", path.name, one=one, two=two, file=path.name)


def witnesses_times(signed: Signed) -> list[datetime]:
    """When the witnesses of the trust file cosigned, the earliest of each name, in order."""
    times: dict[str, int] = {}
    for item in signed.note.verified:
        if item.time is not None:
            times[item.verifier.name] = min(item.time, times.get(item.verifier.name, item.time))
    return [_time(seconds) for seconds in sorted(times.values())]


def check_witnesses(
    state: State, signed: Signed, trust: Trust, alarms: Alarms, now: datetime, allowed: float
) -> None:
    """An alarm where the quorum has cosigned nothing for longer than is allowed, in seconds."""
    got = len(witnesses_times(signed))
    if got >= trust.quorum:
        state.set(witnessed_at=format_time(now))
        alarms.whole("unwitnessed")
        return
    since = parse_time(state.get("witnessed_at") or state.get("since"))
    if (now - since).total_seconds() >= allowed:
        alarms.sound("unwitnessed", got=got, want=trust.quorum, since=since)


def _new_tiles(first: int, size: int) -> Iterator[tuple[int, int, int]]:
    """Level, index and width of each tile that a log of `size` has, and one of `first` hadn't."""
    for level, (full, width) in enumerate(widths(size)):
        before = first // TILE_WIDTH**level
        for index in range(before // TILE_WIDTH, full):
            yield level, index, TILE_WIDTH
        if width and full * TILE_WIDTH + width > before:
            yield level, full, width


def _more(signed: Signed, known: Signed) -> bool:
    return len(signed.note.verified) > len(known.note.verified)


def _withheld(alarms: Alarms, what: str, error: BadAnswer) -> None:
    facts = {"what": what, "reason": error.reason, "status": error.status, "path": error.path}
    alarms.sound("withheld", what, **facts)


def _time(seconds: int) -> datetime:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.max.replace(tzinfo=UTC)
