// Light curves, a plot an optical element, all of the same time; zooming asks the server for what is seen.

import { ask, latest, later, link, say } from "./request.js";
import { OFFSET, TIME_LABEL, converted, flagNames } from "./photometry.js";
import { Plot, shapeOf } from "./plot.js";
import { elementColour } from "./theme.js";

export class LightCurves {
  constructor(objectId, host, readout, message) {
    Object.assign(this, { objectId, host, readout, message, plots: new Map(), unit: "mag", flags: [] });
    this.fetch = latest((signal, span) =>
      ask(
        `object/${objectId}/light_curve`,
        { kind: this.kind, first: span?.[0], last: span?.[1], columns: this.#columns() },
        signal,
      ),
    );
    this.refine = later((span) => this.#load(span), 150);
    ask("flags").then(
      (known) => {
        this.flags = known;
      },
      () => {},
    );
  }

  async start(kind) {
    this.kind = kind;
    this.host.replaceChildren();
    this.plots.clear();
    await this.#load(null);
  }

  setUnit(unit) {
    this.unit = unit;
    this.host.replaceChildren();
    this.plots.clear();
    if (this.answer) this.#show(this.answer);
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
      this.#show(answer);
    } catch (error) {
      say(this.message, error.message, true);
    }
    this.host.setAttribute("aria-busy", "false");
  }

  #show(answer) {
    let shown = 0,
      all = 0;
    for (const series of answer.series) {
      shown += series.x.length;
      all += series.n_point;
      this.#plotOf(series.optical_element).show(
        this.#layers(series),
        answer.span.map((one) => one - OFFSET),
      );
    }
    const exact = answer.series.every((one) => one.is_exact);
    const failed = answer.n_failed ? ` Measurements without a flux: ${answer.n_failed}.` : "";
    this.host.dataset.shown = String(shown);
    this.host.dataset.points = String(all);
    say(
      this.message,
      (exact
        ? `All ${all.toLocaleString("en")} points of this time are shown.`
        : `${all.toLocaleString("en")} points of this time; drawn is what this screen can show of them ` +
          `(${shown.toLocaleString("en")}). Zoom in for single points.`) + failed,
    );
  }

  #plotOf(element) {
    if (!this.plots.has(element)) {
      const host = document.createElement("div");
      const title = document.createElement("span");
      title.className = "title";
      title.textContent = element;
      host.append(title);
      this.host.append(host);
      this.plots.set(
        element,
        new Plot(host, {
          label:
            `Light curve in ${element}. Arrows move, plus and minus zoom, 0 shows all, ` +
            "n and p read single points.",
          xLabel: TIME_LABEL,
          yLabel: this.unit === "mag" ? "AB magnitude" : "flux [µJy]",
          isFlipped: this.unit === "mag",
          onSpan: (first, last) => this.zoomTo([first + OFFSET, last + OFFSET]),
          onWhole: () => this.refine(null),
          onPoint: (layer, i) => this.#read(element, layer, i),
        }),
      );
    }
    return this.plots.get(element);
  }

  #layers(series) {
    const [value, error] = converted(series.flux, series.flux_err, this.unit);
    const parts = [[], []];
    series.flags.forEach((one, i) => parts[one === 0 ? 0 : 1].push(i));
    return parts.map((some, k) => ({
      kind: "points",
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

  #read(element, layer, i) {
    const fixed = (value, places) => (value === null ? "–" : value.toFixed(places));
    const said = [
      `${element} at BJD ${fixed(layer.x[i] + OFFSET, 6)}`,
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
