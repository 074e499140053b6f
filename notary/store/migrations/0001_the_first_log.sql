-- SPDX-License-Identifier: Apache-2.0
-- The whole of the first log: what is accepted, sealed, signed and anchored.

-- One log in one database. Its row is the fence: whoever appends or signs holds it.
CREATE TABLE log (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    origin text NOT NULL,
    vkey text NOT NULL,
    size bigint NOT NULL DEFAULT 0 CHECK (size >= 0),
    chain integer NOT NULL DEFAULT 0 CHECK (chain >= 0),
    created_at timestamptz NOT NULL
);

CREATE TABLE api_keys (
    id text PRIMARY KEY,
    owner text NOT NULL,
    secret_hash bytea NOT NULL,
    created_at timestamptz NOT NULL,
    revoked_at timestamptz
);

-- `name` is the public id, `label` what people call it (erasable, never in the log).
CREATE TABLE datasets (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL CONSTRAINT datasets_name_key UNIQUE,
    label text NOT NULL,
    owner text NOT NULL,
    is_open boolean NOT NULL,
    random_sources boolean NOT NULL,
    digest_index boolean NOT NULL,
    lane_count integer NOT NULL CHECK (lane_count BETWEEN 1 AND 64),
    batch_count integer NOT NULL DEFAULT 0,
    last_descriptor bytea NOT NULL,
    source_count integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL
);

-- The part of a dataset's sources that one lock covers; `version` rises with each segment.
CREATE TABLE lanes (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dataset integer NOT NULL REFERENCES datasets,
    position integer NOT NULL,
    version bigint NOT NULL DEFAULT 0,
    UNIQUE (dataset, position)
);

