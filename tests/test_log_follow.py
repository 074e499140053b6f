# SPDX-License-Identifier: Apache-2.0
"""`notary log follow`: anybody who remembers one checkpoint finds out a log that takes it back."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.wrappers import Response

from notary import cli
from notary.core import canonical
from notary.core.checkpoint import Checkpoint, format_checkpoint, parse_checkpoint
from notary.core.fork import verify_fork
from notary.core.hashing import EMPTY_ROOT
from notary.core.note import format_note
from notary.following import StateUnusable, read_state, write_state
from notary.local.postgres import Postgres
from tests.conftest import new_database
from tests.core.maker import STRANGER
from tests.core.signing import Signer
from tests.dishonest.liar import DATASET, Liar, get
from tests.usecases.servers import world
from tests.usecases.world import World

__all__ = ["world"]
DONE, REFUSED, CANNOT = 0, 1, 2


def liar_of(world: World) -> Iterator[Liar]:
    """A log of three entries."""
    world.dataset(DATASET)
    found = Liar(world)
    try:
        found.view.grow("one", "two", "three")
        yield found
    finally:
        found.close()


@pytest.fixture
def liar(world: World) -> Iterator[Liar]:
    """A log of three entries, for a test that lets it grow."""
    yield from liar_of(world)


@pytest.fixture(scope="module")
def _standing(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Liar]:
    world = World.make(tmp_path_factory.mktemp("liar"), new_database(postgres))
    yield from liar_of(world)
    world.close()


@pytest.fixture
def standing(_standing: Liar) -> Iterator[Liar]:
    """A log of three entries, for tests that change what it says, and not what it has."""
    yield _standing
    _standing.view.lies.clear()


class Reader:
    """Who follows a log, with a folder for what was seen."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.trust, self.folder, self._capsys = folder / "trust.json", folder / "seen", capsys

    @property
    def seen(self) -> str:
        """The note that was seen last."""
        return (self.folder / "checkpoint").read_text()

    def remember(self, content: str | bytes) -> None:
        """Have seen this last."""
        self.folder.mkdir(exist_ok=True)
        data = content if isinstance(content, bytes) else content.encode()
        (self.folder / "checkpoint").write_bytes(data)

    def look(self, liar: Liar, url: str | None = None) -> tuple[int, str, str]:
        """Exit code, standard output and standard error."""
        if not self.trust.exists():
            self.trust.write_text(liar.view.world.parts.trust())
        options = ["--trust", str(self.trust), "--state", str(self.folder)]
        code = cli.main(["log", "follow", url or liar.url, *options])
        return code, *self._capsys.readouterr()


