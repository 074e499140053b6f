# SPDX-License-Identifier: Apache-2.0
"""
A notary that lies, over HTTP and with the log's own key; and by which check of whom each lie is
caught. The verifier, the witness, the monitor and whoever follows the log are processes of their
own, and have nothing from the notary but its answers and, by another way, its trust file.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from werkzeug.wrappers import Response

from notary.core import canonical
from notary.core.consistency import parse_consistency
from notary.local.postgres import Postgres
from tests.conftest import new_database
from tests.dishonest.liar import DATASET, NEW_DATASET, Liar, View, copy_of, get
from tests.dishonest.outsiders import Outsider, Witness
from tests.usecases.world import World

HOLDS, REFUSED = 0, 1
RUNS = "/v1/batches/2/runs"


@pytest.fixture(scope="module")
def honest(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A notary that was honest until yesterday: three batches, each under a signed checkpoint."""
    world = World.make(tmp_path_factory.mktemp("honest"), new_database(postgres))
    now = datetime.now(UTC) - timedelta(seconds=30)
    world.now = now - timedelta(days=1)
    world.dataset(DATASET)
    View(world).grow("one", "two", "three")
    world.now = now
    yield world
    world.close()


@pytest.fixture
def liar(honest: World) -> Iterator[Liar]:
    """The same, and from here on it lies."""
    found = Liar(copy_of(honest))
    try:
        yield found
    finally:
        found.close()


@pytest.fixture
def citizen(liar: Liar, tmp_path: Path) -> Outsider:
    """Whoever looks from outside."""
    folder = tmp_path / "citizen"
    folder.mkdir()
    return Outsider(folder).knows(liar.view.world.parts.trust())


@pytest.fixture
def witness(citizen: Outsider, tmp_path: Path) -> Iterator[Witness]:
    """A newspaper's witness, which has cosigned the first state and whom the citizen demands."""
    folder = tmp_path / "paper"
    folder.mkdir()
    found = Witness(folder, str(citizen.folder / "trust.json"))
    try:
        yield found
    finally:
        found.close()


def checkpoint(url: str) -> str:
    """The newest checkpoint as it is shown there."""
    return get(f"{url}/log/checkpoint").decode()


def receipt(url: str, n: int, source: str = "desk", dataset: str = DATASET) -> bytes:
    """The receipt of a record as it is handed out there."""
    return get(f"{url}/v1/datasets/{dataset}/sources/{source}/records/{n}/receipt")


def consistency(url: str, old: int) -> str:
    """The proof that the log there only grew since that size."""
    return get(f"{url}/v1/log/consistency?from={old}").decode()


def cosigned(view: View, witness: Witness, url: str, old: int = 0) -> None:
    """Have the newest checkpoint cosigned, as a notary does, and keep the cosignature."""
    path = parse_consistency(consistency(url, old)).path if old else ()
    status, line = witness.cosign(checkpoint(url), old, path)
    assert status == 200, line
    change = "UPDATE checkpoints SET note = note || %s WHERE size = (SELECT size FROM log)"
    assert view.world.change(change, line) == 1


def test_an_honest_notary_is_accused_by_nobody(
    liar: Liar, citizen: Outsider, witness: Witness
) -> None:
    """Whatever catches lies below says nothing where there are none."""
    citizen.demands(witness.vkey)
    cosigned(liar.view, witness, liar.url)
    seen = citizen.keep("seen.txt", checkpoint(liar.url))
    assert citizen.monitor(liar.url) == set()
    assert citizen.follow(liar.url)[0] == HOLDS
    liar.view.grow("four", "five")
    cosigned(liar.view, witness, liar.url, 3)
    assert citizen.monitor(liar.url) == set()
    assert citizen.follow(liar.url)[0] == HOLDS
    proof = citizen.keep("grown.json", consistency(liar.url, 3))
    code, told = citizen.verify(receipt(liar.url, 4), "--since", seen, "--consistency", proof)
    assert (code, told["beside"][0]["status"]) == (HOLDS, "held")
    report = citizen.folder / "monitor" / "report.json"
    code, told = citizen.verify(window(liar.url, 4), "--monitor", report)
    (monitored,) = told["beside"]
    assert (code, monitored["code"], monitored["status"]) == (HOLDS, "monitored", "held")
    assert witness.show()[0] == 0


