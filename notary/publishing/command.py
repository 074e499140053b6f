# SPDX-License-Identifier: Apache-2.0
"""`notary publish`: its options, and its steps in their order."""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from notary import texts
from notary.core.errors import NotaryError
from notary.publishing import beside, deliver, proof
from notary.publishing.access import read_access
from notary.publishing.deliver import Correction, Place
from notary.publishing.errors import PublishRefused
from notary.publishing.local_file import LocalFile, look, pieces, resource, size_of
from notary.publishing.server import Server
from notary.publishing.voice import Voice

DONE: Final = 0
CANNOT: Final = 2
STOPPED: Final = 130
MAX_REASON_CHARACTERS: Final = 500


def add_arguments(parser: ArgumentParser) -> None:
    """What `notary publish` takes."""
    add = parser.add_argument
    add("file", type=Path)
    add("--dataset", help="where to; else the only one that the key may write to, or it asks")
    add("--corrects", type=int, metavar="N", help="the version that this one corrects")
    add("--reason", metavar="TEXT", help="why; with --corrects")
    add("--package", action="store_true", help="write datapackage.json beside the file")
    add("--manifest", action="store_true", help="write manifest-sha256.txt beside it")
    add("--without-rows", action="store_true", help="take a table as it is, without its rows")
    add("--until", choices=("signed", "anchored"), default="anchored", help="wait so long")
    add("--no-wait", action="store_true", help="don't wait for the receipt")
    add("--patience", type=float, default=300.0, metavar="SECONDS", help="without any answer: end")
    add("--allow-http", action="store_true", help="send the key without TLS; not only to loopback")


def run(arguments: Namespace, env: Mapping[str, str]) -> int:
    """Publish a file; the exit code."""
    voice = Voice(texts.choose(env.get("LC_ALL") or env.get("LANG")))
    try:
        _publish(arguments, env, voice)
    except NotaryError as error:
        why = voice.text(f"error.{error.code}", **error.facts)
        voice.warn("publish.failed", why=why)
        return CANNOT
    except KeyboardInterrupt:
        voice.warn("publish.stopped")
        return STOPPED
    return DONE


def _publish(arguments: Namespace, env: Mapping[str, str], voice: Voice) -> None:
    correction = _correction(arguments)
    access = read_access(env, allow_http=arguments.allow_http)
    server = Server(access, voice.language, arguments.patience, voice.warn)
    size = size_of(arguments.file)
    # A wrong key or too large a file is told before gigabytes are read.
    places, most = deliver.find_places(server)
    if size > most:
        raise PublishRefused("larger", size=f"{size:,}", most=f"{most:,}")
    ask = partial(_ask_place, voice) if sys.stdin.isatty() and sys.stderr.isatty() else None
    place = deliver.choose_place(places, arguments.dataset, ask)
    voice.say("publish.to", dataset=place.id, label=place.label)
    reading = partial(voice.progress, "publish.reading")
    local = look(arguments.file, rows=not arguments.without_rows, progress=reading)
    _tell_file(voice, local)
    if local.is_package and (arguments.package or correction is not None):
        raise PublishRefused("package-options")
    steps = _send(server, local, place, correction, voice)
    _write_lists(arguments, local, voice)
    if arguments.no_wait:
        voice.say("publish.no-wait")
        return
    for step in steps:
        _fetch_proof(server, local, place, step, arguments.until, voice)


def _correction(arguments: Namespace) -> Correction | None:
    number, reason = arguments.corrects, arguments.reason
    if (number is None) != (reason is None):
        raise PublishRefused("half-correction")
    if number is None:
        return None
    if number < 1 or not (1 <= len(reason) <= MAX_REASON_CHARACTERS and reason.isprintable()):
        raise PublishRefused("bad-correction", most=MAX_REASON_CHARACTERS)
    return Correction(number, reason)


