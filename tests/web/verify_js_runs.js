// SPDX-License-Identifier: Apache-2.0
// What tests/web/test_verify_js*.py ask verify.js, in the browser: all cases of a file at once.

import {
  cutRows,
  digestOf,
  encodeGb18030,
  leadBack,
  openCheckpoint,
  openNote,
  parseVkey,
  sha256,
  sha512,
  signatureEngine,
  verify,
  verifyAs,
  verifyConsistency,
  verifyEd25519,
  verifyInclusion,
} from "./verify.js";

const UTF8 = new TextEncoder();
const DIAGNOSIS = /^(?:resaved|same-rows.*)$/;

function bytesOf(base64) {
  return Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
}

function hexBytes(hex) {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

function hexOf(bytes) {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

// The payloads of a window as the lines that stand beside it.
function linesOf(windowText, payloads) {
  let first = 0;
  try {
    first = JSON.parse(JSON.parse(windowText).head).n;
  } catch {
    // A window that can't be read has no records to number.
  }
  const lines = payloads.map((pair, place) => {
    const [salt, payload] = pair ?? [null, null];
    return JSON.stringify({ n: first + place, payload, ...(salt === null ? {} : { salt }) });
  });
  return UTF8.encode(lines.map((line) => `${line}\n`).join(""));
}

// The answers of verify.js to the cases of a file, in the words of docs/spec/verdict-v1.md.
export async function proofs(text, format, member) {
  const { trusts, cases } = JSON.parse(text);
  const answers = [];
  for (const one of cases) {
    const proof = format === "cose-receipt/1" ? bytesOf(one[member]) : one[member];
    let payload;
    if (one.payload !== undefined) {
      payload = bytesOf(one.payload);
    } else if (one.payloads !== undefined) {
      payload = linesOf(proof, one.payloads);
    }
    const verdict = await verifyAs(format, proof, trusts[one.trust], payload);
    const { holds, kind, origin, fingerprint, subject, checks, code } = verdict;
    // A diagnosis of the payload is told besides, and is no part of the verdict.
    const reason = DIAGNOSIS.test(verdict.reason) ? null : verdict.reason;
    answers.push(
      holds ? { holds, kind, origin, fingerprint, subject, checks } : { holds, code, reason },
    );
  }
  return answers;
}

async function codeOf(act) {
  try {
    await act();
    return null;
  } catch (error) {
    if (!error.code || !error.facts) {
      throw error;
    }
    return error.code;
  }
}

// Whole numbers of any size; other numbers, and whatever else stands there, as they are.
function exactly(text) {
  return JSON.parse(text, (name, value, { source }) =>
    /^-?[0-9]+$/.test(source ?? "") ? BigInt(source) : value,
  );
}

export async function trees(text) {
  return Promise.all(exactly(text).map((one) => codeOf(() => checkPath(one))));
}

function checkPath({ leaf, index, size, root, size1, root1, size2, root2, path }) {
  if (size1 === undefined) {
    verifyInclusion(leaf, index, size, path, root);
  } else {
    verifyConsistency(size1, root1, size2, root2, path);
  }
}

export async function notes(text, isCheckpoint) {
  const open = isCheckpoint ? openCheckpoint : openNote;
  const codes = [];
  for (const { note, verifiers } of JSON.parse(text)) {
    codes.push(await codeOf(async () => open(note, verifiers.map(parseVkey))));
  }
  return codes;
}

export async function rows(text, step) {
  const answers = [];
  for (const { profile, file } of JSON.parse(text)) {
    const found = [];
    try {
      for await (const some of cutRows(profile, inPieces(bytesOf(file), step))) {
        found.push(...some.map(hexOf));
      }
      answers.push({ rows: found });
    } catch (error) {
      const { reason, row, offset } = error.facts;
      answers.push({ code: error.code, reason, row, offset });
    }
  }
  return answers;
}

async function* inPieces(bytes, step) {
  for (let at = 0; at < bytes.length; at += step) {
    yield bytes.slice(at, at + step);
  }
}

export async function resaved(text) {
  const answers = [];
  for (const { wanted, salt, copy } of JSON.parse(text).cases) {
    answers.push(await leadBack(wanted, salt, new Blob([bytesOf(copy)])));
  }
  return answers;
}

// The codes with which these files, in base64, are refused as proofs.
export async function files(contents, trust) {
  const codes = [];
  for (const content of contents) {
    codes.push((await verify(bytesOf(content), trust)).code);
  }
  return codes;
}

// What is said of each of these contents, in base64, under one receipt.
export async function copies(receipt, trust, contents) {
  const answers = [];
  for (const content of contents) {
    const { holds, code, reason, facts } = await verify(receipt, trust, bytesOf(content));
    answers.push({ holds, code, reason, changes: facts.changes ?? [] });
  }
  return answers;
}

// The bytes of each character up to U+FFFF in GB18030, as hexadecimal digits; null where it has none.
export function gb18030() {
  return Array.from({ length: 0x10000 }, (_, code) => {
    try {
      return hexOf(encodeGb18030(String.fromCharCode(code)));
    } catch {
      return null;
    }
  });
}

// [key, message, signature] in hexadecimal digits -> whether each holds.
export async function signatures(cases) {
  const answers = [];
  for (const parts of cases) {
    answers.push(await verifyEd25519(...parts.map(hexBytes)));
  }
  return answers;
}

export function hashes(texts) {
  return texts.map((hex) => [sha256(hexBytes(hex)), hexOf(sha512(hexBytes(hex)))]);
}

// SHA-256 of a file of so many bytes, and how it went on.
export async function progress(size) {
  const steps = [];
  const digest = await digestOf(new Blob([new Uint8Array(size).fill(7)]), (done, total) => {
    steps.push([done, total]);
  });
  return { digest, steps };
}

export { signatureEngine };
