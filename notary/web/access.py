# SPDX-License-Identifier: Apache-2.0
"""Whose pages are shown to whom: what isn't open is as if it weren't there."""

from notary.api.services import services
from notary.usecases.datasets import DatasetFacts, get_dataset


def find_dataset(name: str) -> DatasetFacts:
    """An open dataset. Raises NotFound, as for a name that doesn't exist."""
    return get_dataset(services().pool, name, None)
