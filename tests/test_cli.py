# SPDX-License-Identifier: Apache-2.0
"""The command line: what each command does, and how it fails."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from notary import cli
from notary.commands import each
from notary.config import Settings
from notary.usecases.api_keys import find_caller
from notary.usecases.quarantine import Rejected, put_aside
from notary.usecases.reading import Reading
from notary.usecases.rights import DAILY_SCOPES, KeyUnknown
from notary.wiring import clock
from tests.usecases.servers import world
from tests.usecases.world import ORIGIN, World, settings_env

__all__ = ["world"]
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command in an environment of its own; exit code, output, errors."""

    def call(env: dict[str, str], *arguments: str) -> tuple[int, str, str]:
        for name in [name for name in os.environ if name.startswith("NOTARY_")]:
            monkeypatch.delenv(name)
        for name, value in env.items():
            monkeypatch.setenv(name, value)
        try:
            code = cli.main(arguments)
        except SystemExit as stop:
            code = int(stop.code or 0)
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


def test_init_makes_a_log_once(tmp_path: Path, database_url: str, run: Run) -> None:
    """A log is made on purpose; a second time it is refused, and the key stays."""
    env = settings_env(tmp_path, database_url)
    code, said, _ = run(env, "init", "--origin", ORIGIN)
    assert code == 0
    assert said.startswith(f"{ORIGIN}+")
    key = (tmp_path / "state" / "log.key").read_bytes()
    assert (tmp_path / "state" / "log.key").stat().st_mode & 0o777 == 0o600
    code, _, error = run(env, "init", "--origin", "another.example/log")
    assert (code, error.count("\n")) == (2, 1)
    assert (tmp_path / "state" / "log.key").read_bytes() == key


def test_migrate_twice_does_no_harm(tmp_path: Path, database_url: str, run: Run) -> None:
    """The first run names what it applied, the second has nothing to do."""
    env = settings_env(tmp_path, database_url)
    code, said, _ = run(env, "migrate")
    assert code == 0
    assert "0001" in said
    assert run(env, "migrate") == (0, "", "")


def test_a_key_is_shown_once_and_works_until_revoked(world: World, run: Run) -> None:
    """`add` prints the key alone on standard output; `list` never shows it again."""
    arguments = ("departments", "add", "tax-office", "--name", "Tax office")
    assert run(world.env, *arguments) == (0, "", "")
    code, said, hint = run(world.env, "keys", "add", "tax-office")
    key = said.strip()
    assert code == 0
    assert re.fullmatch(r"ntr_[0-9a-f]{12}_[0-9a-f]{64}", key)
    assert "only now" in hint
    caller = find_caller(world.pool, key, clock())
    assert (caller.department, caller.scopes) == ("tax-office", set(DAILY_SCOPES))
    _, listed, _ = run(world.env, "keys", "list")
    assert key.split("_")[1] in listed
    assert key.split("_")[2] not in listed
    assert run(world.env, "keys", "revoke", key.split("_")[1])[0] == 0
    assert "revoked" in run(world.env, "keys", "list")[1]
    with pytest.raises(KeyUnknown):
        find_caller(world.pool, key, clock())


@pytest.mark.parametrize(
    "arguments",
    [
        ("keys", "add"),
        ("keys", "add", "a\nb"),
        ("keys", "add", "x" * 129),
        ("keys", "revoke"),
        ("keys", "revoke", "none"),
        ("keys", "rotate"),
        ("keys", "rotate", "none"),
        ("keys", "add", "nobody"),
        ("keys", "add", "water-works", "--days", "0"),
        ("keys", "add", "water-works", "--dataset", "none"),
        ("departments", "add"),
        ("departments", "add", "x"),
        ("departments", "add", "a b", "--name", "x"),
        ("departments", "add", "water-works", "--name", "Again"),
        ("departments", "close", "none"),
        ("datasets", "set"),
        ("datasets", "set", "none", "--label", "x"),
        ("quarantine", "show"),
        ("quarantine", "show", "7"),
    ],
)
def test_what_can_not_be_done_is_one_sentence(
    world: World, run: Run, arguments: tuple[str, ...]
) -> None:
    """Exit 2, nothing on standard output, one line on standard error, no traceback."""
    code, said, error = run(world.env, *arguments)
    assert (code, said) == (2, "")
    assert re.fullmatch(r"notary: [^\n]+\n", error)


