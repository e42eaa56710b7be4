// The finder image with the objects near by, each a link.

import { ask, root, say } from "./request.js";

const SVG = "http://www.w3.org/2000/svg";
const SIDE = 400;

// Objects that are marked, the brightest; and listed, the nearest.
const MARKED = 40,
  LISTED = 20;

function make(name, attributes, parent) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  parent.append(made);
  return made;
}

// The picture and the name of its image; words in their place where there is none.
async function showImage(address, host) {
  const figure = host.closest("figure");
  const refuse = (text) => {
    host.hidden = figure.querySelector("figcaption").hidden = true;
    say(figure.querySelector(".absent"), text);
  };
  try {
    const answer = await fetch(address);
    if (!answer.ok) {
      refuse((await answer.json()).problem);
      return;
    }
    host.querySelector("img").src = URL.createObjectURL(await answer.blob());
    figure.querySelector("#finder-image").textContent = (answer.headers.get("X-Image") ?? "").split(";")[0];
  } catch (error) {
    refuse(error.message);
  }
}

export async function startFinder(objectId, host, table) {
  const half = Number(host.dataset.half);
  showImage(`${root}/portal/data/object/${objectId}/finder.png?half=${half}`, host);
  const picture = make(
    "svg",
    { viewBox: `0 0 ${SIDE} ${SIDE}`, role: "group", "aria-label": "Objects near it" },
    host,
  );
  const scale = SIDE / (2 * half);
  const near = await ask(`object/${objectId}/neighbours`, { radius: half * Math.SQRT2 });
  const brightest = [...near].sort((a, b) => (a.ab_mag ?? 99) - (b.ab_mag ?? 99)).slice(0, MARKED);
  for (const one of brightest) {
    const x = SIDE / 2 - one.east * scale,
      y = SIDE / 2 - one.north * scale;
    if (x < 0 || x > SIDE || y < 0 || y > SIDE) continue;
    const anchor = make("a", { href: `${root}/object/${one.object_id}`, class: "near" }, picture);
    const magnitude = one.ab_mag === null ? "" : `, ${one.ab_mag.toFixed(2)} mag`;
    make("title", {}, anchor).textContent =
      `Object ${one.object_id}, ${one.distance.toFixed(2)} arcsec${magnitude}`;
    make(
      "circle",
      { cx: x, cy: y, r: one.ab_mag === null ? 7 : Math.min(14, Math.max(6, 6 + (22 - one.ab_mag))) },
      anchor,
    );
  }
  const middle = SIDE / 2;
  make(
    "path",
    {
      class: "target",
      d:
        `M${middle - 24} ${middle}h12M${middle + 12} ${middle}h12` +
        `M${middle} ${middle - 24}v12M${middle} ${middle + 12}v12`,
    },
    picture,
  );
  make("text", { x: middle - 5, y: 18 }, picture).textContent = "N";
  make("text", { x: 6, y: middle + 5 }, picture).textContent = "E";
  const length = 10 ** Math.floor(Math.log10(half));
  make("path", { class: "target", d: `M12 ${SIDE - 14}h${length * scale}` }, picture);
  make("text", { x: 14, y: SIDE - 20 }, picture).textContent = `${length}″`;
  for (const one of near.slice(0, LISTED)) {
    const row = table.insertRow();
    const name = document.createElement("th");
    name.scope = "row";
    const anchor = document.createElement("a");
    anchor.href = `${root}/object/${one.object_id}`;
    anchor.textContent = one.object_id;
    name.append(anchor);
    row.append(name);
    for (const [text, isNumber] of [
      [one.distance.toFixed(3), true],
      [one.ab_mag === null ? "–" : one.ab_mag.toFixed(2), true],
      [one.optical_element ?? "–", false],
      [one.class_hint?.replaceAll("_", " ") ?? "–", false],
    ]) {
      const cell = row.insertCell();
      cell.textContent = text;
      if (isNumber) cell.className = "n";
    }
  }
  if (!near.length) table.insertRow().insertCell().textContent = "None within the picture.";
}
