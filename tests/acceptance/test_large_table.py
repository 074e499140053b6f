# SPDX-License-Identifier: Apache-2.0
"""
A large table is published over HTTP and verified whole, by the real processes.

20,000 rows, with `--long` a million. Time, peak memory and the size of the proof are printed.
"""

import hashlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from notary.core.growing_tree import GrowingTree
from notary.core.receipt import row_leaf
from notary.core.row_profiles import row_cutter
from notary.local.build_verifier import build
from notary.local.ports import free_port
from notary.usecases.version_upload import sweep_uploads
from tests.usecases.world import World

MOST_WEB_MB, MOST_SEALER_MB, MOST_VERIFIER_MB = 140, 140, 60
"""However large the table: what a process needs, and a few parts of the file."""


@contextmanager
def running(world: World, what: str, folder: Path, **env: str) -> Iterator[subprocess.Popen[bytes]]:
    """One of the notary's processes."""
    command = [sys.executable, "-m", "notary.cli", what]
    with (folder / f"{what}.log").open("wb") as log:
        process = subprocess.Popen(
            command, env={**os.environ, **world.env, **env}, stdout=log, stderr=log
        )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(120)


def peak_mb(process: subprocess.Popen[bytes]) -> float:
    """The most memory that a process, or one that it forked, has had."""
    peaks = []
    for pid in (process.pid, *children_of(process.pid)):
        status = Path(f"/proc/{pid}/status").read_text()
        peaks.append(int(status.split("VmHWM:")[1].split()[0]) / 1024)
    return max(peaks)


def ask(port: int, key: str, method: str, path: str, body: Any = None, **headers: str) -> Any:
    """A request with a body that may be a file, streamed; the response, unread."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
    sent = {"Authorization": f"Bearer {key}", "Connection": "close", **headers}
    connection.request(method, path, body, sent)
    return connection.getresponse()


def write_table(path: Path, rows: int) -> None:
    """Readings of 50 stations with a header; some cells in quotes, some empty."""
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write("id,station,time,temperature,humidity,note\r\n")
        for n in range(rows):
            note = f'"checked, ""{n}"""' if n % 10 == 0 else ""
            time_ = f"2031-03-{1 + n % 28:02d}T{n % 24:02d}:{n % 60:02d}:00Z"
            file.write(f"{n},站-{n % 50},{time_},{n * 7 % 400 / 10},{n * 3 % 1000 / 10},{note}\r\n")


MEASURED = """
import runpy, sys
sys.argv = sys.argv[1:]
try:
    runpy.run_path(sys.argv[0], run_name="__main__")
finally:
    print(open("/proc/self/status").read().split("VmHWM:")[1].split()[0], file=sys.stderr)
"""


def verify(pyz: Path, receipt: Path, trust: Path, file: Path) -> tuple[int, float, float]:
    """The single-file verifier: exit code, seconds, peak memory in MB."""
    command = [sys.executable, "-I", "-S", "-c", MEASURED, str(pyz), str(receipt)]
    begun = time.monotonic()
    done = subprocess.run(
        [*command, "--trust", str(trust), "--payload", str(file)], capture_output=True, text=True
    )
    kilobytes = int(done.stderr.splitlines()[-1])
    return done.returncode, time.monotonic() - begun, kilobytes / 1024