@pytest.mark.parametrize(
    "arguments", [(), ("none",), ("keys",), ("init",), ("quarantine", "show", "x"), ("adopt",)]
)
def test_wrong_usage_is_exit_2(run: Run, arguments: tuple[str, ...]) -> None:
    """What can't be understood is refused with the usage."""
    code, said, error = run({}, *arguments)
    assert (code, said) == (2, "")
    assert error.startswith("usage: notary")


@pytest.mark.parametrize("command", ["migrate", "trust", "audit", "sealer", "ingest", "web"])
def test_faulty_settings_are_told_all_together(run: Run, command: str) -> None:
    """Every fault is named before anything is begun."""
    env = {"NOTARY_PORT": "0", "NOTARY_TIMEZONE": "Mars/Olympus"}
    code, said, error = run(env, command)
    assert (code, said) == (2, "")
    for name in ("NOTARY_PORT", "NOTARY_TIMEZONE", "NOTARY_DATABASE_URL"):
        assert name in error


def test_a_database_that_is_away_is_one_sentence(tmp_path: Path, run: Run) -> None:
    """No traceback, and no password."""
    env = settings_env(tmp_path, "postgresql://notary:hunter2@127.0.0.1:1/none")
    code, _, error = run(env, "migrate")
    assert code == 2
    assert error.startswith("notary: The database can't be reached")
    assert "hunter2" not in error
    assert "Traceback" not in error


def test_config_shows_no_secret(world: World, run: Run) -> None:
    """Every setting is shown, secrets only as such."""
    env = {**world.env, "NOTARY_MQTT_URL": "mqtt://notary:hunter2@broker"}
    code, said, _ = run(env, "config", "show")
    assert code == 0
    assert "hunter2" not in said
    assert world.env["NOTARY_DATABASE_URL"] not in said
    for name in Settings.__dataclass_fields__:
        assert re.search(rf"^{name} = ", said, re.MULTILINE)


def test_trust_prints_what_the_api_hands_out(world: World, run: Run) -> None:
    """The trust file names the log's key."""
    code, said, _ = run(world.env, "trust")
    assert code == 0
    assert world.gate.open().vkey in said


def test_audit_tells_by_its_exit_code(world: World, run: Run) -> None:
    """0 when nothing differs, 1 when something does."""
    world.dataset("weather")
    world.add("weather", 5)
    world.settle()
    code, said, _ = run(world.env, "audit")
    assert (code, "Nothing differs." in said) == (0, True)
    world.change("UPDATE records SET payload = 'other' WHERE n = 0")
    code, said, _ = run(world.env, "audit")
    assert (code, "DIFFERS" in said) == (1, True)


def test_audit_lists_its_scope(world: World, run: Run) -> None:
    """Every column is covered, or the reason is told."""
    code, said, _ = run(world.env, "audit", "--scope")
    assert code == 0
    assert "covered      records.leaf" in said
    assert re.search(r"^not covered  \S+: \S", said, re.MULTILINE)


def test_datasets_are_listed_for_the_operator(world: World, run: Run) -> None:
    """Also closed ones, with owner and label, which no other list shows together."""
    world.dataset("weather")
    closed = world.dataset(None)
    _, said, _ = run(world.env, "datasets", "list")
    assert re.search(r"weather +open .* water-works  unconditional", said)
    assert re.search(rf"{re.escape(closed)} +closed .* Wage slips", said)


def test_adopt_wants_the_operators_word(world: World, run: Run) -> None:
    """Only with the word that nothing is missing."""
    world.marks.path.unlink()
    assert run(world.env, "adopt")[0] == 2
    assert not world.marks.path.exists()
    assert run(world.env, "adopt", "--nothing-is-missing")[0] == 0
    assert world.marks.path.exists()


def test_a_key_file_that_others_may_read_is_refused(world: World, run: Run) -> None:
    """The sealer doesn't begin with a log key that isn't secret."""
    os.chmod(world.parts.settings.log_key, 0o644)
    code, _, error = run(world.env, "sealer")
    assert code == 2
    assert "chmod 600" in error


