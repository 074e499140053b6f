-- SPDX-License-Identifier: Apache-2.0

-- name: audit_datasets
SELECT id, name, is_open, digest_index, batch_count, source_count, last_descriptor, kept_for,
       dropped
FROM datasets ORDER BY id

-- name: audit_sources
SELECT id, dataset, lane, number, name, tag_salt, tag FROM sources
ORDER BY dataset, number NULLS LAST, id

-- name: audit_lanes
SELECT id, dataset FROM lanes ORDER BY id

-- name: audit_newest_chain
-- The highest chain that any record joined.
SELECT coalesce(max(chain), 0) FROM segments

-- name: audit_batches
SELECT index, dataset, number, count, leaf, descriptor FROM batches ORDER BY index

-- name: audit_runs
SELECT source, chain, first, position, number, count, start, prev, last
FROM runs WHERE batch = %(batch)s ORDER BY position

-- name: audit_batch_records
-- The records of a batch in the order of its leaves. A time that no clock shows is null.
SELECT run.position, r.source, r.chain, r.n,
       CASE WHEN r.received >= '0001-01-01Z' AND r.received < '9999-12-31Z' THEN r.received END,
       f.by_word, f.type, r.leaf,
       r.observed, r.key, r.message, r.salt, r.digest, r.payload, e.id
FROM runs run
JOIN sources s ON s.id = run.source
JOIN records r ON r.lane = s.lane AND r.source = run.source AND r.chain = run.chain
              AND r.n >= run.first AND r.n < run.first + run.count
JOIN forms f ON f.id = r.form
LEFT JOIN erasures e ON e.source = r.source AND e.chain = r.chain AND e.n = r.n
WHERE run.batch = %(batch)s
ORDER BY run.position, r.n

-- name: audit_waiting_records
-- The records that no batch holds yet: beyond the last run of their source and chain.
SELECT s.id AS position, r.source, r.chain, r.n,
       CASE WHEN r.received >= '0001-01-01Z' AND r.received < '9999-12-31Z' THEN r.received END,
       f.by_word, f.type, r.leaf, r.observed, r.key, r.message, r.salt, r.digest, r.payload,
       e.id, coalesce(run.next, 0) AS next, run.last AS last
FROM sources s
CROSS JOIN (SELECT chain FROM segments UNION SELECT chain FROM runs) AS c
LEFT JOIN LATERAL (
    SELECT first + count AS next, last FROM runs
    WHERE source = s.id AND chain = c.chain ORDER BY first DESC LIMIT 1
) AS run ON true
JOIN records r ON r.lane = s.lane AND r.source = s.id AND r.chain = c.chain
              AND r.n >= coalesce(run.next, 0)
JOIN forms f ON f.id = r.form
LEFT JOIN erasures e ON e.source = r.source AND e.chain = r.chain AND e.n = r.n
ORDER BY s.id, r.chain, r.n

-- name: audit_count_records
SELECT count(*) FROM records

-- name: audit_count_digests
SELECT count(*) FROM digests

-- name: audit_digest
SELECT 1 FROM digests
WHERE digest = %(digest)s AND source = %(source)s AND chain = %(chain)s AND n = %(n)s

-- name: audit_segments
-- For each dataset and batch (none: waiting, or set aside by a recovery) the records of each source.
SELECT CASE WHEN g.batch >= 0 THEN g.batch END, g.dataset, w.source, g.chain, sum(w.count)::bigint
FROM segments g, unnest(g.sources, g.counts) AS w(source, count)
GROUP BY 1, g.dataset, w.source, g.chain

-- name: audit_segment_counts
-- Segments whose members don't add up, or whose lane is another dataset's.
SELECT g.number FROM segments g LEFT JOIN lanes l ON l.id = g.lane
WHERE g.count <> (SELECT coalesce(sum(count), 0) FROM unnest(g.counts) AS count)
   OR cardinality(g.sources) <> cardinality(g.counts) OR l.dataset IS DISTINCT FROM g.dataset
   OR EXISTS (SELECT FROM unnest(g.sources) AS m(id) LEFT JOIN sources s ON s.id = m.id
              WHERE s.lane IS DISTINCT FROM g.lane)
ORDER BY g.number

-- name: audit_erasures
-- Each with what it is about, as far as that is there, and the record that tells of it.
SELECT e.id, d.name AS dataset, s.name AS source, e.chain, e.n, e.version, e.ordered, e.done_by,
       e.ground, r.leaf, v.id AS version_id, told.payload AS told, told.leaf AS told_leaf,
       CASE WHEN e.erased_at >= '0001-01-01Z' AND e.erased_at < '9999-12-31Z' THEN e.erased_at END
           AS erased_at,
       k.kept_for AS told_kept_for, k.owner = d.owner AS is_owners,
       EXISTS (SELECT FROM erasures o WHERE o.source = e.told_source AND o.chain = e.told_chain
                                        AND o.n = e.told_n) AS told_erased
FROM erasures e
LEFT JOIN datasets d ON d.id = e.dataset
LEFT JOIN sources s ON s.id = e.source AND s.dataset = e.dataset
LEFT JOIN records r ON r.lane = s.lane AND r.source = e.source AND r.chain = e.chain
                   AND r.n = e.n
LEFT JOIN versions v ON v.dataset = e.dataset AND v.version = e.version
LEFT JOIN sources t ON t.id = e.told_source
LEFT JOIN datasets k ON k.id = t.dataset
LEFT JOIN records told ON told.lane = t.lane AND told.source = e.told_source
                      AND told.chain = e.told_chain AND told.n = e.told_n
ORDER BY e.id

-- name: audit_batch_tiles
SELECT tree, level, index, data, middle FROM batch_tiles WHERE batch = %(batch)s
ORDER BY tree, level, index

-- name: audit_stray
-- Rows that belong to no batch: runs and tiles.
SELECT 'run list of batch ' || batch FROM runs r
WHERE NOT EXISTS (SELECT FROM batches b WHERE b.index = r.batch)
UNION ALL
SELECT 'tile of batch ' || batch FROM batch_tiles t
WHERE NOT EXISTS (SELECT FROM batches b WHERE b.index = t.batch)

-- name: audit_log_hashes
SELECT level, index, hash FROM log_hashes ORDER BY level, index

-- name: audit_checkpoints
SELECT size, root, note FROM checkpoints ORDER BY size

-- name: audit_anchors
SELECT a.ledger, a.size, a.state, a.reference, a.evidence, c.root, l.kind
FROM anchors a LEFT JOIN checkpoints c ON c.size = a.size LEFT JOIN ledgers l ON l.name = a.ledger
ORDER BY a.ledger, a.size
