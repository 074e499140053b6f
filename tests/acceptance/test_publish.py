# SPDX-License-Identifier: Apache-2.0
"""A clerk publishes a file at the command line: what is told, what lies beside the file then."""

import hashlib
import json
import os
import pty
import re
import socket
import subprocess
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import suppress

import pytest

from notary.local.ports import free_port
from tests.acceptance.publishers import PUBLIC_URL, TABLE, Office
from tests.acceptance.sealers import ROOT, wait_for
from tests.acceptance.small_disk import SmallDisk


@pytest.fixture
def name(office: Office, request: pytest.FixtureRequest) -> str:
    """An open dataset of the test's own."""
    made = hashlib.sha256(request.node.name.encode()).hexdigest()[:12]
    return office.world.dataset(made)


def test_a_clerk_publishes_a_table_and_anyone_checks_it(office: Office, name: str) -> None:
    """One command: format, rows, digest, each state, the receipt, the link; verified offline."""
    file = office.file("air quality.csv")
    key = office.key(datasets=[name])
    done = office.publish(key, file, "--package", "--manifest")
    assert done.code == 0, done.warned
    digest = hashlib.sha256(TABLE).hexdigest()
    for words in (
        "a CSV table, for its name ends in .csv",
        "401 rows, the header among them.",
        digest,
        f"To dataset {name}",
        f"Version 1 of {name} is accepted.",
        *(f"version 1: {state}" for state in ("Accepted", "Sealed", "Signed", "Anchored")),
        f"{PUBLIC_URL}/datasets/{name}/versions/1",
    ):
        assert words in done.said
    receipt = file.with_name("air quality.csv.receipt.json")
    assert re.search(r"notary verify .*receipt\.json --payload .*csv --trust", done.said)
    held = office.verify(receipt, file)
    assert held.code == 0, held.warned
    assert held.said.startswith("HOLDS.")
    package = json.loads(file.with_name("datapackage.json").read_text())
    assert package["resources"][0]["hash"] == f"sha256:{digest}"
    assert package["resources"][0]["bytes"] == len(TABLE)
    lines = subprocess.run(
        ["sha256sum", "-c", "manifest-sha256.txt"], cwd=file.parent, capture_output=True, text=True
    )
    assert (lines.returncode, lines.stdout) == (0, "air quality.csv: OK\n")
    file.write_bytes(TABLE.replace(b"7.5", b"7.6", 1))
    assert office.verify(receipt, file).code == 1


def test_run_again_it_ends_in_the_same_version(office: Office, name: str) -> None:
    """Also after a later version; a correction is a version of its own."""
    key, first = office.key(datasets=[name]), office.file("a.csv")
    assert office.publish(key, first, "--no-wait").code == 0
    second = office.file("a.csv", TABLE + b"400,1.5\n")
    why = ("--corrects", 1, "--reason", "Station 400 was missing.")
    corrected = office.publish(key, second, *why, "--until", "signed")
    assert "Version 2" in corrected.said
    again = office.publish(key, first)
    assert (again.code, f"These bytes are version 1 of {name} already." in again.said) == (0, True)
    assert office.publish(key, first).code == 0
    found = office.versions(name)
    assert [row["version"] for row in found] == [1, 2]
    assert found[1]["reason"] == "Station 400 was missing."
    assert office.verify(first.with_name("a.csv.receipt.json"), first).code == 0


def test_a_closed_dataset_gets_a_proof_and_no_link(office: Office) -> None:
    """The receipt holds the salt, and is for its owner's eyes; nobody else has a page to see."""
    closed = office.world.dataset(None)
    file = office.file("wages.ndjson", b'{"a":1}\n{"a":2}\n')
    done = office.publish(office.key(datasets=[closed]), file)
    assert done.code == 0, done.warned
    assert "2 rows." in done.said
    assert PUBLIC_URL not in done.said
    receipt = file.with_name("wages.ndjson.receipt.json")
    assert receipt.stat().st_mode & 0o077 == 0
    assert office.verify(receipt, file).code == 0


def test_a_key_that_may_only_write_is_told_that_the_version_stands(office: Office) -> None:
    """The receipt is for keys that may read; the file is handed in all the same, once."""
    closed = office.world.dataset(None)
    file = office.file("wages.csv")
    done = office.publish(office.key("write", datasets=[closed]), file)
    assert done.code == 2
    assert f"Version 1 of {closed} is accepted, but" in done.warned
    assert len(office.versions(closed)) == 1
    assert office.publish(office.key(datasets=[closed]), file).code == 0
    assert len(office.versions(closed)) == 1


