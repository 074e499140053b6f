-- SPDX-License-Identifier: Apache-2.0

-- name: list_sources
-- Sources of a dataset by name, each with the end of its chain; with `registered` those too
-- that have none yet.
SELECT s.name AS source, s.label, r.title, r.registered_at, r.revoked_at, head.chain, head.n,
       head.key, head.observed, head.received, head.leaf
FROM sources s
LEFT JOIN registrations r ON r.source = s.id
LEFT JOIN LATERAL (
    SELECT chain, n, key, observed, received, leaf FROM records
    WHERE lane = s.lane AND source = s.id ORDER BY chain DESC, n DESC LIMIT 1
) AS head ON true
WHERE s.dataset = %(dataset)s AND s.name > %(after)s
  AND (head.n IS NOT NULL OR (%(registered)s AND r.source IS NOT NULL))
ORDER BY s.name LIMIT %(limit)s

-- name: get_source
-- By its name, or (for who may read a closed dataset) by its label.
SELECT s.name AS source, s.label, s.lane, s.id, head.chain, head.n, head.key, head.observed,
       head.received, head.leaf, r.title, r.registered_at, r.revoked_at
FROM sources s
LEFT JOIN registrations r ON r.source = s.id
LEFT JOIN LATERAL (
    SELECT chain, n, key, observed, received, leaf FROM records
    WHERE lane = s.lane AND source = s.id ORDER BY chain DESC, n DESC LIMIT 1
) AS head ON true
WHERE s.dataset = %(dataset)s AND (s.name = %(source)s OR s.label = %(source)s)
  AND (head.n IS NOT NULL OR (%(registered)s AND r.source IS NOT NULL))
ORDER BY (s.name = %(source)s) DESC LIMIT 1

-- name: list_records
-- The digest or commitment follows from the payload while that is there.
SELECT r.chain, r.n, r.received, r.observed, r.key, r.leaf, r.flags, f.by_word AS by, f.type,
       octet_length(r.payload) AS size_bytes,
       CASE WHEN %(is_open)s THEN coalesce(sha256(r.payload), r.digest) END AS digest,
       CASE WHEN NOT %(is_open)s THEN coalesce(sha256(r.salt || r.payload), r.digest) END
           AS commitment, e.erased_at, e.ground AS erased_ground, e.erased_record
FROM records r JOIN forms f ON f.id = r.form
LEFT JOIN LATERAL (
    SELECT erased_at, ground,
           k.name || '/' || t.name || '/' || told_chain || '/' || told_n AS erased_record
    FROM erasures JOIN sources t ON t.id = told_source JOIN datasets k ON k.id = t.dataset
    WHERE r.payload IS NULL AND erasures.source = r.source AND erasures.chain = r.chain
      AND erasures.n = r.n
) AS e ON true
WHERE r.lane = %(lane)s AND r.source = %(source)s AND r.chain = %(chain)s AND r.n > %(after)s
ORDER BY r.n LIMIT %(limit)s

-- name: newest_records
-- The newest of a chain; payloads only where they are short, as numbers are.
SELECT n, received, observed, key,
       CASE WHEN %(with_payload)s AND octet_length(payload) <= %(number_bytes)s THEN payload END
           AS payload
FROM records WHERE lane = %(lane)s AND source = %(source)s AND chain = %(chain)s
ORDER BY n DESC LIMIT %(limit)s

-- name: newest_record_batches
-- Of a dataset, without those of versions.
SELECT b.number, b.count, b.sealed_at FROM batches b
WHERE b.dataset = %(dataset)s AND NOT EXISTS (SELECT FROM versions v WHERE v.batch = b.index)
ORDER BY b.number DESC LIMIT %(limit)s

-- name: find_digest
SELECT d.name AS dataset, s.name AS source, g.chain, g.n
FROM digests g JOIN sources s ON s.id = g.source JOIN datasets d ON d.id = s.dataset
WHERE g.digest = %(digest)s AND d.is_open
  AND (d.name, s.name, g.chain, g.n) > (%(dataset)s, %(source)s, %(chain)s, %(n)s)
ORDER BY d.name, s.name, g.chain, g.n LIMIT %(limit)s

-- name: without_digests
-- Open datasets with sources whose records can't be found by their digest.
SELECT d.name AS dataset, d.label FROM datasets d
WHERE d.is_open AND NOT d.digest_index AND EXISTS (SELECT FROM sources s WHERE s.dataset = d.id)
ORDER BY d.name LIMIT %(limit)s

-- name: get_batch
SELECT b.index, d.name AS dataset, b.number, b.count, b.leaf, b.sealed_at, b.descriptor,
       c.size AS signed_size, c.signed_at
