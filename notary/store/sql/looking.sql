-- SPDX-License-Identifier: Apache-2.0

-- name: list_sources
-- Sources of a dataset by name, each with the end of its chain.
SELECT s.name AS source, head.chain, head.n, head.key, head.received
FROM sources s
CROSS JOIN LATERAL (
    SELECT chain, n, key, received FROM records WHERE lane = s.lane AND source = s.id
    ORDER BY chain DESC, n DESC LIMIT 1
) AS head
WHERE s.dataset = %(dataset)s AND s.name > %(after)s
ORDER BY s.name LIMIT %(limit)s

-- name: get_source
-- By its name, or (for who may read a closed dataset) by its label.
SELECT s.name AS source, s.lane, s.id, head.chain, head.n, head.key, head.received, head.leaf
FROM sources s
CROSS JOIN LATERAL (
    SELECT chain, n, key, received, leaf FROM records WHERE lane = s.lane AND source = s.id
    ORDER BY chain DESC, n DESC LIMIT 1
) AS head
WHERE s.dataset = %(dataset)s AND (s.name = %(source)s OR s.label = %(source)s)
ORDER BY (s.name = %(source)s) DESC LIMIT 1

-- name: list_records
SELECT chain, n, received, observed, key, leaf, flags, octet_length(payload) AS size_bytes
FROM records
WHERE lane = %(lane)s AND source = %(source)s AND chain = %(chain)s AND n > %(after)s
ORDER BY n LIMIT %(limit)s

-- name: find_digest
SELECT d.name AS dataset, s.name AS source, g.chain, g.n
FROM digests g JOIN sources s ON s.id = g.source JOIN datasets d ON d.id = s.dataset
WHERE g.digest = %(digest)s AND d.is_open
ORDER BY d.name, s.name, g.chain, g.n LIMIT %(limit)s

-- name: get_batch
SELECT b.index, d.name AS dataset, b.number, b.count, b.leaf, b.sealed_at, b.descriptor
FROM batches b JOIN datasets d ON d.id = b.dataset WHERE b.index = %(index)s

-- name: batch_runs
SELECT r.number, s.tag, r.chain, r.first, r.count, r.start, r.prev, r.last
FROM runs r JOIN sources s ON s.id = r.source WHERE r.batch = %(batch)s ORDER BY r.position

-- name: batch_leaves
SELECT data FROM batch_tiles WHERE batch = %(batch)s AND tree = 0 AND level = 0 ORDER BY index

-- name: list_anchors
SELECT a.ledger, a.size, c.root, a.state, a.built_at, a.changed_at, a.attempts, a.error,
       a.evidence
FROM anchors a JOIN checkpoints c ON c.size = a.size
WHERE a.size < %(before)s ORDER BY a.size DESC, a.ledger LIMIT %(limit)s

-- name: log_entries
SELECT descriptor FROM batches WHERE index >= %(start)s AND index < %(stop)s ORDER BY index

-- name: totals
SELECT (SELECT count(*) FROM datasets WHERE is_open) AS open_datasets,
       (SELECT coalesce(sum(count), 0)::bigint FROM batches) AS sealed_records,
       (SELECT coalesce(sum(count), 0)::bigint FROM segments WHERE batch IS NULL)
           AS waiting_records,
       (SELECT size FROM log) AS batches,
       (SELECT min(received) FROM segments WHERE batch IS NULL) AS oldest_waiting,
       (SELECT max(size) FROM checkpoints WHERE note IS NOT NULL) AS signed_size,
       (SELECT max(size) FROM anchors WHERE state = 'verified') AS anchored_size,
       (SELECT count(*) FROM anchors WHERE state <> 'verified') AS anchors_open,
       (SELECT coalesce(sum(kept + only_counted), 0)::bigint FROM quarantine_counts)
           AS quarantined
