# SPDX-License-Identifier: Apache-2.0
"""
A witness (C2SP tlog-witness): another party that cosigns a log's checkpoint after checking
that the log only grew.

It knows no notary from inside and needs no database server: a folder with its key and an
SQLite file is all. See docs/for-witnesses.md.
"""
