-- SPDX-License-Identifier: Apache-2.0
-- Made by `python -m notary.store.snapshot` from all migrations; not for running.

CREATE TABLE anchors (
    ledger text NOT NULL,
    size bigint NOT NULL,
    state text NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    built_at timestamp with time zone NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    evidence text,
    error text,
    reference text,
    submitted_at timestamp with time zone,
    refused boolean NOT NULL DEFAULT false,
    CONSTRAINT anchors_ledger_fkey FOREIGN KEY (ledger) REFERENCES ledgers(name),
    CONSTRAINT anchors_pkey PRIMARY KEY (ledger, size),
    CONSTRAINT anchors_refused_check CHECK (((NOT refused) OR (state = 'failed'::text))),
    CONSTRAINT anchors_size_fkey FOREIGN KEY (size) REFERENCES checkpoints(size),
    CONSTRAINT anchors_state_check CHECK ((state = ANY (ARRAY['built'::text, 'submitted'::text, 'committed'::text, 'verified'::text, 'failed'::text, 'unknown'::text])))
);

CREATE TABLE api_keys (
    id text NOT NULL,
    department text NOT NULL,
    secret_hash bytea NOT NULL,
    created_at timestamp with time zone NOT NULL,
    revoked_at timestamp with time zone,
    scopes text[] NOT NULL,
    datasets integer[],
    expires_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone,
    CONSTRAINT api_keys_department_fkey FOREIGN KEY (department) REFERENCES departments(id),
    CONSTRAINT api_keys_pkey PRIMARY KEY (id),
    CONSTRAINT api_keys_scopes_check CHECK (((scopes <@ '{read,write,manage,share,erase,admin}'::text[]) AND (scopes <> '{}'::text[])))
);

CREATE TABLE batch_tiles (
    batch bigint NOT NULL,
    index integer NOT NULL,
    tree smallint NOT NULL,
    level smallint NOT NULL,
    data bytea NOT NULL STORAGE e,
    middle bytea NOT NULL STORAGE e,
    CONSTRAINT batch_tiles_pkey PRIMARY KEY (batch, tree, level, index)
);

CREATE TABLE batches (
    index bigint NOT NULL,
    dataset integer NOT NULL,
    number integer NOT NULL,
    count integer NOT NULL,
    leaf bytea NOT NULL,
    sealed_at timestamp with time zone NOT NULL,
    descriptor text NOT NULL,
    CONSTRAINT batches_dataset_fkey FOREIGN KEY (dataset) REFERENCES datasets(id),
    CONSTRAINT batches_dataset_number_key UNIQUE (dataset, number),
    CONSTRAINT batches_index_check CHECK ((index >= 0)),
    CONSTRAINT batches_pkey PRIMARY KEY (index)
);

CREATE TABLE checkpoints (
    size bigint NOT NULL,
    root bytea NOT NULL,
    committed_at timestamp with time zone NOT NULL,
    signed_at timestamp with time zone,
    note text,
    met bytea,
    witnessed_at timestamp with time zone,
    CONSTRAINT checkpoints_met_fkey FOREIGN KEY (met) REFERENCES witness_policies(fingerprint),
    CONSTRAINT checkpoints_pkey PRIMARY KEY (size),
    CONSTRAINT checkpoints_size_check CHECK ((size >= 0))
);

CREATE TABLE datasets (
    id integer GENERATED ALWAYS AS IDENTITY NOT NULL,
    name text NOT NULL,
    label text NOT NULL,
    owner text NOT NULL,
    is_open boolean NOT NULL,
    random_sources boolean NOT NULL,
    digest_index boolean NOT NULL,
    lane_count integer NOT NULL,
    batch_count integer NOT NULL DEFAULT 0,
    last_descriptor bytea NOT NULL,
    source_count integer NOT NULL DEFAULT 0,
    created_at timestamp with time zone NOT NULL,
    licence text,
    catalogue text,
    sharing text NOT NULL,
    classification text,
    update_cycle text,
    kept_for text,
    keep_days integer,
    dropped integer NOT NULL DEFAULT 0,
    CONSTRAINT datasets_dropped_check CHECK ((dropped >= 0)),
    CONSTRAINT datasets_keep_days_check CHECK ((keep_days >= 0)),
    CONSTRAINT datasets_kept_for_check CHECK ((kept_for = ANY (ARRAY['sharing'::text, 'erasing'::text, 'recovering'::text]))),
    CONSTRAINT datasets_lane_count_check CHECK (((lane_count >= 1) AND (lane_count <= 64))),
    CONSTRAINT datasets_name_key UNIQUE (name),
    CONSTRAINT datasets_open_is_unconditional CHECK (((NOT is_open) OR (sharing = 'unconditional'::text))),
    CONSTRAINT datasets_owner_fkey FOREIGN KEY (owner) REFERENCES departments(id),
    CONSTRAINT datasets_pkey PRIMARY KEY (id),
    CONSTRAINT datasets_sharing_check CHECK ((sharing = ANY (ARRAY['unconditional'::text, 'conditional'::text, 'not-shared'::text])))
);

