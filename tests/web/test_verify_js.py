# SPDX-License-Identifier: Apache-2.0
"""
verify.js is a second implementation: it answers as `verify.pyz` does, to every case there is.

In Debian's chromium, twice: in verify.html, opened from a folder with the network off, and over
plain HTTP under a name that isn't this machine's, where verify.js has to bring its own Ed25519.
"""

import base64
import csv
import io
import json
import random
import re
from collections.abc import Iterator
from functools import partial
from hashlib import sha256, sha512
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from notary.core import canonical, ed25519
from notary.core.errors import BadSignature
from notary.core.row_profiles import row_cutter
from notary.local.build_verifier import build_page
from notary.offline_page import bundle
from tests.acceptance.browsing import chromium
from tests.city_table import FORMS, fetch_table, forms
from tests.core import test_ed25519 as strict
from tests.core.maker import City
from tests.test_payload_lines import LINES, NO_LINES, window
from tests.vectors import answering
from tests.vectors.trusts import TEXTS

pytestmark = pytest.mark.needs("chromium")
ROOT = Path(__file__).parents[2]
RUNS = ROOT / "tests" / "web" / "verify_js_runs.js"
VECTORS = ROOT / "tests" / "vectors"
FORMATS = {
    "receipts.json": "receipt/1",
    "windows.json": "window/1",
    "acceptances.json": "acceptance/1",
    "consistencies.json": "consistency/1",
    "forks.json": "fork/1",
    "tlog_proofs.json": "tlog-proof/1",
    "cose_receipts.json": "cose-receipt/1",
}
MAX_FLOAT_INTEGER = 2**53 - 1
HOST = "notary.test"
ENGINES = {"http": "own", "file": "browser"}
"""Whose Ed25519 is used on each of the two pages."""


class Quiet(SimpleHTTPRequestHandler):
    """Serves files and says nothing."""

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With verify.js and what drives it, and verify.html."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "empty.html").write_text("<!doctype html><title>empty</title>")
    build_page(folder / "verify.html")
    for path in (ROOT / "notary" / "web" / "static" / "verify.js", RUNS):
        (folder / path.name).symlink_to(path)
    return folder


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    """Of a server that has the folder's files, under another name than this machine's."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://{HOST}:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """To it this machine has a second name."""
    with chromium(f"--host-resolver-rules=MAP {HOST} 127.0.0.1") as running:
        yield running


@pytest.fixture(scope="module", params=ENGINES)
def page(
    request: pytest.FixtureRequest, browser: Browser, folder: Path, address: str
) -> Iterator[Page]:
    """A page of each of the two kinds, with the functions of verify_js_runs.js in `runs`."""
    page = browser.new_page()
    if request.param == "http":
        page.goto(f"{address}/empty.html")
        page.evaluate("async () => { globalThis.runs = await import('./verify_js_runs.js') }")
    else:
        page.context.set_offline(True)
        page.goto((folder / "verify.html").as_uri())
        page.evaluate(runs_in_page((folder / "verify.html").read_text()))
    assert run(page, "signatureEngine") == ENGINES[request.param]
    yield page
    page.close()


def runs_in_page(html: str) -> str:
    """The text of verify.js as it stands in verify.html, and behind it what drives it."""
    module = bundle("verify.js")
    assert module.strip() in html
    source = RUNS.read_text().replace('} from "./verify.js";', "} = module_verify;")
    source = source.replace("import {", "const {", 1)
    names = re.findall(r"^export (?:async )?function (\w+)", source, re.MULTILINE)
    source = re.sub("^export (?=(async )?function)", "", source, flags=re.MULTILINE)
    source = source.replace("export { signatureEngine };", "")
    return f"{{{module}{source}globalThis.runs = {{signatureEngine, {', '.join(names)}}}}}"


def run(page: Page, name: str, *arguments: Any) -> Any:
    """What one of the functions of verify_js_runs.js answers."""
    return page.evaluate("async ([name, given]) => runs[name](...given)", [name, arguments])


def as_browser(value: Any) -> Any:
    """Integers that a float can't hold are texts there; nothing else differs."""
    if isinstance(value, dict):
        return {name: as_browser(item) for name, item in value.items()}
    if isinstance(value, list):
        return [as_browser(item) for item in value]
    if isinstance(value, int) and not isinstance(value, bool) and value > MAX_FLOAT_INTEGER:
        return str(value)
    return value


