# SPDX-License-Identifier: Apache-2.0
"""
How ingest holds up: the time from a publisher's send to our commit, and memory over time.

    python -m bench latency      at half of NOTARY_BENCH_RATE, or of the rate measured first
    python -m bench memory       until NOTARY_BENCH_MESSAGES are in (ten million)
"""

import os
import sys
import time
from datetime import datetime
from pathlib import Path
from threading import Event, Thread

from bench.table import Figure
from bench.world import SINGLE, World
from notary.local.processes import Child

SECONDS = float(os.environ.get("NOTARY_BENCH_SECONDS", "10"))
MESSAGES = int(os.environ.get("NOTARY_BENCH_MESSAGES", "10000000"))
MOST_SECONDS = 0.25
POLL_SECONDS = 0.002
FLOOD_RATE = 40_000.0
SLICE_SECONDS = 60.0
SETTLED_SECONDS = 1.5
BEHIND_SECONDS = 8.0


class Commits:
    """Notes when each segment was first seen to be committed, by another connection."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._done = Event()
        self.seen: dict[int, float] = {}
        self._thread = Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        last = 0
        while not self._done.wait(POLL_SECONDS):
            with self._world.pool.transaction(read_only=True) as tx:
                # Numbers of pipelines that work side by side become visible in any order.
                tx.cursor.execute("SELECT number FROM segments WHERE number > %s", (last - 100,))
                found, now = [row[0] for row in tx.cursor.fetchall()], time.time()
            for number in found:
                self.seen.setdefault(number, now)
            last = max([last, *found])

    def stop(self) -> None:
        """Look no more."""
        self._done.set()
        self._thread.join()


def latency(world: World) -> list[Figure]:
    """The 99th percentile at half of the highest rate, from each message's own time of sending."""
    started = world.start(["sealer", "ingest"])
    time.sleep(3)
    rate = float(os.environ.get("NOTARY_BENCH_RATE", "0")) or world.rate(SINGLE, FLOOD_RATE)
    _settle(world)
    commits, begun = Commits(world), time.time()
    publishers = world.publishers([SINGLE], "timed", rate / 2, SECONDS)
    for publisher in publishers:
        publisher.communicate()
    _settle(world)
    commits.stop()
    waits = sorted(_waits(world, commits.seen, begun))
    for child in started:
        child.stop()
    if len(waits) < rate / 4 * SECONDS:
        raise SystemExit("too few messages came: the figure would be worth nothing")
    middle, most = (waits[int(len(waits) * part)] * 1000 for part in (0.5, 0.99))
    aim = MOST_SECONDS * 1000
    return [
        Figure(f"p50_at_{rate / 2:.0f}/s", middle, "ms from send to commit", "bound, ms", aim),
        Figure(f"p99_at_{rate / 2:.0f}/s", most, "ms from send to commit", "bound, ms", aim),
    ]


def _settle(world: World) -> int:
    """Wait until what the broker still holds has come in; how much there is then."""
    last = -1
    while (now := world.count(SINGLE)) != last:
        last = now
        time.sleep(SETTLED_SECONDS)
    return now


def _waits(world: World, seen: dict[int, float], begun: float) -> list[float]:
    """For each record of the time since `begun`, the seconds from its sending to its commit."""
    with world.pool.transaction(read_only=True) as tx:
        tx.cursor.execute(
            "SELECT g.number, r.observed FROM segments g JOIN records r "
            "ON r.lane = g.lane AND r.received = g.received "
            "WHERE g.received > to_timestamp(%s) AND r.observed IS NOT NULL",
            (begun,),
        )
        rows = tx.cursor.fetchall()
    return [
        seen[number] - datetime.fromisoformat(observed).timestamp()
        for number, observed in rows
        if number in seen
    ]


def memory(world: World) -> list[Figure]:
    """The resident size of each process after a tenth of the messages and after all."""
    started = world.start(["sealer", "ingest"])
    time.sleep(3)
    rate = 0.9 * (float(os.environ.get("NOTARY_BENCH_RATE", "0")) or world.rate(SINGLE, FLOOD_RATE))
    goals, sizes = [MESSAGES // 10, MESSAGES], []
    for goal in goals:
        while (count := _settle(world)) < goal:
            # Each time from an empty broker: one with a queue writes it to the disk anew each
            # second, and what it holds up says nothing of us.
            print(
                f"\r{count:,} of {MESSAGES:,}, {rate:,.0f}/s ", end="", file=sys.stderr, flush=True
            )
            for publisher in world.publishers([SINGLE], "single", rate, SLICE_SECONDS):
                publisher.communicate()
            begun = time.monotonic()
            if _settle(world) == count:
                raise SystemExit("nothing was accepted; see the logs in var/bench/log")
            if time.monotonic() - begun > BEHIND_SECONDS:
                rate *= 0.9
        sizes.append([_resident_bytes(child) / 2**20 for child in started])
    for child in started:
        child.stop()
    return [
        Figure(f"rss_{child.name}", late, "MiB at the end", "MiB after a tenth", early)
        for child, early, late in zip(started, *sizes, strict=True)
    ]


def _resident_bytes(child: Child) -> int:
    pages = int(Path(f"/proc/{child.process.pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
