-- SPDX-License-Identifier: Apache-2.0

-- name: find_datasets
-- Settled facts of datasets, with their lanes in the order of position.
SELECT d.id, d.name, d.is_open, d.random_sources, d.digest_index,
       array_agg(l.id ORDER BY l.position) AS lanes
FROM datasets d JOIN lanes l ON l.dataset = d.id
WHERE d.name = ANY(%(names)s)
GROUP BY d.id

-- name: lock_free_lanes
-- What can be had at once, in ascending order; a held lane is put aside.
SELECT id, version, to_regclass('records')::oid::bigint AS records
FROM lanes WHERE id = ANY(%(ids)s) ORDER BY id FOR UPDATE SKIP LOCKED

-- name: lock_lanes
SELECT id, version, to_regclass('records')::oid::bigint AS records
FROM lanes WHERE id = ANY(%(ids)s) ORDER BY id FOR UPDATE

-- name: find_sources
SELECT s.id, s.dataset, s.label, s.name FROM sources s
JOIN unnest(%(datasets)s::integer[], %(labels)s::text[]) AS w(dataset, label)
  ON s.dataset = w.dataset AND s.label = w.label

-- name: add_sources
INSERT INTO sources (dataset, lane, label, name, tag_salt, tag)
SELECT * FROM unnest(%(datasets)s::integer[], %(lanes)s::integer[], %(labels)s::text[],
                     %(names)s::text[], %(salts)s::bytea[], %(tags)s::bytea[])
RETURNING id, dataset, label, name

-- name: find_heads
-- The last record of each source, by the primary key.
SELECT w.source, r.chain, r.n, r.leaf, r.received
FROM unnest(%(lanes)s::integer[], %(sources)s::integer[]) AS w(lane, source)
CROSS JOIN LATERAL (
    SELECT chain, n, leaf, received FROM records
    WHERE lane = w.lane AND source = w.source
    ORDER BY chain DESC, n DESC LIMIT 1
) AS r

-- name: find_duplicates
-- In a later statement than the lock, so that what the last holder committed is seen. One
-- look into the index a key, whatever is known of the table: it grows faster than its statistics.
SELECT d.key_print, d.payload_print, d.n, d.chain
FROM unnest(%(prints)s::bigint[]) AS w(key_print)
CROSS JOIN LATERAL (
    SELECT key_print, payload_print, n, chain FROM duplicates
    WHERE key_print = w.key_print ORDER BY key_print LIMIT %(limit)s
) AS d

-- name: find_accepted
-- Records that came before, each by the primary key.
SELECT w.source, w.chain, w.n, r.leaf, r.received, r.payload
FROM unnest(%(lanes)s::integer[], %(sources)s::integer[], %(chains)s::integer[],
            %(ns)s::bigint[]) AS w(lane, source, chain, n)
CROSS JOIN LATERAL (
    SELECT leaf, received, payload FROM records
    WHERE lane = w.lane AND source = w.source AND chain = w.chain AND n = w.n
    ORDER BY received LIMIT 1
) AS r

-- name: find_form
SELECT id FROM forms WHERE by_word = %(by)s AND type = %(type)s

-- name: add_form
INSERT INTO forms (by_word, type) VALUES (%(by)s, %(type)s)
ON CONFLICT (by_word, type) DO NOTHING

-- name: draw_segment
SELECT nextval('segment_numbers')

-- name: add_segment
INSERT INTO segments (number, lane, dataset, chain, count, received, sources, counts)
VALUES (%(number)s, %(lane)s, %(dataset)s, %(chain)s, %(count)s, %(received)s,
        %(sources)s::integer[], %(counts)s::integer[])

-- name: raise_lanes
UPDATE lanes SET version = version + 1 WHERE id = ANY(%(ids)s)

-- name: copy_records
COPY records (lane, source, n, received, chain, form, flags, leaf, observed, key, message,
              salt, payload) FROM STDIN (FORMAT binary)

-- name: copy_duplicates
COPY duplicates (key_print, n, payload_print, chain, day)
FROM STDIN (FORMAT binary)

-- name: copy_digests
COPY digests (digest, source, chain, n) FROM STDIN (FORMAT binary)

-- name: claim_idempotency_key
-- Waits for a request with the same key that is under way.
INSERT INTO idempotency (api_key, key, body_print, answer, created_at)
VALUES (%(api_key)s, %(key)s, %(body_print)s, '', %(now)s)
ON CONFLICT (api_key, key) DO NOTHING

-- name: get_idempotency
SELECT body_print, answer FROM idempotency WHERE api_key = %(api_key)s AND key = %(key)s

-- name: set_idempotency_answer
UPDATE idempotency SET answer = %(answer)s WHERE api_key = %(api_key)s AND key = %(key)s

-- name: forget_keys
-- The stated horizon of duplicate detection and of Idempotency-Keys.
WITH old AS (DELETE FROM duplicates WHERE day < %(before)s::date - date '2000-01-01')
DELETE FROM idempotency WHERE created_at < %(before)s

-- name: count_repeats
-- Requires the lanes of the sources to be locked.
INSERT INTO repeats AS r (source, count)
SELECT * FROM unnest(%(sources)s::integer[], %(counts)s::integer[])
ON CONFLICT (source) DO UPDATE SET count = r.count + excluded.count
