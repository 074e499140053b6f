-- SPDX-License-Identifier: Apache-2.0
-- What happened to the log after a database was set back to an older state.

-- Since this recovery records join `chain`. `origin` is the log that was set back; where it
-- was closed, another one goes on, and the checkpoints up to `last_size` are the closed one's.
-- `note` is the signed note of recovery/1.
CREATE TABLE recoveries (
    chain integer PRIMARY KEY CHECK (chain > 0),
    origin text NOT NULL,
    goes_on text NOT NULL,
    last_size bigint NOT NULL CHECK (last_size >= 0),
    note text NOT NULL
);

-- Batches whose leaves were put back into the log, while their records are lost. `run_list` and
-- `leaves` are what everybody may read of them, where somebody had it.
CREATE TABLE lost_batches (
    batch bigint PRIMARY KEY REFERENCES batches,
    run_list text,
    leaves bytea
);

-- The records about recoveries are a dataset that the notary keeps, too.
ALTER TABLE datasets
    DROP CONSTRAINT datasets_kept_for_check,
    ADD CONSTRAINT datasets_kept_for_check
        CHECK (kept_for IN ('sharing', 'erasing', 'recovering'));
