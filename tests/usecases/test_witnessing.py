# SPDX-License-Identifier: Apache-2.0
"""Asking witnesses: what is kept of what they answer, and what it takes to be shown."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from notary.core.add_checkpoint import AddCheckpoint, parse_request
from notary.core.checkpoint import open_checkpoint
from notary.core.errors import QuorumNotMet
from notary.core.fork import verify_fork
from notary.core.note import KIND_COSIGNATURE, format_note, parse_note, parse_vkey, signature_line
from notary.core.receipt import verify_receipt
from notary.keys import KeyRing
from notary.local.postgres import Postgres
from notary.usecases import look
from notary.usecases.ask_witness import Asking
from notary.usecases.log_keys import give_up
from notary.usecases.marks import StateRefused
from notary.usecases.prove import NotYet, NoWitnesses, Until
from notary.usecases.witness_client import MAX_REPLY_BYTES, WitnessClient
from notary.usecases.witness_look import witness_status
from notary.usecases.witness_rule import load_rule
from notary.usecases.witnessing import Witnesses
from tests.conftest import new_database
from tests.core.signing import Signer
from tests.dishonest.liar import DATASET, View
from tests.usecases.world import ORIGIN, World
from tests.witness.logs import SmallLog
from tests.witness.served import FalseWitness, HonestWitness, Said, closing_all, policy_of


class Town:
    """A notary whose log has two checkpoints, and its witnesses."""

    def __init__(self, world: World, folder: Path, open_ones: list[Any]) -> None:
        self.world, self.folder, self._open_ones = world, folder, open_ones
        self.said: list[tuple[str, dict[str, object]]] = []
        self.dataset = world.dataset("weather")
        self.witnesses: list[HonestWitness] = []
        self.asker: Witnesses | None = None

    def witness(self) -> HonestWitness:
        """One more witness."""
        number = len(self.witnesses)
        made = HonestWitness(
            self.folder / f"w{number}",
            f"w{number}.example",
            lambda: self.world.now,
            self.world.marks.log_keys(),
        )
        self._open_ones.append(made)
        self.witnesses.append(made)
        return made

    def false(self, answers: Callable[[str, bytes], Said | None]) -> FalseWitness:
        """A server that answers so."""
        made = FalseWitness(answers)
        self._open_ones.append(made)
        return made

    def rule(self, policy: str | None, *, fails_open: bool = False) -> Witnesses:
        """The sealer starts with this policy."""
        rule = None
        if policy is not None:
            path = self.folder / "policy"
            path.write_text(policy)
            keys = [key.verifier for key in self.world.marks.log_keys()]
            rule = load_rule(path, fails_open=fails_open, log_keys=keys)
        world = self.world
        self.asker = Witnesses(world.pool, rule, world.marks.log_keys, lambda: world.now, self.say)
        return self.asker

    def say(self, event: str, /, **facts: object) -> None:
        """What the sealer writes."""
        self.said.append((event, facts))

    def grow(self) -> None:
        """One more batch, signed; a second later."""
        self.world.pass_by(1)
        self.world.add(self.dataset, 4, seed=self.world.size())
        self.world.seal()
        self.world.sign()

    def ask(self) -> None:
        """One round of the sealer, to its end."""
        assert self.asker is not None
        self.asker.turn(self.world.now)
        self.asker.wait(60)

    def lines(self, size: int) -> list[str]:
        """Who signed a checkpoint."""
        rows = self.world.rows("SELECT note FROM checkpoints WHERE size = %s", size)
        return [line.name for line in parse_note(str(rows[0][0])).unverified]

    def receipt(self, seed: int, until: Until = "signed") -> str:
        """The receipt of a record of a batch."""
        rows = self.world.rows(
            "SELECT s.name, r.first FROM runs r JOIN sources s ON s.id = r.source"
            " WHERE r.batch = %s ORDER BY r.position LIMIT 1",
            seed,
        )
        source, n = rows[0]
        proof = self.world.prover().receipt(
            self.dataset, str(source), int(str(n)), caller=None, until=until
        )
        return proof.text

    def standing(self, witness: int = 0) -> dict[str, Any]:
        """What /statusz says of a witness."""
        name = f"w{witness}.example"
        items = witness_status(self.world.pool)["items"]
        found: dict[str, Any] = next(item for item in items if item["name"] == name)
        return found

    def shown(self) -> int:
        """The size of the checkpoint that everybody is shown; 0 where none is."""
        found = look.newest_checkpoint(self.world.pool)
        return 0 if found is None else int(found["size"])


@pytest.fixture
def town(world: World, tmp_path: Path) -> Iterator[Town]:
    """A notary with two signed checkpoints."""
    with closing_all() as open_ones:
        made = Town(world, tmp_path, open_ones)
        made.grow()
        made.grow()
        yield made


# -- what is kept


def test_cosignatures_are_added_and_the_text_stays(town: Town) -> None:
    """Under the log's own line, in the newest checkpoint alone."""
    text = parse_note(str(town.world.checkpoints()[1][2])).text
    town.witness(), town.witness()
    town.rule(policy_of(town.witnesses))
    town.ask()
    note = parse_note(str(town.world.checkpoints()[1][2]))
    assert note.text == text
    assert (town.lines(2)[0], sorted(town.lines(2)[1:])) == (ORIGIN, ["w0.example", "w1.example"])
    assert town.lines(1) == [ORIGIN]
    assert town.world.audit().findings == ()


