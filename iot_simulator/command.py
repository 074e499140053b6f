# SPDX-License-Identifier: Apache-2.0
"""`notary simulate`: its options, and what they become."""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from random import SystemRandom
from typing import Final

from iot_simulator.order import Chances
from iot_simulator.plan import TOPIC, Plan
from notary.core.errors import MalformedText

EARLIEST: Final = datetime(1990, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(2200, 1, 1, tzinfo=UTC)


def plan_of(arguments: Namespace) -> Plan:
    """
    The plan that the options ask for.

    Raises:
        MalformedText: with a sentence for each that is wrong.
    """
    seed = SystemRandom().randrange(1_000_000) if arguments.seed is None else arguments.seed
    formats = tuple(arguments.format or ("json",))
    return Plan(
        dataset=arguments.dataset,
        seed=seed,
        formats=formats,
        gateways=len(formats) if arguments.gateways is None else arguments.gateways,
        rate=arguments.rate,
        count=1 if arguments.feeds and arguments.seconds is None else arguments.count,
        seconds=arguments.seconds,
        pack=arguments.pack,
        chances=Chances(arguments.duplicates, arguments.reorder, arguments.late, arguments.bad),
        skew=arguments.skew,
        topic=arguments.topic or TOPIC,
        acceptances=arguments.acceptances,
        answers=arguments.answers,
        window=arguments.window,
        again=arguments.again,
        patience=arguments.patience,
    )


def run(
    arguments: Namespace,
    url: str,
    tls: tuple[Path | None, Path | None, Path | None],
    clock: Callable[[], datetime],
) -> int:
    """Simulate, or print the feeds; `tls` are authorities, certificate and its key."""
    from iot_simulator.feeds import write_feeds
    from iot_simulator.mqtt import find_broker
    from iot_simulator.run import simulate

    plan = plan_of(arguments)
    if arguments.feeds:
        sys.stdout.write(write_feeds(plan))
        return 0
    broker, begin = find_broker(arguments.broker or url, *tls), _moment(arguments.begin)
    return simulate(plan, arguments.list, broker, clock, begin)


def _moment(text: str | None) -> datetime | None:
    """A time with its zone, in UTC. Raises MalformedText."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None and EARLIEST <= moment <= LATEST:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise MalformedText(
        "--begin must be a time with its zone, such as 2026-11-24T00:00:00Z, from 1990 to 2200."
    )


def add_arguments(parser: ArgumentParser) -> None:
    """What `notary simulate` takes."""
    add = parser.add_argument
    add("--dataset", required=True, help="whose readings they are to be")
    add("--broker", metavar="URL", help="mqtt[s]://user:password@host:port; else NOTARY_MQTT_URL")
    add("--format", action="append", metavar="NAME", help="json unless set; again for more")
    add("--gateways", type=int, metavar="N", help="as many as formats unless set")
    add("--rate", type=float, default=1.0, metavar="PER_SECOND", help="readings of each gateway")
    add("--count", type=int, metavar="N", help="readings of each gateway, those of the list too")
    add("--seconds", type=float, metavar="S", help="instead: send for so long")
    add("--pack", type=int, default=1, metavar="N", help="readings in a message, where it holds")
    add("--list", type=Path, metavar="FILE", help="keep what was sent and answered; go on with it")
    add("--seed", type=int, metavar="N", help="the same seed simulates the same")
    add("--begin", metavar="TIME", help="when the first reading was taken; now unless set")
    for name, what in (
        ("duplicates", "a message is sent twice"),
        ("reorder", "a message changes places with the next"),
        ("late", "a message is held back"),
        ("bad", "a message is spoilt, and must be refused"),
    ):
        add(f"--{name}", type=float, default=0.0, metavar="P", help=f"how probable: {what}")
    add("--skew", type=float, default=0.0, metavar="SECONDS", help="clocks are wrong by up to")
    add("--topic", metavar="TEMPLATE", help="with {dataset}, {source}, {format}")
    add("--acceptances", default="response", help="response, fixed, reply or off, as the feed has")
    add("--answers", metavar="TEMPLATE", help="the topic of answers: response or fixed")
    add("--window", type=int, default=500, metavar="N", help="unanswered messages of a gateway")
    add("--again", type=float, default=10.0, metavar="SECONDS", help="unanswered: sent again after")
    add("--patience", type=float, default=300.0, metavar="SECONDS", help="without any answer: end")
    add("--feeds", action="store_true", help="print the feeds for notary.toml, and send nothing")
