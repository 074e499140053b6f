# SPDX-License-Identifier: Apache-2.0
"""`notary departments`, `keys`, `datasets`, `grants`: whose they are, and who may do what."""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from datetime import timedelta

from notary.core.errors import MalformedText
from notary.core.policy import format_keep
from notary.core.words import format_time
from notary.usecases import api_keys, datasets, departments, sharing
from notary.usecases.rights import DAILY_SCOPES, SCOPES, NotFound
from notary.usecases.source_files import parse_moment
from notary.wiring import Parts, clock

PAGE = 500
OVERLAP_HOURS = 24
_WORDS = ("label", "licence", "catalogue", "sharing", "classification", "update_cycle")


def add_department_arguments(parser: ArgumentParser) -> None:
    """What `notary departments` takes."""
    parser.add_argument("what", choices=("add", "list", "close"))
    parser.add_argument("id", nargs="?")
    parser.add_argument("--name", help="add: the name for people")


def add_key_arguments(parser: ArgumentParser) -> None:
    """What `notary keys` takes."""
    parser.add_argument("what", choices=("add", "list", "rotate", "revoke"))
    parser.add_argument("name", nargs="?", help="add: a department; rotate, revoke: a key's id")
    parser.add_argument(
        "--scope",
        action="append",
        choices=SCOPES,
        help=f"add: what it may do, once for each; {', '.join(DAILY_SCOPES)} unless said",
    )
    parser.add_argument("--dataset", action="append", help="add: only for this one, and others so")
    parser.add_argument(
        "--days", type=int, default=api_keys.YEAR_DAYS, help="add: how long it is valid"
    )
    parser.add_argument(
        "--overlap",
        type=int,
        default=OVERLAP_HOURS,
        metavar="HOURS",
        help=f"rotate: the old key ends then; {OVERLAP_HOURS} unless set",
    )


def add_dataset_arguments(parser: ArgumentParser) -> None:
    """What `notary datasets` takes."""
    parser.add_argument("what", choices=("list", "set"))
    parser.add_argument("dataset", nargs="?")
    for word in _WORDS:
        parser.add_argument(f"--{word.replace('_', '-')}", help="set: this; '' takes it back")
    parser.add_argument("--keep", help="set: for how long content stays: all, none or N days")


def add_grant_arguments(parser: ArgumentParser) -> None:
    """What `notary grants` takes."""
    parser.add_argument("what", choices=("add", "list", "withdraw"))
    parser.add_argument("dataset")
    parser.add_argument("id", nargs="?", help="withdraw: the grant's id")
    parser.add_argument("--to", help="add: the department that may read then")
    parser.add_argument("--purpose", help="add: what for")
    parser.add_argument("--approval", help="add: the number of the approval")
    parser.add_argument("--version", type=int, help="add: this version alone")
    parser.add_argument("--until", help="add: the end, such as 2027-01-01T00:00:00Z")


def run_departments(arguments: Namespace, parts: Parts) -> int:
    """Add, list or close departments."""
    if arguments.what == "list":
        after = ""
        while rows := departments.list_departments(parts.pool, after, PAGE):
            for row in rows:
                state = "closed" if row["closed_at"] else "open"
                print(f"{row['id']}  {state:6}  {row['name']}")
            after = rows[-1]["id"]
    elif arguments.id is None:
        raise MalformedText(f"notary departments {arguments.what} needs a department's id.")
    elif arguments.what == "close":
        departments.close_department(parts.pool, arguments.id, clock())
    elif arguments.name is None:
        raise MalformedText("notary departments add needs --name, the name for people.")
    else:
        departments.add_department(parts.pool, arguments.id, arguments.name, clock())
    return 0


def run_keys(arguments: Namespace, parts: Parts) -> int:
    """Make, list, rotate or revoke keys. A new one is printed once, on standard output."""
    if arguments.what != "list" and arguments.name is None:
        raise MalformedText(f"notary keys {arguments.what} needs a name.")
    _KEY_COMMANDS[arguments.what](arguments, parts)
    return 0


def _add_key(arguments: Namespace, parts: Parts) -> None:
    new = api_keys.NewKey(
        arguments.name,
        arguments.scope or DAILY_SCOPES,
        arguments.dataset or (),
        arguments.days,
    )
    _hand_out(api_keys.add_key(parts.pool, new, clock()))


