# SPDX-License-Identifier: Apache-2.0
"""Erasing: what must go goes, all else stays as it was, and a crash leaves both or neither."""

import base64
import json
from collections.abc import Callable, Iterator
from hashlib import sha256
from hmac import digest as hmac_digest
from threading import Thread
from typing import Any

import pytest

from notary.core.errors import MalformedText
from notary.core.receipt import row_leaf, verify_receipt
from notary.core.row_profiles import row_salt
from notary.core.window import verify_window
from notary.core.window_format import Asked
from notary.store.pool import Transaction
from notary.usecases.datasets import describe_dataset
from notary.usecases.erase import Order, RecordPlace, VersionPlace
from notary.usecases.keep import drop_due
from notary.usecases.outbox import Outbox
from notary.usecases.prove_versions import VersionProver
from notary.usecases.prove_window import WindowProver
from notary.usecases.quarantine import Rejected, Whole, leave, put_aside
from notary.usecases.reading import Address, Reading
from notary.usecases.reading import Asked as AskedOf
from notary.usecases.rights import NotFound
from notary.usecases.sharing import NewGrant, Sharer, list_grants
from notary.usecases.version_look import get_row
from notary.usecases.version_upload import Upload, UploadLost
from notary.usecases.versions import VersionOnce
from tests.usecases.tables import facts_of, publish
from tests.usecases.world import ORDER, World, new_department

SECRET = b'{"name": "Wang Wei", "wage": 4711}'
AGAIN = RecordPlace("desk", 1)


def desk(world: World, dataset: str, payload: bytes = SECRET, **more: Any) -> None:
    """One reading of the desk."""
    world.accept([Reading(dataset, "desk", payload, "application/json", "none", **more)])


def dump(world: World) -> bytes:
    """Every row of every table, as text and as it lies on the wire."""
    found = []
    for (table,) in world.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"):
        for row in world.rows(f"SELECT * FROM {table}"):
            found += [v if isinstance(v, bytes) else str(v).encode() for v in row]
    return b"\n".join(found)


# -- all else stays


@pytest.mark.parametrize("name", ["air", None], ids=["open", "closed"])
def test_every_other_receipt_is_the_same_byte_for_byte(world: World, name: str | None) -> None:
    """Of neighbours in its source, its batch, its log; and of its own only `erased` is new."""
    dataset = world.dataset(name)
    accepted = world.add(dataset, 12, sources=2)
    world.settle()
    accepted += world.add(dataset, 6, sources=2, seed=1)
    world.settle()
    what = RecordPlace("s0", 1)

    def receipts() -> dict[tuple[str, int], Any]:
        """Of all that were accepted."""
        made = world.prover()
        return {
            (one.source, one.n): made.receipt(dataset, one.source, one.n, caller=world.caller).text
            for one in accepted
        }

    before = receipts()
    world.erase(dataset, what)
    after, trust = receipts(), world.parts.trust()
    was, now = (json.loads(texts.pop(("s0", 1))) for texts in (before, after))
    assert before == after
    for text in after.values():
        verify_receipt(text, trust)
    assert set(was) - set(now) == ({"payload"} if name else {"payload", "salt"})
    assert set(now) - set(was) == {"erased"}
    assert all(was[member] == now[member] for member in set(was) & set(now))
    assert world.audit().findings == ()


def test_what_waits_can_be_erased_and_is_sealed_then(world: World) -> None:
    """Before a batch holds it; leaf and chain stand."""
    dataset = world.dataset(None)
    for _ in range(3):
        desk(world, dataset)
    world.erase(dataset, AGAIN)
    world.erase(dataset, RecordPlace("desk", 2))
    desk(world, dataset, b"later")
    world.settle()
    for n in range(4):
        text = world.prover().receipt(dataset, "desk", n, caller=world.caller).text
        verify_receipt(text, world.parts.trust())
    assert world.audit().findings == ()


def test_a_window_over_it_is_whole_and_says_so(world: World) -> None:
    """Nothing is missing in the chain; which content is gone, and why, stands in the window."""
    dataset = world.dataset(None)
    for n in range(5):
        desk(world, dataset, b"%d" % n)
    world.settle()
    done = world.erase(dataset, RecordPlace("desk", 2))
    prover = WindowProver(world.pool, world.prover())
    window = prover.window(facts_of(world, dataset), "desk", Asked("n", 1, 4))
    text = b"".join(window.parts).decode()
    verify_window(text, world.parts.trust())
    (told,) = json.loads(text)["erased"]
    place = [str(done[f"told_{name}"]) for name in ("dataset", "source", "chain", "n")]
    assert (told["n"], told["ground"], told["record"]) == (2, ORDER.ground, "/".join(place))
    _, lines = prover.payloads(facts_of(world, dataset), "desk", 1, 3)
    kept = [json.loads(line) for line in b"".join(lines).splitlines()]
    assert [(line["payload"] is None, "salt" in line) for line in kept] == [
        (False, True),
        (True, False),
        (False, True),
    ]


