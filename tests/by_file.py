# SPDX-License-Identifier: Apache-2.0
"""Which tests stay together in one worker: those of a file, and of all files on one first run."""

from xdist.scheduler import LoadFileScheduling

ON_THE_FIRST_RUN = {
    f"tests/acceptance/{name}.py"
    for name in ("test_docs", "test_independent_log", "test_independent_receipts", "test_make_run")
}
"""They use the fixture `first_run`, in this order: the last one ends it."""


class ByFile(LoadFileScheduling):
    """Hands out whole files, in their order: what their tests share is made once."""

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        return "the first run" if file in ON_THE_FIRST_RUN else file
