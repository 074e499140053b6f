# SPDX-License-Identifier: Apache-2.0
"""
Fields whose faults are codes, and that take no value of another kind for theirs.

They read what `notary.core.strict_json` gives: its numbers are texts of a type of their own.
"""

import binascii
from base64 import b64decode, b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from marshmallow import Schema, ValidationError, fields

from notary.core.errors import MalformedText
from notary.core.strict_json import Number
from notary.core.words import check_id, check_string, check_type, format_time

MAX_MOMENT_CHARACTERS = 40
CODES: dict[str, str | list[Any] | dict[Any, Any]] = {
    "required": "missing",
    "null": "null",
    "validator_failed": "invalid",
    "invalid": "invalid",
}


class Strict(Schema):
    """A schema that takes an object of its members and nothing else."""

    error_messages: dict[str, str] = {"unknown": "unknown", "type": "object"}  # noqa: RUF012


class Checked(fields.String):
    """A string that one of core's checks takes; what it doesn't take has the field's code."""

    def __init__(self, check: Callable[[object], object], code: str, **more: Any) -> None:
        super().__init__(error_messages=CODES, **more)
        self._check, self._code = check, code

    def _deserialize(self, value: Any, attr: Any, data: Any, **more: Any) -> str:
        if type(value) is not str:
            raise ValidationError("string")
        try:
            self._check(value)
        except MalformedText:
            raise ValidationError(self._code) from None
        return value


class Id(Checked):
    """An id of a dataset or a source."""

    def __init__(self, **more: Any) -> None:
        metadata = {"pattern": "^[A-Za-z0-9._:-]{1,128}$"}
        super().__init__(check_id, "id", metadata=metadata, **more)


class Text(Checked):
    """1 to `most` Unicode scalar values, no control characters."""

    def __init__(self, most: int, **more: Any) -> None:
        metadata = {"minLength": 1, "maxLength": most, **more.pop("metadata", {})}
        super().__init__(
            lambda value: check_string(value, "text", most), "text", metadata=metadata, **more
        )


class MediaType(Checked):
    """A media type in lower case, without parameters."""

    def __init__(self, **more: Any) -> None:
        metadata = {"maxLength": 127, "example": "application/json"}
        super().__init__(check_type, "media-type", metadata=metadata, **more)


class PayloadText(fields.String):
    """Any text without half a surrogate pair; its UTF-8 bytes are the payload."""

    def __init__(self, **more: Any) -> None:
        super().__init__(error_messages=CODES, **more)

    def _deserialize(self, value: Any, attr: Any, data: Any, **more: Any) -> Any:
        if type(value) is not str:
            raise ValidationError("string")
        try:
            return value.encode()
        except UnicodeEncodeError:
            raise ValidationError("surrogate") from None


class PayloadBase64(fields.String):
    """Bytes in padded base64 (RFC 4648 section 4), in its one canonical spelling."""

    def __init__(self, **more: Any) -> None:
        super().__init__(error_messages=CODES, **more)

    def _deserialize(self, value: Any, attr: Any, data: Any, **more: Any) -> Any:
        if type(value) is not str:
            raise ValidationError("string")
        try:
            payload = b64decode(value.encode("ascii"), validate=True)
        except (UnicodeEncodeError, binascii.Error):
            raise ValidationError("base64") from None
        if b64encode(payload).decode() != value:
            raise ValidationError("base64")
        return payload


class Flag(fields.Boolean):
    """true or false, and neither 1 nor "yes"."""

    def __init__(self, **more: Any) -> None:
        super().__init__(error_messages=CODES, **more)

    def _deserialize(self, value: Any, attr: Any, data: Any, **more: Any) -> Any:
        if not isinstance(value, bool):
            raise ValidationError("boolean")
        return value


class Whole(fields.Integer):
    """A whole number between two bounds; in a query (`text`) as a text of digits."""

    def __init__(self, low: int, high: int, *, text: bool = False, **more: Any) -> None:
        metadata = {"minimum": low, "maximum": high, **more.pop("metadata", {})}
        super().__init__(error_messages=CODES, metadata=metadata, **more)
        self._low, self._high, self._kind = low, high, str if text else Number

    def _deserialize(self, value: Any, attr: Any, data: Any, **more: Any) -> int:
        if type(value) is not self._kind or not (value.isascii() and value.isdigit()):
            raise ValidationError("integer")
        if len(value) > 16 or not self._low <= int(value) <= self._high:
            raise ValidationError("range")
        return int(value)


class Moment(fields.String):
    """A time on its way in: RFC 3339 with its zone, as a datetime in UTC."""

    def __init__(self, **more: Any) -> None:
        super().__init__(error_messages=CODES, **more)

    def _deserialize(self, value: Any, attr: Any, data: Any, **more: Any) -> Any:
        if type(value) is not str or len(value) > MAX_MOMENT_CHARACTERS:
            raise ValidationError("moment")
        try:
            moment = datetime.fromisoformat(value)
            if moment.tzinfo is None:
                raise ValueError(value)
            return moment.astimezone(UTC)
        except (ValueError, OverflowError):
            raise ValidationError("moment") from None


class Time(fields.String):
    """A time on its way out: UTC, six decimals."""

    def _serialize(self, value: Any, attr: Any, obj: Any, **more: Any) -> Any:
        return format_time(value) if isinstance(value, datetime) else value


class Hash(fields.String):
    """32 bytes on their way out: 64 lower-case hexadecimal digits."""

    def _serialize(self, value: Any, attr: Any, obj: Any, **more: Any) -> Any:
        return value.hex() if isinstance(value, bytes) else value
