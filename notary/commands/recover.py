# SPDX-License-Identifier: Apache-2.0
"""`notary recover`: what an older database lacks, and how the log goes on."""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from pathlib import Path

from notary.commands.recover_helpers import Mirror, MonitorState, Witness
from notary.core.errors import NotaryError
from notary.core.recovery import Recovery
from notary.keys import KeyRing
from notary.usecases.other_keys import rename_keys
from notary.usecases.recover import Plan, carry_out, finish, make_plan
from notary.usecases.recover_again import take_again, tell
from notary.usecases.recover_look import Helper
from notary.wiring import Parts, clock


def add_arguments(parser: ArgumentParser) -> None:
    """What `notary recover` takes."""
    parser.add_argument(
        "--mirror",
        action="append",
        default=[],
        metavar="URL",
        help="who has a copy of the log: a notary, or any C2SP tlog-tiles",
    )
    parser.add_argument(
        "--monitor",
        action="append",
        default=[],
        type=Path,
        metavar="FOLDER",
        help="the state of a `notary monitor` that followed the log",
    )
    parser.add_argument(
        "--witness",
        action="append",
        default=[],
        metavar="URL",
        help="a witness that cosigned it (C2SP tlog-witness)",
    )
    parser.add_argument(
        "--new-origin", metavar="NAME", help="the log that goes on where this one has to be closed"
    )
    parser.add_argument("--yes", action="store_true", help="do it, after you read what it says")


def run(arguments: Namespace, parts: Parts) -> int:
    """Look, say it, and with --yes do it. 1 where there is something to do and it wasn't done."""
    ring = KeyRing(parts.settings.state)
    if arguments.yes and finish(parts.pool, parts.marks, ring) is not None:
        print("A recovery that was begun goes on.")
    helpers, is_open = _helpers(arguments), _is_open(parts)
    if is_open and not helpers:
        return _end(parts, sure=arguments.yes)
    plan = make_plan(parts.pool, parts.marks, parts.ledgers, helpers, clock())
    if is_open and plan.gap.lost == 0:
        # Where mark and ledger were set back with the database, only others know more.
        return _end(parts, sure=arguments.yes)
    print("\n".join(_say(plan)))
    if not arguments.yes:
        print("Nothing was changed. With --yes it is done.")
        return 1
    done = carry_out(parts.pool, parts.marks, ring, plan, arguments.new_origin, clock())
    print("\n".join(_done(done)))
    return _end(parts, sure=True)


def _is_open(parts: Parts) -> bool:
    try:
        parts.gate.open()
    except NotaryError:
        return False
    return True


def _end(parts: Parts, *, sure: bool) -> int:
    """Step 3: the record, and what was set aside."""
    with parts.pool.transaction(read_only=True) as tx:
        recoveries = tx.maps("list_recoveries")
        aside = tx.rows("count_aside")[0][0]
    if not recoveries:
        print("Nothing is to be recovered: the database is the one that the notary left.")
        return 0
    if not sure:
        print(f"The log was recovered; {aside} records wait to be accepted again: add --yes.")
        return int(aside > 0)
    rename_keys(parts.settings, parts.gate.open().origin)
    acceptor = parts.acceptor()
    for place in tell(parts.pool, acceptor, clock()):
        print(f"Record {place} tells of it, to everybody.")
    taken = take_again(parts.pool, acceptor, parts.instance_secret(), clock())
    if aside:
        print(f"{taken} records that had been accepted and not sealed were accepted again.")
    print("The notary is open. Start its processes, and publish `notary trust` anew.")
    return 0


def _say(plan: Plan) -> Iterator[str]:
    gap = plan.gap
    yield f"The log {gap.origin} has {gap.size} batches in this database."
    for one in gap.known:
        yield f"{one.who[0].upper()}{one.who[1:]} knows its size {one.size}."
    yield from gap.unheard
    records, versions = gap.waiting
    if gap.lost == 0:
        yield (
            "No batch is lost. Records that were accepted after this state and never sealed are, "
            "if there were any: nobody can say how many."
        )
    else:
        yield (
            f"{gap.lost} batches are lost, numbers {gap.size} to {gap.newest.size - 1} of the log: "
            "what their records said is gone, and so are their receipts, except where somebody "
            "has them."
        )
    if plan.found is not None:
        yield from _say_found(plan)
    if records or versions:
        yield (
            f"{records} records and {versions} versions were accepted and not sealed when the "
            "database was in this state."
            + (" The records are accepted again, at new places." if gap.lost else "")
        )
    if plan.is_closed:
        yield (
            f"The lost batches were found nowhere: the log {gap.origin} is closed, and another "
            "one goes on (--new-origin) that begins with what is here."
        )
    yield "From here on each source begins a new chain at n = 0."


def _say_found(plan: Plan) -> Iterator[str]:
    assert plan.found is not None
    counts: dict[str, list[int]] = {}
    for batch in plan.found.batches:
        told = counts.setdefault(batch.descriptor.dataset, [0, 0])
        told[0] += 1
        told[1] += batch.descriptor.count
    yield f"{plan.found.who} has all of them: they are put back, and the log goes on as itself."
    for dataset, (batches, leaves) in sorted(counts.items()):
        yield f"  {dataset}: {batches} batches with {leaves} records or rows"
    bare = sum(
        batch.run_list is None and batch.descriptor.kind == "records"
        for batch in plan.found.batches
    )
    if bare:
        yield f"Of {bare} batches nobody had the run list: what lay where in them is lost, too."


def _done(done: Recovery) -> Iterator[str]:
    if done.is_closed:
        yield f"The log {done.origin} is closed at size {done.size}; {done.goes_on} goes on."
    else:
        yield f"The log {done.origin} goes on with {max(done.kept, done.size)} batches."
    yield f"Records join chain {done.chain} now."


def _helpers(arguments: Namespace) -> Sequence[Helper]:
    mirrors: list[Helper] = [Mirror(url) for url in arguments.mirror]
    monitors: list[Helper] = [MonitorState(folder) for folder in arguments.monitor]
    return [*mirrors, *monitors, *(Witness(url) for url in arguments.witness)]
