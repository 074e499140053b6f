-- SPDX-License-Identifier: Apache-2.0
-- Versions of a dataset's file: the file in parts, and a tree over its rows.

-- An upload that is under way. Nothing of it counts before its row moves to `versions`; what
-- was not touched for a time is swept away with its parts and tiles.
CREATE TABLE uploads (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dataset integer NOT NULL REFERENCES datasets,
    begun_at timestamptz NOT NULL,
    touched_at timestamptz NOT NULL
);

-- `id` is the upload's. `hash` is the digest of the file in an open dataset, else the
-- commitment with `salt`; `secret` gives the salts of rows. An erasure sets salt, secret,
-- file_digest, size_bytes, name and the marks of the tiles to null, and removes the parts;
-- what is left says nothing of the file.
CREATE TABLE versions (
    id bigint PRIMARY KEY,
    dataset integer NOT NULL REFERENCES datasets,
    version integer NOT NULL CHECK (version >= 1),
    profile text NOT NULL CHECK (profile IN ('csv-v1', 'ndjson-v1', 'none')),
    count integer NOT NULL CHECK (count >= 0),
    root bytea NOT NULL,
    hash bytea NOT NULL,
    received timestamptz NOT NULL,
    corrects integer CHECK (corrects >= 1 AND corrects < version),
    batch bigint,
    salt bytea,
    secret bytea,
    file_digest bytea,
    size_bytes bigint,
    name text,
    reason text,
    type text NOT NULL,
    by_word text NOT NULL,
    CONSTRAINT versions_dataset_version_key UNIQUE (dataset, version)
);
-- Finds what waits to be sealed, and a batch's version.
CREATE INDEX versions_waiting ON versions (dataset, version) WHERE batch IS NULL;
CREATE INDEX versions_by_batch ON versions (batch) WHERE batch IS NOT NULL;

-- The file in parts of 1 MiB, the last one shorter.
CREATE TABLE version_parts (
    version bigint NOT NULL,
    number integer NOT NULL,
    data bytea NOT NULL,
    PRIMARY KEY (version, number)
);
ALTER TABLE version_parts ALTER COLUMN data SET STORAGE EXTERNAL;

-- The tree as tiles of 256 hashes. `mark`, of level 0: at which byte of the file the tile's
-- first row begins.
CREATE TABLE version_tiles (
    version bigint NOT NULL,
    level smallint NOT NULL,
    index integer NOT NULL,
    data bytea NOT NULL,
    mark bigint,
    PRIMARY KEY (version, level, index)
);
ALTER TABLE version_tiles ALTER COLUMN data SET STORAGE EXTERNAL;

-- The datasets that the resources of a Data Package became. `key`: the columns that name a
-- row, as the package said last.
CREATE TABLE resources (
    dataset integer NOT NULL REFERENCES datasets,
    name text NOT NULL,
    child integer NOT NULL REFERENCES datasets,
    key text[] NOT NULL,
    PRIMARY KEY (dataset, name)
);
CREATE INDEX resources_by_child ON resources (child);
