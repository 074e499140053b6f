-- SPDX-License-Identifier: Apache-2.0
-- What is asked of witnesses, how each of them stands, and which checkpoints have their quorum.

-- Policies (C2SP tlog-policy) as their files stood; one at most is in force. Where it
-- `fails_open`, a checkpoint without its quorum is shown too.
CREATE TABLE witness_policies (
    fingerprint bytea PRIMARY KEY,
    policy bytea NOT NULL,
    fails_open boolean NOT NULL,
    is_current boolean NOT NULL,
    adopted_at timestamptz NOT NULL
);
-- Keeps one rule in force.
CREATE UNIQUE INDEX witness_policies_current ON witness_policies (is_current) WHERE is_current;

-- Each witness that was ever asked. `known_size` is what it has of this log, by its own word;
-- `cosigned_size` the largest checkpoint here with its cosignature. `claims_fork`: it says that
-- it has another root; `evidence`: a note signed by the log's key that this log can't have.
CREATE TABLE witnesses (
    vkey text PRIMARY KEY,
    is_asked boolean NOT NULL,
    known_size bigint NOT NULL DEFAULT 0 CHECK (known_size >= 0),
    cosigned_size bigint NOT NULL DEFAULT 0 CHECK (cosigned_size >= 0),
    cosigned_at timestamptz,
    asked_at timestamptz,
    failures integer NOT NULL DEFAULT 0,
    problem text,
    claims_fork boolean NOT NULL DEFAULT false,
    evidence text
);

-- `met` is the policy whose quorum the cosignatures in the note are, since `witnessed_at`.
ALTER TABLE checkpoints
    ADD COLUMN met bytea REFERENCES witness_policies,
    ADD COLUMN witnessed_at timestamptz;
-- Finds the first checkpoint over a batch, and the newest, that the witnesses required stand for.
CREATE INDEX checkpoints_met ON checkpoints (met, size) WHERE met IS NOT NULL;
