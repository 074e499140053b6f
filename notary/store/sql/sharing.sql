-- SPDX-License-Identifier: Apache-2.0

-- name: lock_department
-- Its datasets of sharing and of erasing are made by one at a time.
SELECT id FROM departments WHERE id = %(id)s FOR NO KEY UPDATE

-- name: find_kept_dataset
SELECT name FROM datasets WHERE owner = %(owner)s AND kept_for = %(kept_for)s

-- name: keep_dataset
UPDATE datasets SET kept_for = %(kept_for)s WHERE id = %(id)s

-- name: has_version
SELECT 1 FROM versions WHERE dataset = %(dataset)s AND version = %(version)s

-- name: add_grant
INSERT INTO grants (id, dataset, version, department, purpose, approval, made_at, until)
VALUES (%(id)s, %(dataset)s, %(version)s, %(department)s, %(purpose)s, %(approval)s, %(now)s,
        %(until)s)

-- name: withdraw_grant
-- One that still holds or has ended; its row waits for hand-overs that are under way.
UPDATE grants SET withdrawn_at = %(now)s WHERE id = %(id)s AND withdrawn_at IS NULL

-- name: hold_grant
-- One that holds now, kept from being withdrawn until the transaction ends.
SELECT g.id FROM grants g JOIN datasets d ON d.id = g.dataset
WHERE g.id = %(id)s AND g.withdrawn_at IS NULL AND (g.until IS NULL OR g.until > %(now)s)
  AND d.sharing <> 'not-shared'
FOR SHARE OF g

-- name: add_grant_record
INSERT INTO grant_records (granted, number, kind, received, source, chain, n)
SELECT %(grant)s,
       (SELECT coalesce(max(number) + 1, 0) FROM grant_records WHERE granted = %(grant)s),
       %(kind)s, %(received)s, s.id, %(chain)s, %(n)s
FROM sources s JOIN datasets d ON d.id = s.dataset
WHERE d.name = %(dataset)s AND s.name = %(source)s

-- name: list_grants
-- Of a dataset: all, or a department's, by id.
SELECT g.id, d.name AS dataset, g.version, g.department, g.purpose, g.approval, g.made_at,
       g.until, g.withdrawn_at
FROM grants g JOIN datasets d ON d.id = g.dataset
WHERE g.dataset = %(dataset)s AND g.id > %(after)s
  AND (%(department)s::text IS NULL OR g.department = %(department)s)
ORDER BY g.id LIMIT %(limit)s

-- name: get_grant
-- For one of its two sides, if its key is for the dataset.
SELECT g.id, d.name AS dataset, g.version, g.department, g.purpose, g.approval, g.made_at,
       g.until, g.withdrawn_at
FROM grants g JOIN datasets d ON d.id = g.dataset
WHERE g.id = %(id)s AND %(department)s IN (g.department, d.owner)
  AND (%(only)s::integer[] IS NULL OR g.dataset = ANY(%(only)s))

-- name: list_grant_records
-- With what each says, until that is erased.
SELECT r.granted, r.number, r.kind, r.received, s.name AS source, r.chain, r.n, k.payload, k.leaf
FROM grant_records r JOIN sources s ON s.id = r.source
LEFT JOIN records k ON k.lane = s.lane AND k.source = s.id AND k.chain = r.chain AND k.n = r.n
WHERE r.granted = %(grant)s AND r.number > %(after)s ORDER BY r.number LIMIT %(limit)s

-- name: list_handovers
-- All that was handed over of a dataset, under whatever grant.
SELECT r.id, r.granted, g.department, r.number, r.kind, r.received, s.name AS source, r.chain,
       r.n, k.payload, k.leaf
FROM grants g JOIN grant_records r ON r.granted = g.id JOIN sources s ON s.id = r.source
LEFT JOIN records k ON k.lane = s.lane AND k.source = s.id AND k.chain = r.chain AND k.n = r.n
WHERE g.dataset = %(dataset)s AND r.kind = 'hand-over' AND r.id > %(after)s
ORDER BY r.id LIMIT %(limit)s

-- name: find_grant_record
-- Where the record lies: for a receipt.
SELECT d.name AS dataset, s.name AS source, r.chain, r.n
FROM grant_records r JOIN sources s ON s.id = r.source JOIN datasets d ON d.id = s.dataset
WHERE r.granted = %(grant)s AND r.number = %(number)s