def window(url: str, to: int) -> bytes:
    """The first records of the source, as they are handed out."""
    return get(f"{url}/v1/datasets/{DATASET}/sources/desk/window?by=n&from=0&to={to}")


# -- it drops a record after sealing


def test_a_record_dropped_after_sealing_leaves_a_hole_in_every_window(
    liar: Liar, citizen: Outsider
) -> None:
    """The verifier's `window`: a chain without one of its records leads nowhere."""
    told = json.loads(window(liar.url, 3))
    liar.view.drop("desk", 1)
    lost = told["rest"].pop(0)
    told["rest"][0]["r"] += lost["r"]
    code, verdict = citizen.verify(canonical.dumps(told))
    assert (code, verdict["code"]) == (REFUSED, "malformed-window.broken-chain")


def test_a_record_dropped_from_its_batch_is_missed_by_the_monitor(
    liar: Liar, citizen: Outsider
) -> None:
    """The monitor's `rewritten`: the leaf hashes that are left don't lead to the signed root."""
    for text in ("four", "five"):
        liar.view.record("desk", text)
    liar.view.grow("six")
    liar.view.drop("desk", 4)

    def lie(path: str, answer: Response) -> Response:
        if path == "/v1/batches/3/leaves":
            answer.data = answer.data[:32] + answer.data[64:]
        return answer

    liar.view.lies.append(lie)
    assert citizen.monitor(liar.url) == {"rewritten"}


# -- it drops an accepted record before sealing


@pytest.fixture
def promised(liar: Liar, citizen: Outsider) -> Path:
    """The signed acceptance of a record which the notary then forgot, in a folder; yesterday."""
    world = liar.view.world
    now, world.now = world.now, world.now - timedelta(hours=20)
    text = liar.promise("kiosk", "the accident at the crossing")
    liar.view.forget("kiosk")
    world.now = now
    folder = citizen.folder / "acceptances"
    folder.mkdir()
    kept = folder / "kiosk.json"
    kept.write_text(text)
    return kept


def test_an_accepted_record_that_is_not_sealed_is_a_broken_promise(
    liar: Liar, citizen: Outsider, promised: Path
) -> None:
    """The monitor's `broken-promise`: the log went on, and the record isn't in it."""
    liar.view.grow("life goes on")
    assert citizen.monitor(liar.url, "--acceptances", promised.parent) == {"broken-promise"}


def test_an_accepted_record_that_is_replaced_is_misconduct(
    liar: Liar, citizen: Outsider, promised: Path
) -> None:
    """The verifier's `other-record`: another record has the receipt for its place."""
    liar.view.grow("nothing happened", source="kiosk")
    other = citizen.keep("other.json", receipt(liar.url, 0, "kiosk"))
    code, verdict = citizen.verify(promised, "--against", other)
    assert (code, verdict["against"]["kind"]) == (REFUSED, "other-record")


# -- it keeps a second chain


def test_a_second_chain_that_is_sealed_is_seen_by_the_monitor(
    liar: Liar, citizen: Outsider
) -> None:
    """The monitor's `second-chain`: a source has one, unless a recovery was announced."""
    liar.view.second_chain()
    liar.view.grow("one, as it should have been")
    assert citizen.monitor(liar.url) == {"second-chain"}


def test_a_second_record_in_the_same_place_is_seen_by_the_monitor(
    liar: Liar, citizen: Outsider
) -> None:
    """The monitor's `broken-chain`: a run goes on where the last one ended, nowhere else."""
    runs = get(f"{liar.url}/v1/batches/2/runs")
    liar.view.lies.append(lambda path, answer: Response(runs) if path == RUNS else answer)
    liar.view.world.change("DELETE FROM runs WHERE batch = 2")
    liar.view.forget("desk", 2)
    liar.view.grow("three, as it should have been")
    assert citizen.monitor(liar.url) == {"broken-chain"}


def test_a_second_chain_that_is_only_promised_is_misconduct(liar: Liar, citizen: Outsider) -> None:
    """The verifier's `two-records`: two promises of one place."""
    kept = [citizen.keep(f"{n}.json", _promise(liar, text)) for n, text in enumerate("ab")]
    code, verdict = citizen.verify(kept[0], "--against", kept[1])
    assert (code, verdict["against"]["kind"]) == (REFUSED, "two-records")


