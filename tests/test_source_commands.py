# SPDX-License-Identifier: Apache-2.0
"""`notary sources`: what each command does, and how it fails."""

from base64 import b64decode
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.iot_ingest.signing import ED, ED2_PUBLIC, ED_PUBLIC, SECRET
from tests.test_cli import Run, run
from tests.usecases.servers import world
from tests.usecases.world import World

__all__ = ["run", "world"]
ED_ARGUMENTS = ("--algorithm", "ed25519", "--public", ED_PUBLIC.hex())


@pytest.fixture
def air(world: World) -> World:
    """A notary with an open dataset."""
    world.dataset("air")
    return world


def test_a_source_is_added_listed_and_revoked(air: World, run: Run, tmp_path: Path) -> None:
    """With a public key from a file as openssl wrote it."""
    pem = ED.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "key.pem").write_bytes(pem)
    more = ("--title", "Harbour", "--key", "k1", "--algorithm", "ed25519")
    added = run(
        air.env, "sources", "add", "air", "s1", *more, "--public", str(tmp_path / "key.pem"),
        "--to", "2099-01-01T08:00:00+08:00",
    )  # fmt: skip
    assert added == (0, "", "")
    code, said, _ = run(air.env, "sources", "list", "air")
    source, key = said.splitlines()
    assert (code, source) == (0, "s1  valid    Harbour")
    assert key.startswith("  k1  ed25519  ")
    assert key.endswith(" to 2099-01-01T00:00:00.000000Z")
    assert run(air.env, "sources", "revoke", "air", "s1", "--key", "k1")[0] == 0
    assert " revoked 2" in run(air.env, "sources", "list", "air", "s1")[1]
    assert run(air.env, "sources", "revoke", "air", "s1")[0] == 0
    assert run(air.env, "sources", "list", "air", "s1")[1].startswith("s1  revoked")
    assert run(air.env, "sources", "list", "air", "s2")[1] == ""


def test_a_new_secret_is_shown_once(air: World, run: Run) -> None:
    """On standard output; the list has nothing of it."""
    key = ("--key", "h1", "--algorithm", "hmac-sha256")
    code, said, error = run(air.env, "sources", "add", "air", "s1", *key)
    assert (code, len(b64decode(said))) == (0, 32)
    assert "only now" in error
    assert said.strip() not in run(air.env, "sources", "list", "air")[1]


def test_a_secret_comes_from_a_file_and_is_not_shown(air: World, run: Run, tmp_path: Path) -> None:
    """Whoever has it needs no copy."""
    (tmp_path / "secret").write_text(SECRET.hex() + "\n")
    key = ("--key", "h1", "--algorithm", "hmac-sha256", "--secret-file", str(tmp_path / "secret"))
    assert run(air.env, "sources", "add", "air", "s1", *key) == (0, "", "")
    found = air.parts.source_book().ask([("air", "s1")])
    assert found["air", "s1"].keys["h1"].material == SECRET


def test_keys_are_rotated_with_an_overlap(air: World, run: Run) -> None:
    """The old one ends; without days after a week, with 0 at once."""
    run(air.env, "sources", "add", "air", "s1", "--key", "k1", *ED_ARGUMENTS)
    new = ("--algorithm", "ed25519", "--public", ED2_PUBLIC.hex())
    rotated = run(air.env, "sources", "rotate", "air", "s1", "--key", "k2", *new)
    assert rotated == (0, "", "")
    rows = air.rows("SELECT id, valid_to - added_at FROM source_keys ORDER BY id")
    assert rows[1] == ("k2", None)
    assert "7 days" in str(rows[0][1])
    days = ("--overlap-days", "-1")
    code, _, error = run(air.env, "sources", "rotate", "air", "s1", "--key", "k3", *new, *days)
    assert (code, error) == (2, "notary: --overlap-days must lie between 0 and 3650.\n")


def test_a_list_is_imported_whole_or_not_at_all(air: World, run: Run, tmp_path: Path) -> None:
    """Every fault with its line; a second time it does no harm."""
    file = tmp_path / "sources.csv"
    good = (
        f"source,title,key,algorithm,public_key\ns1,Harbour,k1,ed25519,{ED_PUBLIC.hex()}\ns2,,,,\n"
    )
    file.write_text(good + "s 3,,,,\ns4,,k1,ed25519,zz\n")
    code, said, error = run(air.env, "sources", "import", "air", str(file))
    assert (code, said) == (2, "")
    assert "Line 4: source: The source must be" in error
    assert "Line 5: public_key: The text is not a public key on Ed25519." in error
    assert air.rows("SELECT count(*) FROM registrations") == [(0,)]
    file.write_text(good)
    for _ in range(2):
        assert run(air.env, "sources", "import", "air", str(file)) == (0, "2 sources, 1 keys\n", "")


def test_faults_that_only_the_database_knows_have_their_lines_too(
    air: World, run: Run, tmp_path: Path
) -> None:
    """Another key of that id, a revoked source."""
    run(air.env, "sources", "add", "air", "s1", "--key", "k1", *ED_ARGUMENTS)
    run(air.env, "sources", "add", "air", "s2")
    run(air.env, "sources", "revoke", "air", "s2")
    file = tmp_path / "sources.csv"
    file.write_text(f"source,key,algorithm,public_key\ns1,k1,ed25519,{ED2_PUBLIC.hex()}\ns2,,,\n")
    code, _, error = run(air.env, "sources", "import", "air", str(file))
    assert code == 2
    assert "Line 2: The source s1 has another key k1" in error
    assert "Line 3: The source s2 is revoked." in error


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("add", "fog", "s1"), "no dataset fog"),
        (("add", "air"), "needs a source"),
        (("import", "air"), "needs a CSV file"),
        (("import", "air", "/nowhere.csv"), "No such file"),
        (("add", "air", "s 1"), "must be 1 to 128"),
        (("add", "air", "s1", "--key", "k1"), "--key and --algorithm"),
        (("add", "air", "s1", *ED_ARGUMENTS), "--key and --algorithm"),
        (("add", "air", "s1", "--key", "k1", "--algorithm", "ed25519"), "need --public"),
        (("add", "air", "s1", "--key", "k1", "--algorithm", "es256", "--public", "zz"), "P-256"),
        (("add", "air", "s1", "--key", "k1", "--algorithm", "hmac-sha256", "--public", "zz"),
         "has a secret"),
        (("add", "air", "s1", "--key", "k1", *ED_ARGUMENTS, "--secret-file", "x"), "has a secret"),
        (("add", "air", "s1", "--key", "k1", *ED_ARGUMENTS, "--to", "tomorrow"), "A time must be"),
        (("rotate", "air", "s1"), "needs --key"),
        (("rotate", "air", "s1", "--key", "k1", *ED_ARGUMENTS), "No source s1 is registered"),
        (("revoke", "air", "s1"), "No source s1 is registered"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_said_in_a_sentence(
    air: World, run: Run, arguments: tuple[str, ...], words: str
) -> None:
    """Exit 2, nothing registered."""
    code, said, error = run(air.env, "sources", *arguments)
    assert (code, said, error.count("\n")) == (2, "", 1)
    assert words in error
    assert air.rows("SELECT count(*) FROM registrations") == [(0,)]
