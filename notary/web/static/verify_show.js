// SPDX-License-Identifier: Apache-2.0
// A verdict as people read it: one word, one sentence, the way of the proof, and what it doesn't say.

import { showContent } from "./verify_content.js";
import { briefly, headline, limits, sentence } from "./verify_title.js";
import { grouped, make, shown } from "./verify_words.js";
import { wayOf } from "./verify_way.js";

const SVG = "http://www.w3.org/2000/svg";
const SIGNS = {
  held: "M6 12.5l4 4 8-9",
  fits: "M6 12.5l4 4 8-9",
  own: "M12 6v8M12 17.2v.6",
  open: "M8 12h8",
  broken: "M7 7l10 10M17 7L7 17",
};

// result: {name, text, kind, verdict, alone, file, isOwnTrust, trustFile}: name of the proof's file and
// its text, what it was guessed to be, the verdict, that of the proof without the file where only the
// file is another one, the file's name or null, and whose trust file it was; trustFile: its name.
export function showResult(say, result) {
  const { title, look, word = look } = headline(result);
  const facts = { file: result.file ?? result.name, name: result.name };
  const article = make("article", { class: `verdict ${look}` });
  const heading = make("h3", { tabindex: "-1" }, sign(look), say(`verify-page.title-${title}`));
  article.append(heading, make("p", { class: "said" }, sentence(say, title, result, facts)));
  const told = result.verdict.holds ? result.verdict : result.alone;
  if (told) {
    article.append(...subject(say, told, result.isOwnTrust));
  }
  const content = told && isInside(told, result.text) ? showContent(say, result.text) : null;
  if (content) {
    article.append(content);
  }
  const steps = picture(say, result, { look, word });
  if (steps) {
    article.append(make("h4", {}, say("verify-page.way")), steps);
  }
  const not = told ? saysNot(say, told) : [];
  if (not.length) {
    const list = make("ul", {}, not.map((words) => make("li", {}, words)));
    article.append(make("h4", {}, say("page.says-not")), list);
  }
  if (told) {
    article.append(...whose(say, told, result));
  }
  article.append(...howMade(say, result));
  const data = JSON.stringify(result.verdict, (_, value) =>
    typeof value === "bigint" ? value.toString() : value, 1);
  const summary = make("summary", {}, say("verify-page.as-data"));
  article.append(make("details", {}, summary, make("pre", { tabindex: "0" }, data)));
  return article;
}

// Whether what holds carries its content itself.
function isInside({ kind, checks }, text) {
  const content = checks.find((check) => check.code === "payload");
  const isProved = content?.status === "held" && content.facts.reason === "inside";
  return isProved && ["record", "row"].includes(kind) && text?.startsWith("{");
}

function subject(say, { kind, subject }, isOwnTrust) {
  if (!subject || kind === "window" || kind === "fork" || kind === "consistency") {
    return [];
  }
  const facts = { ...subject };
  const by = `${subject.by ?? ""}`;
  facts.reason = by.split(":")[0];
  facts.id = by.slice(facts.reason.length + 1);
  const words = say(`verify.${kind}`, facts);
  const more = ["received", "observed", "key", "by"].filter(
    (name) => subject[name] !== null && subject[name] !== undefined,
  );
  return [
    make("p", { class: "about" }, isOwnTrust ? linked(words, kind, subject) : words),
    make("ul", {}, more.map((name) => make("li", {}, say(`verify.${name}`, facts)))),
  ];
}

// The words as a link to the page of a record or version: only where its notary is this one.
function linked(words, kind, { dataset, source, chain, n, version, row }) {
  const path = `/datasets/${encodeURIComponent(dataset)}`;
  const query = new URLSearchParams(location.search);
  let place = `${path}/versions/${version}`;
  if (kind === "record" || kind === "acceptance") {
    place = `${path}/sources/${encodeURIComponent(source)}/records/${n}`;
    query.set("chain", chain);
  } else if (kind === "row") {
    query.set("row", row);
  }
  return make("a", { href: `${place}?${query}` }, words);
}