CREATE TABLE departments (
    id text NOT NULL,
    name text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    closed_at timestamp with time zone,
    CONSTRAINT departments_id_key PRIMARY KEY (id)
);

CREATE TABLE digests (
    digest bytea NOT NULL,
    source integer NOT NULL,
    chain integer NOT NULL,
    n bigint NOT NULL,
    CONSTRAINT digests_pkey PRIMARY KEY (digest, source, chain, n)
);

CREATE TABLE duplicates (
    key_print bigint NOT NULL,
    n bigint NOT NULL,
    payload_print integer NOT NULL,
    chain smallint NOT NULL,
    day smallint NOT NULL
);

CREATE TABLE erasures (
    id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
    dataset integer NOT NULL,
    source integer,
    chain integer,
    n bigint,
    version integer,
    ordered text,
    done_by text,
    ground text NOT NULL,
    erased_at timestamp with time zone NOT NULL,
    told_source integer NOT NULL,
    told_chain integer NOT NULL,
    told_n bigint NOT NULL,
    CONSTRAINT erasures_check CHECK (
CASE
    WHEN (version IS NULL) THEN (num_nulls(source, chain, n) = 0)
    ELSE (num_nonnulls(source, chain, n) = 0)
END),
    CONSTRAINT erasures_dataset_fkey FOREIGN KEY (dataset) REFERENCES datasets(id),
    CONSTRAINT erasures_pkey PRIMARY KEY (id),
    CONSTRAINT erasures_record_key UNIQUE (source, chain, n),
    CONSTRAINT erasures_source_fkey FOREIGN KEY (source) REFERENCES sources(id),
    CONSTRAINT erasures_told_key UNIQUE (told_source, told_chain, told_n),
    CONSTRAINT erasures_told_source_fkey FOREIGN KEY (told_source) REFERENCES sources(id),
    CONSTRAINT erasures_version_key UNIQUE (dataset, version)
);

CREATE TABLE forms (
    id integer GENERATED ALWAYS AS IDENTITY NOT NULL,
    by_word text NOT NULL,
    type text NOT NULL,
    CONSTRAINT forms_by_word_type_key UNIQUE (by_word, type),
    CONSTRAINT forms_pkey PRIMARY KEY (id)
);

CREATE TABLE grant_records (
    id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
    granted text NOT NULL,
    number integer NOT NULL,
    kind text NOT NULL,
    received timestamp with time zone NOT NULL,
    source integer NOT NULL,
    chain integer NOT NULL,
    n bigint NOT NULL,
    CONSTRAINT grant_records_granted_fkey FOREIGN KEY (granted) REFERENCES grants(id),
    CONSTRAINT grant_records_granted_number_key UNIQUE (granted, number),
    CONSTRAINT grant_records_kind_check CHECK ((kind = ANY (ARRAY['grant'::text, 'withdrawal'::text, 'hand-over'::text]))),
    CONSTRAINT grant_records_pkey PRIMARY KEY (id),
    CONSTRAINT grant_records_source_fkey FOREIGN KEY (source) REFERENCES sources(id)
);

CREATE TABLE grants (
    id text NOT NULL,
    dataset integer NOT NULL,
    version integer,
    department text NOT NULL,
    purpose text NOT NULL,
    approval text NOT NULL,
    made_at timestamp with time zone NOT NULL,
    until timestamp with time zone,
    withdrawn_at timestamp with time zone,
    CONSTRAINT grants_check CHECK ((until > made_at)),
    CONSTRAINT grants_check1 CHECK ((withdrawn_at >= made_at)),
    CONSTRAINT grants_dataset_fkey FOREIGN KEY (dataset) REFERENCES datasets(id),
    CONSTRAINT grants_department_fkey FOREIGN KEY (department) REFERENCES departments(id),
    CONSTRAINT grants_pkey PRIMARY KEY (id),
    CONSTRAINT grants_version_check CHECK ((version >= 1))
);

CREATE TABLE heartbeats (
    process text NOT NULL,
    seen_at timestamp with time zone NOT NULL,
    facts text NOT NULL,
    CONSTRAINT heartbeats_pkey PRIMARY KEY (process)
);

