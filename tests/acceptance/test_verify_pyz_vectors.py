# SPDX-License-Identifier: Apache-2.0
"""`verify.pyz` answers every case of the vectors as it says, in a Python without packages."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from notary.local.build_verifier import build
from tests.vectors import answering

FOLDER = Path(answering.__file__).parent
PROGRAM = Path(answering.__file__).read_text("utf-8")
START = "import sys; sys.path.insert(0, {path!r}); __name__ = '__main__'\n"


@pytest.fixture(scope="module")
def pyz(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("build") / "verify.pyz")


@pytest.mark.parametrize("name", answering.FILES)
def test_the_single_file_gives_the_same_answers(pyz: Path, tmp_path: Path, name: str) -> None:
    """Word for word; nothing but the file itself is imported beside the standard library."""
    text = (FOLDER / name).read_text("utf-8")
    program = (
        START.format(path=str(pyz))
        + PROGRAM
        + f"\nassert {str(pyz)!r} in verify_receipt.__code__.co_filename\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program],
        cwd=tmp_path,
        env={},
        input=text.encode(),
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    file = json.loads(text)
    told = zip(file["cases"], answering.all_wanted(file), json.loads(done.stdout), strict=True)
    for case, wanted, answer in told:
        assert (case["desc"], answer) == (case["desc"], wanted)
