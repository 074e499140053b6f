# SPDX-License-Identifier: Apache-2.0
"""Keys of a trust file that serve another use than signing the log: acceptances, receipts."""

from notary.core.errors import MalformedNote, MalformedTrust, UnknownSigner
from notary.core.trust import Trust
from notary.core.vkey import KIND_ED25519, Verifier, parse_vkey


def keys_for(trust: Trust, use: str, suffix: str) -> list[Verifier]:
    """
    The keys of a use: entries of `keys` with exactly `use` and `key`, a vkey of kind 0x01.

    Their name is a listed log's with `suffix` behind it.

    Raises:
        MalformedTrust: one is not of its form, its log isn't listed, or it is the log's key.
        UnknownSigner: there is none; the reason is `no-<use>-key`.
    """
    names = {log.verifier.name + suffix for log in trust.logs}
    log_keys = {log.verifier.public_key for log in trust.logs}
    keys = []
    for other in trust.keys:
        if other.use != use:
            continue
        text = other.members.get("key")
        if other.members.keys() != {"use", "key"} or not isinstance(text, str):
            raise MalformedTrust(f"A key with the use {use} has the members use and key.")
        try:
            key = parse_vkey(text)
        except MalformedNote as error:
            raise error.renamed(MalformedTrust) from None
        if key.kind != KIND_ED25519 or key.name not in names:
            raise MalformedTrust(f"A key with the use {use} is of the wrong kind, or of no log.")
        if key.public_key in log_keys:
            raise MalformedTrust(f"A log key is also a key with the use {use}.")
        keys.append(key)
    if not keys:
        raise UnknownSigner(f"The trust file lists no key of use {use}.", reason=f"no-{use}-key")
    return keys