def _rotate_key(arguments: Namespace, parts: Parts) -> None:
    overlap = timedelta(hours=min(max(arguments.overlap, -1), api_keys.MAX_OVERLAP_HOURS + 1))
    _hand_out(api_keys.rotate_key(parts.pool, arguments.name, overlap, clock()))


def _revoke_key(arguments: Namespace, parts: Parts) -> None:
    api_keys.revoke_key(parts.pool, arguments.name, clock())


def _list_keys(arguments: Namespace, parts: Parts) -> None:
    after, now = "", clock()
    while rows := api_keys.list_keys(parts.pool, after, PAGE):
        for row in rows:
            ended = "expired" if row["expires_at"] <= now else "valid"
            state = "revoked" if row["revoked_at"] else ended
            used = format_time(row["used_at"]) if row["used_at"] else "never"
            only = "" if row["datasets"] is None else f"  only {','.join(row['datasets'])}"
            print(
                f"{row['id']}  {state:8}  {row['department']}  {','.join(row['scopes'])}  "
                f"until {format_time(row['expires_at'])}  used {used}{only}"
            )
        after = rows[-1]["id"]


_KEY_COMMANDS: dict[str, Callable[[Namespace, Parts], None]] = {
    "add": _add_key,
    "list": _list_keys,
    "rotate": _rotate_key,
    "revoke": _revoke_key,
}


def run_grants(arguments: Namespace, parts: Parts) -> int:
    """Grant, list or withdraw, as the operator; each a record as if its owner had done it."""
    found = datasets.list_all_datasets(parts.pool)
    facts = next((one for one in found if one.name == arguments.dataset), None)
    if facts is None:
        raise NotFound(f"There is no dataset {arguments.dataset} here.")
    if arguments.what == "list":
        _list_grants(parts, facts)
        return 0
    sharer = sharing.Sharer(parts.pool, parts.acceptor())
    if arguments.what == "withdraw":
        if arguments.id is None:
            raise MalformedText("notary grants withdraw needs the grant's id.")
        sharer.withdraw(facts, arguments.id, None, clock())
        return 0
    if None in (arguments.to, arguments.purpose, arguments.approval):
        raise MalformedText("notary grants add needs --to, --purpose and --approval.")
    until = None if arguments.until is None else parse_moment(arguments.until)
    new = sharing.NewGrant(
        arguments.to, arguments.purpose, arguments.approval, arguments.version, until
    )
    print(sharer.grant(facts, new, None, clock()))
    return 0


def _list_grants(parts: Parts, facts: datasets.DatasetFacts) -> None:
    after, now = "", clock()
    while rows := sharing.list_grants(parts.pool, facts, None, after, PAGE):
        for row in rows:
            ended = row["until"] is not None and row["until"] <= now
            state = "withdrawn" if row["withdrawn_at"] else "ended" if ended else "holds"
            what = "" if row["version"] is None else f"  version {row['version']}"
            print(
                f"{row['id']}  {state:9}  {row['department']}{what}  {row['approval']}  "
                f"{row['purpose']}"
            )
        after = rows[-1]["id"]


def run_datasets(arguments: Namespace, parts: Parts) -> int:
    """All datasets of this notary, for its operator: owner and label too; or describe one."""
    found = datasets.list_all_datasets(parts.pool)
    if arguments.what == "set":
        facts = next((one for one in found if one.name == arguments.dataset), None)
        if facts is None:
            raise NotFound(f"There is no dataset {arguments.dataset} here.")
        given = {word: getattr(arguments, word) for word in _WORDS}
        said = {word: text or None for word, text in given.items() if text is not None}
        if arguments.keep is not None:
            said["keep"] = arguments.keep
        datasets.describe_dataset(parts.pool, facts, said)
        return 0
    for one in found:
        kind = "open  " if one.is_open else "closed"
        print(
            f"{one.name}  {kind}  {one.batch_count} batches  {one.owner}  {one.sharing}"
            f"  keeps {format_keep(one.keep_days)}"
            f"  {one.label}"
        )
    return 0


def _hand_out(key: str) -> None:
    print(key)
    print("This key is shown only now.", file=sys.stderr)
