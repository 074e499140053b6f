-- SPDX-License-Identifier: Apache-2.0

-- name: kept_in_quarantine
-- The topics of a feed that are told apart, and how many are kept of each.
SELECT topic, sum(kept)::bigint FROM quarantine_counts WHERE feed = %(feed)s GROUP BY topic

-- name: keep_in_quarantine
INSERT INTO quarantine (received, feed, topic, dataset, reason, detail, size_bytes, payload)
SELECT %(now)s, %(feed)s, w.*
FROM unnest(%(topics)s::text[], %(datasets)s::text[], %(reasons)s::text[], %(details)s::text[],
            %(sizes)s::integer[], %(payloads)s::bytea[]) AS w

-- name: count_in_quarantine
INSERT INTO quarantine_counts AS c (feed, topic, reason, kept, only_counted)
SELECT %(feed)s, w.*
FROM unnest(%(topics)s::text[], %(reasons)s::text[], %(kept)s::bigint[],
            %(counted)s::bigint[]) AS w
ON CONFLICT (feed, topic, reason) DO UPDATE
SET kept = c.kept + excluded.kept, only_counted = c.only_counted + excluded.only_counted

-- name: list_quarantine
SELECT id, received, feed, topic, dataset, reason, detail, size_bytes FROM quarantine
WHERE id > %(after)s ORDER BY id LIMIT %(limit)s

-- name: get_quarantined
SELECT id, received, feed, topic, dataset, reason, detail, size_bytes, payload
FROM quarantine WHERE id = %(id)s

-- name: quarantine_totals
SELECT reason, sum(kept)::bigint AS kept, sum(only_counted)::bigint AS only_counted
FROM quarantine_counts GROUP BY reason ORDER BY reason
