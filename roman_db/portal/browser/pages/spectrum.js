// The page of a spectrum: flux with its errors, lines at a redshift that one chooses, and how likely each is.

import { ask, latest, later, say } from "../parts/request.js";
import { Plot } from "../parts/plot.js";

const find = (selector) => document.querySelector(selector);
const { spectrum: spectrumId, unit } = find("main").dataset;
const message = find("#spectrum-message"),
  readout = find("#point"),
  chosen = find("#z");
const GREEK = { alpha: "α", beta: "β", gamma: "γ", delta: "δ" };
const named = (name) => name.replace(/alpha|beta|gamma|delta/, (word) => GREEK[word]).replace(/^P(?=[αβγ])/, "Pa");
let answer = null,
  density = null,
  isWhole = false; // all pixels of the spectrum are here

const plot = new Plot(find("#spectrum"), {
  height: 360,
  label: "Flux over wavelength. Arrows move, plus and minus zoom, 0 shows all, n and p read single pixels.",
  xLabel: "wavelength in vacuum [µm]",
  yLabel: unit,
  onSpan: (first, last) => zoomed([first, last]),
  onWhole: () => {
    if (answer) plot.zoomTo(answer.whole);
  },
  onPoint: (layer, i) => read(layer, i),
});

const fetch = latest((signal, span) =>
  ask(
    `spectrum/${spectrumId}`,
    { first: span?.[0], last: span?.[1], columns: plot.columns },
    signal,
  ),
);
const refine = later((span) => load(span), 60);

function zoomed(span) {
  find("#spectrum").dataset.span = span.map((one) => one.toFixed(6)).join(" ");
  if (!isWhole) refine(span);
}

async function load(span) {
  try {
    const found = await fetch(span);
    if (found === null) return;
    const isFirst = answer === null;
    answer = found;
    isWhole = found.is_exact && span === null;
    show(span ?? answer.whole);
    if (isFirst) showDensity();
  } catch (error) {
    say(message, error.message, true);
  }
}

const redshift = () => (chosen && chosen.value !== "" ? Number(chosen.value) : null);

// Lines that fall on the spectrum at the chosen redshift.
function marks() {
  const z = redshift();
  if (z === null || !(z > -1)) return { kind: "marks", colour: "model", x: [], y: [], names: [] };
  const seen = answer.lines
    .map((one) => ({ name: named(one.name), x: one.wavelength * (1 + z) }))
    .filter((one) => one.x >= answer.whole[0] && one.x <= answer.whole[1]);
  return {
    kind: "marks",
    colour: "model",
    x: seen.map((one) => one.x),
    y: [],
    names: seen.map((one) => one.name),
  };
}

// Pixels that are good and those that are not, each as points to be read.
function points(isMasked) {
  const some = answer.flux.flatMap((flux, i) => ((answer.mask[i] !== 0) === isMasked && flux !== null ? [i] : []));
  const of = (values) => some.map((i) => values[i]);
  return {
    kind: "points",
    colour: isMasked ? "quiet" : "accent",
    isHollow: isMasked,
    isMasked,
    isAside: isMasked,
    x: of(answer.wavelength),
    y: of(answer.flux),
    flux_err: of(answer.flux_err),
  };
}

function show(span) {
  const good = answer.flux.map((flux, i) => (answer.mask[i] === 0 ? flux : null));
  const edge = (way) =>
    good.map((flux, i) => (flux === null || answer.flux_err[i] === null ? null : flux + way * answer.flux_err[i]));
  const band = { kind: "band", colour: "accent", x: answer.wavelength, y: [], low: edge(-1), high: edge(1) };
  const line = { kind: "line", colour: "accent", width: 1.2, x: answer.wavelength, y: good };
  const [shown, masked] = [points(false), points(true)];
  plot.show([band, line, masked, shown, marks()], span);
  find("#spectrum").dataset.shown = String(shown.x.length);
  find("#spectrum").dataset.masked = String(masked.x.length);
  find("#spectrum").dataset.marks = marks().names.join(" ");
  find("#spectrum").dataset.span = span.map((one) => one.toFixed(6)).join(" ");
  say(
    message,
    (answer.is_exact
      ? "All pixels are shown."
      : "Of more pixels than this screen can show the lowest and highest are drawn. Zoom in for single ones.") +
      (masked.x.length ? " Hollow ones are masked." : "") +
      " The band is one standard error.",
  );
}

function read(layer, i) {
  const z = redshift();
  const rest = z === null ? "" : ` (${(layer.x[i] / (1 + z)).toFixed(5)} µm at rest)`;
  const error = layer.flux_err[i] === null ? "an unknown error" : layer.flux_err[i].toPrecision(3);
  readout.textContent =
    `${layer.x[i].toFixed(5)} µm${rest}: ${layer.y[i].toPrecision(4)} ± ${error}` +
    `${layer.isMasked ? ", masked" : ""}.`;
}

// The chosen redshift as an upright line.
function chosenLine(high) {
  const z = redshift();
  return { kind: "line", colour: "model", width: 1.6, dash: [5, 4], x: [z, z], y: z === null ? [null, null] : [0, high] };
}

function showDensity() {
  const host = find("#density");
  if (!host || !answer.density?.z.length) return;
  const { z, density: height } = answer.density;
  const margin = (z.at(-1) - z[0]) * 0.1,
    high = 1.06 * Math.max(...height),
    whole = [z[0] - margin, z.at(-1) + margin];
  host.hidden = false;
  density = new Plot(host, {
    height: 180,
    label: "Probability density of the redshift",
    xLabel: "redshift",
    yLabel: "density",
    onWhole: () => draw(whole),
  });
  const draw = (span) =>
    density.show([{ kind: "line", colour: "accent", width: 1.4, x: z, y: height }, chosenLine(high)], span, [0, high]);
  density.draw = () => draw(density.span);
  draw(whole);
}

function choose(value) {
  chosen.value = String(value);
  moved();
}

function moved() {
  for (const button of document.querySelectorAll("[data-z]"))
    button.setAttribute("aria-pressed", String(Number(button.dataset.z) === redshift()));
  if (answer === null) return;
  show(plot.span);
  density?.draw();
}

for (const button of document.querySelectorAll("[data-z]"))
  button.addEventListener("click", () => choose(button.dataset.z));
chosen?.addEventListener("input", moved);
find("#whole").addEventListener("click", () => {
  if (answer) plot.zoomTo(answer.whole);
});
for (const button of document.querySelectorAll("[data-line]"))
  button.addEventListener("click", () => {
    const middle = Number(button.dataset.line) * (1 + (redshift() ?? 0));
    plot.zoomTo([middle * 0.98, middle * 1.02]);
    find("#spectrum").focus();
  });
load(null);
