# SPDX-License-Identifier: Apache-2.0
"""
The list of what was sent and what was answered: writing it, reading it, going on with it.

Its lines are in the docstring of this package. Each is with the system before what it tells
of happens, and on the disk within SYNC_SECONDS.
"""

import fcntl
import json
import os
import stat
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from iot_simulator.formats import Message, Simulated
from notary.core.errors import MalformedText
from notary.core.words import format_time, parse_time

VERSION: Final = "simulated/1"
SYNC_SECONDS: Final = 1.0
Answer = dict[str, Any]
"""What was said of one reading: `state`, and what goes with it."""


@dataclass(slots=True)
class Sent:
    """A message, and by the place of each of its readings what was answered, in order."""

    id: str
    format: str
    topic: str
    message: Message
    bad: bool = False
    answers: dict[int, list[Answer]] = field(default_factory=dict)

    @property
    def gateway(self) -> str:
        """Who sent it."""
        return self.id.rpartition("/")[0]

    @property
    def number(self) -> int:
        """Its number among the gateway's messages, from 0."""
        return int(self.id.rpartition("/")[2])

    def hear(self, place: int, answer: Answer) -> bool:
        """Take an answer about a reading; False where it says nothing new."""
        if type(place) is not int or not 0 <= place < len(self.message.readings):
            raise ValueError(place)
        before = self.answers.setdefault(place, [])
        if any(_says_the_same(answer, one) for one in before):
            return False
        before.append(answer)
        return True

    @property
    def unanswered(self) -> set[int]:
        """The places of readings of which nothing was said yet."""
        return set(range(len(self.message.readings))) - self.answers.keys()


def _says_the_same(answer: Answer, before: Answer) -> bool:
    """Whether two answers name the same record, or none."""
    if "leaf" in answer and "leaf" in before:
        return all(answer.get(name) == before.get(name) for name in ("chain", "n", "leaf"))
    return bool(answer["state"] == before["state"])


@dataclass(slots=True)
class Simulation:
    """A whole list: when it began, by which plan, and its messages by id in their order."""

    begin: datetime
    plan: Mapping[str, object]
    sent: dict[str, Sent]


def read_list(path: Path) -> Simulation | None:
    """
    What a list holds; None: nothing yet. A last line that was cut short by a crash is
    passed over.

    Raises:
        MalformedText: it is no such list.
    """
    head: Simulation | None = None
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.endswith(b"\n"):
                break
            try:
                members = json.loads(line)
                if head is None:
                    head = _read_head(members)
                elif "sent" in members:
                    one = _read_sent(members)
                    head.sent[one.id] = one
                elif (sent := head.sent.get(members.pop("answered"))) is not None:
                    sent.hear(members.pop("place"), members)
            except (ValueError, LookupError, TypeError, AttributeError, MalformedText):
                raise MalformedText(f"{path}: line {number} is not of a list.") from None
    return head


def _read_head(members: dict[str, Any]) -> Simulation:
    if members["list"] != VERSION:
        raise ValueError(members["list"])
    return Simulation(parse_time(members["begin"]), dict(members["plan"]), {})


def _read_sent(members: dict[str, Any]) -> Sent:
    payload = _bytes(members, "message", b"")
    readings = tuple(
        Simulated(one["source"], _bytes(one, "payload", payload), one["observed"], one["key"])
        for one in members["readings"]
    )
    message = Message(payload, readings)
    found = Sent(members["sent"], members["format"], members["topic"], message)
    found.bad = bool(members.get("bad"))
    if found.number < 0 or not found.gateway or not readings:
        raise ValueError(found.id)
    return found


def _bytes(members: Mapping[str, Any], name: str, other: bytes) -> bytes:
    if f"{name}_text" in members:
        return str(members[f"{name}_text"]).encode()
    if f"{name}_base64" in members:
        return b64decode(members[f"{name}_base64"], validate=True)
    return other


class Listing:
    """
    A list that is written. Without a path nothing is kept.

    Raises:
        MalformedText: another simulator writes it, it was begun by other options, or it can't
            be written.
    """

    def __init__(self, path: Path | None, plan: Mapping[str, object], begin: datetime) -> None:
        self._file: int | None = None
        self._path = path
        self.begin = begin
        self._old: dict[str, list[Sent]] = {}
        if path is None:
            return
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise self._unwritable(error) from None
        try:
            if not stat.S_ISREG(os.fstat(self._file).st_mode):
                raise MalformedText(f"{path} is no file that can be gone on with.")
            self._begin(path, plan)
        except BaseException:
            self._let_go()
            raise

    def _begin(self, path: Path, plan: Mapping[str, object]) -> None:
        assert self._file is not None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise MalformedText(f"Another simulator writes {path}.") from None
        found = read_list(path)
        if found is None:
            os.ftruncate(self._file, 0)
            head = {"list": VERSION, "begin": format_time(self.begin), "plan": dict(plan)}
            self._write(head)
            return
        others = [name for name, value in plan.items() if found.plan.get(name) != value]
        if others:
            raise MalformedText(
                f"{path} was begun with another {', '.join(others)}: take the same, or a new list."
            )
        self.begin = found.begin
        for sent in found.sent.values():
            self._old.setdefault(sent.gateway, []).append(sent)
        os.ftruncate(self._file, _whole_lines(path))

    def take(self, gateway: str) -> list[Sent]:
        """What a gateway had sent when the list was taken up, in order; once."""
        return self._old.pop(gateway, [])

    def sent(self, sent: Sent, now: datetime) -> None:
        """A message is about to be sent for the first time."""
        members: dict[str, object] = {"sent": sent.id, "at": format_time(now)}
        members |= {"format": sent.format, "topic": sent.topic}
        if sent.bad:
            members["bad"] = True
        members |= _text_of("message", sent.message.payload)
        members["readings"] = [
            {"source": one.source, "key": one.key, "observed": one.observed}
            | ({} if one.payload == sent.message.payload else _text_of("payload", one.payload))
            for one in sent.message.readings
        ]
        self._write(members)

    def answered(self, id_: str, place: int, answer: Answer, now: datetime) -> None:
        """Something new was said of a reading."""
        self._write({"answered": id_, "place": place, "at": format_time(now)} | answer)

    def sync(self) -> None:
        """Have all of it on the disk."""
        if self._file is not None:
            try:
                os.fdatasync(self._file)
            except OSError as error:
                raise self._unwritable(error) from None

    def close(self) -> None:
        """Sync, and let go."""
        try:
            self.sync()
        finally:
            self._let_go()

    def _let_go(self) -> None:
        if self._file is not None:
            file, self._file = self._file, None
            os.close(file)

    def _write(self, members: Mapping[str, object]) -> None:
        if self._file is None:
            return
        line = json.dumps(members, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        try:
            while line:
                line = line[os.write(self._file, line) :]
        except OSError as error:
            raise self._unwritable(error) from None

    def _unwritable(self, error: OSError) -> MalformedText:
        return MalformedText(f"The list {self._path} can't be written: {error.strerror}.")


def _text_of(name: str, payload: bytes) -> dict[str, object]:
    try:
        return {f"{name}_text": payload.decode()}
    except UnicodeDecodeError:
        return {f"{name}_base64": b64encode(payload).decode()}


def _whole_lines(path: Path) -> int:
    """How many bytes of a file are lines with their end."""
    with path.open("rb") as file:
        return sum(len(line) for line in file if line.endswith(b"\n"))
