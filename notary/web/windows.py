# SPDX-License-Identifier: Apache-2.0
"""The span of records that a source's page is asked for, and what of it can be downloaded."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from flask import request

from notary.api.errors import detail_of
from notary.api.language import say
from notary.api.services import services
from notary.core.errors import MalformedText
from notary.core.window_format import Asked, parse_asked
from notary.core.words import format_time
from notary.usecases.datasets import DatasetFacts
from notary.usecases.prove import NotYet
from notary.usecases.prove_window import Run, WindowProver, WindowTooLong
from notary.usecases.rights import NotFound

MOST_DIGITS: Final = 15
MOST_CHARACTERS: Final = 64
DAY_CHARACTERS: Final = 10
SHOWN_AT_FIRST: Final = 100
"""So many of the newest records the form asks for before anything is filled in."""


@dataclass(frozen=True, slots=True)
class Span:
    """
    A span as it stands in the form, and what came of it: the records that its window carries
    (`run`), the addresses to download, or `said`, why there is nothing.
    """

    by: str
    start: str
    stop: str
    said: str | None = None
    run: Run | None = None
    is_closed: bool = False
    window: Mapping[str, Any] | None = None
    payloads: Mapping[str, Any] | None = None


def span_asked(facts: DatasetFacts, source: Mapping[str, Any]) -> Span | None:
    """What the page's address asks for (`by`, `from`, `to`); None where it asks for nothing."""
    by = request.args.get("by", "")
    if by not in READERS:
        return None
    start, stop = (request.args.get(name, "").strip()[:MOST_CHARACTERS] for name in ("from", "to"))
    asked = READERS[by](start, stop)
    if asked is None:
        return Span(by, start, stop, say("page.window-unread"))
    prover = WindowProver(services().pool, services().prover)
    try:
        proof = prover.window(facts, source["source"], asked)
    except NotFound:
        return Span(by, start, stop, say("page.window-none"))
    except NotYet:
        return Span(by, start, stop, say("page.window-later"))
    except WindowTooLong as error:
        return Span(by, start, stop, detail_of(error.code, error.facts))
    run = proof.run
    chain = {"chain": run.chain} if run.chain else {}
    return Span(
        by,
        start,
        stop,
        run=run,
        is_closed=proof.is_closed,
        window={"by": asked.by, "from": asked.start, "to": asked.stop, **chain},
        payloads={"first": run.first, "last": run.last, **chain},
    )


def first_span(source: Mapping[str, Any]) -> dict[str, str]:
    """What the form holds before it is filled in: the newest records, and the last day of them."""
    newest = _local(source["received"])
    begin = newest.replace(hour=0, minute=0, second=0)
    return {
        "first": str(max(0, source["n"] - SHOWN_AT_FIRST + 1)),
        "last": str(source["n"]),
        "from": begin.isoformat(timespec="seconds"),
        "to": newest.isoformat(timespec="seconds"),
        **_last_day(source["observed"] or ""),
    }


def _last_day(observed: str) -> dict[str, str]:
    """The day of a sender's time and the next one, where it begins with a date."""
    try:
        day = date.fromisoformat(observed[:DAY_CHARACTERS])
        return {"day": day.isoformat(), "next_day": (day + timedelta(days=1)).isoformat()}
    except (ValueError, OverflowError):
        return {"day": "", "next_day": ""}


def _by_n(start: str, stop: str) -> Asked | None:
    """Both records are meant to be inside."""
    ends = [text for text in (start, stop) if text.isascii() and text.isdigit()]
    if len(ends) < 2 or max(map(len, ends)) > MOST_DIGITS or int(start) > int(stop):
        return None
    return Asked("n", int(start), int(stop) + 1)


def _by_received(start: str, stop: str) -> Asked | None:
    begin, end = _moment(start), _moment(stop)
    return None if begin is None or end is None or begin >= end else Asked("received", begin, end)


def _by_observed(start: str, stop: str) -> Asked | None:
    """As texts: a sender's times are what it sent, and are compared as that."""
    try:
        return parse_asked({"by": "observed", "from": start, "to": stop}) if start < stop else None
    except MalformedText:
        return None


READERS: Final = {"n": _by_n, "received": _by_received, "observed": _by_observed}
"""How the two ends are read, by what they are."""


def _moment(text: str) -> str | None:
    """A time as statements have it; one without its zone is where the city is."""
    try:
        moment = datetime.fromisoformat(text)
        zone = moment.tzinfo or services().timezone
        return format_time(moment.replace(tzinfo=zone).astimezone(UTC))
    except (ValueError, OverflowError):
        return None


def _local(time: datetime) -> datetime:
    return time.astimezone(services().timezone).replace(tzinfo=None)