function picture(say, result, broken) {
  const { verdict, alone, kind } = result;
  const steps = wayOf(verdict, kind);
  if (alone) {
    // Only the file is another one: the rest of the way is the receipt's own.
    const rest = new Map(wayOf(alone, kind).map((step) => [step.name, step]));
    steps.forEach((step, at) => {
      steps[at] = step.isBroken ? step : (rest.get(step.name) ?? step);
    });
  }
  if (steps.length === 0) {
    return verdict.holds ? checkList(say, verdict.checks) : null;
  }
  const shownSteps = steps.map((step) => {
    const looks = step.isBroken ? broken : { look: step.look, word: step.look };
    return showStep(say, { ...step, ...looks }, () => briefly(say, result));
  });
  return make("ol", { class: "proof" }, shownSteps);
}

function showStep(say, { name, look, word, isBroken, checks }, why) {
  const title = make("strong", {}, say(`verify-page.step-${name}`));
  const called = make("span", { class: "look" }, say(`verify-page.look-${word}`));
  let said = checks.map((check) => showCheck(say, check));
  if (isBroken) {
    said = [make("p", {}, why())];
  } else if (look === "fits") {
    said = [make("p", {}, say("verify-page.fits"))];
  } else if (checks.length === 0) {
    said = [make("p", {}, say("verify-page.not-reached"))];
  }
  return make("li", { class: look }, sign(look), make("div", {}, title, " ", called, said));
}

// One check as a sentence, marked where it is less than proved.
function showCheck(say, { code, status, facts }) {
  const words = say(`check.${code}.${status}`, facts);
  const look = { "own-word": "own", "not-checked": "open" }[status];
  return make("p", look ? { class: look } : {}, words);
}

function checkList(say, checks) {
  return make("div", {}, checks.map((check) => showCheck(say, check)));
}

function saysNot(say, told) {
  const { kind, checks } = told;
  if (kind === "fork") {
    return [];
  }
  const said = kind === "consistency" ? [] : [say("verify.no-truth")];
  if (["record", "row", "file"].includes(kind)) {
    said.push(say(kind === "record" ? "verify-page.not-others" : "verify-page.not-newest"));
  }
  if (kind === "window") {
    said.push(...limits(told).map(([code, facts]) => say(code, facts)));
    said.push(say("verify-page.not-second-chain"));
  }
  if (!checks.some((check) => check.code === "witnesses" && check.status === "held")) {
    said.push(say("verify-page.not-witnessed"));
  }
  return said;
}

function whose(say, told, { isOwnTrust }) {
  const { kind, origin, fingerprint, trust_name: name } = told;
  if (!fingerprint) {
    return [];
  }
  const code = kind === "acceptance" ? "verify.acceptance-key" : "verify.log";
  return [
    make("p", {}, say(code, { origin, name }), " ", make("code", {}, grouped(fingerprint))),
    make("p", { class: "own" }, say(isOwnTrust ? "verify-page.by-own" : "verify-page.by-yours")),
  ];
}

// For whoever prints it: which file it was, and when and by what it was checked.
function howMade(say, { file, item, made }) {
  const digest = item?.digest && make("p", {}, say("verify-page.sha256", { file }), " ", make("code", {}, item.digest));
  return [digest, make("p", {}, say("verify-page.made", made))].filter(Boolean);
}

// A small picture beside the word that says the same.
export function sign(look) {
  const svg = document.createElementNS(SVG, "svg");
  for (const [name, value] of [["viewBox", "0 0 24 24"], ["aria-hidden", "true"], ["class", "sign"]]) {
    svg.setAttribute(name, value);
  }
  const circle = document.createElementNS(SVG, "circle");
  for (const [name, value] of [["cx", 12], ["cy", 12], ["r", 11]]) {
    circle.setAttribute(name, value);
  }
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", SIGNS[look]);
  svg.append(circle, path);
  return svg;
}

// What is told of something that is no verdict: a title, a sentence, and more below it.
export function showNote(say, name, facts, look, ...more) {
  const heading = make("h3", { tabindex: "-1" }, sign(look), say(`verify-page.title-${name}`));
  const said = make("p", { class: "said" }, say(`verify-page.said-${name}`, facts));
  return make("article", { class: `verdict ${look}` }, heading, said, more);
}

export function sizeOf(bytes) {
  if (bytes < 1000) {
    return `${bytes} B`;
  }
  const power = Math.min(3, Math.floor(Math.log10(bytes) / 3));
  return `${shown(Math.round((bytes / 1000 ** power) * 10) / 10)} ${["B", "kB", "MB", "GB"][power]}`;
}
