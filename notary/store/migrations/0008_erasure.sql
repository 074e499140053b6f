-- SPDX-License-Identifier: Apache-2.0
-- How long content stays here, and what was erased on whose order.

-- `keep_days` null: content stays; 0: it goes once it is sealed. The first `dropped` batches
-- of the dataset have no content any more.
ALTER TABLE datasets
    DROP CONSTRAINT datasets_kept_for_check,
    ADD CONSTRAINT datasets_kept_for_check CHECK (kept_for IN ('sharing', 'erasing')),
    ADD COLUMN keep_days integer CHECK (keep_days >= 0),
    ADD COLUMN dropped integer NOT NULL DEFAULT 0 CHECK (dropped >= 0);

-- A record (source, chain, n) or a version whose content was erased: on whose order, by whom,
-- on what legal ground; `told_` says which record of the owner's dataset of erasures tells so.
-- Where that one is erased itself, who ordered and who did it is null.
CREATE TABLE erasures (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dataset integer NOT NULL REFERENCES datasets,
    source integer REFERENCES sources,
    chain integer,
    n bigint,
    version integer,
    ordered text,
    done_by text,
    ground text NOT NULL,
    erased_at timestamptz NOT NULL,
    told_source integer NOT NULL REFERENCES sources,
    told_chain integer NOT NULL,
    told_n bigint NOT NULL,
    CHECK (CASE WHEN version IS NULL THEN num_nulls(source, chain, n) = 0
           ELSE num_nonnulls(source, chain, n) = 0 END),
    -- Nothing is erased twice.
    CONSTRAINT erasures_record_key UNIQUE (source, chain, n),
    CONSTRAINT erasures_version_key UNIQUE (dataset, version),
    CONSTRAINT erasures_told_key UNIQUE (told_source, told_chain, told_n)
);

-- Some readings of the message became records after it was put aside.
ALTER TABLE quarantine ADD COLUMN partly_taken boolean NOT NULL DEFAULT false;
