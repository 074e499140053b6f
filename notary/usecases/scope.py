# SPDX-License-Identifier: Apache-2.0
"""
What an audit covers, column by column, and why it doesn't cover the rest.

A test holds this list against the database: every column stands in it once. What is
known of a dataset without a record, or of a lane without a source, hangs on nothing yet:
a change there is found only where another row refers to it. Of content that its dataset
keeps no longer, the salts and digests by which a holder can compare it stay, and are found
changed only where a leaf follows from them; of an erased version without rows no `id`; of an
erasure whose own record was erased too, neither `ground` nor `erased_at`.
"""

COVERED: dict[str, str] = {
    "log": "origin vkey size chain",
    "datasets": "id name is_open digest_index batch_count source_count last_descriptor dropped",
    "lanes": "id dataset",
    "sources": "id dataset lane number name tag_salt tag",
    "forms": "id by_word type",
    "records": "lane source n received chain form leaf observed key message salt digest payload",
    "segments": "lane dataset chain count batch sources counts",
    "digests": "digest source chain n",
    "batches": "index dataset number count leaf descriptor",
    "batch_tiles": "batch tree level index data middle",
    "runs": "source chain first batch position number count start prev last",
    "versions": "id dataset version profile count root hash received corrects batch salt secret "
    "file_digest size_bytes",
    "version_parts": "version number data",
    "version_tiles": "version level index data mark",
    "erasures": "dataset source chain n version ordered done_by ground erased_at told_source "
    "told_chain told_n",
    "log_hashes": "level index hash",
    "checkpoints": "size root note met",
    "witness_policies": "fingerprint policy",
    "witnesses": "vkey",
    "anchors": "ledger size state reference evidence",
    "ledgers": "name kind",
}

NOT_COVERED: dict[str, tuple[str, str]] = {
    "log": ("only_one created_at", "no proof depends on it"),
    "datasets": (
        "label owner random_sources lane_count created_at licence catalogue sharing "
        "classification update_cycle kept_for keep_days",
        "beside the log: names for people, rights and ways of working; no proof depends on them",
    ),
    "lanes": ("position version", "says how work is divided; no proof depends on it"),
    "sources": ("label", "beside the log: the name for people, erasable"),
    "records": ("flags", "a remark of the notary's own (the key was known), not in the statement"),
    "segments": ("number received", "order and age of work; the chains prove the order itself"),
    "duplicates": (
        "key_print payload_print n chain day",
        "a memory of keys with a horizon, under the instance secret; no proof depends on it",
    ),
    "batches": ("sealed_at", "not in the descriptor, which has the received times"),
    "checkpoints": ("committed_at signed_at witnessed_at", "the notary's own clock; not signed"),
    "witness_policies": (
        "fails_open is_current adopted_at",
        "which rule is in force, and since when; who demands a quorum counts it anew",
    ),
    "witnesses": (
        "is_asked known_size cosigned_size cosigned_at asked_at failures problem claims_fork "
        "evidence",
        "a diary of the work; what counts are the cosignatures",
    ),
    "anchors": (
        "attempts built_at submitted_at changed_at error refused",
        "a diary of the work; what counts is the evidence",
    ),
    "ledgers": (
        "own_word origin newest root failures failed_at error",
        "what was heard of the ledgers; the sealer asks them anew",
    ),
    "grants": (
        "id dataset version department purpose approval made_at until withdrawn_at",
        "rights; each grant and withdrawal is a record, which is covered",
    ),
    "grant_records": (
        "id granted number kind received source chain n",
        "finds the records about a grant, which are covered",
    ),
    "erasures": ("id", "numbers them; no proof depends on it"),
    "departments": ("id name created_at closed_at", "whose rights there are; names for people"),
    "api_keys": (
        "id department secret_hash scopes datasets created_at expires_at used_at revoked_at",
        "rights, not records",
    ),
    "idempotency": (
        "api_key key body_print answer created_at",
        "a memory of answers with a horizon; no proof depends on it",
    ),
    "quarantine": (
        "id received feed topic dataset reason detail size_bytes payload broker sent_to message "
        "message_bytes places parts user_properties partly_taken",
        "what did not become a record",
    ),
    "quarantine_counts": (
        "feed topic reason kept only_counted rows",
        "counters; no proof depends on them",
    ),
    "registrations": (
        "source title registered_at revoked_at",
        "who may send, and names for people, erasable; what came of it stands in each statement",
    ),
    "source_keys": (
        "source id algorithm material added_at valid_from valid_to revoked_at",
        "by which the way in knew senders; a statement says which key it was",
    ),
    "source_changes": ("only_one version", "a counter that tells processes to look again"),
    "outbox": (
        "id process broker made_at stage wants_notices datasets lanes upto size messages answers",
        "answers on their way to devices, gone once they were told; no proof depends on them",
    ),
    "repeats": ("source count", "how often a source sent what was there; no record, no proof"),
    "versions": (
        "name reason type by_word",
        "beside the log: names and reasons for people, erasable, and what its sender called it",
    ),
    "resources": (
        "dataset name child key",
        "which datasets came out of a package; no proof depends on it",
    ),
    "uploads": ("id dataset begun_at touched_at", "files on their way in, no versions yet"),
    "recoveries": (
        "chain origin goes_on last_size note",
        "compared with the signed notes in the mark, in a database that was recovered",
    ),
    "lost_batches": (
        "batch run_list leaves",
        "compared with the descriptors, in a database that was recovered",
    ),
    "heartbeats": ("process seen_at facts", "what processes said of themselves last"),
    "migrations": ("number name checksum applied_at", "checked at each start instead"),
}


def covered_columns() -> list[str]:
    """`table.column` of all that an audit recomputes or compares."""
    return [f"{table}.{name}" for table, names in COVERED.items() for name in names.split()]


def other_columns() -> dict[str, str]:
    """`table.column` of all the others, each with the reason."""
    return {
        f"{table}.{name}": reason
        for table, (names, reason) in NOT_COVERED.items()
        for name in names.split()
    }
