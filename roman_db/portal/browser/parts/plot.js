// A plot of points with errors, lines and dots; zoomed by pointer, fingers and keys, and read point by point.

import uPlot from "uplot";
import { drawBand, drawMarks } from "./spectral_layers.js";
import { colour, onTheme } from "./theme.js";

const SIZE = 3;
const STEP = 0.2;
const ZOOM = 1.6;

// Ticks with as many digits as tell them apart, and none grouped: times are no amounts.
function tickTexts(values) {
  const step = values.length > 1 ? Math.abs(values[1] - values[0]) : 1;
  const largest = Math.max(...values.map(Math.abs));
  if (largest >= 1e7 || (largest > 0 && largest < 1e-3)) return values.map((one) => one.toPrecision(3));
  const places = Math.min(8, Math.max(0, -Math.floor(Math.log10(step || 1) + 1e-9)));
  return values.map((one) => one.toFixed(isWhole(step, places) ? places : places + 1));
}

const isWhole = (step, places) => Math.abs(step * 10 ** places - Math.round(step * 10 ** places)) < 1e-6;
const texts = (_, values) => tickTexts(values);
const wide = (_, values) => Math.max(64, 26 + 7 * Math.max(0, ...(values ?? []).map((one) => one.length)));

// Shapes of points, in circles of unit radius.
const SHAPES = {
  circle: (path, x, y, r) => {
    path.moveTo(x + r, y);
    path.arc(x, y, r, 0, 2 * Math.PI);
  },
  square: (path, x, y, r) => path.rect(x - r * 0.9, y - r * 0.9, 1.8 * r, 1.8 * r),
  diamond: (path, x, y, r) =>
    polygon(path, [
      [x, y - 1.3 * r],
      [x + 1.3 * r, y],
      [x, y + 1.3 * r],
      [x - 1.3 * r, y],
    ]),
  triangle: (path, x, y, r) =>
    polygon(path, [
      [x, y - 1.3 * r],
      [x + 1.2 * r, y + r],
      [x - 1.2 * r, y + r],
    ]),
  wedge: (path, x, y, r) =>
    polygon(path, [
      [x, y + 1.3 * r],
      [x + 1.2 * r, y - r],
      [x - 1.2 * r, y - r],
    ]),
};
const SHAPE_OF = {
  F087: "square",
  F213: "triangle",
  F062: "diamond",
  F106: "wedge",
  F158: "diamond",
  F184: "square",
  F129: "triangle",
};

export function shapeOf(element) {
  return SHAPE_OF[element] ?? "circle";
}

function polygon(path, corners) {
  corners.forEach(([x, y], i) => (i ? path.lineTo(x, y) : path.moveTo(x, y)));
  path.closePath();
}

