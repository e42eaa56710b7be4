// Places of an object beside its catalogued one over time, and on the sky.

import { ask, say } from "./request.js";
import { OFFSET, TIME_LABEL } from "./photometry.js";
import { Plot, shapeOf } from "./plot.js";
import { elementColour } from "./theme.js";

export async function startTrack(objectId, host, message, kind) {
  host.replaceChildren();
  let points;
  try {
    points = await ask(`object/${objectId}/astrometry`, { kind });
  } catch (error) {
    say(message, error.message, true);
    return;
  }
  const time = points.midpoint_bjd_tdb;
  if (!time.length) {
    say(message, "No places were measured exposure by exposure with this kind of photometry.");
    return;
  }
  say(message, `${time.length.toLocaleString("en")} places.`);
  const margin = (Math.max(...time) - Math.min(...time)) * 0.02 || 0.5;
  const span = [Math.min(...time) - OFFSET - margin, Math.max(...time) - OFFSET + margin];
  const elements = [...new Set(points.optical_element)];
  for (const [name, label] of [
    ["offset_ra", "east [mas]"],
    ["offset_dec", "north [mas]"],
  ]) {
    const one = document.createElement("div");
    host.append(one);
    const plot = new Plot(one, {
      height: 180,
      xLabel: TIME_LABEL,
      yLabel: label,
      label: `Offset ${label} over time`,
      onWhole: () => plot.show(layers, span),
    });
    const layers = elements.map((element) => {
      const some = points.optical_element.flatMap((other, i) => (other === element ? [i] : []));
      return {
        kind: "points",
        shape: shapeOf(element),
        colour: () => elementColour(element),
        x: some.map((i) => time[i] - OFFSET),
        y: some.map((i) => points[name][i]),
        error: some.map((i) => points[`${name}_err`][i]),
      };
    });
    plot.show(layers, span);
  }
}
