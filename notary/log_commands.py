# SPDX-License-Identifier: Apache-2.0
"""`notary log follow`: see that a notary's log only grew since one looked last."""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from notary import texts
from notary.core.errors import LogForked, MalformedTrust, NotaryError
from notary.core.trust import MAX_TRUST_BYTES, Trust, parse_trust
from notary.following import StateUnusable, follow, read_state, write_state
from notary.outside.errors import BadAnswer, Unreachable
from notary.outside.notary import Notary
from notary.outside.web import Web
from notary.remembered import keep_fork

DONE, REFUSED, CANNOT = 0, 1, 2
CANT: Final = (Unreachable, BadAnswer, StateUnusable, MalformedTrust)
"""What says nothing about the log."""
FILE: Final = "checkpoint"
"""In the folder of the state: the note that was seen last, as `notary verify --since` takes it."""


def add_arguments(parser: ArgumentParser) -> None:
    """What `notary log` takes."""
    add = parser.add_argument
    add("what", choices=("follow",))
    add("url", help="the notary's address, such as https://notary.city.example")
    add("--trust", type=Path, required=True, help="the trust file, got by another way")
    add("--state", type=Path, required=True, help="the folder of what was seen last, and of proofs")


def run(arguments: Namespace, env: Mapping[str, str]) -> int:
    """Follow the log by one step; the exit code."""
    language = texts.choose(env.get("LC_ALL") or env.get("LANG"))
    try:
        return _follow(arguments, env, language)
    except LogForked as error:
        return _forked(arguments.state, error, language)
    except NotaryError as error:
        why = _text(language, f"error.{error.code}", **error.facts)
        said = why if isinstance(error, CANT) else _text(language, "follow.refused", why=why)
        print(said, file=sys.stderr)
        return CANNOT if isinstance(error, CANT) else REFUSED


def _follow(arguments: Namespace, env: Mapping[str, str], language: str) -> int:
    trust, file = _read_trust(arguments.trust), arguments.state / FILE
    seen = read_state(file)
    ca_file = Path(env["NOTARY_CA_FILE"]) if env.get("NOTARY_CA_FILE") else None
    found = follow(Notary(Web(arguments.url, ca_file)), trust, seen)
    checkpoint = found.newest.checkpoint
    if found.how != "went-back" and found.note != seen:
        write_state(file, found.note, seen)
    facts = {"origin": checkpoint.origin, "size": checkpoint.size, "before": found.before}
    said = _text(language, f"follow.{found.how}", path=file, **facts)
    print(said, file=sys.stderr if found.how == "went-back" else sys.stdout)
    return REFUSED if found.how == "went-back" else DONE


def _forked(folder: Path, error: LogForked, language: str) -> int:
    """Keep the proof beside the state; where that can't be, it is printed."""
    said = _text(language, f"error.{error.code}", **error.facts)
    try:
        path = keep_fork(error.fork, None, folder)
        said += " " + _text(language, "verify.fork-file", path=path)
    except OSError as fault:
        said += " " + _text(language, "verify.fork-unwritten", why=fault.strerror or "no place")
        print(error.fork)
    print(said, file=sys.stderr)
    return REFUSED


def _read_trust(path: Path) -> Trust:
    try:
        with path.open("rb") as file:
            return parse_trust(file.read(MAX_TRUST_BYTES + 2).decode())
    except ValueError:
        raise MalformedTrust("It is not UTF-8, or its name is none of a file.") from None


def _text(language: str, code: str, /, **facts: object) -> str:
    """A sentence with nothing in it that a terminal would take for a command."""
    return texts.printable(texts.text(language, code, **facts))
