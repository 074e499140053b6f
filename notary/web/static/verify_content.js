// SPDX-License-Identifier: Apache-2.0
// The content that a receipt carries, to be read: shown only where it was proved.

import { make, visible } from "./verify_words.js";

const MOST_SHOWN_BYTES = 4096;

// The content inside a receipt/1 that holds, as an element; null where it has none, or one that is
// long or no text. `text` is the receipt's.
export function showContent(say, text) {
  const receipt = JSON.parse(text);
  const bytes = bytesInside(receipt);
  if (bytes === null || bytes.length === 0 || bytes.length > MOST_SHOWN_BYTES) {
    return null;
  }
  const isTable = receipt.kind === "row" && JSON.parse(receipt.descriptor).profile === "csv-v1";
  const shown = isTable ? cellsOf(bytes) : [textOf(bytes)];
  if (shown.includes(null)) {
    return null;
  }
  const parts = isTable
    ? make("ol", { class: "cells" }, shown.map((cell) => make("li", {}, visible(cell))))
    : make("pre", { tabindex: "0" }, shown[0].split("\n").map(visible).join("\n"));
  return make("div", {}, make("h4", {}, say("verify-page.inside")), parts);
}

function bytesInside({ payload, row }) {
  const text = payload ?? row?.bytes ?? null;
  return text === null ? null : Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
}

// rows-v1.md: of each cell its length in four bytes before it.
function cellsOf(bytes) {
  const cells = [];
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < bytes.length; ) {
    const end = at + 4 + view.getUint32(at);
    cells.push(textOf(bytes.subarray(at + 4, end)));
    at = end;
  }
  return cells;
}

function textOf(bytes) {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}
