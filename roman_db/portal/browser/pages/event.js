// The page of an event: points and models, what is left, and the path of the source.

import { ask, latest, later, say } from "../parts/request.js";
import { OFFSET, TIME_LABEL, converted } from "../parts/photometry.js";
import { Plot, shapeOf } from "../parts/plot.js";
import { elementColour } from "../parts/theme.js";

const find = (selector) => document.querySelector(selector);
const { event: eventId } = find("main").dataset;
const host = find("#curves"),
  message = find("#curve-message"),
  readout = find("#point");
const plots = new Map();
const MODELS = ["model", "f184", "f106", "f129"],
  DASHES = [[], [8, 4], [2, 3], [10, 3, 2, 3]];
let answer = null,
  unit = "uJy";

const fetch = latest((signal, span) =>
  ask(
    `event/${eventId}/curves`,
    { first: span?.[0], last: span?.[1], columns: Math.max(200, host.clientWidth) },
    signal,
  ),
);
const refine = later((span) => load(span), 60);

function zoomTo(span) {
  for (const plot of plots.values())
    plot.show(
      plot.layers,
      span.map((one) => one - OFFSET),
      plot.range,
    );
  refine(span);
}

function plotOf(element, what, options) {
  const key = `${element} ${what}`;
  if (!plots.has(key)) {
    const one = document.createElement("div");
    const title = document.createElement("span");
    title.className = "title";
    title.textContent = what === "flux" ? element : `${element}, what the model leaves`;
    one.append(title);
    host.append(one);
    plots.set(
      key,
      new Plot(one, {
        onSpan: (first, last) => zoomTo([first + OFFSET, last + OFFSET]),
        onWhole: () => refine(answer.whole),
        onPoint: (layer, i) => read(element, layer, i),
        ...options,
      }),
    );
  }
  return plots.get(key);
}

function read(element, layer, i) {
  const flux = `${layer.flux[i].toFixed(1)} ± ${layer.flux_err[i].toFixed(1)} nJy`;
  const left = `${layer.residual[i].toFixed(2)} errors from the model`;
  readout.textContent = `${element} at BJD ${(layer.x[i] + OFFSET).toFixed(6)}: ${flux}, ${left}.`;
}

function show() {
  const span = answer.span.map((one) => one - OFFSET);
  let all = 0,
    shown = 0;
  for (const band of answer.bands) {
    const element = band.optical_element;
    all += band.n_point;
    shown += band.time.length;
    const points = {
      kind: "points",
      shape: shapeOf(element),
      colour: () => elementColour(element),
      x: band.time.map((one) => one - OFFSET),
      flux: band.flux,
      flux_err: band.flux_err,
      residual: band.residual,
    };
    const models = answer.models
      .filter((one) => element in one.flux)
      .map((one, k) => ({
        kind: "line",
        colour: MODELS[k],
        dash: DASHES[k],
        width: k ? 1.4 : 2,
        x: one.time.map((t) => t - OFFSET),
        y: converted(one.flux[element], one.flux[element], unit)[0],
      }));
    const [y, error] = converted(band.flux, band.flux_err, unit);
    plotOf(element, "flux", {
      height: 260,
      label: `Light curve and models in ${element}`,
      yLabel: unit === "mag" ? "AB magnitude" : "flux [µJy]",
      isFlipped: unit === "mag",
    }).show([{ ...points, y, error }, ...models.reverse()], span);
    const zero = { kind: "line", colour: "ink", width: 1, x: span, y: [0, 0] };
    plotOf(element, "left", {
      height: 130,
      label: `What the model leaves in ${element}`,
      xLabel: TIME_LABEL,
      yLabel: "errors",
    }).show([{ ...points, y: band.residual, error: band.residual.map(() => 1) }, zero], span);
  }
  host.dataset.shown = String(shown);
  host.dataset.points = String(all);
  say(
    message,
    answer.bands.every((one) => one.is_exact)
      ? `All ${all.toLocaleString("en")} points of this time are shown.`
      : `${all.toLocaleString("en")} points of this time; drawn is what this screen can show of them ` +
          `(${shown.toLocaleString("en")}).`,
  );
}

