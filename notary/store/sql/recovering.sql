-- SPDX-License-Identifier: Apache-2.0

-- name: closed_logs
-- Logs that others go on for, each with its last size here.
SELECT origin, last_size FROM recoveries WHERE goes_on <> origin ORDER BY chain

-- name: list_recoveries
SELECT chain, origin, goes_on, last_size, note FROM recoveries ORDER BY chain

-- name: add_recovery
INSERT INTO recoveries (chain, origin, goes_on, last_size, note)
VALUES (%(chain)s, %(origin)s, %(goes_on)s, %(last_size)s, %(note)s)

-- name: recover_log
UPDATE log SET origin = %(origin)s, vkey = %(vkey)s, chain = %(chain)s

-- name: add_to_note
-- A further line of the log's own; the text stays, and so does what others added meanwhile.
UPDATE checkpoints SET note = %(new)s WHERE size = %(size)s AND note = %(note)s

-- name: count_waiting
-- Accepted and not sealed: records, and versions.
SELECT (SELECT coalesce(sum(count), 0)::bigint FROM segments WHERE batch IS NULL),
       (SELECT count(*) FROM versions WHERE batch IS NULL)

-- name: find_batched_dataset
SELECT id, name, batch_count, source_count, last_descriptor, is_open FROM datasets
WHERE name = %(name)s FOR NO KEY UPDATE

-- name: add_lost_owner
-- Whose datasets nobody knows: nobody can sign in as it.
INSERT INTO departments (id, name, created_at, closed_at)
VALUES (%(id)s, %(name)s, %(now)s, %(now)s) ON CONFLICT (id) DO NOTHING

-- name: add_lost_dataset
-- Known by its batches alone; without lanes, so nothing can be handed in to it.
INSERT INTO datasets (name, label, owner, is_open, random_sources, digest_index, lane_count,
                      sharing, last_descriptor, created_at)
VALUES (%(name)s, %(name)s, %(owner)s, %(is_open)s, NOT %(is_open)s, false, 1,
        CASE WHEN %(is_open)s THEN 'unconditional' ELSE 'not-shared' END, %(zero)s, %(now)s)

-- name: add_lost_batch
INSERT INTO lost_batches (batch, run_list, leaves)
VALUES (%(batch)s, %(run_list)s, %(leaves)s)

-- name: find_waiting_version
SELECT id, profile, count, root, hash, corrects FROM versions
WHERE dataset = %(dataset)s AND version = %(version)s AND batch IS NULL

-- name: set_segments_aside
-- They may lie in lost batches, so they are sealed nowhere: accepted again they get new places.
UPDATE segments SET batch = -1 WHERE batch IS NULL

-- name: segments_aside
SELECT number, lane, dataset, chain, sources, counts FROM segments WHERE batch = -1
ORDER BY number LIMIT %(limit)s

-- name: count_aside
SELECT coalesce(sum(count), 0)::bigint FROM segments WHERE batch = -1

-- name: take_segment_again
UPDATE segments SET batch = -2 WHERE number = %(number)s AND batch = -1

-- name: records_aside
-- Of a source's records those that no run holds, from the first of them on.
SELECT d.id AS dataset_id, d.name AS dataset, s.label AS source, r.n, f.by_word, f.type, r.flags,
       r.observed, r.key, r.payload
FROM sources s JOIN datasets d ON d.id = s.dataset
JOIN records r ON r.lane = s.lane AND r.source = s.id AND r.chain = %(chain)s
JOIN forms f ON f.id = r.form
WHERE s.id = %(source)s AND r.n >= %(first)s
ORDER BY r.n LIMIT %(limit)s

-- name: end_of_runs
SELECT coalesce(max(first + count), 0) FROM runs WHERE source = %(source)s AND chain = %(chain)s

-- name: taken_before
-- How many of a source's records in segments that were taken again come before this one.
SELECT coalesce(sum(w.count), 0)::bigint
FROM segments g, unnest(g.sources, g.counts) AS w(source, count)
WHERE g.batch = -2 AND g.chain = %(chain)s AND g.number < %(number)s
  AND w.source = %(source)s

-- name: forget_print
DELETE FROM duplicates WHERE key_print = %(key_print)s AND chain = %(chain)s AND n = %(n)s

-- name: lost_batch
SELECT run_list, leaves FROM lost_batches WHERE batch = %(batch)s

-- name: list_lost_batches
SELECT l.batch, b.dataset, b.descriptor, l.run_list, l.leaves
FROM lost_batches l JOIN batches b ON b.index = l.batch ORDER BY l.batch

-- name: forget_notices
-- Nobody can be told any more that what was set aside is sealed.
DELETE FROM outbox WHERE size IS NULL AND stage = 1

-- name: end_notices
UPDATE outbox SET wants_notices = false WHERE size IS NULL AND stage = 0

-- name: find_recoveries_dataset
SELECT d.id, d.owner, d.kept_for, count(l.id) AS lanes
FROM datasets d LEFT JOIN lanes l ON l.dataset = d.id WHERE d.name = %(name)s GROUP BY d.id

-- name: number_by_tag
-- A source that waits here for its number got it in a lost batch.
UPDATE sources SET number = %(number)s
WHERE dataset = %(dataset)s AND tag = %(tag)s AND number IS NULL

-- name: audit_aside
-- Segments that are sealed nowhere, and no recovery says why.
SELECT number FROM segments
WHERE batch < 0 AND chain >= (SELECT coalesce(max(chain), 0) FROM recoveries)
ORDER BY number LIMIT 1
