# SPDX-License-Identifier: Apache-2.0
"""What each command does; the environment is read here, once a command."""

import os
import sys
from argparse import Namespace
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta

from notary.config import Settings
from notary.core.errors import MalformedText
from notary.core.words import format_time
from notary.store.pool import Pool
from notary.usecases.datasets import DatasetFacts
from notary.wiring import Parts, clock, connect, initialise

THREADS = 8
ALIVE_SECONDS = 15


def _settings() -> Settings:
    return Settings.from_env(os.environ)


def _parts() -> Parts:
    return connect(_settings(), pool_size=2)


def init(arguments: Namespace) -> int:
    """Make keys, secret, database and log."""
    print(initialise(_settings(), arguments.origin))
    return 0


def migrate(arguments: Namespace) -> int:
    """Apply missing migrations."""
    from notary.store.migrations import migrate as apply

    pool = Pool(_settings().database_url, size=1)
    for name in apply(pool, clock()):
        print(name)
    pool.close()
    return 0


def adopt(arguments: Namespace) -> int:
    """Tie the mark to this database."""
    from notary.usecases.registers import adopt as tie

    parts = _parts()
    tie(parts.pool, parts.marks)
    print("The mark is tied to this database.")
    return 0


def log_keys(arguments: Namespace) -> int:
    """Which keys sign the log."""
    from notary.commands.keys import run_log_keys

    return run_log_keys(arguments, _parts())


def other_keys(arguments: Namespace) -> int:
    """Which keys sign acceptances and COSE receipts."""
    from notary.commands.keys import run_other_keys

    return run_other_keys(arguments, _parts())


def recover(arguments: Namespace) -> int:
    """Say what an older database lacks, and go on from it."""
    from notary.commands.recover import run

    return run(arguments, _parts())


def departments(arguments: Namespace) -> int:
    """Whose datasets and keys there are."""
    from notary.commands.rights import run_departments

    return run_departments(arguments, _parts())


def keys(arguments: Namespace) -> int:
    """API keys. A new one is printed once, on standard output."""
    from notary.commands.rights import run_keys

    return run_keys(arguments, _parts())


def gaps(arguments: Namespace) -> int:
    """Every gap, as a line; 1 when there is one."""
    from notary.usecases.datasets import list_all_datasets
    from notary.usecases.gaps import gaps_of_source
    from notary.usecases.rights import NotFound

    pool = _parts().pool
    dataset = next((one for one in list_all_datasets(pool) if one.name == arguments.dataset), None)
    if dataset is None:
        raise NotFound(f"There is no dataset {arguments.dataset} here.")
    seconds = arguments.seconds or _expected_seconds(dataset.name)
    interval = None if seconds is None else timedelta(seconds=seconds)
    since = None if arguments.since is None else _moment(arguments.since)
    number = 0
    for name in _sources(pool, dataset, arguments.source):
        for gap in gaps_of_source(pool, dataset, name, interval, since, clock()):
            number += 1
            unit = "s" if gap.first is None else f"numbers ({gap.first} to {gap.last})"
            lasts = ", and lasts" if gap.after is None else ""
            print(
                f"{name}  {gap.kind:8} {gap.size} {unit}  after n = {gap.before.n} "
                f"({format_time(gap.before.received)}){lasts}"
            )
    print(f"{number} gaps")
    if interval is None:
        print("Silence was not looked for: say --seconds.", file=sys.stderr)
    return int(number > 0)


def _expected_seconds(dataset: str) -> int | None:
    """The interval at which the feeds of a dataset should send, where they agree on one."""
    from iot_ingest.feeds_file import load_feeds

    feeds = load_feeds(_settings().feeds_file).all
    expected = {feed.interval_seconds for feed in feeds if feed.dataset in (None, dataset)} - {None}
    return expected.pop() if len(expected) == 1 else None


def _sources(pool: Pool, dataset: DatasetFacts, only: str | None) -> Iterator[str]:
    from notary.usecases.look import list_sources

    if only is not None:
        yield only
        return
    after = ""
    while rows := list_sources(pool, dataset, after, 1000):
        after = str(rows[-1]["source"])
        yield from (str(row["source"]) for row in rows)


def _moment(text: str) -> datetime:
    moment: datetime | None = None
    with suppress(ValueError):
        moment = datetime.fromisoformat(text)
    if moment is None or moment.tzinfo is None:
        raise MalformedText(f"{text} is not a time with its zone, as 2026-11-24T00:00:00Z is.")
    return moment


def sources(arguments: Namespace) -> int:
    """Who may send to a dataset, and by which keys it is known."""
    from notary.commands.sources import run

    return run(arguments, _parts())


def quarantine(arguments: Namespace) -> int:
    """What could not become a record."""
    from notary.commands.quarantine import run

    return run(arguments, _parts())


def trust(arguments: Namespace) -> int:
    """Print the trust file, to be published elsewhere."""
    sys.stdout.write(_parts().trust())
    return 0