def test_web_becomes_gunicorn_without_a_control_socket(
    world: World, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """gunicorn gets address, workers, threads, and opens nothing else."""
    seen: list[list[str]] = []

    def exec_(path: str, command: list[str]) -> None:
        seen.append(command)
        raise SystemExit(0)

    monkeypatch.setattr(os, "execv", exec_)
    run({**world.env, "NOTARY_PORT": "8123", "NOTARY_WORKERS": "3"}, "web")
    (command,) = seen
    assert command[:3] == [sys.executable, "-m", "gunicorn"]
    assert "--no-control-socket" in command
    assert command[command.index("--bind") + 1] == "127.0.0.1:8123"
    assert command[command.index("--workers") + 1] == "3"
    assert command[-1] == "notary.wsgi:make()"
    assert each.THREADS > 1


def test_verify_needs_no_database_package(tmp_path: Path) -> None:
    """`notary verify` runs where psycopg2, Flask and the rest can't be imported."""
    blocked = ["psycopg2", "flask", "marshmallow", "gunicorn", "cryptography", "paho"]
    script = (
        "import sys\n"
        f"sys.modules.update(dict.fromkeys({blocked!r}))\n"
        "from notary.cli import main\n"
        "sys.exit(main(['verify', 'none.json', '--trust', 'none.json']))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=Path.cwd(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "none.json" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_output_into_a_closed_pipe_is_no_traceback(world: World) -> None:
    """`notary audit --scope | head -1` ends quietly."""
    command = f"{sys.executable} -m notary.cli audit --scope | head -1"
    done = subprocess.run(
        command,
        shell=True,
        env={**os.environ, **world.env},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.startswith("covered")
    assert "Traceback" not in done.stderr


def test_config_check_tells_every_fault_at_once(tmp_path: Path, run: Run) -> None:
    """Of the settings and of the feeds; nothing is begun."""
    file = tmp_path / "notary.toml"
    file.write_text('[[feeds]]\nname = "a"\nfilter = "a/#/b"\nqos = 7\n', encoding="utf-8")
    env = {"NOTARY_PORT": "x", "NOTARY_SEAL_COUNT": "-1", "NOTARY_CONFIG": str(file)}
    code, said, error = run(env, "config", "check")
    lines = error.splitlines()
    assert (code, said) == (2, "")
    assert all(line.startswith("fault: ") for line in lines)
    for part in ("NOTARY_PORT", "NOTARY_SEAL_COUNT", "NOTARY_DATABASE_URL", "template is missing",
                 "codec is missing", "# must be the whole", "qos must be 1"):  # fmt: skip
        assert sum(part in line for line in lines) == 1


def test_config_check_looks_at_the_brokers_too(tmp_path: Path, run: Run) -> None:
    """That of the settings, beside their other faults, and those of the file; no password."""
    env = {"NOTARY_PORT": "x", "NOTARY_MQTT_URL": "mqtts://u:hunter2@h"}
    code, _, error = run({**env, "NOTARY_MQTT_CA_FILE": "none.pem"}, "config", "check")
    lines = error.splitlines()
    assert (code, len(lines)) == (2, 3)
    assert "fault: Broker default: ca_file none.pem: it can't be read" in lines[2]
    code, said, error = run({"NOTARY_MQTT_URL": "http://u:hunter2@h"}, "config", "check")
    assert "Broker default: A broker's address must be mqtt://" in error
    env = {"NOTARY_MQTT_URL": "mqtt://u:hunter2@h", "NOTARY_DATABASE_URL": "postgresql://x"}
    code, said, error = run(env, "config", "check")
    assert (code, error) == (0, "")
    assert "look: Broker default: its password and all readings cross the network" in said
    file = tmp_path / "notary.toml"
    file.write_text(
        '[[brokers]]\nname = "p"\nurl_file = "none"\n[[feeds]]\nname = "a"\nfilter = "a/+"\n'
        'template = "a/{source}"\ndataset = "air"\ncodec = "json"\nbroker = "p"\nkey = "id"\n',
        encoding="utf-8",
    )
    code, said, error = run({}, "config", "check", str(file))
    assert (code, len(error.splitlines())) == (2, 1)
    assert "Broker 1 (p): url_file" in error
    assert "hunter2" not in said + error


def test_config_check_looks_at_the_policy_about_witnesses(tmp_path: Path, run: Run) -> None:
    """Before the sealer ends with it, whether it names nobody who can be asked or isn't there."""
    env = settings_env(tmp_path, "postgresql://u@localhost/n")
    policy = tmp_path / "policy"
    env["NOTARY_WITNESS_POLICY"] = str(policy)
    assert "can't be read" in run(env, "config", "check")[2]
    policy.write_bytes(b"witness \xff nobody\nquorum none\n")
    code, _, error = run(env, "config", "check")
    assert code != 0
    assert "Line 1 of the policy" in error
    policy.write_text("quorum none\n")
    assert "policy" not in run(env, "config", "check")[2]
    code, _, error = run({**env, "NOTARY_WITNESS_FAIL": "ajar"}, "config", "check")
    assert code != 0
    assert "NOTARY_WITNESS_FAIL" in error


def test_config_check_looks_at_the_ledgers_too(tmp_path: Path, run: Run) -> None:
    """All faults of all tables, the file's own once; ledgers alone leave the notary its topics."""
    file = tmp_path / "notary.toml"
    file.write_text('[[ledgers]]\nname = "tsa"\nkind = "rfc"\n[[ledgers]]\nname = "file"\n')
    code, said, error = run({}, "config", "check", str(file))
    assert code == 2
    assert "feed own: notary/v1/+/+/up" in said
    assert [line.split(":")[1].strip() for line in error.splitlines()] == [
        "Ledger 1 (tsa)",
        "Ledger 2 (file)",
        "Ledger 2 (file)",
    ]
    file.write_text("[[ledgers]")
    code, _, error = run({}, "config", "check", str(file))
    assert (code, len(error.splitlines())) == (2, 1)


CHAIN = """
[[ledgers]]
name = "chain"
kind = "evm"
url = "http://127.0.0.1:9"
chain_id = 1
contract = "0x1111111111111111111111111111111111111111"
account = "0x2222222222222222222222222222222222222222"
key_file = "evm.key"
"""


@pytest.mark.parametrize("is_named", [True, False])
def test_config_check_looks_at_the_keys_of_ledgers_where_the_sealer_runs(
    tmp_path: Path, run: Run, is_named: bool
) -> None:
    """Whether a file is named or not; where it can't, it says that it didn't."""
    file = tmp_path / "notary.toml"
    file.write_text(CHAIN)
    (tmp_path / "evm.key").write_text("11" * 32)
    (tmp_path / "evm.key").chmod(0o644)
    named = (str(file),) if is_named else ()
    env = {"NOTARY_LEDGER_DIR": str(tmp_path), "NOTARY_CONFIG": str(file)}
    env["NOTARY_DATABASE_URL"] = "postgresql:///none"
    code, said, error = run(env, "config", "check", *named)
    assert (code, error) == (0, "")
    assert "look: " in said
    assert "private keys of ledgers were not looked at" in said
    (tmp_path / "ledger.key").touch()
    code, said, error = run(env, "config", "check", *named)
    assert (code, "look: " in said) == (2, False)
    assert "evm.key may be read by others" in error


def test_deploying_without_a_file_of_ledgers_is_one_sentence(world: World, run: Run) -> None:
    """Which setting names it."""
    code, _, error = run(world.env, "anchors", "deploy", "chain")
    assert (code, error.count("\n")) == (2, 1)
    assert "NOTARY_CONFIG is not set" in error


def test_a_process_does_not_start_with_a_ledger_that_can_not_be_used(
    world: World, tmp_path: Path, run: Run
) -> None:
    """Every fault in one line, and no traceback."""
    file = tmp_path / "notary.toml"
    file.write_text('[[ledgers]]\nname = "one"\nkind = "none"\n[[ledgers]]\nname = "two"\n')
    code, _, error = run({**world.env, "NOTARY_CONFIG": str(file)}, "sealer")
    assert (code, error.count("\n")) == (2, 1)
    assert "Ledger 1 (one): kind must be one of" in error
    assert "Ledger 2 (two): kind is missing." in error


def test_config_check_of_a_file_alone_needs_no_settings(tmp_path: Path, run: Run) -> None:
    """It says what is seldom meant, and how each feed is read."""
    file = tmp_path / "notary.toml"
    file.write_text(
        '[[feeds]]\nname = "a"\nfilter = "a/+"\ntemplate = "a/{source}"\ndataset = "air"\n'
        'codec = "json"\nqos = 0\nkey = "id"\n',
        encoding="utf-8",
    )
    code, said, error = run({}, "config", "check", str(file))
    assert (code, error) == (0, "")
    assert said.splitlines() == [
        "look: Feed a: qos = 0: messages are lost while the notary or its broker is away.",
        "feed a: a/+ -> a/{source}",
        "Nothing is wrong.",
    ]
    assert run({}, "config", "check", str(tmp_path / "none.toml"))[0] == 2


def test_quarantine_is_tried_again_and_dropped(world: World, run: Run) -> None:
    """What can be read goes in, what can't stays; only what was chosen is dropped, with --yes."""
    world.dataset("air")
    put_aside(
        world.pool,
        [
            Rejected("own", "notary/v1/air/s/up", "air", "no-feed", "No feed.", payload)
            for payload in (b'{"id":"1"}', b"{")
        ],
        world.now,
    )
    code, said, _ = run(world.env, "quarantine", "redrive", "--reason", "no-feed")
    assert code == 1
    first, second = said.splitlines()
    assert first.endswith("1 records")
    assert second.endswith("stays, not-json: It is not JSON.")
    listed = run(world.env, "quarantine", "list", "--feed", "own")[1]
    assert "not-json: 1 kept" in listed
    assert run(world.env, "quarantine", "list", "--feed", "other")[1].count("notary/v1") == 0
    assert run(world.env, "quarantine", "drop", "--yes")[0] == 2
    assert run(world.env, "quarantine", "drop", "--reason", "not-json")[0] == 2
    assert "not-json: 1 kept" in run(world.env, "quarantine", "list")[1]
    assert run(world.env, "quarantine", "drop", "--reason", "not-json", "--yes")[1] == "1 dropped\n"
    assert run(world.env, "quarantine", "redrive")[:2] == (0, "")
    assert world.rows("SELECT key FROM records") == [("1",)]


def test_gaps_are_told_of_one_source_or_of_all(world: World, run: Run) -> None:
    """A line for each; 1 when there is one; a time without zone, or no such name, is refused."""
    name = world.dataset("air")
    world.accept([Reading(name, source, b"1", "text/plain", "acl", key="1") for source in "st"])
    world.accept([Reading(name, "t", b"4", "text/plain", "acl", key="4")])
    code, said, _ = run(world.env, "gaps", "air")
    assert code == 1
    assert said.startswith("t  missing  2 numbers (2 to 3)  after n = 0 (")
    assert said.endswith("\n1 gaps\n")
    assert run(world.env, "gaps", "air", "s")[:2] == (0, "0 gaps\n")
    assert "Silence was not looked for" in run(world.env, "gaps", "air", "s")[2]
    assert run(world.env, "gaps", "air", "t", "--since", "2999-01-01T00:00:00Z")[0] == 0
    for wrong in (("air", "none"), ("none",), ("air", "t", "--since", "yesterday"),
                  ("air", "t", "--since", "2026-01-01T00:00:00")):  # fmt: skip
        assert run(world.env, "gaps", *wrong)[0] == 2


def test_the_operator_grants_and_withdraws(world: World, run: Run) -> None:
    """As an owner would: the grant is listed as it stands, and each step is a record."""
    closed = world.dataset(None)
    grant = ("grants", "add", closed, "--to", "parks", "--purpose", "Trees", "--approval", "7")
    assert run(world.env, "departments", "add", "parks", "--name", "Parks")[0] == 0
    code, _, error = run(world.env, *grant)
    assert code == 2
    assert "change its sharing attribute" in error
    assert run(world.env, "datasets", "set", closed, "--sharing", "conditional")[0] == 0
    code, said, _ = run(world.env, *grant)
    assert code == 0
    id_ = said.strip()
    assert re.search(rf"{id_}  holds +parks  7  Trees", run(world.env, "grants", "list", closed)[1])
    assert run(world.env, "grants", "withdraw", closed, id_) == (0, "", "")
    assert f"{id_}  withdrawn" in run(world.env, "grants", "list", closed)[1]
    assert world.rows("SELECT kind FROM grant_records ORDER BY id") == [("grant",), ("withdrawal",)]
    for wrong in (("withdraw", closed, id_), ("withdraw", closed), ("add", closed), ("list", "x")):
        code, said, error = run(world.env, "grants", *wrong)
        assert (code, said, error.count("\n")) == (2, "", 1)


def test_a_dataset_is_described_and_its_key_restricted(world: World, run: Run) -> None:
    """What is said can be taken back; a key lists the datasets that it is for, and its last use."""
    closed = world.dataset(None)
    for licence, shown in (("CC0", "CC0"), ("", None)):
        assert run(world.env, "datasets", "set", closed, "--licence", licence)[0] == 0
        assert world.rows("SELECT licence FROM datasets") == [(shown,)]
    arguments = ("keys", "add", "water-works", "--scope", "read", "--dataset", closed)
    key = run(world.env, *arguments)[1].strip()
    listed = run(world.env, "keys", "list")[1]
    assert re.search(
        rf"{key.split('_')[1]}  valid +water-works  read .* never  only {closed}", listed
    )
    new = run(world.env, "keys", "rotate", key.split("_")[1], "--overlap", "0")[1].strip()
    caller = find_caller(world.pool, new, clock())
    assert caller.datasets is not None
    with pytest.raises(KeyUnknown):
        find_caller(world.pool, key, clock())
