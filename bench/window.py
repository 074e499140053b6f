# SPDX-License-Identifier: Apache-2.0
"""What a window over many records costs whoever checks it, beside as many single receipts."""

import os
import time
from collections.abc import Callable
from itertools import repeat

from bench.browser import in_browser
from bench.table import Figure, sha256_rate
from bench.world import World
from notary.core.receipt import verify_receipt
from notary.core.trust import parse_trust
from notary.core.window import verify_window
from notary.core.window_format import Asked
from notary.usecases.datasets import add_dataset, get_dataset
from notary.usecases.prove import Prover
from notary.usecases.prove_window import WindowProver
from notary.usecases.rights import Caller
from notary.wiring import clock

DATASET, SOURCE = "bench-window", "meter"
RECORDS = int(os.environ.get("NOTARY_BENCH_WINDOW", "100000"))
RECEIPTS = 500
"""So many single receipts are checked; what all would take is reckoned from them."""


def window_verify(world: World) -> list[Figure]:
    """One source's records, sealed and signed; their window, and receipts of some of them."""
    caller = Caller("bench", "weather-office")
    add_dataset(world.pool, caller, clock(), name=DATASET, label=DATASET, is_open=True)
    world.fill(DATASET, RECORDS, sources=repeat(SOURCE))
    world.seal_all()
    window, receipts, trust_text = _proofs(world, caller)
    trust = parse_trust(trust_text)
    held = []
    seconds = _seconds(lambda: held.append(verify_window(window, trust)))
    if held[0].asked_count != RECORDS:
        raise SystemExit("the window does not hold what was asked for")
    each = _seconds(lambda: [verify_receipt(text, trust) for text in receipts]) / len(receipts)
    size = sum(map(len, receipts)) / len(receipts) * RECORDS
    print(f"{RECORDS:,} records: window {len(window):,} bytes, single receipts {size:,.0f} bytes")
    print(f"in Python: window {seconds:.1f} s, single receipts {each * RECORDS:,.0f} s")
    figures = [
        Figure("window_verify", RECORDS / seconds, "records/s", *_yardstick(sha256_rate())),
        Figure("window_bytes", len(window) / RECORDS, "bytes/record", "aim, bytes", 130.0),
    ]
    told = in_browser(window, receipts, trust_text)
    if told is None:
        print("in the browser: not measured, there is no chromium")
        return figures
    each = told.receipts / len(receipts)
    print(f"in chromium: window {told.window:.1f} s, single receipts {each * RECORDS:,.0f} s")
    rate = RECORDS / told.window
    return [*figures, Figure("window_verify_js", rate, "records/s", *_yardstick(told.hash_rate))]


def _proofs(world: World, caller: Caller) -> tuple[str, list[str], str]:
    parts = world.parts()
    prover = Prover(parts.pool, parts.ledgers)
    facts = get_dataset(parts.pool, DATASET, caller)
    proof = WindowProver(parts.pool, prover).window(facts, SOURCE, Asked("n", 0, RECORDS))
    receipts = [
        prover.receipt(DATASET, SOURCE, n, caller=caller).text
        for n in range(0, RECORDS, max(1, RECORDS // RECEIPTS))
    ]
    return b"".join(proof.parts).decode(), receipts, parts.trust()


def _yardstick(rate: float) -> tuple[str, float]:
    return "SHA-256 of 65 bytes/s", rate


def _seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun
