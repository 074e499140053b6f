-- SPDX-License-Identifier: Apache-2.0
-- What quarantine must know of a message so that it can be tried again, and what came twice.

-- `payload` is what could not become a record, `message` the whole message where that is more
-- and was kept, `message_bytes` its size, below zero where a password in it was masked.
-- `places` are those of the message's `parts` for which the row stands. `sent_to` is the topic
-- as it was, where the row's is a shorter or a common one ('' where it can't be kept).
-- `user_properties` (JSON, a list of pairs) came along.
ALTER TABLE quarantine
    ADD COLUMN broker text NOT NULL DEFAULT 'default',
    ADD COLUMN sent_to text,
    ADD COLUMN message bytea,
    ADD COLUMN message_bytes integer,
    ADD COLUMN places integer[] NOT NULL DEFAULT '{0}',
    ADD COLUMN parts integer NOT NULL DEFAULT 1,
    ADD COLUMN user_properties text;
UPDATE quarantine SET message_bytes = size_bytes;
ALTER TABLE quarantine ALTER COLUMN message_bytes SET NOT NULL;

-- `kept` and `only_counted` count readings; `rows` what is kept, for the limits.
ALTER TABLE quarantine_counts ADD COLUMN rows bigint NOT NULL DEFAULT 0;
UPDATE quarantine_counts SET rows = kept;

-- How many readings of a source came again and were known by their key; no row: none.
CREATE TABLE repeats (
    source integer PRIMARY KEY REFERENCES sources,
    count bigint NOT NULL
);