def _tell_file(voice: Voice, local: LocalFile) -> None:
    kind = voice.text(f"filetype.{local.type.kind}", type=local.type.type)
    voice.say("publish.file", name=local.name, size=f"{local.size_bytes:,}", kind=kind)
    if local.rows is not None:
        what = "publish.rows-csv" if local.type.kind == "csv" else "publish.rows"
        voice.say(what, rows=f"{local.rows:,}")
    voice.say("publish.digest", digest=local.digest.hex())


def _ask_place(voice: Voice, places: Sequence[Place]) -> int | None:
    """Ask at the terminal; None: nothing usable was answered."""
    for number, place in enumerate(places, 1):
        voice.warn("publish.place", number=number, dataset=place.id, label=place.label)
    said = voice.ask("publish.which", most=len(places))
    if said.isascii() and said.isdigit() and 1 <= int(said[:9]) <= len(places):
        return int(said) - 1
    return next((n for n, place in enumerate(places) if place.id == said), None)


def _send(
    server: Server, local: LocalFile, place: Place, correction: Correction | None, voice: Voice
) -> list[Mapping[str, Any]]:
    """The versions that were made, the file's own first."""
    sending = partial(voice.progress, "publish.sending")
    if not local.is_package:
        told = deliver.send_file(server, local, place, correction, sending)
        _tell_version(voice, told)
        return [told]
    steps = deliver.send_package(server, local, place, sending, partial(_tell_version, voice))
    return [step for step in steps if "version" in step]


def _tell_version(voice: Voice, step: Mapping[str, Any]) -> None:
    """What became of the file, or of one resource of a package."""
    name = str(step.get("resource") or step.get("path") or step.get("number", ""))
    if "version" not in step:
        voice.warn("publish.resource-refused", name=name, why=str(step.get("detail")))
        return
    facts = {"dataset": step["dataset"], "version": step["version"], "name": name}
    code = "publish.there" if step.get("duplicate") else "publish.made"
    voice.say(f"{code}-resource" if "resource" in step else code, **facts)
    if "rows_refused" in step:
        voice.warn("publish.rows-refused", name=name, why=str(step["rows_refused"]))
    declared = step.get("hash")
    if isinstance(declared, dict) and declared.get("result") in ("differs", "git-blob-id"):
        voice.warn("publish.declared-hash", name=name)


def _write_lists(arguments: Namespace, local: LocalFile, voice: Voice) -> None:
    for wanted, write in (
        (arguments.package, beside.write_package),
        (arguments.manifest, beside.write_manifest),
    ):
        if wanted:
            path, is_ours = write(local)
            tell = voice.say if is_ours else voice.warn
            tell("publish.wrote" if is_ours else "publish.left", path=path, name=local.name)


def _fetch_proof(
    server: Server,
    local: LocalFile,
    place: Place,
    step: Mapping[str, Any],
    until: str,
    voice: Voice,
) -> None:
    """Wait for the receipt of the file, or of a resource in it, and put it beside the file."""
    dataset, version = str(step["dataset"]), int(step["version"])

    def reached(state: str) -> None:
        voice.say(
            "publish.state", dataset=dataset, version=version, state=voice.text(f"page.{state}")
        )

    text = proof.wait_for_receipt(server, dataset, version, until, reached)
    is_inside = "resource" in step
    content = resource(local, str(step["path"])) if is_inside else pieces(local, _silent)
    proof.check_receipt(text, dataset, version, content)
    named = local.path.with_name(f"{local.path.name}.{dataset}") if is_inside else local.path
    names = beside.receipt_names(named, version)
    path = beside.write_receipt(text, names, private=not place.is_open)
    voice.say("publish.receipt", path=path)
    if not is_inside:
        voice.say("publish.verify", path=path, file=local.path, url=server.access.url)
    page = (step.get("links") or {}).get("page")
    if isinstance(page, str):
        voice.say("publish.link", link=page)


def _silent(done: int, total: int) -> None:
    """Progress that nobody needs to see."""