def test_a_reading_sent_again_after_its_erasure_is_a_new_record(world: World) -> None:
    """Nothing of it is remembered, so it can't be known again."""
    dataset = world.dataset(None)
    reading = Reading(dataset, "desk", SECRET, "application/json", "none", key="slip-7")
    assert [one.duplicate for one in world.accept([reading, reading])] == [False, True]
    world.erase(dataset, RecordPlace("desk", 0))
    (again,) = world.accept([reading])
    assert (again.n, again.duplicate, again.key_reused) == (1, False, False)


def test_a_neighbour_of_another_content_is_still_known(world: World) -> None:
    """Its key is remembered as before, in an open and in a closed dataset."""
    for name in ("air", None):
        dataset = world.dataset(name)
        readings = [
            Reading(dataset, source, b"%d" % n, "text/plain", "none", key=f"{n}")
            for source in ("desk", "other")
            for n in range(4)
        ]
        world.accept(readings)
        world.erase(dataset, AGAIN)
        again = [one.duplicate for one in world.accept(readings)]
        wanted = [n != 1 or (bool(name) and source == "other") for source in "do" for n in range(4)]
        # A closed one keeps no key: what has n and content in common is forgotten with it.
        wanted[5] = name is not None
        assert again == wanted


# -- what must go


def rejected(dataset: str | None, payload: bytes, **more: Any) -> Rejected:
    """Something that was put aside."""
    return Rejected("f", "t", dataset, "not-json", "It is not.", payload, **more)


def in_pack(dataset: str, part: bytes, message: bytes) -> Rejected:
    """A part of a pack of three that was put aside."""
    return rejected(dataset, part, whole=Whole(message, parts=3), place=2)


def test_copies_in_quarantine_go(world: World) -> None:
    """By their bytes, wherever; a pack near in time also by that alone; all else stays."""
    dataset, other = world.dataset(None), world.dataset(None)
    put_aside(world.pool, [rejected(dataset, b"long before")], world.now)
    put_aside(world.pool, [in_pack(dataset, b"x", b"an old pack")], world.now)
    world.pass_by(601)
    aside = [
        rejected(dataset, SECRET),
        rejected(None, b"unknown " + SECRET),
        in_pack(dataset, b"bad", b"[" + SECRET + b",bad]"),
        in_pack(dataset, b"bad", b'[{"bn":"x","v":1},{"v":2}]'),
        rejected(dataset, b"something else"),
        in_pack(other, b"bad", b"another's pack"),
        rejected(other, b"another's"),
    ]
    put_aside(world.pool, aside, world.now)
    desk(world, dataset)
    world.erase(dataset, RecordPlace("desk", 0))
    left = [bytes(row[0]) for row in world.rows("SELECT payload FROM quarantine ORDER BY id")]  # type: ignore[call-overload]
    assert left == [b"long before", b"x", b"something else", b"bad", b"another's"]
    assert world.rows("SELECT sum(kept), sum(rows) FROM quarantine_counts") == [(5, 5)]
    assert SECRET not in dump(world)


def test_a_pack_that_was_tried_again_goes_however_late(world: World) -> None:
    """A reading of it became a record a day after; the message holds its payload otherwise."""
    dataset = world.dataset(None)
    put_aside(world.pool, [in_pack(dataset, b"bad", b'[{"bn":"x","v":1},{"v":2}]')], world.now)
    world.pass_by(86_400)
    with world.pool.transaction() as tx:
        assert leave(tx, 1, [2], 3) == 1
    desk(world, dataset)
    world.erase(dataset, RecordPlace("desk", 0))
    assert world.rows("SELECT count(*) FROM quarantine") == [(0,)]


def test_an_empty_payload_takes_nothing_with_it(world: World) -> None:
    """No bytes are in every message."""
    dataset = world.dataset(None)
    put_aside(world.pool, [rejected(dataset, b"something"), rejected(None, b"")], world.now)
    desk(world, dataset, b"")
    world.erase(dataset, RecordPlace("desk", 0))
    assert world.rows("SELECT count(*) FROM quarantine") == [(2,)]


