-- SPDX-License-Identifier: Apache-2.0

-- name: find_record
-- One record with all that its statement and its place in a batch need: of both trees' lowest
-- tiles the 16 hashes around it, and the roots over each 16 of the tile. Prepared:
-- dataset, source, n, chain (or null: the current one).
SELECT d.name AS dataset, d.owner, d.is_open, s.name AS source, s.tag, s.tag_salt,
       r.chain, r.n, r.received, f.by_word, f.type, r.flags, r.leaf, r.observed, r.key,
       r.message, r.salt, r.digest, r.payload,
       CASE WHEN r.n > 0 THEN (
           SELECT leaf FROM records WHERE lane = r.lane AND source = r.source
              AND chain = r.chain AND n = r.n - 1) END AS prev,
       run.batch, run.position, run.number, run.first, run.count, run.start,
       run.prev AS run_prev, run.last AS run_last,
       substring(t.data FROM run.place / 16 % 16 * 512 + 1 FOR 512) AS record_group,
       t.middle AS record_middle,
       substring(u.data FROM run.position / 16 % 16 * 512 + 1 FOR 512) AS run_group,
       u.middle AS run_middle, e.erased_at, e.ground AS erased_ground, e.erased_record
FROM datasets d
JOIN sources s ON s.dataset = d.id
JOIN records r ON r.lane = s.lane AND r.source = s.id AND r.n = $3
              AND r.chain = coalesce($4, (SELECT chain FROM log))
JOIN forms f ON f.id = r.form
LEFT JOIN LATERAL (
    SELECT *, (start + r.n - first)::integer AS place FROM runs
    WHERE source = s.id AND chain = r.chain AND first <= r.n
    ORDER BY first DESC LIMIT 1
) AS run ON r.n < run.first + run.count
LEFT JOIN batch_tiles t ON t.batch = run.batch AND t.tree = 0 AND t.level = 0
                       AND t.index = run.place / 256
LEFT JOIN batch_tiles u ON u.batch = run.batch AND u.tree = 1 AND u.level = 0
                       AND u.index = run.position / 256
LEFT JOIN LATERAL (
    SELECT erased_at, ground,
           k.name || '/' || t.name || '/' || told_chain || '/' || told_n AS erased_record
    FROM erasures JOIN sources t ON t.id = told_source JOIN datasets k ON k.id = t.dataset
    WHERE r.payload IS NULL AND erasures.source = s.id AND erasures.chain = r.chain
      AND erasures.n = r.n
) AS e ON true
WHERE d.name = $1 AND s.name = $2

-- name: find_batch
-- A batch, its number of runs, and the first checkpoint over it that is shown: one that has the
-- quorum of witnesses, else (where none is required, or without it too) the first signed one. It
-- has at least `start` leaves.
SELECT b.descriptor, b.leaf, (SELECT count(*) FROM runs WHERE batch = b.index) AS runs,
       c.size, c.note, c.is_witnessed, p.fingerprint IS NOT NULL AS needs_witnesses,
       EXISTS (SELECT FROM checkpoints WHERE size > b.index AND note IS NOT NULL) AS is_signed
FROM batches b LEFT JOIN witness_policies p ON p.is_current LEFT JOIN LATERAL (
    (SELECT size, note, true AS is_witnessed FROM checkpoints
     WHERE met = p.fingerprint AND size >= %(start)s ORDER BY size LIMIT 1)
    UNION ALL
    (SELECT size, note, false FROM checkpoints
     WHERE size >= %(start)s AND note IS NOT NULL AND coalesce(p.fails_open, true)
     ORDER BY size LIMIT 1)
    ORDER BY is_witnessed DESC LIMIT 1
) AS c ON true
WHERE b.index = %(index)s

-- name: find_anchors
-- On each ledger the first verified anchor that covers a batch; from `first` to `last` (null: on)
-- the sizes are those of one log. Ledger by ledger: an old batch is covered by nearly all anchors.
SELECT l.name AS ledger, a.size, c.root, a.evidence, a.changed_at, l.kind, l.own_word
FROM ledgers l
CROSS JOIN LATERAL (
    SELECT size, evidence, changed_at FROM anchors
    WHERE ledger = l.name AND state = 'verified' AND size > %(index)s
      AND size >= %(first)s AND (%(last)s::bigint IS NULL OR size <= %(last)s)
    ORDER BY size LIMIT 1
) a
JOIN checkpoints c ON c.size = a.size
WHERE %(ledgers)s::text[] IS NULL OR l.name = ANY(%(ledgers)s)
ORDER BY l.name

-- name: is_anchored
-- Whether one of some ledgers has a batch.
SELECT EXISTS (SELECT 1 FROM anchors
               WHERE state = 'verified' AND ledger = ANY(%(ledgers)s) AND size > %(index)s)

-- name: get_batch_tile
-- Prepared: batch, tree, level, index.
SELECT data, middle FROM batch_tiles
WHERE batch = $1 AND tree = $2 AND level = $3 AND index = $4