// options: label, xLabel, yLabel, height, isFlipped (y grows downward), isMirrored (x grows
// to the left), onSpan(first, last), onWhole(),
// onPoint(layer, index). A layer: kind ("points", "line", "dots", or of spectra "band" and "marks"), x, y, error,
// isHollow, colour (a name or a function), shape, size, width, dash; isAside where the scale does not heed it.
export class Plot {
  constructor(host, options) {
    this.host = host;
    this.options = options;
    this.layers = [];
    this.span = [0, 1];
    this.range = [0, 1];
    this.chosen = null;
    host.classList.add("plot");
    host.tabIndex = 0;
    host.setAttribute("role", "application");
    host.setAttribute("aria-roledescription", "plot");
    host.setAttribute("aria-label", options.label ?? options.title);
    host.addEventListener("keydown", (event) => this.#key(event));
    new ResizeObserver(() => this.#resize()).observe(host);
    onTheme(() => this.#make());
    this.#make();
  }

  show(layers, span, range = null) {
    this.layers = layers;
    this.span = span;
    this.range = range ?? this.#rangeOf();
    this.chosen = null;
    this.#refresh();
  }

  zoomTo(span) {
    this.span = span;
    this.#refresh();
    this.options.onSpan?.(...span);
  }

  get width() {
    return Math.max(this.host.clientWidth, 200);
  }

  get columns() {
    return Math.min(4000, Math.max(50, Math.round(this.width * Math.min(devicePixelRatio, 2))));
  }

  #rangeOf() {
    let low = Infinity,
      high = -Infinity;
    for (const layer of this.layers) {
      for (let i = 0; i < layer.y.length; i++) {
        const inside = layer.x[i] >= this.span[0] && layer.x[i] <= this.span[1];
        if (layer.y[i] === null || !inside || layer.isAside) continue;
        low = Math.min(low, layer.y[i]);
        high = Math.max(high, layer.y[i]);
      }
    }
    if (!(low <= high)) return [0, 1];
    const margin = (high - low) * 0.06 || Math.abs(high) * 0.05 || 1;
    return [low - margin, high + margin];
  }

  #refresh() {
    this.plot.setData([[...this.span], [null, null]]);
  }

  #make() {
    this.plot?.destroy();
    const axis = {
      stroke: colour("ink"),
      grid: { stroke: colour("grid"), width: 1 },
      ticks: { stroke: colour("line"), width: 1 },
      font: "12px system-ui",
      labelFont: "12px system-ui",
    };
    const isNarrow = this.width < 520;
    this.plot = new uPlot(
      {
        width: this.width,
        height: this.options.height ?? 240,
        cursor: { drag: { x: true, y: false, setScale: false }, points: { show: false }, y: false },
        select: { show: true },
        legend: { show: false },
        scales: {
          x: { time: false, range: () => this.span, dir: this.options.isMirrored ? -1 : 1 },
          y: { range: () => this.range, dir: this.options.isFlipped ? -1 : 1 },
        },
        axes: [
          {
            ...axis,
            label: this.options.xLabel,
            labelSize: 22,
            space: isNarrow ? 70 : 90,
            size: 34,
            values: texts,
          },
          {
            ...axis,
            label: this.options.yLabel,
            labelSize: 20,
            labelGap: 0,
            size: wide,
            values: texts,
          },
        ],
        series: [{}, { show: false }],
        hooks: {
          draw: [(plot) => this.#draw(plot)],
          setSelect: [(plot) => this.#selected(plot)],
          ready: [(plot) => this.#listen(plot)],
        },
      },
      [
        [this.span[0], this.span[1]],
        [null, null],
      ],
      this.host,
    );
    if (this.layers.length) this.#refresh();
  }

  #listen(plot) {
    plot.over.addEventListener("click", (event) => this.#pick(event.offsetX, event.offsetY));
    plot.over.addEventListener("dblclick", () => this.options.onWhole?.());
    plot.over.addEventListener(
      "wheel",
      (event) => {
        if (!event.ctrlKey) return;
        event.preventDefault();
        this.#scale(event.deltaY > 0 ? ZOOM : 1 / ZOOM, plot.posToVal(event.offsetX, "x"));
      },
      { passive: false },
    );
    this.#touch(plot);
  }

  #touch(plot) {
    const held = new Map();
    const apart = () => {
      const [a, b] = [...held.values()];
      return [Math.abs(a - b), (a + b) / 2];
    };
    plot.over.addEventListener("pointerdown", (event) => {
      if (event.pointerType === "touch") held.set(event.pointerId, event.offsetX);
    });
    plot.over.addEventListener("pointermove", (event) => {
      if (!held.has(event.pointerId)) return;
      const [before] = held.size === 2 ? apart() : [0];
      held.set(event.pointerId, event.offsetX);
      if (held.size === 2 && before > 20) {
        const [now, middle] = apart();
        if (now > 20) this.#scale(before / now, plot.posToVal(middle, "x"));
      }
    });
    for (const name of ["pointerup", "pointercancel", "pointerleave"])
      plot.over.addEventListener(name, (event) => held.delete(event.pointerId));
  }

  #scale(factor, about) {
    const [first, last] = this.span;
    this.zoomTo([about - (about - first) * factor, about + (last - about) * factor]);
  }

  #selected(plot) {
    const { left, width } = plot.select;
    if (width < 4) return;
    const span = [plot.posToVal(left, "x"), plot.posToVal(left + width, "x")].sort((a, b) => a - b);
    plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
    this.zoomTo(span);
  }

