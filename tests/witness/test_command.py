# SPDX-License-Identifier: Apache-2.0
"""`notary witness`: what its operator sees and is refused."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from notary import cli
from notary.core.fork import parse_fork, verify_fork
from notary.core.note import KIND_COSIGNATURE, KIND_ED25519, format_vkey
from notary.core.trust import LogKey, Trust, format_trust
from notary.witness.command import origin_address
from notary.witness.judge import Witness
from notary.witness.state import MAX_KEYS, State
from tests.core.signing import Signer
from tests.witness.logs import NAME, ORIGIN, TIME, SmallLog

LOG = SmallLog()
FORKED = SmallLog(turned=4)
VKEY = LOG.signer.verifier.vkey
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run `notary witness …` in an empty folder; exit code, output, errors."""
    monkeypatch.chdir(folder)

    def call(*arguments: str) -> tuple[int, str, str]:
        try:
            code = cli.main(("witness", *arguments))
        except SystemExit as stop:
            code = int(stop.code or 0)
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


@pytest.fixture
def witness(run: Run) -> State:
    """A witness that knows one log, in the folder where it is unless told otherwise."""
    assert run("init", "--name", NAME)[0] == 0
    assert run("add-log", VKEY)[0] == 0
    return State.open(Path("var/witness"))


def trust(*keys: LogKey) -> str:
    """A trust file with these log keys."""
    return format_trust(
        {
            "v": "trust/1",
            "name": "city",
            "logs": [key.members for key in keys],
            "witnesses": [],
            "quorum": 0,
            "ledgers": [],
            "delay_seconds": 60,
        }
    )


def test_init_prints_the_public_key_once(run: Run) -> None:
    """Again it is refused, and the key stays."""
    code, vkey, error = run("init", "--name", NAME)
    assert (code, error) == (0, "")
    assert vkey.startswith(f"{NAME}+")
    assert run("init", "--name", "another.example")[0] == 2
    assert run("show")[1].splitlines()[1].strip() == vkey.strip()


def test_a_log_is_known_by_its_key_or_by_a_trust_file(run: Run, witness: State) -> None:
    """A line for each key, with its fingerprint; sizes as the newer trust file says."""
    new = SmallLog(seed=5).signer.verifier
    Path("trust.json").write_text(trust(LogKey(LOG.signer.verifier, 0, 8), LogKey(new, 6, None)))
    code, said, _ = run("add-log", "trust.json")
    assert code == 0
    assert said.splitlines() == [
        f"{ORIGIN}  fingerprint {LOG.signer.verifier.fingerprint}  sizes from 0 to 8",
        f"{ORIGIN}  fingerprint {new.fingerprint}  sizes from 6 on",
    ]
    assert "sizes from 0 to 8" in run("show")[1]


def test_show_tells_what_was_cosigned(run: Run, witness: State) -> None:
    """Size, root and time of each log; 0 where nothing was caught."""
    code, said, _ = run("show")
    assert code == 0
    assert "nothing cosigned yet" in said
    Witness(witness).add_checkpoint(LOG.request(0, 6), TIME)
    code, said, _ = run("show")
    assert code == 0
    assert "size 6, root " in said
    assert "2030-03-17T17:46:40.000000Z" in said
    assert origin_address(ORIGIN) in said


def test_show_writes_the_proof_of_a_fork(run: Run, witness: State) -> None:
    """1, the word FORKED, and a file that proves it; again it is the same file."""
    judge = Witness(witness)
    judge.add_checkpoint(LOG.request(0, 6), TIME)
    judge.add_checkpoint(FORKED.request(6, 9), TIME)
    code, said, _ = run("show")
    assert code == 1
    assert "FORKED" in said
    (file,) = Path("var/witness").glob("fork-*.json")
    assert str(file) in said
    key = Trust("log", (LOG.key,), (), 0, (), 0)
    assert verify_fork(parse_fork(file.read_text()), key).kind == "fork"
    Path("trust.json").write_text(trust(LOG.key))
    assert cli.main(("verify", str(file), "--trust", "trust.json")) == 0
    file.unlink()
    assert run("show")[0] == 1
    assert file.exists()


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("nobody", "no such file|No such file|can't be read"),
        ("a+b+c", "no key of a log"),
        (VKEY[:-4], "no key of a log"),
        (VKEY.replace("city", "town"), "no key of a log"),
        (Signer("w.example", KIND_COSIGNATURE).verifier.vkey, "key of a witness"),
        ("file:{}", "no trust file"),
        ("file:\xff", "no trust file"),
        ("folder", "can't be read|Is a directory|is a directory"),
    ],
)
def test_what_is_no_log_is_refused(run: Run, witness: State, given: str, says: str) -> None:
    """In one sentence, and nothing is known that wasn't."""
    Path("folder").mkdir()
    if given.startswith("file:"):
        Path("trust.json").write_bytes(given[5:].encode("latin-1"))
        given = "trust.json"
    before = run("show")
    code, said, error = run("add-log", given)
    assert (code, said) == (2, "")
    assert re.search(says, error), error
    assert error.count("\n") == 1
    assert run("show") == before


def test_its_own_key_is_no_logs(run: Run, witness: State) -> None:
    """Nobody confirms themselves, whatever the key is called."""
    own = witness.cosigner.verifier.public_key
    code, _, error = run("add-log", format_vkey(ORIGIN, KIND_ED25519, own))
    assert code == 2
    assert "nobody confirms themselves" in error


def test_too_many_keys_are_refused_all(run: Run, witness: State) -> None:
    """None of them is known then."""
    keys = [LogKey(Signer(ORIGIN, seed=seed).verifier, 0, None) for seed in range(2, MAX_KEYS + 2)]
    Path("trust.json").write_text(trust(*keys))
    assert run("add-log", "trust.json")[0] == 2
    with witness.look() as look:
        assert len(look.keys(ORIGIN)) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("show",),
        ("run",),
        ("add-log", VKEY),
        ("init",),
        (),
        ("run", "--port", "many"),
        ("forget",),
    ],
)
def test_without_a_witness_nothing_is_done(run: Run, arguments: tuple[str, ...]) -> None:
    """Nothing is made that wasn't asked for."""
    code, said, error = run(*arguments)
    assert (code, said) == (2, "")
    assert error
    assert not Path("var").exists()


@pytest.mark.parametrize("port", ["0", "65536", "-1"])
def test_a_port_that_is_none_is_refused(run: Run, witness: State, port: str) -> None:
    """Before anything is served."""
    assert run("run", "--port", port)[0] == 2