def test_answers_on_their_way_lose_its_key(world: World) -> None:
    """Of this record alone; the answers stay what they were else, and in canonical form."""
    dataset = world.dataset(None)
    address = Address("default", "answers/gw", None, dataset, "desk", of=2)
    readings = [
        Reading(dataset, "desk", b"%d" % n, "text/plain", "none", key=f"slip-{n}",
                answer_to=AskedOf(address, n))
        for n in range(2)
    ]  # fmt: skip
    world.parts.acceptor(Outbox("gw")).accept(readings, world.now)
    world.erase(dataset, AGAIN)
    ((answers,),) = world.rows("SELECT answers FROM outbox")
    text = json.loads(str(answers))[0][2]
    told = json.loads(text)
    assert [one.get("key") for one in told["readings"]] == ["slip-0", None]
    assert text == json.dumps(told, sort_keys=True, separators=(",", ":"))
    assert b"slip-1" not in dump(world)


def test_what_a_grant_said_goes_with_its_record(world: World) -> None:
    """The words stand in the record and in the grant; the grant itself holds on."""
    dataset = world.dataset(None)
    new_department(world.pool, "parks", world.now)
    world.change("UPDATE datasets SET sharing = 'conditional'")
    facts = facts_of(world, dataset)
    sharer = Sharer(world.pool, world.acceptor())
    sharer.grant(facts, NewGrant("parks", "To find Wang Wei", "2031-4711"), None, world.now)
    (place,) = world.rows(
        "SELECT d.name, s.name FROM grant_records r JOIN sources s ON s.id = r.source"
        " JOIN datasets d ON d.id = s.dataset"
    )
    assert b"Wang Wei" in dump(world)
    world.erase(str(place[0]), RecordPlace(str(place[1]), 0))
    assert b"Wang Wei" not in dump(world)
    assert b"4711" not in dump(world)
    (grant,) = list_grants(world.pool, facts, None, "", 10)
    assert grant["withdrawn_at"] is None


# -- versions

ROWS = [b"name,wage", *(b"Wang Wei %d,4711" % n for n in range(600))]
FILE = b"\n".join(ROWS) + b"\n"


def version_traces(world: World, row: dict[str, Any], dataset: str) -> Iterator[tuple[str, bytes]]:
    """Everything by which the file or its last row could be told by whoever guesses it."""
    instance = world.parts.settings.secret_file.read_bytes()
    for what, data in (("file", FILE), ("row", ROWS[-1])):
        yield f"{what} itself", data[-30:]
        yield f"sha256 of {what}", sha256(data).digest()
        yield f"hmac of {what}", hmac_digest(instance, data, "sha256")
        for name in ("salt", "secret"):
            if row[name] is not None:
                yield f"{name} and {what}", sha256(row[name] + data).digest()
    said = [dataset, "text/csv", "wei.csv", None, None]
    body = b"version " + json.dumps(said).encode() + sha256(FILE).digest()
    yield "idempotency", hmac_digest(instance, body, "sha256")
    yield "name", b"wei.csv"
    yield "size", b"\n%d\n" % len(FILE)
    _, last = get_row(world.pool, facts_of(world, dataset), 1, len(ROWS) - 1)
    yield "bare leaf", row_leaf("csv-v1", b"", last)
    yield "leaf", row_leaf("csv-v1", row_salt(row["secret"], len(ROWS) - 1), last)
    for name in ("salt", "secret"):
        if row[name] is not None:
            yield name, row[name]


@pytest.mark.parametrize("is_open", [True, False], ids=["open", "closed"])
def test_nothing_lets_an_erased_version_be_guessed(world: World, is_open: bool) -> None:
    """In a dump of the whole database; what is public in an open dataset is named."""
    dataset = world.dataset("wages" if is_open else None)
    once = VersionOnce(world.caller.key_id, "once", world.parts.instance_secret())
    publish(world, dataset, FILE, name="wei.csv", once=once)
    upload = Upload(world.pool, facts_of(world, dataset).id, is_open=is_open, now=world.now)
    upload.write([FILE], "text/csv", 1 << 20, lambda: world.now)
    world.settle()
    with world.pool.transaction() as tx:
        row = tx.maps("get_version", dataset=facts_of(world, dataset).id, version=1)[0]
    traces = dict(version_traces(world, row, dataset))
    data = b"\n" + dump(world)
    missing = {name for name, trace in traces.items() if trace not in data}
    assert {"file itself", "row itself", "sha256 of file", "idempotency", "size", "leaf"} <= set(
        traces
    ) - missing
    world.erase(dataset, VersionPlace(1))
    data = b"\n" + dump(world)
    found = {name for name, trace in traces.items() if trace in data}
    public = {"sha256 of file", "bare leaf", "leaf"}
    # The commitment and the salted leaves stay; what opens them is gone.
    assert found == (public if is_open else {"salt and file", "leaf"})
    assert world.rows("SELECT count(*) FROM uploads") == [(0,)]
    assert world.audit().findings == ()


