// SPDX-License-Identifier: Apache-2.0
// What was dropped or pasted: guessed by what it says of itself, never by its name.

const VERSIONS = new Map([
  ["receipt/1", "receipt"],
  ["window/1", "window"],
  ["acceptance/1", "acceptance"],
  ["fork/1", "fork"],
  ["consistency/1", "consistency"],
  ["trust/1", "trust"],
]);
const MOST_PROOF_BYTES = 256 * 1024 * 1024 + 1;
const MOST_PARSED_BYTES = 16 * 1024 * 1024;
const PEEK_BYTES = 4096;
const LINE = /^\s*\{\s*"n"\s*:\s*\d{1,16}\s*,\s*"payload"\s*:\s*(?:null|")/;
const OF_PROOFS =
  /"v"\s*:\s*"(?:receipt|window|acceptance|fork|consistency|trust)\/1"|"(?:checkpoint|descriptor|statement)"\s*:\s*"/;
const HASH = /(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])/gi;
const MOST_DIGEST_CHARACTERS = 200;
const PLACE =
  /^(?:\/v1)?(\/datasets\/[\w.:-]{1,128}\/(?:sources\/[\w.:-]{1,128}\/records\/\d{1,16}|versions\/\d{1,16}(?:\/rows\/\d{1,16})?))(?:\/(?:receipt|certificate|payload|file))?\/?$/;
const WINDOW = /^\/v1\/datasets\/[\w.:-]{1,128}\/sources\/[\w.:-]{1,128}\/window$/;

// A Blob -> {kind, text}: kind is receipt, window, acceptance, fork, consistency, trust, lines
// (contents beside a window), damaged or file; text stands there for proofs and trust files, and is null
// where it isn't UTF-8. A receipt in a form of others is tlog-proof or cose, which is no text.
export async function guessBlob(blob) {
  const start = await bytesOf(blob.slice(0, PEEK_BYTES));
  const head = lossy(start);
  if (head.startsWith("c2sp.org/tlog-proof@v1\n") && blob.size <= MOST_PARSED_BYTES) {
    return { kind: "tlog-proof", text: strict(await bytesOf(blob)) };
  }
  if (start[0] === 0xd2 && start[1] === 0x84 && start[2] >= 0x40 && start[2] <= 0x5b) {
    return { kind: "cose" };
  }
  const kind = await proofKind(blob, head);
  if (kind !== undefined) {
    return { kind, text: strict(await bytesOf(blob)) };
  }
  if (await isDamaged(blob, head)) {
    return { kind: "damaged" };
  }
  return { kind: LINE.test(head) ? "lines" : "file" };
}

// Whether it has the look of a proof and can't be read as one.
async function isDamaged(blob, head) {
  const tail = lossy(await bytesOf(blob.slice(-PEEK_BYTES)));
  return /^[\uFEFF\s]*\{/.test(head) && OF_PROOFS.test(head + tail);
}

async function proofKind(blob, head) {
  if (blob.size > MOST_PROOF_BYTES || !/^[\uFEFF\s]*\{/.test(head)) {
    return undefined;
  }
  // In canonical form the version is the last member, so the end tells it at once.
  const tail = lossy(await bytesOf(blob.slice(-PEEK_BYTES)));
  const last = /"v":"([a-z]+\/1)"\}\n?$/.exec(tail);
  if (last && VERSIONS.has(last[1])) {
    return VERSIONS.get(last[1]);
  }
  if (blob.size > MOST_PARSED_BYTES) {
    return undefined;
  }
  try {
    const members = JSON.parse(lossy(await bytesOf(blob)).replace(/^\uFEFF/, ""));
    return VERSIONS.get(members.v);
  } catch {
    return undefined;
  }
}

// What was pasted -> {kind: "digest", digest}, {kind: "link", path}, {kind: "foreign"} (another
// host's link), {kind: "blob", blob} (the text of a file) or {kind: "nothing"}.
export function guessText(pasted, origins) {
  const text = pasted.trim();
  const digest = digestIn(text);
  if (digest !== null) {
    return { kind: "digest", digest };
  }
  if (/^\s*\{/.test(text)) {
    // As it was pasted, but for blanks around it: a copied line has no newline of its own.
    return { kind: "blob", blob: new Blob([text]) };
  }
  if (/^https?:\/\//i.test(text) || text.startsWith("/")) {
    return guessLink(text, origins);
  }
  return { kind: "nothing" };
}

// One digest in a short text, also where it was set in groups; a link or JSON is none.
function digestIn(text) {
  if (text.length > MOST_DIGEST_CHARACTERS || /[{\/]/.test(text)) {
    return null;
  }
  const found = text.match(HASH) ?? text.replace(/\s+/g, "").match(HASH) ?? [];
  return found.length === 1 ? found[0].toLowerCase() : null;
}

function guessLink(text, origins) {
  let url;
  try {
    url = new URL(text, origins[0]);
  } catch {
    return { kind: "nothing" };
  }
  if (!origins.includes(url.origin)) {
    return { kind: "foreign" };
  }
  if (WINDOW.test(url.pathname)) {
    return { kind: "link", path: url.pathname + url.search };
  }
  const place = PLACE.exec(url.pathname);
  if (!place) {
    return { kind: "nothing" };
  }
  const row = wholeNumber(url.searchParams.get("row"));
  const chain = wholeNumber(url.searchParams.get("chain"));
  if (row !== null && /\/versions\/\d+$/.test(place[1])) {
    return { kind: "link", path: `${place[1]}/rows/${row}/receipt` };
  }
  return { kind: "link", path: `${place[1]}/receipt${chain === null ? "" : `?chain=${chain}`}` };
}

function wholeNumber(text) {
  return text !== null && /^\d{1,16}$/.test(text) ? text : null;
}

async function bytesOf(blob) {
  return new Uint8Array(await blob.arrayBuffer());
}

function lossy(bytes) {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
}

function strict(bytes) {
  try {
    return new TextDecoder("utf-8", { ignoreBOM: true, fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}
