-- SPDX-License-Identifier: Apache-2.0

-- name: find_erasable_record
-- By the source's name, or what its owner calls it; without a chain in the current one. With
-- the digest that an open dataset's statement has.
SELECT s.id AS source_id, s.name AS source, s.label, s.lane, r.chain, r.n, r.received, r.leaf,
       r.observed, r.key, r.message, r.payload,
       CASE WHEN %(is_open)s THEN coalesce(sha256(r.payload), r.digest) END
           AS digest_in_statement
FROM sources s
JOIN records r ON r.lane = s.lane AND r.source = s.id AND r.n = %(n)s
              AND r.chain = coalesce(%(chain)s, (SELECT chain FROM log))
WHERE s.dataset = %(dataset)s AND (s.name = %(source)s OR s.label = %(source)s)
ORDER BY (s.name = %(source)s) DESC LIMIT 1

-- name: add_erasure
-- Of what is erased already no second one.
INSERT INTO erasures (dataset, source, chain, n, version, ordered, done_by, ground, erased_at,
                      told_source, told_chain, told_n)
SELECT %(dataset)s, %(source)s, %(chain)s, %(n)s, %(version)s, %(ordered)s, %(done_by)s,
       %(ground)s, %(now)s, s.id, %(told_chain)s, %(told_n)s
FROM sources s JOIN datasets d ON d.id = s.dataset
WHERE d.name = %(log)s AND s.name = %(told_source)s
ON CONFLICT DO NOTHING

-- name: list_erasures
-- Of a dataset, by id; or that of a record or a version of it.
SELECT e.id, d.name AS dataset, s.name AS source, e.chain, e.n, e.version, e.ordered,
       e.done_by, e.ground, e.erased_at, k.name AS told_dataset, t.name AS told_source,
       e.told_chain, e.told_n
FROM erasures e
JOIN datasets d ON d.id = e.dataset
JOIN sources t ON t.id = e.told_source
JOIN datasets k ON k.id = t.dataset
LEFT JOIN sources s ON s.id = e.source
WHERE e.dataset = %(dataset)s AND e.id > %(after)s
  AND (%(source)s::integer IS NULL
       OR (e.source = %(source)s AND e.chain = %(chain)s AND e.n = %(n)s))
  AND (%(version)s::integer IS NULL OR e.version = %(version)s)
ORDER BY e.id LIMIT %(limit)s

-- name: erase_record
-- What the statement needs stays: the digest or commitment, until now made from the payload.
UPDATE records
SET digest = coalesce(digest, CASE WHEN %(is_open)s THEN sha256(payload)
                                   ELSE sha256(salt || payload) END),
    payload = NULL, salt = NULL
WHERE lane = %(lane)s AND source = %(source)s AND chain = %(chain)s AND n = %(n)s

-- name: erase_digest
DELETE FROM digests
WHERE digest = %(digest)s AND source = %(source)s AND chain = %(chain)s AND n = %(n)s

-- name: erase_duplicate
-- By the prints, as far as they are known; else by the day.
DELETE FROM duplicates
WHERE n = %(n)s AND chain = %(chain)s
  AND day = %(received)s::timestamptz::date - date '2000-01-01'
  AND (%(key_print)s::bigint IS NULL OR key_print = %(key_print)s)
  AND (%(payload_print)s::integer IS NULL OR payload_print = %(payload_print)s)

-- name: erase_idempotency
-- What was answered with a word of it: a record's leaf, a version's whole answer.
DELETE FROM idempotency WHERE position(%(word)s in answer) > 0

-- name: find_answers_of
-- Answers on their way to devices that speak of a leaf.
SELECT id, answers FROM outbox
WHERE %(dataset)s = ANY(datasets) AND position(%(leaf)s in answers) > 0
ORDER BY id FOR UPDATE

-- name: set_answers
UPDATE outbox SET answers = %(answers)s WHERE id = %(id)s

-- name: find_quarantined_with
-- Messages put aside that hold the payload, also such as were known to belong to no dataset
-- (a short payload must be all of these); packs near it in time, and those of which readings
-- became records later, as a payload need not stand in its pack as it is.
SELECT id FROM quarantine
WHERE (dataset = %(dataset)s
       AND (position(%(payload)s::bytea in payload) > 0
            OR position(%(payload)s::bytea in message) > 0
            OR (parts > 1 AND received BETWEEN %(received)s::timestamptz - interval '10 minutes'
                                           AND %(received)s::timestamptz + interval '10 minutes')
            OR (partly_taken AND received <= %(received)s::timestamptz + interval '10 minutes')))
   OR (dataset IS NULL
       AND (payload = %(payload)s::bytea
            OR (octet_length(%(payload)s::bytea) >= 8
                AND (position(%(payload)s::bytea in payload) > 0
                     OR position(%(payload)s::bytea in message) > 0))))
ORDER BY id FOR UPDATE

-- name: erase_words_of_grant
-- What a record about a grant said stands in the grant too.
UPDATE grants SET purpose = '', approval = ''
WHERE id IN (SELECT granted FROM grant_records
             WHERE source = %(source)s AND chain = %(chain)s AND n = %(n)s AND kind = 'grant')

-- name: erase_words_of_erasure
-- What a record about an erasure said of people stands there too.
UPDATE erasures SET ordered = NULL, done_by = NULL
WHERE told_source = %(source)s AND told_chain = %(chain)s AND told_n = %(n)s

-- name: erase_version
UPDATE versions
SET salt = NULL, secret = NULL, file_digest = NULL, size_bytes = NULL, name = NULL, reason = NULL
WHERE id = %(id)s

-- name: erase_version_parts
DELETE FROM version_parts WHERE version = %(id)s

-- name: erase_version_marks
UPDATE version_tiles SET mark = NULL WHERE version = %(id)s AND mark IS NOT NULL

-- name: erase_uploads
-- Files on their way in: one of them may be the same.
DELETE FROM uploads WHERE dataset = %(dataset)s RETURNING id

-- name: erase_uploaded
-- A statement later, so that what came until then is seen.
WITH parts AS (DELETE FROM version_parts WHERE version = ANY(%(ids)s))
DELETE FROM version_tiles WHERE version = ANY(%(ids)s)

-- name: droppable_batches
-- Of each dataset that keeps content for a time, the first batch that still has it.
SELECT d.id AS dataset, d.keep_days, b.index, b.descriptor
FROM datasets d JOIN batches b ON b.dataset = d.id AND b.number = d.dropped
WHERE d.keep_days IS NOT NULL ORDER BY d.id

-- name: hold_dropping
-- The owner may have changed his mind, and another sealer may have been here.
SELECT 1 FROM datasets
WHERE id = %(dataset)s AND dropped = %(number)s AND keep_days <= %(keep_days)s
FOR NO KEY UPDATE

-- name: drop_payloads
UPDATE records r
SET digest = CASE WHEN r.salt IS NULL THEN sha256(r.payload) ELSE sha256(r.salt || r.payload) END,
    payload = NULL
FROM runs run JOIN sources s ON s.id = run.source
WHERE run.batch = %(batch)s AND r.lane = s.lane AND r.source = run.source
  AND r.chain = run.chain AND r.n >= run.first AND r.n < run.first + run.count
  AND r.payload IS NOT NULL

-- name: find_batch_version
SELECT id FROM versions WHERE batch = %(batch)s

-- name: advance_dropping
UPDATE datasets SET dropped = dropped + 1 WHERE id = %(dataset)s