CREATE TABLE idempotency (
    api_key text NOT NULL,
    key text NOT NULL,
    body_print bytea NOT NULL,
    answer text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT idempotency_pkey PRIMARY KEY (api_key, key)
);

CREATE TABLE lanes (
    id integer GENERATED ALWAYS AS IDENTITY NOT NULL,
    dataset integer NOT NULL,
    "position" integer NOT NULL,
    version bigint NOT NULL DEFAULT 0,
    CONSTRAINT lanes_dataset_fkey FOREIGN KEY (dataset) REFERENCES datasets(id),
    CONSTRAINT lanes_dataset_position_key UNIQUE (dataset, "position"),
    CONSTRAINT lanes_pkey PRIMARY KEY (id)
);

CREATE TABLE ledgers (
    name text NOT NULL,
    kind text NOT NULL,
    own_word boolean NOT NULL,
    origin text,
    newest bigint,
    root bytea,
    failures integer NOT NULL DEFAULT 0,
    failed_at timestamp with time zone,
    error text,
    CONSTRAINT ledgers_pkey PRIMARY KEY (name)
);

CREATE TABLE log (
    only_one boolean NOT NULL DEFAULT true,
    origin text NOT NULL,
    vkey text NOT NULL,
    size bigint NOT NULL DEFAULT 0,
    chain integer NOT NULL DEFAULT 0,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT log_chain_check CHECK ((chain >= 0)),
    CONSTRAINT log_only_one_check CHECK (only_one),
    CONSTRAINT log_pkey PRIMARY KEY (only_one),
    CONSTRAINT log_size_check CHECK ((size >= 0))
);

CREATE TABLE log_hashes (
    level smallint NOT NULL,
    index bigint NOT NULL,
    hash bytea NOT NULL,
    CONSTRAINT log_hashes_pkey PRIMARY KEY (level, index)
);

CREATE TABLE lost_batches (
    batch bigint NOT NULL,
    run_list text,
    leaves bytea,
    CONSTRAINT lost_batches_batch_fkey FOREIGN KEY (batch) REFERENCES batches(index),
    CONSTRAINT lost_batches_pkey PRIMARY KEY (batch)
);

CREATE TABLE migrations (
    number integer NOT NULL,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamp with time zone NOT NULL,
    CONSTRAINT migrations_pkey PRIMARY KEY (number)
);

CREATE TABLE outbox (
    id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
    process text NOT NULL,
    broker text NOT NULL,
    made_at timestamp with time zone NOT NULL,
    stage smallint NOT NULL DEFAULT 0,
    wants_notices boolean NOT NULL,
    datasets integer[] NOT NULL,
    lanes integer[] NOT NULL,
    upto bigint NOT NULL,
    size bigint,
    messages integer NOT NULL,
    answers text NOT NULL,
    CONSTRAINT outbox_pkey PRIMARY KEY (id)
);

CREATE TABLE quarantine (
    id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
    received timestamp with time zone NOT NULL,
    feed text NOT NULL,
    topic text NOT NULL,
    dataset text,
    reason text NOT NULL,
    detail text NOT NULL,
    size_bytes integer NOT NULL,
    payload bytea NOT NULL,
    broker text NOT NULL DEFAULT 'default'::text,
    sent_to text,
    message bytea,
    message_bytes integer NOT NULL,
    places integer[] NOT NULL DEFAULT '{0}'::integer[],
    parts integer NOT NULL DEFAULT 1,
    user_properties text,
    partly_taken boolean NOT NULL DEFAULT false,
    CONSTRAINT quarantine_pkey PRIMARY KEY (id)
);

CREATE TABLE quarantine_counts (
    feed text NOT NULL,
    topic text NOT NULL,
    reason text NOT NULL,
    kept bigint NOT NULL DEFAULT 0,
    only_counted bigint NOT NULL DEFAULT 0,
    rows bigint NOT NULL DEFAULT 0,
    CONSTRAINT quarantine_counts_pkey PRIMARY KEY (feed, topic, reason)
);

CREATE TABLE records (
    lane integer NOT NULL,
    source integer NOT NULL,
    n bigint NOT NULL,
    received timestamp with time zone NOT NULL,
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
    CONSTRAINT records_pkey PRIMARY KEY (lane, source, chain, n, received)
);

CREATE TABLE recoveries (
    chain integer NOT NULL,
    origin text NOT NULL,
    goes_on text NOT NULL,
    last_size bigint NOT NULL,
    note text NOT NULL,
    CONSTRAINT recoveries_chain_check CHECK ((chain > 0)),
    CONSTRAINT recoveries_last_size_check CHECK ((last_size >= 0)),
    CONSTRAINT recoveries_pkey PRIMARY KEY (chain)
);

