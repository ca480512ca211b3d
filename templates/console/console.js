"use strict";
(() => {
  // Filters answer while a user types: the part of the page that a form names is fetched again and replaced. Without
  // this script, the button of the form does the same.
  const PAUSE = 150;
  const REFRESH = 2000;

  // After Back, the fields say what the page answers, and not what was typed in them before it was left.
  addEventListener("pageshow", () => document.querySelectorAll("form[role=search]").forEach((form) => form.reset()));

  // After a reload, the page does not say once more what was saved or deleted.
  if (document.querySelector("[data-said-once]")) {
    const address = new URL(location.href);
    for (const name of ["saved", "deleted"]) address.searchParams.delete(name);
    history.replaceState(null, "", address);
  }

  async function fetched(url) {
    const answer = await fetch(url, { credentials: "same-origin" });
    return answer.ok ? new DOMParser().parseFromString(await answer.text(), "text/html") : null;
  }

  for (const form of document.querySelectorAll("form[data-live]")) {
    let timer = 0;
    let asked = 0;
    const show = async () => {
      const fields = new URLSearchParams(new FormData(form));
      for (const [name, value] of [...fields]) if (!value) fields.delete(name);
      const url = `${form.action}?${fields}`;
      const mine = ++asked;
      const page = await fetched(url).catch(() => null);
      if (!page || mine !== asked) return;
      const part = page.getElementById(form.dataset.live);
      document.getElementById(form.dataset.live).replaceWith(document.adoptNode(part));
      history.replaceState(null, "", url);
    };
    form.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(show, PAUSE);
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      clearTimeout(timer);
      show();
    });
  }

  // A list of mistakes: once the objects have other ones, or none, the page shows what it was asked for.
  for (const list of document.querySelectorAll("[data-follow]")) {
    const look = async () => {
      const page = document.hidden ? null : await fetched(location.href).catch(() => null);
      if (page && page.getElementById(list.id)?.textContent !== list.textContent) location.reload();
      else setTimeout(look, REFRESH);
    };
    setTimeout(look, REFRESH);
  }

  for (const part of document.querySelectorAll("[data-refresh]")) {
    const refresh = async () => {
      if (!document.hidden) {
        const page = await fetched(part.dataset.refresh).catch(() => null);
        if (page && page.body.innerHTML !== part.innerHTML) part.replaceChildren(...page.body.childNodes);
      }
      setTimeout(refresh, REFRESH);
    };
    setTimeout(refresh, REFRESH);
  }
})();