def test_a_data_package_becomes_its_tables(office: Office, name: str) -> None:
    """Each table a version with a receipt of its own; a wrong hash is told."""
    inside = {
        "resources": [
            {"name": "air", "path": "air.csv", "hash": "sha256:" + "0" * 64},
            {"name": "gone", "path": "gone.csv"},
        ]
    }
    file = office.file("all.zip", b"")
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("datapackage.json", json.dumps(inside))
        archive.writestr("air.csv", TABLE)
    key = office.key("read", "write", "manage")
    done = office.publish(key, file, "--dataset", name)
    assert done.code == 0, done.warned
    assert "a Data Package" in done.said
    assert "gone was refused" in done.warned
    assert "air: the hash that the package declares is not that of the file." in done.warned
    table = office.file("air.csv")
    assert office.verify(file.with_name(f"all.zip.{name}.air.receipt.json"), table).code == 0
    assert office.verify(file.with_name("all.zip.receipt.json"), file).code == 0
    again = office.publish(key, file, "--dataset", name)
    assert again.said.count("already") == 2


REFUSALS = [
    ("key of nobody", ["a.csv"], "The notary doesn't know this key"),
    ("key without the scope", ["a.csv"], 'lacks the right "write"'),
    ("another's dataset", ["a.csv", "--dataset", "{name}"], "is no dataset that this key may"),
    ("no dataset yet", ["a.csv"], "may not hand in to any dataset yet"),
    ("several datasets", ["a.csv"], "say which with --dataset"),
    ("0 bytes", ["empty.csv"], "is empty (0 bytes)"),
    ("too large", ["large.csv"], "3,145,728 at most"),
    ("a folder", ["."], "is no file, but a folder or a device"),
    ("not there", ["nowhere.csv"], "can't be read: No such file"),
    ("no table", ["bad.csv"], "Row 1, at byte 7"),
    ("half a correction", ["a.csv", "--corrects", "1"], "belong together"),
    ("nothing to correct", ["a.csv", "--corrects", "9", "--reason", "x"], "no version 9"),
    ("control characters", ["a.csv", "--corrects", "1", "--reason", "a\x07b"], "printable"),
]


@pytest.mark.parametrize(("what", "arguments", "words"), REFUSALS, ids=[r[0] for r in REFUSALS])
def test_what_can_not_be_published_is_told_in_a_sentence(
    office: Office, name: str, what: str, arguments: list[str], words: str
) -> None:
    """Exit 2, one sentence to act on, and no version."""
    key = office.key(datasets=[name])
    if what == "key of nobody":
        key.write_text(f"ntr_{'0' * 12}_{'0' * 64}")
    elif what == "key without the scope":
        key = office.key("read", datasets=[name])
    elif what in ("another's dataset", "no dataset yet"):
        key.write_text(office.stranger())
    elif what == "several datasets":
        key = office.key(datasets=[name, office.world.dataset(None)])
    file = office.file("a.csv")
    for other, data in (
        ("empty.csv", b""),
        ("large.csv", b"a\n" * (2 << 20)),
        ("bad.csv", b'a,b\n"x" y,1\n'),
    ):
        file.with_name(other).write_bytes(data)
    path = file.parent / arguments[0]
    done = office.publish(key, path, *(word.format(name=name) for word in arguments[1:]))
    assert (done.code, words in done.warned) == (2, True), done.warned
    assert done.warned.count("\n") == 1
    assert office.versions(name) == []


def test_a_table_that_can_not_be_cut_may_be_taken_as_it_is(office: Office, name: str) -> None:
    """When it is said so, without rows."""
    file = office.file("bad.csv", b'a,b\n"x" y,1\n')
    done = office.publish(office.key(datasets=[name]), file, "--without-rows")
    assert done.code == 0, done.warned
    assert office.versions(name)[0]["profile"] == "none"
    assert office.verify(file.with_name("bad.csv.receipt.json"), file).code == 0


SETTINGS = [
    ({"NOTARY_URL": ""}, "NOTARY_URL is not set"),
    ({"NOTARY_URL": "http://notary.example"}, "has no TLS"),
    ({"NOTARY_URL": "https://u:p@notary.example"}, "is no address of a notary"),
    ({"NOTARY_URL": "file:///etc/passwd"}, "is no address of a notary"),
    ({"NOTARY_KEY_FILE": ""}, "NOTARY_KEY_FILE is not set"),
    ({"NOTARY_KEY_FILE": "/nowhere"}, "can't be read"),
    ({"NOTARY_URL": "https://localhost", "NOTARY_CA_FILE": "/nowhere"}, "NOTARY_CA_FILE"),
]


@pytest.mark.parametrize(("more", "words"), SETTINGS)
def test_settings_that_can_not_be_used_are_told(
    office: Office, more: dict[str, str], words: str
) -> None:
    """Before anything is read or sent."""
    done = office.publish(office.key(), office.file("a.csv"), **more)
    assert (done.code, words in done.warned) == (2, True), done.warned


