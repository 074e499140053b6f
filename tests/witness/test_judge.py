# SPDX-License-Identifier: Apache-2.0
"""What a witness cosigns and what it refuses (C2SP tlog-witness, add-checkpoint)."""

from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import pytest

from notary.core.add_checkpoint import MAX_REQUEST_BYTES, SIZE_TYPE, format_request
from notary.core.fork import verify_fork
from notary.core.hashing import digest
from notary.core.note import KIND_COSIGNATURE, format_note, open_note, parse_note, signature_line
from notary.core.trust import LogKey, Trust
from notary.core.vkey import encode_base64
from notary.witness.command import add_keys
from notary.witness.judge import Answer, Witness
from notary.witness.state import Evidence, State
from tests.core.signing import Signer
from tests.witness.logs import ORIGIN, TIME, SmallLog, make_state

LOG = SmallLog()
FORKED = SmallLog(turned=4)
OTHER = SmallLog("other.example/log", seed=2)
NOBODY = SmallLog("nobody.example/log")
STRANGER = Signer("stranger.example/log", seed=3)
AT = 6
"""The size that the witness has cosigned before each attack; a fork that turned at 4 differs."""


@pytest.fixture
def state(folder: Path) -> State:
    """A witness of two logs."""
    return make_state(folder / "witness", LOG, OTHER)


@pytest.fixture
def witness(state: State) -> Witness:
    """It at work; nothing was cosigned yet."""
    return Witness(state)


@pytest.fixture
def at_six(witness: Witness) -> Witness:
    """It has cosigned the log's first six entries."""
    assert witness.add_checkpoint(LOG.request(0, AT), TIME).status == 200
    return witness


def cosigned(state: State, log: SmallLog, size: int, answer: Answer) -> int:
    """The time of a cosignature, which must be the witness's over that very checkpoint."""
    assert answer.status == 200, answer.body
    assert answer.body.count("\n") == 1
    note = open_note(f"{log.text(size)}\n{answer.body}", [state.cosigner.verifier])
    time = note.verified[0].time
    assert time is not None
    return time


def kept(state: State, origin: str = ORIGIN) -> object:
    """What the witness has of a log, fork or not."""
    with state.look() as look:
        return look.head(origin)


def caught(state: State) -> list[Evidence]:
    """The proofs that it holds."""
    with state.look() as look:
        return look.evidence(ORIGIN)


# -- what is cosigned


@pytest.mark.parametrize(("old", "size"), [*combinations(range(10), 2), (1, 200), (128, 257)])
def test_growth_is_cosigned(state: State, witness: Witness, old: int, size: int) -> None:
    """From nothing, from an empty log, and from each size to each larger one."""
    assert cosigned(state, LOG, old, witness.add_checkpoint(LOG.request(0, old), TIME)) == TIME
    later = witness.add_checkpoint(LOG.request(old, size), TIME + 9)
    assert cosigned(state, LOG, size, later) == TIME + 9


def test_the_same_checkpoint_is_cosigned_again(state: State, at_six: Witness) -> None:
    """Who lost the answer asks again, with the size that the witness has."""
    assert at_six.add_checkpoint(LOG.request(0, AT), TIME + 1).body == f"{AT}\n"
    again = at_six.add_checkpoint(LOG.request(AT, AT), TIME + 2)
    assert cosigned(state, LOG, AT, again) == TIME + 2


def test_logs_dont_get_in_each_others_way(state: State, at_six: Witness) -> None:
    """Each has its own last size."""
    cosigned(state, OTHER, 3, at_six.add_checkpoint(OTHER.request(0, 3), TIME))
    cosigned(state, LOG, 7, at_six.add_checkpoint(LOG.request(AT, 7), TIME))


def test_a_clock_that_was_set_back_is_not_signed(state: State, at_six: Witness) -> None:
    """A larger tree is never said to be seen earlier than a smaller one."""
    answer = at_six.add_checkpoint(LOG.request(AT, 8), TIME - 1000)
    assert cosigned(state, LOG, 8, answer) == TIME


