// The page of operations: the trend of a quality metric.

import { ask, latest, link, say } from "../parts/request.js";
import { Plot, shapeOf } from "../parts/plot.js";
import { elementColour } from "../parts/theme.js";

const find = (selector) => document.querySelector(selector);
const choice = find("#metric"),
  message = find("#trend-message"),
  readout = find("#trend-point");
const fetch = latest((signal, metric) => ask(`metric/${encodeURIComponent(metric)}`, {}, signal));
let plot = null,
  layers = [],
  whole = [0, 1];

function limit(values, times, name) {
  return { kind: "line", colour: name, dash: [6, 4], x: times, y: values };
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
  plot ??= new Plot(find("#trend"), {
    height: 240,
    label: "Trend of the metric",
    xLabel: "MJD (TDB)",
    yLabel: "value",
    onWhole: () => plot.show(layers, whole),
    onPoint: (layer, i) =>
      readout.replaceChildren(
        `${layer.element}, MJD ${layer.x[i].toFixed(4)}: ${layer.y[i].toPrecision(5)}, ${layer.verdict[i]}. `,
        link(`exposure/${layer.exposure[i]}`, `exposure ${layer.exposure[i]}`),
      ),
  });
  const margin = (time.at(-1) - time[0]) * 0.03 || 0.5;
  whole = [time[0] - margin, time.at(-1) + margin];
  layers = [...new Set(found.optical_element)].map((element) => {
    const some = found.optical_element.flatMap((other, i) => (other === element ? [i] : []));
    const taken = (name) => some.map((i) => found[name][i]);
    return {
      kind: "points",
      element,
      shape: shapeOf(element),
      colour: () => elementColour(element),
      x: taken("midpoint_mjd_tdb"),
      y: taken("value"),
      verdict: taken("verdict"),
      exposure: taken("exposure_id"),
    };
  });
  layers.push(limit(found.lower, time, "failure"), limit(found.upper, time, "failure"));
  plot.show(layers, whole);
  const beyond = found.verdict.filter((one) => ["warning", "failure"].includes(one));
  say(message, `${time.length} values of exposures; dashed: limits; ${beyond.length} are beyond.`);
}

if (choice.options.length) {
  const begin = () => show().catch((error) => say(message, error.message, true));
  choice.addEventListener("change", begin);
  begin();
}
