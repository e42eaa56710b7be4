// The periodogram of an object, and its light curves over the phase of a period.

import { ask, latest, later, say } from "./request.js";
import { converted } from "./photometry.js";
import { Plot, shapeOf } from "./plot.js";
import { elementColour } from "./theme.js";

export function startFold({ objectId, form, host, message, kind, unit }) {
  const plots = new Map();
  const fetch = latest((signal, given) => ask(`object/${objectId}/fold`, given, signal));
  const plotOf = (element) => {
    const key = `${element} ${unit()}`;
    if (!plots.has(key)) {
      const one = document.createElement("div");
      const title = document.createElement("span");
      title.className = "title";
      title.textContent = element;
      one.append(title);
      host.append(one);
      plots.set(
        key,
        new Plot(one, {
          height: 200,
          label: `Light curve in ${element} over the phase`,
          xLabel: "phase",
          yLabel: unit() === "mag" ? "AB magnitude" : "flux [µJy]",
          isFlipped: unit() === "mag",
        }),
      );
    }
    return plots.get(key);
  };
  const layers = (series) => {
    const [value, error] = converted(series.flux, series.flux_err, unit());
    return [false, true].map((isFlagged) => {
      const some = series.flags.flatMap((flag, i) => ((flag !== 0) === isFlagged ? [i] : []));
      const twice = [...some.map((i) => [i, 0]), ...some.map((i) => [i, 1])];
      return {
        kind: "points",
        isHollow: isFlagged,
        shape: shapeOf(series.optical_element),
        colour: () => elementColour(series.optical_element),
        x: twice.map(([i, cycle]) => series.x[i] + cycle),
        y: twice.map(([i]) => value[i]),
        error: twice.map(([i]) => error[i]),
      };
    });
  };
  const fold = async () => {
    const period = Number(form.elements.period.value);
    if (!(period > 0)) return;
    try {
      const answer = await fetch({
        kind: kind(),
        period,
        epoch: Number(form.elements.epoch.value) || 0,
        columns: Math.max(100, host.clientWidth),
      });
      if (answer === null) return;
      const keys = new Set(answer.series.map((one) => `${one.optical_element} ${unit()}`));
      for (const [key, plot] of plots)
        if (!keys.has(key)) {
          plot.host.remove();
          plots.delete(key);
        }
      for (const series of answer.series) plotOf(series.optical_element).show(layers(series), [0, 2]);
      host.dataset.period = String(period);
      say(message, `Folded by ${period} d; two cycles are shown.`);
    } catch (error) {
      say(message, error.message, true);
    }
  };
  const foldSoon = later(fold, 200);
  form.addEventListener("input", foldSoon);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    fold();
  });
  for (const button of form.querySelectorAll("[data-factor]")) {
    button.addEventListener("click", () => {
      form.elements.period.value = String(Number(form.elements.period.value) * Number(button.dataset.factor));
      fold();
    });
  }
  return {
    fold,
    use: (period) => {
      form.elements.period.value = String(period);
      fold();
    },
  };
}

export function startPeriodogram({ objectId, button, host, message, kind, onPeriod }) {
  let plot = null;
  button.addEventListener("click", async () => {
    button.disabled = true;
    say(message, "Computing…");
    try {
      const found = await ask(`object/${objectId}/periodogram`, { kind: kind() });
      plot ??= new Plot(host, {
        height: 220,
        label: "Periodogram. n and p read the highest peaks.",
        xLabel: "frequency [1/d]",
        yLabel: "fall of χ² (share of the greatest)",
        onPoint: (layer, i) => onPeriod(1 / layer.x[i]),
        onWhole: () => plot.show(plot.layers, whole),
      });
      const whole = [found.frequency[0], found.frequency.at(-1)];
      const peaks = found.frequency.flatMap((_, i) => (found.power[i] > 0.3 ? [i] : []));
      host.hidden = false;
      plot.show(
        [
          { kind: "line", colour: "accent", width: 1, x: found.frequency, y: found.power },
          {
            kind: "points",
            colour: "accent",
            x: peaks.map((i) => found.frequency[i]),
            y: peaks.map((i) => found.power[i]),
          },
        ],
        whole,
        [0, 1.06],
      );
      const alarm = found.log_false_alarm === null ? "–" : found.log_false_alarm.toFixed(1);
      say(
        message,
        `Best period ${found.period.toPrecision(9)} ± ${(found.period_err ?? NaN).toPrecision(2)} d; ` +
          `it explains ${(100 * found.explained).toFixed(1)} % of what varies; ` +
          `log₁₀ of the false-alarm probability ${alarm}; ${found.n_point.toLocaleString("en")} points. ` +
          "Choose a peak to fold by it.",
      );
      onPeriod(found.period);
    } catch (error) {
      say(message, error.message, true);
    }
    button.disabled = false;
  });
}
