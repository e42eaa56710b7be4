// The page of an object.

import { LightCurves } from "../parts/light_curve.js";
import { startFinder } from "../parts/finder.js";
import { startFold, startPeriodogram } from "../parts/period.js";
import { startTrack } from "../parts/track.js";
import { say } from "../parts/request.js";

const find = (selector) => document.querySelector(selector);
const { object: objectId } = find("main").dataset;

startFinder(objectId, find(".finder"), find("#near tbody")).catch((error) =>
  say(find("#finder-message"), error.message, true),
);

const choice = find("#kind");
if (choice) {
  const curves = new LightCurves(objectId, {
    host: find("#curves"),
    readout: find("#point"),
    message: find("#curve-message"),
    legend: find("#legend"),
    seasons: find("#seasons"),
  });
  const layouts = document.querySelectorAll("[data-together]");
  for (const button of layouts) {
    button.addEventListener("click", () => {
      for (const other of layouts) other.setAttribute("aria-pressed", String(other === button));
      curves.setTogether(button.dataset.together !== "");
    });
  }
  const units = document.querySelectorAll("[data-unit]");
  const form = find("#fold-form");
  const fold = startFold({
    objectId,
    form,
    host: find("#fold"),
    message: find("#fold-message"),
    kind: () => choice.value,
    unit: () => curves.unit,
  });
  startPeriodogram({
    objectId,
    button: find("#compute"),
    host: find("#periodogram"),
    message: find("#period-message"),
    kind: () => choice.value,
    onPeriod: fold.use,
  });
  for (const button of units) {
    button.addEventListener("click", () => {
      for (const other of units) other.setAttribute("aria-pressed", String(other === button));
      curves.setUnit(button.dataset.unit);
      fold.fold();
    });
  }
  for (const button of document.querySelectorAll("[data-period]"))
    button.addEventListener("click", () => fold.use(Number(button.dataset.period)));
  find("#whole").addEventListener("click", () => curves.refine(null));
  const begin = () => {
    curves.start(choice.value);
    startTrack(objectId, find("#track"), find("#track-message"), choice.value);
  };
  choice.addEventListener("change", () => {
    begin();
    fold.fold();
  });
  begin();
  fold.fold();
}
