# SPDX-License-Identifier: Apache-2.0
"""The payloads beside a window, as the file of lines that `notary verify` reads."""

import json
from pathlib import Path
from typing import Any

import pytest

from notary.core import canonical
from notary.verifier import command
from tests.core.maker import make, trust
from tests.vectors import lines as vectors

FILE = json.loads((Path(vectors.__file__).parent / "windows.json").read_text("utf-8"))
CASES = [case for case in FILE["cases"] if "payloads" in case]
HOLDS, REFUSED, UNUSABLE = 0, 1, 2


def judged(
    folder: Path, capsys: pytest.CaptureFixture[str], window: str, trusted: str, lines: bytes
) -> tuple[int, dict[str, Any]]:
    """Exit code and answer of `notary verify`."""
    names = [folder / name for name in ("window.json", "trust.json", "lines.ndjson")]
    for name, text in zip(names, (window.encode(), trusted.encode(), lines), strict=True):
        name.write_bytes(text)
    proof, trusting, payloads = map(str, names)
    code = command.main([proof, "--trust", trusting, "--payload", payloads, "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_every_window_of_the_vectors_ends_the_same_with_its_payloads_as_lines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Left out, doubled, exchanged, changed, with other salts."""
    assert len(CASES) > 20
    for case in CASES:
        lines = vectors.lines(case).encode()
        trusted = FILE["trusts"][case["trust"]]
        code, answer = judged(tmp_path, capsys, case["window"], trusted, lines)
        told = (code, answer.get("code"))
        want = (HOLDS, None) if case["wantErr"] is None else (REFUSED, case["wantErr"])
        assert (case["desc"], *told) == (case["desc"], *want)


GOOD = '{"n":0,"payload":"eyJ0IjowfQ=="}'
PAIR = "ab" * 32


def window() -> dict[str, Any]:
    """Of one record, whose payload is {"t":0}."""
    return make(rounds=1).window({"by": "n", "from": 0, "to": 1}, 0, 0)


LINES = [
    GOOD,
    GOOD + "\n",
    '{"payload":"eyJ0IjowfQ==","n":0}',
    '\t{ "n" : 0 ,"payload": "eyJ0IjowfQ==" , "salt":null } \r\n',
    '{"n":0,"\\u0070ayload":"eyJ0IjowfQ=="}',
]
"""Of that record, written in other ways."""

NO_LINES = [
    b"{}",
    b"[]",
    b"null",
    b"{",
    b"\n" + GOOD.encode(),
    b"\xef\xbb\xbf" + GOOD.encode(),
    GOOD.encode("utf-16"),
    GOOD.encode() + b" x",
    GOOD.replace("0,", "1,", 1).encode(),
    GOOD.replace("0,", "-1,", 1).encode(),
    GOOD.replace("0,", '"0",', 1).encode(),
    GOOD.replace("0,", "false,", 1).encode(),
    GOOD.replace("0,", "null,", 1).encode(),
    GOOD.replace("}", ',"more":1}').encode(),
    b'{"n":0}',
    b'{"payload":"eyJ0IjowfQ=="}',
    b'{"n":0,"payload":7}',
    b'{"n":0,"payload":["eyJ0IjowfQ=="]}',
    b'{"n":0,"payload":"eyJ0IjowfQ="}',
    b'{"n":0,"payload":"eyJ0IjowfR=="}',
    b'{"n":0,"payload":"eyJ0Ijow fQ=="}',
    b'{"n":0,"payload":"eyJ0IjowfQ==\\n"}',
    b'{"n":0,"payload":"eyJ0IjowfQ==","salt":7}',
    f'{{"n":0,"payload":"eyJ0IjowfQ==","salt":"{PAIR.upper()}"}}'.encode(),
    f'{{"n":0,"payload":"eyJ0IjowfQ==","salt":"{PAIR}a"}}'.encode(),
    f'{{"n":0,"payload":"eyJ0IjowfQ==","salt":" {PAIR}"}}'.encode(),
    f'{{"n":0,"payload":null,"salt":"{PAIR.upper()}"}}'.encode(),
    b'{"n":0,"payload":null,"salt":7}',
    b"[" * 100_000,
]
"""None of that record."""


@pytest.mark.parametrize("line", LINES)
def test_a_line_may_be_written_in_other_ways(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], line: str
) -> None:
    """Order, blanks, escapes, no newline at the end."""
    text = canonical.dumps(window())
    code, _ = judged(tmp_path, capsys, text, canonical.dumps(trust()), line.encode())
    assert code == HOLDS


@pytest.mark.parametrize("line", NO_LINES)
def test_what_is_no_line_of_this_window_is_unusable(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], line: bytes
) -> None:
    """Nothing is said of the window then."""
    text = canonical.dumps(window())
    code, answer = judged(tmp_path, capsys, text, canonical.dumps(trust()), line)
    assert (code, answer["code"]) == (UNUSABLE, "verify.payloads-line")


def test_an_empty_file_has_fewer_payloads_than_records(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """That is said of the window, and refuses it."""
    text = canonical.dumps(window())
    code, answer = judged(tmp_path, capsys, text, canonical.dumps(trust()), b"")
    assert (code, answer["code"]) == (REFUSED, "payload-mismatch.too-few")
