# SPDX-License-Identifier: Apache-2.0
"""
Writes consistencies.json and forks.json: `python -m tests.vectors.generate_pairs`.

`trusts` holds trust files by name. Each case has `desc` (what was done), `consistency` or `fork`
(the file's text), `trust` (a name), and `wantErr`: the code of the error that must follow, for
some followed by a dot and its reason, or null. A refused one has `step`: what refuses it; a valid
one `want`: the status of each check, and `verdict`: the whole answer (docs/spec/verdict-v1.md).
What must follow is stated from the way a case was made; no verifier of ours is asked.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from notary.core import canonical, note
from tests.core.growing import SIZE, consistency, fork, honest, liar
from tests.core.maker import LOG, ORIGIN, OTHER_LOG, STRANGER, WITNESSES, hexes
from tests.core.signing import Signer
from tests.vectors import steps
from tests.vectors.expected_pairs import pair_verdict
from tests.vectors.pair_attacks import MISMATCH, PATH, SIGNER, attacks
from tests.vectors.trusts import TEXTS

Case = dict[str, Any]
CONSISTENCY, FORK = "consistency", "fork"
SIZES = [(1, 2), (1, 5), (2, 3), (3, 5), (4, 5), (4, 7), (5, 6), (6, 7)]
GROWN = {"grown": "held", "checkpoint": "held", "witnesses": "not-checked"}
WITNESSED = {"witnesses": "held"}
GOOD = {"consistency": "held"}
FORKED = {"checkpoint": "held", "fork": "held"}
ELSEWHERE = Signer("other.example/log", seed=9)
BOTH_LOGS = "two logs"
TRUSTS = {
    **TEXTS,
    BOTH_LOGS: TEXTS["usual"].replace(
        f'"logs":[{{"from":0,"key":"{LOG.verifier.vkey}","to":null}}]',
        f'"logs":[{{"from":0,"key":"{LOG.verifier.vkey}","to":null}},'
        f'{{"from":0,"key":"{ELSEWHERE.verifier.vkey}","to":null}}]',
    ),
}


def case(kind: str, desc: str, what: dict[str, Any] | str, error: str | None, **more: Any) -> Case:
    """One case, the trust file being the usual one where none is named."""
    text = what if isinstance(what, str) else canonical.dumps(what)
    found = {"desc": desc, kind: text, "trust": "usual", "wantErr": error} | more
    if error is not None:
        return found | steps.step(f"{kind}-v1.md", error, None)
    trust = json.loads(TRUSTS[found["trust"]])
    return found | {"verdict": pair_verdict(kind, json.loads(text), trust, more["want"])}


def consistencies() -> Iterator[Case]:
    """Logs that grew; every way we know to change such a proof; keys of all sorts."""
    yield from _grown()
    yield from _contradicting()
    yield from _growing_keys()
    whole = consistency(honest(), 3, 5)
    for desc, what, error in attacks(whole, "consistency", "old", "new", (3, 5)):
        yield case(CONSISTENCY, desc, what, error)


def _grown() -> Iterator[Case]:
    city = honest()
    for old, new in SIZES:
        whole = consistency(city, old, new)
        yield case(CONSISTENCY, f"{old} to {new}", whole, None, want=GROWN)
        path = whole["path"]
        for at in range(len(path)):
            other = [*path[:at], flip(path[at]), *path[at + 1 :]]
            name = f"{old} to {new}: hash {at}"
            yield case(CONSISTENCY, f"{name} changed", {**whole, "path": other}, MISMATCH)
            less = path[:at] + path[at + 1 :]
            yield case(CONSISTENCY, f"{name} left out", {**whole, "path": less}, PATH)
        more = {**whole, "path": [*path, "aa" * 32]}
        yield case(CONSISTENCY, f"{old} to {new}: a hash more", more, PATH)
        swapped = {**whole, "old": whole["new"], "new": whole["old"]}
        yield case(CONSISTENCY, f"{old} to {new}: exchanged", swapped, PATH)
        written_out = fork(city, city, old, new)["path"]
        if written_out != path:
            out = {**whole, "path": written_out}
            yield case(CONSISTENCY, f"{old} to {new}: the first hash written out", out, PATH)
    yield case(CONSISTENCY, "the same twice", consistency(city, 5, 5), None, want=GROWN)
    cosigned = consistency(city, 3, 5, witnesses=WITNESSES[:2])
    want = {**GROWN, **WITNESSED}
    yield case(CONSISTENCY, "cosigned", cosigned, None, want=want, trust="quorum of 2")
    newline = canonical.dumps(consistency(city, 3, 5)) + "\n"
    yield case(CONSISTENCY, "with a final newline", newline, None, want=GROWN)


def _contradicting() -> Iterator[Case]:
    """The newer log is honest about itself; the older checkpoint is of another history."""
    city = honest()
    for old, new in SIZES:
        other = liar(old - 1, new)
        whole = consistency(city, old, new, of=other)
        # A whole path to the newer root proves the fork; else it is merely no path.
        error = "log-forked" if old & (old - 1) else MISMATCH
        yield case(CONSISTENCY, f"{old} to {new}: another history", whole, error)
        theirs = {**whole, "path": consistency(other, old, new)["path"]}
        yield case(CONSISTENCY, f"{old} to {new}: another history's path", theirs, MISMATCH)
    for size in (1, 4, 5):
        two = {**consistency(city, size, size), "old": liar(size - 1).checkpoint(size)}
        yield case(CONSISTENCY, f"two roots of size {size}", two, "log-forked")
        filled = {**two, "path": ["aa" * 32]}
        yield case(CONSISTENCY, f"two roots of size {size}, a path", filled, "log-forked")
    same = {**consistency(city, 5, 5), "path": ["aa" * 32]}
    yield case(CONSISTENCY, "the same twice, a path", same, PATH)
    empty = {**consistency(city, 1, 5), "old": honest(0).checkpoint()}
    yield case(CONSISTENCY, "from an empty log", empty, PATH)
    yield case(CONSISTENCY, "from an empty log, no path", {**empty, "path": []}, PATH)


def _growing_keys() -> Iterator[Case]:
    """Keys, their sizes, quorums, and what was compromised."""
    city = honest()
    after: dict[str, Any] = {"log": [OTHER_LOG]}
    crossing = consistency(city, 3, 5, **after)
    usual = consistency(city, 3, 5)
    for desc, what, error, trust, want in (
        ("over a change of keys", crossing, None, "two keys", GROWN),
        ("both keys of one log", consistency(city, 2, 3), None, "two keys", GROWN),
        ("older by the new key", consistency(city, 3, 5, earlier=after, **after),
         "receipt-refused.size-not-served", "two keys", None),
        ("newer by the old key", usual, "receipt-refused.size-not-served", "two keys", None),
        ("a size that the key didn't serve", usual, "receipt-refused.size-not-served",
         "sizes 0 to 3", None),
        ("an older size that it didn't serve", usual, "receipt-refused.size-not-served",
         "sizes from 4", None),
        ("another log's key is trusted", usual, SIGNER, "another log", None),
        ("older by another key", consistency(city, 3, 5, earlier=after), SIGNER, "usual", None),
        ("newer by another key", crossing, SIGNER, "usual", None),
        ("no witness for a quorum of 1", usual, "quorum-not-met", "quorum of 1", None),
        ("one witness for a quorum of 2", consistency(city, 3, 5, witnesses=WITNESSES[:1]),
         "quorum-not-met", "quorum of 2", None),
        ("a stranger's cosignature for a quorum of 1",
         consistency(city, 3, 5, witnesses=[STRANGER]), "quorum-not-met", "quorum of 1", None),
        ("the older one cosigned, not the newer",
         consistency(city, 3, 5, earlier={"witnesses": WITNESSES}), "quorum-not-met",
         "quorum of 1", None),
        ("to the last good state", usual, None, "compromised after 5", {**GROWN, **GOOD}),
        ("to a state before the last good one", consistency(city, 3, 4),
         "receipt-refused.no-consistency", "compromised after 5", None),
        ("to it, cosigned by a quorum", consistency(city, 3, 4, witnesses=WITNESSES[:1]), None,
         "compromised after 5, quorum of 1", {**GROWN, **GOOD, **WITNESSED}),
        ("to it, cosigned by none", consistency(city, 3, 4), "quorum-not-met",
         "compromised after 5, quorum of 1", None),
        ("from the last good state on", crossing, None, "compromised after 3", GROWN),
        ("to another than the last good state", consistency(city, 2, 3),
         "receipt-refused.not-good", "compromised after another 3", None),
        ("a thief's older state", consistency(city, 3, 5, of=liar(1)),
         "fork-refused.compromised", "compromised after 5", None),
        ("a thief's other root", consistency(city, 5, 5, of=liar(4)),
         "fork-refused.compromised", "compromised after 5", None),
        ("a thief's own log", consistency(liar(2), 3, 5), "receipt-refused.not-good",
         "compromised after 5", None),
        ("a trust file that is none", usual, "malformed-trust", "malformed", None),
        ("two logs", {**usual, "new": city.checkpoint(5, log=[ELSEWHERE],
         origin=ELSEWHERE.verifier.name)}, "consistency-refused.other-origin", BOTH_LOGS, None),
        ("another log's, both", consistency(city, 3, 5, log=[ELSEWHERE],
         origin=ELSEWHERE.verifier.name, earlier={"log": [ELSEWHERE],
         "origin": ELSEWHERE.verifier.name}), SIGNER, "usual", None),
        ("another's name under our key", consistency(city, 3, 5, origin="other.example/log"),
         SIGNER, "usual", None),
    ):  # fmt: skip
        more = {} if want is None else {"want": want}
        yield case(CONSISTENCY, desc, what, error, trust=trust, **more)


def forks() -> Iterator[Case]:
    """Histories that can't both be one log's; honest ones; every way to forge such proof."""
    yield from _forked()
    yield from _innocent()
    yield from _forking_keys()
    whole = fork(liar(2), honest(), 3, 5)
    for desc, what, error in attacks(whole, "fork", "one", "two", (3, 5)):
        yield case(FORK, desc, what, error)


def _forked() -> Iterator[Case]:
    city = honest()
    for size1, size2 in [*SIZES, (5, 5), (4, 4)]:
        whole = fork(liar(size1 - 1), city, size1, size2)
        yield case(FORK, f"{size1} and {size2}", whole, None, want=FORKED)
        path = whole["path"]
        for at in range(len(path)):
            other = [*path[:at], flip(path[at]), *path[at + 1 :]]
            name = f"{size1} and {size2}: hash {at}"
            yield case(FORK, f"{name} changed", {**whole, "path": other}, MISMATCH)
            less = path[:at] + path[at + 1 :]
            yield case(FORK, f"{name} left out", {**whole, "path": less}, PATH)
        more = {**whole, "path": [*path, "aa" * 32]}
        yield case(FORK, f"{size1} and {size2}: a hash more", more, PATH)
        if size1 < size2:
            swapped = {**whole, "one": whole["two"], "two": whole["one"]}
            yield case(FORK, f"{size1} and {size2}: exchanged", swapped, PATH)
    early = fork(liar(0), city, 6, 7)
    yield case(FORK, "another history from the first batch on", early, None, want=FORKED)
    newline = canonical.dumps(fork(liar(2), city, 3, 5)) + "\n"
    yield case(FORK, "with a final newline", newline, None, want=FORKED)


def _innocent() -> Iterator[Case]:
    """What an accuser may try against a log that only grew."""
    city, other = honest(), liar(2)
    for size1, size2 in [*SIZES, (5, 5), (4, 4)]:
        name = f"innocent: {size1} and {size2}"
        whole = fork(city, city, size1, size2)
        yield case(FORK, name, whole, "fork-refused.no-fork")
        if size1 == size2:
            continue
        invented = {**whole, "path": ["aa" * 32] * len(whole["path"])}
        yield case(FORK, f"{name}, invented hashes", invented, MISMATCH)
        yield case(FORK, f"{name}, no path", {**whole, "path": []}, PATH)
        if size1 > 2:
            theirs = fork(city, other, size1, size2)["path"]
            yield case(FORK, f"{name}, a liar's path", {**whole, "path": theirs}, MISMATCH)
        bare = consistency(city, size1, size2)["path"]
        if bare != whole["path"]:
            yield case(FORK, f"{name}, the first hash left out", {**whole, "path": bare}, PATH)
        turned = whole["path"][::-1]
        if turned != whole["path"]:
            yield case(FORK, f"{name}, path turned round", {**whole, "path": turned}, MISMATCH)
    empty = {**fork(city, city, 1, 5), "one": honest(0).checkpoint()}
    yield case(FORK, "innocent: an empty log", empty, PATH)
    both = {**fork(city, city, 5, 5), "one": honest(0).checkpoint(), "two": honest(0).checkpoint()}
    yield case(FORK, "innocent: two empty logs", both, "fork-refused.no-fork")
    leaves = city.log_leaves(5)
    as_nodes = {**fork(city, city, 3, 5), "path": hexes(leaves[:4])}
    yield case(FORK, "innocent: leaves for nodes", as_nodes, MISMATCH)


def _forking_keys() -> Iterator[Case]:
    """What a thief, a stranger or another log can't do."""
    city, other = honest(), liar(2)
    after: dict[str, Any] = {"log": [OTHER_LOG]}
    usual = fork(other, city, 3, 5)
    named: dict[str, Any] = {"log": [ELSEWHERE], "origin": ELSEWHERE.verifier.name}
    cosigned = fork(other, city, 3, 5, witnesses=WITNESSES)
    broken = usual["two"] + note.signature_line(
        note.Signature(WITNESSES[0].verifier.name, WITNESSES[0].verifier.key_id, bytes(72))
    )
    for desc, what, error, trust in (
        ("no witness is asked for", usual, None, "quorum of 3"),
        ("cosigned by all: the log's lie all the same", cosigned, None, "quorum of 3"),
        ("over a change of keys", fork(other, city, 3, 5, **after), None, "two keys"),
        ("the last good state against a later key", fork(honest(), liar(1), 3, 5, **after), None,
         "compromised after 3"),
        ("a thief's state against the last good one", fork(other, city, 3, 5),
         "fork-refused.compromised", "compromised after 5"),
        ("the last good state against a thief's", fork(city, other, 3, 5),
         "fork-refused.compromised", "compromised after 5"),
        ("a thief's two", fork(other, liar(1), 4, 4), "fork-refused.compromised",
         "compromised after 5"),
        ("a thief's against a later key", fork(liar(1), city, 2, 5, **after),
         "fork-refused.compromised", "compromised after 3"),
        ("a quorum doesn't make a thief's the log's",
         fork(other, city, 3, 4, witnesses=WITNESSES, earlier={"witnesses": WITNESSES}),
         "fork-refused.compromised", "compromised after 5, quorum of 1"),
        ("a size that the key didn't serve", usual, "receipt-refused.size-not-served",
         "sizes 0 to 3"),
        ("a smaller size that it didn't serve", usual, "receipt-refused.size-not-served",
         "sizes from 4"),
        ("by a key that isn't the log's yet", fork(other, city, 3, 5, earlier=after, **after),
         "receipt-refused.size-not-served", "two keys"),
        ("a stranger signed the first", fork(other, city, 3, 5, earlier=after), SIGNER, "usual"),
        ("a stranger signed the second", fork(other, city, 3, 5, **after), SIGNER, "usual"),
        ("both by a stranger", fork(other, city, 3, 5, earlier=after, **after), SIGNER, "usual"),
        ("only a witness signed the first",
         fork(other, city, 3, 5, earlier={"log": [], "witnesses": WITNESSES[:1]}), SIGNER,
         "usual"),
        ("another log is trusted", usual, SIGNER, "another log"),
        ("two logs", fork(other, city, 3, 5, **named), "fork-refused.other-origin", BOTH_LOGS),
        ("two logs, the first another's", fork(other, city, 3, 5, earlier=named),
         "fork-refused.other-origin", BOTH_LOGS),
        ("another's name under our key", fork(other, city, 3, 5, origin="other.example/log"),
         SIGNER, "usual"),
        ("a witness's line that doesn't hold", {**usual, "two": broken}, "bad-signature",
         "usual"),
        ("a trust file that is none", usual, "malformed-trust", "malformed"),
    ):  # fmt: skip
        more = {} if error else {"want": FORKED}
        yield case(FORK, desc, what, error, trust=trust, **more)


def flip(text: str) -> str:
    """Flip a bit of a hash."""
    return bytes([bytes.fromhex(text)[0] ^ 1]).hex() + text[2:]


def build() -> dict[str, str]:
    """The files by name."""
    assert ORIGIN in TRUSTS["usual"]
    assert all(new <= SIZE for _, new in SIZES)
    found = {"consistencies.json": list(consistencies()), "forks.json": list(forks())}
    return {
        name: json.dumps({"trusts": _used(cases), "cases": cases}, ensure_ascii=False, indent=1)
        + "\n"
        for name, cases in found.items()
    }


def _used(cases: list[Case]) -> dict[str, str]:
    names = {case["trust"] for case in cases}
    return {name: text for name, text in TRUSTS.items() if name in names}


if __name__ == "__main__":
    for name, text in build().items():
        (Path(__file__).parent / name).write_text(text, encoding="utf-8")
        print(name, len(json.loads(text)["cases"]), "cases")
