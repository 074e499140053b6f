# SPDX-License-Identifier: Apache-2.0
"""The trust files of the vectors, by name."""

from notary.core.trust import format_trust
from tests.core import maker, reference
from tests.core.maker import LOG, OTHER_LEDGER, OTHER_LOG, SAME_NAME, WITNESSES, trust
from tests.vectors import weak_keys


def _log(to: int | None, first: int = 0, **members: object) -> dict[str, object]:
    return {"key": LOG.verifier.vkey, "from": first, "to": to, **members}


def _good(city: maker.City, size: int) -> dict[str, object]:
    root = reference.mth(city.log_leaves(size)).hex()
    return _log(size, good={"size": size, "root": root})


_CITY = maker.make(rounds=5)
_SUCCESSOR = {"key": OTHER_LOG.verifier.vkey, "from": 4, "to": None}
_OTHER_ROOT = {"size": 3, "root": "aa" * 32}
_FROM_THE_START = {"key": OTHER_LOG.verifier.vkey, "from": 0, "to": None}
_TWO_KEYS = [key.verifier.vkey for key in (WITNESSES[0], SAME_NAME, WITNESSES[1])]

TEXTS = {
    name: format_trust(members)
    for name, members in {
        "usual": trust(),
        "no witnesses": trust(witnesses=[]),
        "quorum of 1": trust(quorum=1),
        "quorum of 2": trust(quorum=2),
        "quorum of 3": trust(quorum=3),
        "no ledger": trust(ledgers=[]),
        "another file ledger": trust(
            ledgers=[{"id": "file", "kind": "file", "key": OTHER_LEDGER.verifier.vkey}]
        ),
        "file is an EVM chain": trust(ledgers=[{"id": "file", "kind": "evm", "contract": "0x1"}]),
        "another log": trust(logs=[{"key": OTHER_LOG.verifier.vkey, "from": 0, "to": None}]),
        "sizes 0 to 2": trust(logs=[_log(2)]),
        "sizes 0 to 3": trust(logs=[_log(3)]),
        "sizes from 3": trust(logs=[_log(None, 3)]),
        "sizes from 4": trust(logs=[_log(None, 4)]),
        "two keys": trust(logs=[_log(3), _SUCCESSOR]),
        "delay of 0": trust(delay_seconds=0),
        "delay of 60": trust(delay_seconds=60),
        "delay of 72": trust(delay_seconds=72),
        "compromised after 3": trust(logs=[_good(_CITY, 3), _SUCCESSOR]),
        "compromised after 5": trust(logs=[_good(_CITY, 5)]),
        "compromised after 5, quorum of 1": trust(logs=[_good(_CITY, 5)], quorum=1),
        "compromised after another 3": trust(logs=[_log(3, good=_OTHER_ROOT)]),
        "two keys of one witness": trust(witnesses=_TWO_KEYS, quorum=2),
        "two keys in an overlap": trust(logs=[_log(None), _FROM_THE_START]),
        "an overlap, the first compromised": trust(logs=[_good(_CITY, 3), _FROM_THE_START]),
        "an overlap, the first compromised, quorum of 1": trust(
            logs=[_good(_CITY, 3), _FROM_THE_START], quorum=1
        ),
        **{
            name: trust(logs=[{"key": weak_keys.vkey(key), "from": 0, "to": None}])
            for name, key in weak_keys.KEYS.items()
        },
        "malformed": trust(),
    }.items()
}
TEXTS["malformed"] = TEXTS["malformed"].replace('"quorum":0', '"quorum":9')
"""By name, as text."""
