-- SPDX-License-Identifier: Apache-2.0

-- name: add_dataset
INSERT INTO datasets (name, label, owner, is_open, random_sources, digest_index, lane_count,
                      licence, catalogue, sharing, classification, update_cycle, keep_days,
                      last_descriptor, created_at)
VALUES (%(name)s, %(label)s, %(owner)s, %(is_open)s, %(random_sources)s, %(digest_index)s,
        %(lane_count)s, %(licence)s, %(catalogue)s, %(sharing)s, %(classification)s,
        %(update_cycle)s, %(keep_days)s,
        %(zero)s, %(now)s)
RETURNING id

-- name: add_lanes
INSERT INTO lanes (dataset, position)
SELECT %(dataset)s, position FROM generate_series(0, %(count)s - 1) AS position

-- name: get_dataset
-- With what the department that asks was granted of it and may use now.
SELECT d.id, d.name, d.label, d.owner, d.is_open, d.random_sources, d.digest_index, d.lane_count,
       d.batch_count, d.source_count, d.created_at, d.licence, d.catalogue, d.sharing,
       d.classification, d.update_cycle, d.kept_for, d.keep_days,
       (SELECT json_agg(json_build_object('id', g.id, 'version', g.version, 'log', k.name)
                        ORDER BY g.version NULLS FIRST, g.id)
        FROM grants g JOIN datasets k ON k.owner = d.owner AND k.kept_for = 'sharing'
        WHERE g.dataset = d.id AND g.department = %(department)s AND g.withdrawn_at IS NULL
          AND (g.until IS NULL OR g.until > %(now)s) AND d.sharing <> 'not-shared') AS grants
FROM datasets d WHERE d.name = %(name)s

-- name: list_datasets
-- The open ones, the caller's own and what it was granted (`only`: of these the ones that its
-- key is for), by name.
SELECT id, name, label, owner, is_open, random_sources, digest_index, lane_count,
       batch_count, source_count, created_at, licence, catalogue, sharing, classification,
       update_cycle, kept_for, keep_days
FROM datasets
WHERE (is_open OR (
    (owner = %(owner)s OR (sharing <> 'not-shared' AND id IN (
        SELECT g.dataset FROM grants g WHERE g.department = %(owner)s AND g.withdrawn_at IS NULL
           AND (g.until IS NULL OR g.until > %(now)s))))
    AND (%(only)s::integer[] IS NULL OR id = ANY(%(only)s))))
  AND name > %(after)s
ORDER BY name LIMIT %(limit)s

-- name: list_own_datasets
-- A department's (`only`: of these the ones that its key is for) that it writes itself.
SELECT id, name, label, owner, is_open, random_sources, digest_index, lane_count,
       batch_count, source_count, created_at, licence, catalogue, sharing, classification,
       update_cycle, kept_for, keep_days
FROM datasets
WHERE owner = %(owner)s AND kept_for IS NULL
  AND (%(only)s::integer[] IS NULL OR id = ANY(%(only)s)) AND name > %(after)s
ORDER BY name LIMIT %(limit)s

-- name: list_all_datasets
SELECT id, name, label, owner, is_open, random_sources, digest_index, lane_count,
       batch_count, source_count, created_at, licence, catalogue, sharing, classification,
       update_cycle, kept_for, keep_days
FROM datasets ORDER BY name

-- name: describe_dataset
-- What is not named stays as it is.
UPDATE datasets SET
    label = CASE WHEN 'label' = ANY(%(named)s) THEN %(label)s ELSE label END,
    licence = CASE WHEN 'licence' = ANY(%(named)s) THEN %(licence)s ELSE licence END,
    catalogue = CASE WHEN 'catalogue' = ANY(%(named)s) THEN %(catalogue)s ELSE catalogue END,
    sharing = CASE WHEN 'sharing' = ANY(%(named)s) THEN %(sharing)s ELSE sharing END,
    classification = CASE WHEN 'classification' = ANY(%(named)s) THEN %(classification)s
                          ELSE classification END,
    update_cycle = CASE WHEN 'update_cycle' = ANY(%(named)s) THEN %(update_cycle)s
                        ELSE update_cycle END,
    keep_days = CASE WHEN 'keep' = ANY(%(named)s) THEN %(keep_days)s ELSE keep_days END
WHERE id = %(id)s