def test_each_next_checkpoint_is_cosigned(town: Town) -> None:
    """By the path from what the witness has; a round without growth asks nobody."""
    town.witness()
    town.rule(policy_of(town.witnesses))
    for size in (2, 3, 4):
        town.ask()
        assert town.lines(size) == [ORIGIN, "w0.example"]
        asked = town.world.rows("SELECT asked_at FROM witnesses")
        town.world.pass_by(5)
        town.ask()
        assert town.world.rows("SELECT asked_at FROM witnesses") == asked
        town.grow()


def test_a_receipt_holds_under_the_quorum_of_the_trust_file(town: Town) -> None:
    """`notary trust` names witnesses and quorum; the verifier demands them, and shows the time."""
    town.witness(), town.witness(), town.witness()
    town.rule(policy_of(town.witnesses, 2))
    town.ask()
    receipt, trust = town.receipt(1, "witnessed"), town.world.parts.trust()
    checks = {check.code: check for check in verify_receipt(receipt, trust).checks}
    assert checks["witnesses"].status == "held"
    assert checks["witnesses"].facts["want"] == 2
    assert checks["witnesses"].facts["count"] == 3
    assert checks["time"].status == "held"
    stripped = receipt.replace(*_lines_of("w1", receipt)).replace(*_lines_of("w2", receipt))
    with pytest.raises(QuorumNotMet):
        verify_receipt(stripped, trust)


def _lines_of(name: str, receipt: str) -> tuple[str, str]:
    """A witness's signature line as it stands in a receipt, and nothing."""
    begin = receipt.index(f"\u2014 {name}.example ")
    return receipt[begin : receipt.index("\\n", begin) + 2], ""


def test_two_sealers_may_ask_at_once(town: Town) -> None:
    """No line is lost and none stands twice."""
    town.witness(), town.witness()
    one, other = town.rule(policy_of(town.witnesses)), town.rule(policy_of(town.witnesses))
    for size in range(2, 6):
        for asker in (one, other):
            asker.turn(town.world.now)
        for asker in (one, other):
            asker.wait(60)
        assert sorted(town.lines(size)) == [ORIGIN, "w0.example", "w1.example"]
        town.grow()
    assert town.world.audit().findings == ()


# -- failing closed and open


