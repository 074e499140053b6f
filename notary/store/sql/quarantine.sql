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
WHERE id > %(after)s AND (%(ids)s::bigint[] IS NULL OR id = ANY(%(ids)s::bigint[]))
  AND (%(feed)s::text IS NULL OR feed = %(feed)s)
  AND (%(topic)s::text IS NULL OR topic = %(topic)s)
  AND (%(reason)s::text IS NULL OR reason = %(reason)s)
ORDER BY id LIMIT %(limit)s

-- name: get_quarantined
SELECT id, received, feed, topic, dataset, reason, detail, size_bytes, payload
FROM quarantine WHERE id = %(id)s

-- name: quarantine_totals
SELECT reason, sum(kept)::bigint AS kept, sum(only_counted)::bigint AS only_counted
FROM quarantine_counts GROUP BY reason ORDER BY reason

-- name: choose_quarantined
-- Some of what is kept, by id, with its payload.
SELECT id, feed, topic, dataset, reason, size_bytes, payload FROM quarantine
WHERE id > %(after)s AND (%(ids)s::bigint[] IS NULL OR id = ANY(%(ids)s::bigint[]))
  AND (%(feed)s::text IS NULL OR feed = %(feed)s)
  AND (%(topic)s::text IS NULL OR topic = %(topic)s)
  AND (%(reason)s::text IS NULL OR reason = %(reason)s)
ORDER BY id LIMIT %(limit)s

-- name: take_from_quarantine
-- What is gone is not kept any more; what was only counted stays counted.
WITH gone AS (
    DELETE FROM quarantine WHERE id = ANY(%(ids)s::bigint[]) RETURNING feed, topic, reason
), counted AS (
    UPDATE quarantine_counts c SET kept = c.kept - g.number
    FROM (SELECT feed, topic, reason, count(*) AS number FROM gone GROUP BY 1, 2, 3) AS g
    WHERE (c.feed, c.topic, c.reason) = (g.feed, g.topic, g.reason)
)
SELECT count(*) FROM gone

-- name: change_quarantined
WITH was AS (
    SELECT id, feed, topic, reason FROM quarantine WHERE id = %(id)s FOR UPDATE
), changed AS (
    UPDATE quarantine q SET reason = %(reason)s, detail = %(detail)s
    FROM was WHERE q.id = was.id
), less AS (
    UPDATE quarantine_counts c SET kept = c.kept - 1 FROM was
    WHERE (c.feed, c.topic, c.reason) = (was.feed, was.topic, was.reason)
      AND was.reason <> %(reason)s
)
INSERT INTO quarantine_counts AS c (feed, topic, reason, kept)
SELECT feed, topic, %(reason)s, 1 FROM was WHERE reason <> %(reason)s
ON CONFLICT (feed, topic, reason) DO UPDATE SET kept = c.kept + 1