@pytest.mark.parametrize("is_open", [True, False], ids=["open", "closed"])
def test_a_large_table_is_published_and_verified_whole(
    world: World, tmp_path: Path, is_open: bool, long: bool
) -> None:
    """In bounded memory on both sides, with a proof of a few kilobytes."""
    rows = 1_000_000 if long else 20_000
    table, dataset = tmp_path / "table.csv", world.dataset("air" if is_open else None)
    write_table(table, rows)
    size, port, key = table.stat().st_size, free_port(), world.api_key
    path = f"/v1/datasets/{dataset}/versions"
    # The world's clock stands elsewhere: these processes have the real one.
    world.change("UPDATE api_keys SET expires_at = now() + interval '1 day'")
    env = {"NOTARY_PORT": str(port), "NOTARY_WORKERS": "1"}
    with (
        running(world, "web", tmp_path, **env) as web,
        running(world, "sealer", tmp_path) as sealer,
    ):
        wait_for_web(port, web)
        begun = time.monotonic()
        with table.open("rb") as file:
            answer = ask(port, key, "POST", path, file, **{
                "Content-Type": "text/csv", "Content-Length": str(size)})  # fmt: skip
        told = json.loads(answer.read())
        assert (answer.status, told["rows"]) == (202, rows + 1), told
        accepted = time.monotonic() - begun
        while not json.loads(ask(port, key, "GET", f"{path}/1").read())["state"]["anchored"]:
            assert time.monotonic() - begun < 300
            time.sleep(0.2)
        anchored = time.monotonic() - begun
        receipt, trust = tmp_path / "receipt.json", tmp_path / "trust.json"
        receipt.write_bytes(ask(port, key, "GET", f"{path}/1/receipt?until=anchored").read())
        trust.write_bytes(ask(port, key, "GET", "/trust.json").read())
        row = ask(port, key, "GET", f"{path}/1/rows/{rows}/receipt").read()
        fetched = hashlib.sha256()
        kept = ask(port, key, "GET", f"{path}/1/file")
        while piece := kept.read(1 << 20):
            fetched.update(piece)
        web_mb, sealer_mb = peak_mb(web), peak_mb(sealer)
    with table.open("rb") as file:
        assert fetched.digest() == hashlib.file_digest(file, "sha256").digest()
    pyz = build(tmp_path / "verify.pyz")
    code, seconds, verifier_mb = verify(pyz, receipt, trust, table)
    assert code == 0
    begun = time.monotonic()
    assert world.audit().findings == ()
    audited = time.monotonic() - begun
    print(
        f"\n{rows:,} rows, {size / 1e6:.1f} MB: accepted in {accepted:.1f} s, anchored after "
        f"{anchored:.1f} s, verified whole in {seconds:.1f} s, audited in {audited:.1f} s; "
        f"peak memory web {web_mb:.0f} MB, sealer {sealer_mb:.0f} MB, verifier "
        f"{verifier_mb:.0f} MB; proof of the file {receipt.stat().st_size:,} bytes, of a row "
        f"{len(row):,} bytes"
    )
    assert receipt.stat().st_size < 4096
    assert len(row) < 6144
    assert web_mb < MOST_WEB_MB
    assert sealer_mb < MOST_SEALER_MB
    assert verifier_mb < MOST_VERIFIER_MB
    if is_open:
        assert told["root"] == root_of(table).hex()
    with table.open("r+b") as file:
        file.seek(size // 2)
        byte = file.read(1)
        file.seek(size // 2)
        file.write(bytes([byte[0] ^ 1]))
    assert verify(pyz, receipt, trust, table)[0] == 1


def wait_for_web(port: int, web: subprocess.Popen[bytes]) -> None:
    """Until it answers."""
    deadline = time.monotonic() + 180
    while True:
        assert web.poll() is None
        try:
            assert ask(port, "", "GET", "/livez").read()
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        else:
            return


def root_of(table: Path) -> bytes:
    """The root over the rows, as anyone who has the file computes it."""
    cutter, tree = row_cutter("csv-v1"), GrowingTree()
    with table.open("rb") as file:
        while piece := file.read(1 << 16):
            list(tree.extend([row_leaf("csv-v1", b"", row) for _, row in cutter.feed(piece)]))
    list(tree.extend([row_leaf("csv-v1", b"", row) for _, row in cutter.finish()]))
    return tree.root


@pytest.mark.parametrize("end", ["its sender leaves", "the server is killed"])
def test_an_upload_that_ends_in_the_middle_is_no_version(
    world: World, tmp_path: Path, end: str
) -> None:
    """Although its first parts were durable; sent again, it is version 1."""
    dataset, port, key = world.dataset("air"), free_port(), world.api_key
    world.change("UPDATE api_keys SET expires_at = now() + interval '1 day'")
    table, env = tmp_path / "table.csv", {"NOTARY_PORT": str(port), "NOTARY_WORKERS": "1"}
    write_table(table, 60_000)
    data, path = table.read_bytes(), f"/v1/datasets/{dataset}/versions"
    head = (
        f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: text/csv\r\nContent-Length: {len(data)}\r\n\r\n"
    )
    with running(world, "web", tmp_path, **env) as web:
        wait_for_web(port, web)
        with socket.create_connection(("127.0.0.1", port), timeout=300) as connection:
            connection.sendall(head.encode() + data[: len(data) // 2])
            wait_until(lambda: world.rows("SELECT 1 FROM version_parts") != [])
            if end == "the server is killed":
                for pid in (web.pid, *children_of(web.pid)):
                    os.kill(pid, signal.SIGKILL)
        if end == "its sender leaves":
            wait_until(lambda: world.rows("SELECT 1 FROM uploads") == [])
            assert world.rows("SELECT 1 FROM version_parts") == []
    assert world.rows("SELECT 1 FROM versions") == []
    with running(world, "web", tmp_path, **env) as web:
        wait_for_web(port, web)
        answer = ask(port, key, "POST", path, data, **{"Content-Type": "text/csv"})
        assert (answer.status, json.loads(answer.read())["version"]) == (202, 1)
    sweep_uploads(world.pool, datetime.now(UTC))
    assert world.rows("SELECT 1 FROM uploads") == []
    assert len(world.rows("SELECT DISTINCT version FROM version_parts")) == 1


def children_of(pid: int) -> list[int]:
    """The processes that a process forked."""
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def wait_until(holds: Callable[[], bool]) -> None:
    """For at most three minutes."""
    deadline = time.monotonic() + 180
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)