function legend() {
  const list = find("#models-shown");
  list.replaceChildren(
    ...answer.models.map((one, k) => {
      const item = document.createElement("li");
      const stroke = document.createElementNS("http://www.w3.org/2000/svg", "svg");
      stroke.setAttribute("width", "48");
      stroke.setAttribute("height", "10");
      stroke.setAttribute("aria-hidden", "true");
      const line = document.createElementNS("http://www.w3.org/2000/svg", "line");
      const drawn = {
        x1: 2,
        x2: 46,
        y1: 5,
        y2: 5,
        "stroke-width": 2.5,
        "stroke-dasharray": DASHES[k].join(" "),
      };
      for (const [name, value] of Object.entries(drawn)) line.setAttribute(name, value);
      line.style.stroke = `var(--${MODELS[k]})`;
      stroke.append(line);
      item.append(stroke, ` model ${one.rank}: ${one.name}`);
      return item;
    }),
  );
}

function drawGeometry() {
  const seen = answer.geometry,
    picture = find("#geometry");
  const near = [...seen.x, ...seen.caustic_x, -1, 1],
    reach = Math.min(2.5, Math.max(...near.map(Math.abs)) * 1.05);
  const plot = new Plot(picture, {
    height: Math.min(picture.clientWidth, 460),
    label: "Path of the source beside lenses and caustics",
    xLabel: "Einstein radii",
    yLabel: "Einstein radii",
    onWhole: () => draw(reach),
    onSpan: (first, last) => draw((last - first) / 2, (first + last) / 2),
  });
  const ring = Array.from({ length: 181 }, (_, i) => (i * Math.PI) / 90);
  const middle = Math.floor(seen.x.length / 2);
  const draw = (half, about = 0) => {
    const { width, height } = plot.plot.bbox;
    const layers = [
      { kind: "line", colour: "quiet", width: 1, dash: [4, 4], x: ring.map(Math.cos), y: ring.map(Math.sin) },
      { kind: "dots", colour: "f158", size: 1.1, x: seen.caustic_x, y: seen.caustic_y },
      { kind: "line", colour: "f087", x: seen.x, y: seen.y },
      {
        kind: "dots",
        colour: "ink",
        size: 4,
        x: seen.lenses.map((one) => one.x),
        y: seen.lenses.map(() => 0),
      },
      { kind: "dots", colour: "f087", size: 3, x: [seen.x[middle]], y: [seen.y[middle]] },
    ];
    if (seen.rho > 0)
      layers.push({
        kind: "line",
        colour: "f087",
        x: ring.map((a) => seen.x[middle] + seen.rho * Math.cos(a)),
        y: ring.map((a) => seen.y[middle] + seen.rho * Math.sin(a)),
      });
    const tall = half * (height / width);
    const closest =
      about === 0
        ? 0
        : seen.y[
            seen.x.reduce(
              (best, x, i) => (Math.abs(x - about) < Math.abs(seen.x[best] - about) ? i : best),
              0,
            )
          ];
    plot.show(layers, [about - half, about + half], [closest - tall, closest + tall]);
  };
  requestAnimationFrame(() => draw(reach));
  for (const button of document.querySelectorAll("[data-reach]")) {
    button.addEventListener("click", () => draw(reach * Number(button.dataset.reach)));
  }
}

async function load(span) {
  try {
    const found = await fetch(span);
    if (found === null) return;
    const isFirst = answer === null;
    answer = found;
    show();
    if (isFirst) {
      legend();
      drawGeometry();
    }
    find("#peak").hidden = answer.peak === null;
  } catch (error) {
    say(message, error.message, true);
  }
}

const units = document.querySelectorAll("[data-unit]");
for (const button of units) {
  button.addEventListener("click", () => {
    for (const other of units) other.setAttribute("aria-pressed", String(other === button));
    unit = button.dataset.unit;
    host.replaceChildren();
    plots.clear();
    if (answer) show();
  });
}
for (const [id, span] of [
  ["#whole", () => answer.whole],
  ["#close", () => answer.window],
  ["#peak", () => answer.peak],
]) {
  find(id).addEventListener("click", () => answer && load(span()));
}
load(null);
