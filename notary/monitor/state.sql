-- SPDX-License-Identifier: Apache-2.0
-- What a monitor remembers, in a SQLite file of its own.

-- Single values: origin, since, followed, size, root, note, looked, records, rows, …
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

-- The log's entries as they were hashed. Those from `size` on are not under a checkpoint yet.
CREATE TABLE entries (idx INTEGER PRIMARY KEY, data BLOB NOT NULL);

-- Hash i of level l is the root over the 256^l leaves from i * 256^l on; complete subtrees only.
CREATE TABLE hashes (level INTEGER, idx INTEGER, hash BLOB NOT NULL, PRIMARY KEY (level, idx))
WITHOUT ROWID;

-- Batches of records that were looked at: where a signed acceptance may be kept.
CREATE TABLE batches (
    idx INTEGER PRIMARY KEY, dataset INTEGER NOT NULL, kind TEXT NOT NULL,
    first TEXT NOT NULL, last TEXT NOT NULL
);
CREATE INDEX batches_by_time ON batches (dataset, first);
CREATE INDEX batches_by_end ON batches (last);

-- The end of each dataset: number and leaf of its last descriptor, the latest time in it, its
-- newest version, whether its versions show digests, and how many sources are numbered.
CREATE TABLE datasets (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, number INTEGER NOT NULL, leaf BLOB NOT NULL,
    latest TEXT NOT NULL, version INTEGER NOT NULL, is_open INTEGER, sources INTEGER NOT NULL
);

-- The end of each chain: the next n, and the leaf before it.
CREATE TABLE ends (
    dataset INTEGER, number INTEGER, chain INTEGER, tag BLOB NOT NULL, next INTEGER NOT NULL,
    last BLOB NOT NULL, PRIMARY KEY (dataset, number, chain)
) WITHOUT ROWID;
CREATE INDEX ends_by_tag ON ends (dataset, tag);

-- Checkpoints: from when until when one was the newest shown, and when witnesses had signed it.
CREATE TABLE seen (
    size INTEGER PRIMARY KEY, at TEXT NOT NULL, until TEXT NOT NULL, witnessed TEXT
);

-- By ledger: up to which size all anchors are settled, and the largest size that it holds.
CREATE TABLE anchored (ledger TEXT PRIMARY KEY, size INTEGER NOT NULL) WITHOUT ROWID;

-- How far a ledger's file was read: bytes, the last entry's number and the hash of its note.
CREATE TABLE ledger_files (
    path TEXT PRIMARY KEY, offset INTEGER NOT NULL, sequence INTEGER NOT NULL, prev BLOB NOT NULL
) WITHOUT ROWID;

-- Signed acceptances by the hash of their file; looked for in the entries before `searched`.
CREATE TABLE acceptances (
    digest BLOB PRIMARY KEY, name TEXT NOT NULL, leaf BLOB NOT NULL, dataset TEXT NOT NULL,
    received TEXT NOT NULL, sealed_by TEXT NOT NULL, searched INTEGER NOT NULL, state TEXT NOT NULL
) WITHOUT ROWID;

-- One alarm for each matter; `ended` is null while it stands, `told` 1 once the webhook has it.
CREATE TABLE alarms (
    id INTEGER PRIMARY KEY, kind TEXT NOT NULL, matter TEXT NOT NULL, at TEXT NOT NULL,
    ended TEXT, facts TEXT NOT NULL, told INTEGER NOT NULL, UNIQUE (kind, matter)
);

PRAGMA user_version = 1;