def test_a_clock_at_its_beginning_is_not_signed(state: State, witness: Witness) -> None:
    """The time of a cosignature is never 0: that would mean that there is none."""
    assert cosigned(state, LOG, 2, witness.add_checkpoint(LOG.request(0, 2), 0)) == 1


@pytest.mark.parametrize("signers", [(1, 5), (5,), (1,)])
def test_any_key_of_a_log_will_do(state: State, witness: Witness, signers: tuple[int, ...]) -> None:
    """Old, new, or both during the overlap."""
    new = SmallLog(seed=5)
    add_keys(state, [new.key])
    text = LOG.text(3)
    note = format_note(text, [Signer(ORIGIN, seed=seed).sign(text) for seed in signers])
    cosigned(state, LOG, 3, witness.add_checkpoint(format_request(0, (), note), TIME))


def test_only_its_own_and_the_logs_signatures_are_handed_on(state: State, witness: Witness) -> None:
    """Lines of strangers may stand under a checkpoint; a witness keeps none of them."""
    note = LOG.note(3, STRANGER, Signer("w.example", KIND_COSIGNATURE, seed=9))
    answer = witness.add_checkpoint(format_request(0, (), note), TIME)
    cosigned(state, LOG, 3, answer)
    shown = witness.checkpoint(digest(ORIGIN.encode()).hex())
    lines = [line.name for line in parse_note(shown.body).unverified]
    assert (shown.status, lines) == (200, [ORIGIN, state.cosigner.name])
    assert shown.body.endswith(answer.body)


def test_nothing_is_handed_out_of_what_was_never_cosigned(at_six: Witness) -> None:
    """A log that is known and was never seen, and one that isn't known."""
    for origin in (OTHER.signer.verifier.name, "nobody.example/log"):
        assert at_six.checkpoint(digest(origin.encode()).hex()).status == 404


# -- what is refused


def broken(note: str) -> str:
    """A note whose last signature has one bit changed."""
    parsed = parse_note(note)
    *rest, last = parsed.unverified
    blob = last.blob[:-1] + bytes([last.blob[-1] ^ 1])
    return format_note(parsed.text, [*rest, type(last)(last.name, last.key_id, blob)])


def by(signer: Signer) -> str:
    """The log's true checkpoint, signed by somebody else alone."""
    return format_note(LOG.text(9), [signer.sign(LOG.text(9))])


def twice(size: int) -> str:
    """A good line of the log's key, and one of the same key that doesn't hold."""
    note = LOG.note(size)
    return note + broken(note).rsplit("\n\n", 1)[1]


def signed(text: str) -> str:
    """Any text with the log's signature."""
    return format_note(text, [LOG.signer.sign(text)])


def of_size(size: str) -> str:
    """A checkpoint with a size of one's own."""
    return signed(LOG.text(9).replace("\n9\n", f"\n{size}\n"))


def with_root(size: int, root: bytes) -> str:
    """A checkpoint with a root of one's own."""
    return signed(f"{ORIGIN}\n{size}\n{encode_base64(root)}\n")


