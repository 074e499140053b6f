-- SPDX-License-Identifier: Apache-2.0
-- Lists the newest anchors of all ledgers without a look at all that there ever were.

CREATE INDEX anchors_by_size ON anchors (size DESC, ledger);
