-- SPDX-License-Identifier: Apache-2.0

-- name: prepare_migrations
-- One process at a time, and the table that remembers.
SELECT pg_advisory_xact_lock(7015642);
CREATE TABLE IF NOT EXISTS migrations (
    number integer PRIMARY KEY,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamptz NOT NULL
)

-- name: has_migrations
SELECT to_regclass('migrations') IS NOT NULL

-- name: list_migrations
SELECT number, name, checksum FROM migrations ORDER BY number

-- name: add_migration
INSERT INTO migrations (number, name, checksum, applied_at)
VALUES (%(number)s, %(name)s, %(checksum)s, %(now)s)
