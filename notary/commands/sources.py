# SPDX-License-Identifier: Apache-2.0
"""`notary sources`: who may send to a dataset, and by which keys it is known."""

import base64
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from notary.core.errors import MalformedText
from notary.core.words import format_time
from notary.usecases import sources
from notary.usecases.datasets import DatasetFacts, list_all_datasets
from notary.usecases.device_keys import (
    ALGORITHMS,
    check_algorithm,
    new_secret,
    parse_public_key,
    parse_secret,
)
from notary.usecases.rights import NotFound
from notary.usecases.source_files import MAX_BYTES, parse_moment, parse_sources
from notary.usecases.sources import NewKey, NewSource
from notary.wiring import Parts, clock

OVERLAP_DAYS = 7
MAX_OVERLAP_DAYS = 3_650


def add_arguments(parser: ArgumentParser) -> None:
    """What `notary sources` takes."""
    parser.add_argument("what", choices=tuple(_COMMANDS))
    parser.add_argument("dataset")
    parser.add_argument("source", nargs="?", help="a source, or the CSV file to import")
    parser.add_argument("--title", help="a name for people, kept beside the log")
    parser.add_argument("--key", metavar="ID", help="the key's id, as messages name it")
    parser.add_argument("--algorithm", choices=ALGORITHMS)
    parser.add_argument("--public", help="the public key, or a file with it")
    parser.add_argument("--secret-file", help="the HMAC secret; without it a new one is made")
    parser.add_argument("--from", dest="valid_from", metavar="TIME", help="valid from then on")
    parser.add_argument("--to", dest="valid_to", metavar="TIME", help="valid until before then")
    parser.add_argument(
        "--overlap-days", type=int, help=f"rotate: the old keys end then; {OVERLAP_DAYS} unless set"
    )


def run(arguments: Namespace, parts: Parts) -> int:
    """One command over the parts of a notary."""
    dataset = next(
        (one for one in list_all_datasets(parts.pool) if one.name == arguments.dataset), None
    )
    if dataset is None:
        raise NotFound(f"There is no dataset {arguments.dataset} here.")
    if arguments.what != "list" and arguments.source is None:
        what = "a CSV file" if arguments.what == "import" else "a source"
        raise MalformedText(f"notary sources {arguments.what} needs {what}.")
    _COMMANDS[arguments.what](arguments, parts, dataset)
    return 0


def _add(arguments: Namespace, parts: Parts, dataset: DatasetFacts) -> None:
    key, secret = _key(arguments)
    new = NewSource(arguments.source, arguments.title, () if key is None else (key,))
    sources.register(parts.pool, parts.instance_secret(), dataset, [new], clock())
    _hand_out(secret)


def _import(arguments: Namespace, parts: Parts, dataset: DatasetFacts) -> None:
    with Path(arguments.source).open("rb") as file:
        new = parse_sources(file.read(MAX_BYTES + 1))
    sources.register(parts.pool, parts.instance_secret(), dataset, new, clock())
    print(f"{len({one.label for one in new})} sources, {sum(len(one.keys) for one in new)} keys")


def _list(arguments: Namespace, parts: Parts, dataset: DatasetFacts) -> None:
    after = ""
    while rows := sources.list_registered(parts.pool, dataset, after):
        for row in rows:
            if arguments.source in (None, row["label"], row["name"]):
                state = "revoked" if row["revoked_at"] else "valid"
                print(f"{row['label']}  {state:7}  {row['title'] or ''}".rstrip())
                for key in row["keys"]:
                    print(f"  {_shown(key)}")
        after = rows[-1]["label"]


def _shown(key: dict[str, Any]) -> str:
    begins = f"from {format_time(key['valid_from'])}"
    ends = f" to {format_time(key['valid_to'])}" if key["valid_to"] else ""
    revoked = f" revoked {format_time(key['revoked_at'])}" if key["revoked_at"] else ""
    return f"{key['id']}  {key['algorithm']}  {key['fingerprint'] or '-'}  {begins}{ends}{revoked}"


def _rotate(arguments: Namespace, parts: Parts, dataset: DatasetFacts) -> None:
    key, secret = _key(arguments)
    if key is None:
        raise MalformedText("notary sources rotate needs --key, --algorithm and the new key.")
    days = OVERLAP_DAYS if arguments.overlap_days is None else arguments.overlap_days
    if not 0 <= days <= MAX_OVERLAP_DAYS:
        raise MalformedText(f"--overlap-days must lie between 0 and {MAX_OVERLAP_DAYS}.")
    sources.add_key(
        parts.pool,
        parts.instance_secret(),
        dataset,
        arguments.source,
        key,
        clock(),
        overlap=timedelta(days=days),
    )
    _hand_out(secret)


def _revoke(arguments: Namespace, parts: Parts, dataset: DatasetFacts) -> None:
    sources.revoke(parts.pool, dataset, arguments.source, arguments.key, clock())


_COMMANDS: dict[str, Callable[[Namespace, Parts, DatasetFacts], None]] = {
    "add": _add,
    "import": _import,
    "list": _list,
    "rotate": _rotate,
    "revoke": _revoke,
}


def _key(arguments: Namespace) -> tuple[NewKey | None, bytes | None]:
    """The key that was given, and a secret that was made for it."""
    given = (arguments.key, arguments.algorithm, arguments.public, arguments.secret_file)
    if not any(given):
        return None, None
    if arguments.key is None or arguments.algorithm is None:
        raise MalformedText("A key needs --key and --algorithm.")
    algorithm = check_algorithm(arguments.algorithm)
    is_hmac = algorithm == "hmac-sha256"
    if is_hmac == (arguments.public is not None) or (not is_hmac and arguments.secret_file):
        raise MalformedText("hmac-sha256 has a secret; ed25519 and es256 need --public.")
    made = None
    if not is_hmac:
        material = parse_public_key(algorithm, _text_or_file(arguments.public))
    elif arguments.secret_file:
        text = Path(arguments.secret_file).read_text(encoding="ascii", errors="replace")
        material = parse_secret(text)
    else:
        material = made = new_secret()
    begins, ends = _moment(arguments.valid_from), _moment(arguments.valid_to)
    return NewKey(arguments.key, algorithm, material, begins, ends), made


def _text_or_file(text: str) -> str:
    """A key is one line, or PEM; anything that is the name of a file is that file."""
    try:
        path = Path(text)
        return path.read_text(encoding="ascii", errors="replace") if path.is_file() else text
    except (OSError, ValueError):
        return text


def _moment(text: str | None) -> datetime | None:
    return None if text is None else parse_moment(text)


def _hand_out(secret: bytes | None) -> None:
    if secret is not None:
        print(base64.b64encode(secret).decode())
        print("This secret is shown only now.", file=sys.stderr)