def test_closed_nothing_is_shown_without_its_quorum(town: Town) -> None:
    """Signing goes on; what is shown is the newest that has its quorum."""
    first, second = town.witness(), town.witness()
    town.rule(policy_of(town.witnesses))
    assert town.shown() == 2
    second.close()
    town.ask()
    assert town.shown() == 0
    with pytest.raises(NotYet):
        town.receipt(1)
    second.start()
    town.world.pass_by(10)
    town.ask()
    assert town.shown() == 2
    town.grow()
    assert town.shown() == 2
    town.receipt(1)
    with pytest.raises(NotYet):
        town.receipt(2)
    assert first.name in town.lines(2)


def test_open_it_is_shown_and_said(town: Town) -> None:
    """A receipt without its quorum is given, and isn't final; /statusz says what is lacking."""
    town.witness().close()
    town._open_ones.clear()
    town.rule(policy_of(town.witnesses), fails_open=True)
    town.ask()
    assert town.shown() == 2
    status = witness_status(town.world.pool)
    assert (status["fail"], status["witnessed_size"], status["alarm"]) == ("open", 0, False)
    assert town.standing()["problem"] == "away"
    town.receipt(1)
    with pytest.raises(NotYet):
        town.receipt(1, "witnessed")
    town.world.anchor()
    source, n = "s0", 0
    proof = town.world.prover().receipt(town.dataset, source, n, caller=None)
    assert not proof.final


def test_one_of_two_is_enough_where_the_policy_says_so(town: Town) -> None:
    """The other one costs nothing but its cosignature."""
    town.witness(), town.witness().close()
    del town._open_ones[1]
    town.rule(policy_of(town.witnesses, "any"))
    town.ask()
    assert town.shown() == 2
    assert town.standing(1)["problem"] == "away"


def test_without_a_policy_nobody_becomes_witnessed(town: Town) -> None:
    """Who asks for it is told so, instead of waiting for ever."""
    town.rule(None)
    town.ask()
    assert town.shown() == 2
    with pytest.raises(NoWitnesses):
        town.receipt(1, "witnessed")
    assert witness_status(town.world.pool)["fail"] == "none"


def test_a_new_policy_judges_the_newest_anew(town: Town) -> None:
    """It alone: what has its quorum is shown at once, and while it hasn't nothing is; and back."""
    town.witness(), town.witness()
    first, both = policy_of(town.witnesses[:1]), policy_of(town.witnesses)
    for policy, shown in ((first, 2), (both, 2), (first, 2)):
        town.rule(policy)
        town.ask()
        assert town.shown() == shown
    town.witnesses[1].close()
    del town._open_ones[1]
    town.grow()
    for policy, shown in ((first, 3), (both, 0), (first, 3)):
        town.world.pass_by(5)
        town.rule(policy)
        town.ask()
        assert town.shown() == shown
    assert town.world.audit().findings == ()


def test_a_witness_that_was_away_catches_up_by_one_path(town: Town) -> None:
    """After pauses that grow to five minutes."""
    witness = town.witness()
    town.rule(policy_of(town.witnesses))
    town.ask()
    witness.close()
    for _ in range(4):
        town.grow()
        town.ask()
    failures = town.standing()["failures"]
    assert 2 <= failures < 4
    witness.start()
    town.world.pass_by(timedelta(minutes=5).total_seconds())
    town.ask()
    assert town.lines(6) == [ORIGIN, "w0.example"]
    assert town.standing()["problem"] is None
    said = [facts["problem"] for _, facts in town.said]
    assert said == [None, "away", None]


# -- false witnesses


@dataclass
class Asked:
    """What a false witness knows when it answers: it has an honest one's key."""

    town: Town
    honest: HonestWitness
    request: AddCheckpoint

    def cosign(self, text: str | None = None, seconds: float = 0) -> bytes:
        """A cosignature of that key, over any text at any time."""
        time = int(self.town.world.now.timestamp() + seconds)
        text = text or parse_note(self.request.note).text
        return signature_line(self.honest.state.cosigner.cosign(text, time)).encode()

    def stranger(self) -> bytes:
        """A cosignature of another key under its name."""
        signer = Signer(self.honest.name, KIND_COSIGNATURE, seed=9)
        return signature_line(signer.sign(parse_note(self.request.note).text)).encode()


