-- SPDX-License-Identifier: Apache-2.0

-- name: lock_quarantine
-- One at a time, so that the bounds hold for all who put aside together.
SELECT pg_advisory_xact_lock(7015644)

-- name: kept_in_quarantine
-- The topics of a feed that are told apart, and how many rows are kept of each.
SELECT topic, sum(rows)::bigint FROM quarantine_counts WHERE feed = %(feed)s GROUP BY topic

-- name: keep_in_quarantine
-- `places` come as texts, as arrays of arrays must all be of one length.
INSERT INTO quarantine (received, feed, topic, dataset, reason, detail, size_bytes, payload,
                        broker, sent_to, message, message_bytes, places, parts, user_properties)
SELECT %(now)s, %(feed)s, w.topic, w.dataset, w.reason, w.detail, w.size, w.payload,
       w.broker, w.sent_to, w.message, w.message_bytes, w.places::integer[], w.parts, w.properties
FROM unnest(%(topics)s::text[], %(datasets)s::text[], %(reasons)s::text[], %(details)s::text[],
            %(sizes)s::integer[], %(payloads)s::bytea[], %(brokers)s::text[],
            %(sent_to)s::text[], %(messages)s::bytea[], %(message_bytes)s::integer[],
            %(places)s::text[], %(parts)s::integer[], %(properties)s::text[])
     AS w(topic, dataset, reason, detail, size, payload, broker, sent_to, message,
          message_bytes, places, parts, properties)

-- name: count_in_quarantine
INSERT INTO quarantine_counts AS c (feed, topic, reason, kept, only_counted, rows)
SELECT %(feed)s, w.*
FROM unnest(%(topics)s::text[], %(reasons)s::text[], %(kept)s::bigint[],
            %(counted)s::bigint[], %(rows)s::bigint[]) AS w
ON CONFLICT (feed, topic, reason) DO UPDATE
SET kept = c.kept + excluded.kept, only_counted = c.only_counted + excluded.only_counted,
    rows = c.rows + excluded.rows

-- name: list_quarantine
SELECT id, received, feed, topic, dataset, reason, detail, size_bytes,
       cardinality(places) AS readings
FROM quarantine
WHERE id > %(after)s AND (%(ids)s::bigint[] IS NULL OR id = ANY(%(ids)s::bigint[]))
  AND (%(feed)s::text IS NULL OR feed = %(feed)s)
  AND (%(topic)s::text IS NULL OR topic = %(topic)s)
  AND (%(reason)s::text IS NULL OR reason = %(reason)s)
ORDER BY id LIMIT %(limit)s

-- name: get_quarantined
SELECT id, received, feed, topic, dataset, reason, detail, size_bytes,
       cardinality(places) AS readings, payload, broker, message_bytes, places, parts
FROM quarantine WHERE id = %(id)s

-- name: quarantine_totals
SELECT reason, sum(kept)::bigint AS kept, sum(only_counted)::bigint AS only_counted
FROM quarantine_counts GROUP BY reason ORDER BY reason

-- name: choose_quarantined
-- Some of what is kept, by id, with all that is needed to try it again.
SELECT id, feed, topic, dataset, reason, size_bytes, payload, broker, sent_to, message,
       message_bytes, places, parts, user_properties
FROM quarantine
WHERE id > %(after)s AND (%(ids)s::bigint[] IS NULL OR id = ANY(%(ids)s::bigint[]))
  AND (%(feed)s::text IS NULL OR feed = %(feed)s)
  AND (%(topic)s::text IS NULL OR topic = %(topic)s)
  AND (%(reason)s::text IS NULL OR reason = %(reason)s)
ORDER BY id LIMIT %(limit)s

-- name: take_from_quarantine
-- What is gone is not kept any more; what was only counted stays counted.
WITH gone AS (
    DELETE FROM quarantine WHERE id = ANY(%(ids)s::bigint[])
    RETURNING feed, topic, reason, cardinality(places) AS readings
), counted AS (
    UPDATE quarantine_counts c SET kept = c.kept - g.readings, rows = c.rows - g.number
    FROM (SELECT feed, topic, reason, count(*) AS number, sum(readings) AS readings
          FROM gone GROUP BY 1, 2, 3) AS g
    WHERE (c.feed, c.topic, c.reason) = (g.feed, g.topic, g.reason)
)
SELECT count(*) FROM gone

-- name: leave_in_quarantine
-- Of a message some parts became records: the row stands for those that did not.
WITH was AS (
    SELECT id, feed, topic, reason, cardinality(places) AS readings FROM quarantine
    WHERE id = %(id)s FOR UPDATE
), changed AS (
    UPDATE quarantine q
    SET places = %(places)s::integer[], parts = %(parts)s, partly_taken = true
    FROM was WHERE q.id = was.id
), less AS (
    UPDATE quarantine_counts c
    SET kept = c.kept - was.readings + cardinality(%(places)s::integer[])
    FROM was WHERE (c.feed, c.topic, c.reason) = (was.feed, was.topic, was.reason)
)
SELECT count(*) FROM was

-- name: lock_quarantine_counts
-- In the order in which they are counted, so that nobody waits for us while we wait for him.
SELECT 1 FROM quarantine_counts c JOIN quarantine q ON (q.feed, q.topic) = (c.feed, c.topic)
WHERE q.id = %(id)s ORDER BY c.reason COLLATE "C" FOR UPDATE OF c

-- name: change_quarantined
WITH was AS (
    SELECT id, feed, topic, reason, cardinality(places) AS readings FROM quarantine
    WHERE id = %(id)s FOR UPDATE
), changed AS (
    UPDATE quarantine q SET reason = %(reason)s, detail = %(detail)s
    FROM was WHERE q.id = was.id
), less AS (
    UPDATE quarantine_counts c SET kept = c.kept - was.readings, rows = c.rows - 1 FROM was
    WHERE (c.feed, c.topic, c.reason) = (was.feed, was.topic, was.reason)
      AND was.reason <> %(reason)s
)
INSERT INTO quarantine_counts AS c (feed, topic, reason, kept, rows)
SELECT feed, topic, %(reason)s, readings, 1 FROM was WHERE reason <> %(reason)s
ON CONFLICT (feed, topic, reason) DO UPDATE
SET kept = c.kept + excluded.kept, rows = c.rows + 1
