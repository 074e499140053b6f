// SPDX-License-Identifier: Apache-2.0
// The way of a proof in steps, from what a verdict says: each held, the notary's own word, not
// checked, or broken. Nothing is decided here; a step without a check is never called held, and
// where one is broken the others only fit: what a refused proof says of itself isn't believed.

const BEHIND = [
  ["log", ["log", "checkpoint", "consistency", "recovery", "cose"]],
  ["witnesses", ["witnesses", "time"]],
  ["ledger", ["anchor"]],
];
const STEPS = {
  record: [
    ["content", ["payload", "erased"]],
    ["record", ["statement"]],
    ["batch", ["batch", "run"]],
    ...BEHIND,
  ],
  row: [["row", ["payload"]], ["version", ["row"]], ...BEHIND],
  file: [["file", ["payload", "erased"]], ...BEHIND],
  window: [
    ["content", ["payloads", "erased"]],
    ["records", ["window", "asked", "window-end", "statement"]],
    ["batch", ["batch", "run"]],
    ...BEHIND,
  ],
  acceptance: [
    ["content", ["payload"]],
    ["record", ["statement"]],
    ["promise", ["promise", "time"]],
    ["log", ["log"]],
  ],
};
const REQUIRED = new Set([
  "statement",
  "batch",
  "run",
  "row",
  "window",
  "promise",
  "log",
  "checkpoint",
  "witnesses",
]);
const CONTENT = ["content", "row", "file"];
const RECORD = ["record", "records"];
const BATCH = ["batch", "version", "log"];
// By code, or by code and reason: the steps that it can break; the first that there is counts.
const BREAKS = {
  "payload-mismatch": CONTENT,
  "verify.payloads-line": CONTENT,
  "receipt-refused.no-salt": CONTENT,
  "receipt-refused.salt-erased": CONTENT,
  "acceptance-refused.no-salt": CONTENT,
  "receipt-refused.not-erased": CONTENT,
  "receipt-refused.version-salt": CONTENT,
  "malformed-statement": RECORD,
  "malformed-window": RECORD,
  "receipt-refused.salt-in-open": RECORD,
  "receipt-refused.no-tag-salt": RECORD,
  "acceptance-refused.salt-in-open": RECORD,
  "acceptance-refused": ["promise"],
  "malformed-descriptor": BATCH,
  "malformed-run": BATCH,
  "receipt-refused": BATCH,
  "malformed-note": ["log", "promise"],
  "bad-signature": ["log", "promise"],
  "unknown-signer": ["promise", "log"],
  "receipt-refused.size-not-served": ["log"],
  "receipt-refused.no-consistency": ["log"],
  "receipt-refused.cose-headers": ["log"],
  "receipt-refused.not-good": ["log"],
  "quorum-not-met": ["witnesses"],
  "receipt-refused.fork": ["ledger"],
  "receipt-refused.ledger-kind": ["ledger"],
  "receipt-refused.ledger-evidence": ["ledger"],
  "receipt-refused.ledger-other": ["ledger"],
};

// -> [{name, look, isBroken, checks}] in the order of the way, or [] for what has no way (a fork),
// or where nothing of the file could be read. `kind`: what the file is, where a refused verdict
// doesn't say.
export function wayOf(verdict, kind) {
  const steps = STEPS[verdict.kind ?? kind] ?? [];
  if (!verdict.holds && isUnreadable(verdict)) {
    return [];
  }
  const broken = verdict.holds ? null : brokenStep(verdict, steps);
  let over = false;
  return steps.map(([name, codes]) => {
    if (name === broken) {
      over = true;
      return { name, look: "broken", isBroken: true, checks: [] };
    }
    const checks = over ? [] : verdict.checks.filter((check) => codes.includes(check.code));
    const isBelieved = verdict.holds || checks.length === 0;
    return { name, look: isBelieved ? lookOf(checks, codes) : "fits", checks };
  });
}

function isUnreadable({ code, reason }) {
  const whole = ["malformed-receipt", "malformed-acceptance", "malformed-trust", "malformed-window"];
  return whole.includes(code) && !["broken-chain", "no-start"].includes(reason);
}

function brokenStep({ code, reason, checks }, steps) {
  const able = BREAKS[`${code}.${reason}`] ?? BREAKS[code] ?? [];
  const named = able.find((name) => steps.some(([step]) => step === name));
  if (named !== undefined) {
    return named;
  }
  // A path that leads elsewhere: the first step of which a check is missing.
  const found = new Set(checks.map((check) => check.code));
  const open = steps.find(([, codes]) => codes.some((one) => REQUIRED.has(one) && !found.has(one)));
  const name = (open ?? steps[steps.length - 1])?.[0] ?? null;
  // The witnesses have no path: what broke before them is the way to the last good state.
  return name === "witnesses" ? "log" : name;
}

// The word of a step's first kind of check; of several ledgers the best.
function lookOf(checks, codes) {
  const first = codes.find((code) => checks.some((check) => check.code === code));
  const said = checks.filter((check) => check.code === first).map((check) => check.status);
  if (said.includes("held")) {
    return "held";
  }
  return said.includes("own-word") ? "own" : "open";
}
