# SPDX-License-Identifier: Apache-2.0
"""Signed acceptances of real records: what they promise is kept, and what breaks it is proved."""

import json
import stat
from datetime import timedelta
from pathlib import Path

import pytest

from notary.core import canonical
from notary.core.acceptance import parse_acceptance, verify_acceptance
from notary.core.errors import PayloadMismatch
from notary.core.misconduct import candidates, hold_against_log, hold_against_receipt
from notary.core.trust import parse_trust
from notary.core.words import format_time
from notary.keys import KeyRefused, load_key
from notary.usecases.erase import RecordPlace
from notary.usecases.outbox import Answer, Outbox, OutboxReader
from notary.usecases.promises import Place, Promiser
from notary.usecases.reading import Acceptance, Address, Asked, Reading
from tests.usecases.world import ORIGIN, World, some_readings


def places(accepted: list[Acceptance]) -> list[Place]:
    """Where they are."""
    return [Place(one.dataset, one.source, one.chain, one.n) for one in accepted]


@pytest.mark.parametrize("is_open", [True, False])
def test_each_record_of_a_commit_has_its_signed_acceptance(world: World, is_open: bool) -> None:
    """Each with its own statement, all under one signature, checked by the trust file."""
    dataset = world.dataset("air" if is_open else None, lane_count=4)
    readings = some_readings(dataset, 50)
    accepted = world.accept(readings)
    signed = world.parts.promiser().sign(places(accepted))
    trust = world.parts.trust()
    notes = set()
    for reading, one, text in zip(readings, accepted, signed, strict=True):
        assert text is not None
        verdict = verify_acceptance(text, trust, reading.payload)
        assert (verdict.subject["source"], verdict.subject["n"]) == (one.source, one.n)
        assert verdict.subject["sealed_by"] == format_time(world.now + timedelta(hours=1))
        assert verdict.origin == ORIGIN
        with pytest.raises(PayloadMismatch):
            verify_acceptance(text, trust, reading.payload + b" ")
        parsed = parse_acceptance(text)
        notes.add(parsed.note)
        assert (parsed.salt is None) == is_open
    assert len(notes) == 1


def test_asked_again_the_answer_is_the_same(world: World) -> None:
    """So a crash before it was published changes nothing."""
    world.dataset("air")
    asked = places(world.add("air", 9))
    first = world.parts.promiser().sign(asked)
    world.pass_by(1000)
    world.settle()
    assert world.again().parts.promiser().sign(asked) == first


def test_what_is_not_there_is_not_signed(world: World) -> None:
    """Nor what was altered in the store; its neighbours are."""
    world.dataset("air")
    accepted = world.add("air", 9, sources=1)
    world.change("UPDATE records SET payload = 'other' WHERE n = 4")
    asked = [*places(accepted), Place("air", "s0", 0, 9), Place("no", "s0", 0, 0)]
    signed = world.parts.promiser().sign(asked)
    assert [at for at, text in enumerate(signed) if text is None] == [4, 9, 10]
    assert world.parts.promiser().sign(asked[9:]) == [None, None]
    assert world.parts.promiser().sign([]) == []


def test_an_erased_record_keeps_its_acceptance_without_salt(world: World) -> None:
    """The commitment is kept, what opens it isn't."""
    dataset = world.dataset(None)
    (one,) = world.add(dataset, 1)
    (before,) = world.parts.promiser().sign(places([one]))
    world.erase(dataset, RecordPlace(one.source, 0))
    (after,) = world.parts.promiser().sign(places([one]))
    assert parse_acceptance(after or "").salt is None
    assert parse_acceptance(after or "").statement == parse_acceptance(before or "").statement


def test_the_promise_is_kept_by_the_log_and_its_receipt(world: World) -> None:
    """With all that anybody can fetch."""
    world.dataset("air")
    accepted = world.add("air", 20)
    texts = world.parts.promiser().sign(places(accepted))
    world.settle()
    trust = parse_trust(world.parts.trust())
    descriptors = [str(row[0]) for row in world.rows("SELECT descriptor FROM batches ORDER BY 1")]
    note = str(world.checkpoints()[-1][2])
    rows = world.rows(
        "SELECT r.leaf FROM runs u JOIN records r ON r.source = u.source AND r.n >= u.first "
        "AND r.n < u.first + u.count ORDER BY u.position, r.n"
    )
    leaves = {0: [bytes(row[0]) for row in rows]}  # type: ignore[call-overload]
    for one, text in zip(accepted, texts, strict=True):
        assert text is not None
        assert candidates(text, trust, descriptors) == [0]
        assert hold_against_log(text, trust, note, descriptors, leaves).kind == "kept"
        receipt = world.prover().receipt("air", one.source, one.n, caller=None)
        assert hold_against_receipt(text, receipt.text, trust).kind == "kept"


