// SPDX-License-Identifier: Apache-2.0
// What a verdict is called, and the sentence under it.

import { DIAGNOSIS } from "./verify_judge.js";

// Refusals that a file may meet which is as the notary made it; behind any other it was changed,
// damaged or never came from there.
const MAY_BE_WHOLE = new Set([
  "unknown-signer",
  "quorum-not-met",
  "consistency-refused",
  "fork-refused",
  "receipt-refused.no-consistency",
  "receipt-refused.not-good",
  "receipt-refused.size-not-served",
  "receipt-refused.no-salt",
  "receipt-refused.salt-erased",
  "receipt-refused.no-tag-salt",
  "receipt-refused.ledger-dropped",
  "receipt-refused.ledger-evidence",
  "receipt-refused.ledger-kind",
  "acceptance-refused.no-salt",
]);

// Which of the titles it gets, and how that looks: held, own, open or broken; `word`: what the
// broken step is called, where it isn't that.
export function headline({ kind, verdict, alone }) {
  const { holds, code, reason, checks } = verdict;
  if (!holds) {
    if (alone && code === "verify.payloads-line") {
      return { title: "other-content", look: "broken" };
    }
    if (code === "malformed-trust" || code.startsWith("verify.")) {
      return { title: "unusable", look: "open" };
    }
    if (isMisconduct(verdict)) {
      return { title: "misconduct", look: "broken" };
    }
    if (alone && code !== "payload-mismatch") {
      return { title: "not-comparable", look: "open" };
    }
    if (code === "payload-mismatch" && DIAGNOSIS.test(reason)) {
      return { title: "saved-again", look: "own", word: "saved-again" };
    }
    return { title: alone ? "other-content" : "refused", look: "broken" };
  }
  const special = { fork: "broken", consistency: "held", acceptance: "own" };
  const what = verdict.kind ?? kind;
  if (Object.hasOwn(special, what)) {
    return { title: what, look: special[what] };
  }
  if (what === "window") {
    const isWhole = isCompared(verdict) && limits(verdict).length === 0;
    return { title: "window", look: isWhole ? "held" : "own" };
  }
  const content = checks.find((check) => check.code === "payload");
  if (content?.status === "held") {
    return { title: "holds", look: "held" };
  }
  const erased = content?.facts.reason === "erased";
  return { title: erased ? "holds-erased" : "holds-without", look: "own" };
}

// What a window doesn't reach: texts and their facts.
export function limits({ checks, subject }) {
  const isAskedBy = (reason) =>
    checks.some((check) => check.code === "asked" && check.facts.reason === reason);
  return [
    ...(checks.some((check) => check.code === "window-end") ? ["verify-page.not-after"] : []),
    ...(isAskedBy("observed") ? ["verify-page.not-observed"] : []),
  ].map((code) => [code, { last: subject.last }]);
}

function isCompared({ checks }) {
  return checks.some((check) => check.code === "payloads" && check.status === "held");
}

// What is said under the title.
export function sentence(say, title, result, facts) {
  const { verdict } = result;
  if (verdict.holds) {
    const carried = { holds: "inside", window: "window-alone" }[title];
    const isAlone = title === "window" ? !isCompared(verdict) : result.file === null;
    const name = carried && isAlone ? carried : title;
    return say(`verify-page.said-${name}`, { ...facts, ...verdict.subject });
  }
  const why = reasonOf(say, result);
  const { code, reason, facts: found } = verdict;
  if (title === "other-content" && result.item?.blob.size === 0) {
    return say("verify-page.said-other-empty", facts);
  }
  if (title === "other-content" && (reason || found.n !== undefined)) {
    const isCounted = reason || code === "verify.payloads-line";
    const name = isCounted ? "verify-page.said-other-count" : "verify-page.said-other-record";
    return say(name, { ...facts, why, n: found.n });
  }
  if (title === "refused" && !MAY_BE_WHOLE.has(code) && !MAY_BE_WHOLE.has(`${code}.${reason}`)) {
    return say("verify-page.said-tampered", { ...facts, why });
  }
  const isPlain = ["unusable", "misconduct", "not-comparable"].includes(title);
  return isPlain ? why : say(`verify-page.said-${title}`, { ...facts, why });
}

// What the picture says of the broken step; how a copy was saved again is told above it.
export function briefly(say, result) {
  const { reason } = result.verdict;
  return DIAGNOSIS.test(reason) ? say("verify-page.other-bytes") : reasonOf(say, result);
}

// A code that names a whole text is of a file that could not be used; else it is an error of the core.
function reasonOf(say, { verdict, name, file, trustFile }) {
  const { code, reason, facts } = verdict;
  const whole = code.startsWith("verify.") ? code : `error.${code}`;
  const path = { payload: file, trust: trustFile }[facts.role] ?? name;
  const changes = facts.changes && listed(facts.changes.map((change) => say(`resaved.${change}`)));
  return say(whole, { ...facts, changes, path, reason });
}

// Words in a row, as the language of the page does that.
function listed(words) {
  const { lang } = document.documentElement;
  return lang.startsWith("zh") ? words.join("；") : new Intl.ListFormat(lang).format(words);
}

function isMisconduct({ code, reason }) {
  return code === "log-forked" || (code === "receipt-refused" && reason === "fork");
}
