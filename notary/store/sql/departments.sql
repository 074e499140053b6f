-- SPDX-License-Identifier: Apache-2.0

-- name: add_department
INSERT INTO departments (id, name, created_at) VALUES (%(id)s, %(name)s, %(now)s)

-- name: hold_department
-- An open one, kept from being closed until the transaction ends.
SELECT id FROM departments WHERE id = %(id)s AND closed_at IS NULL FOR SHARE

-- name: is_department_open
SELECT 1 FROM departments WHERE id = %(id)s AND closed_at IS NULL

-- name: get_department_name
SELECT name FROM departments WHERE id = %(id)s

-- name: list_departments
SELECT id, name, created_at, closed_at FROM departments
WHERE id > %(after)s ORDER BY id LIMIT %(limit)s

-- name: close_department
UPDATE departments SET closed_at = %(now)s WHERE id = %(id)s AND closed_at IS NULL

-- name: end_keys_of_department
UPDATE api_keys SET revoked_at = %(now)s WHERE department = %(id)s AND revoked_at IS NULL

-- name: add_api_key
INSERT INTO api_keys (id, department, secret_hash, scopes, datasets, created_at, expires_at)
VALUES (%(id)s, %(department)s, %(secret_hash)s, %(scopes)s, %(datasets)s, %(now)s, %(expires)s)

-- name: get_api_key
-- A key that opens something at that time.
SELECT department, secret_hash, scopes, datasets, used_at FROM api_keys
WHERE id = %(id)s AND revoked_at IS NULL AND expires_at > %(now)s

-- name: note_use_of_api_key
UPDATE api_keys SET used_at = %(now)s
WHERE id = %(id)s AND (used_at IS NULL OR used_at < %(before)s)

-- name: lock_api_key
-- A department's valid key; without a department anybody's.
SELECT department, scopes, datasets, created_at, expires_at FROM api_keys
WHERE id = %(id)s AND revoked_at IS NULL AND expires_at > %(now)s
  AND (%(department)s::text IS NULL OR department = %(department)s) FOR UPDATE

-- name: count_valid_api_keys
SELECT count(*) FROM api_keys
WHERE department = %(department)s AND revoked_at IS NULL AND expires_at > %(now)s

-- name: end_api_key
UPDATE api_keys SET expires_at = %(end)s WHERE id = %(id)s AND expires_at > %(end)s

-- name: list_api_keys
-- A department's; without a department all. With the names of the datasets that each is for.
SELECT k.id, k.department, k.scopes, k.created_at, k.expires_at, k.used_at, k.revoked_at,
       CASE WHEN k.datasets IS NOT NULL THEN ARRAY(
           SELECT d.name FROM datasets d WHERE d.id = ANY(k.datasets) ORDER BY d.name) END
           AS datasets
FROM api_keys k
WHERE (%(department)s::text IS NULL OR k.department = %(department)s) AND k.id > %(after)s
ORDER BY k.id LIMIT %(limit)s

-- name: revoke_api_key
-- A department's; without a department anybody's.
UPDATE api_keys SET revoked_at = %(now)s
WHERE id = %(id)s AND revoked_at IS NULL
  AND (%(department)s::text IS NULL OR department = %(department)s)
