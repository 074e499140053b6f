-- SPDX-License-Identifier: Apache-2.0

-- name: add_to_outbox
-- In the transaction that made what is answered. The lanes are locked, so of them no
-- number above `upto` is this commit's or an earlier one's.
INSERT INTO outbox (process, broker, made_at, datasets, lanes, upto, messages, wants_notices,
                    answers)
SELECT %(process)s, %(broker)s, %(now)s, %(datasets)s, %(lanes)s, last_value, %(messages)s,
       %(wants_notices)s, %(answers)s
FROM segment_numbers

-- name: outbox_unpublished
SELECT id, answers FROM outbox
WHERE process = %(process)s AND broker = %(broker)s AND stage = 0 AND id > %(after)s
ORDER BY id LIMIT %(limit)s

-- name: outbox_published
-- Its answers are with the broker: done, or waiting to be sealed.
WITH done AS (DELETE FROM outbox WHERE id = ANY(%(ids)s) AND NOT wants_notices)
UPDATE outbox SET stage = 1 WHERE id = ANY(%(ids)s) AND wants_notices

-- name: outbox_find_sealed
-- Nothing up to its commit waits any more in its lanes: it is in a log of this size.
UPDATE outbox AS o SET size = (SELECT size FROM log)
WHERE process = %(process)s AND size IS NULL AND wants_notices
  AND NOT EXISTS (SELECT FROM segments s
                  WHERE s.batch IS NULL AND s.dataset = ANY(o.datasets) AND s.lane = ANY(o.lanes)
                    AND s.number <= o.upto)

-- name: outbox_noticed
-- Stage 1: under a signed checkpoint; stage 2: under `size` leaves on each ledger.
SELECT id, answers FROM outbox
WHERE process = %(process)s AND broker = %(broker)s AND stage = %(stage)s
  AND size <= %(size)s AND id > %(after)s
ORDER BY id LIMIT %(limit)s

-- name: outbox_move_on
UPDATE outbox SET stage = 2 WHERE id = ANY(%(ids)s)

-- name: outbox_remove
DELETE FROM outbox WHERE id = ANY(%(ids)s)

-- name: outbox_anchored_size
-- The size that each of the ledgers was read back with, the smallest of them; 0 before that.
SELECT coalesce(min(size), 0) FROM (
    SELECT (SELECT max(size) FROM anchors WHERE ledger = w.name AND state = 'verified') AS size
    FROM unnest(%(ledgers)s::text[]) AS w(name)
) AS of_ledger HAVING count(size) = count(*)

-- name: outbox_drop
-- What is too old (of processes that are no more, too), and the oldest of what is too much.
WITH newest AS (
    SELECT id, sum(messages) OVER (ORDER BY id DESC) AS above
    FROM outbox WHERE process = %(process)s
), gone AS (
    DELETE FROM outbox
    WHERE made_at < %(before)s OR id IN (SELECT id FROM newest WHERE above > %(messages)s)
    RETURNING messages, stage
)
SELECT coalesce(sum(messages) FILTER (WHERE stage = 0), 0)::bigint,
       coalesce(sum(messages) FILTER (WHERE stage > 0), 0)::bigint FROM gone

-- name: outbox_waiting
SELECT coalesce(sum(messages), 0)::bigint FROM outbox WHERE process = %(process)s

-- name: find_promised
-- The records that signed acceptances are about; `place` counts from 1 in the order asked for.
SELECT w.place, d.name AS dataset, d.is_open, s.name AS source, r.chain, r.n, r.received,
       f.by_word, f.type, r.leaf, r.observed, r.key, r.message, r.salt, r.digest, r.payload,
       p.leaf AS prev
FROM unnest(%(datasets)s::text[], %(sources)s::text[], %(chains)s::integer[],
            %(ns)s::bigint[]) WITH ORDINALITY AS w(dataset, source, chain, n, place)
JOIN datasets d ON d.name = w.dataset
JOIN sources s ON s.dataset = d.id AND s.name = w.source
JOIN records r ON r.lane = s.lane AND r.source = s.id AND r.chain = w.chain AND r.n = w.n
JOIN forms f ON f.id = r.form
LEFT JOIN records p ON p.lane = s.lane AND p.source = s.id AND p.chain = w.chain AND p.n = w.n - 1
