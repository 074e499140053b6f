# SPDX-License-Identifier: Apache-2.0
"""An authority by openssl that all tests of a file ask."""

from collections.abc import Iterator

import pytest

from tests.tsa.authority import Authority


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """The authority."""
    return Authority.make(tmp_path_factory.mktemp("tsa"))


@pytest.fixture(scope="module")
def address(authority: Authority) -> Iterator[str]:
    """Where it is asked."""
    with authority.serve() as url:
        yield url
