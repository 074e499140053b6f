# SPDX-License-Identifier: Apache-2.0
"""Ports on the loopback address: a free one, and a taken one named."""

import errno
import random
import socket

from notary.local.errors import PortTaken

LOOPBACK = "127.0.0.1"

# Below the range from which systems draw ports for outgoing connections (Linux: 32768),
# so that no connection takes the port between two starts.
LOWEST, HIGHEST = 20000, 32000


def is_free(port: int) -> bool:
    """
    Tell whether a server could listen on this port of the loopback address now.

    A port where somebody listens on all addresses is not free.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: a connection that lingers from before is no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
            probe.listen(1)
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                return False
            raise
    return True


def free_port() -> int:
    """Find a port that nobody listens on. Another program may still take it first."""
    for port in random.sample(range(LOWEST, HIGHEST), 200):
        if is_free(port):
            return port
    raise PortTaken(f"No free port was found between {LOWEST} and {HIGHEST} on {LOOPBACK}.")


def require_free(port: int, part: str, variable: str | None = None) -> int:
    """
    Return the port when it is free.

    `part` is what it is wanted for, `variable` the setting by which another is chosen.

    Raises:
        PortTaken: another program listens there; the sentence names port, part and setting.
    """
    if not is_free(port):
        raise PortTaken(taken(port, part, variable))
    return port


def taken(port: int, part: str, variable: str | None = None) -> str:
    """Say that a port is taken, and what to do."""
    remedy = f"choose another with {variable}=PORT" if variable else "choose another port"
    return (
        f"Port {port} of {LOOPBACK}, wanted for {part}, is taken by another program: "
        f"stop that program or {remedy}."
    )
