# SPDX-License-Identifier: Apache-2.0
"""What is said of content that isn't here any more: in receipts, and to whoever asks for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from notary.core.errors import NotaryError
from notary.core.words import format_time


class ContentErased(NotaryError):
    """The content was erased on its owner's order."""

    code = "content-erased"


class ContentDropped(NotaryError):
    """The content is kept here only for a time, as its owner chose, and that is over."""

    code = "content-dropped"


@dataclass(frozen=True, slots=True)
class Erased:
    """When, on what ground, and which record (dataset/source/chain/n) says so."""

    at: datetime
    ground: str
    record: str

    def members(self) -> dict[str, str]:
        """As a receipt has it (docs/spec/receipt-v1.md)."""
        return {"at": format_time(self.at), "ground": self.ground, "record": self.record}


def erased_of(row: Mapping[str, Any]) -> Erased | None:
    """What is told of a row's erasure: `erased_at`, `erased_ground` and `erased_record`."""
    if row["erased_at"] is None:
        return None
    return Erased(row["erased_at"], row["erased_ground"], row["erased_record"])


def gone(row: Mapping[str, Any]) -> NotaryError:
    """Why the content of a row that has none isn't here: ContentErased or ContentDropped."""
    erased = erased_of(row)
    return ContentDropped() if erased is None else ContentErased(**erased.members())
