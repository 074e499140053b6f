// SPDX-License-Identifier: Apache-2.0
// Which of the files belongs to which proof: tried, never guessed.

import { verify } from "./verify.js";

const RECEIPTS = ["receipt", "tlog-proof", "cose"];
export const PROOFS = [...RECEIPTS, "window", "acceptance", "fork", "consistency"];
const MOST_TOLD = 10;
export const DIAGNOSIS = /^(?:same-|resaved$)/;

// Proofs and contents -> {results, rest}: what showResult wants for each proof, and the contents
// that belong to none of them. An item is {name, kind, text, blob}; `progress(done, total)` may
// throw, and what it throws comes out here.
export async function judgeAll(items, trust, progress) {
  const proofs = items.filter((item) => PROOFS.includes(item.kind));
  const contents = items.filter((item) => item.kind === "file" || item.kind === "lines");
  const results = [];
  const used = new Set();
  for (const proof of proofs) {
    const { name, text } = proof;
    for (const result of await judge(proof, contents, proofs.length === 1, trust, progress)) {
      used.add(result.item);
      results.push({ ...result, name, text, file: result.item?.name ?? null });
    }
  }
  return { results, rest: contents.filter((item) => !used.has(item)) };
}

// -> [{kind, verdict, item, alone}, ...]: `item` is the content that it was held against, if any;
// where that is another one `alone` is the verdict of the proof without it. Beside an only proof
// every content is compared, beside several the first that belongs to it is enough.
async function judge(proof, contents, isOnly, trust, progress) {
  const given = proof.text ?? proof.blob;
  const alone = await verify(given, trust, undefined, progress);
  const kind = alone.kind ?? kindOf(proof);
  const able = alone.holds ? contents.filter((item) => mayBelong(item, kind, alone)) : [];
  const held = [];
  const others = [];
  for (const item of able) {
    const verdict = await verify(given, trust, item.blob, progress);
    if (!verdict.holds) {
      others.push({ kind, verdict, item, alone });
    } else {
      held.push({ kind, verdict, item });
      if (!isOnly) {
        return held;
      }
    }
  }
  const told = isOnly
    ? others.slice(0, MOST_TOLD)
    : others.filter(({ verdict }) => DIAGNOSIS.test(verdict.reason)).slice(0, 1);
  const results = [...held, ...told];
  return results.length ? results : [{ kind, verdict: alone, item: undefined }];
}

// Why a trust file can't be used, as the facts of a sentence; null where it can.
export async function trustFault(text) {
  const { code, facts } = await verify("{}", text);
  return code === "malformed-trust" || facts.role === "trust" ? facts : null;
}

// A receipt says itself what it proves; only the words on the page depend on it.
function kindOf(proof) {
  if (!RECEIPTS.includes(proof.kind)) {
    return proof.kind;
  }
  try {
    return JSON.parse(proof.text).kind;
  } catch {
    return "record";
  }
}

function mayBelong(item, kind, alone) {
  if (kind === "window") {
    return item.kind === "lines";
  }
  if (kind === "row") {
    // A row is in its receipt; a whole table is not a row, and is told so.
    const row = alone.checks.find((check) => check.code === "payload");
    return row !== undefined && item.blob.size === Number(row.facts.bytes);
  }
  return ["record", "file", "acceptance"].includes(kind);
}
