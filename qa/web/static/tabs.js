// The two views of the page, each with an address of its own.

import { $, $$, visit } from "./dom.js";

const ids = { ask: "#ask", documents: "#library" };

export function show(view) {
  document.body.dataset.view = view;
  for (const [name, id] of Object.entries(ids)) $(id).hidden = name !== view;
  for (const tab of $$("#top nav [data-tab]")) {
    if (tab.dataset.tab === view) tab.setAttribute("aria-current", "page");
    else tab.removeAttribute("aria-current");
  }
  document.dispatchEvent(new CustomEvent("view", { detail: view }));
}

document.addEventListener("click", (event) => {
  const tab = event.target.closest?.("a[data-tab]");
  if (!tab || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  show(tab.dataset.tab);
  visit(tab.getAttribute("href"));
  if (tab.dataset.tab === "ask") $("#question").focus();
});
