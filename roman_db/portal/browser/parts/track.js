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
    const layers = elements.map((element) =>
      layerOf(element, points, {
        x: time.map((one) => one - OFFSET),
        y: points[name],
        error: points[`${name}_err`],
      }),
    );
    plot.show(layers, span);
  }
  onSky(host, points, elements);
}

// Points of an optical element.
function layerOf(element, points, columns) {
  const some = points.optical_element.flatMap((other, i) => (other === element ? [i] : []));
  const taken = Object.entries(columns).map(([name, values]) => [name, some.map((i) => values[i])]);
  return {
    kind: "points",
    shape: shapeOf(element),
    colour: () => elementColour(element),
    ...Object.fromEntries(taken),
  };
}

// Places as seen on the sky, north up and east left, both axes alike; the cross is the catalogued place.
function onSky(host, points, elements) {
  const one = document.createElement("div");
  one.className = "square";
  host.append(one);
  const plot = new Plot(one, {
    height: Math.min(one.clientWidth, 420),
    isMirrored: true,
    xLabel: "east [mas]",
    yLabel: "north [mas]",
    label: "Places on the sky, north up, east left",
    onWhole: () => draw(),
    onSpan: (first, last) => draw((last - first) / 2, (first + last) / 2),
  });
  const far = [...points.offset_ra, ...points.offset_dec].filter((value) => value !== null).map(Math.abs);
  const whole = 1.05 * far.reduce((most, value) => Math.max(most, value), 1e-3);
  const axes = [
    { kind: "line", colour: "quiet", width: 1, x: [-whole, whole], y: [0, 0] },
    { kind: "line", colour: "quiet", width: 1, x: [0, 0], y: [-whole, whole] },
  ];
  const layers = elements.map((element) =>
    layerOf(element, points, { x: points.offset_ra, y: points.offset_dec }),
  );
  const draw = (half = whole, about = 0) => {
    const { width, height } = plot.plot.bbox;
    const tall = half * (height / width || 1);
    plot.show([...axes, ...layers], [about - half, about + half], [-tall, tall]);
  };
  requestAnimationFrame(() => draw());
}
