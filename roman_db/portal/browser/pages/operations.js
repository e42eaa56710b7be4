// The page of operations: the trend of a quality metric.

import { ask, latest, link, say } from "../parts/request.js";
import { makeLegend } from "../parts/legend.js";
import { Plot, shapeOf } from "../parts/plot.js";
import { elementColour } from "../parts/theme.js";

const find = (selector) => document.querySelector(selector);
const choice = find("#metric"),
  message = find("#trend-message"),
  readout = find("#trend-point");
const fetch = latest((signal, metric) => ask(`metric/${encodeURIComponent(metric)}`, {}, signal));
const hidden = new Set();
const shownLayers = () => layers.filter((one) => !hidden.has(one.element));
let plot = null,
  layers = [],
  whole = [0, 1];

// A limit of an optical element, as it was when each value was measured.
function limit(values, times) {
  return { kind: "line", colour: "failure", dash: [6, 4], x: times, y: values };
}

async function show() {
  const found = await fetch(choice.value);
  if (found === null) return;
  const time = found.midpoint_mjd_tdb;
  if (!time.length) {
    say(message, "It is not one of exposures: no trend over their days.");
    find("#trend").hidden = true;
    return;
  }
  find("#trend").hidden = false;
  const { unit, words } = choice.selectedOptions[0].dataset;
  const host = document.createElement("div");
  find("#trend").replaceChildren(host);
  plot = new Plot(host, {
    height: 260,
    label: `Trend of ${words}`,
    xLabel: "MJD (TDB) [d]",
    yLabel: unit ? `${words} [${unit}]` : words,
    onWhole: () => plot.show(shownLayers(), whole),
    onPoint: (layer, i) =>
      readout.replaceChildren(
        `${layer.element}, MJD ${layer.x[i].toFixed(4)}: ${layer.y[i].toPrecision(5)}, ${layer.verdict[i]}. `,
        link(`exposure/${layer.exposure[i]}`, `exposure ${layer.exposure[i]}`),
      ),
  });
  const margin = (time.at(-1) - time[0]) * 0.03 || 0.5;
  whole = [time[0] - margin, time.at(-1) + margin];
  const elements = [...new Set(found.optical_element)];
  layers = elements.map((element) => {
    const some = found.optical_element.flatMap((other, i) => (other === element ? [i] : []));
    const taken = (name) => some.map((i) => found[name][i]);
    return {
      kind: "points",
      element,
      shape: shapeOf(element),
      colour: () => elementColour(element),
      x: taken("midpoint_mjd_tdb"),
      y: taken("value"),
      lower: taken("lower"),
      upper: taken("upper"),
      verdict: taken("verdict"),
      exposure: taken("exposure_id"),
    };
  });
  layers.push(...layers.flatMap((one) => [limit(one.lower, one.x), limit(one.upper, one.x)]));
  hidden.clear();
  plot.show(shownLayers(), whole);
  const beyond = found.verdict.filter((one) => ["warning", "failure"].includes(one));
  makeLegend(find("#trend-legend"), elements, (element, isShown) => {
    hidden[isShown ? "delete" : "add"](element);
    plot.show(shownLayers(), whole);
  });
  const verb = beyond.length === 1 ? "is" : "are";
  say(message, `${time.length} values of exposures; dashed: limits; ${beyond.length} ${verb} beyond.`);
}

if (choice.options.length) {
  const begin = () => show().catch((error) => say(message, error.message, true));
  choice.addEventListener("change", begin);
  begin();
}
