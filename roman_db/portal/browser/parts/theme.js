// The colours of the page, light or dark as the reader chose or the system says.

const KEY = "roman-db.theme";
const listeners = [];

export function startTheme(button) {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const chosen = localStorage.getItem(KEY);
  if (chosen) document.documentElement.dataset.theme = chosen;
  const isDark = () =>
    (document.documentElement.dataset.theme ?? (system.matches ? "dark" : "light")) === "dark";
  const tell = () => {
    button.setAttribute("aria-pressed", String(isDark()));
    listeners.forEach((listener) => listener());
  };
  button.addEventListener("click", () => {
    const next = isDark() ? "light" : "dark";
    document.documentElement.dataset.theme = next;
    localStorage.setItem(KEY, next);
    tell();
  });
  system.addEventListener("change", tell);
  tell();
}

export function onTheme(listener) {
  listeners.push(listener);
}

// A colour of the style sheet as a canvas takes it, as it is within an element.
export function colour(name, host = document.body) {
  const probe = document.createElement("span");
  probe.style.color = `var(--${name})`;
  host.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

const ELEMENTS = ["f062", "f087", "f106", "f129", "f146", "f158", "f184", "f213"];

// An optical element has a colour and a shape.
export function elementColour(name, host = document.body) {
  const known = name.toLowerCase();
  return colour(ELEMENTS.includes(known) ? known : "ink", host);
}
