# SPDX-License-Identifier: Apache-2.0
"""`notary erase`: the content of a record or a version goes, on an order, for good."""

import sys
from argparse import ArgumentParser, Namespace

from notary.core.errors import MalformedText
from notary.core.words import format_time
from notary.texts import catalogue
from notary.usecases.datasets import DatasetFacts, list_all_datasets
from notary.usecases.erase import Order, RecordPlace, VersionPlace, what_remains
from notary.usecases.rights import NotFound
from notary.wiring import Parts, clock

SURE = "erase"


def add_arguments(parser: ArgumentParser) -> None:
    """What `notary erase` takes."""
    parser.add_argument("dataset")
    parser.add_argument("--source", help="of the record")
    parser.add_argument("--n", type=int, help="of the record")
    parser.add_argument("--chain", type=int, help="of the record; the current one unless set")
    parser.add_argument("--version", type=int, help="a version instead of a record")
    parser.add_argument("--order", required=True, help="who ordered it: a letter, a judgement")
    parser.add_argument("--ground", required=True, help="the legal ground, told in receipts")
    parser.add_argument("--by", required=True, metavar="NAME", help="the name of who does it")
    parser.add_argument("--yes", action="store_true", help="really, for good, without asking")


def run(arguments: Namespace, parts: Parts) -> int:
    """Say what stays, ask, erase, and say which record tells of it."""
    dataset = _dataset(parts, arguments.dataset)
    what = _what(arguments)
    eraser = parts.eraser(parts.acceptor())
    remains = what_remains(dataset, eraser.look(dataset, what))
    for word in remains:
        print(catalogue("en")[f"remains.{word}"], file=sys.stderr)
    _ask(sure=arguments.yes)
    order = Order(arguments.order, arguments.ground, arguments.by)
    done = eraser.erase(dataset, what, order, None, clock())
    names = (done[f"told_{name}"] for name in ("dataset", "source", "chain", "n"))
    said = "Erased" if done["is_new"] else "It was erased before,"
    print(
        f"{said} {format_time(done['erased_at'])}; record {'/'.join(map(str, names))} tells of it."
    )
    return 0


def _dataset(parts: Parts, name: str) -> DatasetFacts:
    for one in list_all_datasets(parts.pool):
        if one.name == name:
            return one
    raise NotFound(f"There is no dataset {name} here.")


def _what(arguments: Namespace) -> RecordPlace | VersionPlace:
    of_record = (arguments.source, arguments.n)
    if arguments.version is not None and (*of_record, arguments.chain) == (None, None, None):
        return VersionPlace(arguments.version)
    if arguments.version is None and None not in of_record:
        return RecordPlace(arguments.source, arguments.n, arguments.chain)
    raise MalformedText("Say what to erase: --source and --n, or --version.")


def _ask(*, sure: bool) -> None:
    if sure:
        return
    if not sys.stdin.isatty():
        raise MalformedText("What is erased is gone for good: add --yes.")
    print(
        f'It is gone for good then. Type "{SURE}" to go on: ', end="", file=sys.stderr, flush=True
    )
    if sys.stdin.readline().strip() != SURE:
        raise MalformedText("Nothing was erased.")
