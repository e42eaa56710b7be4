// The page of ADQL: an editor, saved queries, the result, downloads, jobs and scratch tables.

import { makeEditor } from "../parts/editor.js";
import { ask, root, say } from "../parts/request.js";
import { Result } from "../parts/result.js";
import { forget, isSignedIn, keptWhere, readSaved, save } from "../parts/saved.js";
import { readVotable } from "../parts/votable.js";

const LAST = "roman-db.query";
const FIRST = "SELECT TOP 10 object_id, ra, dec\nFROM roman.object\nORDER BY object_id";
const LONGEST_ADDRESS = 6000,
  WAIT_S = 20;
const find = (selector) => document.querySelector(selector);
const message = find("#message"),
  saved = find("#saved"),
  result = new Result(find("#result"));
const given = new URLSearchParams(location.search);
const editor = makeEditor(
  find("#editor"),
  given.get("q") ?? localStorage.getItem(LAST) ?? FIRST,
  run,
  (text) => localStorage.setItem(LAST, text),
);
let running = null,
  queries = {};

const failed = (error) => say(message, error.message, true);

function list(chosen = "") {
  const known = Object.keys(queries).sort();
  saved.replaceChildren(
    new Option(known.length ? "choose one" : "none", ""),
    ...known.map((name) => new Option(name, name, false, name === chosen)),
  );
  find("#forget").disabled = !saved.value;
}

async function listAnew(chosen) {
  queries = await readSaved();
  list(chosen);
}

function wantedName(what) {
  const name = find("#name").value.trim();
  if (name) return name;
  say(message, `Give ${what} a name.`, true);
  find("#name").focus();
  return null;
}

find("#save").addEventListener("click", async () => {
  const name = wantedName("the query");
  if (!name) return;
  try {
    await save(name, editor.text);
    await listAnew(name);
    say(message, `Saved as “${name}” ${keptWhere}.`);
  } catch (error) {
    failed(error);
  }
});
saved.addEventListener("change", () => {
  const text = queries[saved.value];
  if (text !== undefined) editor.text = text;
  find("#name").value = saved.value;
  find("#forget").disabled = !saved.value;
});
find("#forget").addEventListener("click", async () => {
  try {
    await forget(saved.value);
    await listAnew("");
  } catch (error) {
    failed(error);
  }
});
find("#examples").addEventListener("change", (event) => {
  if (event.target.value) editor.text = event.target.value;
});
find("#run").addEventListener("click", () => (running ? running.abort() : run()));

function request(format, more = {}) {
  return new URLSearchParams({ LANG: "ADQL", QUERY: editor.text, RESPONSEFORMAT: format, ...more });
}

// Say what the server says, and mark the place that it names.
function refuse(text) {
  say(message, text, true);
  const place = /line (\d+), column (\d+)/.exec(text);
  if (place) editor.mark(Number(place[1]), Number(place[2]));
}

async function textOf(response) {
  if (response.status === 401) throw new Error("Your sign-in has ended: sign in again.");
  return response.text();
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
    const found = readVotable(await textOf(response));
    result.show(found);
    const seconds = ((performance.now() - began) / 1000).toFixed(2);
    const cut = found.isCut ? " There are more: a download has all of them." : "";
    say(message, `${found.rows.length.toLocaleString("en")} rows in ${seconds} s.${cut}`);
  } catch (error) {
    result.hide();
    if (error.name === "AbortError") say(message, "Stopped.");
    else refuse(error.message);
  }
  if (running === mine) {
    running = null;
    find("#run").textContent = "Run";
  }
}

// A job runs on the server, whether or not this page stays open.
find("#job").addEventListener("click", async () => {
  const format = find("#format").value;
  try {
    const made = await fetch(`${root}/tap/async`, {
      method: "POST",
      body: request(format, { PHASE: "RUN" }),
    });
    const text = await textOf(made);
    if (!made.ok) {
      refuse(readError(text));
      return;
    }
    await follow(made.url.split("?")[0]);
  } catch (error) {
    failed(error);
  }
});

