# SPDX-License-Identifier: Apache-2.0
"""`notary witness`: be the other party that cosigns a log's checkpoints."""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Final

from notary.core.errors import MalformedNote, MalformedTrust
from notary.core.note import KIND_ED25519, parse_vkey
from notary.core.trust import LogKey, parse_trust
from notary.core.words import format_time
from notary.witness.errors import WitnessRefused
from notary.witness.state import MAX_KEYS, Evidence, State

FOLDER: Final = "var/witness"
PORT: Final = 8461


def add_arguments(parser: ArgumentParser) -> None:
    """What `notary witness` takes."""
    sub = parser.add_subparsers(required=True, dest="what", metavar="WHAT")

    def what(name: str, help_: str) -> ArgumentParser:
        added = sub.add_parser(name, help=help_, description=help_)
        added.add_argument(
            "--state", type=Path, default=Path(FOLDER), help=f"its folder, {FOLDER} unless set"
        )
        return added

    what("init", "make a witness: its key and its state").add_argument(
        "--name", required=True, help="whose witness it is, such as witness.newspaper.example"
    )
    what("add-log", "cosign a log's checkpoints from now on").add_argument(
        "key", metavar="VKEY_OR_TRUST_FILE", help="the log's key, or the notary's trust file"
    )
    run_ = what("run", "serve, on loopback unless told otherwise")
    run_.add_argument("--host", default="127.0.0.1")
    run_.add_argument("--port", type=int, default=PORT)
    what("show", "the witness, its logs, and what it caught; 1 when it caught something")


def run(arguments: Namespace, clock: Callable[[], datetime]) -> int:
    """Do one of the four."""
    if arguments.what == "init":
        state = State.make(arguments.state, arguments.name)
        print(state.cosigner.verifier.vkey)
        return 0
    state = State.open(arguments.state)
    if arguments.what == "add-log":
        for line in add_log(state, arguments.key):
            print(line)
        return 0
    if arguments.what == "show":
        return show(state)
    from notary.witness.server import Server

    if not 0 < arguments.port < 65_536:
        raise WitnessRefused("A port lies between 1 and 65535.")
    host = f"[{arguments.host}]" if ":" in arguments.host else arguments.host
    Server(state, f"{host}:{arguments.port}", clock).run()
    return 0


def add_log(state: State, given: str) -> Iterator[str]:
    """
    Know the key, or all log keys of the trust file; a line for each.

    Raises:
        WitnessRefused: it is neither, or too many.
    """
    keys = read_keys(given)
    add_keys(state, keys)
    for key in keys:
        yield f"{key.verifier.name}  fingerprint {key.verifier.fingerprint}  {_sizes(key)}"


def add_keys(state: State, keys: Sequence[LogKey]) -> None:
    """Know these keys, all or none. Raises WitnessRefused."""
    with state.turn() as turn:
        for key in keys:
            if key.verifier.public_key == state.cosigner.verifier.public_key:
                raise WitnessRefused("That is the witness's own key: nobody confirms themselves.")
            turn.put_key(key)
            if len(turn.keys(key.verifier.name)) > MAX_KEYS:
                raise WitnessRefused(f"Of one log at most {MAX_KEYS} keys are known.")


def read_keys(given: str) -> list[LogKey]:
    """The log keys of a trust file, or the one that is given as text. Raises WitnessRefused."""
    file = Path(given)
    try:
        if "+" not in given or file.exists():
            return list(parse_trust(file.read_text(encoding="utf-8")).logs)
        verifier = parse_vkey(given)
    except MalformedTrust as error:
        raise WitnessRefused(f"{file} is no trust file: {error.detail}") from None
    except MalformedNote as error:
        raise WitnessRefused(f"That is no key of a log: {error.detail}.") from None
    except UnicodeDecodeError:
        raise WitnessRefused(f"{file} is no trust file: it isn't text.") from None
    if verifier.kind != KIND_ED25519:
        raise WitnessRefused("That is the key of a witness, not of a log.")
    return [LogKey(verifier, 0, None)]


def show(state: State) -> int:
    """1 when a log was caught."""
    verifier = state.cosigner.verifier
    print(f"witness {verifier.name}\n  {verifier.vkey}")
    caught = 0
    with state.look() as look:
        origins = look.origins()
        for origin in origins:
            head, evidence = look.head(origin), look.evidence(origin)
            print(f"log {origin}\n  {origin_address(origin)}")
            for key in look.keys(origin):
                print(f"  key with fingerprint {key.verifier.fingerprint}, {_sizes(key)}")
            if head is None:
                print("  nothing cosigned yet")
            else:
                print(f"  size {head.size}, root {head.root.hex()}, cosigned {_time(head.time)}")
            for line in _caught(state, evidence):
                print(line)
            caught += len(evidence)
    if not origins:
        print("no log yet: notary witness add-log")
    return int(caught > 0)


def origin_address(origin: str) -> str:
    """Where this witness hands out what it cosigned last of a log."""
    return f"/{sha256(origin.encode()).hexdigest()}/checkpoint"


def _caught(state: State, evidence: list[Evidence]) -> Iterator[str]:
    """Each proof, written to a file of its own beside the state."""
    for one in evidence:
        file = state.folder / f"fork-{one.id}.json"
        file.write_text(one.fork, encoding="utf-8")
        yield (
            f"  FORKED, seen {_time(one.time)}: this log signed two states that no log can have "
            f"both.\n  The proof, for anybody: {file}"
        )


def _sizes(key: LogKey) -> str:
    to = "on" if key.last_size is None else f"to {key.last_size}"
    return f"sizes from {key.first_size} {to}"


def _time(seconds: int) -> str:
    return format_time(datetime.fromtimestamp(seconds, UTC))
