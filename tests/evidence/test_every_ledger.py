# SPDX-License-Identifier: Apache-2.0
"""
One receipt with an anchor of each kind there is, each at its own size: as `notary verify` tells
it, and with each part of each piece of evidence tampered with.
"""

import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notary import cli
from notary.core import canonical
from notary.core.errors import MalformedTrust, NotaryError, ReceiptRefused
from notary.core.receipt import verify_receipt
from notary.core.trust import LedgerTrust
from notary.core.verdict import Check
from notary.evidence import MODULES, check_evidence, checkers
from notary.texts import LANGUAGES
from tests.core import reference
from tests.core.maker import ORIGIN, hexes, make, trust
from tests.evidence.chain import LEDGER, base64, evm_anchor
from tests.evidence.fabric_city import NETWORK, NONCE, TIME, block_of
from tests.tsa import city as tsa
from tests.tsa.forger import Stamp

CITY = make(rounds=5)
KINDS = ("file", "rfc3161", "bsn-fabric", "evm")
TRUST = trust(
    ledgers=[
        *trust()["ledgers"],
        {"id": "rfc3161", "kind": "rfc3161", "roots": tsa.base64_of(tsa.city().root)},
        {"id": "bsn-fabric", "kind": "bsn-fabric", **NETWORK.trust()},
        LEDGER,
    ]
)


def anchor(kind: str, size: int, evidence: dict[str, Any]) -> dict[str, Any]:
    """Of the first descriptor in the log of that size."""
    leaves = CITY.log_leaves(size)
    return {
        "ledger": kind,
        "kind": kind,
        "size": size,
        "root": reference.mth(leaves).hex(),
        "path": hexes(reference.path(0, leaves)),
        "evidence": evidence,
    }


def root_of(size: int) -> bytes:
    return reference.mth(CITY.log_leaves(size))


def token(size: int) -> dict[str, Any]:
    """A time-stamping authority's."""
    octets = tsa.message(size, root_of(size), ORIGIN)
    return {"token": base64(tsa.city().forger.token(Stamp(octets)))}


def block(size: int) -> dict[str, Any]:
    """Of a Fabric channel."""
    key = f"{sha256(ORIGIN.encode()).hexdigest()}-{size}"
    made = NETWORK.setting(key, root_of(size).hex(), time=TIME, nonce=NONCE).build()
    return {"block": base64(block_of(made)), "tx": made.tx_id}


ANCHORS = [
    CITY.anchor(0, 2),
    anchor("rfc3161", 3, token(3)),
    anchor("bsn-fabric", 4, block(4)),
    evm_anchor(CITY, 0, 5),
]
RECEIPT = CITY.receipt("s1", 1) | {"anchors": ANCHORS}
OTHERS = {"rfc3161": token(4), "bsn-fabric": block(3), "evm": evm_anchor(CITY, 0, 4)["evidence"]}


def told(receipt: dict[str, Any]) -> list[Check]:
    """The checks of its anchors."""
    verdict = verify_receipt(receipt, TRUST, checkers=checkers())
    return [check for check in verdict.checks if check.code == "anchor"]


def test_each_anchor_is_told_as_far_as_its_ledger_allows() -> None:
    """Own word, checked offline, checked offline, not checked and why; each with its size."""
    found = told(RECEIPT)
    assert [check.facts["kind"] for check in found] == list(KINDS)
    assert [check.facts["size"] for check in found] == [2, 3, 4, 5]
    assert [(check.status, check.facts.get("reason")) for check in found] == [
        ("own-word", None),
        ("held", "offline"),
        ("held", "offline"),
        ("not-checked", "ask-the-chain"),
    ]
    for check in found[1:]:
        assert {"time", "who"} <= check.facts.keys()
    assert {"file", *MODULES} == set(KINDS)


def tampered() -> Iterator[tuple[str, int, dict[str, Any]]]:
    """What was done, to which anchor, and its evidence then."""
    for place, one in enumerate(ANCHORS[1:], 1):
        kind, evidence = one["kind"], one["evidence"]
        yield f"{kind}: no members", place, {}
        yield f"{kind}: a member more", place, evidence | {"more": 1}
        yield f"{kind}: another state's", place, OTHERS[kind]
        yield f"{kind}: the next one's", place, ANCHORS[place - 2]["evidence"]
        for name, value in evidence.items():
            rest = {other: evidence[other] for other in evidence if other != name}
            yield f"{kind}: without {name}", place, rest
            for wrong in (None, "", "x", [], {}, -1):
                yield f"{kind}: {name} is {wrong!r}", place, rest | {name: wrong}
            if value != OTHERS[kind][name]:
                mixed = evidence | {name: OTHERS[kind][name]}
                yield f"{kind}: {name} of another state", place, mixed


