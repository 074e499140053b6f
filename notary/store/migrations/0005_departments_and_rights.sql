-- SPDX-License-Identifier: Apache-2.0
-- Departments, and what the keys of each may do.

-- `name` is for people. A closed department keeps its datasets; its keys have ended.
CREATE TABLE departments (
    id text CONSTRAINT departments_id_key PRIMARY KEY,
    name text NOT NULL,
    created_at timestamptz NOT NULL,
    closed_at timestamptz
);

-- Until now an owner was any text. One that is no id gets one that no other text has.
CREATE TEMPORARY TABLE owners ON COMMIT DROP AS
SELECT owner, CASE WHEN owner ~ '^[A-Za-z0-9._:-]{1,128}$' THEN owner
    ELSE 'department-' || left(encode(sha256(convert_to(owner, 'UTF8')), 'hex'), 32) END AS id
FROM (SELECT owner FROM api_keys UNION SELECT owner FROM datasets) AS found;
INSERT INTO departments (id, name, created_at)
SELECT id, left(owner, 200), now() FROM owners;
UPDATE datasets SET owner = owners.id FROM owners WHERE datasets.owner = owners.owner;
UPDATE api_keys SET owner = owners.id FROM owners WHERE api_keys.owner = owners.owner;

-- `datasets`: the key is for these alone; null: for all that its department may use.
-- `used_at` is written at most once an hour.
ALTER TABLE api_keys RENAME COLUMN owner TO department;
ALTER TABLE api_keys
    ADD FOREIGN KEY (department) REFERENCES departments,
    ADD COLUMN scopes text[] NOT NULL DEFAULT '{read,write,manage,share}',
    ADD COLUMN datasets integer[],
    ADD COLUMN expires_at timestamptz NOT NULL DEFAULT now() + interval '365 days',
    ADD COLUMN used_at timestamptz,
    ADD CHECK (scopes <@ '{read,write,manage,share,erase,admin}' AND scopes <> '{}');
ALTER TABLE api_keys ALTER COLUMN scopes DROP DEFAULT, ALTER COLUMN expires_at DROP DEFAULT;
CREATE INDEX api_keys_by_department ON api_keys (department, id);

-- What the catalogue says of a dataset. `sharing` in the terms of State Council Order 809;
-- what is open is shared unconditionally.
ALTER TABLE datasets
    ADD FOREIGN KEY (owner) REFERENCES departments,
    ADD COLUMN licence text,
    ADD COLUMN catalogue text,
    ADD COLUMN sharing text NOT NULL DEFAULT 'not-shared'
        CHECK (sharing IN ('unconditional', 'conditional', 'not-shared')),
    ADD COLUMN classification text,
    ADD COLUMN update_cycle text;
UPDATE datasets SET sharing = 'unconditional' WHERE is_open;
ALTER TABLE datasets
    ALTER COLUMN sharing DROP DEFAULT,
    ADD CONSTRAINT datasets_open_is_unconditional CHECK (NOT is_open OR sharing = 'unconditional');
