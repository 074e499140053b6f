# SPDX-License-Identifier: Apache-2.0
"""
Measures all figures, or those named: python -m bench [seal] [receipt] [mqtt] ...

`memory` takes long, and is measured only when it is named.
"""

import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.readings import PACK, SIZE_BYTES, payload, sources
from bench.signed import signed
from bench.steady import latency, memory
from bench.table import Figure, sha256_rate, show, write
from bench.window import window_verify
from bench.world import PACKED, SINGLE, STORED, World
from notary.commands.each import gunicorn_options
from notary.local.ports import free_port
from notary.local.processes import Child, Children
from notary.store import binary
from notary.usecases.anchor import anchor
from notary.wiring import clock

SECONDS = float(os.environ.get("NOTARY_BENCH_SECONDS", "10"))
RECORDS = int(os.environ.get("NOTARY_BENCH_RECORDS", "200000"))
SINGLE_RATE, PACK_RATE = 16_000.0, 160.0
"""Messages per second that publishers begin with; raised until they are above what comes in."""
RAW_LIMIT, COPY_LIMIT = 33_000.0, 260_000.0
"""What the yardsticks reach on a quiet machine; below half of it a run says nothing."""


def seal(world: World) -> list[Figure]:
    """Accept RECORDS readings, seal them, sign and anchor; then look at the disk."""
    before = world.database_bytes()
    world.fill(STORED, RECORDS, sources(7))
    parts = world.parts()
    sealed, rate = world.seal_all()
    interval = world.settings.anchor_interval
    for ledger in parts.ledgers:
        anchor(parts.pool, parts.gate, ledger, interval, clock, at_once=True)
    grown = (world.database_bytes() - before) / sealed - SIZE_BYTES
    return [
        Figure("seal", rate, "records/s", "SHA-256 of 65 bytes/s", sha256_rate()),
        Figure("disk_bytes_per_record", grown, "bytes beyond payload", "aim, bytes", 350.0),
    ]


def loads(port: int, paths: list[str], processes: int = 2) -> float:
    """GETs per second from some processes at once; every answer must be 200."""
    share = len(paths) // processes
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "bench.load", str(port), str(SECONDS)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(processes)
    ]
    for place, process in enumerate(started):
        assert process.stdin
        process.stdin.write("\n".join(paths[place * share : (place + 1) * share]))
        process.stdin.close()
    total = 0.0
    for process in started:
        assert process.stdout
        rate, bad = process.stdout.read().split()
        if bad != "0":
            raise SystemExit(f"{bad} answers were not 200: the figure would be worth nothing")
        total += float(rate)
    return total


def receipt(world: World) -> list[Figure]:
    """Cold receipts over HTTP: each record is asked for once."""
    client = world.client
    with world.pool.transaction(read_only=True) as tx:
        tx.cursor.execute(
            "SELECT s.name, r.n FROM records r JOIN sources s ON s.id = r.source "
            "JOIN datasets d ON d.id = s.dataset WHERE d.name = %s",
            (STORED,),
        )
        stored = tx.cursor.fetchall()
    random.Random(1).shuffle(stored)
    paths = [f"/v1/datasets/{STORED}/sources/{name}/records/{n}/receipt" for name, n in stored]
    (web,) = world.start(["web"])
    web.wait_until(lambda: client.request("GET", "/readyz")[0] == 200, 60)
    size = len(client.wait_for(paths.pop(), 30))
    rate = loads(world.port, paths)
    web.stop()
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "-b", f"127.0.0.1:{port}"]
    command += [*gunicorn_options(world.settings.workers), "bench.empty:app"]
    env = {**os.environ, "NOTARY_BENCH_BYTES": str(size)}
    empty = world.children.add(
        Child.start("empty", command, log=world.var / "log" / "empty.log", environment=env)
    )
    time.sleep(2)
    yardstick = loads(port, ["/empty"] * len(paths))
    empty.stop()
    return [Figure("receipt", rate, "receipts/s", f"empty Flask route, {size} bytes", yardstick)]


def above(measure: Callable[[float], float], rate: float) -> float:
    """
    What is reached while publishers are paced above it, and not far: what they send beyond it
    only takes the cores away.
    """
    while (found := measure(rate)) > 0.9 * rate:
        rate *= 1.5
    return found


