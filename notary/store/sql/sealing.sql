-- SPDX-License-Identifier: Apache-2.0

-- name: try_sealer
-- Only saves work: the fence is the log's row.
SELECT pg_try_advisory_xact_lock(7015643)

-- name: list_waiting
-- What waits to be sealed, by dataset.
SELECT dataset, sum(count)::bigint AS count, min(received) AS oldest
FROM segments WHERE batch IS NULL GROUP BY dataset ORDER BY min(received)

-- name: waiting_segments
-- In the order of their numbers, which in a lane is the order of commits.
SELECT number, chain, count, sources, counts FROM segments
WHERE dataset = %(dataset)s AND batch IS NULL ORDER BY number

-- name: sealing_sources
-- The sources of a batch with the end of their last sealed run.
SELECT s.id, s.lane, s.number, s.tag, r.first + r.count AS next, r.last
FROM sources s
LEFT JOIN LATERAL (
    SELECT first, count, last FROM runs
    WHERE source = s.id AND chain = %(chain)s ORDER BY first DESC LIMIT 1
) AS r ON true
WHERE s.id = ANY(%(ids)s)

-- name: sealing_leaves
-- For each run its leaves in the order of n, joined, and its received times at both ends. Run by
-- run through the primary key: as one join, the planner reads all records there ever were.
-- A doubled n is not counted twice, a leaf of another length not at all.
SELECT w.source, f.*
FROM unnest(%(lanes)s::integer[], %(sources)s::integer[], %(firsts)s::bigint[],
            %(counts)s::bigint[]) AS w(lane, source, first, count)
CROSS JOIN LATERAL (
    SELECT count(DISTINCT r.n), string_agg(r.leaf, ''::bytea ORDER BY r.n),
           min(r.received), max(r.received)
    FROM records r
    WHERE r.lane = w.lane AND r.source = w.source AND r.chain = %(chain)s
      AND r.n >= w.first AND r.n < w.first + w.count AND octet_length(r.leaf) = 32
) AS f(count, leaves, first, last)
WHERE f.count > 0

-- name: get_sealing_dataset
SELECT name, batch_count, source_count, last_descriptor FROM datasets
WHERE id = %(dataset)s FOR NO KEY UPDATE

-- name: number_sources
UPDATE sources SET number = w.number
FROM unnest(%(ids)s::integer[], %(numbers)s::integer[]) AS w(id, number)
WHERE sources.id = w.id

-- name: add_batch
INSERT INTO batches (index, dataset, number, count, leaf, sealed_at, descriptor)
VALUES (%(index)s, %(dataset)s, %(number)s, %(count)s, %(leaf)s, %(now)s, %(descriptor)s)

-- name: advance_dataset
UPDATE datasets SET batch_count = batch_count + 1, source_count = %(source_count)s,
                    last_descriptor = %(leaf)s
WHERE id = %(dataset)s

-- name: mark_segments
UPDATE segments SET batch = %(batch)s WHERE number = ANY(%(numbers)s)

-- name: advance_log
UPDATE log SET size = %(size)s

-- name: add_log_hash
INSERT INTO log_hashes (level, index, hash) VALUES (%(level)s, %(index)s, %(hash)s)

-- name: log_hash_tile
-- A tile of the log, or the beginning of one.
SELECT string_agg(hash, ''::bytea ORDER BY index) FROM log_hashes
WHERE level = %(level)s AND index >= %(start)s AND index < %(stop)s

-- name: copy_batch_tiles
COPY batch_tiles (batch, index, tree, level, data, middle) FROM STDIN (FORMAT binary)

-- name: copy_runs
COPY runs (source, chain, first, batch, position, number, count, start, prev, last)
FROM STDIN (FORMAT binary)

-- name: add_checkpoint
-- Committed before it is signed; the primary key allows one root for each size.
INSERT INTO checkpoints (size, root, committed_at) VALUES (%(size)s, %(root)s, %(now)s)
ON CONFLICT (size) DO NOTHING

-- name: unsigned_checkpoints
SELECT size, root FROM checkpoints WHERE note IS NULL ORDER BY size

-- name: set_note
UPDATE checkpoints SET note = %(note)s, signed_at = %(now)s
WHERE size = %(size)s AND note IS NULL
