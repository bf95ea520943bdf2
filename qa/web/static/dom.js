// Small helpers that every other module uses. HTML comes from the server alone, escaped there; whatever is
// made here goes through textContent.

export const $ = (selector, within = document) => within.querySelector(selector);
export const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];
export const strings = JSON.parse($("#strings").textContent);
export const narrow = matchMedia("(max-width: 860px)");

const actions = {};

// Names what a button does that carries data-action.
export function action(name, run) {
  actions[name] = run;
}

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-action]");
  const run = button && actions[button.dataset.action];
  if (!run) return;
  if (button.matches("a") && (event.ctrlKey || event.metaKey || event.shiftKey)) return;
  event.preventDefault();
  Promise.resolve(run(button, event)).catch(failed);
});

export function fill(text, ...values) {
  return values.reduce((sofar, value) => sofar.replace("{}", () => value), text);
}

// Turns HTML of our server into nodes.
export function fragment(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content;
}

export function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

export class Problem extends Error {}

// Sends JSON where there is some, and returns the response; what went wrong is thrown in words.
export async function send(method, address, body, options = {}) {
  const headers = body === undefined ? {} : { "Content-Type": "application/json" };
  let response;
  try {
    response = await fetch(address, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      ...options,
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(strings.unreachable);
  }
  if (response.status === 401 && response.headers.get("WWW-Authenticate")) {
    location.assign(`/login?next=${encodeURIComponent(location.pathname)}`);
  }
  if (!response.ok) throw new Problem(await detail(response));
  return response;
}

async function detail(response) {
  try {
    return (await response.json()).detail;
  } catch {
    return `${response.status} ${response.statusText}`;
  }
}

let path = location.pathname;

// Gives the page another address; the browser's buttons lead back.
export function visit(address) {
  history.pushState(null, "", address);
  path = location.pathname;
}

window.addEventListener("popstate", () => {
  if (location.pathname !== path) location.reload();
});

export const text = async (address) => (await send("GET", address)).text();

export function failed(error) {
  if (error instanceof Problem) say(error.message);
  else throw error;
}

let silence;

// Says something in passing, to the eye and to screen readers.
export function say(words) {
  const toast = $("#toast");
  clearTimeout(silence);
  toast.textContent = words;
  toast.classList.add("shown");
  silence = setTimeout(() => {
    toast.classList.remove("shown");
    toast.textContent = "";
  }, 6000);
}

// Asks before something is lost; returns whether to go on.
export function sure(words, yes) {
  const dialog = $("#sure");
  $("#sure-text").textContent = words;
  $("#sure-yes").textContent = yes;
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}

// Calls once nothing was typed for a moment.
export function settled(field, run, wait = 200) {
  let timer;
  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => Promise.resolve(run(field.value)).catch(failed), wait);
  });
}
