# SPDX-License-Identifier: Apache-2.0
"""The citizen's story: one file, any Python, nothing installed, no network, no environment."""

import json
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from notary.core import canonical
from notary.local.build_verifier import build
from tests.core import formats
from tests.core.maker import OTHER_LOG, WITNESSES, make, trust
from tests.vectors.receipt_attacks import changed, flip, retold

Receipt = dict[str, Any]
Run = Callable[..., subprocess.CompletedProcess[bytes]]


@pytest.fixture(scope="module")
def pyz(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("build") / "verify.pyz")


@pytest.fixture
def run(pyz: Path, tmp_path: Path) -> Run:
    """The verifier on a receipt, by a Python without packages and an empty environment."""

    def verify(
        content: Receipt | bytes, *options: str, trusted: Receipt | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        data = content if isinstance(content, bytes) else canonical.dumps(content).encode()
        (tmp_path / "receipt.json").write_bytes(data)
        (tmp_path / "trust.json").write_text(canonical.dumps(trusted or trust()) + "\n")
        command = [sys.executable, "-I", "-S", str(pyz), "receipt.json", "--trust", "trust.json"]
        return subprocess.run([*command, *options], cwd=tmp_path, env={}, capture_output=True)

    return verify


def test_a_receipt_is_accepted(run: Run) -> None:
    """And says what was checked."""
    done = run(make().receipt("s1", 2, witnesses=WITNESSES[:1]))
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(b"HOLDS.")
    assert done.stdout.count(b"[x]") == 8


def test_a_window_is_accepted(run: Run) -> None:
    """By the same file."""
    done = run(make().window({"by": "n", "from": 0, "to": 6}))
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"all records 0 to 5" in done.stdout


def test_the_verdict_in_chinese_needs_no_setting(run: Run) -> None:
    """Also where the environment names no encoding."""
    done = run(make().receipt(), "--lang", "zh")
    assert done.returncode == 0
    assert done.stdout.decode().startswith("成立。")


def test_a_terminal_that_has_no_chinese_gets_escapes(pyz: Path, tmp_path: Path) -> None:
    """And no traceback."""
    (tmp_path / "r").write_text(canonical.dumps(make().receipt()))
    (tmp_path / "t").write_text(canonical.dumps(trust()))
    command = [sys.executable, "-S", str(pyz), "r", "--trust", "t", "--lang", "zh"]
    env = {"PYTHONIOENCODING": "latin-1"}
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"\\u6210\\u7acb" in done.stdout


def test_the_language_of_the_environment_is_taken(pyz: Path, tmp_path: Path) -> None:
    """From LANG."""
    (tmp_path / "r").write_text(canonical.dumps(make().receipt()))
    (tmp_path / "t").write_text(canonical.dumps(trust()))
    command = [sys.executable, "-I", "-S", str(pyz), "r", "--trust", "t"]
    env = {"LANG": "zh_CN.UTF-8"}
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True)
    assert done.stdout.decode().startswith("成立。")


def tampered() -> Iterator[tuple[str, Receipt]]:
    """Ten kinds of tampering, one for each thing that a receipt proves."""
    city = make()
    receipt = city.receipt("s1", 2)
    statement, entry = receipt["statement"], receipt["run"]["entry"]
    other = city.receipt("s1", 3)
    note = receipt["checkpoint"]
    forged = note[:-20] + ("A" if note[-20] != "A" else "B") + note[-19:]
    yield "the content", receipt | {"payload": "eyJ0Ijo5fQ=="}
    yield "the time", receipt | {"statement": retold(statement, observed="2013-01-02T00:00:00Z")}
    yield "the source", receipt | {"statement": retold(statement, source="s2")}
    yield "the dataset", receipt | {"statement": retold(statement, dataset="traffic")}
    yield "the number", receipt | {"statement": retold(statement, n=3)}
    yield "the path in the batch", receipt | {"path": other["path"]}
    yield "the run", changed(receipt, "run", "entry", to=retold(entry, offset=0))
    yield "the batch", receipt | {"descriptor": city.receipt("s1", 4)["descriptor"]}
    yield "the path in the log", changed(receipt, "log", "path", 0, to=flip("aa" * 32))
    yield "the signature", receipt | {"checkpoint": forged}
    yield "the log", receipt | {"checkpoint": city.checkpoint(log=[OTHER_LOG])}
    yield "the ledger", changed(receipt, "anchors", 0, "root", to="aa" * 32)