TAMPERED = {desc: (place, evidence) for desc, place, evidence in tampered()}


@pytest.mark.parametrize("what", TAMPERED)
def test_tampered_evidence_of_one_ledger_refuses_the_whole_receipt(what: str) -> None:
    """Though the other three are as they were."""
    place, evidence = TAMPERED[what]
    anchors = [*ANCHORS]
    anchors[place] = {**ANCHORS[place], "evidence": evidence}
    with pytest.raises(NotaryError) as caught:
        told(RECEIPT | {"anchors": anchors})
    assert caught.value.code == "receipt-refused"
    assert caught.value.facts["reason"] in ("ledger-evidence", "ledger-other")


VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary()
ANY = st.recursive(VALUES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))


@settings(max_examples=50)
@given(st.data())
def test_whatever_stands_in_evidence_or_trust_is_a_finding_or_a_refusal(
    data: st.DataObject,
) -> None:
    """Never another error, whatever a package makes of it; what was changed is never held."""
    place = data.draw(st.sampled_from([1, 2, 3]))
    one, listed = ANCHORS[place], TRUST["ledgers"][place]
    evidence, members = dict(one["evidence"]), dict(listed)
    of = data.draw(st.sampled_from([evidence, members]))
    name = data.draw(st.sampled_from(sorted(of)))
    old, new = of[name], data.draw(ANY)
    if isinstance(old, str) and data.draw(st.booleans()):
        at = data.draw(st.integers(0, len(old) - 1))
        new = old[:at] + data.draw(st.characters()) + old[at + 1 :]
    of[name] = new
    ledger, root = LedgerTrust(one["ledger"], one["kind"], members), bytes.fromhex(one["root"])
    try:
        found = check_evidence(one["kind"], evidence, one["size"], root, ledger, ORIGIN)
    except (ReceiptRefused, MalformedTrust):
        return
    assert found.status != "held" or new == old or name in ("id", "kind")


def test_a_ledger_is_not_believed_by_another_ones_trust() -> None:
    """The kinds are told apart by the trust file, whatever the receipt calls them."""
    for place, one in enumerate(ANCHORS):
        for other in ANCHORS:
            if other is one:
                continue
            anchors = [*ANCHORS]
            anchors[place] = {**one, "ledger": other["ledger"]}
            with pytest.raises(NotaryError) as caught:
                told(RECEIPT | {"anchors": anchors})
            assert caught.value.facts["reason"] == "ledger-kind"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_clerk_reads_of_each_what_it_is_worth(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], lang: str
) -> None:
    """In its own part of the verdict, with the ledger's time and whose word that is."""
    (tmp_path / "r").write_text(canonical.dumps(RECEIPT))
    (tmp_path / "t").write_text(canonical.dumps(TRUST))
    assert cli.main(["verify", f"{tmp_path}/r", "--trust", f"{tmp_path}/t", "--lang", lang]) == 0
    lines = capsys.readouterr().out.splitlines()
    for check, mark in zip(told(RECEIPT), ("[!]", "[x]", "[x]", "[ ]"), strict=True):
        ledger, time = str(check.facts["ledger"]), str(check.facts["time"])
        (line,) = [one for one in lines if time in one and ledger in one and "{" not in one]
        assert line.startswith(f"  {mark} ")
        assert str(check.facts.get("who", "")) in line
        assert " - " not in line


def test_programs_read_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As JSON."""
    (tmp_path / "r").write_text(canonical.dumps(RECEIPT))
    (tmp_path / "t").write_text(canonical.dumps(TRUST))
    assert cli.main(["verify", f"{tmp_path}/r", "--trust", f"{tmp_path}/t", "--json"]) == 0
    checks = json.loads(capsys.readouterr().out)["checks"]
    found = [(one["status"], one["facts"]) for one in checks if one["code"] == "anchor"]
    assert found == [(check.status, dict(check.facts)) for check in told(RECEIPT)]
