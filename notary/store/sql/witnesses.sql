-- SPDX-License-Identifier: Apache-2.0

-- name: current_policy
SELECT fingerprint, policy, fails_open FROM witness_policies WHERE is_current

-- name: retire_policies
UPDATE witness_policies SET is_current = false
WHERE is_current AND fingerprint IS DISTINCT FROM %(fingerprint)s

-- name: adopt_policy
INSERT INTO witness_policies (fingerprint, policy, fails_open, is_current, adopted_at)
VALUES (%(fingerprint)s, %(policy)s, %(fails_open)s, true, %(now)s)
ON CONFLICT (fingerprint) DO UPDATE SET is_current = true, fails_open = excluded.fails_open

-- name: add_witnesses
INSERT INTO witnesses (vkey, is_asked) SELECT unnest(%(vkeys)s::text[]), true
ON CONFLICT (vkey) DO NOTHING

-- name: mark_asked_witnesses
UPDATE witnesses SET is_asked = vkey = ANY(%(vkeys)s::text[])
WHERE is_asked <> (vkey = ANY(%(vkeys)s::text[]))

-- name: list_witnesses
-- Those that are asked, and those whose evidence still stops signing.
SELECT vkey, is_asked, known_size, cosigned_size, cosigned_at, asked_at, failures, problem,
       claims_fork, evidence
FROM witnesses WHERE is_asked OR evidence IS NOT NULL ORDER BY vkey

-- name: get_witness
SELECT known_size, cosigned_size FROM witnesses WHERE vkey = %(vkey)s

-- name: witness_alarms
-- What may have to stop signing: proof, or the mere word of one that is asked.
SELECT vkey, evidence FROM witnesses
WHERE evidence IS NOT NULL OR (claims_fork AND is_asked) ORDER BY vkey

-- name: lock_note
SELECT note, met FROM checkpoints WHERE size = %(size)s AND note IS NOT NULL FOR UPDATE

-- name: set_cosigned
-- The text of a note never changes; only lines are added to it.
UPDATE checkpoints SET note = %(note)s, met = coalesce(%(met)s, met),
       witnessed_at = CASE WHEN %(met)s IS NULL OR met = %(met)s THEN witnessed_at ELSE %(now)s END
WHERE size = %(size)s AND note = %(before)s

-- name: witness_cosigned
UPDATE witnesses SET known_size = %(size)s, cosigned_size = greatest(cosigned_size, %(size)s),
       cosigned_at = %(now)s, asked_at = %(now)s, failures = 0, problem = NULL,
       claims_fork = false
WHERE vkey = %(vkey)s

-- name: witness_failed
UPDATE witnesses SET known_size = coalesce(%(known)s, known_size), asked_at = %(now)s,
       failures = failures + 1, problem = %(problem)s,
       claims_fork = coalesce(%(claims)s, claims_fork), evidence = coalesce(evidence, %(evidence)s)
WHERE vkey = %(vkey)s

-- name: newest_shown_checkpoint
-- The newest signed one; where witnesses are required and it isn't to be shown without them,
-- the newest that has their quorum.
WITH rule AS (SELECT fingerprint, fails_open FROM witness_policies WHERE is_current)
SELECT size, root, note, signed_at,
       (SELECT c.met IS NOT DISTINCT FROM fingerprint FROM rule) AS is_witnessed
FROM checkpoints c
WHERE size = CASE WHEN EXISTS (SELECT FROM rule WHERE NOT fails_open)
    THEN (SELECT max(size) FROM checkpoints WHERE met = (SELECT fingerprint FROM rule))
    ELSE (SELECT max(size) FROM checkpoints WHERE note IS NOT NULL) END

-- name: witnessed_batch
-- The first checkpoint over a batch that has the quorum of the rule in force.
SELECT size, witnessed_at, note FROM checkpoints
WHERE size > %(index)s
  AND met = (SELECT fingerprint FROM witness_policies WHERE is_current)
ORDER BY size LIMIT 1

-- name: newest_witnessed_size
SELECT max(size) FROM checkpoints
WHERE met = (SELECT fingerprint FROM witness_policies WHERE is_current)

-- name: audit_cosigned
SELECT size, note, met FROM checkpoints WHERE note IS NOT NULL ORDER BY size

-- name: audit_policies
SELECT fingerprint, policy FROM witness_policies ORDER BY adopted_at, fingerprint

-- name: audit_witnesses
SELECT vkey FROM witnesses ORDER BY vkey
