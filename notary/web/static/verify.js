// SPDX-License-Identifier: Apache-2.0
// Checks receipts, windows, acceptances, consistency proofs and forks in a browser. Written from
// docs/spec/*.md, and no translation of the Python verifier: where the two disagree on a file, one
// of them is wrong. One file that needs nothing else: no network, no build step, also from file://
// and over plain HTTP.
//
//   verify(proof, trust, payload, onProgress) -> {holds, kind, code, reason, facts, checks, ...}
//
// Parts: refusals, patience, bytes, SHA-2, Ed25519, JSON (json-v1), words (statement-v1), trees
// (tree-v1), notes (note-v1), trust files (trust-v1), statements and descriptors, receipts
// (receipt-v1) and their other forms (tlog-proof-v1, cose-receipt-v1), windows (window-v1),
// acceptances (acceptance-v1), two checkpoints (consistency-v1, fork-v1), rows (rows-v1), copies
// (resaved), the verdict (verdict-v1).
// Steps and rules in comments are those of the pages named. Hashes are lower-case hexadecimal
// strings wherever they aren't about to be hashed.

// ---- Refusals -----------------------------------------------------------------------------------

const MIB = 1 << 20;
const LIMITS = {
  trust: MIB,
  receipt: 48 * MIB,
  window: 256 * MIB,
  acceptance: MIB,
  pair: 4 * MIB,
  tlogProof: 2 * MIB,
  extra: 48000,
  statement: 4096,
  descriptor: 65535,
  run: 1024,
  note: MIB,
  line: 64 * MIB,
  row: MIB,
};

// What refuses a proof: the code that all verifiers share, and what fills its sentence.
class Refused extends Error {
  constructor(code, detail, facts = {}) {
    super(detail);
    this.code = code;
    this.facts = { detail, ...facts };
  }
}

function refuse(code, detail, facts) {
  throw new Refused(code, detail, facts);
}

function malformed(detail, facts) {
  refuse("malformed-text", detail, facts);
}

// Does `read`; whatever it refuses is a fault of the format with this code.
async function under(code, read) {
  try {
    return await read();
  } catch (error) {
    if (error instanceof Refused) {
      error.code = code;
    }
    throw error;
  }
}

// ---- Patience: the page stays alive, and hears how far it is ------------------------------------

const TURN_MS = 12;
let turned = 0;

// Lets the page live for a moment, where the last such moment is long enough ago.
async function breathe() {
  if (performance.now() - turned > TURN_MS) {
    await new Promise((resolve) => {
      const channel = new MessageChannel();
      channel.port1.onmessage = () => {
        channel.port1.close();
        resolve();
      };
      channel.port2.postMessage(null);
    });
    turned = performance.now();
  }
}

// Work that was done, of all that there is; both in bytes or so.
class Progress {
  constructor(tell) {
    this.tell = tell;
    this.done = 0;
    this.total = 0;
  }

  expect(size) {
    this.total += size;
  }

  step(size) {
    this.done += size;
    this.tell?.(Math.min(this.done, this.total), this.total);
  }
}

const PIECE_BYTES = MIB;

// The pieces of a Blob, one held at a time.
async function* piecesOf(blob, progress) {
  for (let at = 0; at < blob.size; at += PIECE_BYTES) {
    const piece = new Uint8Array(await blob.slice(at, at + PIECE_BYTES).arrayBuffer());
    yield piece;
    progress?.step(piece.length);
    await breathe();
  }
}

// ---- Bytes --------------------------------------------------------------------------------------

const UTF8 = new TextEncoder();
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

function hexOf(bytes) {
  let text = "";
  for (const byte of bytes) {
    text += HEX[byte];
  }
  return text;
}

// Requires an even number of hexadecimal digits.
function bytesOf(hex) {
  const bytes = new Uint8Array(hex.length / 2);
  for (let i = 0; i < bytes.length; i += 1) {
    bytes[i] = parseInt(hex.substr(2 * i, 2), 16);
  }
  return bytes;
}

function sameBytes(one, two) {
  let at = one.length === two.length ? 0 : -1;
  while (at >= 0 && at < one.length && one[at] === two[at]) {
    at += 1;
  }
  return at === one.length;
}

const BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const BASE64URL = `${BASE64.slice(0, 62)}-_`;

function valuesOf(alphabet) {
  const values = new Int8Array(128).fill(-1);
  for (let i = 0; i < 64; i += 1) {
    values[alphabet.charCodeAt(i)] = i;
  }
  return values;
}

const BASE64_VALUES = valuesOf(BASE64);
const BASE64URL_VALUES = valuesOf(BASE64URL);

// The bytes of base64 without its padding, or null: another character, or bits behind the end.
function decodeDigits(text, values) {
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4));
  let held = 0;
  let bits = 0;
  let at = 0;
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    const value = code < 128 ? values[code] : -1;
    if (value < 0) {
      return null;
    }
    held = ((held << 6) | value) & 0xffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes[at] = held >>> bits;
      at += 1;
    }
  }
  const isWhole = text.length % 4 !== 1 && (held & ((1 << bits) - 1)) === 0;
  return isWhole ? bytes : null;
}

// The bytes of base64 with padding in its one canonical form (note-v1, rule 1), or null.
function decodeBase64(text) {
  const digits = text.endsWith("==") ? text.slice(0, -2) : text.replace(/=$/, "");
  const isPadded = text.length % 4 === 0 && digits.length > text.length - 3;
  return isPadded ? decodeDigits(digits, BASE64_VALUES) : null;
}

// Text of strict UTF-8, a BOM being a character like others.
function decodeUtf8(bytes) {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return malformed("The bytes are not UTF-8.");
  }
}

// ---- SHA-2 (FIPS 180-4) -------------------------------------------------------------------------

// Its constants are the first 64 bits behind the point of roots of the first primes: square roots
// to begin with, cube roots for the rounds. SHA-256 takes the upper half of each.
function rootBits(prime, degree) {
  const value = BigInt(prime) << BigInt(64 * degree);
  const power = BigInt(degree - 1);
  let root = 1n << 70n;
  for (;;) {
    const next = (power * root + value / root ** power) / BigInt(degree);
    if (next >= root) {
      return BigInt.asUintN(64, root);
    }
    root = next;
  }
}

function firstPrimes(count) {
  const primes = [];
  for (let n = 2; primes.length < count; n += 1) {
    if (primes.every((prime) => n % prime)) {
      primes.push(n);
    }
  }
  return primes;
}

const upper = (bits) => Number(bits >> 32n) | 0;
const lower = (bits) => Number(bits & 0xffffffffn) | 0;
const STARTS = firstPrimes(8).map((prime) => rootBits(prime, 2));
const ROUNDS = firstPrimes(80).map((prime) => rootBits(prime, 3));
const SHA256_START = Int32Array.from(STARTS, upper);
const SHA256_ROUNDS = Int32Array.from(ROUNDS.slice(0, 64), upper);
const SHA256_SCHEDULE = new Int32Array(64);

// Takes the blocks of 64 bytes from `from` to `end` into the state.
function compress256(state, data, from, end) {
  const w = SHA256_SCHEDULE;
  const k = SHA256_ROUNDS;
  // One by one: taken apart as a list they would slow the rounds down to a third.
  let h0 = state[0];
  let h1 = state[1];
  let h2 = state[2];
  let h3 = state[3];
  let h4 = state[4];
  let h5 = state[5];
  let h6 = state[6];
  let h7 = state[7];
  for (let at = from; at < end; at += 64) {
    for (let i = 0, j = at; i < 16; i += 1, j += 4) {
      w[i] = (data[j] << 24) | (data[j + 1] << 16) | (data[j + 2] << 8) | data[j + 3];
    }
    for (let i = 16; i < 64; i += 1) {
      const x = w[i - 15];
      const y = w[i - 2];
      const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
      const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
      w[i] = (w[i - 16] + s0 + w[i - 7] + s1) | 0;
    }
    let a = h0;
    let b = h1;
    let c = h2;
    let d = h3;
    let e = h4;
    let f = h5;
    let g = h6;
    let h = h7;
    for (let i = 0; i < 64; i += 1) {
      const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
      const t1 = (h + s1 + (g ^ (e & (f ^ g))) + k[i] + w[i]) | 0;
      const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
      const t2 = (s0 + ((a & b) | (c & (a | b)))) | 0;
      h = g;
      g = f;
      f = e;
      e = (d + t1) | 0;
      d = c;
      c = b;
      b = a;
      a = (t1 + t2) | 0;
    }
    h0 = (h0 + a) | 0;
    h1 = (h1 + b) | 0;
    h2 = (h2 + c) | 0;
    h3 = (h3 + d) | 0;
    h4 = (h4 + e) | 0;
    h5 = (h5 + f) | 0;
    h6 = (h6 + g) | 0;
    h7 = (h7 + h) | 0;
  }
  state.set([h0, h1, h2, h3, h4, h5, h6, h7]);
}

// SHA-256 of what comes in pieces.
export class Sha256 {
  #state = SHA256_START.slice();
  #block = new Uint8Array(64);
  #used = 0;
  size = 0;

