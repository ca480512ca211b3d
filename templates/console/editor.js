"use strict";
(() => {
  // The page works without this script: each button sends the form, and the server answers with the page. The script
  // only spares the reload, and asks while a user types what the change does.
  const PAUSE = 300;
  const AGAIN = 1000;
  const EMPTY = "Some fields are still empty.";
  const form = document.getElementById("editor");
  const fields = document.getElementById("fields");
  const progress = document.getElementById("progress");
  const summary = document.getElementById("summary");
  const sections = [...document.querySelectorAll("#answers > section")];
  const touched = new Set();
  const typed = new Map();
  let checked = !("new" in form.dataset);
  let timer = 0;
  let asking = null;
  let changed = false;
  let leaving = false;
  let drawing = Promise.resolve();
  let released = Promise.resolve();

  const body = () => new URLSearchParams(new FormData(form));
  const named = (name) => [...fields.querySelectorAll("[name]")].filter((each) => each.name === name);

  async function post(url, sent, signal) {
    const options = { method: "POST", body: sent, credentials: "same-origin", signal };
    const answer = await fetch(url, options);
    if (answer.status !== 403 || !(await renewed(sent))) return answer;
    return fetch(url, options);
  }

  // A console that was started again knows a browser by a new session, and what the user has typed is still here.
  async function renewed(sent) {
    const page = await fetch("/policies/edit", { credentials: "same-origin" });
    const found = new DOMParser().parseFromString(await page.text(), "text/html").querySelector("[name=csrf]");
    const mine = form.querySelector("[name=csrf]");
    if (!page.ok || !found || found.value === mine.value) return false;
    mine.value = found.value;
    sent.set("csrf", found.value);
    return true;
  }

  async function refusal(answer) {
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const reason = page.querySelector("main > p")?.textContent || `No answer: ${answer.status}`;
    return answer.status === 403 ? `${reason} This page keeps what you have typed.` : reason;
  }

  function say(sentence, doing = "") {
    if (summary.textContent !== sentence) summary.textContent = sentence;
    progress.textContent = doing;
  }

  // One after the other: each sends the state that the one before has drawn.
  function redraw(action, url = form.action) {
    drawing = drawing.then(() => draw(action, url));
  }

  async function draw(action, url) {
    if (leaving) return;
    asking?.abort();
    const sent = body();
    if (action) sent.append("do", action);
    if (action === "check" || url !== form.action) checked = true;
    typed.clear();
    const answer = await post(url, sent).catch(() => null);
    if (!answer) return say("The console does not answer; is it still running?");
    if (answer.redirected) {
      leaving = true;
      location.assign(answer.url);
      return;
    }
    if (answer.status === 403) return say(await refusal(answer));
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (!page.getElementById("fields")) return say((page.querySelector("main") || page.body).textContent.trim());
    await released;
    replace(page);
    ask();
  }

  function replace(page) {
    const before = document.activeElement;
    const [name, value] = [before?.name, before?.value];
    for (const id of ["fields", "save"]) {
      document.getElementById(id).replaceChildren(...document.adoptNode(page.getElementById(id)).childNodes);
    }
    document.title = page.title;
    document.querySelector("h1").textContent = page.querySelector("h1").textContent;
    for (const [each, text] of typed) named(each).forEach((field) => (field.value = text));
    if (form.contains(before)) return;
    const found =
      focused(document.getElementById("focus").value) ||
      fields.querySelector("[role=alert], [aria-invalid]") ||
      (name && [...form.querySelectorAll("[name]")].find((each) => each.name === name && (name !== "do" || each.value === value)));
    if (found && !found.matches("input, select, textarea, button")) found.tabIndex = -1;
    found?.focus();
    found?.closest(".peer, .rule")?.scrollIntoView({ block: "nearest" });
  }

  // The first field of a row, or the button of this value.
  function focused(path) {
    if (!path) return null;
    const controls = [...fields.querySelectorAll("input:not([type=hidden]), select, button")];
    return controls.find((each) => (each.name === "do" ? each.value === path : each.name.startsWith(`${path}.`)));
  }

  async function ask() {
    clearTimeout(timer);
    asking?.abort();
    const mine = (asking = new AbortController());
    const left = new Set(sections);
    for (const each of sections) each.classList.toggle("old", each.hasChildNodes());
    progress.textContent = "…";
    try {
      const answer = await post(form.dataset.draft, body(), mine.signal);
      if (!answer.ok) {
        return say(await refusal(answer));
      }
      let rest = "";
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      for (;;) {
        const { done, value } = await reader.read();
        if (mine !== asking) return;
        if (done) break;
        const lines = (rest + value).split("\n");
        rest = lines.pop();
        for (const line of lines) show(JSON.parse(line), left);
      }
      document.getElementById("old-note").hidden = !sections.some((each) => each.matches(".old"));
    } catch (error) {
      if (error.name !== "AbortError") say(`No answer: ${error.message}`);
    }
  }

  function show(line, left) {
    if (line.mistakes) showMistakes(line.mistakes);
    if (line.summary !== undefined) say(isBlank(line.mistakes) ? EMPTY : line.summary);
    if (line.progress) progress.textContent = line.progress;
    if (line.obstacle !== undefined) showObstacle(line.obstacle);
    if (line.saveDoes !== undefined) document.getElementById("save-does").textContent = line.saveDoes;
    if (line.again) timer = setTimeout(ask, AGAIN);
    if (line.html === undefined) return;
    const section = document.getElementById(`answer-${line.part}`);
    if (!section) return;
    const drawn = new DOMParser().parseFromString(line.html, "text/html");
    section.replaceChildren(...drawn.body.childNodes);
    section.classList.remove("old");
    left.delete(section);
  }

  // A required field that the user has not reached yet is empty, and no mistake so far.
  function isDue(field, sentence) {
    return checked || field.value !== "" || touched.has(field.name) || !sentence.startsWith("missing");
  }

  function isBlank(mistakes = {}) {
    return Object.keys(mistakes).length > 0 && !form.querySelector(".mistakes p");
  }

  function showMistakes(mistakes) {
    const left = new Map(Object.entries(mistakes));
    for (const place of fields ? fields.querySelectorAll("[data-mistakes]") : []) {
      const name = place.dataset.mistakes;
      const controls = named(name);
      const found = (left.get(name) || []).filter((text) => !controls.length || controls.some((each) => isDue(each, text)));
      left.delete(name);
      place.replaceChildren(...found.map(name === "text" ? lineOfText : paragraph));
      for (const field of controls) {
        if (found.length) field.setAttribute("aria-invalid", "true");
        else field.removeAttribute("aria-invalid");
      }
    }
    document.getElementById("answer-mistakes").replaceChildren(...[...left.values()].flat().map(paragraph));
  }

  function showObstacle(sentence) {
    const place = document.getElementById("obstacle");
    place.textContent = sentence;
    place.hidden = sentence === "";
    document.querySelector("#save .first").disabled = sentence !== "";
  }

  function paragraph(text) {
    return Object.assign(document.createElement("p"), { textContent: text });
  }

  // A sentence about the YAML, whose line number leads to the line.
  function lineOfText(sentence) {
    const [, words, rest] = /^(line \d+)(: .*)$/s.exec(sentence) || [];
    if (!words) return paragraph(sentence);
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: words });
    button.className = "link";
    button.addEventListener("click", () => selectLine(Number(words.slice(5))));
    const made = paragraph("");
    made.append(button, rest);
    return made;
  }

  function selectLine(number) {
    const [area] = named("text");
    const lines = area.value.split("\n");
    const start = lines.slice(0, number - 1).join("\n").length + (number > 1 ? 1 : 0);
    area.focus();
    area.setSelectionRange(start, start + (lines[number - 1] || "").length);
    area.scrollTop = (area.scrollHeight / lines.length) * Math.max(0, number - 4);
  }

  function later() {
    clearTimeout(timer);
    timer = setTimeout(ask, PAUSE);
  }

  if (fields) {
    // A field that is left by a click on a button may draw the page again: the button stays until it is released.
    form.addEventListener("pointerdown", (event) => {
      if (!event.target.closest("button")) return;
      released = new Promise((resolve) => {
        for (const name of ["pointerup", "pointercancel"]) addEventListener(name, () => setTimeout(resolve), { once: true });
      });
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const button = event.submitter;
      redraw(button?.value, button?.hasAttribute("formaction") ? button.formAction : form.action);
    });
    form.addEventListener("input", (event) => {
      changed = true;
      if (event.target.type !== "checkbox") typed.set(event.target.name, event.target.value);
      later();
    });
    form.addEventListener("change", (event) => {
      touched.add(event.target.name);
      if (event.target.matches("[data-redraw]")) redraw();
    });
    fields.addEventListener("focusin", (event) => {
      const key = event.target.name?.endsWith(".value") && named(event.target.name.replace(/value$/, "key"))[0];
      if (key) event.target.setAttribute("list", `values-of-${key.value.trim()}`);
    });
    fields.addEventListener("focusout", (event) => {
      if (!event.target.name || touched.has(event.target.name) || !event.target.isConnected) return;
      touched.add(event.target.name);
      later();
    });
    window.addEventListener("beforeunload", (event) => {
      if (changed && !leaving) event.preventDefault();
    });
  }
  ask();
})();