CREATE TABLE registrations (
    source integer NOT NULL,
    title text,
    registered_at timestamp with time zone NOT NULL,
    revoked_at timestamp with time zone,
    CONSTRAINT registrations_pkey PRIMARY KEY (source),
    CONSTRAINT registrations_source_fkey FOREIGN KEY (source) REFERENCES sources(id)
);

CREATE TABLE repeats (
    source integer NOT NULL,
    count bigint NOT NULL,
    CONSTRAINT repeats_pkey PRIMARY KEY (source),
    CONSTRAINT repeats_source_fkey FOREIGN KEY (source) REFERENCES sources(id)
);

CREATE TABLE resources (
    dataset integer NOT NULL,
    name text NOT NULL,
    child integer NOT NULL,
    key text[] NOT NULL,
    CONSTRAINT resources_child_fkey FOREIGN KEY (child) REFERENCES datasets(id),
    CONSTRAINT resources_dataset_fkey FOREIGN KEY (dataset) REFERENCES datasets(id),
    CONSTRAINT resources_pkey PRIMARY KEY (dataset, name)
);

CREATE TABLE runs (
    source integer NOT NULL,
    chain integer NOT NULL,
    first bigint NOT NULL,
    batch bigint NOT NULL,
    "position" integer NOT NULL,
    number integer NOT NULL,
    count integer NOT NULL,
    start integer NOT NULL,
    prev bytea NOT NULL,
    last bytea NOT NULL,
    CONSTRAINT runs_batch_position_key UNIQUE (batch, "position"),
    CONSTRAINT runs_pkey PRIMARY KEY (source, chain, first)
);

CREATE TABLE segments (
    number bigint NOT NULL,
    lane integer NOT NULL,
    dataset integer NOT NULL,
    chain integer NOT NULL,
    count integer NOT NULL,
    received timestamp with time zone NOT NULL,
    batch bigint,
    sources integer[] NOT NULL,
    counts integer[] NOT NULL,
    CONSTRAINT segments_pkey PRIMARY KEY (number)
);

CREATE TABLE source_changes (
    only_one boolean NOT NULL DEFAULT true,
    version bigint NOT NULL DEFAULT 0,
    CONSTRAINT source_changes_only_one_check CHECK (only_one),
    CONSTRAINT source_changes_pkey PRIMARY KEY (only_one)
);

CREATE TABLE source_keys (
    source integer NOT NULL,
    id text NOT NULL,
    algorithm text NOT NULL,
    material bytea NOT NULL,
    added_at timestamp with time zone NOT NULL,
    valid_from timestamp with time zone NOT NULL,
    valid_to timestamp with time zone,
    revoked_at timestamp with time zone,
    CONSTRAINT source_keys_algorithm_check CHECK ((algorithm = ANY (ARRAY['ed25519'::text, 'es256'::text, 'hmac-sha256'::text]))),
    CONSTRAINT source_keys_check CHECK ((valid_to > valid_from)),
    CONSTRAINT source_keys_pkey PRIMARY KEY (source, id),
    CONSTRAINT source_keys_source_fkey FOREIGN KEY (source) REFERENCES registrations(source)
);

CREATE TABLE sources (
    id integer GENERATED ALWAYS AS IDENTITY NOT NULL,
    dataset integer NOT NULL,
    lane integer NOT NULL,
    number integer,
    label text NOT NULL,
    name text NOT NULL,
    tag_salt bytea NOT NULL,
    tag bytea NOT NULL,
    CONSTRAINT sources_dataset_fkey FOREIGN KEY (dataset) REFERENCES datasets(id),
    CONSTRAINT sources_dataset_label_key UNIQUE (dataset, label),
    CONSTRAINT sources_dataset_name_key UNIQUE (dataset, name),
    CONSTRAINT sources_dataset_number_key UNIQUE (dataset, number),
    CONSTRAINT sources_lane_fkey FOREIGN KEY (lane) REFERENCES lanes(id),
    CONSTRAINT sources_pkey PRIMARY KEY (id)
);

CREATE TABLE uploads (
    id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
    dataset integer NOT NULL,
    begun_at timestamp with time zone NOT NULL,
    touched_at timestamp with time zone NOT NULL,
    CONSTRAINT uploads_dataset_fkey FOREIGN KEY (dataset) REFERENCES datasets(id),
    CONSTRAINT uploads_pkey PRIMARY KEY (id)
);

