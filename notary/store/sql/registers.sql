-- SPDX-License-Identifier: Apache-2.0

-- name: add_api_key
INSERT INTO api_keys (id, owner, secret_hash, created_at)
VALUES (%(id)s, %(owner)s, %(secret_hash)s, %(now)s)

-- name: get_api_key
SELECT owner, secret_hash FROM api_keys WHERE id = %(id)s AND revoked_at IS NULL

-- name: list_api_keys
SELECT id, owner, created_at, revoked_at FROM api_keys ORDER BY created_at, id

-- name: revoke_api_key
UPDATE api_keys SET revoked_at = %(now)s WHERE id = %(id)s AND revoked_at IS NULL

-- name: add_dataset
INSERT INTO datasets (name, label, owner, is_open, random_sources, digest_index, lane_count,
                      last_descriptor, created_at)
VALUES (%(name)s, %(label)s, %(owner)s, %(is_open)s, %(random_sources)s, %(digest_index)s,
        %(lane_count)s, %(zero)s, %(now)s)
RETURNING id

-- name: add_lanes
INSERT INTO lanes (dataset, position)
SELECT %(dataset)s, position FROM generate_series(0, %(count)s - 1) AS position

-- name: get_dataset
SELECT id, name, label, owner, is_open, random_sources, digest_index, lane_count,
       batch_count, source_count, created_at
FROM datasets WHERE name = %(name)s

-- name: list_datasets
-- The open ones and the caller's own, by name.
SELECT id, name, label, owner, is_open, random_sources, digest_index, lane_count,
       batch_count, source_count, created_at
FROM datasets WHERE (is_open OR owner = %(owner)s) AND name > %(after)s
ORDER BY name LIMIT %(limit)s

-- name: list_all_datasets
SELECT id, name, label, owner, is_open, random_sources, digest_index, lane_count,
       batch_count, source_count, created_at
FROM datasets ORDER BY name
