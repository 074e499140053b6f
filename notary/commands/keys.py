# SPDX-License-Identifier: Apache-2.0
"""`notary log-keys` and `other-keys`: which keys sign, and how one takes another's place."""

from argparse import ArgumentParser, Namespace

from notary.core.errors import MalformedText
from notary.core.trust import LogKey
from notary.keys import KeyRing, load_key
from notary.usecases import log_keys
from notary.usecases.other_keys import USES, key_files, read_list, rotate_key
from notary.wiring import Parts


def add_log_key_arguments(parser: ArgumentParser) -> None:
    """What `notary log-keys` takes."""
    parser.add_argument("what", choices=("list", "rotate", "end", "compromised"))
    parser.add_argument("--key", metavar="ID", help="compromised: its id, as list shows it")
    parser.add_argument(
        "--good-size",
        type=int,
        metavar="N",
        help="compromised: the last size of the log that is its own beyond doubt",
    )


def add_other_key_arguments(parser: ArgumentParser) -> None:
    """What `notary other-keys` takes."""
    parser.add_argument("what", choices=("list", "rotate"))
    parser.add_argument("use", nargs="?", choices=tuple(USES), help="rotate: whose key")
    parser.add_argument(
        "--stolen", action="store_true", help="rotate: the old one is worth nothing"
    )


def run_log_keys(arguments: Namespace, parts: Parts) -> int:
    """List, rotate, end or give up."""
    ring = KeyRing(parts.settings.state)
    if arguments.what == "list":
        for number, key in enumerate(parts.marks.log_keys(), 1):
            print(f"{_told(key)}  {ring.path(number)}")
    elif arguments.what == "rotate":
        key, is_new = log_keys.rotate(parts.pool, parts.gate, parts.marks, ring)
        print("A new key signs" if is_new else "Two keys sign already; the newer one signs", end="")
        print(f" from size {key.first_size} on, beside the old one:\n{key.verifier.vkey}")
        print(
            "Publish `notary trust` anew now. Once everybody has it, `notary log-keys end` ends "
            "the old key."
        )
    elif arguments.what == "end":
        key, is_new = log_keys.end(parts.pool, parts.gate, parts.marks)
        ended = "ended" if is_new else "had ended before,"
        print(f"The key {_id(key)} {ended} with size {key.last_size}.")
        print("Publish `notary trust` anew, then destroy the old private key.")
    else:
        _give_up(arguments, parts, ring)
    return 0


def _give_up(arguments: Namespace, parts: Parts, ring: KeyRing) -> None:
    if arguments.good_size is None:
        raise MalformedText(
            "notary log-keys compromised needs --good-size, the last size of the log that is its "
            "own beyond doubt."
        )
    closed, new = log_keys.give_up(
        parts.pool, parts.gate, parts.marks, ring, arguments.key, arguments.good_size
    )
    root = closed.good.root.hex() if closed.good else ""
    print(
        f"The key {_id(closed)} is given up: its last good size is {closed.last_size}, root {root}."
    )
    print(f"From size {new.first_size} on signs:\n{new.verifier.vkey}")
    print(
        "Publish `notary trust` anew at once. Receipts under the old key are made anew with the "
        "way to its last good state; whoever has older ones asks for them again."
    )


def _id(key: LogKey) -> str:
    return key.verifier.key_id.hex()


def _told(key: LogKey) -> str:
    last = "" if key.last_size is None else f"{key.last_size}"
    state = "signs" if key.last_size is None else "ended"
    if key.good is not None:
        state = "given up"
    return f"{_id(key)}  {state:8}  {key.first_size}..{last}  {key.origin}"


def run_other_keys(arguments: Namespace, parts: Parts) -> int:
    """List, or rotate one."""
    settings = parts.settings
    if arguments.what == "list":
        for use in USES:
            for vkey in read_list(key_files(settings, use)[1]):
                print(f"{use}  {vkey}")
        return 0
    if arguments.use is None:
        raise MalformedText(f"notary other-keys rotate needs one of {', '.join(USES)}.")
    key_file, list_file = key_files(settings, arguments.use)
    name = load_key(key_file).name
    print(rotate_key(key_file, list_file, name, stolen=arguments.stolen).vkey)
    print("Start `notary web` and `notary ingest` anew, and publish `notary trust` anew.")
    return 0