CREATE TABLE version_parts (
    version bigint NOT NULL,
    number integer NOT NULL,
    data bytea NOT NULL STORAGE e,
    CONSTRAINT version_parts_pkey PRIMARY KEY (version, number)
);

CREATE TABLE version_tiles (
    version bigint NOT NULL,
    level smallint NOT NULL,
    index integer NOT NULL,
    data bytea NOT NULL STORAGE e,
    mark bigint,
    CONSTRAINT version_tiles_pkey PRIMARY KEY (version, level, index)
);

CREATE TABLE versions (
    id bigint NOT NULL,
    dataset integer NOT NULL,
    version integer NOT NULL,
    profile text NOT NULL,
    count integer NOT NULL,
    root bytea NOT NULL,
    hash bytea NOT NULL,
    received timestamp with time zone NOT NULL,
    corrects integer,
    batch bigint,
    salt bytea,
    secret bytea,
    file_digest bytea,
    size_bytes bigint,
    name text,
    reason text,
    type text NOT NULL,
    by_word text NOT NULL,
    CONSTRAINT versions_check CHECK (((corrects >= 1) AND (corrects < version))),
    CONSTRAINT versions_count_check CHECK ((count >= 0)),
    CONSTRAINT versions_dataset_fkey FOREIGN KEY (dataset) REFERENCES datasets(id),
    CONSTRAINT versions_dataset_version_key UNIQUE (dataset, version),
    CONSTRAINT versions_pkey PRIMARY KEY (id),
    CONSTRAINT versions_profile_check CHECK ((profile = ANY (ARRAY['csv-v1'::text, 'ndjson-v1'::text, 'none'::text]))),
    CONSTRAINT versions_version_check CHECK ((version >= 1))
);

CREATE TABLE witness_policies (
    fingerprint bytea NOT NULL,
    policy bytea NOT NULL,
    fails_open boolean NOT NULL,
    is_current boolean NOT NULL,
    adopted_at timestamp with time zone NOT NULL,
    CONSTRAINT witness_policies_pkey PRIMARY KEY (fingerprint)
);

CREATE TABLE witnesses (
    vkey text NOT NULL,
    is_asked boolean NOT NULL,
    known_size bigint NOT NULL DEFAULT 0,
    cosigned_size bigint NOT NULL DEFAULT 0,
    cosigned_at timestamp with time zone,
    asked_at timestamp with time zone,
    failures integer NOT NULL DEFAULT 0,
    problem text,
    claims_fork boolean NOT NULL DEFAULT false,
    evidence text,
    CONSTRAINT witnesses_cosigned_size_check CHECK ((cosigned_size >= 0)),
    CONSTRAINT witnesses_known_size_check CHECK ((known_size >= 0)),
    CONSTRAINT witnesses_pkey PRIMARY KEY (vkey)
);

CREATE INDEX anchors_by_size ON public.anchors USING btree (size DESC, ledger);
CREATE INDEX anchors_not_verified ON public.anchors USING btree (ledger, size) WHERE (state <> 'verified'::text);
CREATE INDEX anchors_verified ON public.anchors USING btree (ledger, size) WHERE (state = 'verified'::text);
CREATE INDEX api_keys_by_department ON public.api_keys USING btree (department, id);
CREATE INDEX checkpoints_met ON public.checkpoints USING btree (met, size) WHERE (met IS NOT NULL);
CREATE INDEX duplicates_by_key ON public.duplicates USING btree (key_print);
CREATE INDEX grants_by_dataset ON public.grants USING btree (dataset, id);
CREATE INDEX grants_by_department ON public.grants USING btree (department, dataset);
CREATE INDEX outbox_by_stage ON public.outbox USING btree (process, broker, stage, id);
CREATE INDEX resources_by_child ON public.resources USING btree (child);
CREATE INDEX segments_waiting ON public.segments USING btree (dataset, number) WHERE (batch IS NULL);
CREATE INDEX versions_by_batch ON public.versions USING btree (batch) WHERE (batch IS NOT NULL);
CREATE INDEX versions_by_file_digest ON public.versions USING btree (file_digest) WHERE (file_digest IS NOT NULL);
CREATE INDEX versions_waiting ON public.versions USING btree (dataset, version) WHERE (batch IS NULL);
CREATE UNIQUE INDEX datasets_kept ON public.datasets USING btree (owner, kept_for) WHERE (kept_for IS NOT NULL);
CREATE UNIQUE INDEX witness_policies_current ON public.witness_policies USING btree (is_current) WHERE is_current;
CREATE SEQUENCE segment_numbers;