GOOD_PATH = list(LOG.path(AT, 9))
REFUSED = {
    "unknown log": (404, AT, [], NOBODY.note(9)),
    "a known key under an unknown log": (404, AT, [], NOBODY.note(9, LOG.signer)),
    "nobody who is known": (403, AT, GOOD_PATH, by(STRANGER)),
    "another known log's key": (403, AT, GOOD_PATH, by(OTHER.signer)),
    "another key of that name": (403, AT, GOOD_PATH, SmallLog(seed=7).note(9)),
    "a witness's key of that name": (403, AT, GOOD_PATH, by(Signer(ORIGIN, KIND_COSIGNATURE))),
    "a signature that doesn't hold": (403, AT, GOOD_PATH, broken(LOG.note(9))),
    "a second line that doesn't hold": (403, AT, GOOD_PATH, twice(9)),
    "a signature over another size": (
        403, AT, GOOD_PATH, LOG.note(9).replace("\n9\n", "\n8\n", 1),
    ),
    "old is larger": (400, 10, [], LOG.note(9)),
    "rewound": (400, AT, [], LOG.note(5)),
    "rewound to nothing": (400, AT, [], LOG.note(0)),
    "rewound, and said so": (409, 3, list(LOG.path(3, 5)), LOG.note(5)),
    "from nothing": (409, 0, [], LOG.note(9)),
    "from nothing again": (409, 0, [], LOG.note(AT)),
    "from an older size": (409, 5, list(LOG.path(5, 9)), LOG.note(9)),
    "from a size not seen yet": (409, 7, list(LOG.path(7, 9)), LOG.note(9)),
    "empty with a root": (422, 0, [], with_root(0, bytes(32))),
    "no path": (422, AT, [], LOG.note(9)),
    "a hash too few": (422, AT, GOOD_PATH[:-1], LOG.note(9)),
    "a hash too many": (422, AT, [*GOOD_PATH, bytes(32)], LOG.note(9)),
    "the longest path": (422, AT, [bytes(32)] * 63, LOG.note(9)),
    "in another order": (422, AT, GOOD_PATH[::-1], LOG.note(9)),
    "another path": (422, AT, list(LOG.path(5, 9)), LOG.note(9)),
    "a path to the same size": (422, AT, GOOD_PATH, LOG.note(AT)),
    "a root of nothing": (422, AT, GOOD_PATH, with_root(9, bytes(32))),
    "the largest size": (422, AT, GOOD_PATH, with_root(2**63 - 1, bytes(32))),
    "forked, same size": (422, AT, [], FORKED.note(AT)),
    "forked, same size, with a path": (422, AT, GOOD_PATH, FORKED.note(AT)),
    "forked, grown": (422, AT, list(FORKED.path(AT, 9)), FORKED.note(9)),
    "forked, with the true path": (422, AT, GOOD_PATH, FORKED.note(9)),
    "an extension line": (400, AT, [], signed(LOG.text(9) + "more\n")),
    "a size with a zero before it": (400, AT, [], of_size("09")),
    "a size with a sign": (400, AT, [], of_size("+9")),
    "a size that is none": (400, AT, [], of_size("nine")),
    "a size beyond all": (400, AT, [], of_size(f"{2**63}")),
    "a size of 4,000 digits": (400, AT, [], of_size("9" * 4000)),
    "no size": (400, AT, [], signed(f"{ORIGIN}\n")),
    "no root": (400, AT, [], signed(f"{ORIGIN}\n9\n")),
    "a short root": (400, AT, [], with_root(9, bytes(31))),
    "a long root": (400, AT, [], with_root(9, bytes(33))),
    "a root in hexadecimal": (400, AT, [], signed(f"{ORIGIN}\n9\n{'00' * 32}\n")),
    "no origin": (404, AT, [], signed(f"\n9\n{encode_base64(bytes(32))}\n")),
    "no signature": (400, AT, [], LOG.text(9) + "\n"),
    "no note": (400, AT, [], "nothing\n"),
    "no end": (400, AT, [], LOG.note(9)[:-1]),
    "carriage returns": (400, AT, [], LOG.note(9).replace("\n", "\r\n")),
    "a zero byte": (400, AT, [], LOG.note(9).replace(ORIGIN, ORIGIN + "\0")),
    "too many lines": (400, AT, [], LOG.note(9) + signature_line(STRANGER.sign("x\n")) * 100),
}  # fmt: skip


def flipped() -> Iterator[tuple[int, list[bytes]]]:
    """The good path with one bit changed in each hash."""
    for place, hash_ in enumerate(GOOD_PATH):
        wrong = bytes([hash_[0] ^ 128]) + hash_[1:]
        yield place, [*GOOD_PATH[:place], wrong, *GOOD_PATH[place + 1 :]]


