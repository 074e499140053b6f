-- SPDX-License-Identifier: Apache-2.0

-- name: incarnation
-- What tells this database from a copy, a restored dump or another one. The position is
-- that of the flushed log: what a power cut may still take back is not counted.
SELECT (SELECT system_identifier::text FROM pg_control_system()) AS system,
       (SELECT oid::bigint FROM pg_database WHERE datname = current_database()) AS database,
       to_regclass('records')::oid::bigint AS records,
       (pg_current_wal_flush_lsn() - '0/0'::pg_lsn)::bigint AS written

-- name: server
SELECT current_setting('server_version_num')::integer, current_setting('fsync'),
       current_setting('full_page_writes')

-- name: get_log
SELECT origin, vkey, size, chain FROM log

-- name: lock_log
-- The fence: whoever appends or signs holds this row.
SELECT origin, vkey, size, chain FROM log FOR UPDATE

-- name: add_log
INSERT INTO log (origin, vkey, created_at) VALUES (%(origin)s, %(vkey)s, %(now)s)

-- name: get_checkpoint
SELECT size, root, note FROM checkpoints WHERE size = %(size)s

-- name: newest_committed_checkpoint
SELECT size, root, note FROM checkpoints ORDER BY size DESC LIMIT 1

-- name: newest_checkpoint
SELECT size, root, note, signed_at FROM checkpoints
WHERE note IS NOT NULL ORDER BY size DESC LIMIT 1

-- name: get_signed_checkpoint
SELECT size, root, note, signed_at FROM checkpoints WHERE size = %(size)s AND note IS NOT NULL

-- name: beat
INSERT INTO heartbeats (process, seen_at, facts) VALUES (%(process)s, %(now)s, %(facts)s)
ON CONFLICT (process) DO UPDATE SET seen_at = excluded.seen_at, facts = excluded.facts

-- name: list_heartbeats
-- A process that was given up a week before the newest sign of life is no longer told of.
SELECT process, seen_at, facts FROM heartbeats
WHERE seen_at > (SELECT max(seen_at) FROM heartbeats) - interval '7 days' ORDER BY process
