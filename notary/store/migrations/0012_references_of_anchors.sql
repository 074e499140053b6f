-- SPDX-License-Identifier: Apache-2.0
-- By what an adapter finds again what it handed to its ledger.

ALTER TABLE anchors ADD COLUMN reference text;