@pytest.mark.parametrize("name", FORMATS)
def test_every_proof_gets_the_answer_of_its_case(page: Page, name: str) -> None:
    """The same refusal with its reason, or the same checks with all their facts, in order."""
    text = (VECTORS / name).read_text()
    file, answers = (
        json.loads(text),
        run(page, "proofs", text, FORMATS[name], answering.FILES[name]),
    )
    told = zip(file["cases"], answering.all_wanted(file), answers, strict=True)
    for case, wanted, answer in told:
        assert (case["desc"], answer) == (case["desc"], as_browser(wanted))


@pytest.mark.parametrize("name", ["inclusion.json", "consistency.json"])
def test_every_path_gets_the_code_of_its_case(page: Page, name: str) -> None:
    """Also with sizes beyond what a float can hold."""
    text = (VECTORS / name).read_text()
    for case, code in zip(json.loads(text), run(page, "trees", text), strict=True):
        assert (case["desc"], code) == (case["desc"], case["wantErr"])


@pytest.mark.parametrize("name", ["notes.json", "checkpoints.json"])
def test_every_note_gets_the_code_of_its_case(page: Page, name: str) -> None:
    """Signatures, keys, base64, control characters."""
    text = (VECTORS / name).read_text()
    is_checkpoint = name == "checkpoints.json"
    codes = run(page, "notes", text, is_checkpoint)
    for case, code in zip(json.loads(text), codes, strict=True):
        assert (case["desc"], code) == (case["desc"], case["wantErr"])


@pytest.mark.parametrize("step", [1, 3, 1000])
def test_every_table_is_cut_as_its_case_says(page: Page, step: int) -> None:
    """Into these rows, or refused for this reason at this row and byte."""
    text = (VECTORS / "rows.json").read_text()
    for case, got in zip(json.loads(text), run(page, "rows", text, step), strict=True):
        if case["wantErr"] is None:
            want = {"rows": case["rows"]}
        else:
            want = {name: case[name] for name in ("reason", "row", "offset")}
            want["code"] = case["wantErr"]
        assert (case["desc"], got) == (case["desc"], want)


def test_every_copy_is_led_back_as_its_case_says(page: Page) -> None:
    """In the same words, or not at all."""
    text = (VECTORS / "resaved.json").read_text()
    for case, changes in zip(json.loads(text)["cases"], run(page, "resaved", text), strict=True):
        assert (case["desc"], changes) == (case["desc"], case["changes"])


def test_the_city_table_is_told_for_what_it_is(page: Page, long: bool) -> None:
    """In each of its forms, with quotes everywhere, with another digit; whole at full size."""
    table = fetch_table()
    table = table if long else table[: table.index(b"\r\n", 100_000) + 2]
    cutter, city = row_cutter("csv-v1"), City()
    city.seal_version([row for _, row in cutter.feed(table) + cutter.finish()], table)
    rows, quoted = csv.reader(io.StringIO(table.decode("utf-8-sig"), newline="")), io.StringIO()
    csv.writer(quoted, quoting=csv.QUOTE_ALL).writerows(rows)
    copies = {
        (True, None, None, ()): table,
        **{
            (False, "payload-mismatch", "resaved", tuple(changes)): forms(table)[form]
            for form, changes in FORMS.items()
            if changes
        },
        (False, "payload-mismatch", "same-rows", ()): quoted.getvalue().encode(),
        (False, "payload-mismatch", "same-rows-gb18030", ()): quoted.getvalue().encode("gb18030"),
        (False, "payload-mismatch", None, ()): table[:-3] + bytes([table[-3] ^ 1]) + table[-2:],
    }
    receipt = canonical.dumps(city.file_receipt(0))
    contents = [base64.b64encode(copy).decode() for copy in copies.values()]
    told = run(page, "copies", receipt, TEXTS["usual"], contents)
    for wanted, got in zip(copies, told, strict=True):
        assert (got["holds"], got["code"], got["reason"], tuple(got["changes"])) == wanted


def test_lines_of_payloads_are_read_as_strictly(page: Page) -> None:
    """Whatever is a line of a window's record for `notary verify` is one here, and nothing else."""
    lines = [*(line.encode() for line in LINES), *NO_LINES]
    contents = [base64.b64encode(line).decode() for line in lines]
    told = run(page, "copies", canonical.dumps(window()), TEXTS["usual"], contents)
    codes = [None] * len(LINES) + ["verify.payloads-line"] * len(NO_LINES)
    for line, wanted, got in zip(lines, codes, told, strict=True):
        assert (line[:90], got["code"]) == (line[:90], wanted)


