-- SPDX-License-Identifier: Apache-2.0

-- name: count_quarantine
-- Counts one more; returns how many of this feed, topic and reason are kept already.
INSERT INTO quarantine_counts (feed, topic, reason) VALUES (%(feed)s, %(topic)s, %(reason)s)
ON CONFLICT (feed, topic, reason) DO UPDATE SET kept = quarantine_counts.kept
RETURNING kept

-- name: topics_in_quarantine
SELECT count(*) FROM quarantine_counts

-- name: raise_quarantine
UPDATE quarantine_counts SET kept = kept + %(kept)s, only_counted = only_counted + %(counted)s
WHERE feed = %(feed)s AND topic = %(topic)s AND reason = %(reason)s

-- name: keep_in_quarantine
INSERT INTO quarantine (received, feed, topic, dataset, reason, detail, size_bytes, payload)
VALUES (%(now)s, %(feed)s, %(topic)s, %(dataset)s, %(reason)s, %(detail)s, %(size_bytes)s,
        %(payload)s)

-- name: list_quarantine
SELECT id, received, feed, topic, dataset, reason, detail, size_bytes FROM quarantine
WHERE id > %(after)s ORDER BY id LIMIT %(limit)s

-- name: get_quarantined
SELECT id, received, feed, topic, dataset, reason, detail, size_bytes, payload
FROM quarantine WHERE id = %(id)s

-- name: quarantine_totals
SELECT reason, sum(kept)::bigint AS kept, sum(only_counted)::bigint AS only_counted
FROM quarantine_counts GROUP BY reason ORDER BY reason
