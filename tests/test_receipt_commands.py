# SPDX-License-Identifier: Apache-2.0
"""`notary receipt convert`: each format into each other one, offline; and what is refused."""

from pathlib import Path
from typing import Any

import pytest

from notary import cli
from notary.core import canonical
from notary.core.trust import MAX_TRUST_BYTES
from notary.keys import write_secret
from notary.verifier import command as verifier
from tests.core.formats import KEY, STRANGER_KEY, base64, cose_receipt, tlog_proof, trusting
from tests.core.maker import City, make, trust
from tests.core.signing import Signer

USUAL = make().receipt("s1", 2)
DONE, CANNOT = 0, 2


class Desk:
    """A folder with a receipt in each format, the notary's key, and a trust file."""

    def __init__(
        self, folder: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch, key: Signer = KEY
    ) -> None:
        self.folder, self.capsys = folder, capsys
        self.keep_key(key)
        monkeypatch.setenv("NOTARY_RECEIPT_KEY", str(folder / "receipt.key"))
        for name in ("LC_ALL", "LANG"):
            monkeypatch.delenv(name, raising=False)
        self.write("trust.json", canonical.dumps(trusting()).encode())

    def keep_key(self, key: Signer) -> None:
        """Put a key where the notary's is, as `notary init` writes it."""
        path = self.folder / "receipt.key"
        path.unlink(missing_ok=True)
        name, id_ = key.verifier.name, key.verifier.key_id.hex()
        seed = base64(b"\x01" + key.private.private_bytes_raw())
        write_secret(path, f"PRIVATE+KEY+{name}+{id_}+{seed}\n".encode())

    def write(self, name: str, data: bytes) -> Path:
        """A file."""
        path = self.folder / name
        path.write_bytes(data)
        return path

    def put(self, members: dict[str, Any]) -> dict[str, Path]:
        """A receipt in each format."""
        return {
            "receipt": self.write("r.json", canonical.dumps(members).encode()),
            "tlog-proof": self.write("r.tlog-proof", tlog_proof(members).encode()),
            "cose": self.write("r.cose", cose_receipt(members)),
        }

    def convert(self, path: Path, to: str, *more: str) -> tuple[int, bytes, str]:
        """Exit code, what was written, and standard error."""
        output = self.folder / "out"
        output.unlink(missing_ok=True)
        given = ["receipt", "convert", str(path), "--to", to, "--output", str(output), *more]
        code = cli.main(given)
        written = output.read_bytes() if output.exists() else b""
        return code, written, self.capsys.readouterr().err

    @property
    def trust(self) -> tuple[str, str]:
        """The option with the trust file."""
        return "--trust", str(self.folder / "trust.json")


