# SPDX-License-Identifier: Apache-2.0
"""gunicorn for a witness, without a configuration file or an environment to be read."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from gunicorn.app.base import BaseApplication

from notary.witness.app import App
from notary.witness.judge import Witness
from notary.witness.state import State

WORKERS, THREADS = 2, 8
TIMEOUT_SECONDS = 30


class Server(BaseApplication):  # type: ignore[misc]
    """A witness on an address; `run` serves until SIGTERM."""

    def __init__(self, state: State, address: str, clock: Callable[[], datetime]) -> None:
        self._state = state
        self._address = address
        self._clock = clock
        super().__init__()

    def load_config(self) -> None:
        """Threads, so that one slow caller holds up no other."""
        memory = {"worker_tmp_dir": "/dev/shm"} if Path("/dev/shm").is_dir() else {}
        options: dict[str, Any] = {
            "bind": [self._address],
            "workers": WORKERS,
            "threads": THREADS,
            "worker_class": "gthread",
            "timeout": TIMEOUT_SECONDS,
            "loglevel": "warning",
            "control_socket_disable": True,
            "limit_request_fields": 32,
            **memory,
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> App:
        """The application of one worker."""
        return App(Witness(self._state), self._clock)
