// SPDX-License-Identifier: Apache-2.0
// Progress while a file goes up, and a state that moves by itself. Without it the page works too.
"use strict";

function watchUpload(form) {
  const bar = document.getElementById("progress");
  const told = document.getElementById("told");
  const button = form.querySelector("button");
  function fail(text) {
    told.textContent = text;
    told.hidden = false;
    bar.hidden = true;
    button.disabled = false;
  }
  form.addEventListener("submit", (event) => {
    const file = form.elements.file.files[0];
    if (file && file.name.toLowerCase().endsWith(".zip")) {
      return; // What became of each table in it is a page of its own.
    }
    event.preventDefault();
    if (file && file.size > Number(form.dataset.most)) {
      fail(form.dataset.tooLarge);
      return;
    }
    const request = new XMLHttpRequest();
    request.open("POST", form.action);
    request.setRequestHeader("Accept", "application/json");
    request.upload.addEventListener("progress", (at) => {
      if (at.lengthComputable) {
        bar.max = at.total;
        bar.value = at.loaded;
        bar.textContent = Math.floor((100 * at.loaded) / at.total) + " %";
      }
    });
    request.addEventListener("load", () => {
      let answer = {};
      try {
        answer = JSON.parse(request.responseText);
      } catch {
        answer = {};
      }
      if (request.status < 300 && typeof answer.location === "string") {
        location.assign(answer.location);
      } else {
        fail(answer.detail || form.dataset.failed);
      }
    });
    for (const name of ["error", "abort", "timeout"]) {
      request.addEventListener(name, () => fail(form.dataset.failed));
    }
    told.hidden = true;
    bar.hidden = false;
    bar.removeAttribute("value");
    button.disabled = true;
    request.send(new FormData(form));
  });
}

function watchState() {
  const shown = document.getElementById("state");
  if (!shown || shown.dataset.done === "yes") {
    return;
  }
  setTimeout(async () => {
    try {
      const answer = await fetch(location.href, { credentials: "same-origin" });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.getElementById("state");
      if (answer.redirected || !fresh) {
        location.reload();
        return;
      }
      shown.replaceWith(fresh);
    } catch {
      // The notary is away: the next look may find it.
    }
    watchState();
  }, 3000);
}

const upload = document.getElementById("upload");
if (upload) {
  watchUpload(upload);
}
watchState();
