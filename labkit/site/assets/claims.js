// The claims' page: finds statements by text, chapter or id, filters by verdict, copies a statement's link.
(() => {
  "use strict";
  const bar = document.querySelector("[data-find]");
  if (!bar) return;
  const field = document.getElementById("find");
  const found = document.getElementById("found");
  const buttons = [...bar.querySelectorAll("[data-kind]")];
  const claims = [...document.querySelectorAll(".lk-claim")].map((at) => ({
    at, id: at.dataset.id, kind: at.dataset.kind, text: `${at.textContent} ${at.dataset.other}`.toLowerCase(),
  }));
  const chapters = [...document.querySelectorAll(".lk-chapter")];
  let kind = "";

  const has = (claim, word) =>
    /^\d[\d.]*$/.test(word) && word.includes(".") ? claim.id === word || claim.id.startsWith(word) : claim.text.includes(word);

  function filter() {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const claim of claims) {
      const fits = (!kind || claim.kind === kind) && words.every((word) => has(claim, word));
      claim.at.hidden = !fits;
      shown += fits;
    }
    for (const chapter of chapters) chapter.hidden = !chapter.querySelector(".lk-claim:not([hidden])");
    const { said, none } = found.dataset;
    found.textContent = shown ? said.replace("SHOWN", shown).replace("ALL", claims.length) : none;
  }

  function choose(wanted) {
    kind = wanted;
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.kind === kind));
    filter();
  }

  // A link to a statement or chapter that the filter hides shows it.
  function arrive() {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target || !target.closest(".lk-chapter") || !target.closest("[hidden]")) return;
    field.value = "";
    choose("");
    target.scrollIntoView();
  }

  field.addEventListener("input", filter);
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !field.value) return;
    event.preventDefault();
    field.value = "";
    filter();
  });
  for (const button of buttons) button.addEventListener("click", () => choose(button.dataset.kind));
  for (const anchor of document.querySelectorAll(".lk-anchor")) {
    anchor.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(anchor.href);
        found.textContent = found.dataset.copied;
      } catch {
        // no clipboard here: the address bar holds the link
      }
    });
  }
  addEventListener("hashchange", arrive);
  bar.hidden = false;
  filter();
})();