  #key(event) {
    if (event.target !== this.host || event.ctrlKey || event.metaKey || event.altKey) return;
    const [first, last] = this.span,
      width = last - first,
      middle = (first + last) / 2,
      step = STEP * width * (this.options.isMirrored ? -1 : 1);
    const work = {
      ArrowLeft: () => this.zoomTo([first - step, last - step]),
      ArrowRight: () => this.zoomTo([first + step, last + step]),
      "+": () => this.#scale(1 / ZOOM, middle),
      "=": () => this.#scale(1 / ZOOM, middle),
      "-": () => this.#scale(ZOOM, middle),
      0: () => this.options.onWhole?.(),
      Home: () => this.options.onWhole?.(),
      n: () => this.#step(1),
      p: () => this.#step(-1),
    }[event.key];
    if (!work) return;
    event.preventDefault();
    work();
  }

  // Points of all layers that can be chosen, in order of x.
  #readable() {
    const found = [];
    this.layers.forEach((layer, k) => {
      if (layer.kind !== "points") return;
      for (let i = 0; i < layer.x.length; i++) {
        if (layer.y[i] !== null && layer.x[i] >= this.span[0] && layer.x[i] <= this.span[1])
          found.push([k, i, layer.x[i]]);
      }
    });
    return found.sort((a, b) => a[2] - b[2]);
  }

  #step(way) {
    const all = this.#readable();
    if (!all.length) return;
    const at = this.chosen ? all.findIndex(([k, i]) => k === this.chosen[0] && i === this.chosen[1]) : -1;
    const next = at < 0 ? (way > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + way, 0), all.length - 1);
    this.#choose(all[next][0], all[next][1]);
  }

  #pick(x, y) {
    let best = null,
      nearest = 24 * 24;
    for (const [k, i] of this.#readable()) {
      const layer = this.layers[k];
      const across = this.plot.valToPos(layer.x[i], "x") - x,
        along = this.plot.valToPos(layer.y[i], "y") - y;
      const distance = across * across + along * along;
      if (distance < nearest) [nearest, best] = [distance, [k, i]];
    }
    if (best) this.#choose(...best);
  }

  #choose(k, i) {
    this.chosen = [k, i];
    this.plot.redraw();
    this.options.onPoint?.(this.layers[k], i);
  }

  #resize() {
    if (this.plot && Math.abs(this.plot.width - this.width) > 1)
      this.plot.setSize({ width: this.width, height: this.options.height ?? 240 });
  }

  #draw(plot) {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    for (const layer of this.layers) this.#layer(plot, ctx, layer);
    if (this.chosen) this.#ring(plot, ctx, ...this.chosen);
    ctx.restore();
  }

  #layer(plot, ctx, layer) {
    const ratio = devicePixelRatio,
      shade = typeof layer.colour === "function" ? layer.colour() : colour(layer.colour);
    const path = new Path2D(),
      errors = new Path2D();
    const x = (i) => plot.valToPos(layer.x[i], "x", true),
      y = (value) => plot.valToPos(value, "y", true);
    const radius = (layer.x.length > 1500 ? 1.4 : layer.x.length > 300 ? 2 : SIZE) * ratio;
    ctx.strokeStyle = ctx.fillStyle = shade;
    if (layer.kind === "band") return drawBand(plot, ctx, layer);
    if (layer.kind === "marks") return drawMarks(plot, ctx, layer);
    let isOpen = false;
    for (let i = 0; i < layer.x.length; i++) {
      if (layer.y[i] === null) {
        isOpen = false;
        continue;
      }
      if (layer.kind === "line") {
        isOpen ? path.lineTo(x(i), y(layer.y[i])) : path.moveTo(x(i), y(layer.y[i]));
        isOpen = true;
        continue;
      }
      if (layer.x[i] < this.span[0] || layer.x[i] > this.span[1]) continue;
      const shape = layer.kind === "dots" ? SHAPES.circle : SHAPES[layer.shape ?? "circle"];
      shape(path, x(i), y(layer.y[i]), layer.kind === "dots" ? (layer.size ?? 1) * ratio : radius);
      if (layer.error?.[i] && layer.x.length <= 1500) {
        errors.moveTo(x(i), y(layer.y[i] - layer.error[i]));
        errors.lineTo(x(i), y(layer.y[i] + layer.error[i]));
      }
    }
    ctx.lineWidth = (layer.kind === "line" ? (layer.width ?? 1.6) : 1) * ratio;
    ctx.setLineDash((layer.dash ?? []).map((one) => one * ratio));
    ctx.globalAlpha = layer.kind === "points" && layer.x.length > 300 ? 0.75 : 1;
    if (layer.kind === "line" || layer.isHollow) ctx.stroke(path);
    else ctx.fill(path);
    ctx.globalAlpha = 0.55;
    ctx.stroke(errors);
    ctx.globalAlpha = 1;
    ctx.setLineDash([]);
  }

  #ring(plot, ctx, k, i) {
    const layer = this.layers[k];
    ctx.beginPath();
    ctx.arc(
      plot.valToPos(layer.x[i], "x", true),
      plot.valToPos(layer.y[i], "y", true),
      8 * devicePixelRatio,
      0,
      2 * Math.PI,
    );
    ctx.strokeStyle = colour("accent");
    ctx.lineWidth = 2.5 * devicePixelRatio;
    ctx.stroke();
  }
}
