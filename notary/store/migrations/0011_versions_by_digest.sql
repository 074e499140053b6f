-- SPDX-License-Identifier: Apache-2.0
-- Whoever has a file asks for its versions by the digest of its bytes.

CREATE INDEX versions_by_file_digest ON versions (file_digest) WHERE file_digest IS NOT NULL;
