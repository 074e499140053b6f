# SPDX-License-Identifier: Apache-2.0
"""
`notary monitor`: follows the log of any notary as an outsider, over HTTP alone.

It remembers what it saw (`state`), recomputes all that is shown (`entries`, `batches`), holds it
against clocks, ledgers and signed acceptances (`times`, `anchors`, `promises`), and raises alarms
(`alarms`). It needs no database and no secret, and nothing but the standard library.
"""
