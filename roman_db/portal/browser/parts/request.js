// Asking the server, in its words where it says no.

export const root = document.documentElement.dataset.root ?? "";

export async function ask(path, parameters = {}, signal = undefined) {
  const given = Object.entries(parameters).filter(([, value]) => value !== null && value !== undefined);
  const address = `${root}/portal/data/${path}?${new URLSearchParams(given)}`;
  const response = await fetch(address, { signal });
  const document = await response.json();
  if (!response.ok)
    throw new Error(document.problem ?? document.detail ?? `The server answered ${response.status}.`);
  return document;
}

// Keep only the answer to the last question.
export function latest(question) {
  let running = null;
  return async (...given) => {
    running?.abort();
    running = new AbortController();
    try {
      return await question(running.signal, ...given);
    } catch (error) {
      if (error.name === "AbortError") return null;
      throw error;
    }
  };
}

export function later(work, milliseconds) {
  let timer = null;
  return (...given) => {
    clearTimeout(timer);
    timer = setTimeout(() => work(...given), milliseconds);
  };
}

export function say(element, text, isFailure = false) {
  element.textContent = text;
  element.classList.toggle("failure", isFailure);
  element.hidden = !text;
}

export function link(address, text) {
  const made = document.createElement("a");
  made.href = `${root}/${address}`;
  made.textContent = text;
  return made;
}
