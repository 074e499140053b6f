# SPDX-License-Identifier: Apache-2.0
"""What is said of content that isn't here any more: in receipts, and to whoever asks for it."""

from collections.abc import Mapping
from typing import Any

from notary.core.errors import NotaryError
from notary.core.receipt_format import erased_members
from notary.core.receipt_parts import Erased


class ContentErased(NotaryError):
    """The content was erased on its owner's order."""

    code = "content-erased"


class ContentDropped(NotaryError):
    """The content is kept here only for a time, as its owner chose, and that is over."""

    code = "content-dropped"


def erased_of(row: Mapping[str, Any]) -> dict[str, object] | None:
    """
    What a receipt tells of a row's erasure (docs/spec/receipt-v1.md): `at`, `ground` and
    `record` (dataset/source/chain/n); None where it wasn't erased.
    """
    if row["erased_at"] is None:
        return None
    return erased_members(Erased(row["erased_at"], row["erased_ground"], row["erased_record"]))


def gone(row: Mapping[str, Any]) -> NotaryError:
    """Why the content of a row that has none isn't here: ContentErased or ContentDropped."""
    erased = erased_of(row)
    return ContentDropped() if erased is None else ContentErased(None, **erased)
