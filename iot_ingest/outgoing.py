# SPDX-License-Identifier: Apache-2.0
"""What goes back to devices, and by which way: a promise that `mqtt_publish` keeps."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from notary.core.errors import NotaryError


class BrokerAway(NotaryError):
    """The broker can't be reached; what is to be told waits in the outbox."""

    code = "broker-away"


@dataclass(frozen=True, slots=True)
class Letter:
    """One message to a device."""

    topic: str
    payload: bytes
    correlation: bytes | None


class Way(Protocol):
    """A connection to one broker."""

    def deliver(self, letters: Sequence[Letter]) -> int:
        """
        Publish at QoS 1; returns once the broker has acknowledged all.

        Returns how many it refused for good (the access list forbids the topic, say).

        Raises:
            BrokerAway: perhaps some were published; nothing is known of them.
        """

    def leave(self) -> None:
        """Give up whatever is waited for, and disconnect."""
