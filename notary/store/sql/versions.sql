-- SPDX-License-Identifier: Apache-2.0

-- name: begin_upload
INSERT INTO uploads (dataset, begun_at, touched_at) VALUES (%(dataset)s, %(now)s, %(now)s)
RETURNING id

-- name: touch_upload
UPDATE uploads SET touched_at = %(now)s WHERE id = %(id)s

-- name: end_upload
DELETE FROM uploads WHERE id = %(id)s

-- name: abandon_uploads
-- Uploads by id, or those that nobody touched since a time, with all that they left.
WITH gone AS (
    DELETE FROM uploads WHERE id = %(id)s OR touched_at < %(before)s RETURNING id
), parts AS (
    DELETE FROM version_parts WHERE version IN (SELECT id FROM gone)
), tiles AS (
    DELETE FROM version_tiles WHERE version IN (SELECT id FROM gone)
)
SELECT id FROM gone

-- name: add_version_part
INSERT INTO version_parts (version, number, data) VALUES (%(id)s, %(number)s, %(data)s)

-- name: copy_version_tiles
COPY version_tiles (version, level, index, data, mark) FROM STDIN (FORMAT binary)

-- name: lock_dataset
SELECT 1 FROM datasets WHERE id = %(dataset)s FOR NO KEY UPDATE

-- name: newest_version
-- One that is lost counts too: its number is taken.
SELECT * FROM (
    (SELECT version, profile, file_digest, received FROM versions WHERE dataset = %(dataset)s
     ORDER BY version DESC LIMIT 1)
    UNION ALL
    (SELECT (b.descriptor::json->>'version')::integer, NULL, NULL, NULL
     FROM lost_batches l JOIN batches b ON b.index = l.batch
     WHERE b.dataset = %(dataset)s AND b.descriptor::json->>'kind' = 'version'
     ORDER BY b.number DESC LIMIT 1)
) AS newest ORDER BY version DESC LIMIT 1

-- name: add_version
INSERT INTO versions (id, dataset, version, profile, count, root, hash, received, corrects,
                      salt, secret, file_digest, size_bytes, name, reason, type, by_word)
VALUES (%(id)s, %(dataset)s, %(version)s, %(profile)s, %(count)s, %(root)s, %(hash)s,
        %(received)s, %(corrects)s, %(salt)s, %(secret)s, %(file_digest)s, %(size_bytes)s,
        %(name)s, %(reason)s, %(type)s, %(by_word)s)

-- name: get_version
SELECT v.*, d.name AS dataset_name, d.is_open,
       (SELECT min(version) FROM versions c
        WHERE c.dataset = v.dataset AND c.corrects = v.version) AS corrected_by,
       v.file_digest IS NOT NULL AND coalesce(b.number < d.dropped, false) AS is_dropped,
       e.erased_at, e.ground AS erased_ground, e.erased_record
FROM versions v JOIN datasets d ON d.id = v.dataset
LEFT JOIN batches b ON b.index = v.batch
LEFT JOIN LATERAL (
    SELECT erased_at, ground,
           k.name || '/' || t.name || '/' || told_chain || '/' || told_n AS erased_record
    FROM erasures JOIN sources t ON t.id = told_source JOIN datasets k ON k.id = t.dataset
    WHERE erasures.dataset = v.dataset AND erasures.version = v.version
) AS e ON true
WHERE v.dataset = %(dataset)s AND v.version = %(version)s

-- name: list_versions
-- The newest first, beginning below `before`.
SELECT v.*, d.name AS dataset_name, d.is_open,
       (SELECT min(version) FROM versions c
        WHERE c.dataset = v.dataset AND c.corrects = v.version) AS corrected_by,
       v.file_digest IS NOT NULL AND coalesce(b.number < d.dropped, false) AS is_dropped,
       e.erased_at, e.ground AS erased_ground, e.erased_record
FROM versions v JOIN datasets d ON d.id = v.dataset
LEFT JOIN batches b ON b.index = v.batch
LEFT JOIN LATERAL (
    SELECT erased_at, ground,
           k.name || '/' || t.name || '/' || told_chain || '/' || told_n AS erased_record
    FROM erasures JOIN sources t ON t.id = told_source JOIN datasets k ON k.id = t.dataset
    WHERE erasures.dataset = v.dataset AND erasures.version = v.version
) AS e ON true
WHERE v.dataset = %(dataset)s AND (%(before)s IS NULL OR v.version < %(before)s)
ORDER BY v.version DESC LIMIT %(limit)s

-- name: find_versions
-- By the digest of their file, in open datasets; what was erased has none.
SELECT d.name AS dataset, v.version FROM versions v JOIN datasets d ON d.id = v.dataset
WHERE v.file_digest = %(digest)s AND d.is_open
ORDER BY d.name, v.version DESC LIMIT %(limit)s