def test_the_receipts_of_other_versions_are_the_same(world: World) -> None:
    """File and rows of a version before and one after it."""
    dataset = world.dataset(None)
    files = [FILE + b"x,%d\n" % n for n in range(3)]
    for file in files:
        publish(world, dataset, file)
    world.settle()
    facts, prover = facts_of(world, dataset), VersionProver(world.pool, world.prover())

    def receipts() -> list[str]:
        """Of the first and the third."""
        return [
            text
            for version in (1, 3)
            for text in (
                prover.file_receipt(facts, version).text,
                prover.row_receipt(facts, version, 300).text,
            )
        ]

    before = receipts()
    world.erase(dataset, VersionPlace(2))
    assert receipts() == before
    for version, text in ((1, before[0]), (3, before[2])):
        verify_receipt(text, world.parts.trust(), payload=files[version - 1])


def test_the_same_file_again_is_a_new_version(world: World) -> None:
    """Also under its Idempotency-Key: nothing is left by which it could be known."""
    dataset = world.dataset(None)
    once = VersionOnce(world.caller.key_id, "once", world.parts.instance_secret())
    assert publish(world, dataset, FILE, once=once).version == 1
    assert publish(world, dataset, FILE, once=once).version == 1
    world.erase(dataset, VersionPlace(1))
    again = publish(world, dataset, FILE, once=once)
    assert (again.version, again.is_new) == (2, True)


# -- crashes, haste, wrong orders

STEPS = ["add_erasure", "erase_record", "erase_duplicate", "erase_idempotency",
         "find_quarantined_with", "erase_words_of_erasure"]  # fmt: skip


