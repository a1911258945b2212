// The page of the search: finds lines of the index by words, in any language; texts are put in as texts.
(() => {
  "use strict";
  const field = document.getElementById("search");
  const list = document.getElementById("results");
  const told = document.getElementById("told");
  const MOST = 100;
  const even = (text) => text.normalize("NFKC").toLowerCase();
  const lines = (globalThis.labkitIndex ?? []).map(([kind, title, where, address, more]) => ({
    kind, title, where, address, head: even(title), words: even(`${title} ${where} ${more}`),
  }));

  function item(line) {
    const at = document.createElement("li");
    const link = document.createElement("a");
    link.href = `./${line.address}`;
    link.textContent = line.title;
    const what = document.createElement("span");
    what.className = "lk-badge";
    what.textContent = list.getAttribute(`data-kind-${line.kind}`);
    const where = document.createElement("span");
    where.className = "lk-quiet";
    where.textContent = line.where;
    at.append(what, " ", link, " ", where);
    return at;
  }

  function find() {
    const words = even(field.value).split(/\s+/).filter(Boolean);
    const found = words.length ? lines.filter((line) => words.every((word) => line.words.includes(word))) : [];
    const weight = (line) => words.filter((word) => line.head.includes(word)).length;
    const best = found.map((line) => [weight(line), line]).sort((a, b) => b[0] - a[0]).slice(0, MOST);
    list.replaceChildren(...best.map(([, line]) => item(line)));
    const { said, none } = told.dataset;
    if (!words.length) told.textContent = "";
    else told.textContent = best.length ? said.replace("SHOWN", best.length).replace("ALL", found.length) : none;
  }

  const asked = () => {
    try {
      return decodeURIComponent(location.hash.slice(1));
    } catch {
      return ""; // a hash that is no text
    }
  };
  field.addEventListener("input", () => {
    history.replaceState(null, "", `#${encodeURIComponent(field.value)}`);
    find();
  });
  addEventListener("hashchange", () => {
    if (field.value !== asked()) {
      field.value = asked();
      find();
    }
  });
  field.value = asked();
  field.focus();
  find();
})();