  update(data) {
    this.size += data.length;
    let at = 0;
    if (this.#used) {
      at = Math.min(64 - this.#used, data.length);
      this.#block.set(data.subarray(0, at), this.#used);
      this.#used += at;
      if (this.#used < 64) {
        return this;
      }
      compress256(this.#state, this.#block, 0, 64);
    }
    const end = data.length - ((data.length - at) % 64);
    compress256(this.#state, data, at, end);
    this.#block.set(data.subarray(end));
    this.#used = data.length - end;
    return this;
  }

  copy() {
    const other = new Sha256();
    other.#state = this.#state.slice();
    other.#block = this.#block.slice();
    other.#used = this.#used;
    other.size = this.size;
    return other;
  }

  // Ends it; 64 hexadecimal digits.
  hex() {
    const tail = new Uint8Array(this.#used < 56 ? 64 : 128);
    tail.set(this.#block.subarray(0, this.#used));
    tail[this.#used] = 0x80;
    const view = new DataView(tail.buffer);
    view.setUint32(tail.length - 8, Math.floor(this.size / 2 ** 29));
    view.setUint32(tail.length - 4, (this.size * 8) >>> 0);
    compress256(this.#state, tail, 0, tail.length);
    let text = "";
    for (let i = 0; i < 8; i += 1) {
      const word = this.#state[i];
      text += HEX[word >>> 24] + HEX[(word >>> 16) & 255] + HEX[(word >>> 8) & 255];
      text += HEX[word & 255];
    }
    return text;
  }
}

export function sha256(...parts) {
  const hasher = new Sha256();
  for (const part of parts) {
    hasher.update(part);
  }
  return hasher.hex();
}

// SHA-256 of a Blob, a piece at a time, in hexadecimal digits.
export async function digestOf(blob, onProgress) {
  const progress = new Progress(onProgress);
  progress.expect(blob.size);
  return hashBlob(new Sha256(), blob, progress);
}

async function hashBlob(hasher, blob, progress) {
  for await (const piece of piecesOf(blob, progress)) {
    hasher.update(piece);
  }
  return hasher.hex();
}

const SHA512_START = Int32Array.from(STARTS.flatMap((bits) => [upper(bits), lower(bits)]));
const SHA512_ROUNDS = Int32Array.from(ROUNDS.flatMap((bits) => [upper(bits), lower(bits)]));

// Words of 64 bits are two of 32 here, the upper one first.
export function sha512(data) {
  const padded = new Uint8Array((Math.floor((data.length + 16) / 128) + 1) * 128);
  padded.set(data);
  padded[data.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 8, Math.floor(data.length / 2 ** 29));
  view.setUint32(padded.length - 4, (data.length * 8) >>> 0);
  const state = SHA512_START.slice();
  const w = new Int32Array(160);
  for (let at = 0; at < padded.length; at += 128) {
    for (let i = 0; i < 32; i += 1) {
      w[i] = view.getInt32(at + 4 * i);
    }
    for (let i = 32; i < 160; i += 2) {
      const [xh, xl, yh, yl] = [w[i - 30], w[i - 29], w[i - 4], w[i - 3]];
      const s0h = ((xh >>> 1) | (xl << 31)) ^ ((xh >>> 8) | (xl << 24)) ^ (xh >>> 7);
      const s0l =
        ((xl >>> 1) | (xh << 31)) ^ ((xl >>> 8) | (xh << 24)) ^ ((xl >>> 7) | (xh << 25));
      const s1h = ((yh >>> 19) | (yl << 13)) ^ ((yl >>> 29) | (yh << 3)) ^ (yh >>> 6);
      const s1l =
        ((yl >>> 19) | (yh << 13)) ^ ((yh >>> 29) | (yl << 3)) ^ ((yl >>> 6) | (yh << 26));
      const low = (w[i - 31] >>> 0) + (s0l >>> 0) + (w[i - 13] >>> 0) + (s1l >>> 0);
      w[i] = w[i - 32] + s0h + w[i - 14] + s1h + Math.floor(low / 2 ** 32);
      w[i + 1] = low;
    }
    rounds512(state, w);
  }
  const digest = new DataView(new ArrayBuffer(64));
  state.forEach((word, i) => digest.setInt32(4 * i, word));
  return new Uint8Array(digest.buffer);
}

function rounds512(state, w) {
  const k = SHA512_ROUNDS;
  let [ah, al, bh, bl, ch, cl, dh, dl, eh, el, fh, fl, gh, gl, hh, hl] = state;
  for (let i = 0; i < 160; i += 2) {
    const s1h =
      ((eh >>> 14) | (el << 18)) ^ ((eh >>> 18) | (el << 14)) ^ ((el >>> 9) | (eh << 23));
    const s1l =
      ((el >>> 14) | (eh << 18)) ^ ((el >>> 18) | (eh << 14)) ^ ((eh >>> 9) | (el << 23));
    const chosenH = gh ^ (eh & (fh ^ gh));
    const chosenL = gl ^ (el & (fl ^ gl));
    const low1 =
      (hl >>> 0) + (s1l >>> 0) + (chosenL >>> 0) + (k[i + 1] >>> 0) + (w[i + 1] >>> 0);
    const t1h = (hh + s1h + chosenH + k[i] + w[i] + Math.floor(low1 / 2 ** 32)) | 0;
    const t1l = low1 | 0;
    const s0h =
      ((ah >>> 28) | (al << 4)) ^ ((al >>> 2) | (ah << 30)) ^ ((al >>> 7) | (ah << 25));
    const s0l =
      ((al >>> 28) | (ah << 4)) ^ ((ah >>> 2) | (al << 30)) ^ ((ah >>> 7) | (al << 25));
    const most = (s0l >>> 0) + (((al & bl) | (cl & (al | bl))) >>> 0) + (t1l >>> 0);
    const sumE = (dl >>> 0) + (t1l >>> 0);
    [hh, hl, gh, gl, fh, fl] = [gh, gl, fh, fl, eh, el];
    eh = (dh + t1h + Math.floor(sumE / 2 ** 32)) | 0;
    el = sumE | 0;
    const nextA = (s0h + ((ah & bh) | (ch & (ah | bh))) + t1h + Math.floor(most / 2 ** 32)) | 0;
    [dh, dl, ch, cl, bh, bl] = [ch, cl, bh, bl, ah, al];
    ah = nextA;
    al = most | 0;
  }
  const ended = [ah, al, bh, bl, ch, cl, dh, dl, eh, el, fh, fl, gh, gl, hh, hl];
  for (let i = 0; i < 16; i += 2) {
    const low = (state[i + 1] >>> 0) + (ended[i + 1] >>> 0);
    state[i] = state[i] + ended[i] + Math.floor(low / 2 ** 32);
    state[i + 1] = low;
  }
}

// ---- Ed25519 (RFC 8032), strictly: note-v1, rule 8 ----------------------------------------------

// Public values alone are handled here, so nothing needs to take the same time always.
const P = 2n ** 255n - 19n;
const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;

function mod(value) {
  const rest = value % P;
  return rest < 0n ? rest + P : rest;
}

function power(base, exponent) {
  let result = 1n;
  let square = mod(base);
  for (let rest = exponent; rest; rest >>= 1n) {
    if (rest & 1n) {
      result = (result * square) % P;
    }
    square = (square * square) % P;
  }
  return result;
}

// To the power of (p - 5) / 8 = 2^252 - 3, by few multiplications: with value^(2^n - 1) for some n
// the same for 2n is got by n squarings and one multiplication.
function rootPower(value) {
  let [ones, n] = [value, 1];
  for (const bit of "1111010") {
    ones = (squared(ones, n) * ones) % P;
    n *= 2;
    if (bit === "1") {
      ones = (squared(ones, 1) * value) % P;
      n += 1;
    }
  }
  return (squared(ones, 2) * value) % P;
}

function squared(value, times) {
  let square = value;
  for (let i = 0; i < times; i += 1) {
    square = (square * square) % P;
  }
  return square;
}

const D = mod(-121665n * power(121666n, P - 2n));
const ROOT_OF_MINUS_1 = power(2n, (P - 1n) / 4n);
const BASE_POINT = pointOf(mod(4n * power(5n, P - 2n)), 0n);
const NEUTRAL = { x: 0n, y: 1n, z: 1n, t: 0n };

// The point with this y and this lowest bit of x, or null. RFC 8032 section 5.1.3.
function pointOf(y, sign) {
  const u = mod(y * y - 1n);
  const v = mod(D * y * y + 1n);
  // A square root of u/v, if it has any: (u/v)^((p+3)/8), perhaps times a root of -1.
  const v3 = mod(v * v * v);
  let x = mod(u * v3 * rootPower(mod(u * v3 * v3 * v)));
  if (mod(v * x * x) !== u) {
    x = mod(x * ROOT_OF_MINUS_1);
  }
  if (mod(v * x * x) !== u || (x === 0n && sign === 1n)) {
    return null;
  }
  x = (x & 1n) === sign ? x : P - x;
  return { x, y, z: 1n, t: mod(x * y) };
}

// RFC 8032 section 5.1.4; complete, so it holds for equal points and for the neutral one too.
function add(one, two) {
  const a = (one.y - one.x) * (two.y - two.x);
  const b = (one.y + one.x) * (two.y + two.x);
  const c = 2n * D * ((one.t * two.t) % P);
  const d = 2n * one.z * two.z;
  return pointFrom(b - a, d - c, d + c, b + a);
}

function double(one) {
  const a = one.x * one.x;
  const b = one.y * one.y;
  const sum = one.x + one.y;
  return pointFrom(a + b - sum * sum, 2n * one.z * one.z + a - b, a - b, a + b);
}

function pointFrom(rawE, rawF, rawG, rawH) {
  const [e, f, g, h] = [mod(rawE), mod(rawF), mod(rawG), mod(rawH)];
  return { x: mod(e * f), y: mod(g * h), z: mod(f * g), t: mod(e * h) };
}

function littleEndian(bytes) {
  return BigInt(`0x${hexOf(bytes.slice().reverse())}`);
}

// A canonically encoded point whose order doesn't divide 8, or null.
function strictPoint(bytes) {
  const number = littleEndian(bytes);
  const y = BigInt.asUintN(255, number);
  const point = y < P ? pointOf(y, number >> 255n) : null;
  // Eight times a point of small order is (0, 1); (0, -1) is eight times nothing.
  return point && double(double(double(point))).x !== 0n ? point : null;
}

// [s]B - [k]A == R, with both multiples in one pass of doublings.
function equationHolds(s, k, a, r) {
  const minusA = { x: P - a.x, y: a.y, z: a.z, t: P - a.t };
  const summands = [null, BASE_POINT, minusA, add(BASE_POINT, minusA)];
  let total = NEUTRAL;
  for (let bit = 252n; bit >= 0n; bit -= 1n) {
    total = double(total);
    const summand = summands[Number(((s >> bit) & 1n) | (((k >> bit) & 1n) << 1n))];
    total = summand ? add(total, summand) : total;
  }
  return mod(r.x * total.z) === total.x && mod(r.y * total.z) === total.y;
}

function verifyByHand(key, message, signature, a, r) {
  const hashed = new Uint8Array(64 + message.length);
  hashed.set(signature.subarray(0, 32));
  hashed.set(key, 32);
  hashed.set(message, 64);
  const k = littleEndian(sha512(hashed)) % ORDER;
  return equationHolds(littleEndian(signature.subarray(32)), k, a, r);
}

async function verifyByBrowser(key, message, signature) {
  const subtle = globalThis.crypto.subtle;
  const imported = await subtle.importKey("raw", key, { name: "Ed25519" }, false, ["verify"]);
  return subtle.verify({ name: "Ed25519" }, imported, signature, message);
}

// What the browser must know before its word is taken: the first signature holds, the second does
// not, although it would by the equation with cofactor (its key has a part of order 8).
const PROBES = [
  {
    key: "e9b2fe981587efae6478f48ba1fa60cec6126d0e26dde72a0a24f640dcd783e5",
    signature: "1337036ac32d8f30d4589c3c1c595812ce0fff40e37c6f5a97ab213f318290ad7fa9ce184add0873160d8798c4c7a53331baf84c1a63ec4b01c101f3945c9200",
    holds: true,
  },
  {
    key: "99e078d056763dca46099c11c8fce4f62ca39f82091a309e0de107a5405ab262",
    signature: "f9e42d2edc81d23367967352b47e4856b82578634e6c1de72280ce8b60ce70c0374f59f83c4f7e6f4eb0d03e14a22b68226764462ba84f58d2f9deccd1d4e50c",
    holds: false,
  },
];
const PROBE_MESSAGE = UTF8.encode("city-notary/probe/1\n");
let engine = null;

// Whose Ed25519 is used: "browser" (WebCrypto, in secure contexts alone) or "own".
export function signatureEngine() {
  engine ??= probeBrowser();
  return engine;
}

async function probeBrowser() {
  try {
    for (const { key, signature, holds } of PROBES) {
      if ((await verifyByBrowser(bytesOf(key), PROBE_MESSAGE, bytesOf(signature))) !== holds) {
        return "own";
      }
    }
    return "browser";
  } catch {
    return "own";
  }
}

// Whether the signature, R || S, of 64 bytes holds under the public key of 32 bytes.
export async function verifyEd25519(key, message, signature) {
  if (signature.length !== 64 || littleEndian(signature.subarray(32)) >= ORDER) {
    return false;
  }
  const a = strictPoint(key);
  const r = a && strictPoint(signature.subarray(0, 32));
  if (!r) {
    return false;
  }
  const isByBrowser = (await signatureEngine()) === "browser";
  await breathe();
  return isByBrowser
    ? verifyByBrowser(key, message, signature)
    : verifyByHand(key, message, signature, a, r);
}

// ---- JSON, read strictly (json-v1) --------------------------------------------------------------

const MAX_DEPTH = 64;
const TOKENS_AT_A_TIME = 4096;
const NUMBER = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y;
const LONE_SURROGATE = /[\ud800-\udfff]/u;
const NEEDS_A_LOOK = /[\\\u0000-\u001f\ud800-\udfff]/u;
const ASCII = /^[\u0000-\u007f]*$/;

// An object's members. It inherits nothing, so that no name is there but those that were read.
function Members() {}
Members.prototype = Object.create(null);

class JsonReader {
  maxDepth = MAX_DEPTH;

  constructor(text) {
    this.text = text;
    this.at = 0;
    this.tokens = 0;
    this.open = [];
    this.isCanonical = true;
  }

  // The one value that the text holds; step 3.
  async document() {
    const value = await this.value();
    this.blanks();
    if (this.at !== this.text.length) {
      this.refuseText();
    }
    return value;
  }

  // One value, whatever is nested in it, without recursion.
  async value() {
    for (;;) {
      this.tokens += 1;
      if (this.tokens % TOKENS_AT_A_TIME === 0) {
        await breathe();
      }
      this.blanks();
      let value = this.begin();
      while (value !== undefined) {
        const top = this.open.at(-1);
        if (!top) {
          return value;
        }
        top.put(value);
        value = this.goOn(top);
      }
    }
  }

  // A value that is no container, or an empty one; undefined where one was opened.
  begin() {
    const mark = this.text[this.at];
    if (mark === '"') {
      return this.string();
    }
    if (mark !== "{" && mark !== "[") {
      return this.word();
    }
    if (this.open.length >= this.maxDepth) {
      const facts = { reason: this.reasonOf("too-deep") };
      malformed(`Its brackets are nested more than ${this.maxDepth} deep.`, facts);
    }
    this.at += 1;
    const container = mark === "{" ? new JsonObject() : new JsonList();
    this.blanks();
    if (this.text[this.at] === container.end) {
      this.at += 1;
      return container.value;
    }
    this.open.push(container);
    this.nextName(container);
    return undefined;
  }

  // Behind a value in a container: the container where it ends here, else undefined.
  goOn(container) {
    this.blanks();
    const mark = this.text[this.at];
    this.at += 1;
    if (mark === ",") {
      this.nextName(container);
      return undefined;
    }
    if (mark !== container.end) {
      this.refuseText();
    }
    this.open.pop();
    return container.value;
  }

  nextName(container) {
    if (!(container instanceof JsonObject)) {
      return;
    }
    this.blanks();
    if (this.text[this.at] !== '"') {
      this.refuseText();
    }
    const name = this.string();
    this.checkName(name);
    if (name in container.value) {
      malformed("A member stands twice.", { reason: this.reasonOf("bad-value") });
    }
    this.isCanonical &&= container.name === null || container.name < name;
    container.name = name;
    this.blanks();
    if (this.text[this.at] !== ":") {
      this.refuseText();
    }
    this.at += 1;
  }

  blanks() {
    const from = this.at;
    while (" \t\n\r".includes(this.text[this.at] ?? "x")) {
      this.at += 1;
    }
    this.isCanonical &&= this.at === from;
  }

  // A string from its quote to the next one that no odd number of backslashes stands before.
  string() {
    const from = this.at;
    let end = from;
    let slashes;
    do {
      end = this.text.indexOf('"', end + 1);
      if (end < 0) {
        this.refuseText();
      }
      slashes = end;
      while (this.text[slashes - 1] === "\\") {
        slashes -= 1;
      }
    } while ((end - slashes) % 2);
    this.at = end + 1;
    const plain = this.text.slice(from + 1, end);
    return NEEDS_A_LOOK.test(plain) ? this.escaped(this.text.slice(from, end + 1)) : plain;
  }

  // The browser's own reader knows what may stand in one string, and its writer spells it as
  // RFC 8785 does.
  escaped(token) {
    let value;
    try {
      value = JSON.parse(token);
    } catch {
      this.refuseText();
    }
    if (LONE_SURROGATE.test(value)) {
      const facts = { reason: this.reasonOf("bad-value") };
      malformed("A string holds half of a surrogate pair.", facts);
    }
    this.checkString(value);
    this.isCanonical &&= JSON.stringify(value) === token;
    return value;
  }

  word() {
    for (const [word, value] of WORDS) {
      if (this.text.startsWith(word, this.at)) {
        this.at += word.length;
        return value;
      }
    }
    NUMBER.lastIndex = this.at;
    const found = NUMBER.exec(this.text);
    if (!found) {
      this.refuseText();
    }
    this.at = NUMBER.lastIndex;
    return this.number(found[0], !found[1] && !found[2]);
  }

  number(token, isInteger) {
    const value = Number(token);
    if (!isInteger || !Number.isSafeInteger(value)) {
      malformed("Only integers up to 2^53 - 1 are allowed as numbers.");
    }
    this.isCanonical &&= token !== "-0";
    return value;
  }

  checkName(name) {
    if (!ASCII.test(name)) {
      malformed("The name of a member is not ASCII.");
    }
  }

  checkString() {}

  reasonOf() {
    return undefined;
  }

  refuseText() {
    malformed("The text is not JSON.", { reason: this.reasonOf("not-json") });
  }
}

const WORDS = [
  ["true", true],
  ["false", false],
  ["null", null],
];

class JsonObject {
  end = "}";
  value = new Members();
  name = null;

  put(value) {
    this.value[this.name] = value;
  }
}

class JsonList {
  end = "]";
  value = [];

  put(value) {
    this.value.push(value);
  }
}

// Canonical JSON of at most so many bytes, steps 2 to 4; `mayEnd`: a newline may stand behind it.
async function readCanonical(text, maxBytes, mayEnd) {
  const content = mayEnd && text.endsWith("\n") ? text.slice(0, -1) : text;
  if (content.length * 3 > maxBytes && (await countUtf8(content)) > maxBytes) {
    malformed(`The text is longer than ${maxBytes} bytes.`);
  }
  const reader = new JsonReader(content);
  const value = await reader.document();
  if (!reader.isCanonical) {
    malformed("The text is not in canonical form (RFC 8785).", { reason: "not-canonical" });
  }
  return value;
}

async function countUtf8(text) {
  let count = 0;
  for (let at = 0; at < text.length; at += MIB) {
    // A pair of surrogates that is parted here counts 6 for 4, so it isn't parted.
    const isParted = /[\ud800-\udbff]/.test(text[at + MIB - 1] ?? "");
    const end = at + MIB - (isParted ? 1 : 0);
    count += UTF8.encode(text.slice(at, end)).length;
    at -= isParted ? 1 : 0;
    await breathe();
  }
  return count;
}

// ---- Words (statement-v1, rules 3 to 9) ---------------------------------------------------------

const ID = /^[A-Za-z0-9._:-]{1,128}$/;
const HASH = /^[0-9a-f]{64}$/;
const TIME = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z$/;
const TYPE = /^[a-z0-9][a-z0-9!#$&^_.+-]*\/[a-z0-9][a-z0-9!#$&^_.+-]*$/;
const BY = /^(?:acl|none|(?:key|bad-signature|api):[A-Za-z0-9._:-]{1,128})$/;
const CONTROL = /[\u0000-\u001f\u007f]|[\ud800-\udfff]/u;
const ZEROS = "0".repeat(64);
const EMPTY_ROOT = sha256();

function checkText(value) {
  return typeof value === "string" ? value : malformed("Text is expected.");
}

function checkMatch(value, pattern, what) {
  if (typeof value !== "string" || !pattern.test(value)) {
    malformed(`The ${what} is not in its form.`, { what });
  }
  return value;
}

function checkId(value, what) {
  checkMatch(value, ID, what);
  return value !== "." && value !== ".." ? value : malformed(`The ${what} is no id.`, { what });
}

function checkHash(value, what = "hash") {
  return checkMatch(value, HASH, what);
}

function checkCount(value, what, least = 0) {
  if (!Number.isSafeInteger(value) || value < least) {
    malformed(`The ${what} must be an integer of at least ${least}.`, { what });
  }
  return value;
}

// So many code points, of which one beyond U+FFFF takes two places in a string.
function checkString(value, what, most) {
  const isFit =
    typeof value === "string" &&
    value !== "" &&
    (value.length <= most || (value.length <= 2 * most && [...value].length <= most)) &&
    !CONTROL.test(value);
  return isFit
    ? value
    : malformed(`The ${what} must have 1 to ${most} characters, none of control.`, { what });
}

function checkType(value) {
  checkMatch(value, TYPE, "media type");
  return value.length <= 127 ? value : malformed("The media type is too long.", { what: "type" });
}

function checkTime(value, what) {
  checkMatch(value, TIME, what);
  const isThere = value >= "0001" && formatTime(readTime(value)) === value;
  return isThere ? value : malformed(`The ${what} is a time that does not exist.`, { what });
}

// A time as whole seconds since 1970 and microseconds: together they are beyond 2^53.
function readTime(text) {
  const seconds = Date.parse(`${text.slice(0, 19)}Z`) / 1000;
  return { seconds, micros: Number(text.slice(20, 26)) };
}

const LAST_SECOND = Date.parse("9999-12-31T23:59:59Z") / 1000;

// Requires a second up to the year 9999; null for no time at all.
function formatTime({ seconds, micros }) {
  if (!(seconds <= LAST_SECOND)) {
    return null;
  }
  const date = new Date(seconds * 1000).toISOString().slice(0, 19);
  return `${date}.${String(micros).padStart(6, "0")}Z`;
}

function inMicros({ seconds, micros }) {
  return BigInt(seconds) * 1000000n + BigInt(micros);
}

const SURROGATE = /[\ud800-\udfff]/;

// The order of code points, which is not that of UTF-16.
function comesBefore(one, two) {
  if (!SURROGATE.test(one + two)) {
    return one < two;
  }
  const [left, right] = [[...one], [...two]];
  for (let i = 0; i < left.length && i < right.length; i += 1) {
    if (left[i] !== right[i]) {
      return left[i].codePointAt(0) < right[i].codePointAt(0);
    }
  }
  return left.length < right.length;
}

// An object with all these members, perhaps some of the others, and no further one.
function checkMembers(value, required, optional = []) {
  if (!(value instanceof Members)) {
    malformed(`An object with the members ${required.join(", ")} is expected.`);
  }
  const isWhole = required.every((name) => name in value);
  const all = [...required, ...optional];
  const isKnown = Object.keys(value).every((name) => all.includes(name));
  return isWhole && isKnown ? value : malformed("A member is missing or unknown.");
}

function checkVersion(value, version) {
  if (!(value instanceof Members) || value.v !== version) {
    malformed(`The version must be ${version}.`);
  }
  return value;
}

function checkList(value, most) {
  const isList = Array.isArray(value) && value.length <= most;
  return isList ? value : malformed(`A list of at most ${most} items is expected.`);
}

const MAX_PATH = 63;

function checkPath(value) {
  return checkList(value, MAX_PATH).map((item) => checkHash(item));
}

// Reads the member if it is there.
function perhaps(members, name, read) {
  return name in members ? read(members[name], name) : null;
}

// ---- Trees (tree-v1, RFC 9162 section 2.1) ------------------------------------------------------

const LEAF_PREFIX = Uint8Array.of(0);
const MAX_SIZE = 2n ** 63n - 1n;

function leafHash(...parts) {
  return sha256(LEAF_PREFIX, ...parts);
}

function textLeaf(text) {
  return leafHash(UTF8.encode(text));
}

const NODE = new Uint8Array(65).fill(1, 0, 1);

function nodeHash(left, right) {
  NODE.set(bytesOf(left), 1);
  NODE.set(bytesOf(right), 33);
  return sha256(NODE);
}

function malformedProof(detail) {
  refuse("malformed-proof", detail);
}

function checkProof(hashes, path, sizes) {
  if (!sizes.every((size) => typeof size === "bigint" && size <= MAX_SIZE)) {
    malformedProof("Sizes and indexes are whole numbers below 2^63.");
  }
  if (!Array.isArray(path) || path.length > MAX_PATH) {
    malformedProof("A path is a list of at most 63 hashes.");
  }
  if (![...hashes, ...path].every((hash) => typeof hash === "string" && HASH.test(hash))) {
    malformedProof("Each hash has exactly 32 bytes.");
  }
}

// Goes up from a node to the root as RFC 9162 section 2.1.3.2 does; `join(sibling, isLeft)` for
// each hash of the path. A path of another length is refused before anything is hashed.
function climb(index, last, path, join) {
  const sides = [];
  let [place, end] = [index, last];
  while (end > 0n) {
    if (place & 1n || place === end) {
      sides.push(true);
      while (!(place & 1n) && place > 0n) {
        [place, end] = [place >> 1n, end >> 1n];
      }
    } else {
      sides.push(false);
    }
    [place, end] = [place >> 1n, end >> 1n];
  }
  if (sides.length !== path.length) {
    malformedProof("The path has another length than a tree of this size demands.");
  }
  path.forEach((sibling, i) => join(sibling, sides[i]));
}

function compareRoots(got, want) {
  if (got !== want) {
    refuse("root-mismatch", "The proof leads to another root.", { got, want });
  }
}

// The leaf stands at this index in the tree of this size and root. Index and size are BigInts.
export function verifyInclusion(leaf, index, size, path, root) {
  checkProof([leaf, root], path, [index, size]);
  if (index < 0n || index >= size) {
    malformedProof("Index and size do not fit together.");
  }
  let node = leaf;
  climb(index, size - 1n, path, (sibling, isLeft) => {
    node = isLeft ? nodeHash(sibling, node) : nodeHash(node, sibling);
  });
  compareRoots(node, root);
}

// The tree of `size2` begins with the leaves of that of `size1`. Sizes are BigInts.
export function verifyConsistency(size1, root1, size2, root2, path) {
  checkProof([root1, root2], path, [size1, size2]);
  if (size1 < 1n || size1 > size2) {
    malformedProof("The sizes do not fit together.");
  }
  if (size1 === size2) {
    climb(0n, 0n, path, null);
    compareRoots(root1, root2);
    return;
  }
  // Where the old tree is one whole subtree, its root is where the path begins.
  const isWhole = (size1 & (size1 - 1n)) === 0n;
  const [old, grown] = rootsFromPath(size1, size2, isWhole ? [root1, ...path] : path);
  compareRoots(old, root1);
  compareRoots(grown, root2);
}

// Both roots from a path that begins with the last whole subtree of the old tree. Requires
// 1 <= size1 < size2.
function rootsFromPath(size1, size2, path) {
  let [place, last] = [size1 - 1n, size2 - 1n];
  while (place & 1n) {
    [place, last] = [place >> 1n, last >> 1n];
  }
  let [old, grown] = [path[0], path[0]];
  climb(place, last, path.slice(1), (sibling, isLeft) => {
    old = isLeft ? nodeHash(sibling, old) : old;
    grown = isLeft ? nodeHash(sibling, grown) : nodeHash(grown, sibling);
  });
  return [old, grown];
}

// ---- Notes, keys and checkpoints (note-v1) ------------------------------------------------------

const KIND_LOG = 1;
const KIND_WITNESS = 4;
const KEY_ID = /^[0-9a-f]{8}$/;
const NAME_REFUSES = /[\u0000-\u001f+]|\p{White_Space}|[\ud800-\udfff]/u;
const NOTE_REFUSES = /[\u0000-\u0009\u000b-\u001f]|[\ud800-\udfff]/u;
const SIZE = /^(?:0|[1-9][0-9]{0,18})$/;
const MAX_SIGNATURES = 100;
const MAX_TIME = 2n ** 63n - 1n;
const DASH = "\u2014 ";

function malformedNote(detail) {
  refuse("malformed-note", detail);
}

function checkName(name) {
  if (name === "" || NAME_REFUSES.test(name)) {
    malformedNote("The name of a key has no blank, no plus sign and no control character.");
  }
  return name;
}

// A key from its text (rule 3): {name, id, kind, bytes, fingerprint}.
export function parseVkey(text) {
  const [, name, id, encoded] = /^([^+]*)\+([^+]*)\+(.*)$/s.exec(text) ?? malformedNote("No key.");
  const key = decodeBase64(encoded);
  checkName(name);
  if (key?.length !== 33 || ![KIND_LOG, KIND_WITNESS].includes(key[0])) {
    malformedNote("A key is base64 of one byte for its kind and 32 bytes of Ed25519.");
  }
  if (!KEY_ID.test(id) || sha256(UTF8.encode(`${name}\n`), key).slice(0, 8) !== id) {
    malformedNote("The key id does not belong to this name and key.");
  }
  return { name, id, kind: key[0], bytes: key.slice(1), fingerprint: sha256(key) };
}

// The text of a note and its signature lines, each {name, id, blob, line}; rules 4 and 5.
function parseNote(note) {
  if (typeof note !== "string" || NOTE_REFUSES.test(note)) {
    malformedNote("A note is text without control characters but newline.");
  }
  const border = note.lastIndexOf("\n\n");
  if (UTF8.encode(note).length > LIMITS.note || border < 0 || !note.endsWith("\n")) {
    malformedNote("A note is a text, an empty line and signature lines, of at most 1 MiB.");
  }
  const lines = note.slice(border + 2, -1).split("\n");
  if (lines.length > MAX_SIGNATURES) {
    malformedNote(`A note has at most ${MAX_SIGNATURES} signature lines.`);
  }
  return { text: note.slice(0, border + 1), lines: lines.map(parseSignatureLine) };
}

function parseSignatureLine(line) {
  const space = line.indexOf(" ", DASH.length);
  if (!line.startsWith(DASH) || space < 0) {
    malformedNote("A signature line is a dash, the name of a key and base64.");
  }
  const blob = decodeBase64(line.slice(space + 1));
  if (!blob || blob.length < 5) {
    malformedNote("A signature is base64 of a key id of 4 bytes and at least one byte more.");
  }
  const name = checkName(line.slice(DASH.length, space));
  return { name, id: hexOf(blob.subarray(0, 4)), blob: blob.subarray(4), line };
}

// Opens a note under the known keys: its text, and for each key that signed the signature line and
// the time that it states there.
export async function openNote(note, keys) {
  const known = new Map();
  for (const key of keys) {
    const other = known.get(`${key.name}+${key.id}`) ?? key;
    if (other.fingerprint !== key.fingerprint) {
      malformedNote("Two trusted keys share one name and key id.");
    }
    known.set(`${key.name}+${key.id}`, other);
  }
  const { text, lines } = parseNote(note);
  const signed = new Map();
  for (const { name, id, blob, line } of lines) {
    const key = known.get(`${name}+${id}`);
    if (key) {
      const time = await verifyLine(key, text, blob);
      signed.set(key, signed.get(key) ?? { time, line });
    }
  }
  if (!signed.size) {
    refuse("unknown-signer", "None of the signatures was made with a key that is trusted here.");
  }
  return { text, signed };
}

// Rule 7: the time that a witness states, null for another key.
async function verifyLine(key, text, blob) {
  const facts = { name: key.name, key_id: key.id };
  let [message, signature, time] = [text, blob, null];
  if (key.kind === KIND_WITNESS) {
    time = BigInt(`0x${hexOf(blob.subarray(0, 8))}`);
    if (time > MAX_TIME) {
      refuse("bad-signature", "The time of a cosignature is out of range.", facts);
    }
    message = `cosignature/v1\ntime ${time}\n${text}`;
    signature = blob.subarray(8);
  }
  if (!(await verifyEd25519(key.bytes, UTF8.encode(message), signature))) {
    refuse("bad-signature", "A signature does not belong to this text and this key.", facts);
  }
  return time;
}

// {origin, size, root}, the size being a BigInt; rule 6.
function parseCheckpoint(text) {
  const lines = text.split("\n");
  if (lines.length !== 4 || lines[3] !== "" || !SIZE.test(lines[1])) {
    malformedNote("A checkpoint is exactly three lines: origin, size and root.");
  }
  const [origin, size, root] = [checkName(lines[0]), BigInt(lines[1]), decodeBase64(lines[2])];
  if (size > MAX_SIZE || root?.length !== 32) {
    malformedNote("A size is below 2^63, and a root has 32 bytes.");
  }
  if (size === 0n && hexOf(root) !== EMPTY_ROOT) {
    malformedNote("The root of an empty log is the hash of nothing.");
  }
  return { origin, size, root: hexOf(root) };
}

// Opens a checkpoint, which the log itself signed: {checkpoint, signed, text}.
export async function openCheckpoint(note, keys) {
  const { text, signed } = await openNote(note, keys);
  const checkpoint = parseCheckpoint(text);
  const signers = [...signed.keys()];
  if (!signers.some(({ kind, name }) => kind === KIND_LOG && name === checkpoint.origin)) {
    refuse("unknown-signer", "The log did not sign with a key that is trusted here.");
  }
  return { checkpoint, signed, text };
}

// ---- Trust files (trust-v1) ---------------------------------------------------------------------

const MAX_ITEMS = 1000;

async function parseTrust(text) {
  return under("malformed-trust", async () => {
    const members = await readCanonical(text, LIMITS.trust, true);
    const names = ["delay_seconds", "ledgers", "logs", "name", "quorum", "v", "witnesses"];
    checkMembers(members, names, ["keys"]);
    checkVersion(members, "trust/1");
    const trust = {
      name: checkString(members.name, "name", 200),
      logs: checkList(members.logs, MAX_ITEMS).map(parseLog),
      witnesses: checkList(members.witnesses, MAX_ITEMS).map((key) => keyOf(key, KIND_WITNESS)),
      quorum: checkCount(members.quorum, "quorum"),
      ledgers: checkList(members.ledgers, MAX_ITEMS).map(parseLedger),
      delaySeconds: checkCount(members.delay_seconds, "delay"),
      keys: checkList(members.keys ?? ("keys" in members ? null : []), MAX_ITEMS),
    };
    for (const item of trust.keys) {
      checkId(item instanceof Members ? item.use : null, "use");
    }
    checkParties(trust);
    return trust;
  });
}

function keyOf(text, kind) {
  const key = parseVkey(checkText(text));
  return key.kind === kind ? key : malformed("A key is of the wrong kind for its place.");
}

function parseLog(item) {
  checkMembers(item, ["key", "from", "to"], ["good"]);
  const from = checkCount(item.from, "first size");
  const to = item.to === null ? null : checkCount(item.to, "last size", from);
  const good = perhaps(item, "good", (value) => {
    checkMembers(value, ["root", "size"]);
    checkHash(value.root, "root");
    return checkCount(value.size, "size", 1) === to ? value : malformed("good.size is not to.");
  });
  return { key: keyOf(item.key, KIND_LOG), from, to, good };
}

function parseLedger(item) {
  const kind = checkId(item instanceof Members ? item.kind : null, "kind");
  const id = checkId(item.id, "ledger");
  if (kind !== "file") {
    return { id, kind, key: null };
  }
  checkMembers(item, ["id", "kind", "key"]);
  return { id, kind, key: keyOf(item.key, KIND_LOG) };
}

// Nobody stands twice, and nobody confirms themselves; rules 5 to 7.
function checkParties(trust) {
  const print = (key) => hexOf(key.bytes);
  const logs = trust.logs.map((log) => print(log.key));
  const witnesses = trust.witnesses.map(print);
  const ledgers = trust.ledgers.map((ledger) => ledger.id);
  const fileKeys = trust.ledgers.flatMap((ledger) => (ledger.key ? [print(ledger.key)] : []));
  if (!logs.length || [logs, witnesses, ledgers].some((all) => new Set(all).size < all.length)) {
    malformed("There is no log key, or a log key, a witness or a ledger stands twice.");
  }
  if ([...witnesses, ...fileKeys].some((key) => logs.includes(key))) {
    malformed("A log key is also the key of a witness or a ledger.");
  }
  if (trust.quorum > new Set(trust.witnesses.map((witness) => witness.name)).size) {
    malformed("The quorum is larger than the number of witnesses.");
  }
}

// The keys that the trust file lists for a use, named as a listed log and the suffix behind it;
// acceptance-v1 and cose-receipt-v1, section Key.
async function keysFor(trust, use, suffix) {
  const names = trust.logs.map((log) => log.key.name + suffix);
  const logKeys = trust.logs.map((log) => hexOf(log.key.bytes));
  const keys = await under("malformed-trust", () =>
    trust.keys
      .filter((item) => item.use === use)
      .map((item) => keyOf(checkMembers(item, ["key", "use"]).key, KIND_LOG)),
  );
  if (keys.some(({ name, bytes }) => !names.includes(name) || logKeys.includes(hexOf(bytes)))) {
    refuse("malformed-trust", "A key of another use is of no listed log, or is the log's own.");
  }
  if (!keys.length) {
    const facts = { reason: `no-${use}-key` };
    refuse("unknown-signer", "The trust file lists no key of that use.", facts);
  }
  return keys;
}

// ---- Statements, descriptors and runs (statement-v1, descriptor-v1) -----------------------------

async function parseStatement(text) {
  return under("malformed-statement", async () => {
    const members = checkVersion(await readCanonical(text, LIMITS.statement, false), "statement/1");
    const names = ["by", "chain", "dataset", "n", "prev", "received", "source", "type", "v"];
    checkMembers(members, names, ["commitment", "digest", "key", "message", "observed"]);
    if ("digest" in members === "commitment" in members) {
      malformed("Exactly one of digest and commitment must be there.");
    }
    if (checkCount(members.n, "n") === 0 && members.prev !== ZEROS) {
      malformed("At n = 0 prev must be 64 zeros.");
    }
    return {
      by: checkMatch(members.by, BY, "word for the sender"),
      chain: checkCount(members.chain, "chain"),
      dataset: checkId(members.dataset, "dataset"),
      source: checkId(members.source, "source"),
      n: members.n,
      prev: checkHash(members.prev, "prev"),
      received: checkTime(members.received, "received time"),
      type: checkType(members.type),
      isOpen: "digest" in members,
      hash: checkHash(members.digest ?? members.commitment),
      observed: perhaps(members, "observed", checkObserved),
      key: perhaps(members, "key", checkKey),
      message: perhaps(members, "message", checkHash),
    };
  });
}

function checkObserved(value) {
  return checkString(value, "observed time", 64);
}

function checkKey(value) {
  return checkString(value, "key", 128);
}

// The one text of a statement whose members are as `parseStatement` gives them.
function writeStatement(s) {
  const hashed = s.isOpen
    ? `"dataset":"${s.dataset}","digest":"${s.hash}"`
    : `"commitment":"${s.hash}","dataset":"${s.dataset}"`;
  const key = s.key === null ? "" : `,"key":${JSON.stringify(s.key)}`;
  const message = s.message === null ? "" : `,"message":"${s.message}"`;
  const observed = s.observed === null ? "" : `,"observed":${JSON.stringify(s.observed)}`;
  return (
    `{"by":"${s.by}","chain":${s.chain},${hashed}${key}${message},"n":${s.n}${observed},` +
    `"prev":"${s.prev}","received":"${s.received}","source":"${s.source}","type":"${s.type}",` +
    '"v":"statement/1"}'
  );
}

async function parseDescriptor(text) {
  return under("malformed-descriptor", async () => {
    const content = await readCanonical(text, LIMITS.descriptor, false);
    const members = checkVersion(content, "descriptor/1");
    const isVersion = members.kind === "version";
    const names = ["count", "dataset", "first", "kind", "last", "number", "prev", "root", "v"];
    if (isVersion) {
      const optional = ["digest", "commitment", "corrects"];
      checkMembers(members, [...names, "version", "profile"], optional);
    } else {
      checkMembers(members, [...names, "runs"]);
    }
    const descriptor = {
      kind: checkMatch(members.kind, /^(?:records|version)$/, "kind"),
      dataset: checkId(members.dataset, "dataset"),
      number: checkCount(members.number, "number"),
      prev: checkHash(members.prev, "prev"),
      count: checkCount(members.count, "count", isVersion ? 0 : 1),
      root: checkHash(members.root, "root"),
      first: checkTime(members.first, "first received time"),
      last: checkTime(members.last, "last received time"),
      ...(isVersion ? parseVersion(members) : { runs: checkHash(members.runs, "runs") }),
    };
    if (descriptor.number === 0 && descriptor.prev !== ZEROS) {
      malformed("At number 0 prev must be 64 zeros.");
    }
    if (descriptor.last < descriptor.first) {
      malformed("The last received time lies before the first.");
    }
    return descriptor;
  });
}

// What the descriptor of a version has besides; rules 5 to 8.
function parseVersion(members) {
  const version = checkCount(members.version, "version", 1);
  const profile = checkMatch(members.profile, /^(?:csv-v1|ndjson-v1|none)$/, "profile");
  const corrects = perhaps(members, "corrects", (value) => checkCount(value, "corrects", 1));
  if ("digest" in members === "commitment" in members) {
    malformed("Exactly one of digest and commitment must be there.");
  }
  if (profile === "none" && members.count !== 0) {
    malformed("A version without rows has count 0.");
  }
  if (members.count === 0 && members.root !== EMPTY_ROOT) {
    malformed("A version without rows has the empty root.");
  }
  if (corrects !== null && corrects >= version) {
    malformed("A version corrects an earlier one.");
  }
  const hash = checkHash(members.digest ?? members.commitment);
  return { version, profile, corrects, isOpen: "digest" in members, hash };
}

async function parseRun(text) {
  return under("malformed-run", async () => {
    const members = await readCanonical(text, LIMITS.run, false);
    const names = ["chain", "count", "first", "last", "number", "offset", "prev", "tag"];
    checkMembers(members, names);
    for (const name of ["chain", "count", "first", "number", "offset"]) {
      checkCount(members[name], name, name === "count" ? 1 : 0);
    }
    for (const name of ["last", "prev", "tag"]) {
      checkHash(members[name], name);
    }
    if (members.first === 0 && members.prev !== ZEROS) {
      malformed("At n = 0 prev must be 64 zeros.");
    }
    return members;
  });
}

// ---- Receipts: their form (receipt-v1, rules 1 to 9) --------------------------------------------

const MAX_ANCHORS = 1000;
const MAX_ANCHORS_READ = 20;

async function parseReceipt(text) {
  return under("malformed-receipt", async () =>
    receiptFrom(await readCanonical(text, LIMITS.receipt, true)),
  );
}

const COMMON = ["v", "kind", "descriptor", "log", "checkpoint", "anchors"];

function receiptFrom(value) {
  const members = checkVersion(value, "receipt/1");
  const subject = subjectFrom(members);
  const log = checkMembers(members.log, ["index", "path"]);
  return {
    kind: members.kind,
    ...subject,
    descriptor: checkText(members.descriptor),
    index: checkCount(log.index, "index"),
    logPath: checkPath(log.path),
    checkpoint: checkText(members.checkpoint),
    anchors: checkList(members.anchors, MAX_ANCHORS).map(anchorFrom),
    consistency: perhaps(members, "consistency", (part) => {
      checkMembers(part, ["path", "size"]);
      return { size: checkCount(part.size, "size", 1), path: checkPath(part.path) };
    }),
    erased: perhaps(members, "erased", erasedFrom),
  };
}

function subjectFrom(members) {
  if (members.kind === "record") {
    const optional = ["consistency", "erased", "payload", "salt", "tag_salt"];
    checkMembers(members, [...COMMON, "statement", "run", "path"], optional);
    const run = checkMembers(members.run, ["entry", "index", "path", "size"]);
    return {
      statement: checkText(members.statement),
      run: {
        entry: checkText(run.entry),
        index: checkCount(run.index, "index"),
        size: checkCount(run.size, "size", 1),
        path: checkPath(run.path),
      },
      path: checkPath(members.path),
      payload: perhaps(members, "payload", base64From),
      salt: perhaps(members, "salt", checkHash),
      tagSalt: perhaps(members, "tag_salt", checkHash),
    };
  }
  if (members.kind === "row") {
    checkMembers(members, [...COMMON, "row", "path"], ["consistency"]);
    const row = checkMembers(members.row, ["bytes", "number", "salt"]);
    const number = checkCount(row.number, "row number");
    const path = checkPath(members.path);
    return { number, row: base64From(row.bytes), salt: saltFrom(row.salt), path };
  }
  if (members.kind === "file") {
    checkMembers(members, [...COMMON, "file"], ["consistency", "erased"]);
    return { salt: saltFrom(checkMembers(members.file, ["salt"]).salt) };
  }
  return malformed("The kind must be record, row or file.");
}

function base64From(value) {
  return decodeBase64(checkText(value)) ?? malformed("The base64 is not canonical.");
}

function saltFrom(value) {
  return value === "" ? "" : checkHash(value, "salt");
}

function erasedFrom(value) {
  const { at, ground, record } = checkMembers(value, ["at", "ground", "record"]);
  return checkErased(at, ground, record);
}

function checkErased(at, ground, record) {
  return {
    at: checkTime(at, "time of erasure"),
    ground: checkString(ground, "ground", 500),
    record: checkString(record, "record", 500),
  };
}

function anchorFrom(value) {
  checkMembers(value, ["evidence", "kind", "ledger", "path", "root", "size"]);
  if (!(value.evidence instanceof Members)) {
    malformed("The evidence of an anchor must be an object.");
  }
  return {
    ledger: checkId(value.ledger, "ledger"),
    kind: checkId(value.kind, "kind"),
    size: checkCount(value.size, "size", 1),
    root: checkHash(value.root, "root"),
    path: checkPath(value.path),
    evidence: value.evidence,
  };
}

// ---- Receipts as tlog-proofs (tlog-proof-v1) ----------------------------------------------------

const TLOG_PROOF = "c2sp.org/tlog-proof@v1";

// Rules 1 to 6: the receipt that it is, without anchors.
async function parseTlogProof(text) {
  return under("malformed-receipt", async () => {
    const border = text.indexOf("\n\n");
    const lines = text.length > LIMITS.tlogProof ? [] : text.slice(0, border).split("\n");
    const [first, extra = "", place = "", ...hashes] = lines;
    const found = /^index (0|[1-9][0-9]{0,15})$/.exec(place);
    if (border < 0 || first !== TLOG_PROOF || !extra.startsWith("extra ") || !found) {
      malformed("The file is not a tlog-proof with extra data and an index.");
    }
    const path = checkList(hashes, MAX_PATH).map((line) => decodeBase64(line));
    const bytes = decodeBase64(extra.slice("extra ".length));
    if (!bytes || !path.every((hash) => hash?.length === 32)) {
      malformed("Extra data and hashes of 32 bytes are base64.");
    }
    const log = { index: Number(found[1]), path: path.map(hexOf) };
    return receiptFromExtra(decodeUtf8(bytes), log, text.slice(border + 2));
  });
}

// Section Extra: the receipt of which this is what else it holds.
async function receiptFromExtra(extra, log, checkpoint) {
  const members = await readCanonical(extra, LIMITS.extra, false);
  const isRest = members instanceof Members;
  if (!isRest || ["anchors", "checkpoint", "log"].some((name) => name in members)) {
    malformed("The extra data is not the rest of a receipt.");
  }
  return receiptFrom(membersOf({ ...members, anchors: [], checkpoint, log: membersOf(log) }));
}

function membersOf(values) {
  return Object.assign(new Members(), values);
}

// ---- Receipts as COSE receipts (cose-receipt-v1) ------------------------------------------------

const COSE_LABEL = "city-notary/cose-receipt/1";
const RECEIPT_SUFFIX = "/receipts";
const MAX_CBOR_DEPTH = 8;
const [CBOR_UNSIGNED, CBOR_NEGATIVE, CBOR_BYTES, CBOR_TEXT] = [0, 1, 2, 3];
const [CBOR_LIST, CBOR_MAP] = [4, 5];
const CBOR_NULL = 0xf6;

// Reads deterministic CBOR (RFC 8949 section 4.2.1) of as much as rule 1 needs. Maps come as Map;
// an integer that a float can't hold as BigInt.
class CborReader {
  constructor(bytes) {
    this.bytes = bytes;
    this.at = 0;
  }

  document() {
    const value = this.value(0);
    return this.at === this.bytes.length ? value : malformed("Something stands behind the CBOR.");
  }

  value(depth) {
    if (depth > MAX_CBOR_DEPTH) {
      malformed("The CBOR is nested too deeply.");
    }
    if (this.bytes[this.at] === CBOR_NULL) {
      this.at += 1;
      return null;
    }
    const [major, number] = this.head();
    if (major === CBOR_UNSIGNED || major === CBOR_NEGATIVE) {
      const integer = major === CBOR_UNSIGNED ? number : -1n - number;
      return BigInt(Number(integer)) === integer ? Number(integer) : integer;
    }
    const size = Number(number);
    if (size > this.bytes.length - this.at) {
      malformed("The CBOR ends too early.");
    }
    if (major === CBOR_BYTES || major === CBOR_TEXT) {
      this.at += size;
      const bytes = this.bytes.slice(this.at - size, this.at);
      return major === CBOR_BYTES ? bytes : decodeUtf8(bytes);
    }
    return major === CBOR_LIST
      ? Array.from({ length: size }, () => this.value(depth + 1))
      : this.map(size, depth);
  }

  // The major type and the number beside it, in the shortest form.
  head() {
    const first = this.take(1)[0];
    const [major, low] = [first >> 5, first & 31];
    const width = low < 24 ? 0 : 2 ** (low - 24);
    if (major > CBOR_MAP || width > 8) {
      malformed("The CBOR has what doesn't belong here.");
    }
    const number = width ? BigInt(`0x${hexOf(this.take(width))}`) : BigInt(low);
    const least = width === 1 ? 24n : 1n << BigInt(4 * width);
    return width === 0 || number >= least ? [major, number] : malformed("A CBOR head is too long.");
  }

  map(size, depth) {
    const map = new Map();
    let before = "";
    for (let i = 0; i < size; i += 1) {
      const from = this.at;
      const key = this.value(depth + 1);
      const written = hexOf(this.bytes.subarray(from, this.at));
      if (!["number", "bigint", "string"].includes(typeof key) || written <= before) {
        malformed("The keys of a CBOR map don't stand in their order.");
      }
      before = written;
      map.set(key, this.value(depth + 1));
    }
    return map;
  }

  take(size) {
    this.at += size;
    return this.at <= this.bytes.length
      ? this.bytes.subarray(this.at - size, this.at)
      : malformed("The CBOR ends too early.");
  }
}

function readCbor(bytes) {
  return bytes instanceof Uint8Array
    ? new CborReader(bytes).document()
    : malformed("A byte string is expected in the COSE receipt.");
}

// The values of a map that has exactly these keys, in their order here.
function valuesAt(map, ...keys) {
  const isMap = map instanceof Map && map.size === keys.length;
  const isWhole = isMap && keys.every((key) => map.has(key));
  return isWhole ? keys.map((key) => map.get(key)) : malformed("A header has other members.");
}

// Rules 1 to 5: the receipt that it is, without anchors; what else it says in `cose`.
async function parseCoseReceipt(bytes) {
  return under("malformed-receipt", async () => {
    if (bytes.length > LIMITS.tlogProof || !isCose(bytes)) {
      malformed("The file is not a COSE receipt.");
    }
    const parts = readCbor(bytes.subarray(1));
    const [protectedHeader, unprotected, payload, signature] = parts;
    const [alg, keyId, claims, vds] = valuesAt(readCbor(protectedHeader), 1, 4, 15, 395);
    const [issuer, subject] = valuesAt(claims, 1, 2);
    const [proofs, more] = valuesAt(unprotected, 396, COSE_LABEL);
    const [checkpoint, extra] = valuesAt(more, "checkpoint", "extra");
    const [[proof, ...otherProofs]] = valuesAt(proofs, -1).map((list) => checkList(list, 1));
    const [size, index, path, ...rest] = checkList(readCbor(proof), 3);
    const hashes = checkList(path, MAX_PATH);
    const isFit =
      alg === -8 &&
      vds === 1 &&
      payload === null &&
      [keyId, signature, ...hashes].every((part) => part instanceof Uint8Array) &&
      hashes.every((hash) => hash.length === 32) &&
      ["number", "bigint"].includes(typeof size);
    if (!isFit || otherProofs.length || rest.length) {
      malformed("A member of the COSE receipt is not of its form.");
    }
    const log = { index, path: hashes.map(hexOf) };
    const receipt = await receiptFromExtra(checkText(extra), log, checkText(checkpoint));
    const told = { size, issuer: checkText(issuer), subject: checkText(subject) };
    const cose = { ...told, keyId: hexOf(keyId), protectedHeader, signature };
    return { ...receipt, cose };
  });
}

// The two bytes with which one begins: tag 18, and an array of four.
function isCose(bytes) {
  return bytes[0] === 0xd2 && bytes[1] === 0x84;
}

async function checkCoseReceipt(receipt, trust, content, findings) {
  const { size, issuer, subject, keyId, protectedHeader, signature } = receipt.cose;
  // Step 2.
  const proved = await checkReceipt(receipt, trust, content, findings);
  // Step 3.
  const checkpoint = parseCheckpoint(parseNote(receipt.checkpoint).text);
  const { dataset } = await parseDescriptor(receipt.descriptor);
  if (BigInt(size) !== checkpoint.size || issuer !== checkpoint.origin || subject !== dataset) {
    receiptRefused("cose-headers", "The headers speak of another log.");
  }
  // Step 4.
  const keys = await keysFor(trust, "receipt", RECEIPT_SUFFIX);
  const key = keys.find(({ name, id }) => name === issuer + RECEIPT_SUFFIX && id === keyId);
  if (!key) {
    const facts = { reason: "other-receipt-key" };
    refuse("unknown-signer", "The trust file lists another key.", facts);
  }
  if (!(await verifyEd25519(key.bytes, toBeSigned(protectedHeader, checkpoint.root), signature))) {
    refuse("bad-signature", "The signature is not of this root and this key.");
  }
  findings.held("cose", { name: key.name, fingerprint: key.fingerprint });
  return proved;
}

// Sig_structure without external data (RFC 9052 section 4.4): an array of four, the third empty.
function toBeSigned(protectedHeader, root) {
  const context = UTF8.encode("Signature1");
  const parts = [[CBOR_TEXT, context], [CBOR_BYTES, protectedHeader], [CBOR_BYTES, []]];
  parts.push([CBOR_BYTES, bytesOf(root)]);
  const items = parts.map(([major, bytes]) => cborHead(major, bytes.length) + hexOf(bytes));
  return bytesOf(cborHead(CBOR_LIST, parts.length) + items.join(""));
}

// Of less than 2^32, in hexadecimal digits.
function cborHead(major, number) {
  const digits = number.toString(16);
  const width = number < 24 ? 0 : digits.length <= 2 ? 1 : digits.length <= 4 ? 2 : 4;
  const low = width ? 24 + Math.log2(width) : number;
  return HEX[(major << 5) | low] + (width ? digits.padStart(2 * width, "0") : "");
}

// ---- Receipts: what they prove (receipt-v1, steps 1 to 10) --------------------------------------

// The checks that were made, in their order (verdict-v1).
class Findings {
  checks = [];

  held(code, facts) {
    this.checks.push({ code, status: "held", facts });
  }

  ownWord(code, facts) {
    this.checks.push({ code, status: "own-word", facts });
  }

  notChecked(code, facts) {
    this.checks.push({ code, status: "not-checked", facts });
  }
}

// A size that may be larger than a float can hold, as a fact.
function plain(size) {
  return size <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(size) : String(size);
}

function receiptRefused(reason, detail) {
  refuse("receipt-refused", detail, { reason });
}

// `content`: {payload: Blob or null, progress}. What holds is noted in `findings`, else it throws.
async function checkReceipt(receipt, trust, content, findings) {
  const descriptor = await parseDescriptor(receipt.descriptor);
  const check = { record: checkRecord, row: checkRow, file: checkFile }[receipt.kind];
  const { subject, received } = await check(receipt, descriptor, content, findings);
  // Step 7.
  const { checkpoint, log, signed } = await checkCheckpoint(receipt.checkpoint, trust);
  const { origin, size, root } = checkpoint;
  // Step 8.
  const leaf = textLeaf(receipt.descriptor);
  verifyInclusion(leaf, BigInt(receipt.index), size, receipt.logPath, root);
  findings.held("log", { index: receipt.index, size: plain(size) });
  findings.held("checkpoint", { origin, fingerprint: log.key.fingerprint });
  checkGood(checkpoint, log.good, receipt.consistency, trust.quorum, findings);
  // Steps 9 and 10.
  checkWitnesses(signed, trust, received, findings);
  let read = 0;
  for (const anchor of receipt.anchors) {
    verifyInclusion(leaf, BigInt(receipt.index), BigInt(anchor.size), anchor.path, anchor.root);
    read += await checkAnchor(anchor, checkpoint, trust, read === MAX_ANCHORS_READ, findings);
  }
  if (!receipt.anchors.length) {
    findings.notChecked("anchor", { reason: "none" });
  }
  return { kind: receipt.kind, subject, origin, fingerprint: log.key.fingerprint };
}

function noteErased(erased, findings) {
  if (erased) {
    findings.ownWord("erased", { ...erased });
  }
}

// SHA-256 of the salt, perhaps none, and of bytes or a Blob.
async function saltedHash(salt, payload, progress) {
  const hasher = new Sha256().update(bytesOf(salt));
  const blob = payload instanceof Blob ? payload : new Blob([payload]);
  return hashBlob(hasher, blob, payload instanceof Blob ? progress : null);
}

function payloadMismatch(facts) {
  refuse("payload-mismatch", "The payload is not the one that was notarised.", facts);
}

async function checkRecord(receipt, descriptor, content, findings) {
  // Step 2.
  const statement = await parseStatement(receipt.statement);
  const { dataset, source, n, received } = statement;
  const leaf = textLeaf(receipt.statement);
  findings.held("statement", { dataset, source, n });
  // Step 3.
  await checkRecordPayload(receipt, statement, content, findings);
  // Step 4.
  if (descriptor.kind !== "records") {
    receiptRefused("statement-in-version", "The batch is a version's.");
  }
  if (descriptor.dataset !== dataset) {
    receiptRefused("other-dataset", "The batch is of another dataset.");
  }
  if (received < descriptor.first || received > descriptor.last) {
    receiptRefused("outside-times", "The batch is of another time.");
  }
  // Step 5.
  const run = await parseRun(receipt.run.entry);
  const index = checkRun(run, statement, leaf, receipt.tagSalt ?? "", descriptor.count);
  const { entry, size, path } = receipt.run;
  const place = BigInt(receipt.run.index);
  verifyInclusion(textLeaf(entry), place, BigInt(size), path, descriptor.runs);
  const last = plain(BigInt(run.first) + BigInt(run.count) - 1n);
  findings.held("run", { first: run.first, last, chain: run.chain });
  // Step 6.
  verifyInclusion(leaf, index, BigInt(descriptor.count), receipt.path, descriptor.root);
  findings.held("batch", { number: descriptor.number, count: descriptor.count });
  return { subject: recordSubject(statement), received };
}

function recordSubject({ dataset, source, chain, n, received, observed, key, by, type }) {
  return { dataset, source, chain, n, received, observed, key, by, type };
}

async function checkRecordPayload(receipt, statement, content, findings) {
  const { payload, salt, tagSalt, erased } = receipt;
  if (statement.isOpen && (salt !== null || tagSalt !== null)) {
    receiptRefused("salt-in-open", "An open dataset has no salts.");
  }
  if (!statement.isOpen && tagSalt === null) {
    receiptRefused("no-tag-salt", "The salt of the source's tag is missing.");
  }
  if (erased && (payload !== null || salt !== null)) {
    receiptRefused("not-erased", "Payload or salt is called erased, and is there.");
  }
  noteErased(erased, findings);
  for (const given of [payload, content.payload]) {
    if (given !== null) {
      if (!statement.isOpen && salt === null) {
        const reason = erased ? "salt-erased" : "no-salt";
        receiptRefused(reason, "Without its salt no content can be compared.");
      }
      if ((await saltedHash(salt ?? "", given, content.progress)) !== statement.hash) {
        payloadMismatch();
      }
    }
  }
  notePayload(content.payload?.size ?? null, payload?.length ?? null, erased, findings);
}

function notePayload(givenBytes, insideBytes, erased, findings) {
  if (givenBytes !== null) {
    findings.held("payload", { bytes: givenBytes, reason: "given" });
  } else if (insideBytes !== null) {
    findings.held("payload", { bytes: insideBytes, reason: "inside" });
  } else {
    findings.notChecked("payload", { reason: erased ? "erased" : "none" });
  }
}

// The index in the batch at which alone the record may stand.
function checkRun(run, statement, leaf, tagSalt, batchCount) {
  const { dataset, source, chain, prev } = statement;
  const name = UTF8.encode(`${dataset}/${source}`);
  if (sha256(UTF8.encode("tag/1 "), bytesOf(tagSalt), name) !== run.tag) {
    receiptRefused("other-source", "The run is another source's.");
  }
  if (run.chain !== chain) {
    receiptRefused("other-chain", "The run is of another chain.");
  }
  const place = BigInt(statement.n) - BigInt(run.first);
  const count = BigInt(run.count);
  if (place < 0n || place >= count) {
    receiptRefused("outside-run", "The record lies outside its run.");
  }
  if (BigInt(run.offset) + count > BigInt(batchCount)) {
    receiptRefused("run-too-long", "The run reaches beyond the batch.");
  }
  if (place === 0n && prev !== run.prev) {
    receiptRefused("other-prev", "The run's first record is linked elsewhere.");
  }
  if (place === count - 1n && leaf !== run.last) {
    receiptRefused("other-last", "The run's last record is another one.");
  }
  return BigInt(run.offset) + place;
}

async function checkRow(receipt, descriptor, content, findings) {
  // Step 4, then 3 and 2.
  if (descriptor.kind !== "version") {
    receiptRefused("row-in-records", "The batch holds records.");
  }
  if (descriptor.isOpen !== (receipt.salt === "")) {
    receiptRefused("version-salt", "The salt is not of the version's kind.");
  }
  const { row, salt, number } = receipt;
  if (content.payload !== null) {
    const isSameSize = content.payload.size === row.length;
    const given = isSameSize ? new Uint8Array(await content.payload.arrayBuffer()) : null;
    if (!given || !sameBytes(given, row)) {
      payloadMismatch();
    }
    content.progress.step(row.length);
  }
  const reason = content.payload === null ? "inside" : "given";
  findings.held("payload", { bytes: row.length, reason });
  // Step 6.
  const leaf = rowLeaf(descriptor.profile, salt, row);
  verifyInclusion(leaf, BigInt(number), BigInt(descriptor.count), receipt.path, descriptor.root);
  findings.held("row", { number, count: descriptor.count });
  const subject = { ...versionSubject(descriptor), row: number };
  return { subject, received: descriptor.last };
}

function rowLeaf(profile, salt, row) {
  return leafHash(UTF8.encode(`row/1 ${profile}\n`), bytesOf(salt), row);
}

function versionSubject({ dataset, version, corrects, last }) {
  return { dataset, version, corrects, received: last };
}

async function checkFile(receipt, descriptor, content, findings) {
  // Step 4, then 3.
  if (descriptor.kind !== "version") {
    receiptRefused("file-in-records", "The batch holds records.");
  }
  const { salt, erased } = receipt;
  if ((descriptor.isOpen || erased !== null) !== (salt === "")) {
    receiptRefused("version-salt", "The salt is not of the version's kind.");
  }
  noteErased(erased, findings);
  if (content.payload !== null) {
    if (!descriptor.isOpen && salt === "") {
      receiptRefused("salt-erased", "Without its salt no content can be compared.");
    }
    if ((await saltedHash(salt, content.payload, content.progress)) !== descriptor.hash) {
      payloadMismatch();
    }
  }
  notePayload(content.payload?.size ?? null, null, erased, findings);
  return { subject: versionSubject(descriptor), received: descriptor.last };
}

// Step 7: the checkpoint, the log key that counts, and all keys that signed.
async function checkCheckpoint(note, trust) {
  const keys = [...trust.logs.map((log) => log.key), ...trust.witnesses];
  const { checkpoint, signed, text } = await openCheckpoint(note, keys);
  const { origin, size } = checkpoint;
  const serving = trust.logs.filter(
    ({ key, from, to }) =>
      key.name === origin &&
      signed.has(key) &&
      BigInt(from) <= size &&
      (to === null || size <= BigInt(to)),
  );
  if (!serving.length) {
    receiptRefused("size-not-served", "The log key did not serve this size.");
  }
  return { checkpoint, log: serving.find((log) => !log.good) ?? serving[0], signed, text };
}

// Step 8, for a key that was compromised: the checkpoint leads to the last good state.
function checkGood({ size, root }, good, consistency, quorum, findings) {
  if (!good) {
    if (consistency) {
      findings.notChecked("consistency", { size: consistency.size, reason: "no-root" });
    }
    return;
  }
  const goodSize = BigInt(good.size);
  const facts = { size: plain(size), good: good.size };
  if (size === goodSize) {
    if (root !== good.root) {
      receiptRefused("not-good", "The checkpoint is not the last good one.");
    }
    findings.held("consistency", { ...facts, reason: "same" });
  } else if (consistency?.size === good.size) {
    verifyConsistency(size, root, goodSize, good.root, consistency.path);
    findings.held("consistency", { ...facts, reason: "path" });
  } else if (quorum > 0) {
    findings.held("consistency", { ...facts, reason: "quorum" });
  } else {
    receiptRefused("no-consistency", "Nothing leads to the last good state of the log.");
  }
}

// Step 9: how many witnesses signed; the earliest time of each. `signed`: see openNote.
function checkQuorum(signed, trust, findings) {
  const times = new Map();
  for (const [key, { time }] of signed) {
    if (time !== null && !(times.get(key.name) <= time)) {
      times.set(key.name, time);
    }
  }
  if (times.size < trust.quorum) {
    const facts = { got: times.size, want: trust.quorum };
    refuse("quorum-not-met", "Too few of the required witnesses have signed.", facts);
  }
  if (times.size) {
    const names = [...times.keys()].sort((one, two) => (comesBefore(one, two) ? -1 : 1));
    const facts = { count: times.size, want: trust.quorum, names: names.join(", ") };
    findings.held("witnesses", facts);
  } else {
    findings.notChecked("witnesses", { reason: "none" });
  }
  return [...times.values()];
}

// Step 9: the witnesses' time beside the notary's.
function checkWitnesses(signed, trust, received, findings) {
  const times = checkQuorum(signed, trust, findings);
  if (!times.length) {
    findings.ownWord("time", { received, reason: "no-witness" });
    return;
  }
  // Of any `quorum` witnesses one is honest, and its time is at most this one.
  times.sort((one, two) => (one < two ? -1 : 1));
  const seconds = times[Math.max(trust.quorum, 1) - 1];
  const witnessed = formatTime({ seconds: Number(seconds), micros: 0 });
  if (witnessed === null) {
    refuse("bad-signature", "The time of a witness is none.");
  }
  const gap = seconds * 1000000n - inMicros(readTime(received));
  if (gap > -1000000n && gap <= BigInt(trust.delaySeconds) * 1000000n) {
    findings.held("time", { received, witnessed });
  } else {
    findings.ownWord("time", { received, witnessed, reason: "gap" });
  }
}

// Step 10; whether the evidence was read.
async function checkAnchor(anchor, checkpoint, trust, isFull, findings) {
  const { size, root, kind } = anchor;
  if (BigInt(size) === checkpoint.size && root !== checkpoint.root) {
    receiptRefused("fork", "Two roots are given for one size of the log.");
  }
  const ledger = trust.ledgers.find(({ id }) => id === anchor.ledger);
  const facts = { ledger: anchor.ledger, kind, size };
  if (!ledger) {
    findings.notChecked("anchor", { ...facts, reason: "not-in-trust-file" });
  } else if (ledger.kind !== kind) {
    receiptRefused("ledger-kind", "The ledger is of another kind.");
  } else if (kind !== "file") {
    findings.notChecked("anchor", { ...facts, reason: "needs-package" });
  } else if (isFull) {
    findings.notChecked("anchor", { ...facts, reason: "too-many" });
  } else {
    const time = await checkFileLedger(anchor, ledger.key, checkpoint.origin);
    findings.ownWord("anchor", { ...facts, time });
    return true;
  }
  return false;
}

// Section File ledger: the time of the entry.
async function checkFileLedger(anchor, key, origin) {
  let entry;
  try {
    const { note } = checkMembers(anchor.evidence, ["note"]);
    entry = parseEntry((await openNote(checkText(note), [key])).text);
  } catch (error) {
    if (error instanceof Refused) {
      receiptRefused("ledger-evidence", `The file ledger's entry: ${error.facts.detail}`);
    }
    throw error;
  }
  const isOfOrigin = entry.originHash === sha256(UTF8.encode(origin));
  if (!isOfOrigin || entry.size !== anchor.size || entry.root !== anchor.root) {
    receiptRefused("ledger-other", "The entry is another checkpoint's.");
  }
  return entry.time;
}

function parseEntry(text) {
  const lines = text.split("\n");
  if (lines.length !== 8 || lines[0] !== "city-notary/file-ledger/1" || lines[7] !== "") {
    malformed("The text is not an entry of a file ledger.");
  }
  const [, sequence, prev, originHash, size, root, time] = lines;
  checkDecimal(sequence);
  checkHash(prev);
  checkHash(originHash);
  return {
    originHash,
    size: checkDecimal(size),
    root: checkHash(root),
    time: checkTime(time, "time"),
  };
}

function checkDecimal(text) {
  checkMatch(text, /^(?:0|[1-9][0-9]{0,15})$/, "number");
  return checkCount(Number(text), "number");
}

// ---- Windows (window-v1) ------------------------------------------------------------------------

const MAX_RECORDS = 1000000;
const COMPACT = ["d", "r"];
const COMPACT_MORE = ["b", "k", "m", "o", "t"];
const RECORDS_AT_A_TIME = 256;

// Rules 1 to 8: {asked, head, rest, count, receipt, erased, last, lastText, inside}. `rest` stays
// in its compact form, `last` is the last statement.
async function parseWindow(text, progress) {
  return under("malformed-window", async () => {
    const members = await readCanonical(text, LIMITS.window, true);
    checkMembers(members, ["asked", "head", "receipt", "rest", "v"], ["erased"]);
    checkVersion(members, "window/1");
    const rest = checkList(members.rest, MAX_RECORDS - 1);
    const receipt = receiptFrom(members.receipt);
    if (receipt.kind !== "record") {
      malformed("The receipt of a window proves a record.");
    }
    progress.step(text.length);
    const head = await parseStatement(checkText(members.head));
    const asked = askedFrom(members.asked);
    const share = text.length / (rest.length + 1);
    const expanded = await expandAll(head, members.head, rest, asked, () => progress.step(share));
    const count = rest.length + 1;
    const erased = perhaps(members, "erased", (list) => erasedList(list, head.n, count)) ?? [];
    return { asked, head, rest, count, receipt, erased, ...expanded };
  });
}

// Rebuilds the statements, each linked to the one before; {last, lastText, inside}: the last one
// with its text, and which lie in the span that was asked for. None but the last is kept.
async function expandAll(head, headText, rest, asked, step) {
  const inside = { first: null, last: null, count: 0 };
  let [statement, text] = [head, headText];
  let { seconds, micros } = readTime(head.received);
  noteInside(inside, asked, head);
  for (let i = 0; i < rest.length; i += 1) {
    const item = checkMembers(rest[i], COMPACT, COMPACT_MORE);
    const by = perhaps(item, "b", (value) => checkMatch(value, BY, "word for the sender"));
    const type = perhaps(item, "t", checkType);
    if (by === statement.by || type === statement.type) {
      malformed("b and t stand only where they change.");
    }
    // The time of the one before, and so many microseconds.
    const later = micros + (checkCount(item.r, "r") % 1000000);
    seconds += Math.floor(item.r / 1000000) + Math.floor(later / 1000000);
    micros = later % 1000000;
    const received = formatTime({ seconds, micros });
    statement = {
      chain: head.chain,
      dataset: head.dataset,
      source: head.source,
      isOpen: head.isOpen,
      n: checkCount(statement.n + 1, "n"),
      prev: textLeaf(text),
      received: received ?? malformed("The received time is out of range."),
      by: by ?? statement.by,
      type: type ?? statement.type,
      hash: hashFrom(item.d),
      observed: perhaps(item, "o", checkObserved),
      key: perhaps(item, "k", checkKey),
      message: perhaps(item, "m", hashFrom),
    };
    text = writeStatement(statement);
    noteInside(inside, asked, statement);
    step();
    if (i % RECORDS_AT_A_TIME === 0) {
      await breathe();
    }
  }
  return { last: statement, lastText: text, inside };
}

function noteInside(inside, { by, from, to }, statement) {
  const value = statement[by];
  const isInside =
    by === "observed"
      ? value !== null && !comesBefore(value, from) && comesBefore(value, to)
      : from <= value && value < to;
  if (isInside) {
    inside.first ??= statement.n;
    inside.last = statement.n;
    inside.count += 1;
  }
}

// Rule 3: 32 bytes in base64url without padding.
function hashFrom(value) {
  const isFit = typeof value === "string" && value.length === 43;
  const bytes = isFit ? decodeDigits(value, BASE64URL_VALUES) : null;
  return bytes ? hexOf(bytes) : malformed("A hash must be 43 characters of base64url.");
}

// Rule 6.
function askedFrom(value) {
  const { by, from, to } = checkMembers(value, ["by", "from", "to"]);
  const checks = {
    n: (end) => checkCount(end, "end"),
    received: (end) => checkTime(end, "end"),
    observed: (end) => checkString(end, "end", 64),
  };
  if (typeof by !== "string" || !Object.hasOwn(checks, by)) {
    malformed("asked.by must be n, received or observed.");
  }
  checks[by](from);
  checks[by](to);
  const isBefore = by === "observed" ? comesBefore(from, to) : from < to;
  return isBefore ? { by, from, to } : malformed("asked.from must lie before asked.to.");
}

// Rule 8.
function erasedList(value, first, count) {
  const list = checkList(value, count).map((item) => {
    const { n, at, ground, record } = checkMembers(item, ["n", "at", "ground", "record"]);
    return { ...checkErased(at, ground, record), n: checkCount(n, "n") };
  });
  const numbers = [first - 1, ...list.map(({ n }) => n), first + count];
  if (!list.length || numbers.some((n, i) => i > 0 && n <= numbers[i - 1])) {
    malformed("erased lists at least one of the records carried, and each once.");
  }
  return list;
}

async function checkWindow(window, trust, content, findings) {
  const { asked, head, last, receipt, inside } = window;
  // Step 2.
  if (receipt.statement !== window.lastText) {
    const facts = { reason: "broken-chain" };
    refuse("malformed-window", "The chain doesn't lead to the receipt.", facts);
  }
  // Step 3.
  const nothing = { payload: null, progress: content.progress };
  const proved = await checkReceipt(receipt, trust, nothing, findings);
  // Step 4.
  const isCut =
    (asked.by === "n" && head.n > asked.from) ||
    (asked.by === "received" && head.received >= asked.from);
  if (head.n > 0 && isCut) {
    const facts = { reason: "no-start" };
    refuse("malformed-window", "Records before the first may be asked for.", facts);
  }
  // Step 5.
  const checked = content.payload === null ? 0 : await checkLines(window, content);
  const isOpenEnd =
    asked.by === "observed" ||
    (asked.by === "n" ? last.n < asked.to - 1 : last.received < asked.to);
  const ofReceipt = { kind: proved.kind, subject: proved.subject, checks: findings.checks };
  findings.checks = [];
  noteWindow(window, isOpenEnd, checked, findings);
  findings.checks.push(...ofReceipt.checks);
  return {
    ...proved,
    kind: "window",
    subject: {
      dataset: head.dataset,
      source: head.source,
      chain: head.chain,
      first: head.n,
      last: last.n,
      asked_first: inside.first,
      asked_last: inside.last,
      asked_count: inside.count,
      open_end: isOpenEnd,
      payloads_checked: checked,
    },
    receipt: ofReceipt,
  };
}

function noteWindow(window, isOpenEnd, checked, findings) {
  const { asked, head, last, count, inside } = window;
  const { dataset, source, chain, n } = head;
  findings.held("window", { dataset, source, chain, first: n, last: last.n, count });
  const span = { from: asked.from, to: asked.to, count: inside.count };
  const ends = inside.count ? { first: inside.first, last: inside.last } : {};
  if (asked.by === "observed") {
    findings.ownWord("asked", { ...span, ...ends, reason: "observed" });
  } else if (inside.count) {
    findings.held("asked", { ...span, ...ends, reason: asked.by });
  } else {
    findings.held("asked", { ...span, reason: "none" });
  }
  if (isOpenEnd && asked.by !== "observed") {
    findings.notChecked("window-end", { last: last.n });
  }
  if (checked) {
    findings.held("payloads", { count: checked, of: count });
  } else {
    findings.notChecked("payloads", { reason: "none" });
  }
  for (const item of window.erased) {
    findings.ownWord("erased", item);
  }
}

// Step 5: the payloads, a line for each record; how many were there.
async function checkLines({ head, rest, count }, { payload, progress }) {
  let [place, checked] = [0, 0];
  for await (const line of linesOf(payload, progress)) {
    if (place >= count) {
      payloadMismatch({ reason: "too-many" });
    }
    const n = head.n + place;
    const opened = parseLine(line);
    if (opened?.n !== n) {
      const facts = { role: "payload", line: place + 1, n };
      unusable("payloads-line", "This is not the line of that record.", facts);
    }
    if (opened.payload !== null) {
      const { salt } = opened;
      const isSaltFit = head.isOpen ? salt === null : salt?.length === 64;
      const wanted = place ? hashFrom(rest[place - 1].d) : head.hash;
      if (!isSaltFit || sha256(bytesOf(salt ?? ""), opened.payload) !== wanted) {
        const blob = new Blob([opened.payload]);
        payloadMismatch({ n, ...(await ledBack(wanted, salt ?? "", blob, progress)) });
      }
      checked += 1;
    }
    place += 1;
  }
  if (place < count) {
    payloadMismatch({ reason: "too-few" });
  }
  return checked;
}

// {n, payload, salt} of a line, or null. A salt of another length than 32 bytes fits no record.
function parseLine(line) {
  let members;
  try {
    members = JSON.parse(decodeUtf8(line));
  } catch {
    return null;
  }
  const names = members !== null && typeof members === "object" ? Object.keys(members) : [];
  const { n, payload, salt = null } = members ?? {};
  const isKnown = names.every((name) => ["n", "payload", "salt"].includes(name));
  const isSalt = salt === null || (typeof salt === "string" && /^(?:[0-9a-f]{2})*$/.test(salt));
  if (!isKnown || !isSalt || !names.includes("payload")) {
    return null;
  }
  const bytes = typeof payload === "string" ? decodeBase64(payload) : null;
  return bytes === null && payload !== null ? null : { n, payload: bytes, salt };
}

// The lines of a Blob as bytes, without their ends; the last one may end with the Blob.
async function* linesOf(blob, progress) {
  let held = new Uint8Array(0);
  for await (const piece of piecesOf(blob, progress)) {
    const data = new Uint8Array(held.length + piece.length);
    data.set(held);
    data.set(piece, held.length);
    let [from, end] = [0, data.indexOf(10, held.length)];
    while (end >= 0) {
      yield data.subarray(from, end);
      await breathe();
      from = end + 1;
      end = data.indexOf(10, from);
    }
    held = data.slice(from);
    if (held.length > LIMITS.line) {
      const facts = { role: "payload", limit: LIMITS.line };
      unusable("too-large", "A line of the file is too long.", facts);
    }
  }
  if (held.length) {
    yield held;
  }
}

// ---- Signed acceptances (acceptance-v1) ---------------------------------------------------------

const ACCEPTANCE_SUFFIX = "/acceptances";
const MAX_LEAVES = 2 ** 24;

// Rules 1 to 6.
async function parseAcceptance(text) {
  return under("malformed-acceptance", async () => {
    const content = await readCanonical(text, LIMITS.acceptance, true);
    const members = checkVersion(content, "acceptance/1");
    checkMembers(members, ["index", "note", "path", "statement", "v"], ["salt"]);
    return {
      statement: checkText(members.statement),
      index: checkCount(members.index, "index"),
      path: checkPath(members.path),
      note: members.note,
      promise: parsePromise(parseNote(checkText(members.note)).text),
      salt: perhaps(members, "salt", checkHash),
    };
  });
}

function parsePromise(text) {
  const lines = text.split("\n");
  if (lines.length !== 6 || lines[0] !== "city-notary/acceptance/1" || lines[5] !== "") {
    malformed("The note is not the promise of an acceptance.");
  }
  const [, origin, size, root, sealedBy] = lines;
  checkMatch(size, /^[1-9][0-9]{0,7}$/, "number of leaves");
  return {
    origin: checkName(origin),
    size: Number(size) <= MAX_LEAVES ? Number(size) : malformed("There are too many leaves."),
    root: checkHash(root, "root"),
    sealedBy: checkTime(sealedBy, "time of sealing"),
  };
}

function acceptanceRefused(reason, detail) {
  refuse("acceptance-refused", detail, { reason });
}

async function checkAcceptance(acceptance, trust, content, findings) {
  const { promise, salt } = acceptance;
  // Step 1.
  const statement = await parseStatement(acceptance.statement);
  if (statement.isOpen && salt !== null) {
    acceptanceRefused("salt-in-open", "An open dataset has no salts.");
  }
  // Step 2.
  const keys = await keysFor(trust, "acceptance", ACCEPTANCE_SUFFIX);
  const { signed } = await openNote(acceptance.note, keys);
  const [key] = signed.keys();
  if (key.name !== promise.origin + ACCEPTANCE_SUFFIX) {
    acceptanceRefused("other-origin", "The key is another log's.");
  }
  // Step 3.
  const leaf = textLeaf(acceptance.statement);
  const size = BigInt(promise.size);
  verifyInclusion(leaf, BigInt(acceptance.index), size, acceptance.path, promise.root);
  // Step 4.
  if (promise.sealedBy < statement.received) {
    acceptanceRefused("no-time", "It should have been sealed before it came.");
  }
  const { dataset, source, n, received } = statement;
  findings.held("statement", { dataset, source, n });
  // Step 5.
  if (content.payload !== null) {
    if (!statement.isOpen && salt === null) {
      acceptanceRefused("no-salt", "Without its salt no content can be compared.");
    }
    if ((await saltedHash(salt ?? "", content.payload, content.progress)) !== statement.hash) {
      payloadMismatch();
    }
  }
  notePayload(content.payload?.size ?? null, null, null, findings);
  const { origin, sealedBy } = promise;
  findings.held("promise", { sealed_by: sealedBy, origin, count: promise.size });
  findings.ownWord("time", { received, reason: "no-witness" });
  findings.notChecked("log", { sealed_by: sealedBy, reason: "promise" });
  const subject = { ...recordSubject(statement), sealed_by: sealedBy };
  return { kind: "acceptance", subject, origin, fingerprint: key.fingerprint };
}

// ---- Two checkpoints (consistency-v1, fork-v1) --------------------------------------------------

// Rules 1 to 4 of both: {first, second, path}, the members being named as `names` say.
function pairParser(version, names) {
  const code = `malformed-${version.split("/")[0]}`;
  return async (text) =>
    under(code, async () => {
      const members = await readCanonical(text, LIMITS.pair, true);
      checkVersion(checkMembers(members, [...names, "path", "v"]), version);
      const [first, second] = names.map((name) => checkText(members[name]));
      return { first, second, path: checkPath(members.path) };
    });
}

// Both checkpoints, each signed by a key of the log; steps 2 and 3 of both pages.
async function openPair({ first, second }, trust, refusedCode) {
  const one = await checkCheckpoint(first, trust);
  const two = await checkCheckpoint(second, trust);
  if (one.checkpoint.origin !== two.checkpoint.origin) {
    refuse(refusedCode, "The checkpoints are two logs'.", { reason: "other-origin" });
  }
  return [one, two];
}

function pairSubject(one, two, names) {
  const [first, second] = names;
  return {
    [first]: plain(one.size),
    [`${first}_root`]: one.root,
    [second]: plain(two.size),
    [`${second}_root`]: two.root,
  };
}

async function checkConsistencyFile(proof, trust, content, findings) {
  const [old, grown] = await openPair(proof, trust, "consistency-refused");
  // Step 4.
  const [before, after] = [old.checkpoint, grown.checkpoint];
  checkGrowth(old, grown, proof.path);
  findings.held("grown", { old: plain(before.size), new: plain(after.size) });
  const { fingerprint } = grown.log.key;
  findings.held("checkpoint", { origin: after.origin, fingerprint });
  // Steps 5 and 6.
  checkGood(after, grown.log.good, null, trust.quorum, findings);
  checkQuorum(grown.signed, trust, findings);
  const subject = pairSubject(before, after, ["old", "new"]);
  return { kind: "consistency", subject, origin: after.origin, fingerprint };
}

// The path leads from one checkpoint to the other, or the two prove a fork.
function checkGrowth(old, grown, path) {
  const [before, after] = [old.checkpoint, grown.checkpoint];
  if (before.size === after.size && before.root !== after.root) {
    refuseForked(old, grown, []);
  }
  try {
    verifyConsistency(before.size, before.root, after.size, after.root, path);
  } catch (error) {
    if (error instanceof Refused && error.code === "root-mismatch") {
      refuseForked(old, grown, path);
    }
    throw error;
  }
}

// Refuses with the proof that the log was forked, where path and checkpoints are one.
function refuseForked(one, two, path) {
  try {
    checkContradiction(one.checkpoint, two.checkpoint, path);
  } catch (error) {
    if (error instanceof Refused && ["malformed-proof", "root-mismatch"].includes(error.code)) {
      return;
    }
    throw error;
  }
  checkAccusable(one, two);
  const notes = { one: bareNote(one), path, two: bareNote(two), v: "fork/1" };
  const sizes = { one: plain(one.checkpoint.size), two: plain(two.checkpoint.size) };
  const facts = { fork: JSON.stringify(notes), origin: one.checkpoint.origin, ...sizes };
  refuse("log-forked", "The log signed two states that contradict each other.", facts);
}

// The note with the log's own signature lines alone: others could spoil it.
function bareNote({ checkpoint, text, signed }) {
  const lines = [...signed].filter(([key]) => key.name === checkpoint.origin);
  return `${text}\n${lines.map(([, { line }]) => `${line}\n`).join("")}`;
}

async function checkFork(fork, trust, content, findings) {
  const [one, two] = await openPair(fork, trust, "fork-refused");
  // Steps 4 and 5.
  checkAccusable(one, two);
  checkContradiction(one.checkpoint, two.checkpoint, fork.path);
  const { origin } = two.checkpoint;
  const { fingerprint } = two.log.key;
  const subject = pairSubject(one.checkpoint, two.checkpoint, ["one", "two"]);
  const reason = one.checkpoint.size === two.checkpoint.size ? "size" : "grown";
  findings.held("checkpoint", { origin, fingerprint });
  findings.held("fork", { ...subject, reason });
  return { kind: "fork", subject, origin, fingerprint };
}

// A thief of a log's key must not be able to accuse the log.
function checkAccusable(...both) {
  for (const { checkpoint, log } of both) {
    const { good } = log;
    if (good && (checkpoint.size !== BigInt(good.size) || checkpoint.root !== good.root)) {
      refuse("fork-refused", "A thief of the key may have signed it.", { reason: "compromised" });
    }
  }
}

function checkContradiction(one, two, path) {
  let contradicts = one.root !== two.root;
  if (one.size !== two.size || path.length) {
    checkProof([one.root, two.root], path, [one.size, two.size]);
    if (one.size < 1n || one.size >= two.size) {
      malformedProof("The sizes do not fit together.");
    }
    const [old, grown] = rootsFromPath(one.size, two.size, path);
    compareRoots(grown, two.root);
    contradicts = old !== one.root;
  }
  if (!contradicts) {
    refuse("fork-refused", "One log can have both checkpoints.", { reason: "no-fork" });
  }
}

// ---- Rows of a table (rows-v1) ------------------------------------------------------------------

const [LF, CR, QUOTE, COMMA] = [10, 13, 34, 44];
const MAX_CELLS = 65536;
const BLANKS = [32, 9, LF, CR];
const BOM = Uint8Array.of(0xef, 0xbb, 0xbf);

function refuseRows(reason, row, offset) {
  refuse("malformed-rows", `Row ${row}, at byte ${offset}: ${reason}`, { reason, row, offset });
}

function joined(one, two) {
  const bytes = new Uint8Array(one.length + two.length);
  bytes.set(one);
  bytes.set(two, one.length);
  return bytes;
}

// The rows of a file that comes in pieces, a list for each piece.
export async function* cutRows(profile, pieces) {
  if (profile === "none") {
    return;
  }
  const cutter = profile === "csv-v1" ? new CsvCutter() : new JsonCutter();
  let front = new Uint8Array(0);
  for await (const piece of pieces) {
    if (front === null) {
      yield cutter.feed(piece);
      continue;
    }
    front = joined(front, piece);
    if (front.length >= BOM.length) {
      yield cutter.feed(cutter.skipBom(front));
      front = null;
    }
  }
  const rest = front === null ? [] : await cutter.feed(cutter.skipBom(front));
  yield [...rest, ...(await cutter.finish())];
}

class Cutter {
  row = 0;
  offset = 0;

  // What follows the mark at the beginning of a file; rule 2.
  skipBom(bytes) {
    if (!sameBytes(bytes.subarray(0, BOM.length), BOM)) {
      return bytes;
    }
    this.offset += BOM.length;
    return bytes.subarray(BOM.length);
  }
}

const [AT_START, IN_PLAIN, IN_QUOTES] = [0, 1, 2];
const [BEHIND_QUOTE, BEHIND_CR, BEHIND_QUOTE_CR] = [3, 4, 5];
// The faults of a state, where anything but a line feed follows, and where the file ends.
const CR_FAULTS = [null, null, null, null, "lone-cr", "text-after-quote"];
const END_FAULTS = [null, null, "open-quote", null, "lone-cr", "text-after-quote"];

// Section csv-v1, byte by byte.
class CsvCutter extends Cutter {
  #state = AT_START;
  #start = null;
  #mark = 0;
  #cells = 0;
  #row = new Uint8Array(4096);
  #used = 4;
  #cell = 0;
  #utf8 = new Utf8Watch();

  feed(bytes) {
    const rows = [];
    for (const byte of bytes) {
      this.#start ??= this.offset;
      const fault = this.#utf8.step(byte, this.offset);
      if (fault !== null) {
        this.#refuse("not-utf-8", fault);
      }
      if (this.#step(byte)) {
        rows.push(this.#end());
      }
      this.offset += 1;
    }
    return rows;
  }

  finish() {
    if (this.#start === null) {
      return [];
    }
    if (this.#utf8.start !== null) {
      this.#refuse("not-utf-8", this.#utf8.start);
    }
    this.#refuseIn(END_FAULTS);
    this.#endCell();
    return [this.#end()];
  }

  // Takes a byte; whether it ends a record.
  #step(byte) {
    const state = this.#state;
    if (byte === LF && state !== IN_QUOTES) {
      this.#endCell();
      return true;
    }
    this.#refuseIn(CR_FAULTS);
    if (byte === CR && state !== IN_QUOTES) {
      this.#mark = this.offset;
      this.#state = state === BEHIND_QUOTE ? BEHIND_QUOTE_CR : BEHIND_CR;
      return false;
    }
    if (this.offset - this.#start >= LIMITS.row) {
      this.#refuse("row-too-large", this.#start);
    }
    if (byte === COMMA && state !== IN_QUOTES) {
      this.#endCell();
      this.#state = AT_START;
    } else if (byte === QUOTE && state !== IN_QUOTES) {
      this.#openQuotes(state);
    } else if (byte === QUOTE) {
      this.#state = BEHIND_QUOTE;
    } else if (state === BEHIND_QUOTE) {
      this.#refuse("text-after-quote", this.offset);
    } else if (byte === 0) {
      this.#refuse("nul", this.offset);
    } else {
      this.#state = state === AT_START ? IN_PLAIN : state;
      this.#put(byte);
    }
    return false;
  }

  // A quote that begins a cell, or the second one of two within quotes.
  #openQuotes(state) {
    if (state === IN_PLAIN) {
      this.#refuse("quote-inside", this.offset);
    } else if (state === BEHIND_QUOTE) {
      this.#put(QUOTE);
    } else {
      this.#mark = this.offset;
    }
    this.#state = IN_QUOTES;
  }

  #put(byte) {
    if (this.#used === this.#row.length) {
      this.#row = joined(this.#row, new Uint8Array(this.#row.length));
    }
    this.#row[this.#used] = byte;
    this.#used += 1;
  }

  // Writes the length of the cell before it, and leaves room for that of the next one.
  #endCell() {
    this.#cells += 1;
    if (this.#cells > MAX_CELLS) {
      this.#refuse("too-many-cells", this.#start);
    }
    const length = this.#used - this.#cell - 4;
    new DataView(this.#row.buffer).setUint32(this.#cell, length);
    this.#cell = this.#used;
    for (let i = 0; i < 4; i += 1) {
      this.#put(0);
    }
  }

  // The row that is whole, and the beginning of the next one.
  #end() {
    const row = this.#row.slice(0, this.#cell);
    [this.#state, this.#start, this.#cells, this.#used, this.#cell] = [AT_START, null, 0, 4, 0];
    this.row += 1;
    return row;
  }

  #refuseIn(faults) {
    const reason = faults[this.#state];
    if (reason !== null) {
      this.#refuse(reason, this.#mark);
    }
  }

  #refuse(reason, offset) {
    refuseRows(reason, this.row, offset);
  }
}

// UTF-8 (RFC 3629 section 4), byte by byte.
class Utf8Watch {
  start = null;
  #left = 0;
  #low = 0x80;
  #high = 0xbf;

  // Takes a byte; the offset at which a sequence begins that is none, else null.
  step(byte, offset) {
    if (this.start === null) {
      if (byte < 0x80) {
        return null;
      }
      this.#left = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
      this.#low = byte === 0xe0 ? 0xa0 : byte === 0xf0 ? 0x90 : 0x80;
      this.#high = byte === 0xed ? 0x9f : byte === 0xf4 ? 0x8f : 0xbf;
      this.start = offset;
      return byte < 0xc2 || byte > 0xf4 ? offset : null;
    }
    if (byte < this.#low || byte > this.#high) {
      return this.start;
    }
    [this.#low, this.#high] = [0x80, 0xbf];
    this.#left -= 1;
    this.start = this.#left ? this.start : null;
    return null;
  }
}

// Section ndjson-v1: lines, or the elements of one array.
class JsonCutter extends Cutter {
  #held = new Uint8Array(0);
  #seen = 0;
  #isArray = null;
  #isOver = false;
  #count = 0;
  #depth = 0;
  #inString = false;
  #isEscaped = false;

  async feed(bytes) {
    this.#held = joined(this.#held, bytes);
    if (this.#isArray === null) {
      this.#dropBlanks();
      if (!this.#held.length) {
        return [];
      }
      this.#isArray = this.#held[0] === 0x5b;
      this.#drop(this.#isArray ? 1 : 0);
    }
    const rows = await (this.#isArray ? this.#elements() : this.#lines());
    this.#dropBlanks();
    if (this.#isOver && this.#held.length) {
      this.#refuse("after-array", 0);
    }
    if (this.#held.length > LIMITS.row) {
      this.#refuse("row-too-large", 0);
    }
    return rows;
  }

  async finish() {
    if (this.#isArray && !this.#isOver) {
      this.#refuse("open-array", 0);
    }
    return this.#isArray ? [] : this.#value(0, this.#held.length);
  }

  async #lines() {
    const rows = [];
    let from = 0;
    for (let end; (end = this.#held.indexOf(LF, Math.max(from, this.#seen))) >= 0; from = end + 1) {
      rows.push(...(await this.#value(from, end)));
    }
    this.#drop(from);
    this.#seen = this.#held.length;
    return rows;
  }

  async #elements() {
    const rows = [];
    let from = 0;
    let at = this.#seen;
    for (; at < this.#held.length && !this.#isOver; at += 1) {
      const mark = this.#markAt(at);
      if (mark !== null) {
        if (mark === "}") {
          this.#refuse("not-json", from);
        }
        const found = await this.#value(from, at);
        if (!found.length && (mark === "," || this.#count)) {
          this.#refuse("not-json", from);
        }
        rows.push(...found);
        this.#count += found.length;
        this.#isOver = mark === "]";
        from = at + 1;
      }
    }
    this.#drop(from);
    this.#seen = at - from;
    return rows;
  }

  // A comma or a closing bracket outside of all values, else null.
  #markAt(at) {
    const mark = String.fromCharCode(this.#held[at]);
    if (this.#inString) {
      this.#inString = mark !== '"' || this.#isEscaped;
      this.#isEscaped = mark === "\\" && !this.#isEscaped;
      return null;
    }
    this.#inString = mark === '"';
    if (this.#depth === 0 && ",]}".includes(mark)) {
      return mark;
    }
    this.#depth += "[{".includes(mark) ? 1 : "]}".includes(mark) ? -1 : 0;
    return null;
  }

  // The row between two places, or none where there are blanks alone; rules 3 and 4.
  async #value(from, end) {
    let [first, last] = [from, end];
    while (first < last && BLANKS.includes(this.#held[first])) {
      first += 1;
    }
    if (last - first > LIMITS.row) {
      this.#refuse("row-too-large", first);
    }
    while (last > first && BLANKS.includes(this.#held[last - 1])) {
      last -= 1;
    }
    if (first === last) {
      return [];
    }
    const row = this.#held.slice(first, last);
    const reason = await faultOfValue(row);
    if (reason !== null) {
      this.#refuse(reason, first);
    }
    this.row += 1;
    return [row];
  }

  #dropBlanks() {
    let size = 0;
    while (size < this.#held.length && BLANKS.includes(this.#held[size])) {
      size += 1;
    }
    this.#drop(size);
  }

  #drop(size) {
    this.#held = this.#held.slice(size);
    this.#seen = Math.max(0, this.#seen - size);
    this.offset += size;
  }

  #refuse(reason, at) {
    refuseRows(reason, this.row, this.offset + at);
  }
}

// Why these bytes are no value of ndjson-v1, or null.
async function faultOfValue(bytes) {
  let text;
  try {
    text = decodeUtf8(bytes);
  } catch {
    return "not-utf-8";
  }
  try {
    await new RowReader(text).document();
    return null;
  } catch (error) {
    if (error instanceof Refused) {
      return error.facts.reason ?? "not-json";
    }
    throw error;
  }
}

const MAX_DIGITS = 400;
const NO_NUMBER = /NaN|-?Infinity/y;

// JSON of others, strict where its readers disagree (rule 4); any spelling will do.
class RowReader extends JsonReader {
  maxDepth = 1000;

  word() {
    NO_NUMBER.lastIndex = this.at;
    if (NO_NUMBER.test(this.text)) {
      malformed("That is no number of JSON.", { reason: "bad-value" });
    }
    return super.word();
  }

  checkName() {}

  checkString(value) {
    if (value.includes("\0")) {
      malformed("A string holds U+0000.", { reason: "bad-value" });
    }
  }

  number(token) {
    if (token.length > MAX_DIGITS || !Number.isFinite(Number(token))) {
      malformed("A number is too long or too large.", { reason: "bad-value" });
    }
    return 0;
  }

  reasonOf(reason) {
    return reason;
  }
}

// The root over leaves that come one after the other; whole subtrees alone are kept.
class GrowingRoot {
  size = 0;
  #subtrees = [];

  add(leaf) {
    let node = leaf;
    for (let rest = this.size; rest % 2; rest = Math.floor(rest / 2)) {
      node = nodeHash(this.#subtrees.pop(), node);
    }
    this.#subtrees.push(node);
    this.size += 1;
  }

  root() {
    const join = (right, left) => nodeHash(left, right);
    return this.size ? this.#subtrees.reduceRight(join) : EMPTY_ROOT;
  }
}

// ---- Copies: the same content in other bytes (resaved) ------------------------------------------

const GB18030_BOM = Uint8Array.of(0x84, 0x31, 0x95, 0x33);
const ENDS = ["", "lines-were-lf", "lines-were-crlf", "lines-were-cr", "lines-were-crlf-lf"];
const CRLF_BYTES = Uint8Array.of(CR, LF);
const LF_BYTES = Uint8Array.of(LF);
const CR_BYTES = Uint8Array.of(CR);
const WRITINGS = [
  { word: null, bom: BOM, reader: null, write: null },
  { word: "gb18030", bom: BOM, reader: "gb18030", write: (text) => UTF8.encode(text) },
  { word: "utf-8", bom: GB18030_BOM, reader: "utf-8", write: encodeGb18030 },
];

// What was done to the original so that this copy came of it, in words, or null; rules 2 to 7.
// `wanted` is SHA-256(salt || original).
export async function leadBack(wanted, salt, copy, progress) {
  for (const writing of WRITINGS) {
    const tries = new Tries(bytesOf(salt), writing.bom);
    progress?.expect(copy.size);
    const isWritten = await ifReadable(async () => {
      for await (const piece of writtenAs(writing, copy, progress)) {
        tries.add(piece);
      }
    });
    const words = isWritten ? tries.find(wanted) : null;
    if (words) {
      return writing.word ? [writing.word, ...words] : words;
    }
  }
  return null;
}

// Whether all of it could be read, written and cut.
async function ifReadable(read) {
  try {
    return (await read()) ?? true;
  } catch (error) {
    if (error instanceof Refused) {
      return false;
    }
    throw error;
  }
}

// The pieces of a copy, read and written again as a writing says. Refuses where that can't be.
async function* writtenAs({ reader, write }, copy, progress) {
  if (reader === null) {
    yield* piecesOf(copy, progress);
    return;
  }
  const decoder = new TextDecoder(reader, { fatal: true, ignoreBOM: true });
  for await (const piece of piecesOf(copy, progress)) {
    yield write(decodedBy(decoder, piece, true));
  }
  yield write(decodedBy(decoder, new Uint8Array(0), false));
}

function decodedBy(decoder, bytes, stream) {
  try {
    return decoder.decode(bytes, { stream });
  } catch {
    return malformed("The bytes are not of that encoding.");
  }
}

// A hash for each way that line ends, BOM and the last line end may have been. Ways of line ends
// that gave the same bytes so far share their two hashers: without a BOM, and with one.
class Tries {
  #bom;
  #start = new Uint8Array(0);
  #hasBom = false;
  #groups;
  #held = new Uint8Array(0);
  #firstEnd = null;
  #isInQuotes = false;

  constructor(salt, bom) {
    this.#bom = bom;
    const hashers = [new Sha256().update(salt), new Sha256().update(salt).update(bom)];
    this.#groups = [{ ways: [...ENDS.keys()], hashers }];
  }

  add(piece) {
    if (this.#start === null) {
      this.#addBody(piece);
      return;
    }
    this.#start = joined(this.#start, piece);
    if (this.#start.length >= this.#bom.length) {
      this.#begin();
    }
  }

  // Rule 3.
  #begin() {
    const bytes = this.#start;
    this.#start = null;
    this.#hasBom = sameBytes(bytes.subarray(0, this.#bom.length), this.#bom);
    this.#addBody(this.#hasBom ? bytes.subarray(this.#bom.length) : bytes);
  }

  // The line end that comes last is held back: it may be half of one, or the last of all.
  #addBody(piece) {
    const data = joined(this.#held, piece);
    const size = data.length;
    const isCrLf = size > 1 && data[size - 2] === CR && data[size - 1] === LF;
    const endSize = isCrLf ? 2 : size && [LF, CR].includes(data[size - 1]) ? 1 : 0;
    this.#held = data.slice(size - endSize);
    this.#hash(data.subarray(0, size - endSize));
  }

  // Rule 4.
  #hash(body) {
    const ended = new Ended(body, this.#isInQuotes);
    this.#isInQuotes = ended.isInQuotes;
    this.#firstEnd ??= ended.firstEnd;
    const written = [body, ended.plain, ended.crlf, ended.cr, ended.mixed];
    this.#groups = this.#groups.flatMap((group) => partGroup(group, written));
    for (const { ways, hashers } of this.#groups) {
      hashers.forEach((hasher) => hasher.update(written[ways[0]]));
    }
  }

  // The words of the first way that leads to this hash, or null; rules 5 to 7.
  find(wanted) {
    if (this.#start !== null) {
      this.#begin();
    }
    const isEnded = this.#held.length > 0;
    const asItIs = isEnded ? this.#held : (this.#firstEnd ?? LF_BYTES);
    const mixed = this.#isInQuotes ? LF_BYTES : CRLF_BYTES;
    const lastEnds = [asItIs, LF_BYTES, CRLF_BYTES, CR_BYTES, mixed];
    for (let i = 0; i < ENDS.length; i += 1) {
      const lines = ENDS[i] ? [ENDS[i]] : [];
      const { hashers } = this.#groups.find(({ ways }) => ways.includes(i));
      for (const withBom of [this.#hasBom, !this.#hasBom]) {
        const bom = withBom === this.#hasBom ? [] : [withBom ? "bom-removed" : "bom-added"];
        const without = hashers[Number(withBom)];
        const ended = without.copy().update(lastEnds[i]);
        const [same, other] = isEnded ? [ended, without.copy()] : [without.copy(), ended];
        if (same.copy().hex() === wanted) {
          return [...lines, ...bom];
        }
        if (other.copy().hex() === wanted) {
          return [...lines, ...bom, isEnded ? "end-added" : "end-removed"];
        }
      }
    }
    return null;
  }
}

// The groups into which one falls by what its ways write next.
function partGroup({ ways, hashers }, written) {
  const parts = [];
  for (const way of ways) {
    const part = parts.find((other) => sameBytes(written[other.ways[0]], written[way]));
    if (part) {
      part.ways.push(way);
    } else {
      parts.push({ ways: [way], hashers: hashers.map((hasher) => hasher.copy()) });
    }
  }
  return parts;
}

// A stretch of bytes that parts no line end, written with other line ends.
class Ended {
  constructor(body, isInQuotes) {
    this.isInQuotes = isInQuotes;
    this.firstEnd = null;
    const size = body.length;
    const [plain, crlf, cr, mixed] = [size, 2 * size, size, 2 * size].map((n) => new Uint8Array(n));
    let [short, long, some] = [0, 0, 0];
    for (let i = 0; i < size; i += 1) {
      const byte = body[i];
      if (byte === CR || byte === LF) {
        const isCrLf = byte === CR && body[i + 1] === LF;
        this.firstEnd ??= body.slice(i, i + (isCrLf ? 2 : 1));
        i += isCrLf ? 1 : 0;
        plain[short] = LF;
        cr[short] = CR;
        crlf[long] = CR;
        crlf[long + 1] = LF;
        long += 2;
        if (!this.isInQuotes) {
          mixed[some] = CR;
          some += 1;
        }
        mixed[some] = LF;
      } else {
        this.isInQuotes = this.isInQuotes !== (byte === QUOTE);
        plain[short] = byte;
        cr[short] = byte;
        crlf[long] = byte;
        long += 1;
        mixed[some] = byte;
      }
      short += 1;
      some += 1;
    }
    this.plain = plain.subarray(0, short);
    this.cr = cr.subarray(0, short);
    this.crlf = crlf.subarray(0, long);
    this.mixed = mixed.subarray(0, some);
  }
}

// For each character up to U+FFFF its bytes in GB18030 as one number, 0 where it has none: browsers
// read that encoding and don't write it, so all its sequences are read once.
let gb18030 = null;

const fourBytes = (place) => [
  0x81 + Math.floor(place / 12600),
  0x30 + (Math.floor(place / 1260) % 10),
  0x81 + (Math.floor(place / 10) % 126),
  0x30 + (place % 10),
];
const inOneNumber = (bytes) => bytes.reduce((number, byte) => number * 256 + byte, 0);
const ASTRAL_PLACE = 189000;

function gb18030Table() {
  if (gb18030 === null) {
    gb18030 = Uint32Array.from({ length: 65536 }, (_, code) => (code < 0x80 ? code : 0));
    const pairs = [];
    for (let lead = 0x81; lead <= 0xfe; lead += 1) {
      for (let trail = 0x40; trail <= 0xfe; trail += trail === 0x7e ? 2 : 1) {
        pairs.push([lead, trail]);
      }
    }
    const fours = Array.from({ length: 39420 }, (_, place) => fourBytes(place));
    // The later one counts: a pair before four bytes, and of two pairs (U+3000) the smaller one.
    for (const sequences of [fours, pairs.reverse()]) {
      const text = new TextDecoder("gb18030").decode(Uint8Array.from(sequences.flat()));
      if (text.length === sequences.length) {
        sequences.forEach((bytes, i) => {
          gb18030[text.charCodeAt(i)] = inOneNumber(bytes);
        });
      }
    }
  }
  return gb18030;
}

// Refuses a character that has no bytes there.
export function encodeGb18030(text) {
  const table = gb18030Table();
  const bytes = new Uint8Array(4 * text.length);
  let at = 0;
  for (const char of text) {
    const code = char.codePointAt(0);
    const isAstral = code > 0xffff;
    const number = isAstral ? inOneNumber(fourBytes(ASTRAL_PLACE + code - 0x10000)) : table[code];
    if (number === 0 && code !== 0) {
      malformed("A character has no bytes in GB18030.");
    }
    for (let shift = number > 0xffff ? 24 : number > 0xff ? 8 : 0; shift >= 0; shift -= 8) {
      bytes[at] = number >>> shift;
      at += 1;
    }
  }
  return bytes.subarray(0, at);
}

// The reason where a copy has the rows of a version though its bytes are others, or null; rule 8.
async function sameRows(descriptor, copy, progress) {
  if (!descriptor.isOpen || !descriptor.count) {
    return null;
  }
  const { profile, count, root } = descriptor;
  return firstForm(copy, progress, async (pieces) => {
    const tree = new GrowingRoot();
    for await (const rows of cutRows(profile, pieces)) {
      for (const row of rows) {
        tree.add(rowLeaf(profile, "", row));
      }
      if (tree.size > count) {
        return false;
      }
      await breathe();
    }
    return tree.size === count && tree.root() === root;
  });
}

async function sameRow(profile, wanted, copy, progress) {
  return firstForm(copy, progress, async (pieces) => {
    let found = [];
    for await (const rows of cutRows(profile, pieces)) {
      found = [...found, ...rows];
      if (found.length > 1) {
        return false;
      }
    }
    return found.length === 1 && sameBytes(found[0], wanted);
  });
}

async function firstForm(copy, progress, fits) {
  for (const writing of WRITINGS.slice(0, 2)) {
    progress.expect(copy.size);
    if (await ifReadable(() => fits(writtenAs(writing, copy, progress)))) {
      return { reason: writing.word ? `same-rows-${writing.word}` : "same-rows" };
    }
  }
  return null;
}

async function ledBack(wanted, salt, copy, progress) {
  const changes = await leadBack(wanted, salt, copy, progress);
  return changes?.length ? { reason: "resaved", changes } : null;
}

// What is told of a payload that didn't match a proof which holds by itself, or null.
async function diagnose(proof, copy, progress) {
  if (proof.kind === "file") {
    const descriptor = await parseDescriptor(proof.descriptor);
    return (
      (await ledBack(descriptor.hash, proof.salt, copy, progress)) ??
      sameRows(descriptor, copy, progress)
    );
  }
  if (proof.kind === "row") {
    const { profile } = await parseDescriptor(proof.descriptor);
    return (
      (await ledBack(sha256(proof.row), "", copy, progress)) ??
      sameRow(profile, proof.row, copy, progress)
    );
  }
  const { hash } = await parseStatement(proof.statement);
  return ledBack(hash, proof.salt ?? "", copy, progress);
}

// ---- The verdict (verdict-v1) -------------------------------------------------------------------

// Input of which nothing can be said at all.
function unusable(code, detail, facts) {
  refuse(`verify.${code}`, detail, facts);
}

// What is given as bytes; text as it is.
async function contentOf(input, role, limit) {
  if (typeof input === "string") {
    return input;
  }
  const blob = input instanceof Blob ? input : new Blob([input]);
  if (blob.size > limit + 1) {
    unusable("too-large", `The file is larger than ${limit} bytes.`, { role, limit });
  }
  return new Uint8Array(await blob.arrayBuffer());
}

function textOf(content, role) {
  try {
    return typeof content === "string" ? content : decodeUtf8(content);
  } catch {
    return unusable("not-text", "The file is not UTF-8 text.", { role });
  }
}

const FORMATS = {
  "receipt/1": { parse: parseReceipt, check: checkReceipt },
  "tlog-proof/1": { parse: parseTlogProof, check: checkReceipt },
  "cose-receipt/1": { parse: parseCoseReceipt, check: checkCoseReceipt },
  "window/1": { kind: "window", parse: parseWindow, check: checkWindow },
  "acceptance/1": { kind: "acceptance", parse: parseAcceptance, check: checkAcceptance },
  "consistency/1": {
    kind: "consistency",
    parse: pairParser("consistency/1", ["old", "new"]),
    check: checkConsistencyFile,
  },
  "fork/1": { kind: "fork", parse: pairParser("fork/1", ["one", "two"]), check: checkFork },
};

// What the file says that it is. In canonical form the version is the last member.
function formatOf(text) {
  const end = /"v":"([a-z]+\/[0-9]+)"\}\n*$/.exec(text.slice(-100));
  if (end && text.startsWith("{")) {
    return end[1];
  }
  if (text.startsWith(TLOG_PROOF)) {
    return "tlog-proof/1";
  }
  try {
    return JSON.parse(text)?.v;
  } catch {
    return null;
  }
}

// Checks a proof against a trust file, both as text, bytes or a Blob, and the content where one is
// given: a Blob or bytes; of a window its lines. `onProgress(done, total)` hears how far it is;
// what it throws ends the work and is thrown on.
//
// Resolves to {holds: true, kind, subject, origin, fingerprint, trust_name, checks}, each check
// {code, status, facts}; or, where the proof is refused or can't be used, to {holds: false, code,
// reason, facts, checks}: what held before. All members are always there, perhaps null.
export async function verify(proof, trust, payload, onProgress) {
  return verifyAs(null, proof, trust, payload, onProgress);
}

// The same of a file that is known to be meant as one of this format, such as "receipt/1".
export async function verifyAs(format, proof, trust, payload, onProgress) {
  const findings = new Findings();
  const told = { kind: null };
  try {
    const found = await examine(format, { proof, trust, payload, onProgress }, findings, told);
    return { holds: true, code: null, reason: null, facts: {}, ...found, checks: findings.checks };
  } catch (error) {
    if (!(error instanceof Refused)) {
      throw error;
    }
    const { code, facts } = error;
    const reason = facts.reason ?? null;
    const nothing = { subject: null, origin: null, fingerprint: null, trust_name: null };
    return { holds: false, ...told, code, reason, facts, checks: findings.checks, ...nothing };
  }
}

async function examine(wanted, given, findings, told) {
  const trustFile = await contentOf(given.trust, "trust", LIMITS.trust);
  const trust = await parseTrust(textOf(trustFile, "trust"));
  const file = await contentOf(given.proof, "proof", LIMITS.window);
  const isBinary = wanted ? wanted === "cose-receipt/1" : isCose(file);
  const text = isBinary ? file : textOf(file, "proof");
  const format = wanted ?? (isBinary ? "cose-receipt/1" : formatOf(text));
  if (typeof format !== "string" || !Object.hasOwn(FORMATS, format)) {
    unusable("not-proof", "The file is no proof of this notary's formats.", { role: "proof" });
  }
  if (wanted === null && format === "receipt/1" && text.length > LIMITS.receipt) {
    const facts = { role: "proof", limit: LIMITS.receipt };
    unusable("too-large", `The file is larger than ${LIMITS.receipt} bytes.`, facts);
  }
  const payload = given.payload ?? null;
  const content = {
    payload: payload === null || payload instanceof Blob ? payload : new Blob([payload]),
    progress: new Progress(given.onProgress),
  };
  const ofProof = format === "window/1" ? 2 * text.length : 0;
  content.progress.expect(ofProof + (content.payload?.size ?? 0));
  const { kind = null, parse, check } = FORMATS[format];
  told.kind = kind;
  const proof = await parse(text, content.progress);
  told.kind ??= proof.kind;
  try {
    return { ...(await check(proof, trust, content, findings)), trust_name: trust.name };
  } catch (error) {
    if (isPlainMismatch(error) && format !== "window/1") {
      const holds = await holdsAlone(proof, trust, check, content.progress);
      const more = holds ? await diagnose(proof, content.payload, content.progress) : null;
      Object.assign(error.facts, more);
    }
    throw error;
  }
}

function isPlainMismatch(error) {
  return error instanceof Refused && error.code === "payload-mismatch" && !error.facts.reason;
}

// Whether the proof holds without the content that was given.
async function holdsAlone(proof, trust, check, progress) {
  try {
    await check(proof, trust, { payload: null, progress }, new Findings());
    return true;
  } catch (error) {
    if (error instanceof Refused) {
      return false;
    }
    throw error;
  }
}
