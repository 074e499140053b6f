-- SPDX-License-Identifier: Apache-2.0
-- Which department was granted what, and the records of it.

-- Written by the notary alone: the records of what a department's datasets were granted to whom
-- and handed over. One for each department, made with its first grant.
ALTER TABLE datasets ADD COLUMN kept_for text CHECK (kept_for = 'sharing');
CREATE UNIQUE INDEX datasets_kept ON datasets (owner, kept_for) WHERE kept_for IS NOT NULL;

-- `version` null: the whole dataset. A grant holds until it ends or is withdrawn, and stays
-- here for good.
CREATE TABLE grants (
    id text PRIMARY KEY,
    dataset integer NOT NULL REFERENCES datasets,
    version integer CHECK (version >= 1),
    department text NOT NULL REFERENCES departments,
    purpose text NOT NULL,
    approval text NOT NULL,
    made_at timestamptz NOT NULL,
    until timestamptz CHECK (until > made_at),
    withdrawn_at timestamptz CHECK (withdrawn_at >= made_at)
);
-- Finds what a department was granted of a dataset.
CREATE INDEX grants_by_department ON grants (department, dataset);
CREATE INDEX grants_by_dataset ON grants (dataset, id);

-- The records about a grant, by number: where in its owner's dataset of sharing each lies.
CREATE TABLE grant_records (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    granted text NOT NULL REFERENCES grants,
    number integer NOT NULL,
    kind text NOT NULL CHECK (kind IN ('grant', 'withdrawal', 'hand-over')),
    received timestamptz NOT NULL,
    source integer NOT NULL REFERENCES sources,
    chain integer NOT NULL,
    n bigint NOT NULL,
    UNIQUE (granted, number)
);