-- `label` as handed in, `name` as in statements (the same unless the dataset's are random),
-- `number` given at the first sealing, without a gap in the dataset.
CREATE TABLE sources (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dataset integer NOT NULL REFERENCES datasets,
    lane integer NOT NULL REFERENCES lanes,
    number integer,
    label text NOT NULL,
    name text NOT NULL,
    tag_salt bytea NOT NULL,
    tag bytea NOT NULL,
    UNIQUE (dataset, label),
    UNIQUE (dataset, name),
    UNIQUE (dataset, number)
);

-- How records were handed in: what is known of the sender, and the media type.
CREATE TABLE forms (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    by_word text NOT NULL,
    type text NOT NULL,
    UNIQUE (by_word, type)
);

-- One row a record, written once, touched again only by erasure. The primary key keeps
-- one place for each record of a source and finds the head of its chain; no foreign key
-- and no further index, for speed. `digest` holds the digest or commitment only once the
-- payload is gone; until then it follows from the payload (and the salt).
CREATE TABLE records (
    lane integer NOT NULL,
    source integer NOT NULL,
    n bigint NOT NULL,
    received timestamptz NOT NULL,
    chain integer NOT NULL,
    form integer NOT NULL,
    flags smallint NOT NULL,
    leaf bytea NOT NULL,
    observed text,
    key text,
    message bytea,
    salt bytea,
    digest bytea,
    payload bytea,
    PRIMARY KEY (lane, source, chain, n, received)
);

-- What one commit accepted in one lane: for each source how many records.
CREATE TABLE segments (
    number bigint PRIMARY KEY,
    lane integer NOT NULL,
    dataset integer NOT NULL,
    chain integer NOT NULL,
    count integer NOT NULL,
    received timestamptz NOT NULL,
    batch bigint,
    sources integer[] NOT NULL,
    counts integer[] NOT NULL
);
CREATE SEQUENCE segment_numbers;
-- Finds what waits to be sealed, and nothing else.
CREATE INDEX segments_waiting ON segments (dataset, number) WHERE batch IS NULL;

-- Known keys: hashes keyed by the instance secret, kept for the stated horizon; `day` counts
-- from 2000-01-01. The print of the payload only chooses among a key's records: while the
-- payload is there, it is compared itself.
CREATE TABLE duplicates (
    key_print bigint NOT NULL,
    n bigint NOT NULL,
    payload_print integer NOT NULL,
    chain smallint NOT NULL,
    day smallint NOT NULL
);
CREATE INDEX duplicates_by_key ON duplicates (key_print);

-- Look-up by digest, only in open datasets that ask for it.
CREATE TABLE digests (
    digest bytea NOT NULL,
    source integer NOT NULL,
    chain integer NOT NULL,
    n bigint NOT NULL,
    PRIMARY KEY (digest, source, chain, n)
);

-- A posted body's Idempotency-Key, its HMAC and the answer that was given.
CREATE TABLE idempotency (
    api_key text NOT NULL,
    key text NOT NULL,
    body_print bytea NOT NULL,
    answer text NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (api_key, key)
);

-- The leaves of the log. The primary key keeps one leaf for each index.
CREATE TABLE batches (
    index bigint PRIMARY KEY CHECK (index >= 0),
    dataset integer NOT NULL REFERENCES datasets,
    number integer NOT NULL,
    count integer NOT NULL,
    leaf bytea NOT NULL,
    sealed_at timestamptz NOT NULL,
    descriptor text NOT NULL,
    UNIQUE (dataset, number)
);

-- Trees of a batch as tiles: tree 0 over its records, tree 1 over its run list. `middle` has
-- the roots over each 16 hashes of the tile, so that a path needs 32 hashes of it, not 256.
CREATE TABLE batch_tiles (
    batch bigint NOT NULL,
    index integer NOT NULL,
    tree smallint NOT NULL,
    level smallint NOT NULL,
    data bytea NOT NULL,
    middle bytea NOT NULL,
    PRIMARY KEY (batch, tree, level, index)
);
ALTER TABLE batch_tiles ALTER COLUMN data SET STORAGE EXTERNAL,
                        ALTER COLUMN middle SET STORAGE EXTERNAL;

-- The run list. The primary key finds the batch of a record.
CREATE TABLE runs (
    source integer NOT NULL,
    chain integer NOT NULL,
    first bigint NOT NULL,
    batch bigint NOT NULL,
    position integer NOT NULL,
    number integer NOT NULL,
    count integer NOT NULL,
    start integer NOT NULL,
    prev bytea NOT NULL,
    last bytea NOT NULL,
    PRIMARY KEY (source, chain, first),
    UNIQUE (batch, position)
);

-- The hashes of which the log's tiles are made: level l, index i is the root of the i-th
-- full subtree of 256^l leaves. Never changed, so a partial tile is only a shorter read.
CREATE TABLE log_hashes (
    level smallint NOT NULL,
    index bigint NOT NULL,
    hash bytea NOT NULL,
    PRIMARY KEY (level, index)
);

-- One root for each size, committed before it is signed.
CREATE TABLE checkpoints (
    size bigint PRIMARY KEY CHECK (size >= 0),
    root bytea NOT NULL,
    committed_at timestamptz NOT NULL,
    signed_at timestamptz,
    note text
);

CREATE TABLE anchors (
    ledger text NOT NULL,
    size bigint NOT NULL REFERENCES checkpoints,
    state text NOT NULL
        CHECK (state IN ('built', 'submitted', 'committed', 'verified', 'failed', 'unknown')),
    attempts integer NOT NULL DEFAULT 0,
    built_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    evidence text,
    error text,
    PRIMARY KEY (ledger, size)
);
-- Finds the first anchor that covers a batch.
CREATE INDEX anchors_verified ON anchors (ledger, size) WHERE state = 'verified';

-- What could not become a record, with its reason.
CREATE TABLE quarantine (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    received timestamptz NOT NULL,
    feed text NOT NULL,
    topic text NOT NULL,
    dataset text,
    reason text NOT NULL,
    detail text NOT NULL,
    size_bytes integer NOT NULL,
    payload bytea NOT NULL
);
CREATE TABLE quarantine_counts (
    feed text NOT NULL,
    topic text NOT NULL,
    reason text NOT NULL,
    kept bigint NOT NULL DEFAULT 0,
    only_counted bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (feed, topic, reason)
);

-- What each process said of itself last.
CREATE TABLE heartbeats (
    process text PRIMARY KEY,
    seen_at timestamptz NOT NULL,
    facts text NOT NULL
);