@pytest.fixture
def desk(tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(tmp_path, capsys, monkeypatch)


def without_anchors(members: dict[str, Any]) -> bytes:
    return canonical.dumps({**members, "anchors": []}).encode()


@pytest.mark.parametrize("source", ["receipt", "tlog-proof", "cose"])
def test_each_format_becomes_each_other_one(desk: Desk, source: str) -> None:
    """Byte for byte what the notary answers; and each of them verifies."""
    files = desk.put(USUAL)
    wanted = {"tlog-proof": files["tlog-proof"].read_bytes(), "cose": files["cose"].read_bytes()}
    plain = canonical.dumps(USUAL).encode() if source == "receipt" else without_anchors(USUAL)
    for to, expected in {**wanted, "receipt": plain}.items():
        code, written, _ = desk.convert(files[source], to, *desk.trust)
        assert (code, written) == (DONE, expected)
        proof = desk.write("proof", written)
        assert verifier.main([str(proof), *desk.trust]) == DONE


def test_what_is_left_out_is_said_in_both_languages(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Anchors always, a payload where it doesn't fit; nothing where nothing is."""
    city = City()
    city.accept("s0", bytes(40_000))
    city.seal()
    large = desk.write("large", canonical.dumps(city.receipt("s0", 0)).encode())
    small = desk.write("small", without_anchors(USUAL))
    assert desk.convert(small, "tlog-proof")[2] == ""
    error = desk.convert(large, "tlog-proof")[2]
    assert error.count("Left out") == 2
    assert "anchors" in error
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    assert desk.convert(large, "tlog-proof")[2].count("未包含") == 2


def test_to_standard_output(
    tmp_path: Path, capfdbinary: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bytes as they are, and nothing else."""
    path = Desk(tmp_path, capfdbinary, monkeypatch).put(USUAL)["tlog-proof"]
    assert cli.main(["receipt", "convert", str(path), "--to", "receipt"]) == DONE
    assert capfdbinary.readouterr().out == without_anchors(USUAL)


def test_a_file_that_is_there_is_not_overwritten(desk: Desk) -> None:
    """It could be another receipt."""
    path = desk.put(USUAL)["receipt"]
    there = desk.write("there", b"mine")
    given = ["receipt", "convert", str(path), "--to", "tlog-proof", "--output", str(there)]
    assert cli.main(given) == CANNOT
    assert there.read_bytes() == b"mine"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "not JSON"),
        (b"{}", "version"),
        (b"\xff\xfe", "neither text nor"),
        (b"\xd2\x84", "CBOR"),
        (b"c2sp.org/tlog-proof@v1\n", "tlog-proof"),
        (b"c2sp.org/tlog-proof@v2\nindex 0\n", "not JSON"),
        (canonical.dumps(USUAL).encode().replace(b",", b", ", 1), "canonical"),
    ],
)
def test_what_is_no_receipt_ends_in_a_sentence(desk: Desk, data: bytes, words: str) -> None:
    """And nothing is written."""
    code, written, error = desk.convert(desk.write("no", data), "tlog-proof")
    assert (code, written) == (CANNOT, b"")
    assert error.startswith("notary: ")
    assert words in error
    assert error.count("\n") == 1


def test_a_file_that_is_too_large_is_not_read_whole(desk: Desk) -> None:
    """The sentence names it and the limit."""
    path = desk.write("trust.json", b" " * (MAX_TRUST_BYTES + 1))
    code, written, error = desk.convert(desk.put(USUAL)["receipt"], "cose", *desk.trust)
    assert (code, written) == (CANNOT, b"")
    assert f"{path} is larger than {MAX_TRUST_BYTES} bytes" in error


def test_a_cose_receipt_needs_a_trust_file(desk: Desk) -> None:
    """Without one nothing is signed, and the sentence names both ways."""
    code, written, error = desk.convert(desk.put(USUAL)["receipt"], "cose")
    assert (code, written) == (CANNOT, b"")
    assert "application/scitt-receipt+cose" in error
    assert "--trust" in error


def test_what_does_not_hold_is_not_signed(desk: Desk) -> None:
    """The log never signed it, or the record isn't in it."""
    for members in (
        {**USUAL, "checkpoint": make(rounds=4).checkpoint()},
        {**USUAL, "checkpoint": USUAL["checkpoint"].replace("\n3\n", "\n4\n")},
        {**USUAL, "statement": make().receipt("s1", 3)["statement"]},
        {**USUAL, "log": {**USUAL["log"], "index": 0}},
    ):
        path = desk.write("false", canonical.dumps(members).encode())
        code, written, error = desk.convert(path, "cose", *desk.trust)
        assert (code, written) == (CANNOT, b"")
        assert error.startswith("notary: ")


def test_a_key_that_the_trust_file_does_not_list_signs_nothing(desk: Desk) -> None:
    """Nobody could verify it; nor is a log's key taken."""
    path = desk.put(USUAL)["receipt"]
    desk.keep_key(STRANGER_KEY)
    code, written, error = desk.convert(path, "cose", *desk.trust)
    assert (code, written) == (CANNOT, b"")
    assert "doesn't list" in error
    desk.keep_key(KEY)
    desk.write("trust.json", canonical.dumps(trust()).encode())
    assert desk.convert(path, "cose", *desk.trust)[:2] == (CANNOT, b"")


def test_a_key_that_others_may_read_signs_nothing(desk: Desk) -> None:
    """And one that isn't there is missed with its name."""
    path = desk.put(USUAL)["receipt"]
    (desk.folder / "receipt.key").chmod(0o644)
    assert "chmod 600" in desk.convert(path, "cose", *desk.trust)[2]
    (desk.folder / "receipt.key").unlink()
    code, written, error = desk.convert(path, "cose", *desk.trust)
    assert (code, written) == (CANNOT, b"")
    assert "receipt.key" in error
    assert desk.convert(path, "tlog-proof")[0] == DONE