def broken(line: bytes) -> bytes:
    """One bit of the signature changed."""
    return line[:-6] + (b"A" if line[-6:-5] != b"A" else b"B") + line[-5:]


TEXT, SIZE = "text/plain", "text/x.tlog.size"
FALSE: dict[str, tuple[Callable[[Asked], Said | None], str]] = {
    "nothing": (lambda _: None, "away"),
    "too much": (lambda _: (200, TEXT, b"a" * (MAX_REPLY_BYTES + 1)), "away"),
    "pushed back": (lambda _: (429, TEXT, b""), "away"),
    "broken": (lambda _: (500, TEXT, b""), "away"),
    "no body": (lambda _: (200, TEXT, b""), "bad-answer"),
    "garbage": (lambda _: (200, TEXT, bytes(range(256))), "bad-answer"),
    "half a line": (lambda asked: (200, TEXT, asked.cosign()[:-9]), "bad-answer"),
    "a line that doesn't hold": (lambda asked: (200, TEXT, broken(asked.cosign())), "bad-answer"),
    "another key's": (lambda asked: (200, TEXT, asked.stranger()), "bad-answer"),
    "over another text": (lambda asked: (200, TEXT, asked.cosign("other\n1\n")), "bad-answer"),
    "more text before it": (lambda asked: (200, TEXT, b"x\n\n" + asked.cosign()), "bad-answer"),
    "the log's own line": (
        lambda asked: (200, TEXT, asked.request.note.split("\n\n")[1].encode()), "bad-answer",
    ),
    "two hours early": (lambda asked: (200, TEXT, asked.cosign(seconds=-7200)), "clock"),
    "two hours late": (lambda asked: (200, TEXT, asked.cosign(seconds=7200)), "clock"),
    "not found": (lambda _: (404, TEXT, b""), "refused"),
    "no key": (lambda _: (403, TEXT, b""), "refused"),
    "malformed": (lambda _: (400, TEXT, b""), "refused"),
    "elsewhere": (lambda _: (302, TEXT, b""), "refused"),
    "no content": (lambda _: (204, TEXT, b""), "refused"),
    "a size that is text": (lambda _: (409, TEXT, b"1\n"), "bad-answer"),
    "no size": (lambda _: (409, SIZE, b"many\n"), "bad-answer"),
    "always another size": (
        lambda asked: (409, SIZE, b"%d\n" % (1 - asked.request.old)), "unsettled",
    ),
    "more than there is": (lambda _: (409, SIZE, b"%d\n" % (2**63 - 1)), "behind"),
    "another root once": (lambda _: (422, TEXT, b""), "claims-fork"),
}  # fmt: skip


def false_witness(town: Town, answers: Callable[[Asked], Said | None]) -> HonestWitness:
    """The sealer starts with a policy of one witness, under whose key another one answers."""
    honest = town.witness()

    def answer(path: str, body: bytes) -> Said | None:
        if path != "/add-checkpoint":
            return 404, TEXT, b""
        return answers(Asked(town, honest, parse_request(body)))

    false = town.false(answer)
    town.rule(f"witness w {honest.vkey} {false.url}\nquorum w\n")
    town.ask()
    return honest