def _promise(liar: Liar, text: str) -> str:
    """Promise a first record of a source, and forget it."""
    told = liar.promise("kiosk", text)
    liar.view.forget("kiosk")
    return told


# -- it forks the log


def test_a_forked_log_is_not_cosigned_and_the_witness_keeps_the_proof(
    liar: Liar, citizen: Outsider, witness: Witness
) -> None:
    """The witness answers 422; its file proves the fork to anybody (the verifier's `fork`)."""
    other = liar.second_view()
    liar.view.grow("for one")
    other.grow("for others")
    assert witness.cosign(checkpoint(liar.url))[0] == 200
    assert witness.cosign(checkpoint(liar.other_url), 4)[0] == 422
    code, shown = witness.show()
    assert (code, "FORKED" in shown) == (REFUSED, True)
    (proof,) = witness.proofs()
    code, verdict = citizen.verify(proof)
    assert (code, verdict["kind"]) == (HOLDS, "fork")
    assert (verdict["subject"]["one"], verdict["subject"]["two"]) == (4, 4)


def test_a_forked_log_is_found_out_by_whoever_remembers(liar: Liar, citizen: Outsider) -> None:
    """`notary log follow` and the monitor's `fork`: each leaves the file that proves it."""
    other = liar.second_view()
    liar.view.grow("for one", "and on")
    other.grow("for others", "and on", "and on")
    assert citizen.monitor(liar.url) == set()
    assert citizen.follow(liar.url)[0] == HOLDS
    assert citizen.monitor(liar.other_url) == {"fork"}
    assert citizen.follow(liar.other_url)[0] == REFUSED
    for folder in ("monitor", "seen"):
        (proof,) = (citizen.folder / folder).glob("fork-*.json")
        assert citizen.verify(proof)[1]["kind"] == "fork"


# -- it backdates


def test_a_backdated_record_is_seen_by_whoever_saw_the_log_without_it(
    liar: Liar, citizen: Outsider
) -> None:
    """The monitor's `backdated`: it would have been sealed when it was said to be received."""
    assert citizen.monitor(liar.url) == set()
    liar.view.backdate("as if it were yesterday", timedelta(days=1))
    assert citizen.monitor(liar.url) == {"backdated"}


def test_a_backdated_record_has_no_witnesses_for_its_time(
    liar: Liar, citizen: Outsider, witness: Witness
) -> None:
    """The verifier's `time` stays the notary's own word: the witness first saw it a day later."""
    citizen.demands(witness.vkey)
    liar.view.grow("received today")
    cosigned(liar.view, witness, liar.url)
    assert _time(citizen, receipt(liar.url, 3))["status"] == "held"
    liar.view.backdate("as if it were yesterday", timedelta(days=1))
    cosigned(liar.view, witness, liar.url, 4)
    check = _time(citizen, receipt(liar.url, 0, dataset=NEW_DATASET))
    assert (check["status"], check["facts"]["reason"]) == ("own-word", "gap")


def _time(citizen: Outsider, proof: bytes) -> Any:
    code, verdict = citizen.verify(proof)
    assert code == HOLDS
    return next(check for check in verdict["checks"] if check["code"] == "time")


# -- it serves two views


@pytest.fixture
def two(liar: Liar) -> View:
    """The second view; each has a record more that the other one hasn't."""
    other = liar.second_view()
    liar.view.grow("for one")
    other.grow("for others")
    return other


def test_one_of_two_views_lacks_its_witnesses(
    liar: Liar, two: View, citizen: Outsider, witness: Witness
) -> None:
    """The verifier's `witnesses`: a witness cosigns one view alone."""
    citizen.demands(witness.vkey)
    cosigned(liar.view, witness, liar.url)
    assert citizen.verify(receipt(liar.url, 3))[0] == HOLDS
    code, verdict = citizen.verify(receipt(liar.other_url, 3))
    assert (code, verdict["code"]) == (REFUSED, "quorum-not-met")


