// SPDX-License-Identifier: Apache-2.0
// Asking the notary: by a digest, after the reader agreed, or for the proof at one of its addresses.
// Nothing else of the page uses the network.

import { button, make } from "./verify_words.js";
import { showNote, sizeOf } from "./verify_show.js";

// What is told of a digest or a file without a receipt: its digest, and the question whether to ask.
export function showAsk(say, item, online, showFound) {
  const isFile = item.kind !== "digest";
  const facts = { name: item.name, size: isFile ? sizeOf(item.blob.size) : "" };
  const digest = make("p", {}, say("page.file-digest"), " ", make("code", {}, item.digest));
  const answered = make("div", { role: "status" });
  const more = [isFile ? digest : null];
  if (online) {
    const asked = button(say("verify-page.ask"), async () => {
      asked.disabled = true;
      answered.replaceChildren(showFound(await askDigest(item.digest)));
      asked.disabled = false;
    });
    more.push(make("p", {}, say("verify-page.ask-note")), make("p", {}, asked), answered);
  } else {
    more.push(make("p", {}, say("verify-page.ask-offline")));
  }
  return showNote(say, isFile ? "no-proof" : "digest", facts, "open", ...more);
}

// The records and versions that were found, each with its page and a way to check its receipt.
export function showFound(say, found, follow) {
  if (found.why) {
    return make("p", {}, say(`verify-page.said-${found.why}`));
  }
  const names = found.notSearched.map(({ label }) => label).join("; ");
  const left = names && make("p", { class: "own" }, say("verify-page.not-searched", { datasets: names }));
  if (found.places.length === 0) {
    const words = say(left ? "verify-page.found-nothing-there" : "verify-page.found-nothing");
    return make("div", {}, make("p", {}, words), left || null);
  }
  const list = found.places.map((place) => {
    const page = place.links.self.replace(/^\/v1/, "");
    const words = say(place.version === undefined ? "verify.record" : "verify.file", place);
    const press = button(say("verify-page.check-receipt"), () => follow(receiptOf(page)));
    return make("li", {}, make("a", { href: page }, words), " ", press);
  });
  const more = found.isMore ? make("p", {}, say("verify-page.found-more")) : null;
  return make("div", {}, make("p", {}, say("verify-page.found")), make("ul", {}, list), more, left || null);
}

function receiptOf(page) {
  const [path, query] = page.split("?");
  return `${path}/receipt${query ? `?${query}` : ""}`;
}

async function askDigest(digest) {
  const answer = await get(`/v1/digests/${digest}`);
  if (answer.why) {
    return answer;
  }
  try {
    const found = JSON.parse(await answer.blob.text());
    const places = [...found.versions, ...found.items];
    return { places, isMore: found.next !== null, notSearched: found.not_searched };
  } catch {
    return { why: "away" };
  }
}

// The proof at a path of this notary -> {blob} or {why: not-there, not-yet or away}.
export function fetchProof(path) {
  return get(path);
}

async function get(path) {
  try {
    const answer = await fetch(path, {
      credentials: "same-origin",
      headers: { Accept: "application/json" },
    });
    if (answer.status === 200) {
      return { blob: await answer.blob() };
    }
    const known = { 202: "not-yet", 401: "not-there", 403: "not-there", 404: "not-there" };
    return { why: known[answer.status] ?? "away" };
  } catch {
    return { why: "away" };
  }
}
