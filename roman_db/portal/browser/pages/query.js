// The page of ADQL: an editor, saved queries, a table of the result, downloads.

import { makeEditor } from "../parts/editor.js";
import { ask, link, root, say } from "../parts/request.js";
import { readVotable } from "../parts/votable.js";

const SAVED = "roman-db.queries",
  LAST = "roman-db.query";
const FIRST = "SELECT TOP 10 object_id, ra, dec\nFROM roman.object\nORDER BY object_id";
const PAGES = { object_id: "object", event_id: "event", exposure_id: "exposure" };
const LONGEST_ADDRESS = 6000,
  CELL = 120;

const find = (selector) => document.querySelector(selector);
const message = find("#message"),
  result = find("#result"),
  saved = find("#saved");
const asked = new URLSearchParams(location.search).get("q");
const editor = makeEditor(find("#editor"), asked ?? localStorage.getItem(LAST) ?? FIRST, run, (text) =>
  localStorage.setItem(LAST, text),
);
let running = null;

const queries = () => JSON.parse(localStorage.getItem(SAVED) ?? "{}");

function list(chosen = "") {
  const known = Object.keys(queries()).sort();
  saved.replaceChildren(
    new Option(known.length ? "choose one" : "none", ""),
    ...known.map((name) => new Option(name, name, false, name === chosen)),
  );
  find("#forget").disabled = !chosen;
}

function store(change) {
  const all = queries();
  change(all);
  localStorage.setItem(SAVED, JSON.stringify(all));
}

find("#save").addEventListener("click", () => {
  const name = find("#name").value.trim();
  if (!name) {
    say(message, "Give the query a name to save it under.", true);
    find("#name").focus();
    return;
  }
  store((all) => {
    all[name] = editor.text;
  });
  list(name);
  say(message, `Saved as “${name}” in this browser.`);
});
saved.addEventListener("change", () => {
  const text = queries()[saved.value];
  if (text !== undefined) editor.text = text;
  find("#forget").disabled = !saved.value;
});
find("#forget").addEventListener("click", () => {
  store((all) => {
    delete all[saved.value];
  });
  list();
});
find("#examples").addEventListener("change", (event) => {
  if (event.target.value) editor.text = event.target.value;
});
find("#run").addEventListener("click", () => (running ? running.abort() : run()));

function request(format, more = {}) {
  return new URLSearchParams({ LANG: "ADQL", QUERY: editor.text, RESPONSEFORMAT: format, ...more });
}

async function run() {
  running?.abort();
  const mine = (running = new AbortController());
  find("#run").textContent = "Stop";
  say(message, "Running…");
  const began = performance.now();
  try {
    const response = await fetch(`${root}/tap/sync`, {
      method: "POST",
      body: request("votable/td", { MAXREC: find("#rows").value }),
      signal: mine.signal,
    });
    const found = readVotable(await response.text());
    show(found);
    const seconds = ((performance.now() - began) / 1000).toFixed(2);
    say(
      message,
      `${found.rows.length.toLocaleString("en")} rows in ${seconds} s.` +
        (found.isCut ? " There are more: a download has all of them." : ""),
    );
  } catch (error) {
    result.hidden = true;
    if (error.name === "AbortError") say(message, "Stopped.");
    else say(message, error.message, true);
  }
  if (running === mine) {
    running = null;
    find("#run").textContent = "Run";
  }
}

function show({ columns, rows }) {
  const head = document.createElement("tr");
  for (const one of columns) {
    const cell = document.createElement("th");
    cell.scope = "col";
    cell.className = one.isNumber ? "n" : "";
    cell.title = one.description;
    cell.textContent = one.unit ? `${one.name} [${one.unit}]` : one.name;
    head.append(cell);
  }
  const body = rows.map((row) => {
    const line = document.createElement("tr");
    row.forEach((text, i) => {
      const cell = line.insertCell();
      const place = PAGES[columns[i].name];
      cell.className = columns[i].isNumber ? "n" : "";
      if (place && text) cell.append(link(`${place}/${text}`, text));
      else cell.textContent = text.length > CELL ? `${text.slice(0, CELL)}…` : text;
    });
    return line;
  });
  result.querySelector("thead").replaceChildren(head);
  result.querySelector("tbody").replaceChildren(...body);
  result.hidden = false;
}

function saveFile(address, name) {
  const anchor = document.createElement("a");
  Object.assign(anchor, { href: address, download: name });
  anchor.click();
}

find("#download").addEventListener("click", async () => {
  const format = find("#format").value,
    name = `result.${format.split("/")[0]}`;
  const given = request(format),
    address = `${root}/tap/sync?${given}`;
  if (address.length <= LONGEST_ADDRESS) {
    saveFile(address, name);
    return;
  }
  const response = await fetch(`${root}/tap/sync`, { method: "POST", body: given });
  if (!response.ok) {
    say(message, "The query is refused: run it to see why.", true);
    return;
  }
  const made = URL.createObjectURL(await response.blob());
  saveFile(made, name);
  URL.revokeObjectURL(made);
});

function describe(names) {
  find("#tables").replaceChildren(
    ...names.tables.map((table) => {
      const part = document.createElement("details"),
        title = document.createElement("summary"),
        columns = document.createElement("dl");
      title.textContent = `${table.schema}.${table.name}`;
      columns.className = "facts";
      for (const one of table.columns) {
        const term = document.createElement("dt"),
          meaning = document.createElement("dd");
        term.textContent = one.unit ? `${one.name} [${one.unit}]` : one.name;
        meaning.textContent = one.description;
        columns.append(term, meaning);
      }
      const purpose = document.createElement("p");
      purpose.textContent = table.description;
      part.append(title, purpose, columns);
      return part;
    }),
  );
}

list();
ask("names").then(
  (names) => {
    editor.know(names);
    describe(names);
    find("#editor").dataset.ready = "yes";
  },
  (error) => say(message, error.message, true),
);
