// A whole document in a dialog: the quote in view, more of it on demand, the right answer marked in it.

import { $, $$, action, failed, fill, fragment, send, say, strings, text } from "./dom.js";
import { opine } from "./chat.js";

const dialog = $("#document");
let marking = null; // the turn whose right answer is being marked
let chosen = null; // what was selected last for it: pressing a button takes the selection away

// Shows a document; `place` has the names of the address's parameters.
export async function open(id, place = {}, turn = null) {
  const query = new URLSearchParams(Object.entries(place).filter(([, value]) => value !== undefined));
  dialog.replaceChildren(fragment(await text(`/documents/${id}/view?${query}`)));
  marking = turn;
  chosen = null;
  $("#marking", dialog).hidden = turn === null;
  if (!dialog.open) dialog.showModal();
  const quote = $("mark", dialog) ?? $(`#text [data-start="${place.start}"]:not(.stretch)`, dialog);
  quote?.scrollIntoView({ block: "center" });
  $("#text", dialog).focus({ preventScroll: true });
  following.disconnect();
  following.observe($("[data-action=later]", dialog));
}

const following = new IntersectionObserver((seen) => {
  for (const one of seen) if (one.isIntersecting && !one.target.hidden) later(one.target).catch(failed);
});

let loading = false;

async function load(button, query, put) {
  if (loading) return;
  loading = true;
  try {
    const within = $("#text", dialog);
    put(fragment(await text(`/documents/${within.dataset.document}/text?${query}`)));
    const stretches = $$(".stretch", within);
    $("[data-action=earlier]", within).hidden = Number(stretches[0].dataset.start) <= 0;
    button.hidden ||= Number(stretches.at(-1).dataset.end) >= Number(within.dataset.length) && button.dataset.action === "later";
  } finally {
    loading = false;
  }
}

async function later(button) {
  const last = $$(".stretch", dialog).at(-1);
  await load(button, `after=${last.dataset.end}`, (more) => last.after(more));
  // Where the end is still in view, there is room for more.
  following.unobserve(button);
  if (!button.hidden) following.observe(button);
}

action("later", later);
action("earlier", async (button) => {
  const within = $("#text", dialog);
  const first = $(".stretch", dialog);
  const below = within.scrollHeight - within.scrollTop;
  await load(button, `before=${first.dataset.start}`, (more) => first.before(more));
  within.scrollTop = within.scrollHeight - below;
});
action("close-document", () => dialog.close());
dialog.addEventListener("click", (event) => {
  if (event.target === dialog) dialog.close();
});
// The browser's own Escape needs the focus inside, which a download takes away.
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && dialog.open && !$("dialog[open]:not(#document)")) dialog.close();
});
dialog.addEventListener("close", () => {
  following.disconnect();
  dialog.replaceChildren();
});

action("view", (button) => {
  const { document: id, start, end, answerStart, answerEnd, digest } = button.dataset;
  return open(id, { start, end, answer_start: answerStart, answer_end: answerEnd, digest });
});
action("mark", (button) =>
  open(button.dataset.document, { start: button.dataset.start }, button.closest(".turn")),
);
dialog.addEventListener("submit", (event) => {
  if (!event.target.matches("#find")) return;
  event.preventDefault();
  find().catch(failed);
});

// Shows where words stand in the document, the next place each time.
async function find() {
  const words = $("#words", dialog).value.trim();
  if (!words) return;
  const id = $("#text", dialog).dataset.document;
  const from = $("mark", dialog)?.dataset.start ?? -1;
  const found = await (await send("GET", `/documents/${id}/find?${new URLSearchParams({ words, after: from })}`)).json();
  await open(id, { start: found.start, end: found.end, answer_start: found.start, answer_end: found.end }, marking);
  $("#words", dialog).value = words;
  $("#words", dialog).focus();
}

action("mark-this", async () => {
  const range = chosen ?? highlighted();
  if (!range) {
    say(strings.markNothing);
    return;
  }
  const id = $("#text", dialog).dataset.document;
  await opine(marking, { verdict: "wrong", document: id, ...range });
  const turn = marking;
  dialog.close();
  $(".told", turn).scrollIntoView({ block: "nearest" });
});

document.addEventListener("selectionchange", () => {
  const range = marking && dialog.open ? selected() : null;
  if (!range) return;
  chosen = range;
  $("#marked", dialog).textContent = fill(strings.selected, String(getSelection()).trim());
});

// What is selected, as code points of the document.
function selected() {
  const selection = getSelection();
  if (!selection.rangeCount || selection.isCollapsed) return null;
  const range = selection.getRangeAt(0);
  const walker = document.createTreeWalker($("#text", dialog), NodeFilter.SHOW_TEXT);
  let first;
  let last;
  while (walker.nextNode()) {
    const node = walker.currentNode;
    if (!range.intersectsNode(node) || !node.parentElement.closest("[data-start]:not(.stretch)")) continue;
    first ??= node;
    last = node;
  }
  if (!first) return null;
  const start = place(first, first === range.startContainer ? range.startOffset : 0);
  const end = place(last, last === range.endContainer ? range.endOffset : last.data.length);
  return start < end ? { start, end } : null;
}

function place(node, offset) {
  const run = node.parentElement.closest("[data-start]");
  const start = Number(run.dataset.start);
  // A character shown by its name counts as one, and as a whole.
  if (run.dataset.whole !== undefined) return start + (offset ? 1 : 0);
  return start + [...node.data.slice(0, offset)].length;
}

// The words that were found in the document, where nothing is selected.
function highlighted() {
  const marks = $$("mark", dialog);
  if (!marks.length) return null;
  const last = marks.at(-1);
  return { start: Number(marks[0].dataset.start), end: place(last.firstChild, last.firstChild.data.length) };
}
