# SPDX-License-Identifier: Apache-2.0
"""`notary anchors test` of a channel: what the gateway says of it, and what of that is signed."""

from typing import Final

from notary.ledgers.bsn.gateway import Gateway, said, text
from notary.ledgers.bsn.signer import ALGORITHMS
from notary.ledgers.port import LedgerUnavailable

KEY_TRUST: Final = 1
"""`caType`: the gateway signs transactions with a key of its own."""


def probe(gateway: Gateway, channel: str) -> dict[str, object]:
    """
    Signed: the height and the hash of the channel's first block. Unsigned, so that anybody on the
    way may have made it up: whether the app is the one of the configuration.

    Raises:
        LedgerUnavailable: the gateway doesn't answer, or with another key.
    """
    return {
        "gateway": gateway.place,
        "gateway_key": gateway.fingerprint,
        "height": gateway.height(),
        "first_block": text(gateway.block_info(0), "blockHash"),
        "app_unsigned": _compared(gateway, channel),
    }


def _compared(gateway: Gateway, channel: str) -> str:
    """The app's description beside the configuration, in words."""
    try:
        info = gateway.app_info()
    except LedgerUnavailable as error:
        return f"not told: {error.detail}"
    wanted = {"channelId": channel, "caType": KEY_TRUST, "algorithmType": ALGORITHMS["r1"]}
    differ = [
        f"{name} is {said(str(info.get(name)))} there and {value} in notary.toml"
        for name, value in wanted.items()
        if info.get(name) != value
    ]
    return f"differs: {'; '.join(differ)}" if differ else "agrees with notary.toml"