@pytest.fixture(scope="module")
def standing(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A notary with two signed checkpoints for all lies; each is told under another key."""
    folder = tmp_path_factory.mktemp("false")
    world = World.make(folder, new_database(postgres))
    with closing_all() as open_ones:
        made = Town(world, folder, open_ones)
        made.grow()
        made.grow()
        yield made
    world.close()


@pytest.mark.parametrize("lie", FALSE)
def test_what_a_false_witness_says_is_not_kept(standing: Town, lie: str) -> None:
    """It is named in /statusz, nothing is shown by it, and signing isn't stopped by it."""
    town, (answers, problem) = standing, FALSE[lie]
    before = town.world.checkpoints()
    honest = false_witness(town, answers)
    (item,) = witness_status(town.world.pool)["items"]
    assert (item["name"], item["problem"], item["alarm"]) == (honest.name, problem, False)
    assert town.world.checkpoints() == before
    assert town.shown() == 0
    town.world.sign()


def test_a_witness_that_says_nothing_is_not_waited_for(town: Town) -> None:
    """Not even while it drips."""
    hanging = Event()

    def answer(path: str, body: bytes) -> Said | None:
        hanging.wait(10)
        return None

    honest, false = town.witness(), town.false(answer)
    town.rule(policy_of([honest])).turn(town.world.now)
    client = WitnessClient(false.url, 0.2)
    pool, keys = town.world.pool, town.world.marks.log_keys
    asking = Asking(pool, parse_vkey(honest.vkey), client, keys, lambda: town.world.now)
    assert asking.ask().problem == "away"
    hanging.set()


def test_lines_of_others_beside_a_cosignature_are_left_out(town: Town) -> None:
    """Only the line of the witness that was asked is kept."""
    false_witness(town, lambda asked: (200, TEXT, asked.stranger() + asked.cosign()))
    assert town.lines(2) == [ORIGIN, "w0.example"]
    assert town.shown() == 2


# -- forks


def signs(town: Town) -> bool:
    """Whether the log grows by a signed checkpoint."""
    before = len(town.world.checkpoints())
    try:
        town.grow()
    except StateRefused:
        return False
    return len(town.world.checkpoints()) > before


def test_the_mere_claim_of_a_fork_stops_signing_while_it_stands(town: Town) -> None:
    """Nothing is lost meanwhile; when the witness takes it back, or isn't asked, it goes on."""
    claims = [True]

    def answers(asked: Asked) -> Said:
        size = int(parse_note(asked.request.note).text.split("\n")[1])
        if claims[0] and asked.request.old == size:
            return 422, TEXT, b""
        if claims[0]:
            return 409, SIZE, b"%d\n" % size
        return 200, TEXT, asked.cosign()

    false_witness(town, answers)
    assert (town.standing()["problem"], town.standing()["alarm"]) == ("claims-fork", True)
    assert witness_status(town.world.pool)["alarm"]
    with pytest.raises(StateRefused) as refused:
        town.grow()
    assert refused.value.facts["reason"] == "fork-claimed"
    assert "w0.example" in refused.value.detail
    assert (town.world.size(), len(town.world.checkpoints())) == (3, 2)
    claims[0] = False
    town.world.pass_by(5)
    town.ask()
    assert signs(town)
    claims[0] = True
    town.world.pass_by(5)
    town.ask()
    assert not signs(town)
    town.rule(None).turn(town.world.now)
    assert signs(town)


FORKS: dict[str, tuple[int, list[str], str]] = {
    "rewound": (1, [], "note"),
    "rewritten": (1, ["lie"], "fork"),
    "grown from before": (1, ["lie", "more", "and more"], "fork"),
    "rewound and rewritten": (2, ["lie"], "note"),
}
"""How many batches are taken back, which are put in their place, and what proves it."""


@pytest.mark.parametrize("fails_open", [False, True])
@pytest.mark.parametrize("how", FORKS)
def test_a_log_that_was_set_back_is_caught_and_signs_no_more(
    world: World, tmp_path: Path, how: str, fails_open: bool
) -> None:
    """
    The witness doesn't cosign, shows what it has, and the sealer stops, closed and open alike.
    Closed, nobody is shown the fork either.
    """
    world.dataset(DATASET)
    view = View(world)
    view.grow("a", "b", "c")
    with closing_all() as open_ones:
        town = Town(world, tmp_path, open_ones)
        witness = town.witness()
        town.rule(policy_of([witness]), fails_open=fails_open)
        town.ask()
        assert town.lines(3) == [ORIGIN, witness.name]
        back, texts, kind = FORKS[how]
        world.change("DELETE FROM checkpoints")
        world.change("UPDATE witnesses SET known_size = 0, cosigned_size = 0")
        for _ in range(back):
            view.take_back()
        view.sign()
        view.grow(*texts)
        world.pass_by(5)
        town.ask()
        size = world.size()
        assert town.lines(size) == [ORIGIN]
        assert (town.standing()["problem"], town.standing()["alarm"]) == ("fork", True)
        assert town.shown() == (size if fails_open else 0)
        evidence = str(world.rows("SELECT evidence FROM witnesses")[0][0])
        if kind == "fork":
            verify_fork(evidence, world.parts.trust())
        else:
            assert open_checkpoint(evidence, [world.signer.vkey])[0].size == 3
        view.record("desk", "after")
        view.seal()
        with pytest.raises(StateRefused) as refused:
            world.sign()
        assert refused.value.facts["reason"] == "fork"
        # Proof counts whoever is asked.
        town.rule(None).turn(world.now)
        with pytest.raises(StateRefused):
            world.sign()


def test_after_a_start_nothing_is_signed_before_witnesses_were_asked(
    world: World, tmp_path: Path
) -> None:
    """A database that was set back doesn't even sign the first checkpoint of a fork."""
    world.dataset(DATASET)
    view = View(world)
    view.grow("a", "b", "c")
    with closing_all() as open_ones:
        town = Town(world, tmp_path, open_ones)
        town.rule(policy_of([town.witness(), town.witness()]))
        town.ask()
        town.witnesses[1].close()
        del open_ones[1]
        world.change("DELETE FROM checkpoints WHERE size > 2")
        world.change("DELETE FROM witnesses")
        view.take_back()
        view.record("desk", "after")
        view.seal()
        town.rule(policy_of(town.witnesses)).begin(world.now)
        with pytest.raises(StateRefused):
            world.sign()
        assert [size for size, *_ in world.checkpoints()] == [1, 2]


def test_a_witness_that_remembers_less_or_another_log_holds_up_nothing(town: Town) -> None:
    """It shows an older state of this log, nothing, or one of a log that isn't this."""
    town.witness()
    town.rule(policy_of(town.witnesses)).begin(town.world.now)
    town.ask()
    assert signs(town)
    town.rule(policy_of(town.witnesses)).begin(town.world.now)
    assert signs(town)
    other = SmallLog("other.example/log")
    for said in (other.note(9), SmallLog(ORIGIN).note(9), "garbage"):
        answer = (200, TEXT, said.encode())
        false = town.false(lambda path, body, answer=answer: answer)
        policy = f"witness w {town.witnesses[0].vkey} {false.url}\nquorum w\n"
        town.rule(policy).begin(town.world.now)
        assert town.standing()["alarm"] is False
        assert signs(town)


def test_proof_by_a_key_that_was_given_up_stops_nobody(town: Town) -> None:
    """What a thief of the log's key shows to a witness is a thief's once the key is given up."""
    witness = town.witness()
    town.rule(policy_of([witness]))
    town.ask()
    thief = SmallLog(ORIGIN)
    text = thief.text(9)
    note = format_note(text, [town.world.signer.signature(text)])
    town.world.change("UPDATE witnesses SET evidence = %s", note)
    assert not signs(town)
    ring = KeyRing(town.world.parts.settings.state)
    give_up(town.world.pool, town.world.gate, town.world.marks, ring, None, 2)
    assert signs(town)


def test_a_larger_state_that_was_found_again_stops_nobody(town: Town) -> None:
    """An older database was restored, and what it lacked was put back."""
    town.witness()
    town.rule(policy_of(town.witnesses))
    town.ask()
    shown = str(town.world.checkpoints()[1][2])
    town.world.change("UPDATE witnesses SET evidence = %s", shown)
    assert signs(town)
