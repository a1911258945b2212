// Before anything is painted: goes to the remembered language, and sets the remembered theme. "auto", or nothing
// remembered, follows the system.
(() => {
  "use strict";
  let theme = null;
  let language = null;
  try {
    theme = localStorage.getItem("labkit-theme");
    language = localStorage.getItem("labkit-language");
  } catch {
    // no storage: a private window, or a browser that gives none to files
  }
  const other = document.querySelector("link[rel=alternate][hreflang]");
  if (other && language === other.hreflang) {
    document.documentElement.dataset.leaving = "";
    location.replace(other.href + location.hash);
  }
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
})();
