# SPDX-License-Identifier: Apache-2.0
"""
The real parts that tests run on, and the rule for a part that is missing.

A test marked `needs("mosquitto")` whose part isn't here is reported as NOT RUN by name, and
the whole run fails: a test that didn't run proves nothing.
"""

import os
import secrets
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import hypothesis
import psycopg2
import pytest
from xdist.remote import Producer

from notary.local.anvil import Anvil, anvil_program
from notary.local.broker import Broker
from notary.local.pip_broker import is_installed
from notary.local.postgres import USER, Postgres
from notary.local.programs import mosquitto_program
from notary.store.migrations import migrate
from notary.store.pool import Pool
from tests.acceptance.small_disk import can_mount
from tests.by_file import ByFile
from tests.lending import Lender

ACL = """\
user notary
topic readwrite #

user gateway
topic write notary/v1/#
topic read notary/v1/+/+/down
"""
SETTINGS = {"autovacuum": "off"}
"""A server that lives for minutes needs no housekeeping, and statistics come by no chance."""
NOT_RUN: list[str] = []
WITH_TABLES: dict[Postgres, str] = {}
HERE = {
    "mosquitto": lambda: mosquitto_program() is not None,
    "iotcore": is_installed,
    "anvil": lambda: anvil_program() is not None,
    "chromium": lambda: shutil.which("chromium") is not None,
    "openssl": lambda: shutil.which("openssl") is not None,
    "npm": lambda: shutil.which("npm") is not None,
    "the right to mount": can_mount,
}
"""How it is seen that a part is here."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--long`: the sizes that the issues name."""
    parser.addoption("--long", action="store_true", help="the sizes that count")


def pytest_configure(config: pytest.Config) -> None:
    """A shell's job in the background ignores Ctrl-C, and so would all that it starts."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # These machines are shared: no example of a property fails for the time that it took.
    examples = 1_000 if config.getoption("--long") else 100
    hypothesis.settings.register_profile("shared", deadline=None, max_examples=examples)
    hypothesis.settings.load_profile("shared")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByFile:
    """What hands tests out to workers."""
    return ByFile(config, log)


def pytest_collection_finish() -> None:
    """Packages of tests (py_ecc, py-evm) raise it: deep JSON would then end the whole worker."""
    sys.setrecursionlimit(1_000)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Name a test whose real part is missing."""
    for marker in item.iter_markers("needs"):
        for part in marker.args:
            if not HERE[part]():
                pytest.skip(f"NOT RUN: {part} is missing")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave further cases to long runs; pytest tells how many it left out."""
    if not config.getoption("--long"):
        further = [item for item in items if item.get_closest_marker("long")]
        if further:
            config.hook.pytest_deselected(items=further)
            items[:] = [item for item in items if item not in set(further)]


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Note a test that did not run, whichever worker tells it."""
    why = report.longrepr[2] if isinstance(report.longrepr, tuple) else ""
    if report.skipped and "NOT RUN: " in why:
        NOT_RUN.append(f"{report.nodeid}: {why.rpartition('NOT RUN: ')[2]}")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A run in which something did not run has failed."""
    if NOT_RUN and session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line for each test that did not run."""
    for line in NOT_RUN:
        terminalreporter.write_line(f"NOT RUN: {line}", red=True)


@pytest.fixture(scope="session")
def long(request: pytest.FixtureRequest) -> bool:
    """Whether the sizes that count are asked for."""
    return bool(request.config.getoption("--long"))


@pytest.fixture(scope="session", autouse=True)
def _outside() -> Iterator[None]:
    """
    Whatever servers put outside of the tests' closed folders goes with this run.

    Nobody waits for it: these are the files of some hundred databases.
    """
    folder = tempfile.mkdtemp(prefix="notary-tests-")
    Path(folder).chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NOTARY_OUTSIDE", folder)
        yield
    os.posix_spawnp("rm", ["rm", "-rf", folder], os.environ)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """One server for the whole run."""
    with Postgres.open(tmp_path_factory.mktemp("postgres"), settings=SETTINGS) as server:
        _expect_many(server)
        yield server
        # An end in order would write all those databases to the disk once more.
        server.kill()


def _expect_many(server: Postgres) -> None:
    """A password that is checked a thousand times is proved by one round, not by 4096."""
    password = urlsplit(server.url).password
    with closing(psycopg2.connect(server.url)) as connection, connection:
        connection.cursor().execute(
            f"SET scram_iterations = 1; ALTER ROLE {USER} PASSWORD '{password}'"
        )


@pytest.fixture(scope="session")
def lender(postgres: Postgres) -> Iterator[Lender]:
    """Lends databases with the newest tables, as good as new."""
    with closing(Lender(postgres, _with_tables(postgres))) as made:
        yield made


@pytest.fixture
def database_url(postgres: Postgres) -> str:
    """A new, empty database."""
    return new_database(postgres, "template1")


def new_database(postgres: Postgres, template: str | None = None) -> str:
    """Make one more database, a copy of another or with the newest tables; tell its address."""
    name, template = f"test_{secrets.token_hex(6)}", template or _with_tables(postgres)
    connection = psycopg2.connect(postgres.url_of("postgres"))
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    connection.close()
    return postgres.url_of(name)


def _with_tables(postgres: Postgres) -> str:
    """A database of that server with the newest tables: copying takes less than migrating."""
    if postgres not in WITH_TABLES:
        url = new_database(postgres, "template1")
        pool = Pool(url, size=1)
        migrate(pool, datetime(2031, 3, 5, tzinfo=UTC))
        pool.close()
        WITH_TABLES[postgres] = url.rpartition("/")[2]
    return WITH_TABLES[postgres]


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    """A broker of the test's own: users notary and gateway."""
    users = {"notary": secrets.token_hex(8), "gateway": secrets.token_hex(8)}
    with Broker.open(tmp_path / "broker", users=users, acl=ACL) as running:
        yield running


@pytest.fixture(scope="session")
def anvil(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Anvil]:
    """One EVM chain for the whole run; each test has accounts of its own."""
    with Anvil.open(tmp_path_factory.mktemp("anvil"), durable=False) as chain:
        yield chain
