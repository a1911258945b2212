// What the pages do: switch the theme, fold code, draw figures. All else works without it.
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
  const CONFIG = { responsive: true, displaylogo: false, displayModeBar: "hover", modeBarButtonsToRemove: ["lasso2d", "select2d"] };
  const plain = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
  const drawn = [];

  function merged(base, more) {
    const out = { ...(plain(base) ? base : {}) };
    for (const [key, value] of Object.entries(more)) out[key] = plain(value) ? merged(out[key], value) : value;
    return out;
  }

  // A colour of the figure's own that would vanish: near black on dark, near white on light.
  function vanishes(text, dark) {
    const found = /^#([0-9a-f]{3}|[0-9a-f]{6})$/i.exec(text ?? "") ?? /^rgba?\((\d+),\s*(\d+),\s*(\d+)/.exec(text ?? "");
    let parts;
    if (text === "black") parts = [0, 0, 0];
    else if (text === "white") parts = [255, 255, 255];
    else if (!found) return false;
    else if (found.length === 2) {
      const hex = found[1].length === 3 ? [...found[1]].map((digit) => digit + digit).join("") : found[1];
      parts = [0, 2, 4].map((at) => parseInt(hex.slice(at, at + 2), 16));
    } else parts = found.slice(1, 4).map(Number);
    const light = (0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]) / 255;
    return dark ? light < 0.35 : light > 0.8;
  }

  function look(layout, width) {
    const ink = colour("--ink");
    const grid = colour("--line");
    const page = colour("--page");
    const dark = colour("--is-dark") === "1";
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
    if (Array.isArray(layout.annotations)) {
      out.annotations = layout.annotations.map((note) => {
        if (!plain(note)) return note;
        const font = plain(note.font) ? note.font : {};
        return { ...note, font: { ...font, color: !font.color || vanishes(font.color, dark) ? ink : font.color } };
      });
    }
    if (Array.isArray(layout.shapes)) {
      out.shapes = layout.shapes.map((shape) => {
        if (!plain(shape) || !plain(shape.line) || !vanishes(shape.line.color, dark)) return shape;
        return { ...shape, line: { ...shape.line, color: ink } };
      });
    }
    return out;
  }

  // Marks and lines that would vanish take the ink's colour; interval bars are of this kind.
  function traces(data) {
    const dark = colour("--is-dark") === "1";
    const ink = colour("--ink");
    const mend = (value) => {
      if (!plain(value)) return value;
      const out = { ...value };
      for (const [key, inner] of Object.entries(value)) {
        if (key === "color" && typeof inner === "string" && vanishes(inner, dark)) out[key] = ink;
        else if (["error_x", "error_y", "line", "marker", "textfont", "outsidetextfont"].includes(key)) out[key] = mend(inner);
      }
      return out;
    };
    return data.map(mend);
  }

  async function draw(place, figure, first) {
    const data = traces(figure.data);
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

  if (document.querySelector("[data-figure]")) drawAll();
})();
