-- SPDX-License-Identifier: Apache-2.0
-- What is known of each ledger that was ever anchored on, also once it is taken out of the
-- settings; and which anchors were refused by their ledger.

CREATE TABLE ledgers (
    name text PRIMARY KEY,
    kind text NOT NULL,
    own_word boolean NOT NULL,
    origin text,
    newest bigint,
    root bytea,
    failures integer NOT NULL DEFAULT 0,
    failed_at timestamptz,
    error text
);

-- Until now there was no other kind.
INSERT INTO ledgers (name, kind, own_word) SELECT DISTINCT ledger, 'file', true FROM anchors;

ALTER TABLE anchors ADD COLUMN submitted_at timestamptz;
ALTER TABLE anchors ADD COLUMN refused boolean NOT NULL DEFAULT false;
UPDATE anchors SET refused = true WHERE state = 'failed';
ALTER TABLE anchors ADD CONSTRAINT anchors_refused_check CHECK (NOT refused OR state = 'failed');
ALTER TABLE anchors ADD CONSTRAINT anchors_ledger_fkey
    FOREIGN KEY (ledger) REFERENCES ledgers (name);

-- Finds at each round what is under way among years of what is done.
CREATE INDEX anchors_not_verified ON anchors (ledger, size) WHERE state <> 'verified';