-- name: version_part
SELECT data FROM version_parts WHERE version = %(id)s AND number = %(number)s

-- name: version_tile
SELECT data, mark FROM version_tiles
WHERE version = %(id)s AND level = %(level)s AND index = %(index)s

-- name: version_leaves
SELECT index, data FROM version_tiles
WHERE version = %(id)s AND level = 0 AND index > %(after)s ORDER BY index LIMIT %(limit)s

-- name: waiting_versions
-- Of each dataset the first version that isn't sealed.
SELECT DISTINCT ON (dataset) dataset, id, count, root FROM versions
WHERE batch IS NULL ORDER BY dataset, version

-- name: lock_waiting_version
-- The dataset's first unsealed version.
SELECT id, version, profile, count, root, hash, received, corrects FROM versions
WHERE dataset = %(dataset)s AND batch IS NULL ORDER BY version LIMIT 1 FOR UPDATE

-- name: mark_version
UPDATE versions SET batch = %(batch)s WHERE id = %(id)s

-- name: is_dataset_open
SELECT is_open FROM datasets WHERE id = %(dataset)s

-- name: audit_versions
-- A time that no clock shows is null.
SELECT v.id, v.dataset, v.version, profile, count, root, hash, corrects, batch, salt, secret,
       file_digest, size_bytes, name, reason, e.id AS erasure,
       CASE WHEN received >= '0001-01-01Z' AND received < '9999-12-31Z' THEN received END
           AS received
FROM versions v
LEFT JOIN erasures e ON e.dataset = v.dataset AND e.version = v.version
ORDER BY v.dataset, v.version

-- name: audit_part_numbers
SELECT number FROM version_parts WHERE version = %(id)s ORDER BY number

-- name: audit_count_tiles
SELECT count(*) FROM version_tiles WHERE version = %(id)s

-- name: audit_stray_versions
-- Parts and tiles that belong neither to a version nor to an upload.
SELECT 'part of version ' || version FROM version_parts
WHERE version NOT IN (SELECT id FROM versions UNION ALL SELECT id FROM uploads)
UNION ALL
SELECT 'tile of version ' || version FROM version_tiles
WHERE version NOT IN (SELECT id FROM versions UNION ALL SELECT id FROM uploads)
UNION ALL
SELECT 'upload' FROM uploads u WHERE EXISTS (SELECT FROM versions WHERE id = u.id)

-- name: find_resource
-- The dataset that a package's resource became.
SELECT d.name FROM resources r JOIN datasets d ON d.id = r.child
WHERE r.dataset = %(dataset)s AND r.name = %(name)s

-- name: set_resource
INSERT INTO resources (dataset, name, child, key)
VALUES (%(dataset)s, %(name)s, %(child)s, %(key)s::text[])
ON CONFLICT (dataset, name) DO UPDATE SET child = excluded.child, key = excluded.key

-- name: get_row_key
-- The columns that name a row, of the package that the dataset came from last.
SELECT key FROM resources WHERE child = %(dataset)s AND key <> '{}' LIMIT 1

-- name: make_compared
-- The rows of two versions (side 0 and 1), `place` counting rows of one key; without key
-- columns `key` is `row`.
CREATE TEMPORARY TABLE compared (side smallint, number integer, row bytea, key bytea)
ON COMMIT DROP;
SET LOCAL work_mem = '64MB';

-- name: copy_compared
COPY compared (side, number, row, key) FROM STDIN (FORMAT binary)

-- name: compared_twice
-- Two rows of one version with the same key.
SELECT side, min(number), max(number) FROM compared GROUP BY side, key HAVING count(*) > 1
ORDER BY side, min(number) LIMIT 1

-- name: make_compared_differing
-- What isn't the same, once; rows of one key are paired in their order.
ANALYZE compared;
CREATE TEMPORARY TABLE compared_differing ON COMMIT DROP AS
WITH placed AS (
    SELECT *, row_number() OVER (PARTITION BY side, key ORDER BY number) AS place FROM compared
)
SELECT a.number AS before, b.number AS after
FROM (SELECT * FROM placed WHERE side = 0) a
FULL JOIN (SELECT * FROM placed WHERE side = 1) b USING (key, place)
WHERE a.row IS DISTINCT FROM b.row;

-- name: count_compared
-- Same, added, removed, changed.
SELECT (SELECT count(*) FROM compared WHERE side = 0) - count(before),
       count(*) FILTER (WHERE before IS NULL), count(*) FILTER (WHERE after IS NULL),
       count(*) FILTER (WHERE before IS NOT NULL AND after IS NOT NULL)
FROM compared_differing

-- name: list_compared
-- In the order of the rows' numbers in either version.
SELECT before, after FROM compared_differing
ORDER BY coalesce(after, before), before, after
OFFSET %(skip)s LIMIT %(limit)s