def test_a_key_file_that_others_may_read_is_refused(office: Office) -> None:
    """And what to do is told; the key itself never."""
    key = office.key()
    key.chmod(0o644)
    done = office.publish(key, office.file("a.csv"))
    assert (done.code, f"chmod 600 {key}" in done.warned) == (2, True)
    assert key.read_text().strip() not in done.warned + done.said


def test_a_name_with_control_characters_reaches_nobody(office: Office, name: str) -> None:
    """Neither the terminal nor the notary; of a path only the last part is told."""
    file = office.file("a\x1b[31m\n‮.csv")
    done = office.publish(office.key(datasets=[name]), file, "--manifest")
    assert done.code == 0, done.warned
    assert "\x1b" not in done.said + done.warned
    assert office.versions(name)[0]["name"] == "a_[31m__.csv"
    manifest = file.with_name("manifest-sha256.txt").read_text()
    assert manifest.count("\n") == 1
    assert "%0A" in manifest


def test_what_is_there_already_is_never_overwritten(office: Office, name: str) -> None:
    """Another's receipt, package and manifest stay; ours gets another name."""
    file = office.file("a.csv")
    theirs = {
        file.with_name("a.csv.receipt.json"): "mine",
        file.with_name("datapackage.json"): "{}",
        file.with_name("manifest-sha256.txt"): f"{'0' * 64}  a.csv\n",
    }
    for path, text in theirs.items():
        path.write_text(text)
    key = office.key(datasets=[name])
    done = office.publish(key, file, "--package", "--manifest")
    assert done.code == 0, done.warned
    assert {path: path.read_text() for path in theirs} == theirs
    assert done.warned.count("left as it is") == 2
    receipt = file.with_name("a.csv.version-1.receipt.json")
    assert office.verify(receipt, file).code == 0
    receipt.write_text("theirs")
    refused = office.publish(key, file)
    assert (refused.code, "are there already" in refused.warned) == (2, True)
    assert receipt.read_text() == "theirs"


def test_a_bag_gets_its_manifest_above_its_data(office: Office, name: str) -> None:
    """RFC 8493: `data/` beside `manifest-sha256.txt` and `bagit.txt`; lines of others stay."""
    file = office.file("x.csv")
    bag = file.parent / "bag"
    (bag / "data").mkdir(parents=True)
    inside = file.rename(bag / "data" / "x.csv")
    other = f"{'1' * 64}  data/other.csv"
    (bag / "manifest-sha256.txt").write_text(other)
    done = office.publish(office.key(datasets=[name]), inside, "--manifest", "--no-wait")
    assert done.code == 0, done.warned
    digest = hashlib.sha256(TABLE).hexdigest()
    manifest = (bag / "manifest-sha256.txt").read_text()
    assert manifest == f"{other}\n{digest}  data/x.csv\n"
    assert (bag / "bagit.txt").read_text().startswith("BagIt-Version: 1.0\n")


def test_a_place_where_nothing_can_be_written_is_told_and_the_version_stays(
    office: Office, name: str
) -> None:
    """What to do, and run again the receipt is fetched; nothing half-written lies about."""
    file, key = office.file("a.csv"), office.key(datasets=[name])
    command = ["bash", "-c", 'ulimit -f 0; trap "" XFSZ; exec "$@"', "-"]
    done = subprocess.run(
        [*command, *office.command(file)],
        cwd=ROOT,
        env=office.environment(key),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert (done.returncode, "can't be written" in done.stderr) == (2, True), done.stderr
    assert [path.name for path in file.parent.iterdir()] == ["a.csv"]
    assert office.publish(key, file).code == 0
    assert len(office.versions(name)) == 1


@pytest.mark.needs("the right to mount")
def test_a_full_disk_is_told_and_the_version_stays(office: Office, name: str) -> None:
    """The file is handed in; with some space freed the same command ends with the receipt."""
    key = office.key(datasets=[name])
    with SmallDisk(office.folder, 1) as disk:
        file = disk.folder / "a.csv"
        file.write_bytes(TABLE)
        disk.fill()
        done = office.publish(key, file)
        assert (done.code, "The disk is full" in done.warned) == (2, True), done.warned
        assert sorted(path.name for path in disk.folder.iterdir()) == ["a.csv", "ballast"]
        disk.free()
        assert office.publish(key, file).code == 0
        assert office.verify(disk.folder / "a.csv.receipt.json", file).code == 0
    assert len(office.versions(name)) == 1


@pytest.mark.parametrize(("typed", "code"), [("2", 0), ("{second}", 0), ("3", 2), ("", 2)])
def test_at_a_terminal_the_dataset_is_asked_for(
    office: Office, name: str, typed: str, code: int
) -> None:
    """By its number or its id; what is neither is no guess, and nothing is handed in."""
    first, second = sorted([name, office.world.dataset(f"{name}.{code}{len(typed)}")])
    file = office.file("a.csv")
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        office.command(file, "--until", "signed"),
        cwd=ROOT,
        env=office.environment(office.key(datasets=[first, second])),
        stdin=theirs,
        stderr=theirs,
        stdout=subprocess.PIPE,
        text=True,
    )
    os.close(theirs)
    shown = b""
    while b"Which dataset (1 to 2)?" not in shown:
        shown += os.read(ours, 4096)
    assert f"2  {second}".encode() in shown
    os.write(ours, typed.format(second=second).encode() + b"\n")
    with suppress(OSError):  # the end of a terminal
        while os.read(ours, 4096):
            pass
    said, _ = process.communicate(timeout=300)
    os.close(ours)
    assert process.returncode == code
    assert (f"To dataset {second}" in said) == (code == 0)
    assert [len(office.versions(place)) for place in (first, second)] == [0, int(code == 0)]