FROM batches b JOIN datasets d ON d.id = b.dataset LEFT JOIN LATERAL (
    SELECT size, signed_at FROM checkpoints WHERE size > b.index AND note IS NOT NULL
    ORDER BY size LIMIT 1
) AS c ON true
WHERE b.index = %(index)s

-- name: batch_runs
SELECT r.position, r.number, s.tag, r.chain, r.first, r.count, r.start, r.prev, r.last
FROM runs r JOIN sources s ON s.id = r.source
WHERE r.batch = %(batch)s AND r.position > %(after)s ORDER BY r.position LIMIT %(limit)s

-- name: batch_leaves
SELECT index, data FROM batch_tiles
WHERE batch = %(batch)s AND tree = 0 AND level = 0 AND index > %(after)s
UNION ALL
SELECT t.index, t.data FROM versions v JOIN version_tiles t ON t.version = v.id
WHERE v.batch = %(batch)s AND t.level = 0 AND t.index > %(after)s
ORDER BY index LIMIT %(limit)s

-- name: list_anchors
-- The newest first. Their evidence, where it is wanted, until `most_bytes` of it are there.
SELECT ledger, kind, own_word, size, root, state, refused, built_at, submitted_at, changed_at,
       attempts, error, bytes,
       CASE WHEN coalesce(bytes - octet_length(evidence), 0) <= %(most_bytes)s::bigint
            THEN evidence END AS evidence
FROM (
    SELECT a.*, l.kind, l.own_word, c.root,
           sum(CASE WHEN %(most_bytes)s::bigint IS NOT NULL THEN octet_length(a.evidence) END)
               OVER (ORDER BY a.size DESC, a.ledger)::bigint AS bytes
    FROM (SELECT * FROM anchors
          WHERE %(size)s IS NULL
             OR (size <= %(size)s AND (size < %(size)s OR ledger > %(ledger)s))
          ORDER BY size DESC, ledger LIMIT %(limit)s) a
    JOIN checkpoints c ON c.size = a.size JOIN ledgers l ON l.name = a.ledger
) listed
ORDER BY size DESC, ledger

-- name: log_entries
SELECT descriptor FROM batches WHERE index >= %(start)s AND index < %(stop)s ORDER BY index

-- name: totals
-- Anchored is what each of the required ledgers has.
SELECT (SELECT count(*) FROM datasets WHERE is_open) AS open_datasets,
       (SELECT coalesce(sum(count), 0)::bigint FROM batches)
           - (SELECT coalesce(sum(count), 0)::bigint FROM versions WHERE batch IS NOT NULL)
           AS sealed_records,
       (SELECT coalesce(sum(count), 0)::bigint FROM segments WHERE batch IS NULL)
           AS waiting_records,
       (SELECT size FROM log) AS batches,
       (SELECT min(received) FROM segments WHERE batch IS NULL) AS oldest_waiting,
       (SELECT max(size) FROM checkpoints WHERE note IS NOT NULL) AS signed_size,
       anchored.size AS anchored_size,
       (SELECT count(*) FROM anchors WHERE state <> 'verified') AS anchors_open,
       (SELECT sealed_at FROM batches WHERE index = coalesce(anchored.size, 0)) AS oldest_unanchored,
       (SELECT coalesce(sum(kept + only_counted), 0)::bigint FROM quarantine_counts)
           AS quarantined
FROM (SELECT CASE WHEN count(size) = count(*) THEN min(size) END AS size FROM (
    SELECT (SELECT max(size) FROM anchors WHERE ledger = w.name AND state = 'verified') AS size
    FROM unnest(%(required)s::text[]) AS w(name)
) of_ledger) anchored

-- name: count_datasets_records
-- How many records each of some datasets holds, sealed and waiting. Rows of versions are none.
SELECT d.id,
       (SELECT coalesce(sum(count), 0)::bigint FROM batches WHERE dataset = d.id)
       - (SELECT coalesce(sum(count), 0)::bigint FROM versions
          WHERE dataset = d.id AND batch IS NOT NULL)
       + (SELECT coalesce(sum(count), 0)::bigint FROM segments
          WHERE dataset = d.id AND batch IS NULL) AS records
FROM datasets d WHERE d.id = ANY(%(ids)s)

-- name: gap_places
-- A source's current chain in its order.
SELECT n, received, key FROM records
WHERE lane = %(lane)s AND source = %(source)s AND chain = %(chain)s
  AND (%(since)s::timestamptz IS NULL OR received >= %(since)s)
ORDER BY n

-- name: get_repeats
-- A source's name, and how many of its readings came again.
SELECT s.name, coalesce(r.count, 0)::bigint FROM sources s LEFT JOIN repeats r ON r.source = s.id
WHERE s.id = %(source)s