const readError = (text) => {
  try {
    readVotable(text);
  } catch (error) {
    return error.message;
  }
  return "The job was refused.";
};

function told(text, address, name) {
  const anchor = document.createElement("a");
  Object.assign(anchor, { href: address, textContent: name });
  say(message, text);
  message.append(anchor);
}

async function follow(address) {
  const listed = isSignedIn ? `${root}/me#jobs` : address;
  let phase = "QUEUED";
  while (["PENDING", "QUEUED", "EXECUTING"].includes(phase)) {
    told(
      `The job is ${phase.toLowerCase()}. `,
      listed,
      isSignedIn ? "All jobs" : "Its address, to come back to",
    );
    const answer = await fetch(`${address}?WAIT=${WAIT_S}&PHASE=${phase}`);
    const job = new DOMParser().parseFromString(await textOf(answer), "text/xml");
    phase = job.getElementsByTagNameNS("*", "phase")[0]?.textContent ?? "ERROR";
  }
  if (phase === "COMPLETED") told("The job is done. ", `${address}/results/result`, "Its result");
  else if (phase === "ERROR") refuse(readError(await (await fetch(`${address}/error`)).text()));
  else say(message, `The job was ${phase.toLowerCase()}.`, true);
}

find("#keep")?.addEventListener("click", async () => {
  const name = wantedName("the scratch table");
  if (!name) return;
  say(message, "Running…");
  const answer = await fetch(`${root}/account/scratch`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ name, query: editor.text }),
  });
  const said = await answer.json().catch(() => ({}));
  if (!answer.ok) {
    refuse(typeof said.detail === "string" ? said.detail : "It cannot be kept so.");
    return;
  }
  say(message, `${said.n_row.toLocaleString("en")} rows are kept as ${said.schema}.${said.name}.`);
  learn().catch(failed);
});

function saveFile(address, name) {
  const anchor = document.createElement("a");
  Object.assign(anchor, { href: address, download: name });
  anchor.click();
}

find("#download").addEventListener("click", async () => {
  const format = find("#format").value,
    name = `result.${format.split("/")[0]}`;
  const asked = request(format),
    address = `${root}/tap/sync?${asked}`;
  if (address.length <= LONGEST_ADDRESS) {
    saveFile(address, name);
    return;
  }
  const response = await fetch(`${root}/tap/sync`, { method: "POST", body: asked });
  if (!response.ok) {
    refuse(readError(await response.text()));
    return;
  }
  const made = URL.createObjectURL(await response.blob());
  saveFile(made, name);
  URL.revokeObjectURL(made);
});

// Tables with their columns, which are made once somebody opens one: there are a thousand.
function describe(names) {
  find("#tables").replaceChildren(
    ...names.tables.map((table) => {
      const part = document.createElement("details"),
        title = document.createElement("summary"),
        purpose = document.createElement("p");
      title.textContent = `${table.schema}.${table.name}`;
      purpose.textContent = table.description;
      part.append(title, purpose);
      part.addEventListener("toggle", () => part.append(columnsOf(table)), { once: true });
      return part;
    }),
  );
}

function columnsOf(table) {
  const columns = document.createElement("dl");
  columns.className = "facts";
  for (const one of table.columns) {
    const term = document.createElement("dt"),
      meaning = document.createElement("dd");
    term.textContent = one.unit ? `${one.name} [${one.unit}]` : one.name;
    meaning.textContent = one.description;
    columns.append(term, meaning);
  }
  return columns;
}

async function learn() {
  const names = await ask("names");
  editor.know(names);
  describe(names);
  find("#editor").dataset.ready = "yes";
}

listAnew(given.get("saved") ?? "").then(() => {
  if (given.has("saved")) saved.dispatchEvent(new Event("change"));
  find("#editor").dataset.saved = "yes";
}, failed);
learn().catch(failed);
