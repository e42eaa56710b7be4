// Queries that are kept by a name: with the account, or in this browser where nobody has signed in.

import { ask, root } from "./request.js";

const KEY = "roman-db.queries";
export const isSignedIn = "signedIn" in document.documentElement.dataset;
export const keptWhere = isSignedIn ? "with your account" : "in this browser";

const local = () => JSON.parse(localStorage.getItem(KEY) ?? "{}");
const store = (all) => localStorage.setItem(KEY, JSON.stringify(all));

async function change(path, options) {
  const answer = await fetch(`${root}/portal/data/saved_queries${path}`, options);
  if (answer.ok) return;
  const said = await answer.json().catch(() => ({}));
  throw new Error(said.problem ?? (typeof said.detail === "string" ? said.detail : "It cannot be saved so."));
}

// Names and texts.
export async function readSaved() {
  if (!isSignedIn) return local();
  return Object.fromEntries((await ask("saved_queries")).map((one) => [one.name, one.query]));
}

export async function save(name, query) {
  if (!isSignedIn) return store({ ...local(), [name]: query });
  const headers = { "Content-Type": "application/json" };
  return change("", { method: "PUT", headers, body: JSON.stringify({ name, query }) });
}

export async function forget(name) {
  if (isSignedIn) return change(`?${new URLSearchParams({ name })}`, { method: "DELETE" });
  const { [name]: _, ...others } = local();
  return store(others);
}
