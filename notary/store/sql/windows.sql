-- SPDX-License-Identifier: Apache-2.0

-- name: last_signed_record
-- The last record of a source's chain that a signed checkpoint covers which is shown.
SELECT first + count - 1 FROM runs
WHERE source = %(source)s AND chain = %(chain)s
  AND batch < CASE WHEN EXISTS (SELECT FROM witness_policies WHERE is_current AND NOT fails_open)
      THEN (SELECT max(c.size) FROM checkpoints c JOIN witness_policies p ON c.met = p.fingerprint
            WHERE p.is_current)
      ELSE (SELECT max(size) FROM checkpoints WHERE note IS NOT NULL) END
ORDER BY first DESC LIMIT 1

-- name: received_of_record
SELECT received FROM records
WHERE lane = %(lane)s AND source = %(source)s AND chain = %(chain)s AND n = %(n)s

-- name: observed_span
-- The first and the last record whose time of the sender's, as text, lies in a span.
SELECT min(n), max(n) FROM records
WHERE lane = %(lane)s AND source = %(source)s AND chain = %(chain)s AND n <= %(last)s
  AND observed COLLATE "C" >= %(start)s AND observed COLLATE "C" < %(stop)s

-- name: window_records
-- What statements are made of. The digest or commitment follows from the payload while that
-- is there.
SELECT r.n, r.received, f.by_word, f.type, r.observed, r.key, r.message,
       coalesce(CASE WHEN %(is_open)s THEN sha256(r.payload)
                     ELSE sha256(r.salt || r.payload) END, r.digest) AS hash
FROM records r JOIN forms f ON f.id = r.form
WHERE r.lane = %(lane)s AND r.source = %(source)s AND r.chain = %(chain)s
  AND r.n >= %(start)s AND r.n < %(stop)s
ORDER BY r.n

-- name: window_payloads
SELECT n, payload, salt FROM records
WHERE lane = %(lane)s AND source = %(source)s AND chain = %(chain)s
  AND n >= %(start)s AND n < %(stop)s
ORDER BY n

-- name: erased_in_run
-- What of a run was erased, and which record says so.
SELECT e.n, e.erased_at, e.ground, k.name || '/' || t.name || '/' || told_chain || '/' || told_n
FROM erasures e JOIN sources t ON t.id = told_source JOIN datasets k ON k.id = t.dataset
WHERE e.source = %(source)s AND e.chain = %(chain)s AND e.n BETWEEN %(first)s AND %(last)s
ORDER BY e.n
