// The result of a query: a table that is sorted and turned over page by page, and a plot of two of its columns.

import { Plot } from "./plot.js";
import { link } from "./request.js";

const PAGES = { object_id: "object", event_id: "event", exposure_id: "exposure" };
const CELL = 120,
  ROWS = 50;

export class Result {
  constructor(host) {
    this.host = host;
    this.find = (selector) => host.querySelector(selector);
    this.find("#earlier").addEventListener("click", () => this.#turn(this.page - 1));
    this.find("#later").addEventListener("click", () => this.#turn(this.page + 1));
    for (const id of ["#plot-x", "#plot-y", "#plot-flip"])
      this.find(id).addEventListener("change", () => this.#draw());
    this.find("#plot-part").addEventListener("toggle", () => this.#draw());
  }

  hide() {
    this.host.hidden = true;
  }

  show({ columns, rows }) {
    Object.assign(this, { columns, rows, page: 0, sorted: null });
    const head = document.createElement("tr");
    head.append(...columns.map((one, i) => this.#headCell(one, i)));
    this.find("thead").replaceChildren(head);
    this.host.hidden = false;
    this.#turn(0);
    this.#offer();
  }

  #headCell(column, i) {
    const cell = document.createElement("th"),
      button = document.createElement("button");
    cell.scope = "col";
    cell.className = column.isNumber ? "n" : "";
    cell.title = column.description;
    button.type = "button";
    button.className = "sort";
    button.textContent = column.unit ? `${column.name} [${column.unit}]` : column.name;
    button.addEventListener("click", () => this.#sort(i));
    cell.append(button);
    return cell;
  }

  // Ascending, then descending; what is empty stands last.
  #sort(i) {
    const way = this.sorted?.[0] === i && this.sorted[1] > 0 ? -1 : 1;
    this.sorted = [i, way];
    const compare = this.columns[i].isNumber ? comparedNumbers : (a, b) => (a < b ? -1 : a > b ? 1 : 0);
    this.rows.sort(({ [i]: a }, { [i]: b }) =>
      isEmpty(a) || isEmpty(b) ? isEmpty(a) - isEmpty(b) : way * compare(a, b),
    );
    this.find("thead")
      .querySelectorAll("th")
      .forEach((cell, k) => {
        if (k === i) cell.setAttribute("aria-sort", way > 0 ? "ascending" : "descending");
        else cell.removeAttribute("aria-sort");
      });
    this.#turn(0);
  }

  #turn(page) {
    const last = Math.max(0, Math.ceil(this.rows.length / ROWS) - 1);
    this.page = Math.min(Math.max(page, 0), last);
    const first = this.page * ROWS,
      shown = this.rows.slice(first, first + ROWS);
    this.find("tbody").replaceChildren(...shown.map((row) => this.#line(row)));
    this.find("#earlier").disabled = this.page === 0;
    this.find("#later").disabled = this.page === last;
    const count = this.rows.length.toLocaleString("en");
    this.find("#shown").textContent = shown.length
      ? `${first + 1}–${first + shown.length} of ${count}`
      : "no rows";
    this.find("#turning").hidden = last === 0;
  }

  #line(row) {
    const line = document.createElement("tr");
    row.forEach((text, i) => {
      const cell = line.insertCell(),
        place = PAGES[this.columns[i].name];
      cell.className = this.columns[i].isNumber ? "n" : "";
      if (place && text) cell.append(link(`${place}/${text}`, text));
      else cell.textContent = text.length > CELL ? `${text.slice(0, CELL)}…` : text;
    });
    return line;
  }

  // Columns that can be plotted; the axes that were chosen stay while there are such columns.
  #offer() {
    const names = this.columns.filter((one) => one.isNumber).map((one) => one.name);
    const usual = names.filter((name) => !name.endsWith("_id"));
    for (const [k, id] of ["#plot-x", "#plot-y"].entries()) {
      const choice = this.find(id),
        before = choice.value;
      choice.replaceChildren(...names.map((name) => new Option(name, name)));
      choice.value = names.includes(before) ? before : (usual[k] ?? names[k] ?? names[0] ?? "");
    }
    this.find("#plot-part").hidden = names.length < 2 || !this.rows.length;
    this.#draw();
  }

  #draw() {
    const part = this.find("#plot-part");
    if (part.hidden || !part.open) return;
    const [x, y] = ["#plot-x", "#plot-y"].map((id) => this.#numbers(this.find(id).value));
    const isFlipped = this.find("#plot-flip").checked;
    const host = document.createElement("div");
    this.find("#plot").replaceChildren(host);
    const plot = new Plot(host, {
      height: 360,
      label: `${y.label} over ${x.label}`,
      xLabel: x.label,
      yLabel: y.label,
      isFlipped,
      onWhole: () => plot.show(plot.layers, whole),
      onPoint: (layer, i) => this.#read(layer.row[i]),
    });
    const both = this.rows.flatMap((_, i) =>
      Number.isFinite(x.values[i]) && Number.isFinite(y.values[i]) ? [i] : [],
    );
    const seen = both.map((i) => x.values[i]);
    const [low, high] = seen.reduce(
      ([a, b], one) => [Math.min(a, one), Math.max(b, one)],
      [Infinity, -Infinity],
    );
    const margin = (high - low) * 0.03 || Math.abs(high) * 0.01 || 1;
    const whole = seen.length ? [low - margin, high + margin] : [0, 1];
    const layer = {
      kind: "points",
      colour: "accent",
      x: seen,
      y: both.map((i) => y.values[i]),
      row: both.map((i) => this.rows[i]),
    };
    plot.show([layer], whole);
    this.find("#plot-point").textContent =
      `${both.length.toLocaleString("en")} of ${this.rows.length.toLocaleString("en")} rows have both. ` +
      "Choose a point to read its row.";
  }

  #numbers(name) {
    const i = this.columns.findIndex((one) => one.name === name),
      { unit } = this.columns[i];
    const values = this.rows.map((row) => (row[i] === "" ? NaN : Number(row[i])));
    return { values, label: unit ? `${name} [${unit}]` : name };
  }

  #read(row) {
    const said = row.flatMap((text, i) => {
      const { name } = this.columns[i],
        shown = PAGES[name] && text ? link(`${PAGES[name]}/${text}`, text) : text.slice(0, CELL) || "–";
      return [`${i ? "; " : ""}${name} `, shown];
    });
    this.find("#plot-point").replaceChildren(...said);
  }
}

const isEmpty = (text) => text === "" || text === "NaN";

// Identifiers have more digits than a double.
function comparedNumbers(a, b) {
  const difference = Number(a) - Number(b);
  if (difference || !/^-?\d{16,}$/.test(a) || !/^-?\d{16,}$/.test(b)) return difference || 0;
  return BigInt(a) < BigInt(b) ? -1 : BigInt(a) > BigInt(b) ? 1 : 0;
}
