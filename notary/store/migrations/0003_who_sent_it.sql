-- SPDX-License-Identifier: Apache-2.0
-- Who may send, and by which keys it is known.

-- A source that its owner made known. `title` is a name for people, beside the log, erasable.
CREATE TABLE registrations (
    source integer PRIMARY KEY REFERENCES sources,
    title text,
    registered_at timestamptz NOT NULL,
    revoked_at timestamptz
);

-- A source's keys. `material` is a public key, or an HMAC secret sealed under the instance
-- secret. Valid from `valid_from` until before `valid_to`, unless revoked.
CREATE TABLE source_keys (
    source integer NOT NULL REFERENCES registrations,
    id text NOT NULL,
    algorithm text NOT NULL CHECK (algorithm IN ('ed25519', 'es256', 'hmac-sha256')),
    material bytea NOT NULL,
    added_at timestamptz NOT NULL,
    valid_from timestamptz NOT NULL,
    valid_to timestamptz,
    revoked_at timestamptz,
    PRIMARY KEY (source, id),
    CHECK (valid_to > valid_from)
);

-- Raised with each change of the two, so that processes know when what they remember is old.
CREATE TABLE source_changes (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    version bigint NOT NULL DEFAULT 0
);
INSERT INTO source_changes DEFAULT VALUES;
