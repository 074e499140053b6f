-- SPDX-License-Identifier: Apache-2.0

-- name: raise_source_changes
-- First of all in a change: it also lets one change of registrations happen at a time.
UPDATE source_changes SET version = version + 1

-- name: source_version
SELECT version FROM source_changes

-- name: add_registrations
-- A title that is given replaces the one that is there; a revoked source stays revoked.
INSERT INTO registrations AS r (source, title, registered_at)
SELECT w.source, w.title, %(now)s
FROM unnest(%(sources)s::integer[], %(titles)s::text[]) AS w(source, title)
ON CONFLICT (source) DO UPDATE SET title = excluded.title
WHERE excluded.title IS NOT NULL

-- name: add_source_keys
INSERT INTO source_keys (source, id, algorithm, material, added_at, valid_from, valid_to)
SELECT w.source, w.id, w.algorithm, w.material, %(now)s, w.valid_from, w.valid_to
FROM unnest(%(sources)s::integer[], %(ids)s::text[], %(algorithms)s::text[],
            %(materials)s::bytea[], %(froms)s::timestamptz[], %(tos)s::timestamptz[])
     AS w(source, id, algorithm, material, valid_from, valid_to)

-- name: find_registered
-- What is registered of some sources of a dataset, by the words that their senders use.
SELECT s.id, s.label, s.name, r.source IS NOT NULL AS registered, r.revoked_at
FROM sources s LEFT JOIN registrations r ON r.source = s.id
WHERE s.dataset = %(dataset)s AND s.label = ANY(%(labels)s)

-- name: find_registered_keys
SELECT k.source, k.id, k.algorithm, k.material, k.revoked_at
FROM source_keys k WHERE k.source = ANY(%(sources)s)

-- name: list_registered
-- By the words that their senders use.
SELECT s.id, s.label, s.name, r.title, r.registered_at, r.revoked_at
FROM registrations r JOIN sources s ON s.id = r.source
WHERE s.dataset = %(dataset)s AND s.label > %(after)s
ORDER BY s.label LIMIT %(limit)s

-- name: get_registered
SELECT s.id, s.label, s.name, r.title, r.registered_at, r.revoked_at
FROM registrations r JOIN sources s ON s.id = r.source WHERE r.source = %(source)s

-- name: list_source_keys
SELECT k.source, k.id, k.algorithm, k.material, k.added_at, k.valid_from, k.valid_to,
       k.revoked_at
FROM source_keys k WHERE k.source = ANY(%(sources)s) ORDER BY k.source, k.added_at, k.id

-- name: end_source_keys
-- The keys before a new one: no longer valid from a time on.
UPDATE source_keys SET valid_to = %(until)s
WHERE source = %(source)s AND id <> %(keep)s AND revoked_at IS NULL
  AND valid_from < %(until)s AND (valid_to IS NULL OR valid_to > %(until)s)

-- name: revoke_source_key
UPDATE source_keys SET revoked_at = %(now)s
WHERE source = %(source)s AND id = %(id)s AND revoked_at IS NULL

-- name: revoke_source
UPDATE registrations SET revoked_at = %(now)s
WHERE source = %(source)s AND revoked_at IS NULL

-- name: revoke_keys_of_source
UPDATE source_keys SET revoked_at = %(now)s WHERE source = %(source)s AND revoked_at IS NULL

-- name: find_senders
-- For the way in: of each pair that was asked for, its dataset, source, registration and keys.
-- A dataset that there is without the source is told too.
SELECT w.dataset, w.label, s.id, r.source IS NOT NULL AS registered,
       r.revoked_at IS NOT NULL AS revoked,
       k.id, k.algorithm, k.material, k.valid_from, k.valid_to, k.revoked_at
FROM unnest(%(datasets)s::text[], %(labels)s::text[]) AS w(dataset, label)
JOIN datasets d ON d.name = w.dataset
LEFT JOIN sources s ON s.dataset = d.id AND s.label = w.label
LEFT JOIN registrations r ON r.source = s.id
LEFT JOIN source_keys k ON k.source = r.source

-- name: count_sources
-- How many sources some datasets have.
SELECT d.name, (SELECT count(*) FROM sources s WHERE s.dataset = d.id)
FROM datasets d WHERE d.name = ANY(%(datasets)s)

-- name: find_registered_source
-- By the word that its sender uses, or by its name in statements.
SELECT s.label, s.id FROM registrations r JOIN sources s ON s.id = r.source
WHERE s.dataset = %(dataset)s AND (s.label = %(source)s OR s.name = %(source)s)
ORDER BY (s.label = %(source)s) DESC LIMIT 1
