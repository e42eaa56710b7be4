// A legend of optical elements, each with its shape and colour, and a box that hides it.

import { shapeOf } from "./plot.js";

const SVG = "http://www.w3.org/2000/svg";

// Shapes as in plots, within 14 by 14.
const DRAWN = {
  circle: ["circle", { cx: 7, cy: 7, r: 4.5 }],
  square: ["rect", { x: 3, y: 3, width: 8, height: 8 }],
  diamond: ["polygon", { points: "7,1 13,7 7,13 1,7" }],
  triangle: ["polygon", { points: "7,1 13,12 1,12" }],
  wedge: ["polygon", { points: "7,13 13,2 1,2" }],
};

export function makeLegend(list, elements, onChange) {
  list.replaceChildren(
    ...elements.map((element) => {
      const item = document.createElement("li"),
        label = document.createElement("label"),
        box = document.createElement("input");
      box.type = "checkbox";
      box.checked = true;
      box.addEventListener("change", () => onChange(element, box.checked));
      label.append(box, symbol(element), element);
      item.append(label);
      return item;
    }),
  );
}

function symbol(element) {
  const picture = document.createElementNS(SVG, "svg");
  picture.setAttribute("width", "14");
  picture.setAttribute("height", "14");
  picture.setAttribute("aria-hidden", "true");
  const [name, attributes] = DRAWN[shapeOf(element)];
  const shape = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) shape.setAttribute(key, value);
  shape.style.fill = `var(--${element.toLowerCase()}, var(--ink))`;
  picture.append(shape);
  return picture;
}
