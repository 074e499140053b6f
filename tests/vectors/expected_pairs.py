# SPDX-License-Identifier: Apache-2.0
"""
The whole answer to a proof about two checkpoints that holds, as docs/spec/verdict-v1.md says it:
made, as expected.py does, of what the case states and of what its file plainly says.
"""

from base64 import b64decode
from typing import Any

from tests.vectors.expected import Facts, Note, check, consistency_checks


def pair_verdict(kind: str, members: Facts, trust: Facts, want: dict[str, str]) -> Facts:
    """The answer to a `consistency` or a `fork`; `want` says the status of each code."""
    names = ("old", "new") if kind == "consistency" else ("one", "two")
    first, second = (Note(members[name], trust) for name in names)
    subject = {
        names[0]: first.size,
        f"{names[0]}_root": _root(members[names[0]]),
        names[1]: second.size,
        f"{names[1]}_root": _root(members[names[1]]),
    }
    signed = check(
        "checkpoint", want["checkpoint"], origin=second.origin, fingerprint=second.fingerprint
    )
    if kind == "consistency":
        grown = check("grown", want["grown"], old=first.size, new=second.size)
        checks = [
            grown,
            signed,
            *consistency_checks({}, second, want),
            _quorum(second, trust, want),
        ]
    else:
        reason = "size" if first.size == second.size else "grown"
        checks = [signed, check("fork", want["fork"], reason=reason, **subject)]
    return {
        "holds": True,
        "kind": kind,
        "origin": second.origin,
        "fingerprint": second.fingerprint,
        "subject": subject,
        "checks": checks,
    }


def _root(note: str) -> str:
    return b64decode(note.split("\n")[2]).hex()


def _quorum(note: Note, trust: Facts, want: dict[str, Any]) -> Facts:
    if not note.times:
        return check("witnesses", want["witnesses"], reason="none")
    many, names = len(note.times), ", ".join(sorted(note.times))
    return check("witnesses", want["witnesses"], count=many, want=trust["quorum"], names=names)
