# SPDX-License-Identifier: Apache-2.0
r"""
HJ 212-2017 and HJ 212-2025: frames of pollution sources and monitoring stations.

    ## LLLL QN=...;ST=..;CN=....;PW=...;MN=...;Flag=.;[PNUM=.;PNO=.;]CP=&&...&& CRCC \r\n
       |    `------------------------ LLLL bytes ------------------------------' `- hexadecimal
       `- four decimal digits             (blanks only here, for the eye)

A message holds one frame or several; each is one reading, its bytes as they came, from `##`
to CR LF. The source is MN, the key QN, or QN/PNO of a split packet, the sender's time
DataTime as sent (Beijing time, without a zone), or QN where there is none.

PW is a password, so no detail of a fault repeats a value or says which CRC would be right.
"""

import re
from collections.abc import Sequence
from typing import Final

from iot_ingest.codecs import Decoded, Fault, Members, too_large
from iot_ingest.codecs.crc import crc16_hj212, crc16_modbus
from notary.core.errors import MalformedText
from notary.core.words import check_id

MAX_FRAMES: Final = 10_000
_TAIL_BYTES: Final = len("CRCC\r\n")
_MAX_FLAG: Final = 255
_FLAG_SPLIT: Final = 2
_CUT = re.compile(rb"(?<=\r\n)(?=##)")
_HEAD = re.compile(rb"##([0-9]{4})")
_TAIL = re.compile(rb"([0-9A-Fa-f]{4})\r\n")
_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")
_FORMS: Final = {
    "QN": (re.compile(r"[0-9]{17}"), "the time of the request as 17 digits"),
    "ST": (re.compile(r"[0-9A-Za-z]{2}"), "2 letters or digits"),
    "CN": (re.compile(r"[0-9]{4}"), "4 digits"),
    "PW": (re.compile(r"[!-~]{1,64}"), "1 to 64 visible characters"),
    "MN": (re.compile(r"[!-~]{1,128}"), "the id of the device"),
    "Flag": (re.compile(r"[0-9]{1,3}"), "a number from 0 to 255"),
    "PNUM": (re.compile(r"[0-9]{1,4}"), "a number of at most 4 digits"),
    "PNO": (re.compile(r"[0-9]{1,4}"), "a number of at most 4 digits"),
}
_REQUIRED: Final = ("QN", "ST", "CN", "PW", "MN", "Flag")
_DATA_TIME = re.compile(r"[0-9]{14}")


def decode_hj212(payload: bytes, members: Members) -> Sequence[Decoded | Fault]:
    """
    One reading a frame. A broken one costs itself: the next begins at CR LF `##`.
    """
    if not payload:
        return [Fault(payload, "empty", "The message holds no frame.")]
    frames = _CUT.split(payload, MAX_FRAMES)
    if len(frames) > MAX_FRAMES:
        return [Fault(payload, "too-many", f"The message has more than {MAX_FRAMES} frames.")]
    return [_decode(frame, members) for frame in frames]


def _decode(frame: bytes, members: Members) -> Decoded | Fault:
    if len(frame) > members.max_bytes:
        return too_large(frame, members)
    try:
        fields, content = _fields(_segment(frame))
        _check(fields)
        observed = _data_time(content) or fields["QN"]
    except MalformedText as error:
        return Fault(frame, str(error.facts.get("reason", "bad-value")), error.detail)
    key = f"{fields['QN']}/{int(fields['PNO'])}" if "PNO" in fields else fields["QN"]
    return Decoded(frame, observed, key, fields["MN"])


def _segment(frame: bytes) -> bytes:
    """The data segment of a whole frame (HJ 212-2017, 6.3.1 and annex A)."""
    head, tail = _HEAD.match(frame), _TAIL.fullmatch(frame[-_TAIL_BYTES:])
    if head is None:
        raise MalformedText(
            "The frame must begin with ## and its length in 4 digits.", reason="bad-start"
        )
    if tail is None:
        raise MalformedText(
            "The frame must end with a CRC of 4 hexadecimal digits, CR and LF.", reason="bad-end"
        )
    segment = frame[head.end() : -_TAIL_BYTES]
    if len(segment) != int(head[1]):
        raise MalformedText(
            f"The data segment has {len(segment)} bytes, and its length says {int(head[1])}.",
            reason="bad-length",
        )
    given = int(tail[1], 16)
    if given != crc16_hj212(segment):
        other = " It is Modbus' CRC, which isn't that of HJ 212."
        raise MalformedText(
            "The CRC doesn't belong to the data segment."
            + (other if given == crc16_modbus(segment) else ""),
            reason="bad-crc",
        )
    return segment


def _fields(segment: bytes) -> tuple[dict[str, str], str]:
    """The fields before CP, and what stands between the two `&&` of CP."""
    if _CONTROL.search(segment):
        raise _bad("The data segment holds a control character.")
    try:
        text = segment.decode("utf-8")
    except UnicodeDecodeError:
        raise MalformedText("The data segment is not UTF-8.", reason="not-utf-8") from None
    before, cp, content = text.partition(";CP=&&")
    if not cp:
        raise MalformedText("CP=&&…&& is missing.", reason="missing")
    content, end, rest = content.partition("&&")
    if not end or rest:
        raise _bad("CP must end with &&, at the end of the data segment.")
    fields: dict[str, str] = {}
    for field in before.split(";"):
        name, equals, value = field.partition("=")
        if not equals or not name:
            raise _bad("A field before CP is not of the form NAME=VALUE.")
        if name in fields:
            raise _bad("A field before CP stands twice.")
        fields[name] = value
    return fields, content


def _check(fields: dict[str, str]) -> None:
    """The fields that are known (HJ 212-2017, 6.3.2); others are passed over."""
    for name in _REQUIRED:
        if name not in fields:
            raise MalformedText(f"{name} is missing.", reason="missing")
    for name, (form, words) in _FORMS.items():
        if name in fields and not form.fullmatch(fields[name]):
            raise _bad(f"{name} must be {words}.")
    check_id(fields["MN"], "device (MN)")
    if int(fields["Flag"]) > _MAX_FLAG:
        raise _bad("Flag must be a number from 0 to 255.")
    if ("PNUM" in fields) != ("PNO" in fields):
        raise MalformedText("Of PNUM and PNO one is missing.", reason="missing")
    if "PNO" in fields:
        if not 1 <= int(fields["PNO"]) <= int(fields["PNUM"]):
            raise _bad("PNO must be a number from 1 to PNUM.")
    elif int(fields["Flag"]) & _FLAG_SPLIT:
        raise MalformedText(
            "Flag says that the packet is split, and PNUM and PNO are missing.",
            reason="missing",
        )


def _data_time(content: str) -> str | None:
    """DataTime as it was sent, None where CP has none."""
    found = [
        item.removeprefix("DataTime=")
        for item in re.split("[;,]", content)
        if item.startswith("DataTime=")
    ]
    if not found:
        return None
    if len(found) > 1:
        raise _bad("DataTime stands twice in CP.")
    if not _DATA_TIME.fullmatch(found[0]):
        raise _bad("DataTime must be 14 digits, the year first.")
    return found[0]


def _bad(detail: str) -> MalformedText:
    return MalformedText(detail, reason="bad-value")
