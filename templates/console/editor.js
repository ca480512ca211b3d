"use strict";
(() => {
  // The page works without this script: each button sends the form, and the server answers with the page. The script
  // only spares the reload, and asks while a user types what the policy does.
  const PAUSE = 300;
  const form = document.getElementById("editor");
  const fields = document.getElementById("fields");
  const progress = document.getElementById("progress");
  const body = () => new URLSearchParams(new FormData(form));
  let timer = 0;
  let asking = null;
  let changed = false;

  function post(url, sent, signal) {
    return fetch(url, { method: "POST", body: sent, credentials: "same-origin", signal });
  }

  async function redraw(action, url = form.action) {
    const sent = body();
    if (action) sent.append("do", action);
    const answer = await post(url, sent).catch(() => null);
    if (!answer) {
      progress.textContent = "The console does not answer; is it still running?";
      return;
    }
    if (answer.redirected) {
      changed = false;
      location.assign(answer.url);
      return;
    }
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const drawn = page.getElementById("fields");
    if (!drawn) {
      progress.textContent = page.body.textContent.trim();
      return;
    }
    const focus = nextFocus(action);
    fields.replaceChildren(...document.adoptNode(drawn).childNodes);
    (focus() || fields.querySelector("[aria-invalid]"))?.focus();
    ask();
  }

  // After a row has come, its first field has the focus; otherwise what had it.
  function nextFocus(action) {
    const name = document.activeElement?.name;
    const value = document.activeElement?.value;
    const [verb, path] = (action || "").split(" ");
    if (verb === "add") {
      return () => [...fields.querySelectorAll("input:not([type=hidden]), select")].filter((each) => each.name.startsWith(`${path}.`)).find((each, _, all) => each.name.split(".")[path.split(".").length] === String(Math.max(...all.map((one) => Number(one.name.split(".")[path.split(".").length])).filter(Number.isInteger))));
    }
    if (verb === "remove") return () => fields.querySelector(`[value="add ${path.slice(0, path.lastIndexOf("."))}"]`);
    return () => name && [...fields.querySelectorAll("[name]")].find((each) => each.name === name && (name !== "do" || each.value === value));
  }

  async function ask() {
    asking?.abort();
    const mine = (asking = new AbortController());
    progress.textContent = "…";
    try {
      const answer = await post(form.dataset.draft, body(), mine.signal);
      if (!answer.ok) throw new Error(answer.statusText);
      let rest = "";
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      for (;;) {
        const { done, value } = await reader.read();
        if (mine !== asking) return;
        if (done) break;
        const lines = (rest + value).split("\n");
        rest = lines.pop();
        for (const line of lines) show(JSON.parse(line));
      }
    } catch (error) {
      if (error.name !== "AbortError") progress.textContent = `No answer: ${error.message}`;
    }
  }

  function show(part) {
    if (part.progress !== undefined) progress.textContent = part.progress;
    if (part.mistakes) showMistakes(part.mistakes);
    if (part.html !== undefined) {
      const drawn = new DOMParser().parseFromString(part.html, "text/html");
      document.getElementById(`answer-${part.part}`).replaceChildren(...drawn.body.childNodes);
    }
  }

  function showMistakes(mistakes) {
    for (const place of fields.querySelectorAll("[data-mistakes]")) {
      const found = mistakes[place.dataset.mistakes] || [];
      place.replaceChildren(...found.map((text) => Object.assign(document.createElement("p"), { textContent: text })));
      for (const field of fields.querySelectorAll(`[name="${CSS.escape(place.dataset.mistakes)}"]`)) {
        if (found.length) field.setAttribute("aria-invalid", "true");
        else field.removeAttribute("aria-invalid");
      }
    }
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(timer);
    redraw(event.submitter?.value, event.submitter?.formAction);
  });
  form.addEventListener("input", () => {
    changed = true;
    clearTimeout(timer);
    timer = setTimeout(ask, PAUSE);
  });
  form.addEventListener("change", (event) => {
    if (event.target.matches("[data-redraw]")) redraw();
  });
  window.addEventListener("beforeunload", (event) => {
    if (changed) event.preventDefault();
  });
  ask();
})();
