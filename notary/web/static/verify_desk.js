// SPDX-License-Identifier: Apache-2.0
// The furniture of the page: where to drop and paste, what was given, how far the work is, and the
// place of the verdict. What it is told to do, verify_page.js does.

import { digestOf } from "./verify.js";
import { trustFault } from "./verify_judge.js";
import { sizeOf } from "./verify_show.js";
import { button, grouped, make } from "./verify_words.js";

const SHOW_EVERY_MS = 100;

// acts: {add(files), paste(text), stop(), remove(item), clear(), speak(language)}.
// -> {tray(items), working(words, part or null), rested(), show(articles), trust(text, isOwn, file)}.
export function buildDesk(say, root, { language, languages, online }, acts) {
  const tray = make("div", { class: "tray" });
  const bar = make("progress", { max: "1", "aria-label": say("verify-page.progress") });
  const doing = make("p", {});
  const working = make("div", { class: "working", hidden: true }, doing, bar);
  working.append(button(say("verify-page.cancel"), () => acts.stop()));
  const status = make("p", { class: "unseen", role: "status", "aria-live": "polite" });
  const verdict = make("section", { id: "verdict", "aria-label": say("verify-page.verdict") });
  const trust = make("section", { class: "trust" });
  root.replaceChildren(
    ...(online ? [] : intro(say)),
    ...(languages.length > 1 ? [switcher(say, language, languages, acts)] : []),
    dropArea(say, online, acts),
    tray,
    working,
    status,
    verdict,
    trust,
  );
  if (!online) {
    document.documentElement.lang = language === "zh" ? "zh-Hans" : language;
    document.title = say("verify-page.title");
  }
  listen(root, acts);
  let last = 0;
  return {
    tray: (items) => tray.replaceChildren(...(items.length ? listed(say, items, acts) : [])),
    working: (words, part) => {
      const now = performance.now();
      if (working.hidden || now - last > SHOW_EVERY_MS) {
        last = now;
        doing.textContent = part === null ? words : `${words} ${Math.floor(100 * part)} %`;
        part === null ? bar.removeAttribute("value") : (bar.value = part);
      }
      working.hidden = false;
      verdict.setAttribute("aria-busy", "true");
    },
    rested: () => {
      working.hidden = true;
      verdict.removeAttribute("aria-busy");
    },
    show: (articles) => {
      verdict.replaceChildren(...articles);
      const headings = [...verdict.querySelectorAll("h3")];
      status.textContent = headings.map((heading) => heading.textContent).join(" ");
      (headings[0] ?? root.querySelector("input")).focus();
    },
    trust: (text, isOwn, file) => showTrust(say, trust, text, isOwn, file),
  };
}

function intro(say) {
  return [
    make("h1", {}, say("verify-page.title")),
    make("p", {}, say("verify-page.what")),
    make("p", { class: "note" }, say("verify-page.offline")),
  ];
}

function switcher(say, language, languages, acts) {
  const choices = languages.map((other) =>
    button(say(`page.${other}`), () => acts.speak(other), {
      lang: other,
      "aria-pressed": `${other === language}`,
      class: other === language ? null : "quiet",
    }),
  );
  return make("nav", { "aria-label": say("page.language") }, choices);
}

function dropArea(say, online, acts) {
  const files = make("input", { type: "file", multiple: true });
  files.addEventListener("change", () => {
    // A copy: the list empties with the field, which must take the same file again.
    const chosen = [...files.files];
    files.value = "";
    acts.add(chosen);
  });
  const text = make("textarea", {
    rows: "3",
    required: true,
    spellcheck: "false",
    autocapitalize: "off",
  });
  const form = make("form", { class: "paste" });
  const label = say(online ? "verify-page.paste" : "verify-page.paste-offline");
  form.append(make("label", {}, label, text), make("button", {}, say("verify-page.check")));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    acts.paste(text.value);
  });
  return make(
    "section",
    { class: "drop", "aria-labelledby": "drop-title" },
    make("h2", { id: "drop-title" }, say("verify-page.drop")),
    make("p", {}, say("verify-page.drop-what")),
    make("p", { class: "more" }, say("verify-page.drop-more")),
    make("label", { class: "choose" }, say("verify-page.choose"), files),
    form,
    make("p", { class: "safe" }, say("verify-page.nothing-uploaded")),
    online ? make("p", { class: "more" }, say("verify-page.asks-only")) : null,
  );
}

