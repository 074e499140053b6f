# SPDX-License-Identifier: Apache-2.0
"""Waiting for a version's receipt, and seeing that it is the one of these bytes."""

import time
from collections.abc import Callable, Iterable
from typing import Final
from urllib.parse import quote

from notary.core.descriptor import Descriptor, parse_descriptor
from notary.core.errors import MalformedText
from notary.core.hashing import hash_pieces
from notary.core.receipt_format import parse_receipt
from notary.core.receipt_parts import FilePart
from notary.publishing.deliver import good
from notary.publishing.errors import PublishRefused
from notary.publishing.server import Server

STATES: Final = ("accepted", "sealed", "signed", "anchored")
MAX_PAUSE_SECONDS: Final = 30


def wait_for_receipt(
    server: Server, dataset: str, version: int, until: str, reached: Callable[[str], None]
) -> str:
    """
    The receipt of a version's file as text, once it is `until` signed or anchored; `reached`
    is told each state in order, once.

    Raises:
        PublishRefused: no-proof (with the server's reason), wrong-key, away.
    """
    path = f"/v1/datasets/{quote(dataset, safe='')}/versions/{version}/receipt"
    passed = 0

    def tell(state: str) -> None:
        nonlocal passed
        last = STATES.index(state) + 1 if state in STATES else 0
        for name in STATES[passed:last]:
            reached(name)
        passed = max(passed, last)

    while True:
        try:
            answer = good(server.get(path, until=until))
        except PublishRefused as error:
            if error.reason != "server":
                raise
            said = error.facts["said"]
            raise PublishRefused("no-proof", dataset=dataset, version=version, said=said) from None
        if answer.status == 200:
            tell(until)
            try:
                return answer.data.decode()
            except UnicodeDecodeError:
                raise PublishRefused("no-notary", status=200) from None
        told = answer.json()
        tell(str(told.get("state")))
        asked = told.get("retry_after_seconds")
        time.sleep(min(max(asked, 1), MAX_PAUSE_SECONDS) if isinstance(asked, int) else 1)


def read_receipt(text: str) -> tuple[FilePart, Descriptor]:
    """What a receipt of a file says. Raises MalformedText for anything else."""
    receipt = parse_receipt(text)
    if not isinstance(receipt.subject, FilePart):
        raise MalformedText("It is the receipt of something else.")
    return receipt.subject, parse_descriptor(receipt.descriptor)


def check_receipt(text: str, dataset: str, version: int, pieces: Iterable[bytes]) -> None:
    """
    See that a receipt is that version's and these bytes'. Whether it holds is `notary
    verify`'s business, with a trust file that didn't come from here.

    Raises:
        PublishRefused: other-receipt; whatever `pieces` raises.
    """
    try:
        part, descriptor = read_receipt(text)
    except MalformedText:
        raise PublishRefused("other-receipt", dataset=dataset, version=version) from None
    wanted = descriptor.digest or descriptor.commitment
    salt = part.salt if descriptor.digest is None else b""
    named = (descriptor.dataset, descriptor.version)
    if named != (dataset, version) or hash_pieces(salt, pieces)[0] != wanted:
        raise PublishRefused("other-receipt", dataset=dataset, version=version)