def test_two_who_were_shown_two_views_find_out_when_they_compare(
    liar: Liar, two: View, citizen: Outsider, witness: Witness
) -> None:
    """`notary monitor compare` with the witness, and the verifier's `since` with a receipt."""
    assert witness.cosign(checkpoint(liar.other_url))[0] == 200
    assert citizen.monitor(liar.url) == set()
    options = ("--trust", "trust.json", "--state", "monitor", "--witness", witness.url)
    code, _, said = citizen.run("monitor", "compare", *options)
    assert (code, "fork" in said) == (REFUSED, True)
    neighbours = citizen.keep("neighbours.json", receipt(liar.other_url, 3))
    code, verdict = citizen.verify(receipt(liar.url, 3), "--since", neighbours)
    assert (code, verdict["code"]) == (REFUSED, "log-forked")
    assert citizen.verify(citizen.folder / verdict["fork_file"])[1]["kind"] == "fork"


# -- it rewrites a batch after signing


def test_a_batch_rewritten_after_signing_is_a_fork(
    liar: Liar, citizen: Outsider, witness: Witness
) -> None:
    """The witness's 422, the monitor's and the follower's `fork`, the verifier's `since`."""
    old = citizen.keep("mine.json", receipt(liar.url, 2))
    assert citizen.monitor(liar.url) == set()
    assert citizen.follow(liar.url)[0] == HOLDS
    assert witness.cosign(checkpoint(liar.url))[0] == 200
    liar.view.rewrite("three, as it should have been")
    liar.view.sign()
    liar.view.grow("and on")
    assert citizen.monitor(liar.url) == {"fork"}
    assert citizen.follow(liar.url)[0] == REFUSED
    path = parse_consistency(consistency(liar.url, 3)).path
    assert witness.cosign(checkpoint(liar.url), 3, path)[0] == 422
    assert witness.show()[0] == REFUSED
    (kept,) = witness.proofs()
    assert citizen.verify(kept)[1]["kind"] == "fork"
    proof = citizen.keep("grown.json", consistency(liar.url, 3))
    code, verdict = citizen.verify(receipt(liar.url, 3), "--since", old, "--consistency", proof)
    assert (code, verdict["code"]) == (REFUSED, "log-forked")


def test_a_batch_rewritten_under_the_old_signature_is_seen_by_the_monitor(
    liar: Liar, citizen: Outsider
) -> None:
    """The monitor's `rewritten`: what is handed out isn't what the log holds."""
    liar.second_view().rewrite("three, as it should have been")

    def lie(path: str, answer: Response) -> Response:
        rewritten = path.startswith("/v1/batches/2/")
        return Response(get(f"{liar.other_url}{path}")) if rewritten else answer

    liar.view.lies.append(lie)
    assert citizen.monitor(liar.url) == {"rewritten"}


# -- it withholds a batch


@pytest.mark.parametrize("part", ["/v1/batches/1/runs", "/v1/batches/1/leaves"])
def test_a_withheld_batch_is_missed_by_the_monitor(
    liar: Liar, citizen: Outsider, part: str
) -> None:
    """The monitor's `withheld`; it ends once the batch is handed out."""
    liar.view.lies.append(
        lambda path, answer: Response("not here", 404) if path == part else answer
    )
    assert citizen.monitor(liar.url) == {"withheld"}
    liar.view.lies.clear()
    assert citizen.monitor(liar.url) == set()


def test_withheld_entries_are_missed_by_the_monitor(liar: Liar, citizen: Outsider) -> None:
    """A log that grew and doesn't show its new entries: `withheld` too."""
    assert citizen.monitor(liar.url) == set()
    liar.view.grow("four")
    liar.view.lies.append(
        lambda path, answer: Response("not here", 404) if "/entries/" in path else answer
    )
    assert citizen.monitor(liar.url) == {"withheld"}


# -- it passes a row off as a record


def test_a_row_passed_off_as_a_record_is_refused(liar: Liar, citizen: Outsider) -> None:
    """The verifier's step 4: a version's batch holds no records, a records' batch no rows."""
    row, record = liar.publish("name,wage\nLi,1\n"), json.loads(receipt(liar.url, 2))
    for forged, reason in (
        ({**record, **_batch(row)}, "statement-in-version"),
        ({**row, **_batch(record)}, "row-in-records"),
    ):
        code, verdict = citizen.verify(canonical.dumps(forged))
        assert (code, verdict["code"]) == (REFUSED, f"receipt-refused.{reason}")


def _batch(proof: dict[str, Any]) -> dict[str, Any]:
    """What of a receipt says where its leaf is."""
    return {name: proof[name] for name in ("anchors", "checkpoint", "descriptor", "log", "path")}