TAMPERED = dict(tampered())


@pytest.mark.parametrize("what", TAMPERED)
def test_tampering_is_refused(run: Run, what: str) -> None:
    """With one sentence and exit code 1."""
    done = run(TAMPERED[what])
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.startswith(b"REFUSED. ")
    assert done.stderr.count(b"\n") == 1


def test_the_ten_kinds_are_at_least_ten() -> None:
    """And the untampered receipt is not among them."""
    receipt = canonical.dumps(make().receipt("s1", 2))
    texts = {canonical.dumps(other) for other in TAMPERED.values()}
    assert len(texts) >= 10
    assert receipt not in texts


@pytest.mark.parametrize("content", [b"", b"hello", b"\xff\xff", b"[" * 100_000, b"{}"])
def test_other_files_end_with_one_sentence(run: Run, content: bytes) -> None:
    """And exit code 2, never a traceback."""
    done = run(content)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.count(b"\n") == 1


def test_a_reader_who_has_seen_enough_breaks_nothing(pyz: Path, tmp_path: Path) -> None:
    """Such as `head`: no traceback either."""
    (tmp_path / "r").write_text(canonical.dumps(make().receipt()))
    (tmp_path / "t").write_text(canonical.dumps(trust()))
    command = f"{sys.executable} -I -S {pyz} r --trust t | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], cwd=tmp_path, env={}, capture_output=True)
    assert done.stderr == b""


def test_the_file_has_no_more_than_it_needs(pyz: Path) -> None:
    """Core, evidence, texts and the verifier: no database, no network, no packages."""
    with zipfile.ZipFile(pyz) as archive:
        names = archive.namelist()
    tops = {name.split("/")[1] for name in names if name.startswith("notary/")}
    assert tops == {"__init__.py", "core", "evidence", "remembered.py", "texts", "verifier"}
    assert not [name for name in names if "online" in name]
    assert {"notary/texts/zh.json", "notary/core/receipt.py", "__main__.py"} <= set(names)


def test_the_file_is_the_same_wherever_it_is_built(pyz: Path, tmp_path: Path) -> None:
    """So its hash can be published."""
    assert build(tmp_path / "another" / "name.pyz").read_bytes() == pyz.read_bytes()


def test_the_verdict_as_json_is_read_by_programs(run: Run) -> None:
    """Also where it is refused."""
    assert json.loads(run(make().receipt(), "--json").stdout)["holds"] is True
    refusal = json.loads(run(TAMPERED["the content"], "--json").stdout)
    assert (refusal["holds"], refusal["code"]) == (False, "payload-mismatch")


def test_the_formats_of_others_need_no_package_either(run: Run) -> None:
    """A tlog-proof and a COSE receipt, by CBOR and Ed25519 of our own; changed ones are refused."""
    receipt = make().receipt("s1", 2, witnesses=WITNESSES[:1])
    trusted = formats.trusting()
    for data in (formats.tlog_proof(receipt).encode(), formats.cose_receipt(receipt)):
        done = run(data, trusted=trusted)
        assert (done.returncode, done.stderr) == (0, b"")
        assert done.stdout.startswith(b"HOLDS.")
        changed_proof = run(data[:400] + bytes([data[400] ^ 1]) + data[401:], trusted=trusted)
        assert (changed_proof.returncode, changed_proof.stdout) == (1, b"")
    assert b"a key for receipts that the trust file lists" in done.stdout
    refused = run(formats.cose_receipt(receipt))
    assert (refused.returncode, refused.stdout) == (1, b"")
    assert b"lists no key for COSE receipts" in refused.stderr