@pytest.fixture
def reader(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Reader:
    return Reader(tmp_path, capsys)


def note_of(liar: Liar, size: int) -> str:
    """A checkpoint that was signed."""
    return next(str(note) for found, _, note in liar.view.world.checkpoints() if found == size)


def test_a_log_that_only_grows(liar: Liar, reader: Reader) -> None:
    """First it is remembered, then held against that; the newest one is remembered."""
    assert reader.look(liar)[0] == DONE
    assert "still the 3 entries" in reader.look(liar)[1]
    liar.view.grow("four", "five")
    code, out, err = reader.look(liar)
    assert (code, err, "from 3 to 5 entries it only grew" in out) == (DONE, "", True)
    assert reader.seen == get(f"{liar.url}/log/checkpoint").decode()
    assert [path.name for path in reader.folder.iterdir()] == ["checkpoint"]


def test_a_log_with_two_histories_is_found_out_by_anybody(liar: Liar, reader: Reader) -> None:
    """
    Whatever the sizes; the file that proves it needs nothing beside it but the log's key, and
    is printed where it can't be kept.
    """
    other = liar.second_view()
    liar.view.grow("for one")
    other.grow("for others")
    reader.look(liar)
    before = reader.seen
    for _ in range(2):
        code, out, err = reader.look(liar, liar.other_url)
        assert (code, out, err[:11]) == (REFUSED, "", "MISCONDUCT.")
        other.grow("and more")
    proofs = sorted(reader.folder.glob("fork-*.json"))
    trust = reader.trust.read_text()
    sizes = {verify_fork(path.read_text(), trust).subject["two"] for path in proofs}
    assert sizes == {4, 5}
    assert reader.seen == before
    reader.look(liar, liar.other_url)
    (last,) = set(reader.folder.glob("fork-*.json")) - set(proofs)
    proof = last.read_text()
    last.write_text("something else")
    code, out, err = reader.look(liar, liar.other_url)
    assert (code, out, "printed instead" in err) == (REFUSED, proof, True)


@pytest.mark.parametrize("has_tiles", [True, False])
def test_an_older_state_is_no_proof_and_is_not_remembered(
    standing: Liar, reader: Reader, has_tiles: bool
) -> None:
    """It may be an old copy; exit 1 says that something is wrong."""
    reader.look(standing)
    before, old = reader.seen, note_of(standing, 2)

    def lie(path: str, answer: Response) -> Response:
        if path == "/log/checkpoint":
            return Response(old)
        return answer if has_tiles else Response("not here", 404)

    standing.view.lies.append(lie)
    code, out, err = reader.look(standing)
    assert (code, out, "2 entries are shown, but 3 were seen" in err) == (REFUSED, "", True)
    assert reader.seen == before


def test_tiles_that_lie_prove_nothing_and_are_refused(standing: Liar, reader: Reader) -> None:
    """What isn't the tree of the signed root accuses nobody, and isn't remembered."""
    before = note_of(standing, 2)
    reader.remember(before)

    def lie(path: str, answer: Response) -> Response:
        if path.startswith("/log/tile/0/"):
            answer.data = bytes(32) + answer.data[32:]
        return answer

    standing.view.lies.append(lie)
    code, out, err = reader.look(standing)
    assert (code, out, "does not hold" in err) == (REFUSED, "", True)
    assert reader.seen == before
    assert list(reader.folder.glob("fork-*")) == []


@pytest.mark.parametrize("shown", ["unsigned", "a stranger's", "changed", "no note"])
def test_a_checkpoint_that_the_log_did_not_sign_is_refused(
    standing: Liar, reader: Reader, shown: str
) -> None:
    """Also the first one."""
    note = note_of(standing, 3)
    body = note.partition("\n\n")[0] + "\n"
    text = {
        "unsigned": body,
        "a stranger's": format_note(body, [STRANGER.sign(body)]),
        "changed": note.replace("\n3\n", "\n2\n"),
        "no note": "<html>",
    }[shown]
    standing.view.lies.append(lambda path, answer: Response(text))
    assert reader.look(standing)[0] == REFUSED
    assert not reader.folder.exists()


def test_a_notary_that_does_not_answer_says_nothing_of_the_log(
    standing: Liar, reader: Reader
) -> None:
    """Exit 2: come back later."""
    reader.look(standing)
    before = reader.seen
    standing.view.lies.append(lambda path, answer: Response("not here", 404))
    for url in (None, "ftp://notary.example", "http://notary.example/?x"):
        code, out, err = reader.look(standing, url)
        assert (code, out, err.count("\n")) == (CANNOT, "", 1)
    assert reader.seen == before


@pytest.mark.parametrize(
    ("kept", "words"),
    [
        (b"", "no checkpoint under your trust file"),
        (b"hello\n", "no checkpoint under your trust file"),
        (b"\xff", "can't be read"),
        (b"x" * 1_100_000, "no checkpoint under your trust file"),
    ],
)
def test_what_was_remembered_and_is_damaged_is_told(
    standing: Liar, reader: Reader, kept: bytes, words: str
) -> None:
    """And never written over: it may be the only evidence."""
    reader.remember(kept)
    code, _, err = reader.look(standing)
    assert (code, words in err) == (CANNOT, True)
    assert (reader.folder / "checkpoint").read_bytes() == kept


def test_a_folder_that_can_t_be_written_is_told(standing: Liar, reader: Reader) -> None:
    """With one sentence."""
    reader.folder.write_text("a file")
    code, out, err = reader.look(standing)
    assert (code, out, err.count("\n"), "can't be" in err) == (CANNOT, "", 1, True)


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff"])
def test_a_trust_file_that_is_none_is_told(standing: Liar, reader: Reader, content: bytes) -> None:
    """Before anything is asked for."""
    reader.trust.write_bytes(content)
    assert reader.look(standing)[0] == CANNOT


def test_what_a_thief_of_the_key_signed_is_no_state_of_the_log(
    standing: Liar, reader: Reader
) -> None:
    """A compromised key may only show its last good state."""
    trust = json.loads(standing.view.world.parts.trust())
    root = parse_checkpoint(note_of(standing, 3).partition("\n\n")[0] + "\n").root
    (log,) = trust["logs"]
    for good, code in ((root.hex(), DONE), ("aa" * 32, REFUSED)):
        log |= {"to": 3, "good": {"size": 3, "root": good}}
        reader.trust.write_text(canonical.dumps(trust))
        assert reader.look(standing)[0] == code


def test_another_log_needs_another_folder(standing: Liar, reader: Reader) -> None:
    """What was seen of one log says nothing of another."""
    other = Signer("other.example/log", seed=9)
    text = format_checkpoint(Checkpoint("other.example/log", 0, EMPTY_ROOT))
    reader.remember(format_note(text, [other.sign(text)]))
    trust = json.loads(standing.view.world.parts.trust())
    trust["logs"].append({"key": other.verifier.vkey, "from": 0, "to": None})
    reader.trust.write_text(canonical.dumps(trust))
    code, _, err = reader.look(standing)
    assert (code, "Use another folder" in err) == (CANNOT, True)


def test_two_that_follow_at_once_lose_nothing(tmp_path: Path) -> None:
    """Who read another state than the one that stands there doesn't write over it."""
    path = tmp_path / "seen" / "checkpoint"
    write_state(path, "one\n", None)
    write_state(path, "two\n", "one\n")
    for expected in (None, "one\n"):
        with pytest.raises(StateUnusable) as caught:
            write_state(path, "three\n", expected)
        assert caught.value.facts["reason"] == "changed"
    assert read_state(path) == "two\n"
    assert [one.name for one in path.parent.iterdir()] == ["checkpoint"]
