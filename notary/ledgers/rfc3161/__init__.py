# SPDX-License-Identifier: Apache-2.0
"""
Time-stamping authorities (RFC 3161) as ledgers. See docs/ledgers.md.

An authority keeps nothing: the token that it hands out is all there is of an anchor, and the
notary's own database is what remembers it.
"""

from notary.core.errors import MalformedTrust
from notary.ledgers.http import Endpoint
from notary.ledgers.port import Ledger, Surroundings
from notary.ledgers.rfc3161.certificates import read_certificates
from notary.ledgers.rfc3161.ledger import MAX_ANSWER_BYTES, TimeStampLedger
from notary.ledgers.table import Table


def open_ledger(table: Table, around: Surroundings) -> Ledger | None:
    """The authority of a `[[ledgers]]` table; None after a fault, which the table then holds."""
    # A token is signed over our number and our hash; who reads along learns a hash.
    url = table.url("url", is_signed=True)
    root_file = table.path("root_file")
    policies = table.texts("policies", [])
    timeout_seconds = table.seconds("timeout_seconds", 15.0)
    tls_ca_file = table.path("tls_ca_file", None)
    table.check_no_more()
    if not table.is_good:
        return None
    try:
        trusted = read_certificates(root_file, policies)
    except MalformedTrust as error:
        table.fault(error.detail)
        return None
    endpoint = Endpoint(
        url, timeout_seconds=timeout_seconds, ca_file=tls_ca_file, max_bytes=MAX_ANSWER_BYTES
    )
    return TimeStampLedger(table.name, table.required, table.interval, endpoint, trusted)
