// SPDX-License-Identifier: Apache-2.0
// The texts of the catalogue, filled with facts, and small pieces of the page. Whatever stands in a
// fact is shown as text: it makes no markup, steers nothing and turns no line around.

const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z$/;
const HIDDEN = /[\p{C}\p{Zl}\p{Zp}]/gu;

// say(code, facts): where the facts name a reason that has a text of its own, that one is taken.
export function speaker(texts) {
  return (code, facts = {}) => {
    const refined = `${code}.${facts.reason}`;
    const known = [refined, code].find((name) => Object.hasOwn(texts, name));
    if (known === undefined) {
      return shown(facts.detail ?? code);
    }
    return texts[known].replace(/\{(\w+)\}/g, (_, name) => {
      if (!Object.hasOwn(facts, name)) {
        return "-";
      }
      return isSent(name, facts) ? visible(`${facts[name]}`) : shown(facts[name]);
    });
  };
}

// A sender's time is shown as it was sent, whatever it looks like.
function isSent(name, { reason }) {
  return name === "observed" || (reason === "observed" && ["from", "to"].includes(name));
}

export function shown(value) {
  if (value === null || value === undefined) {
    return "-";
  }
  if (typeof value === "number" || typeof value === "bigint") {
    return value.toLocaleString("en-US");
  }
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return MOMENT.test(text) ? moment(text) : visible(text);
}

export function visible(text) {
  return text.replace(HIDDEN, (found) => {
    const point = found.codePointAt(0).toString(16);
    return point.length > 4 ? `\\u{${point}}` : `\\u${point.padStart(4, "0")}`;
  });
}

let zone;

// The time zone in which times are told: the notary's pages all tell them in the city's. Without one
// it is the reader's.
export function useZone(name) {
  zone = name ?? undefined;
}

// A time of ours: "2026-11-24 16:00:06 (UTC+08:00)".
function moment(text) {
  const date = new Date(`${text.slice(0, 19)}Z`);
  if (Number.isNaN(date.getTime())) {
    return visible(text);
  }
  const words = { timeZone: zone, dateStyle: "short", timeStyle: "medium" };
  const ahead = new Intl.DateTimeFormat("en", { timeZone: zone, timeZoneName: "longOffset" });
  const offset = ahead.formatToParts(date).find((part) => part.type === "timeZoneName").value;
  return `${date.toLocaleString("sv-SE", words)} (${offset.replace("GMT", "UTC")})`;
}

// A fingerprint as people compare it: eight groups of eight.
export function grouped(hex) {
  return hex.replace(/(.{8})(?=.)/g, "$1 ");
}

export function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) {
      node.setAttribute(name, "");
    } else if (value !== false && value !== null && value !== undefined) {
      node.setAttribute(name, value);
    }
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}

export function button(words, press, attributes = {}) {
  const node = make("button", { type: "button", ...attributes }, words);
  node.addEventListener("click", press);
  return node;
}
