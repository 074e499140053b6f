# SPDX-License-Identifier: Apache-2.0
"""
`notary`: every command.

Exit 0 when it was done, 1 when what was looked at doesn't hold (`verify`, `audit`), 2 when
it could not be done; then one sentence on standard error says why. 130 after Ctrl-C.
"""

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from notary.core.errors import NotaryError

CANNOT = 2
STOPPED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; what it needs is imported only then."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments[:1] == ["verify"]:
        return _verify(arguments[1:])
    chosen = _parser().parse_args(arguments)
    run: Callable[[argparse.Namespace], int] = chosen.run
    try:
        return run(chosen)
    except NotaryError as error:
        print(f"notary: {error.detail}", file=sys.stderr)
        return CANNOT
    except BrokenPipeError:
        # Whoever read our output has seen enough; nothing is to be said to a closed pipe.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return CANNOT
    except OSError as error:
        print(f"notary: {error.strerror}: {error.filename}", file=sys.stderr)
        return CANNOT
    except KeyboardInterrupt:
        return STOPPED


def _verify(arguments: Sequence[str]) -> int:
    """`notary verify`, with all that reads the evidence of ledgers, or asks them."""
    from notary.core.receipt_ledgers import Checker
    from notary.core.trust import LedgerTrust
    from notary.evidence import checkers
    from notary.verifier.command import main as verify

    def go_online(asked: Sequence[str], of: Sequence[LedgerTrust]) -> Mapping[str, Checker]:
        from notary.evidence.online import online_checkers

        ca_file = os.environ.get("NOTARY_CA_FILE")
        return online_checkers(asked, of, Path(ca_file) if ca_file else None)

    language = os.environ.get("LC_ALL") or os.environ.get("LANG", "")
    return verify(arguments, language, checkers=checkers(), go_online=go_online)


def _parser() -> argparse.ArgumentParser:
    from iot_simulator.command import add_arguments as add_simulate_arguments
    from notary.commands import each, rights
    from notary.commands.anchors import add_arguments as add_anchor_arguments
    from notary.commands.erase import add_arguments as add_erase_arguments
    from notary.commands.keys import add_log_key_arguments, add_other_key_arguments
    from notary.commands.recover import add_arguments as add_recover_arguments
    from notary.commands.sources import add_arguments as add_source_arguments
    from notary.log_commands import add_arguments as add_log_arguments
    from notary.monitor.command import add_arguments as add_monitor_arguments
    from notary.publishing.command import add_arguments as add_publish_arguments
    from notary.receipt_commands import add_arguments as add_receipt_arguments
    from notary.witness.command import add_arguments as add_witness_arguments

    parser = argparse.ArgumentParser(prog="notary", description="A notary for shared city data.")
    sub = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(
        name: str, run: Callable[[argparse.Namespace], int], help_: str
    ) -> argparse.ArgumentParser:
        added = sub.add_parser(name, help=help_, description=help_)
        added.set_defaults(run=run)
        return added

    command("init", each.init, "make keys and a new log, on purpose").add_argument(
        "--origin", required=True, help="name of the log, such as notary.city.example/log"
    )
    add_log_key_arguments(
        command("log-keys", each.log_keys, "which keys sign the log, and a new one in time")
    )
    add_other_key_arguments(
        command("other-keys", each.other_keys, "the keys of acceptances and COSE receipts")
    )
    add_recover_arguments(
        command("recover", each.recover, "go on after an older database was restored")
    )
    command("migrate", each.migrate, "bring the database to the newest shape")
    command("adopt", each.adopt, "tie the mark to a database that was moved").add_argument(
        "--nothing-is-missing",
        action="store_true",
        required=True,
        help="you vouch that nothing accepted is missing from it",
    )
    rights.add_department_arguments(
        command("departments", each.departments, "whose datasets and API keys there are")
    )
    rights.add_key_arguments(command("keys", each.keys, "API keys: what each may do, for how long"))
    rights.add_dataset_arguments(
        command("datasets", each.datasets, "all datasets, whoever owns them")
    )
    rights.add_grant_arguments(
        command("grants", each.grants, "what departments may read of each other's datasets")
    )
    add_erase_arguments(
        command("erase", each.erase, "erase a record's or a version's content, on an order")
    )
    add_source_arguments(
        command("sources", each.sources, "who may send to a dataset, and by which keys")
    )
    gaps = command("gaps", each.gaps, "what a source didn't send: missing numbers, silence")
    gaps.add_argument("dataset")
    gaps.add_argument("source", nargs="?", help="without it every source")
    gaps.add_argument("--seconds", type=int, help="the interval at which it should send")
    gaps.add_argument("--since", help="only from this time on, such as 2026-11-24T00:00:00Z")
    quarantine = command("quarantine", each.quarantine, "what could not become a record")
    quarantine.add_argument("what", choices=("list", "show", "redrive", "drop"))
    quarantine.add_argument("ids", nargs="*", type=int, metavar="ID")
    for name in ("feed", "topic", "reason"):
        quarantine.add_argument(f"--{name}", help=f"only what has this {name}")
    quarantine.add_argument("--yes", action="store_true", help="drop: really, for good")
    add_publish_arguments(
        command("publish", each.publish, "hand in a file over HTTP and keep its proof beside it")
    )
    add_receipt_arguments(
        command("receipt", each.receipt, "a receipt in another program's format, and back")
    )
    add_log_arguments(
        command("log", each.log, "see that a notary's log only grew since one looked last")
    )
    command("trust", each.trust, "print the trust file")
    command("audit", each.audit, "recompute everything and compare").add_argument(
        "--scope", action="store_true", help="list every column, covered or not and why"
    )
    add_anchor_arguments(
        command("anchors", each.anchors, "what is on which ledger, and whether it still holds")
    )
    config = command(
        "config", each.config, "show the settings without secrets, or check them and the feeds"
    )
    config.add_argument("what", choices=("show", "check"))
    config.add_argument("file", nargs="?", type=Path, help="check: this file of feeds alone")
    command("verify", each.unreachable, "check a receipt or a window offline")
    command("web", each.web, "serve the API and the pages")
    command("ingest", each.ingest, "take in readings from the brokers").add_argument(
        "--check", action="store_true", help="only see whether the process of this id gets on"
    )
    command("sealer", each.sealer, "seal, sign and anchor")
    add_witness_arguments(
        command("witness", each.witness, "be a witness that cosigns the checkpoints of logs")
    )
    add_monitor_arguments(
        command("monitor", each.monitor, "follow the log of any notary, as an outsider")
    )
    add_simulate_arguments(
        command("simulate", each.simulate, "be gateways that send made-up readings")
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
