# SPDX-License-Identifier: Apache-2.0
"""
Fixtures for the real parts, the sizes (`--long`), and the NOT RUN rule (see parts.py).

| fixture              | scope   | what                                                         |
|----------------------|---------|--------------------------------------------------------------|
| `postgres`           | session | one embedded cluster; stop or kill only one of your own      |
| `database_url`       | test    | a database of the test's own, all migrations applied         |
| `empty_database_url` | test    | a database of the test's own with nothing in it              |
| `new_database`       | test    | makes more of them: `new_database()`, `new_database(empty=True)` |
| `own_postgres`       | test    | a cluster that the test may stop, kill and restart           |
| `broker`             | session | one mosquitto: users `notary` and `gateway`, see BROKER_ACL  |
| `own_broker`         | test    | a broker that the test may stop, kill and restart            |
| `open_folder`        | test    | a folder that every user can enter                           |
| `long`               | session | True under `--long`: use the sizes that the issues name      |
"""

import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import hypothesis
import psycopg2
import pytest

from notary.local.broker import Broker
from notary.local.postgres import Postgres
from notary.store.migrations import migrate
from notary.store.pool import Pool
from tests import parts

BROKER_USERS = {"notary": "notary-password", "gateway": "gateway-password"}
# Topics of tests are their own business: each takes a dataset name of its own.
BROKER_ACL = "user notary\ntopic readwrite #\n\nuser gateway\ntopic readwrite #\n"

# A slow machine is no failure: tests never assert a time.
hypothesis.settings.register_profile("notary", deadline=None, database=None)
hypothesis.settings.load_profile("notary")

_not_run = pytest.StashKey[list[str]]()
_numbers = itertools.count(1)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="run at the sizes that the issues name")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_not_run] = []
    config.pluginmanager.register(_NotRun(config), "not-run")


def pytest_runtest_setup(item: pytest.Item) -> None:
    for mark in item.iter_markers("needs"):
        parts.require(mark.args[0])


class _NotRun:
    """Collects the tests whose part was missing, names them, and fails a CI run for them."""

    def __init__(self, config: pytest.Config) -> None:
        self._names = config.stash[_not_run]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.skipped and isinstance(report.longrepr, tuple):
            reason = report.longrepr[2].removeprefix("Skipped: ")
            if reason.startswith(parts.NOT_RUN):
                what = reason.removeprefix(parts.NOT_RUN).lstrip(": ")
                self._names.append(f"{parts.NOT_RUN}: {report.nodeid}: {what}")

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self._names and os.environ.get("CI") and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        for line in self._names:
            terminalreporter.write_line(line, red=True)


@contextmanager
def _open_folder() -> Iterator[Path]:
    """Make a folder that a server's user can enter too, unlike pytest's own ones."""
    folder = Path(tempfile.mkdtemp(prefix="notary-test-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    with _open_folder() as folder:
        yield folder


@pytest.fixture(scope="session")
def long(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--long"))


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    parts.require("postgres")
    with _open_folder() as folder, Postgres.open(folder / "postgres") as server:
        yield server


@pytest.fixture(scope="session")
def _migrated(postgres: Postgres) -> str:
    """The name of a database with all migrations, to be copied."""
    _command(postgres, "CREATE DATABASE migrated")
    with closing(Pool(postgres.url_of("migrated"), size=1)) as pool:
        migrate(pool, datetime.now(UTC))
    return "migrated"


@pytest.fixture
def new_database(
    postgres: Postgres, request: pytest.FixtureRequest
) -> Iterator[Callable[..., str]]:
    made: list[str] = []

    def new(*, empty: bool = False) -> str:
        template = "template0" if empty else request.getfixturevalue("_migrated")
        name = f"test_{next(_numbers)}"
        _command(postgres, f"CREATE DATABASE {name} TEMPLATE {template}")
        made.append(name)
        return postgres.url_of(name)

    yield new
    for name in made:
        _command(postgres, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def database_url(new_database: Callable[..., str]) -> str:
    return new_database()


@pytest.fixture
def empty_database_url(new_database: Callable[..., str]) -> str:
    return new_database(empty=True)


@pytest.fixture
def own_postgres(open_folder: Path) -> Iterator[Postgres]:
    parts.require("postgres")
    with Postgres.open(open_folder / "postgres") as server:
        yield server


@pytest.fixture(scope="session")
def broker() -> Iterator[Broker]:
    parts.require("mosquitto")
    with _open_folder() as folder, _open_broker(folder) as server:
        yield server


@pytest.fixture
def own_broker(open_folder: Path) -> Iterator[Broker]:
    parts.require("mosquitto")
    with _open_broker(open_folder) as server:
        yield server


def _open_broker(folder: Path) -> Broker:
    return Broker.open(folder / "broker", users=BROKER_USERS, acl=BROKER_ACL)


def _command(postgres: Postgres, text: str) -> None:
    with closing(psycopg2.connect(postgres.url_of("postgres"))) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(text)
