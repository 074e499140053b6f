# SPDX-License-Identifier: Apache-2.0
"""
Every codec, from a simulated gateway to a receipt that a stranger verifies.

A real broker, a real database, `notary ingest` and `notary sealer` as processes, and
`notary simulate`, whose encoders are not our decoders' kin.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from iot_ingest.codecs import codecs
from iot_simulator.listing import Sent
from notary.core.hashing import digest
from notary.core.receipt import verify_receipt
from notary.core.statement import parse_statement, statement_leaf
from notary.local.broker import Broker
from tests.acceptance.sealers import SealerProcess, settled
from tests.iot_ingest.support import Ingest, count_records, wait_for
from tests.iot_simulator.support import ROOT, Simulator, feeds_for
from tests.usecases.world import World

pytestmark = pytest.mark.needs("mosquitto")
OPEN = tuple(name for name, codec in codecs().items() if not codec.secret)
CLOSED = tuple(name for name, codec in codecs().items() if codec.secret)
COUNT = 11
FAULTS = ("--pack", "3", "--reorder", "0.2", "--late", "0.1", "--bad", "0.25", "--skew", "90")
AT_RATE = ("--rate", "30", "--count", str(COUNT), "--seed", "11", "--patience", "30")


def options(dataset: str, formats: tuple[str, ...]) -> list[str]:
    """What to simulate."""
    return ["--dataset", dataset, *(word for name in formats for word in ("--format", name))]


def verify(folder: Path, receipt: str, payload: bytes) -> str:
    """What `notary verify` says of a receipt and a payload, with nothing but files."""
    (folder / "receipt.json").write_text(receipt, encoding="utf-8")
    (folder / "payload").write_bytes(payload)
    command = [sys.executable, "-m", "notary.cli", "verify", str(folder / "receipt.json")]
    command += ["--trust", str(folder / "trust.json"), "--payload", str(folder / "payload")]
    return subprocess.run(
        command, cwd=ROOT, env={}, check=True, capture_output=True, text=True
    ).stdout


def accepted(sent: list[Sent]) -> Iterator[tuple[Sent, int]]:
    """Each good message with each place in it."""
    return (
        (one, place) for one in sent if not one.bad for place in range(len(one.message.readings))
    )


def test_every_codec_goes_from_the_gateway_to_a_verified_receipt(
    world: World, broker: Broker, tmp_path: Path
) -> None:
    """Bytes, source, time, key, place and leaf are what the gateway holds in its list."""
    world.dataset("air", lane_count=4)
    closed = world.dataset(None)
    plans = [options("air", OPEN), options(closed, CLOSED)]
    feeds = "\n".join(feeds_for(*plan) for plan in plans)
    url = broker.url_of("gateway")
    with (
        Ingest(world, broker.url, tmp_path, feeds).start(),
        SealerProcess(world.env, tmp_path / "sealer.log"),
        Simulator(tmp_path / "open.ndjson", url, *plans[0], *FAULTS, *AT_RATE) as open_,
        Simulator(tmp_path / "closed.ndjson", url, *plans[1], *FAULTS, *AT_RATE) as closed_,
    ):
        assert open_.wait() == 0, open_.said()
        assert closed_.wait() == 0, closed_.said()
        wait_for(lambda: settled(world))
    (tmp_path / "trust.json").write_text(world.parts.trust(), encoding="utf-8")
    prover, trust = world.prover(), world.parts.trust()
    shown = set()
    for dataset, simulator in (("air", open_), (closed, closed_)):
        sent, places = simulator.list(), set()
        assert {one.format for one in sent} == set(OPEN if dataset == "air" else CLOSED)
        assert {one["state"] for each in sent if each.bad for one in each.answers[0]} <= {"refused"}
        for one, place in accepted(sent):
            reading, (told,) = one.message.readings[place], one.answers[place]
            text = prover.receipt(dataset, reading.source, told["n"], caller=world.caller).text
            statement = parse_statement(json.loads(text)["statement"])
            assert told["state"] in ("accepted", "duplicate")
            assert statement_leaf(json.loads(text)["statement"]).hex() == told["leaf"]
            assert verify_receipt(text, trust, reading.payload).subject["source"] == reading.source
            assert (statement.source, statement.dataset) == (reading.source, dataset)
            if dataset == "air":
                assert statement.digest == digest(reading.payload)
                assert (statement.observed, statement.key) == (reading.observed, reading.key)
            if one.format not in shown:
                shown.add(one.format)
                assert verify(tmp_path, text, reading.payload).startswith("HOLDS")
            places.add((reading.source, told["chain"], told["n"]))
        assert len(places) == count_records(world, dataset) == len([*accepted(sent)])
    assert shown == {*OPEN, *CLOSED}
    # By their bytes: a gateway that waited too long sends a bad message again, as any other.
    kept = world.rows("SELECT topic, coalesce(message, payload) FROM quarantine")
    bad = {(one.topic, one.message.payload) for one in [*open_.list(), *closed_.list()] if one.bad}
    assert bad
    found = [{one for one in bad if is_kept(one, str(topic), data)} for topic, data in kept]
    assert all(len(messages) == 1 for messages in found)
    assert set().union(*found) == bad


def is_kept(message: tuple[str, bytes], topic: str, data: Any) -> bool:
    """Whether a row of quarantine is this message, whose secrets it holds as four stars."""
    pattern = b".*".join(re.escape(part) for part in bytes(data).split(b"****"))
    return message[0] == topic and re.fullmatch(pattern, message[1], re.DOTALL) is not None
