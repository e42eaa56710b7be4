// Light curves of the same time, a plot an optical element or all in one; zooming asks the server for what is seen.

import { ask, latest, later, link, say } from "./request.js";
import { makeLegend } from "./legend.js";
import { OFFSET, TIME_LABEL, converted, flagNames } from "./photometry.js";
import { Plot, shapeOf } from "./plot.js";
import { elementColour } from "./theme.js";

const ALL = "all elements";

export class LightCurves {
  constructor(objectId, parts) {
    Object.assign(this, { objectId, ...parts, plots: new Map(), unit: "mag", flags: [], hidden: new Set() });
    this.isTogether = false;
    this.fetch = latest((signal, span) =>
      ask(
        `object/${objectId}/light_curve`,
        { kind: this.kind, first: span?.[0], last: span?.[1], columns: this.#columns() },
        signal,
      ),
    );
    this.refine = later((span) => this.#load(span), 60);
    ask("flags").then(
      (known) => {
        this.flags = known;
      },
      () => {},
    );
  }

  async start(kind) {
    this.kind = kind;
    this.answer = null;
    this.legend.replaceChildren();
    this.#again();
    await this.#load(null);
  }

  setUnit(unit) {
    this.unit = unit;
    this.#again();
  }

  setTogether(isTogether) {
    this.isTogether = isTogether;
    this.#again();
  }

  zoomTo(span) {
    for (const plot of this.plots.values())
      plot.show(
        plot.layers,
        span.map((one) => one - OFFSET),
        plot.range,
      );
    this.refine(span);
  }

  #again() {
    this.host.replaceChildren();
    this.plots.clear();
    if (this.answer) this.#show(this.answer);
  }

  #columns() {
    const [first] = this.plots.values();
    return first?.columns ?? Math.max(200, Math.round(this.host.clientWidth));
  }

  async #load(span) {
    this.host.setAttribute("aria-busy", "true");
    try {
      const answer = await this.fetch(span);
      if (answer === null) return;
      this.answer = answer;
      if (!this.legend.childElementCount) this.#offer(answer);
      this.#show(answer);
    } catch (error) {
      say(this.message, error.message, true);
    }
    this.host.setAttribute("aria-busy", "false");
  }

  // What may be hidden, and seasons to look at.
  #offer(answer) {
    this.hidden.clear();
    makeLegend(
      this.legend,
      answer.series.map((one) => one.optical_element),
      (element, isShown) => {
        this.hidden[isShown ? "delete" : "add"](element);
        this.#again();
      },
    );
    this.seasons.hidden = !answer.seasons.length;
    this.seasons.replaceChildren(
      ...answer.seasons.map((span, i) => {
        const button = document.createElement("button");
        button.type = "button";
        button.textContent = `Season ${i + 1}`;
        button.title = `BJD ${span.map((one) => one.toFixed(1)).join(" to ")}`;
        button.addEventListener("click", () => this.#load(span));
        return button;
      }),
    );
  }

  #show(answer) {
    const series = answer.series.filter((one) => !this.hidden.has(one.optical_element));
    const span = answer.span.map((one) => one - OFFSET);
    if (this.isTogether) {
      const layers = series.flatMap((one) => this.#layers(one));
      if (series.length) this.#plotOf(ALL).show(layers, span);
    } else for (const one of series) this.#plotOf(one.optical_element).show(this.#layers(one), span);
    this.#tell(answer, series);
  }

  #tell(answer, series) {
    const all = series.reduce((sum, one) => sum + one.n_point, 0),
      shown = series.reduce((sum, one) => sum + one.x.length, 0);
    const isExact = series.every((one) => one.is_exact);
    const failed = answer.n_failed ? ` Measurements without a flux: ${answer.n_failed}.` : "";
    const dark = this.unit === "mag" ? series.flatMap((one) => one.flux).filter((one) => one <= 0).length : 0;
    this.host.dataset.shown = String(shown);
    this.host.dataset.points = String(all);
    say(
      this.message,
      (isExact
        ? `All ${all.toLocaleString("en")} points of this time are shown.`
        : `${all.toLocaleString("en")} points of this time; drawn is what this screen can show of them ` +
          `(${shown.toLocaleString("en")}). Zoom in for single points.`) +
        failed +
        (dark ? ` ${dark} have no magnitude, as their flux is not positive: see “flux”.` : ""),
    );
  }

  #plotOf(name) {
    if (!this.plots.has(name)) {
      const host = document.createElement("div");
      if (name !== ALL) {
        const title = document.createElement("span");
        title.className = "title";
        title.textContent = name;
        host.append(title);
      }
      this.host.append(host);
      this.plots.set(
        name,
        new Plot(host, {
          height: name === ALL ? 380 : 240,
          label: `Light curve in ${name}. Arrows move, plus and minus zoom, 0 shows all, n and p read single points.`,
          xLabel: TIME_LABEL,
          yLabel: this.unit === "mag" ? "AB magnitude" : "flux [µJy]",
          isFlipped: this.unit === "mag",
          onSpan: (first, last) => this.zoomTo([first + OFFSET, last + OFFSET]),
          onWhole: () => this.refine(null),
          onPoint: (layer, i) => this.#read(layer, i),
        }),
      );
    }
    return this.plots.get(name);
  }

  #layers(series) {
    const [value, error] = converted(series.flux, series.flux_err, this.unit);
    const parts = [[], []];
    series.flags.forEach((one, i) => parts[one === 0 ? 0 : 1].push(i));
    return parts.map((some, k) => ({
      kind: "points",
      element: series.optical_element,
      isHollow: k === 1,
      shape: shapeOf(series.optical_element),
      colour: () => elementColour(series.optical_element),
      x: some.map((i) => series.x[i] - OFFSET),
      y: some.map((i) => value[i]),
      error: some.map((i) => error[i]),
      flux: some.map((i) => series.flux[i]),
      flux_err: some.map((i) => series.flux_err[i]),
      flags: some.map((i) => series.flags[i]),
      exposure: series.is_exact ? some.map((i) => series.exposure_id[i]) : null,
    }));
  }

  #read(layer, i) {
    const fixed = (value, places) => (value === null ? "–" : value.toFixed(places));
    const said = [
      `${layer.element} at BJD ${fixed(layer.x[i] + OFFSET, 6)}`,
      `${fixed(layer.flux[i], 2)} ± ${fixed(layer.flux_err[i], 2)} nJy`,
      this.unit === "mag" ? `${fixed(layer.y[i], 4)} ± ${fixed(layer.error[i], 4)} mag` : "",
      `flags: ${flagNames(layer.flags[i], this.flags)}`,
    ];
    this.readout.replaceChildren(`${said.filter(Boolean).join("; ")}. `);
    if (layer.exposure)
      this.readout.append(link(`exposure/${layer.exposure[i]}`, `exposure ${layer.exposure[i]}`));
    else this.readout.append("Zoom in for its exposure.");
  }
}
