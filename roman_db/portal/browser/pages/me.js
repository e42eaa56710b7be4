// The page of an account: jobs are followed, and what is there is ended or removed.

import { ask, later, root, say } from "../parts/request.js";

const find = (selector) => document.querySelector(selector);
const FOLLOW_MS = 1500;

// Ask a service, and say in its words what went wrong.
async function change(message, path, options) {
  const answer = await fetch(`${root}/${path}`, options);
  if (answer.ok || answer.redirected) return true;
  const said = await answer.json().catch(() => ({}));
  const words = typeof said.detail === "string" ? said.detail : said.problem;
  say(find(message), words ?? `The server answered ${answer.status}.`, true);
  return false;
}

const form = (values) => ({ method: "POST", body: new URLSearchParams(values) });
const gone = { method: "DELETE" };
const WORK = {
  abort: (id) => change("#jobs-message", `tap/async/${id}/phase`, form({ PHASE: "ABORT" })),
  delete: (id) => change("#jobs-message", `tap/async/${id}`, form({ ACTION: "DELETE" })),
  forget: (name) =>
    change("#saved-message", `portal/data/saved_queries?${new URLSearchParams({ name })}`, gone),
  drop: (name) => change("#scratch-message", `account/scratch/${name}`, gone),
  revoke: (id) => change("#tokens-message", `account/tokens/${id}`, gone),
};
const ASKED = {
  drop: (name) => `Remove the scratch table ${name}?`,
  revoke: () => "Revoke this token? Programs that use it are signed out at once.",
};

document.querySelector("main").addEventListener("click", async (event) => {
  const [name, value] = Object.entries(event.target.dataset).find(([key]) => key in WORK) ?? [];
  if (!name || (name in ASKED && !confirm(ASKED[name](value)))) return;
  event.target.disabled = true;
  if (await WORK[name](value)) location.reload();
  else event.target.disabled = false;
});

find("#request")?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const { resource, amount, reason } = Object.fromEntries(new FormData(event.target));
  const body = JSON.stringify({ resource, amount: Number(amount), reason });
  const headers = { "Content-Type": "application/json" };
  if (await change("#request-message", "account/requests", { method: "POST", headers, body }))
    location.reload();
});

// Show the page anew once a job that ran has another phase.
const active = () => [...document.querySelectorAll("[data-active]")].map((row) => row.dataset.job);
const follow = later(async () => {
  try {
    const jobs = await ask("jobs");
    const running = new Set(jobs.filter((one) => one.is_active).map((one) => one.job_id));
    if (active().some((id) => !running.has(id))) location.reload();
    else follow();
  } catch (error) {
    say(find("#jobs-message"), error.message, true);
  }
}, FOLLOW_MS);
if (active().length) follow();