def audit(arguments: Namespace) -> int:
    """0 when nothing differs, 1 when something does."""
    from notary.usecases import scope
    from notary.usecases.audit import audit as recompute
    from notary.usecases.audit import describe

    if arguments.scope:
        print("\n".join(f"covered      {name}" for name in scope.covered_columns()))
        print(
            "\n".join(f"not covered  {name}: {why}" for name, why in scope.other_columns().items())
        )
        return 0
    parts = _parts()

    def progress(records: int) -> None:
        print(f"\r{records:,} records", end="", file=sys.stderr, flush=True)

    report = recompute(parts.pool, parts.marks, parts.ledgers, progress)
    if sys.stderr.isatty():
        print(file=sys.stderr)
    print("\n".join(describe(report)))
    return 1 if report.findings else 0


def config(arguments: Namespace) -> int:
    """The settings, secrets left out; or every fault of them, the feeds and the ledgers at once."""
    from notary.commands.settings import run

    return run(arguments)


def anchors(arguments: Namespace) -> int:
    """What is on which ledger; who has the keys for writing asks by them."""
    from notary.commands import deploy
    from notary.commands.anchors import run

    settings = _settings()
    if arguments.what == "deploy":
        return deploy.run(settings.feeds_file, arguments.names)
    writes = os.access(settings.ledger_key, os.R_OK)
    return run(arguments, connect(settings, writes_ledger=writes, pool_size=2))


def grants(arguments: Namespace) -> int:
    """What departments may read of each other's datasets."""
    from notary.commands.rights import run_grants

    return run_grants(arguments, _parts())


def datasets(arguments: Namespace) -> int:
    """All datasets of this notary; or what is said of one."""
    from notary.commands.rights import run_datasets

    return run_datasets(arguments, _parts())


def erase(arguments: Namespace) -> int:
    """Erase the content of a record or a version."""
    from notary.commands.erase import run

    return run(arguments, _parts())


def web(arguments: Namespace) -> int:
    """Become gunicorn."""
    settings = _settings()
    command = [sys.executable, "-m", "gunicorn", "--bind", f"{settings.host}:{settings.port}"]
    command += [*gunicorn_options(settings.workers), "notary.wsgi:make()"]
    sys.stdout.flush()
    os.execv(sys.executable, command)


def gunicorn_options(workers: int) -> list[str]:
    """
    How gunicorn serves. Threads, so that one slow caller holds up no other; a proxy that
    ends TLS and waits for slow bodies belongs before it (docs/operations.md). Asked to stop,
    it ends within the ten seconds that containers are given; an upload that is cut is sent again.
    """
    memory = ["--worker-tmp-dir", "/dev/shm"] if os.path.isdir("/dev/shm") else []
    return [
        *("--worker-class", "notary.server.Worker"),
        *("--workers", str(workers), "--threads", str(THREADS)),
        *("--timeout", "60", "--graceful-timeout", "8"),
        *("--log-level", "warning", "--no-control-socket"),
        *memory,
    ]


def ingest(arguments: Namespace) -> int:
    """Take in readings until SIGTERM; or look whether the process that does gets on."""
    if arguments.check:
        return _check_ingest(_settings())
    from iot_ingest.main import run

    return run(_settings())


def _check_ingest(settings: Settings) -> int:
    """1 where the process was not seen at work for ALIVE_SECONDS, or never."""
    file = settings.ingest_alive
    touched = file.stat().st_mtime if file.exists() else None
    age = None if touched is None else clock().timestamp() - touched
    if age is not None and age <= ALIVE_SECONDS:
        print("ingest gets on with its work.")
        return 0
    when = "was never seen at work" if age is None else f"was last seen at work {age:.0f} s ago"
    print(f"ingest {settings.mqtt_client_id} {when}; /statusz tells why.", file=sys.stderr)
    return 1


def sealer(arguments: Namespace) -> int:
    """Seal, sign and anchor until SIGTERM."""
    from notary.sealer import run

    return run(_settings())


def simulate(arguments: Namespace) -> int:
    """Send made-up readings until each is answered; nothing but a broker is needed."""
    from iot_simulator.command import run
    from notary.commands.settings import mqtt_settings

    settings = mqtt_settings()
    tls = (settings.mqtt_ca_file, settings.mqtt_client_cert, settings.mqtt_client_key)
    return run(arguments, settings.mqtt_url, tls, clock)


def publish(arguments: Namespace) -> int:
    """Hand in a file over HTTP, as a client."""
    from notary.publishing.command import run

    return run(arguments, os.environ)


def receipt(arguments: Namespace) -> int:
    """A receipt in another format; only a COSE receipt needs settings, and no database."""
    from notary.receipt_commands import run

    return run(arguments, os.environ)


def log(arguments: Namespace) -> int:
    """Follow a notary's log as an outsider; needs no settings and no database."""
    from notary.log_commands import run

    return run(arguments, os.environ)


def witness(arguments: Namespace) -> int:
    """Be another party that cosigns; needs no settings and no database server."""
    from notary.witness.command import run

    return run(arguments, clock)


def monitor(arguments: Namespace) -> int:
    """Follow a notary from outside; needs no settings and no database server."""
    from notary.evidence.online import online_checkers
    from notary.monitor.command import run

    return run(arguments, os.environ, clock, online_checkers)


def unreachable(arguments: Namespace) -> int:
    """`verify` is taken before the parser, so that it needs no package."""
    raise MalformedText("notary verify RECEIPT --trust FILE")
