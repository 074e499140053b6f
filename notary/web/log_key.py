# SPDX-License-Identifier: Apache-2.0
"""Which key of the log a page names, where the log has had several."""

from collections.abc import Mapping
from typing import Any

from notary.api.services import services
from notary.core.note import parse_vkey
from notary.usecases.prove_signers import signing_key


def fingerprint(log: Mapping[str, Any] | None, checkpoint: Mapping[str, Any] | None) -> str | None:
    """
    The fingerprint of the key under which a checkpoint is believed; without one, of the key
    that signs today; where the list of keys can't be read, of the log's first one.
    """
    if log is None:
        return None
    keys = services().log_keys()
    if checkpoint is not None:
        key = signing_key(checkpoint["note"], checkpoint["size"], keys)
    else:
        today = [key for key in keys if key.origin == log["origin"] and key.last_size is None]
        key = today[-1] if today else None
    return parse_vkey(log["vkey"]).fingerprint if key is None else key.verifier.fingerprint
