// The panel of sources: of the last answer, or of the one whose citation was followed.

import { $, $$, action, narrow } from "./dom.js";

let came; // the citation that was followed, where the focus goes back to

export function show(number) {
  for (const group of $$("#sources .group")) group.classList.toggle("chosen", group.id === `s-${number}`);
  $("#no-sources").hidden = $("#sources .group") !== null;
}

export const showLast = () => show($$("#sources .group").at(-1)?.id.slice(2));

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a.cite");
  const card = link && document.getElementById(link.hash.slice(1));
  if (!card) return;
  event.preventDefault();
  came = link;
  show(card.closest(".group").id.slice(2));
  open();
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  card.scrollIntoView({ behavior: calm ? "auto" : "smooth", block: "nearest" });
  card.focus({ preventScroll: true });
  card.classList.remove("flash");
  void card.offsetWidth; // So that a second click starts the animation again.
  card.classList.add("flash");
});

function open() {
  if (!narrow.matches) return;
  $("#side").classList.add("open");
  $("#talk").inert = true;
}

function close() {
  $("#side").classList.remove("open");
  $("#talk").inert = false;
  came?.focus();
}

action("close-side", close);
narrow.addEventListener("change", () => {
  $("#talk").inert = false;
  $("#side").classList.remove("open");
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && $("#side").classList.contains("open") && !$("dialog[open]")) close();
});
