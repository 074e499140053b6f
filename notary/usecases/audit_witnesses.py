# SPDX-License-Identifier: Apache-2.0
"""The part of an audit that looks at cosignatures, and at the policies that they met."""

from notary.core.errors import BadSignature
from notary.core.note import Verifier, open_note, parse_note, parse_vkey
from notary.core.tlog_policy import TlogPolicy, parse_policy
from notary.store.pool import Transaction
from notary.usecases.audit_batches import Differs, Facts, naming
from notary.usecases.marks import Mark

Known = dict[tuple[str, bytes], Verifier]
"""Keys by name and key id, as signature lines name them."""


def look_at_witnesses(tx: Transaction, facts: Facts, mark: Mark | None) -> int:
    """
    Under each checkpoint stand signatures of the log and of known witnesses alone, those of
    witnesses hold, and they are the quorum of the policy that is said to be met.
    """
    policies = _policies(tx)
    witnesses = _witnesses(tx)
    log_keys = [key.verifier for key in mark.keys] if mark else []
    log_keys = log_keys or [parse_vkey(facts.vkey)]
    signers = {(key.name, key.key_id) for key in log_keys} | witnesses.keys()
    count = 0
    for size, note, met in tx.rows("audit_cosigned"):
        name = f"checkpoint of size {size}"
        with naming(name):
            lines = [(line.name, line.key_id) for line in parse_note(note).unverified]
        if not signers >= set(lines):
            raise Differs(f"{name}: a signature of nobody who is known stands under it")
        cosigners = [witnesses[line] for line in lines if line in witnesses]
        if cosigners:
            try:
                open_note(note, cosigners)
            except BadSignature as error:
                raise Differs(f"{name}: {error.detail}") from None
        if met is not None:
            policy = policies.get(met)
            if policy is None or not cosigners or not policy.is_met(cosigners):
                raise Differs(f"{name}: it is said to have a quorum of witnesses that it hasn't")
        count += len(cosigners)
    return count


def _policies(tx: Transaction) -> dict[bytes, TlogPolicy]:
    found: dict[bytes, TlogPolicy] = {}
    for fingerprint, data in tx.rows("audit_policies"):
        with naming("a policy about witnesses"):
            policy = parse_policy(data)
        if policy.fingerprint != fingerprint:
            raise Differs("a policy about witnesses: it is not the one of its fingerprint")
        found[fingerprint] = policy
    return found


def _witnesses(tx: Transaction) -> Known:
    known: Known = {}
    for (vkey,) in tx.rows("audit_witnesses"):
        with naming("a witness"):
            verifier = parse_vkey(vkey)
        known[verifier.name, verifier.key_id] = verifier
    return known
