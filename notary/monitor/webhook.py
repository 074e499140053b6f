# SPDX-License-Identifier: Apache-2.0
"""
Telling alarms to a webhook: each when it is raised and when it ends, at least once.

The address may hold a secret: it is read from a file, and never shown.
"""

import json
from itertools import islice
from pathlib import Path
from typing import Final

from notary.core.monitor_report import Alarm
from notary.core.words import format_time
from notary.monitor.alarms import mark_told, standing, untold
from notary.monitor.errors import MonitorRefused
from notary.monitor.state import State
from notary.outside.errors import BadAnswer, Unreachable
from notary.outside.web import Web

MAX_URL_BYTES: Final = 4096
AT_ONCE: Final = 100
SECONDS: Final = 10.0


def open_webhook(path: Path, ca_file: Path | None) -> Web:
    """
    The webhook whose address stands in a file, by https or on this machine.

    Raises:
        MonitorRefused: no-file, bad-webhook.
    """
    try:
        with path.open("rb") as file:
            url = file.read(MAX_URL_BYTES).decode().strip()
        web = Web(url, ca_file, seconds=SECONDS, has_query=True)
    except OSError as error:
        raise MonitorRefused("no-file", path=str(path), why=error.strerror) from None
    except (UnicodeDecodeError, Unreachable):
        raise MonitorRefused("bad-webhook", path=str(path)) from None
    if not web.address.is_safe:
        raise MonitorRefused("bad-webhook", path=str(path))
    return web


def tell(state: State, web: Web) -> str | None:
    """
    Send what it wasn't told yet; None, or why it couldn't be: then it is sent at the next look.
    """
    while True:
        some = list(islice(untold(state), AT_ONCE))
        if not some:
            return None
        message = {
            "origin": state.get("origin"),
            "standing": standing(state),
            "alarms": [_members(alarm) for _, alarm in some],
        }
        try:
            web.post(json.dumps(message).encode(), {"Content-Type": "application/json"})
        except Unreachable as error:
            return error.reason
        except BadAnswer as error:
            return str(error.status) if error.reason == "status" else error.reason
        with state:
            mark_told(state, [number for number, _ in some])


def _members(alarm: Alarm) -> dict[str, object]:
    ended = {} if alarm.ended is None else {"ended": format_time(alarm.ended)}
    return {"kind": alarm.kind, "at": format_time(alarm.at), "facts": dict(alarm.facts), **ended}
