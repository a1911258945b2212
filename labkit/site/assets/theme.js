// Sets the remembered theme before anything is painted. "auto", or nothing remembered, follows the system.
(() => {
  "use strict";
  let theme = null;
  try {
    theme = localStorage.getItem("labkit-theme");
  } catch {
    // no storage: a private window, or a browser that gives none to files
  }
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
})();