def test_a_record_that_vanishes_from_the_database_is_proved_by_who_holds_its_acceptance(
    world: World,
) -> None:
    """An operator takes it out before it is sealed, head and segment too: the log goes on."""
    world.dataset("air")
    (one,) = world.add("air", 1, sources=1)
    (text,) = world.parts.promiser().sign(places([one]))
    for table in ("records", "segments", "duplicates"):
        world.change(f"DELETE FROM {table}")
    world.pass_by(7200)
    world.dataset("water")
    world.add("water", 3)
    world.settle()
    trust = parse_trust(world.parts.trust())
    descriptors = [str(row[0]) for row in world.rows("SELECT descriptor FROM batches")]
    note = str(world.checkpoints()[-1][2])
    judged = hold_against_log(text or "", trust, note, descriptors, {})
    assert (judged.kind, judged.is_misconduct) == ("missing", True)
    # A forged record in its place, with a receipt that holds.
    world.accept([Reading("air", "s0", b"forged", "text/plain", "acl", key="x")])
    world.settle()
    receipt = world.prover().receipt("air", "s0", 0, caller=None)
    judged = hold_against_receipt(text or "", receipt.text, trust)
    assert (judged.kind, judged.is_misconduct) == ("other-record", True)


def test_signed_acceptances_go_into_the_answers_that_ask_for_them(world: World) -> None:
    """Of duplicates too; refusals have none, and who doesn't ask gets the plain answer."""
    world.dataset("air")
    outbox = Outbox("p")
    acceptor = world.parts.acceptor(outbox)

    def reading(address: Address, place: int, key: str, size: int = 1) -> Reading:
        return Reading(
            "air", "s", b"x" * size, "text/plain", "acl", key=key, answer_to=Asked(address, place)
        )

    signs = Address("default", "t", None, "air", "s", 3, signed=True)
    plain = Address("default", "t", None, "air", "s")
    acceptor.accept_free(
        [
            reading(plain, 0, "a"),
            reading(signs, 0, "a"),
            reading(signs, 1, "b", 300_000),
            reading(signs, 2, "c"),
        ],
        world.now,
    )
    (row,) = OutboxReader(world.pool, "p", []).next_rows("default", 0)
    texts = world.parts.promiser().complete(row.answers)
    assert texts[0] == row.answers[0].text
    told = json.loads(texts[1])
    assert canonical.dumps(told) == texts[1]
    assert [one["state"] for one in told["readings"]] == ["duplicate", "refused", "accepted"]
    assert ["signed" in one for one in told["readings"]] == [True, False, True]
    for one in (told["readings"][0], told["readings"][2]):
        verdict = verify_acceptance(one["signed"], world.parts.trust(), b"x")
        assert verdict.subject["n"] == one["n"]


def test_an_answer_that_only_refuses_has_nothing_to_sign(world: World) -> None:
    """And costs no look into the database."""
    text = '{"dataset":"a","readings":[{"state":"refused"}],"source":"s","state":"refused"}'
    promiser = world.parts.promiser()
    world.close()
    assert promiser.complete([Answer("t", None, text, True, True)]) == [text]


def test_the_key_is_one_of_its_own_in_a_file_of_its_own(world: World) -> None:
    """Mode 0600, made by init, in the trust file under its own use; the log's is another."""
    settings = world.parts.settings
    assert stat.S_IMODE(settings.acceptance_key.stat().st_mode) == 0o600
    key = load_key(settings.acceptance_key)
    assert key.name == f"{ORIGIN}/acceptances"
    assert key.public != load_key(settings.log_key).public
    assert _listed(world) == [key.vkey]


def test_without_the_key_nothing_is_signed_and_the_rest_goes_on(world: World) -> None:
    """The trust file then lists none for acceptances."""
    settings = world.parts.settings
    settings.acceptance_key.unlink()
    settings.acceptance_vkey.unlink()
    with pytest.raises(KeyRefused, match="can't be read"):
        world.parts.promiser()
    assert _listed(world) == []


def _listed(world: World) -> list[object]:
    keys = parse_trust(world.parts.trust()).keys
    return [key.members["key"] for key in keys if key.use == "acceptance"]


def test_a_key_that_others_may_read_is_refused(world: World) -> None:
    """As the log's is."""
    path: Path = world.parts.settings.acceptance_key
    path.chmod(0o644)
    with pytest.raises(KeyRefused, match="chmod 600"):
        world.parts.promiser()


def test_another_time_can_be_promised(world: World) -> None:
    """From one minute on."""
    world.dataset("air")
    signer = load_key(world.parts.settings.acceptance_key)
    promiser = Promiser(world.pool, signer, timedelta(seconds=60))
    (text,) = promiser.sign(places(world.add("air", 1)))
    verdict = verify_acceptance(text or "", world.parts.trust())
    assert verdict.subject["sealed_by"] == format_time(world.now + timedelta(seconds=60))
