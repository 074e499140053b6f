// SPDX-License-Identifier: Apache-2.0
// The desk where a citizen checks: takes what is dropped, pasted or linked, has it judged, and shows
// the verdict. It runs on the notary's page and, without a network, in verify.html. Nothing that is
// dropped leaves the browser; a digest or an address is sent only where its button says so.

import { digestOf } from "./verify.js";
import { fetchProof, showAsk, showFound } from "./verify_ask.js";
import { buildDesk } from "./verify_desk.js";
import { guessBlob, guessText } from "./verify_guess.js";
import { judgeAll, PROOFS, trustFault } from "./verify_judge.js";
import { showNote, showResult } from "./verify_show.js";
import { speaker, useZone } from "./verify_words.js";

const MOST_ITEMS = 100;
const MOST_HASHED_AGAIN = 64 * 1024 * 1024;

class Stopped extends Error {}

// data: {lang, texts: {en: {…}, zh: {…}} or one of them, trust: text or null, online, origins}.
export function start(root, data) {
  const languages = Object.keys(data.texts);
  const wished = [data.lang, ...navigator.languages.map((name) => name.split("-")[0]), "en"];
  let language = wished.find((name) => languages.includes(name)) ?? languages[0];
  let items = [];
  let running = null;
  let verdict = [];
  let say;
  let desk;

  function build() {
    say = speaker(data.texts[language]);
    const texts = { language, languages, online: data.online };
    desk = buildDesk(say, root, texts, { add, paste, stop, remove, clear, speak });
    showTrust();
  }

  function speak(other) {
    language = other;
    build();
    return check();
  }

  async function add(files, more = {}) {
    const room = MOST_ITEMS - items.length;
    for (const file of files.slice(0, room)) {
      const name = file.name || say("verify-page.pasted");
      let guess = { kind: "unreadable" };
      try {
        guess = await guessBlob(file);
      } catch {
        // A folder, or a file that went away.
      }
      items.push({ name, blob: file, ...guess, ...more });
    }
    await check();
    if (files.length > room) {
      note("too-many", { limit: MOST_ITEMS });
    }
  }

  function paste(text) {
    const guess = guessText(text, data.origins ?? []);
    if (guess.kind === "blob") {
      return add([guess.blob], { name: say("verify-page.pasted") });
    }
    if (guess.kind === "link" && data.online) {
      return follow(guess.path);
    }
    if (guess.kind === "digest") {
      items.push({ name: guess.digest, kind: "digest", digest: guess.digest });
      return check();
    }
    const isLink = guess.kind === "link" || guess.kind === "foreign";
    return note(isLink && !data.online ? "link-offline" : guess.kind);
  }

  async function follow(path) {
    desk.working(say("verify-page.fetching"), null);
    const found = await fetchProof(path);
    desk.rested();
    return found.blob ? add([found.blob], { name: nameOf(path) }) : note(found.why);
  }

  function remove(item) {
    items = items.filter((one) => one !== item);
    return check();
  }

  function clear() {
    items = [];
    return check();
  }

  function stop() {
    if (running) {
      running.isStopped = true;
    }
  }

  async function check() {
    stop();
    const run = { isStopped: false };
    running = run;
    desk.tray(items);
    showTrust();
    if (items.every((item) => item.kind === "trust")) {
      desk.rested();
      return show(items.length ? [await trustTaken()] : []);
    }
    desk.working(say("verify-page.working"), null);
    let shown;
    try {
      shown = await verdicts(run);
    } catch (error) {
      // Whatever goes wrong in here, it is never called verified.
      const name = error instanceof Stopped ? "stopped" : "failed";
      shown = [showNote(say, name, { detail: `${error?.message ?? error}` }, "open")];
    }
    if (run === running) {
      running = null;
      desk.rested();
      show(shown);
    }
  }

  async function verdicts(run) {
    const progress = (words) => (done, total) => {
      if (run.isStopped) {
        throw new Stopped();
      }
      if (run === running) {
        desk.working(words, total ? done / total : null);
      }
    };
    const sound = items.filter(isSound);
    const notes = items
      .filter((item) => !isSound(item))
      .map(({ kind, name }) => showNote(say, NOTES[kind] ?? "unreadable", { name }, "open"));
    const { text, file, isOwn } = trust();
    if (text === null && sound.some((item) => PROOFS.includes(item.kind))) {
      return [...notes, showNote(say, "no-trust", {}, "open")];
    }
    await breathe();
    const { results, rest } = await judgeAll(sound, text, progress(say("verify-page.working")));
    const told = [];
    const made = { time: `${new Date().toISOString().slice(0, 19)}Z`, version: data.version };
    for (const result of results) {
      if (result.item && result.item.blob.size <= MOST_HASHED_AGAIN) {
        result.item.digest ??= await digestOf(result.item.blob);
      }
      const more = { isOwnTrust: isOwn, trustFile: file ?? "trust.json", made };
      told.push(showResult(say, { ...result, ...more }));
    }
    // Where no proof holds nothing was compared, and nothing is said of the files.
    const isCompared = results.some((result) => result.verdict.holds || result.alone);
    told.push(...(isCompared ? rest.map((item) => unmatched(item, results)) : []));
    const alone = results.length ? [] : rest;
    for (const item of [...alone, ...sound.filter((one) => one.kind === "digest")]) {
      const words = say("verify-page.hashing", { name: item.name });
      item.digest ??= await digestOf(item.blob, progress(words));
      told.push(ask(item));
    }
    return [...told, ...notes];
  }

  async function trustTaken() {
    const { text, name, file } = trust();
    const fault = text === null ? { detail: "" } : await trustFault(text);
    const why = fault && say("error.malformed-trust", fault);
    return fault
      ? showNote(say, "trust-bad", { name: file ?? "trust.json", why }, "broken")
      : showNote(say, "trust-taken", { name }, "open");
  }

  function unmatched(item, results) {
    const isRow = results.every((result) => result.kind === "row");
    return showNote(say, isRow ? "unmatched-row" : "unmatched", { name: item.name }, "open");
  }

  function ask(item) {
    return showAsk(say, item, data.online, (found) => showFound(say, found, follow));
  }

  function trust() {
    const own = items.filter((item) => item.kind === "trust" && item.text !== null).pop();
    const text = own ? own.text : data.trust;
    return { text, isOwn: !own, file: own?.name, name: own || text ? nameIn(text) : null };
  }

  function showTrust() {
    const { text, isOwn, file } = trust();
    return desk.trust(text, isOwn, file);
  }

  function show(articles) {
    verdict = articles;
    desk.show(articles);
  }

  // What can't be used, or wasn't found, is said above the verdict that there is.
  function note(name, facts = {}) {
    desk.show([showNote(say, name, facts, "open"), ...verdict]);
  }

  useZone(data.timezone);
  build();
  if (data.online) {
    const linked = () => location.hash.startsWith("#/") && paste(location.hash.slice(1));
    addEventListener("hashchange", linked);
    linked();
  }
}

