-- SPDX-License-Identifier: Apache-2.0
-- Acceptances on their way back to devices.

-- One row a commit and broker: the answers to all messages that the commit was about. Written
-- with what it answers, removed once nothing more is to be told of it. `process` is the client
-- id of the process whose duty it is; `stage` 0: to be published, 1: "sealed" is to follow,
-- 2: "anchored". `lanes` and `upto` say which segments it hangs on, `size` which log holds them.
CREATE TABLE outbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    process text NOT NULL,
    broker text NOT NULL,
    made_at timestamptz NOT NULL,
    stage smallint NOT NULL DEFAULT 0,
    wants_notices boolean NOT NULL,
    datasets integer[] NOT NULL,
    lanes integer[] NOT NULL,
    upto bigint NOT NULL,
    size bigint,
    messages integer NOT NULL,
    answers text NOT NULL
);
CREATE INDEX outbox_by_stage ON outbox (process, broker, stage, id);
