# SPDX-License-Identifier: Apache-2.0
"""`notary quarantine`: what could not become a record, tried again or dropped."""

from argparse import Namespace
from collections.abc import Mapping

from iot_ingest.feeds_file import load_feeds
from iot_ingest.redrive import redrive
from iot_ingest.senders.stage import Senders
from notary.core.errors import MalformedText
from notary.core.words import format_time
from notary.usecases import quarantine as aside
from notary.usecases.quarantine import Choice
from notary.wiring import Parts, clock


def run(arguments: Namespace, parts: Parts) -> int:
    """List what is kept, show one with its payload, try some again or drop them."""
    choice = Choice(arguments.ids or None, arguments.feed, arguments.topic, arguments.reason)
    if arguments.what == "show":
        if not choice.ids:
            raise MalformedText("notary quarantine show needs an id.")
        for id_ in choice.ids:
            _show_quarantined(aside.show_quarantined(parts.pool, id_))
        return 0
    if arguments.what == "redrive":
        return _redrive(parts, choice)
    if arguments.what == "drop":
        return _drop(parts, choice, sure=arguments.yes)
    after = 0
    while page := aside.list_quarantine(parts.pool, choice, after):
        for row in page:
            time = format_time(row["received"])
            many = f" ({row['readings']} readings)" if row["readings"] > 1 else ""
            print(f"{row['id']}  {time}  {row['reason']:16} {row['topic']}  {row['detail']}{many}")
        after = page[-1]["id"]
    for row in aside.count_quarantine(parts.pool):
        print(f"{row['reason']}: {row['kept']} kept, {row['only_counted']} only counted")
    return 0


def _show_quarantined(row: Mapping[str, object]) -> None:
    for name in ("received", "broker", "feed", "topic", "dataset", "reason", "detail"):
        print(f"{name}: {row[name]}")
    print(f"readings: {row['readings']} of the message's {row['parts']}")
    print(f"bytes: {row['size_bytes']}, of the message {abs(int(str(row['message_bytes'])))}")
    print(repr(row["payload"]))


def _redrive(parts: Parts, choice: Choice) -> int:
    settings = parts.settings
    feeds = load_feeds(settings.feeds_file, settings.max_payload_bytes)
    left = 0
    senders = Senders(parts.source_book())
    for one in redrive(parts.pool, feeds, parts.acceptor(), senders, clock, choice):
        left += one.why is not None
        said = f"{one.records} records" if one.why is None else f"stays, {': '.join(one.why)}"
        print(f"{one.id}  {said}", flush=True)
    return int(left > 0)


def _drop(parts: Parts, choice: Choice, *, sure: bool) -> int:
    if choice == type(choice)():
        raise MalformedText("Say what to drop: ids, or --feed, --topic or --reason.")
    if not sure:
        raise MalformedText("What is dropped is gone for good: add --yes.")
    dropped = 0
    while rows := aside.choose_quarantined(parts.pool, choice):
        dropped += aside.take_from_quarantine(parts.pool, [row["id"] for row in rows])
    print(f"{dropped} dropped")
    return 0
