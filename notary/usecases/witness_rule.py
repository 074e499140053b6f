# SPDX-License-Identifier: Apache-2.0
"""
The rule about witnesses: a policy (C2SP tlog-policy), and what is shown while it isn't met.

The sealer, which asks the witnesses, puts it in force; the other processes read it from the
database, so all of them go by one rule.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from notary.core.errors import MalformedPolicy, NotaryError
from notary.core.note import Verifier
from notary.core.tlog_policy import PolicyWitness, TlogPolicy, parse_policy
from notary.outside.address import parse_address
from notary.outside.errors import Unreachable
from notary.store.pool import Pool, Transaction


class PolicyNotFlat(NotaryError):
    """The policy asks for more of its witnesses than a trust file can say."""

    code = "policy-not-flat"


@dataclass(frozen=True, slots=True)
class WitnessRule:
    """A policy with the file that it was read from. `fails_open`: shown without it too."""

    policy: TlogPolicy
    data: bytes
    fails_open: bool


def load_rule(
    path: Path, *, fails_open: bool, log_keys: Iterable[Verifier] | None = None
) -> WitnessRule:
    """
    Read the policy by which this log asks its witnesses. Without `log_keys` it isn't held
    against the keys of this log.

    Raises:
        MalformedPolicy: it can't be read, it is for other logs, or a witness can't be asked.
    """
    try:
        data = path.read_bytes()
        policy = parse_policy(data)
        _check_witnesses(policy)
        if log_keys is not None:
            _check_for(policy, {key.public_key for key in log_keys})
    except OSError as error:
        raise MalformedPolicy(f"{path} can't be read: {error.strerror}.") from None
    except MalformedPolicy as error:
        raise MalformedPolicy(f"{path}: {error.detail}") from None
    return WitnessRule(policy, data, fails_open or policy.quorum is None)


def _check_for(policy: TlogPolicy, own: set[bytes]) -> None:
    if policy.logs and not own & {log.verifier.public_key for log in policy.logs}:
        raise MalformedPolicy("none of its log lines has the key of this log.")
    for witness in policy.witnesses:
        if witness.verifier.public_key in own:
            raise MalformedPolicy(f"the witness {_said(witness)} has the log's own key.")


def _check_witnesses(policy: TlogPolicy) -> None:
    """Each can be asked, by a way on which nobody else can answer in its place."""
    for witness in policy.witnesses:
        if witness.url is None:
            raise MalformedPolicy(
                f"the witness {_said(witness)} has no URL, so it can't be asked: write its "
                "submission prefix behind its key."
            )
        try:
            is_safe = parse_address(witness.url).is_safe
        except Unreachable:
            is_safe = False
        if not is_safe:
            raise MalformedPolicy(
                f"the witness {_said(witness)} must be asked by https, or on this very machine."
            )


def _said(witness: PolicyWitness) -> str:
    """Its name, which is octets, as it can be printed."""
    return witness.name.encode("utf-8", "backslashreplace").decode()


def adopt_rule(pool: Pool, rule: WitnessRule | None, now: datetime) -> None:
    """
    Put a rule in force, or none; what has the quorum of another rule only counts no more.

    Raises:
        StoreUnavailable: try again.
    """
    vkeys = [] if rule is None else [one.verifier.vkey for one in rule.policy.witnesses]
    with pool.transaction() as tx:
        tx.do("retire_policies", fingerprint=None if rule is None else rule.policy.fingerprint)
        if rule is not None:
            tx.do(
                "adopt_policy",
                fingerprint=rule.policy.fingerprint,
                policy=rule.data,
                fails_open=rule.fails_open,
                now=now,
            )
        tx.do("add_witnesses", vkeys=vkeys)
        tx.do("mark_asked_witnesses", vkeys=vkeys)


def current_rule(tx: Transaction) -> WitnessRule | None:
    """The rule in force, or None where no witness is asked."""
    row = tx.row("current_policy")
    return None if row is None else WitnessRule(parse_policy(row[1]), row[1], row[2])


def trusted_witnesses(pool: Pool) -> tuple[tuple[Verifier, ...], int]:
    """
    The witnesses and the quorum of them as the trust file says it.

    Raises:
        PolicyNotFlat: the rule in force can't be said so.
    """
    with pool.transaction(read_only=True) as tx:
        rule = current_rule(tx)
    if rule is None:
        return (), 0
    flat = rule.policy.as_quorum()
    if flat is None:
        raise PolicyNotFlat()
    return flat
