-- SPDX-License-Identifier: Apache-2.0

-- name: ledger_work
-- How some ledgers stand: the newest checkpoint, their last anchor, the one that is under way,
-- the refused one, the newest verified one, and what was noted of the ledger itself.
SELECT w.name, c.size AS newest, last.size AS last_size, last.built_at AS last_built_at,
       o.size, oc.root, o.state, o.reference, o.attempts, o.built_at, o.submitted_at, o.changed_at,
       r.size AS refused_size, r.error AS refused_error,
       v.size AS verified_size, vc.root AS verified_root, v.reference AS verified_reference,
       l.kind, l.failures, l.failed_at, l.error
FROM unnest(%(ledgers)s::text[]) WITH ORDINALITY AS w (name, place)
LEFT JOIN ledgers l ON l.name = w.name
LEFT JOIN LATERAL (
    SELECT size FROM checkpoints WHERE note IS NOT NULL AND size > 0 ORDER BY size DESC LIMIT 1
) c ON true
LEFT JOIN LATERAL (
    SELECT size, built_at FROM anchors WHERE ledger = w.name ORDER BY size DESC LIMIT 1
) last ON true
LEFT JOIN LATERAL (
    SELECT * FROM anchors
    WHERE ledger = w.name AND state <> 'verified' AND state <> 'failed' ORDER BY size LIMIT 1
) o ON true
LEFT JOIN checkpoints oc ON oc.size = o.size
LEFT JOIN LATERAL (
    SELECT size, error FROM anchors
    WHERE ledger = w.name AND state <> 'verified' AND refused ORDER BY size LIMIT 1
) r ON true
LEFT JOIN LATERAL (
    SELECT size, reference FROM anchors
    WHERE ledger = w.name AND state = 'verified' ORDER BY size DESC LIMIT 1
) v ON true
LEFT JOIN checkpoints vc ON vc.size = v.size
ORDER BY w.place

-- name: newest_verified_anchor
SELECT a.size, c.root, a.reference FROM anchors a JOIN checkpoints c ON c.size = a.size
WHERE a.ledger = %(ledger)s AND a.state = 'verified' ORDER BY a.size DESC LIMIT 1

-- name: first_verified_anchor
SELECT size FROM anchors WHERE ledger = %(ledger)s AND state = 'verified' ORDER BY size LIMIT 1

-- name: ledger_kinds
SELECT name, kind FROM ledgers WHERE name = ANY(%(ledgers)s)

-- name: note_ledger
-- A ledger's kind stays: its anchors' evidence is of that kind.
INSERT INTO ledgers (name, kind, own_word) VALUES (%(ledger)s, %(kind)s, %(own_word)s)
ON CONFLICT (name) DO NOTHING

-- name: add_anchor
INSERT INTO anchors (ledger, size, state, built_at, changed_at)
VALUES (%(ledger)s, %(size)s, 'built', %(now)s, %(now)s)
ON CONFLICT (ledger, size) DO NOTHING

-- name: try_anchor
-- One process alone hands over: whoever counts this attempt.
UPDATE anchors SET state = 'built', attempts = attempts + 1, changed_at = %(now)s
WHERE ledger = %(ledger)s AND size = %(size)s AND state IN ('built', 'unknown')
  AND attempts = %(attempts)s

-- name: anchor_submitted
UPDATE anchors SET state = 'submitted', reference = %(reference)s, submitted_at = %(now)s,
                   changed_at = %(now)s, error = NULL
WHERE ledger = %(ledger)s AND size = %(size)s AND state IN ('built', 'unknown')

-- name: move_anchor
UPDATE anchors SET state = %(state)s, refused = %(refused)s, changed_at = %(now)s,
                   evidence = coalesce(%(evidence)s, evidence), error = %(error)s
WHERE ledger = %(ledger)s AND size = %(size)s AND state NOT IN ('verified', 'failed')

-- name: heard_of_ledger
UPDATE ledgers SET origin = %(origin)s, newest = %(newest)s, root = %(root)s
WHERE name = %(ledger)s AND (origin, newest, root) IS DISTINCT FROM
      (%(origin)s::text, %(newest)s::bigint, %(root)s::bytea)

-- name: ledger_failed
UPDATE ledgers SET failures = failures + 1, failed_at = %(now)s, error = %(error)s
WHERE name = %(ledger)s

-- name: ledger_works
UPDATE ledgers SET failures = 0, failed_at = NULL, error = NULL
WHERE name = %(ledger)s AND (failures > 0 OR error IS NOT NULL)

-- name: what_ledgers_hold
SELECT name, newest, root FROM ledgers
WHERE name = ANY(%(ledgers)s) AND origin = %(origin)s AND newest IS NOT NULL ORDER BY name

-- name: retry_anchors
-- What a ledger refused is tried again, and what waits for its next attempt waits no longer.
UPDATE anchors SET state = 'unknown', refused = false, attempts = 0, changed_at = %(now)s
WHERE ledger = %(ledger)s AND (refused OR state = 'unknown')

-- name: forget_ledger
UPDATE ledgers SET failures = 0, failed_at = NULL, error = NULL, origin = NULL, newest = NULL,
                   root = NULL
WHERE name = %(ledger)s

-- name: verified_anchors
SELECT a.ledger, l.kind, a.size, c.root, a.reference, a.evidence
FROM anchors a JOIN checkpoints c ON c.size = a.size JOIN ledgers l ON l.name = a.ledger
WHERE a.state = 'verified' AND (%(only)s::text IS NULL OR a.ledger = %(only)s)
  AND (a.ledger, a.size) > (%(ledger)s::text, %(size)s::bigint)
ORDER BY a.ledger, a.size LIMIT %(limit)s

-- name: get_anchor
SELECT a.ledger, l.kind, l.own_word, a.size, c.root, a.state, a.refused, a.built_at, a.submitted_at,
       a.changed_at, a.attempts, a.evidence, a.reference, a.error
FROM anchors a JOIN checkpoints c ON c.size = a.size JOIN ledgers l ON l.name = a.ledger
WHERE a.ledger = %(ledger)s AND a.size = %(size)s

-- name: list_ledgers
-- Of each ledger: its newest verified anchor, the one under way, the refused one, and the oldest
-- batch that it doesn't hold.
SELECT l.name, l.kind, l.own_word, l.failures, l.error, v.size, v.built_at, v.changed_at,
       o.size AS open_size, o.state AS open_state, o.attempts, o.built_at AS open_since,
       o.error AS open_error, r.size AS refused_size, r.error AS refused_error,
       (SELECT sealed_at FROM batches WHERE index = coalesce(v.size, 0)) AS unanchored_since
FROM ledgers l
LEFT JOIN LATERAL (
    SELECT size, built_at, changed_at FROM anchors
    WHERE ledger = l.name AND state = 'verified' ORDER BY size DESC LIMIT 1
) v ON true
LEFT JOIN LATERAL (
    SELECT * FROM anchors
    WHERE ledger = l.name AND state <> 'verified' AND state <> 'failed' ORDER BY size LIMIT 1
) o ON true
LEFT JOIN LATERAL (
    SELECT size, error FROM anchors
    WHERE ledger = l.name AND state <> 'verified' AND refused ORDER BY size LIMIT 1
) r ON true
ORDER BY l.name

-- name: oldest_batch
SELECT sealed_at FROM batches WHERE index = 0
