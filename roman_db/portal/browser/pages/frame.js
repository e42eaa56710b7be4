// What every page has: the choice of colours, and keys.

import { startTheme } from "../parts/theme.js";

startTheme(document.querySelector("#theme"));
const search = document.querySelector("#search");
const help = document.querySelector("#keys");
document.querySelector("#help").addEventListener("click", () => help.showModal());
const writes = (element) => element.closest("input, textarea, select, [contenteditable=true]") !== null;

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || writes(event.target)) return;
  if (event.key === "/") {
    event.preventDefault();
    search.focus();
    search.select();
  } else if (event.key === "?") {
    event.preventDefault();
    help.showModal();
  }
});