@pytest.mark.parametrize("step", STEPS)
def test_a_crash_leaves_both_or_neither(
    world: World, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At any step: content, prints and salts are all there, no record tells of an erasure."""
    dataset = world.dataset(None)
    desk(world, dataset, key="slip-1")
    world.settle()
    tables = ("records", "duplicates", "erasures", "idempotency", "segments")
    before = [world.rows(f"SELECT * FROM {table} ORDER BY 1, 2, 3") for table in tables]
    for name in ("do", "rows"):
        real = getattr(Transaction, name)

        def broken(self: Transaction, query: str, /, _real: Any = real, **values: object) -> Any:
            if query == step:
                raise KeyboardInterrupt
            return _real(self, query, **values)

        monkeypatch.setattr(Transaction, name, broken)
    with pytest.raises(KeyboardInterrupt):
        world.erase(dataset, RecordPlace("desk", 0))
    monkeypatch.undo()
    after = [world.rows(f"SELECT * FROM {table} ORDER BY 1, 2, 3") for table in tables]
    assert after == before
    assert world.audit().findings == ()
    assert world.erase(dataset, RecordPlace("desk", 0))["is_new"]


def test_many_at_once_are_one_erasure(world: World) -> None:
    """Whoever comes first does it; the others are told of it."""
    dataset = world.dataset(None)
    desk(world, dataset)
    done: list[dict[str, Any]] = []

    def erase(number: int) -> None:
        """As one of several processes."""
        order = Order(f"Letter {number}", "PIPL, article 47", "Ms Li")
        done.append(world.erase(dataset, RecordPlace("desk", 0), order))

    threads = [Thread(target=erase, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(one["is_new"] for one in done) == [False, False, False, True]
    assert len({one["ordered"] for one in done}) == 1
    assert world.rows("SELECT count(*) FROM erasures") == [(1,)]
    world.settle()
    assert world.audit().findings == ()


def test_accepting_sealing_dropping_and_erasing_get_on_together(world: World) -> None:
    """At the same time, in one dataset: nothing waits for good, nothing is lost, all is clean."""
    dataset = world.dataset(None, lane_count=2)
    describe_dataset(world.pool, facts_of(world, dataset), {"keep": "none"})
    world.add(dataset, 30, sources=2)
    publish(world, dataset, FILE)
    failed: list[BaseException] = []

    def repeat(work: Callable[[int], object]) -> None:
        """As a process of its own."""
        try:
            for number in range(12):
                work(number)
        except BaseException as error:
            failed.append(error)

    jobs: list[Callable[[int], object]] = [
        lambda n: world.add(dataset, 10, sources=2, seed=n + 1),
        lambda n: world.seal(),
        lambda n: list(drop_due(world.pool, world.now)),
        lambda n: world.erase(dataset, RecordPlace(f"s{n % 2}", n)),
        lambda n: world.erase(dataset, VersionPlace(1)),
        lambda n: publish(world, dataset, FILE + b"%d,1\n" % n),
    ]
    threads = [Thread(target=repeat, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [error for error in failed if not isinstance(error, UploadLost)] == []
    world.settle()
    assert world.audit().findings == ()
    assert world.rows("SELECT count(*) FROM erasures") == [(13,)]


WRONG = [
    Order("", ORDER.ground, ORDER.done_by),
    Order(ORDER.order, "x" * 501, ORDER.done_by),
    Order(ORDER.order, ORDER.ground, "a\0b"),
    Order(ORDER.order, "\ud800", ORDER.done_by),
]


@pytest.mark.parametrize("order", WRONG, ids=["nothing", "long", "control", "surrogate"])
def test_an_order_without_words_erases_nothing(world: World, order: Order) -> None:
    """Who, on what ground and by whom must be said."""
    dataset = world.dataset(None)
    desk(world, dataset)
    with pytest.raises(MalformedText):
        world.erase(dataset, RecordPlace("desk", 0), order)
    assert world.rows("SELECT count(payload), count(*) FROM records") == [(1, 1)]


@pytest.mark.parametrize(
    "what", [RecordPlace("desk", 5), RecordPlace("nobody", 0), RecordPlace("desk", 0, 3),
             VersionPlace(1)],
)  # fmt: skip
def test_what_is_not_there_is_not_erased(world: World, what: RecordPlace | VersionPlace) -> None:
    """And no record tells of it."""
    dataset = world.dataset(None)
    desk(world, dataset)
    with pytest.raises(NotFound):
        world.erase(dataset, what)
    assert world.rows("SELECT count(payload), count(*) FROM records") == [(1, 1)]


# -- the audit finds what was taken away otherwise

QUIET = {
    "a payload without an erasure": (
        "UPDATE records SET digest = sha256(salt || payload), payload = NULL WHERE n = 1",
        "its payload is missing, and was not erased",
    ),
    "an erased payload put back": (
        "UPDATE records SET payload = '\\x31' WHERE n = 0 AND payload IS NULL",
        "its payload should be gone, and is there",
    ),
    "an erased salt put back": (
        "UPDATE records SET salt = sha256('x') WHERE n = 0 AND payload IS NULL",
        "it was erased, and its salt is there",
    ),
    "a claim that content was dropped": (
        "UPDATE datasets SET dropped = 1 WHERE kept_for IS NULL",
        "its payload should be gone, and is there",
    ),
    "more dropped than there is": (
        "UPDATE datasets SET dropped = 9 WHERE kept_for IS NULL",
        "it has not so many batches to drop",
    ),
    "another ground": ("UPDATE erasures SET ground = 'None'", "its record says something else"),
    "an erasure of another record": (
        "UPDATE erasures SET n = 2",
        "its payload is missing, and was not erased",
    ),
    "an erasure that nobody told of": ("UPDATE erasures SET told_n = 5", "tells of it"),
}


@pytest.mark.parametrize("what", QUIET)
def test_the_audit_finds_what_no_erasure_explains(world: World, what: str) -> None:
    """Each by name."""
    dataset = world.dataset(None)
    for n in range(3):
        desk(world, dataset, b"%d" % n)
    world.settle()
    world.erase(dataset, RecordPlace("desk", 0))
    assert world.audit().findings == ()
    change, said = QUIET[what]
    assert world.change(change) > 0
    assert any(said in finding for finding in world.audit().findings), world.audit().findings


def test_base64_hides_nothing(world: World) -> None:
    """The payload isn't left in another dress either."""
    dataset = world.dataset(None)
    desk(world, dataset)
    world.settle()
    world.prover().receipt(dataset, "desk", 0, caller=world.caller)
    world.erase(dataset, RecordPlace("desk", 0))
    data = dump(world)
    for dress in (SECRET, base64.b64encode(SECRET), SECRET.hex().encode()):
        assert dress not in data
