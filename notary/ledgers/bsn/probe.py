# SPDX-License-Identifier: Apache-2.0
"""`notary anchors test` of a channel: what the gateway says of it, and what of that holds."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import Final

from notary.core.errors import BadSignature, MalformedText
from notary.evidence.fabric import check_orderers
from notary.evidence.fabric_block import Block, parse_block
from notary.evidence.fabric_transaction import parse_transaction
from notary.evidence.fabric_trust import parse_members
from notary.ledgers.bsn.gateway import Gateway, said, text
from notary.ledgers.bsn.signer import ALGORITHMS
from notary.ledgers.port import LedgerRefused, LedgerUnavailable

KEY_TRUST: Final = 1
"""`caType`: the gateway signs transactions with a key of its own."""


def probe(gateway: Gateway, trust: Mapping[str, object]) -> dict[str, object]:
    """
    Signed by the gateway: the height and the hash of the channel's first block. By the configured
    orderers: its newest block. By nobody, so that anybody on the way may have made it up: whether
    the app is the one of the configuration.

    Raises:
        LedgerUnavailable: the gateway doesn't answer, or with another key.
        LedgerRefused: the newest block doesn't hold under the configured orderers.
    """
    height = gateway.height()
    return {
        "gateway": gateway.place,
        "gateway_key": gateway.fingerprint,
        "height": height,
        "first_block": text(gateway.block_info(0), "blockHash"),
        "newest_block": _newest(gateway, trust, height - 1),
        "app_unsigned": _compared(gateway, trust),
        "not_tried": "chaincode and msps: whether they are right shows with the first anchor",
    }


def _newest(gateway: Gateway, trust: Mapping[str, object], number: int) -> str:
    """Who ordered the newest block: wrong certificates show before a transaction is paid."""
    if number < 1:
        return "not checked: there is none but the first"
    try:
        block = parse_block(gateway.block_at(number).octets)
        at = _time(block)
        if at is None:
            return f"not checked: block {number} holds no transaction of a chaincode"
        orderers = check_orderers(block, parse_members(trust), at)
    except (MalformedText, BadSignature) as error:
        raise LedgerRefused(
            f"Block {number} of the channel doesn't hold under the certificates in orderers: "
            f"{error.detail}"
        ) from None
    return f"block {block.number}, ordered by {', '.join(orderers)}"


def _time(block: Block) -> datetime | None:
    """When the newest of the block's transactions was made, by its creator's clock."""
    times = []
    for envelope in block.envelopes:
        with suppress(MalformedText):
            times.append(parse_transaction(envelope).time)
    return max(times, default=None)


def _compared(gateway: Gateway, trust: Mapping[str, object]) -> str:
    """The app's description beside the configuration, in words."""
    try:
        info = gateway.app_info()
    except LedgerUnavailable as error:
        return f"not told: {error.detail}"
    channel, named = str(trust["channel"]), sorted(parse_members(trust).msps)
    wanted = {"channelId": channel, "caType": KEY_TRUST, "algorithmType": ALGORITHMS["r1"]}
    differ = [
        f"{name} is {said(str(info.get(name)))} there and {value} in notary.toml"
        for name, value in wanted.items()
        if info.get(name) != value
    ]
    if info.get("mspId") not in named:
        msps = ", ".join(named)
        differ.append(f"mspId is {said(str(info.get('mspId')))} there, and msps names {msps}")
    return f"differs: {'; '.join(differ)}" if differ else "agrees with notary.toml"
