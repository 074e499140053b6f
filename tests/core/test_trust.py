# SPDX-License-Identifier: Apache-2.0
"""A trust file names each party once, and nobody confirms themselves."""

import json
from typing import Any

import pytest

from notary.core import canonical, note
from notary.core.errors import MalformedTrust
from notary.core.trust import Good, format_trust, parse_log_key, parse_trust
from tests.core import maker
from tests.core.maker import LEDGER, LOG, OTHER_LEDGER, OTHER_LOG, WITNESSES, trust
from tests.core.signing import Signer

FULL = trust(
    logs=[
        {
            "key": OTHER_LOG.verifier.vkey,
            "from": 0,
            "to": 9,
            "good": {"size": 9, "root": "aa" * 32},
        },
        {"key": LOG.verifier.vkey, "from": 8, "to": None},
    ],
    quorum=2,
    ledgers=[
        {"id": "file", "kind": "file", "key": LEDGER.verifier.vkey},
        {"id": "chain", "kind": "evm", "contract": "0xabc", "from": 3},
    ],
    keys=[{"use": "acceptance", "key": "any form"}],
)


def test_what_is_read() -> None:
    """Logs with their sizes, witnesses, ledgers with their kind's members, other keys."""
    read = parse_trust(format_trust(FULL))
    assert [log.verifier for log in read.logs] == [OTHER_LOG.verifier, LOG.verifier]
    assert [log.good for log in read.logs] == [Good(9, b"\xaa" * 32), None]  # type: ignore[arg-type]
    assert read.witnesses == tuple(signer.verifier for signer in WITNESSES)
    assert (read.name, read.quorum, read.delay_seconds) == ("City of Example", 2, 3600)
    chain = read.ledger("chain")
    assert chain is not None
    assert (chain.kind, chain.members["contract"]) == ("evm", "0xabc")
    assert read.ledger("other") is None
    assert [(key.use, key.members["key"]) for key in read.keys] == [("acceptance", "any form")]


def test_a_key_serves_its_sizes_both_ends_included() -> None:
    """And without an upper end for good."""
    old, new = parse_trust(format_trust(FULL)).logs
    assert [size for size in (0, 9, 10) if old.served(size)] == [0, 9]
    assert [size for size in (7, 8, 9, 2**62) if new.served(size)] == [8, 9, 2**62]


def test_a_log_key_is_written_as_it_was_read() -> None:
    """The list of keys stands elsewhere too, in the same words."""
    for item in FULL["logs"]:
        key = parse_log_key(item)
        assert key.members == item
        assert key.origin == maker.ORIGIN


def test_the_final_newline_may_be_missing() -> None:
    """Written it is; two are refused."""
    text = format_trust(FULL)
    assert text.endswith("}\n")
    assert parse_trust(text[:-1]) == parse_trust(text)
    with pytest.raises(MalformedTrust):
        parse_trust(text + "\n")


LOG_ITEM = {"key": LOG.verifier.vkey, "from": 0, "to": None}
FILE_ITEM = {"id": "file", "kind": "file", "key": LEDGER.verifier.vkey}
WITNESS_OF_LOGS_KEY = Signer("w.example", note.KIND_COSIGNATURE, seed=1)
RENAMED_WITNESS = Signer("another.example", note.KIND_COSIGNATURE, seed=10)
SECOND_KEY_OF_A_WITNESS = Signer(WITNESSES[0].verifier.name, note.KIND_COSIGNATURE, seed=30)

