# SPDX-License-Identifier: Apache-2.0
"""A notary of its own under var/bench, started as `make run` starts it."""

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bench.readings import payload
from notary.config import Settings
from notary.core.policy import SealingPolicy
from notary.keys import load_key
from notary.local.client import Client
from notary.local.ports import free_port
from notary.local.processes import Child, Children
from notary.local.stage import Local
from notary.store.pool import Pool
from notary.usecases.datasets import add_dataset
from notary.usecases.reading import Reading
from notary.usecases.rights import Caller
from notary.usecases.seal import Sealer
from notary.usecases.second_root import load_second_root
from notary.usecases.sign import sign_newest
from notary.wiring import Parts, clock, connect

SINGLE, PACKED, STORED = "bench-single", ("bench-pack-a", "bench-pack-b"), "bench-stored"
"""Packs go to two datasets: an ingest process each, as docs/operations.md advises for two cores."""
FEED = """\
[[feeds]]
name = "{dataset}"
filter = "notary/v1/{dataset}/+/up"
template = "notary/v1/{{dataset}}/{{source}}/up"
codec = "{codec}"
observed = "time"
key = "id"
sources = "open"
"""


class World(Local):
    """Servers, log, datasets; the notary's processes start when they are measured."""

    def __init__(self, var: Path, env: Mapping[str, str], children: Children) -> None:
        super().__init__(var, {**env, "NOTARY_PORT": str(free_port())}, children)
        self.start_servers()
        (var / "notary.toml").write_text(
            FEED.format(dataset=SINGLE, codec="json"), encoding="utf-8"
        )
        self.process_env = {
            **self.settings_env(),
            "NOTARY_CONFIG": str(var / "notary.toml"),
            "NOTARY_SEAL_SECONDS": "1",
        }
        self.settings = Settings.from_env(self.process_env)
        self.make_log(self.settings)
        self.start_witness(self.settings)
        self.client = Client(self.url, self.api_key())
        self.pool = Pool(self.database_url, size=2)
        for name in (SINGLE, *PACKED, STORED):
            caller = Caller("bench", "weather-office")
            add_dataset(self.pool, caller, clock(), name=name, label=name, is_open=True)

    def parts(self) -> Parts:
        """The parts of a sealer in this process."""
        return connect(self.settings, writes_ledger=True, pool_size=2)

    def count(self, *datasets: str) -> int:
        """How many records of some datasets are committed."""
        with self.pool.transaction(read_only=True) as tx:
            tx.cursor.execute(
                "SELECT coalesce(sum(g.count), 0) FROM segments g "
                "JOIN datasets d ON d.id = g.dataset WHERE d.name = ANY(%s)",
                (list(datasets),),
            )
            return int(tx.cursor.fetchone()[0])

    def is_sealing(self) -> bool:
        """Whether anything that was accepted is not in the log yet."""
        with self.pool.transaction(read_only=True) as tx:
            tx.cursor.execute("SELECT EXISTS (SELECT FROM segments WHERE batch IS NULL)")
            return bool(tx.cursor.fetchone()[0])

    def rate(self, dataset: str, rate: float) -> float:
        """Committed readings per second while two publishers send single ones at `rate`."""
        publishers = self.publishers([dataset], "single", rate, 8)
        time.sleep(3)
        begun, first = time.perf_counter(), self.count(dataset)
        time.sleep(5)
        found = (self.count(dataset) - first) / (time.perf_counter() - begun)
        for publisher in publishers:
            publisher.communicate()
        return found

    def database_bytes(self) -> int:
        """The size of all tables with their indexes."""
        with self.pool.transaction(read_only=True) as tx:
            tx.cursor.execute(
                "SELECT sum(pg_total_relation_size(oid)) FROM pg_class "
                "WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
            )
            return int(tx.cursor.fetchone()[0])

    def settings_shown(self) -> str:
        """What the database keeps, printed beside the figures."""
        with self.pool.transaction(read_only=True) as tx:
            tx.cursor.execute(
                "SELECT version(), current_setting('fsync'), current_setting('synchronous_commit'),"
                " current_setting('full_page_writes'), current_setting('shared_buffers')"
            )
            version, *values = tx.cursor.fetchone()
        names = ("fsync", "synchronous_commit", "full_page_writes", "shared_buffers")
        shown = ", ".join(f"{name} {value}" for name, value in zip(names, values, strict=True))
        return f"{version.split(' on ')[0]}: {shown}"

    def fill(self, dataset: str, count: int, sources: Iterator[str], segment: int = 2000) -> None:
        """Accept readings of these sources in this process, as fast as it goes."""
        acceptor = self.parts().acceptor()
        for start in range(0, count, segment):
            acceptor.accept(
                [
                    Reading(
                        dataset,
                        next(sources),
                        payload(number),
                        "application/json",
                        "acl",
                        observed=f"2026-01-01T00:00:00.{number:09d}Z",
                    )
                    for number in range(start, min(start + segment, count))
                ],
                clock(),
            )

    def seal_all(self) -> tuple[int, float]:
        """Seal what was accepted, and sign; how many records it was, and how many per second."""
        parts = self.parts()
        policy = SealingPolicy(self.settings.seal_count, self.settings.seal_age)
        sealer = Sealer(parts.pool, parts.gate, policy, load_second_root())
        begun, sealed = time.perf_counter(), 0
        while batches := sealer.seal_due(clock(), at_once=True):
            sealed += sum(batch.count for batch in batches)
        rate = sealed / (time.perf_counter() - begun)
        sign_newest(parts.pool, parts.gate, parts.marks, load_key(self.settings.log_key), clock())
        return sealed, rate

    def publishers(
        self, datasets: Sequence[str], kind: str, rate: float, seconds: float, number: int = 2
    ) -> list["subprocess.Popen[str]"]:
        """Live publishers, each at its part of the rate; they take the datasets by turns."""
        parts = urlsplit(self.gateway_mqtt)
        return [
            subprocess.Popen(
                [sys.executable, "-m", "bench.publisher", str(parts.hostname), str(parts.port),
                 unquote(parts.username or ""), unquote(parts.password or ""),
                 f"notary/v1/{datasets[seed % len(datasets)]}", str(rate / number), str(seconds),
                 str(int(time.time()) % 9_000_000 * 10 + seed), kind],
                stdout=subprocess.PIPE,
                text=True,
            )
            for seed in range(number)
        ]  # fmt: skip

    def start(self, names: Sequence[str]) -> list[Child]:
        """Start some of the notary's processes."""
        return [self._start(name, name, {}) for name in names]

    def start_packed(self) -> list[Child]:
        """Start an ingest process for each dataset of packs, with a client id of its own."""
        started = []
        for dataset in PACKED:
            feeds = self.var / f"{dataset}.toml"
            feeds.write_text(FEED.format(dataset=dataset, codec="ndjson"), encoding="utf-8")
            more = {"NOTARY_CONFIG": str(feeds), "NOTARY_MQTT_CLIENT_ID": dataset}
            started.append(self._start("ingest", dataset, more))
        return started

    def _start(self, command: str, name: str, more: Mapping[str, str]) -> Child:
        log = self.var / "log" / f"{name}.log"
        whole = [sys.executable, "-m", "notary.cli", command]
        environment = {**self.process_env, **more}
        return self.children.add(Child.start(name, whole, log=log, environment=environment))
