// Which documents are asked: all, or those that were chosen. Kept for this tab of the browser.

import { $, $$, action, element, fill, strings } from "./dom.js";

const KEY = "verbatim-chosen";
let chosen = new Map(read());

function read() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY)) ?? [];
  } catch {
    return [];
  }
}

// The ids to ask only, or null for all.
export const ids = () => (chosen.size ? [...chosen.keys()] : null);

export function choose(id, title, wanted) {
  if (wanted) chosen.set(id, title);
  else chosen.delete(id);
  show();
}

export function show() {
  try {
    sessionStorage.setItem(KEY, JSON.stringify([...chosen]));
  } catch {
    // A browser that keeps nothing still filters until it is reloaded.
  }
  document.body.classList.toggle("filtered", chosen.size > 0);
  $("#chosen").hidden = !chosen.size;
  $("#ask-chosen").hidden = !chosen.size;
  $("#chosen-list").replaceChildren(
    ...[...chosen].map(([id, title]) => {
      const chip = element("button", { type: "button", className: "chip chosen" }, title, " ✕");
      chip.dataset.action = "unchoose";
      chip.dataset.document = id;
      chip.setAttribute("aria-label", fill(strings.without, title));
      return chip;
    }),
  );
  for (const box of $$("[data-choose]")) box.checked = chosen.has(box.dataset.choose);
}

document.addEventListener("change", (event) => {
  const box = event.target.closest?.("[data-choose]");
  if (box) choose(box.dataset.choose, box.closest("[data-title]").dataset.title, box.checked);
});

action("unchoose", (chip) => choose(chip.dataset.document, "", false));
action("ask-all", () => {
  chosen = new Map();
  show();
  $("#question").focus();
});