def raw_receive(world: World, rate: float) -> float:
    """The yardstick of mqtt_single, from the same broker with the same live publishers."""
    receiver = subprocess.Popen(
        [sys.executable, "-m", "bench.raw_receive", world.notary_mqtt, "notary/v1/raw/#",
         str(SECONDS + 1)],
        stdout=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    time.sleep(0.5)
    publishers = world.publishers(["raw"], "single", rate, SECONDS)
    out, _ = receiver.communicate()
    for publisher in publishers:
        publisher.communicate()
    return float(out)


def raw_copy(world: World) -> float:
    """The yardstick of mqtt_pack: binary COPY of the same columns, 1,000 a transaction."""
    with world.pool.transaction() as tx:
        tx.cursor.execute(
            "DROP TABLE IF EXISTS bench_copy; "
            "CREATE TABLE bench_copy (LIKE records INCLUDING DEFAULTS, "
            "PRIMARY KEY (lane, source, chain, n, received))"
        )
    fields, now = (13).to_bytes(2, "big"), binary.int8(binary.microseconds(clock()))
    chunks = [
        binary.table(
            [
                b"".join(
                    (fields, binary.int4(1), binary.int4(i % 10_000), binary.int8(i), now,
                     binary.int4(0), binary.int4(1), binary.int2(0), binary.data(bytes(32)),
                     binary.text(f"2026-01-01T00:00:00.{i:09d}Z"), binary.text(str(i)),
                     binary.data(bytes(32)), binary.data(None), binary.data(payload(i)))
                )
                for i in range(start, start + 1000)
            ]
        )
        for start in range(0, 200_000, 1000)
    ]  # fmt: skip
    command = (
        "COPY bench_copy (lane, source, n, received, chain, form, flags, leaf, observed, key,"
        " message, salt, payload) FROM STDIN (FORMAT binary)"
    )
    begun = time.perf_counter()
    from io import BytesIO

    for chunk in chunks:
        with world.pool.transaction() as tx:
            tx.cursor.copy_expert(command, BytesIO(chunk))
    rate = 200_000 / (time.perf_counter() - begun)
    with world.pool.transaction() as tx:
        tx.cursor.execute("DROP TABLE bench_copy")
    return rate


def ingest_rate(world: World, datasets: Sequence[str], kind: str, rate: float) -> float:
    """Committed readings per second while the publishers run, sealing and signing on."""
    publishers = world.publishers(datasets, kind, rate, SECONDS + 3)
    while world.count(*datasets) == 0:
        if any(publisher.poll() is not None for publisher in publishers):
            raise SystemExit("nothing was accepted; see the logs in var/bench/log")
        time.sleep(0.1)
    time.sleep(1)
    begun, first = time.perf_counter(), world.count(*datasets)
    time.sleep(SECONDS)
    last, passed = world.count(*datasets), time.perf_counter() - begun
    for publisher in publishers:
        publisher.communicate()
    drain(world, datasets)
    return (last - first) / passed


def mqtt(world: World) -> list[Figure]:
    """Both ways in, and their yardsticks."""
    raw, copy = above(lambda rate: raw_receive(world, rate), SINGLE_RATE), raw_copy(world)
    sealer, ingest = world.start(["sealer", "ingest"])
    time.sleep(3)
    single = above(lambda rate: ingest_rate(world, [SINGLE], "single", rate), SINGLE_RATE)
    ingest.stop()
    started = [sealer, *world.start_packed()]
    time.sleep(3)
    packed = above(lambda rate: ingest_rate(world, PACKED, "pack", rate / PACK), PACK_RATE * PACK)
    for child in started:
        child.stop()
    return [
        Figure(
            "mqtt_single", single, "readings/s", "raw paho receive, one by one/s", raw, RAW_LIMIT
        ),
        Figure(
            "mqtt_pack", packed, f"readings/s, packs of {PACK}", "raw COPY rows/s", copy, COPY_LIMIT
        ),
    ]


def drain(world: World, datasets: Sequence[str]) -> None:
    """Wait until what the broker still holds has come in, and is sealed."""
    last = -1
    while (now := world.count(*datasets)) != last or world.is_sealing():
        last = now
        time.sleep(1.5)


PARTS = {
    "seal": seal,
    "receipt": receipt,
    "mqtt": mqtt,
    "signed": signed,
    "latency": latency,
    "window_verify": window_verify,
    "memory": memory,
}


def main(names: list[str]) -> int:
    """Measure and print. The receipts need what `seal` stored."""
    if unknown := set(names) - set(PARTS):
        print(f"No such figure: {', '.join(sorted(unknown))}. There are: {', '.join(PARTS)}.")
        return 2
    var = Path("var/bench").resolve()
    shutil.rmtree(var, ignore_errors=True)
    var.mkdir(parents=True)
    figures: list[Figure] = []
    with Children() as children:
        world = World(var, os.environ, children)
        print(world.settings_shown(), flush=True)
        print(f"{RECORDS:,} records stored, {SECONDS:g} s a rate, {os.cpu_count()} cores\n")
        for name, measure in PARTS.items():
            is_asked = name in names or (name == "seal" and "receipt" in names)
            if is_asked or (not names and name != "memory"):
                print(f"measuring {name} ...", flush=True)
                found = measure(world)
                figures += found
                print(show(found) + "\n", flush=True)
    print("\n" + show(figures))
    write(figures, Path("var/bench.json"))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