let forget = () => {};

// Dropping and pasting anywhere on the page; built anew in another language, it listens once.
function listen(root, acts) {
  forget();
  const listening = new AbortController();
  forget = () => listening.abort();
  const on = (name, act) => document.addEventListener(name, act, { signal: listening.signal });
  const over = (isOver) => root.classList.toggle("over", isOver);
  on("dragover", (event) => {
    event.preventDefault();
    over(true);
  });
  on("dragleave", (event) => event.relatedTarget === null && over(false));
  on("drop", (event) => {
    event.preventDefault();
    over(false);
    take(event.dataTransfer, acts);
  });
  on("paste", (event) => {
    if (!/^(?:TEXTAREA|INPUT)$/.test(event.target.tagName)) {
      take(event.clipboardData, acts);
    }
  });
}

function take(data, acts) {
  const text = data.getData("text/plain");
  if (data.files.length) {
    acts.add([...data.files]);
  } else if (text) {
    acts.paste(text);
  }
}

function listed(say, items, acts) {
  const list = items.map((item) => {
    const what = say(`verify-page.kind-${item.kind}`);
    const size = item.blob ? ` (${sizeOf(item.blob.size)})` : "";
    const words = say("verify-page.remove", { name: item.name });
    const out = button(say("verify-page.remove-short"), () => acts.remove(item), {
      "aria-label": words,
      class: "quiet",
    });
    return make("li", {}, make("strong", {}, what), ` ${item.name}${size} `, out);
  });
  const all = button(say("verify-page.clear"), () => acts.clear(), { class: "quiet" });
  return [make("h2", {}, say("verify-page.given")), make("ul", { class: "plain" }, list), all];
}

// The trust file that counts: whose it is, and the fingerprints to compare by another way.
async function showTrust(say, place, text, isOwn, file) {
  const heading = make("h2", {}, say("verify-page.trust"));
  if (text === null) {
    place.replaceChildren(heading, make("p", {}, say("verify-page.trust-needed")));
    return;
  }
  const fault = await trustFault(text);
  if (fault) {
    const facts = { name: file ?? "trust.json", why: say("error.malformed-trust", fault) };
    place.replaceChildren(heading, make("p", { class: "note" }, say("verify-page.said-trust-bad", facts)));
    return;
  }
  const code = isOwn ? "verify-page.trust-own" : "verify-page.trust-file";
  const { name, logs, witnesses, quorum } = JSON.parse(text);
  const parts = [];
  for (const { key } of logs) {
    parts.push(await showKey(key, (origin) => say("verify.log", { origin, name })));
  }
  parts.push(make("p", {}, say("verify.compare")));
  for (const key of witnesses) {
    parts.push(await showKey(key, (witness) => say("verify-page.witness", { name: witness })));
  }
  if (witnesses.length) {
    parts.push(make("p", {}, say("verify-page.quorum", { quorum })));
  }
  place.replaceChildren(heading, make("p", { class: "note" }, say(code, { name: file })), ...parts);
}

async function showKey(key, words) {
  const [name, , key64] = splitKey(key);
  const bytes = Uint8Array.from(atob(key64), (char) => char.charCodeAt(0));
  const hex = await digestOf(new Blob([bytes]));
  return make("p", {}, words(name), " ", make("code", { class: "fingerprint" }, grouped(hex)));
}

// name+id+base64, which may have plus signs of its own.
function splitKey(key) {
  const [name, id, ...rest] = key.split("+");
  return [name, id, rest.join("+")];
}