ATTACKS: dict[str, dict[str, Any]] = {
    "another version": {"v": "trust/2"},
    "an unknown member": {"comment": "hello"},
    "an empty name": {"name": ""},
    "a name with a control character": {"name": "City\x1b[2J"},
    "a name that is too long": {"name": "x" * 201},
    "no log": {"logs": []},
    "logs that are no list": {"logs": {}},
    "too many logs": {"logs": [LOG_ITEM] * 1001},
    "a log that is text": {"logs": [LOG.verifier.vkey]},
    "a log without to": {"logs": [{"key": LOG.verifier.vkey, "from": 0}]},
    "a log with an unknown member": {"logs": [LOG_ITEM | {"url": "x"}]},
    "a log key that is no text": {"logs": [LOG_ITEM | {"key": 1}]},
    "a log key whose id is another's": {
        "logs": [LOG_ITEM | {"key": LOG.verifier.vkey.replace("+", "+0", 1)}]
    },
    "a witness's key as a log's": {"logs": [LOG_ITEM | {"key": WITNESSES[0].verifier.vkey}]},
    "a log key twice": {"logs": [LOG_ITEM, LOG_ITEM | {"from": 5}]},
    "from below zero": {"logs": [LOG_ITEM | {"from": -1}]},
    "to before from": {"logs": [LOG_ITEM | {"from": 5, "to": 4}]},
    "good that is null": {"logs": [LOG_ITEM | {"to": 4, "good": None}]},
    "good without root": {"logs": [LOG_ITEM | {"to": 4, "good": {"size": 4}}]},
    "good of another size than to": {
        "logs": [LOG_ITEM | {"to": 5, "good": {"size": 4, "root": "aa" * 32}}]
    },
    "good of a key in use": {"logs": [LOG_ITEM | {"good": {"size": 4, "root": "aa" * 32}}]},
    "good of an empty log": {
        "logs": [LOG_ITEM | {"to": 0, "good": {"size": 0, "root": "aa" * 32}}]
    },
    "good with a short root": {"logs": [LOG_ITEM | {"to": 4, "good": {"size": 4, "root": "aa"}}]},
    "a witness twice": {"witnesses": [WITNESSES[0].verifier.vkey] * 2},
    "a witness under two names": {
        "witnesses": [WITNESSES[0].verifier.vkey, RENAMED_WITNESS.verifier.vkey]
    },
    "the log as its own witness": {"witnesses": [WITNESS_OF_LOGS_KEY.verifier.vkey]},
    "a log's key as a witness's": {"witnesses": [OTHER_LOG.verifier.vkey]},
    "a witness that is null": {"witnesses": [None]},
    "a quorum larger than the witnesses": {"quorum": 4},
    "a quorum that counts two keys of one witness": {
        "witnesses": [WITNESSES[0].verifier.vkey, SECOND_KEY_OF_A_WITNESS.verifier.vkey],
        "quorum": 2,
    },
    "a quorum below zero": {"quorum": -1},
    "a quorum as text": {"quorum": "1"},
    "a delay below zero": {"delay_seconds": -1},
    "a ledger twice": {"ledgers": [FILE_ITEM, FILE_ITEM | {"key": OTHER_LEDGER.verifier.vkey}]},
    "a ledger without kind": {"ledgers": [{"id": "file"}]},
    "a ledger that is text": {"ledgers": ["file"]},
    "a ledger of an empty kind": {"ledgers": [{"id": "a", "kind": ""}]},
    "a file ledger without key": {"ledgers": [{"id": "file", "kind": "file"}]},
    "a file ledger with an unknown member": {"ledgers": [FILE_ITEM | {"path": "/"}]},
    "a file ledger under the log's key": {"ledgers": [FILE_ITEM | {"key": LOG.verifier.vkey}]},
    "a file ledger under a witness's kind of key": {
        "ledgers": [FILE_ITEM | {"key": WITNESSES[0].verifier.vkey}]
    },
    "keys that are no list": {"keys": {}},
    "a key of another use without use": {"keys": [{"key": "a"}]},
    "a key of another use that is text": {"keys": ["a"]},
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_trust_file_of_another_form_is_refused(attack: str) -> None:
    """By its own sentence; so a verifier never runs on half a trust file."""
    with pytest.raises(MalformedTrust):
        format_trust(trust(**ATTACKS[attack]))


@pytest.mark.parametrize("name", sorted(maker.trust()))
def test_no_member_may_be_missing(name: str) -> None:
    """All seven are demanded."""
    members = {key: value for key, value in trust().items() if key != name}
    with pytest.raises(MalformedTrust):
        parse_trust(canonical.dumps(members))


@pytest.mark.parametrize("text", ["", "[]", "null", json.dumps(FULL), "x" * (1 << 20) + "x"])
def test_a_text_of_another_form_is_refused(text: str) -> None:
    """Not JSON, no object, reformatted, too long."""
    with pytest.raises(MalformedTrust):
        parse_trust(text)


def test_what_has_no_canonical_form_is_not_written() -> None:
    """Fractions, for one."""
    with pytest.raises(MalformedTrust):
        format_trust(trust(delay_seconds=1.5))