const RECORD_PATH = /\/datasets\/([^/?]+)\/sources\/([^/?]+)(?:\/records\/(\d+)|\/window)/;
const VERSION_PATH = /\/datasets\/([^/?]+)\/versions\/(\d+)(?:\/rows\/(\d+))?/;
const NOTES = { damaged: "damaged" };

// Whether it can be looked at: what should be text and isn't was damaged.
function isSound(item) {
  return item.kind !== "unreadable" && item.kind !== "damaged" && item.text !== null;
}

// What a receipt that was fetched is called, as its download is.
function nameOf(path) {
  const [, dataset, source, n] = RECORD_PATH.exec(path) ?? [];
  const [, table, version, row] = VERSION_PATH.exec(path) ?? [];
  if (dataset !== undefined) {
    return n === undefined ? `window-${source}.json` : `receipt-${source}-${n}.json`;
  }
  return `receipt-${table}-version-${version}${row === undefined ? "" : `-row-${row}`}.json`;
}

function nameIn(text) {
  try {
    return `${JSON.parse(text).name}`;
  } catch {
    return null;
  }
}

// Let the page be drawn before the work begins.
function breathe() {
  return new Promise((resume) => setTimeout(resume));
}

const pagePlace = document.getElementById("verify");
const pageData = document.getElementById("verify-data");
if (pagePlace && pageData) {
  start(pagePlace, JSON.parse(pageData.textContent));
}