class Gate:
    """A connection between clerk and notary that is cut after so many bytes, so many times."""

    def __init__(self, port: int, after: int, times: int) -> None:
        self._port, self._after, self._left = port, after, times
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        """No more connections."""
        self._server.close()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(client,), daemon=True).start()

    def _carry(self, client: socket.socket) -> None:
        with client, socket.create_connection(("127.0.0.1", self._port)) as server:
            threading.Thread(target=self._back, args=(server, client), daemon=True).start()
            carried = 0
            while data := client.recv(65536):
                carried += len(data)
                if carried > self._after and self._left > 0:
                    self._left -= 1
                    client.shutdown(socket.SHUT_RDWR)
                    return
                server.sendall(data)

    @staticmethod
    def _back(server: socket.socket, client: socket.socket) -> None:
        try:
            while data := server.recv(65536):
                client.sendall(data)
            client.shutdown(socket.SHUT_WR)
        except OSError:
            return


@pytest.fixture
def cut(office: Office) -> Iterator[Gate]:
    """A way to the notary that breaks twice in the middle of a file."""
    gate = Gate(office.web.port, 600_000, 2)
    yield gate
    gate.close()


def test_a_connection_cut_in_the_middle_is_made_again(office: Office, name: str, cut: Gate) -> None:
    """The clerk is told, waits, and has one version; of the halves nothing is left."""
    file = office.file("a.csv", b"a\n" * 700_000)
    done = office.publish(
        office.key(datasets=[name]), file, NOTARY_URL=f"http://127.0.0.1:{cut.port}"
    )
    assert done.code == 0, done.warned
    assert done.warned.count("trying again in") == 2
    assert len(office.versions(name)) == 1
    assert office.verify(file.with_name("a.csv.receipt.json"), file).code == 0
    wait_for(
        "no halves",
        lambda: (
            not office.world.rows(
                "SELECT 1 FROM version_parts WHERE version NOT IN (SELECT id FROM versions)"
            )
        ),
    )


def test_a_notary_that_is_away_is_waited_for_and_no_longer(office: Office) -> None:
    """With growing pauses, told each time; then a sentence, and nothing is lost."""
    away = f"http://127.0.0.1:{free_port()}"
    done = office.publish(office.key(), office.file("a.csv"), "--patience", "4", NOTARY_URL=away)
    assert (done.code, "can't be reached" in done.warned) == (2, True), done.warned
    assert "trying again in 1 s" in done.warned
    assert "trying again in 2 s" in done.warned


def test_a_server_that_is_restarted_while_the_clerk_waits(office: Office, name: str) -> None:
    """The command goes on waiting, and ends with the receipt."""
    file, key = office.file("a.csv"), office.key(datasets=[name])
    assert office.sealer is not None
    office.sealer.kill()
    process = subprocess.Popen(
        office.command(file),
        cwd=ROOT,
        env=office.environment(key),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for("the version", lambda: len(office.versions(name)) == 1)
    office.web.stop()
    time.sleep(3)
    office.web.start()
    office.sealer = type(office.sealer)(office.world.env, office.folder / "sealer.log")
    said, warned = process.communicate(timeout=90)
    assert process.returncode == 0, warned
    assert "trying again" in warned
    assert "version 1: Anchored" in said
    assert office.verify(file.with_name("a.csv.receipt.json"), file).code == 0


def test_a_file_that_grows_while_it_is_sent_is_no_version(office: Office, name: str) -> None:
    """Whoever still writes into it is waited for by people, not guessed by us."""
    path = office.file("a.csv", b"a\n" * 500_000)
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            with path.open("ab") as file:
                file.write(b"b\n")
            time.sleep(0.001)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        done = office.publish(office.key(datasets=[name]), path)
    finally:
        stop.set()
        writer.join()
    assert (done.code, "was changed while it was read" in done.warned) == (2, True), done.warned
    assert office.versions(name) == []