def signature_cases() -> Iterator[tuple[bytes, bytes, bytes]]:
    """Keys, messages and signatures, good ones and what a lax verifier lets pass."""
    secret, public = strict.key_pair()
    message = strict.MESSAGE
    good = secret.sign(message)
    yield public, message, good
    for size in (0, 1, 47, 48, 63, 64, 111, 112, 127, 128, 1000):
        yield public, bytes(size), secret.sign(bytes(size))
    for bit in range(0, 512, 7):
        flipped = bytearray(good)
        flipped[bit // 8] ^= 1 << bit % 8
        yield public, message, bytes(flipped)
    yield public, message + b"!", good
    for size in (0, 1, 63, 65):
        yield public, message, (good + good)[:size]
    scalar = int.from_bytes(good[32:], "little")
    for times in range(1, 16):
        if scalar + times * strict.L < 2**256:
            yield public, message, good[:32] + (scalar + times * strict.L).to_bytes(32, "little")
    yield public, message, good[:32] + strict.L.to_bytes(32, "little")
    yield public, message, bytes(64)
    points = [strict.encoded(y, sign) for y in small_order() for sign in (0, 1)]
    points += [strict.encoded(strict.P + more, sign) for more in range(19) for sign in (0, 1)]
    for point in points:
        yield point, message, good
        yield point, message, point + bytes(32)
        yield public, message, point + bytes(32)
        yield public, message, point + good[32:]
    drawn = random.Random(1)
    for _ in range(40):
        yield drawn.randbytes(32), message, good
        yield public, message, drawn.randbytes(32) + good[32:]
    for number in range(16):
        yield mixed_order(number)


def small_order() -> list[int]:
    """The y of each point whose order divides 8."""
    return [0, 1, strict.P - 1, strict.Y8, strict.P - strict.Y8]


def mixed_order(number: int) -> tuple[bytes, bytes, bytes]:
    """
    A key with a part of order 8 and a signature that holds by the equation with cofactor alone;
    in one case of eight by that without it, too.
    """
    base = ed25519._decode(ed25519._BASE_TEXT)
    torsion = ed25519._decode(strict.encoded(strict.Y8))
    a, r, message = 7 + number, 11 + number, b"city-notary/probe/1\n"
    point = ed25519._combine(a, 1, torsion)
    key = ed25519._encode(point)
    commitment = ed25519._encode(ed25519._combine(r, 0, base))
    hashed = sha512(commitment + key + message).digest()
    k = int.from_bytes(hashed, "little") % strict.L
    return key, message, commitment + ((r + k * a) % strict.L).to_bytes(32, "little")


def holds(key: bytes, message: bytes, signature: bytes) -> bool:
    try:
        ed25519.verify(key, message, signature)
    except BadSignature:
        return False
    return True


def test_signatures_hold_by_the_strict_rules_alone(page: Page) -> None:
    """Whoever's Ed25519 it is: as Python's, which is held against those rules elsewhere."""
    cases = list(signature_cases())
    expected = [holds(*case) for case in cases]
    assert 10 < sum(expected) < len(expected) / 10
    got = run(page, "signatures", [[part.hex() for part in case] for case in cases])
    for case, want, answer in zip(cases, expected, got, strict=True):
        assert (case, answer) == (case, want)


def test_hashes_are_those_of_every_length(page: Page) -> None:
    """Around the sizes at which blocks end."""
    sizes = [*range(260), 511, 512, 513, 1023, 1024, 1025, 5000]
    data = [random.Random(size).randbytes(size) for size in sizes]
    got = run(page, "hashes", [item.hex() for item in data])
    expected = [[sha256(item).hexdigest(), sha512(item).hexdigest()] for item in data]
    assert got == expected


def test_a_file_is_read_a_piece_at_a_time_and_says_how_far(page: Page) -> None:
    """From the beginning to the end, never back."""
    size = (5 << 20) + 3
    told = run(page, "progress", size)
    done = [step[0] for step in told["steps"]]
    assert told["digest"] == sha256(b"\x07" * size).hexdigest()
    assert len(done) == 6
    assert done == sorted(done)
    assert done[-1] == size
    assert {step[1] for step in told["steps"]} == {size}