REFUSED |= {f"a bit of hash {place}": (422, AT, path, LOG.note(9)) for place, path in flipped()}


@pytest.mark.parametrize("attack", REFUSED)
def test_what_is_not_growth_is_refused(state: State, at_six: Witness, attack: str) -> None:
    """By the status that the specification names; and the witness has what it had."""
    status, old, path, note = REFUSED[attack]
    before = kept(state)
    answer = at_six.add_checkpoint(format_request(old, path, note), TIME + 60)
    assert answer.status == status, answer.body
    assert "\u2014" not in answer.body
    assert answer.body.endswith("\n")
    assert kept(state) == before
    if status == 409:
        assert (answer.type, answer.body) == (SIZE_TYPE, f"{AT}\n")
    # The true log isn't held up by whoever tried.
    cosigned(state, LOG, 9, at_six.add_checkpoint(LOG.request(AT, 9), TIME + 61))


@pytest.mark.parametrize(
    "body",
    [b"", b"\n\n", b"old 6", b"\xff", b"old 6\n\n", b"x" * (MAX_REQUEST_BYTES + 1), b"old -1\n\n"],
)
def test_what_is_no_request_is_refused(at_six: Witness, body: bytes) -> None:
    """In one sentence, whatever came."""
    answer = at_six.add_checkpoint(body, TIME)
    assert (answer.status, answer.body.count("\n")) == (400, 1)


def test_from_nothing_a_path_is_refused(state: State, witness: Witness) -> None:
    """There is nothing that it could prove."""
    body = format_request(0, [bytes(32)], LOG.note(4))
    assert witness.add_checkpoint(body, TIME).status == 422
    assert kept(state) is None


@pytest.mark.parametrize(
    ("first", "last", "size", "status"),
    [(0, 5, 5, 200), (0, 5, 6, 403), (5, None, 4, 403), (5, None, 5, 200), (5, 7, 8, 403)],
)
def test_a_key_serves_its_sizes_alone(
    folder: Path, first: int, last: int | None, size: int, status: int
) -> None:
    """As the trust file that was added says, from one to another."""
    state = make_state(folder / "w")
    add_keys(state, [LogKey(LOG.signer.verifier, first, last)])
    assert Witness(state).add_checkpoint(LOG.request(0, size), TIME).status == status


# -- what proves a fork


@pytest.mark.parametrize("attack", [name for name in REFUSED if name.startswith("forked")])
def test_the_proof_of_a_fork_is_kept(state: State, at_six: Witness, attack: str) -> None:
    """Once, to anybody who has the log's key; a path that leads nowhere proves nothing."""
    status, old, path, note = REFUSED[attack]
    for _ in range(2):
        assert at_six.add_checkpoint(format_request(old, path, note), TIME).status == status
    found = caught(state)
    if attack == "forked, with the true path":
        assert found == []
        return
    assert len(found) == 1
    trust = Trust("log", (LOG.key,), (), 0, (), 0)
    verdict = verify_fork(found[0].fork, trust)
    assert (verdict.kind, verdict.origin) == ("fork", ORIGIN)


@pytest.mark.parametrize("attack", [name for name in REFUSED if not name.startswith("forked")])
def test_nobody_is_accused_without_proof(state: State, at_six: Witness, attack: str) -> None:
    """Whatever anybody hands in under a log's true checkpoints."""
    _, old, path, note = REFUSED[attack]
    at_six.add_checkpoint(format_request(old, path, note), TIME)
    assert caught(state) == []


def test_a_liar_cant_fill_the_disk(
    state: State, at_six: Witness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So many proofs are kept and no more."""
    monkeypatch.setattr("notary.witness.state.MAX_EVIDENCE", 4)
    for number in range(6):
        root = number.to_bytes(32, "big")
        body = format_request(AT, (), with_root(AT, root))
        assert at_six.add_checkpoint(body, TIME).status == 422
    assert len(caught(state)) == 4
