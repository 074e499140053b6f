# SPDX-License-Identifier: Apache-2.0
"""The end of a process before or after a commit."""

import pytest

from notary.store.pool import Transaction


class PowerCut(BaseException):
    """What no handler expects: the process is gone."""


def cut_commit(patch: pytest.MonkeyPatch, query: str, *, after: bool) -> None:
    """The process ends before or after the commit of a transaction with this query."""
    real = Transaction.do

    def do(tx: Transaction, name: str, /, **values: object) -> int:
        if name != query:
            return real(tx, name, **values)
        if after:
            real(tx, name, **values)
            tx.connection.commit()
        raise PowerCut

    patch.setattr(Transaction, "do", do)
