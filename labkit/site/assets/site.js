// What the pages do: switch theme and language, fold code, draw figures. All else works without it.
(() => {
  "use strict";
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const THEMES = ["auto", "light", "dark"];

  const remembered = () => root.dataset.theme ?? "auto";
  const colour = (name) => getComputedStyle(root).getPropertyValue(name).trim();

  // ---- theme
  const themeSwitch = document.querySelector("[data-theme-switch]");
  function setTheme(theme) {
    if (theme === "auto") delete root.dataset.theme;
    else root.dataset.theme = theme;
    try {
      localStorage.setItem("labkit-theme", theme);
    } catch {
      // it then lasts for this page only
    }
    themeSwitch.textContent = themeSwitch.dataset[theme];
    recolour();
  }
  if (themeSwitch) {
    themeSwitch.textContent = themeSwitch.dataset[remembered()];
    themeSwitch.hidden = false;
    themeSwitch.addEventListener("click", () => {
      setTheme(THEMES[(THEMES.indexOf(remembered()) + 1) % THEMES.length]);
    });
  }

  // ---- language
  const languageSwitch = document.querySelector("[data-language-switch]");
  if (languageSwitch) {
    languageSwitch.addEventListener("click", () => {
      try {
        localStorage.setItem("labkit-language", languageSwitch.hreflang);
      } catch {
        // the link leads there all the same
      }
      languageSwitch.hash = location.hash;
    });
  }

  // ---- search and links
  const searchLink = document.querySelector("[data-search-link]");
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input, textarea, select");
    if (event.key !== "/" || event.defaultPrevented || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const field = document.querySelector("#find, #search");
    if (field) field.focus();
    else searchLink?.click();
  });
  const told = document.querySelector("[data-told]");
  for (const anchor of document.querySelectorAll(".lk-permalink")) {
    anchor.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(anchor.href);
        told.textContent = told.dataset.copied;
        setTimeout(() => { told.textContent = ""; }, 2000);
      } catch {
        // no clipboard here: the address bar holds the link
      }
    });
  }

  // What a link leads to may lie in a fold.
  function unfold() {
    let target = null;
    try {
      target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    } catch {
      return; // a hash that is no text
    }
    const fold = target?.closest("details:not([open])");
    if (!fold) return;
    fold.open = true;
    target.scrollIntoView();
  }
  addEventListener("hashchange", unfold);
  unfold();

  // ---- code
  const codeSwitch = document.querySelector("[data-code-switch]");
  const folds = [...document.querySelectorAll("details.lk-code")];
  if (codeSwitch && folds.length) {
    const show = () => {
      codeSwitch.textContent = folds.every((fold) => fold.open) ? codeSwitch.dataset.hide : codeSwitch.dataset.show;
    };
    codeSwitch.hidden = false;
    codeSwitch.addEventListener("click", () => {
      const open = !folds.every((fold) => fold.open);
      for (const fold of folds) fold.open = open;
      show();
    });
    for (const fold of folds) fold.addEventListener("toggle", show);
    show();
  }

  // ---- figures
  const NARROW_PX = 600;
  const LETTER_PX = 6.5; // of an annotation's letter, on the average
  const CONFIG = { responsive: true, displaylogo: false, displayModeBar: "hover", modeBarButtonsToRemove: ["lasso2d", "select2d"] };
  const plain = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
  const drawn = [];

  function merged(base, more) {
    const out = { ...(plain(base) ? base : {}) };
    for (const [key, value] of Object.entries(more)) out[key] = plain(value) ? merged(out[key], value) : value;
    return out;
  }

  // Figures are made for light pages. On a dark one, their greys that would vanish or glare are turned over; colours stay.
  function grey(text) {
    if (typeof text !== "string") return null;
    const named = { black: "#000000", white: "#ffffff", gray: "#808080", grey: "#808080" }[text] ?? text;
    const hex = /^#([0-9a-f]{3}|[0-9a-f]{6})$/i.exec(named)?.[1];
    const parts = hex
      ? (hex.length === 3 ? [...hex].map((digit) => digit + digit) : hex.match(/../g)).map((pair) => parseInt(pair, 16))
      : /^rgba?\((\d+),\s*(\d+),\s*(\d+)/.exec(named)?.slice(1).map(Number);
    if (!parts || Math.max(...parts) - Math.min(...parts) > 40) return null;
    return (parts[0] + parts[1] + parts[2]) / 3;
  }

  function turned(text) {
    if (colour("--is-dark") !== "1") return text;
    const level = grey(text);
    if (level === null) return text;
    if (level < 110) return colour("--ink");
    return level > 225 ? colour("--page") : text;
  }

  const PAINTED = ["error_x", "error_y", "line", "marker", "textfont", "outsidetextfont", "font"];
  function turnedOver(value) {
    if (!plain(value)) return value;
    const out = { ...value };
    for (const [key, inner] of Object.entries(value)) {
      if (key === "color" && typeof inner === "string") out[key] = turned(inner);
      else if (PAINTED.includes(key)) out[key] = turnedOver(inner);
    }
    return out;
  }

  // Lines of an annotation broken where a narrow figure would cut them off.
  function wrapped(text, letters) {
    if (typeof text !== "string") return text;
    const lines = text.split(/<br\s*\/?>/i).map((line) => {
      let length = 0;
      return line.split(" ").reduce((sofar, word) => {
        const seen = word.replace(/<[^>]*>/g, "").length;
        const broken = length > 0 && length + 1 + seen > letters;
        length = broken || !sofar ? seen : length + 1 + seen;
        return sofar ? sofar + (broken ? "<br>" : " ") + word : word;
      }, "");
    });
    return lines.join("<br>");
  }

  function look(layout, width) {
    const ink = colour("--ink");
    const grid = colour("--line");
    const page = colour("--page");
    const axis = {
      gridcolor: grid, zerolinecolor: grid, linecolor: colour("--quiet"), tickcolor: grid, automargin: true,
      tickfont: { color: ink }, title: { font: { color: ink } },
    };
    const style = {
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      font: { color: ink, family: colour("--sans"), size: width < NARROW_PX ? 11 : 13 },
      hoverlabel: { bgcolor: page, bordercolor: grid, font: { color: ink } },
      legend: { bgcolor: "rgba(0,0,0,0)", font: { color: ink } },
      modebar: { bgcolor: "rgba(0,0,0,0)", color: colour("--quiet"), activecolor: ink },
    };
    const names = new Set(["xaxis", "yaxis", ...Object.keys(layout).filter((key) => /^[xy]axis\d*$/.test(key))]);
    for (const name of names) style[name] = axis;
    if (width < NARROW_PX) {
      style.legend = { ...style.legend, orientation: "h", x: 0, xanchor: "left", y: 1.02, yanchor: "bottom" };
    }
    const out = merged(layout, style);
    const margin = plain(layout.margin) ? layout.margin : {};
    out.margin = { ...margin, t: Math.min(margin.t ?? 32, 64), l: margin.l ?? 56, r: Math.min(margin.r ?? 16, 32), b: margin.b ?? 48 };
    out.autosize = true;
    for (const key of ["annotations", "shapes"]) {
      if (Array.isArray(layout[key])) out[key] = layout[key].map(turnedOver);
    }
    if (width < NARROW_PX && out.annotations) {
      const letters = Math.floor(width / LETTER_PX);
      out.annotations = out.annotations.map((note) => (plain(note) ? { ...note, text: wrapped(note.text, letters) } : note));
    }
    if (plain(layout.template) && plain(layout.template.data)) {
      const kinds = Object.entries(layout.template.data).filter(([, list]) => Array.isArray(list));
      out.template = { ...layout.template, data: Object.fromEntries(kinds.map(([kind, list]) => [kind, list.map(turnedOver)])) };
    }
    return out;
  }

  async function draw(place, figure, first) {
    const data = figure.data.map(turnedOver);
    const layout = look(figure.layout ?? {}, place.clientWidth);
    if (first) await Plotly.newPlot(place, data, layout, CONFIG);
    else await Plotly.react(place, data, layout, CONFIG);
  }

  async function drawAll() {
    for (const place of document.querySelectorAll("[data-figure]")) {
      try {
        const figure = JSON.parse(place.parentElement.querySelector('script[type="application/json"]').textContent);
        place.style.height = `${Number(place.dataset.height) || 420}px`;
        await draw(place, figure, true);
        drawn.push([place, figure]);
      } catch (error) {
        place.style.height = "auto";
        place.textContent = place.dataset.failed.replace("WHY", () => String(error?.message ?? error));
      }
      await new Promise((next) => setTimeout(next)); // lets the page answer between two figures
    }
    root.dataset.figures = "drawn";
  }

  function recolour() {
    for (const [place, figure] of drawn) draw(place, figure, false);
  }

  system.addEventListener("change", () => recolour());
  addEventListener("beforeprint", () => {
    recolour();
  });
  addEventListener("afterprint", () => {
    delete root.dataset.printing;
    recolour();
  });

  // plotly's script is many times as large as a page: it is asked for when the page can be read and the browser rests.
  function drawLate() {
    const script = document.createElement("script");
    script.src = root.dataset.plotly;
    script.addEventListener("load", drawAll);
    script.addEventListener("error", drawAll); // each figure then says why it is not there
    document.head.append(script);
  }
  if (document.querySelector("[data-figure]") && root.dataset.leaving === undefined) {
    const rest = window.requestIdleCallback ?? ((then) => setTimeout(then, 1)); // Safari has none
    if (document.readyState === "complete") rest(drawLate);
    else addEventListener("load", () => rest(drawLate));
  }
})();
