// Asking: a question goes out, its answer comes in stages; editing, asking again, undoing, opinions, copies.

import { $, $$, Problem, action, element, failed, fragment, say, send, strings, sure, text } from "./dom.js";
import * as conversations from "./conversations.js";
import * as filter from "./filter.js";
import * as sources from "./sources.js";

const box = $("#question");
let running = null; // aborts the question on its way
let editing = null; // how many questions stay once the edited one is answered, or null
let alone = false; // whether the edited question is asked as it stands

const turns = () => $$("#turns > .turn:not(.pending)");
// What would change the conversation beneath a question that is on its way.
const IDLE = ["edit", "edit-asked", "retry", "undo", "clear", "example"];
// What is shown of the questions after the first few; by number, for another tab may have asked some of them.
const after = (kept) => [
  ...turns().filter((one) => Number(one.dataset.turn) > kept),
  ...$$("#sources .group").filter((one) => Number(one.id.slice(2)) > kept),
];

export function start() {
  $("#asking").addEventListener("submit", (event) => {
    event.preventDefault();
    ask(box.value, editing, alone).catch(failed);
  });
  box.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      $("#asking").requestSubmit();
    }
    if (event.key === "Escape" && editing !== null) stopEditing();
  });
  box.addEventListener("input", fit);
  sources.showLast();
  turns().at(-1)?.scrollIntoView({ block: "start" });
  if (!$("#welcome").hidden) refreshWelcome().catch(failed);
}

// What an empty conversation shows depends on the documents: at first without questions to begin with, which
// take a while.
export async function refreshWelcome() {
  $("#welcome").replaceChildren(fragment(await text("/chat/welcome")));
  busy(running);
}

function fit() {
  box.style.height = "";
  box.style.height = `${Math.min(box.scrollHeight, 160)}px`;
}

function setBox(words) {
  box.value = words;
  fit();
}

async function ask(question, keep = null, asItStands = false) {
  question = question.trim();
  if (!question || running) return;
  const pending = show(question);
  const replaced = keep === null ? [] : after(keep);
  for (const one of replaced) one.hidden = true;
  setBox("");
  stopEditing();
  busy(new AbortController());
  try {
    const outcome = await answered(pending, {
      question,
      conversation: document.body.dataset.conversation || null,
      documents: filter.ids(),
      keep,
      alone: asItStands,
    });
    for (const one of replaced) one.remove();
    settle(pending, outcome);
  } catch (error) {
    for (const one of replaced) one.hidden = false;
    if (error.name === "AbortError") {
      pending.remove();
      say(strings.stopped);
    } else if (error instanceof Problem) {
      $(".stage", pending).replaceWith(fragment(error.html ?? ""), ...(error.html ? [] : [told(error.message)]));
      pending.classList.add("failed");
    } else {
      pending.remove();
      throw error;
    }
    if (!box.value) setBox(question);
    if (keep !== null) {
      // What is sent again still takes the place of what was edited.
      [editing, alone] = [keep, asItStands];
      $("#editing").hidden = false;
    }
  } finally {
    busy(null);
    welcome();
  }
}

function told(message) {
  return element("p", { className: "answer abstention", textContent: message });
}

function show(question) {
  for (const old of $$("#turns > .failed")) old.remove();
  const heading = element("h2", { dir: "auto", textContent: question });
  const stage = element("p", { className: "stage", textContent: strings.searching });
  stage.setAttribute("role", "status");
  const pending = element(
    "article",
    { className: "turn pending" },
    element("div", { className: "question" }, heading),
    stage,
  );
  $("#turns").append(pending);
  welcome();
  pending.scrollIntoView({ block: "start" });
  return pending;
}

function busy(controller) {
  running = controller;
  $("#send").hidden = controller !== null;
  $("#stop").hidden = controller === null;
  for (const name of IDLE) {
    for (const button of $$(`[data-action=${name}]`)) button.disabled = controller !== null;
  }
}

function welcome() {
  $("#welcome").hidden = $("#turns > .turn:not([hidden])") !== null;
}

// Reads the answer's stages, one JSON object a line, and returns the last.
async function answered(pending, message) {
  const response = await send("POST", "/chat/ask", message, { signal: running.signal });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read().catch(lost);
    if (done) throw new Problem(strings.unreachable);
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    for (const line of lines) {
      const step = JSON.parse(line);
      if (step.error) throw Object.assign(new Problem(step.error), { html: step.error });
      if (step.html) return step;
      $(".stage", pending).textContent = step.stage;
    }
  }
}

// The server went while it was answering.
function lost(error) {
  throw error.name === "AbortError" ? error : new Problem(strings.unreachable);
}

function settle(pending, outcome) {
  // What it takes the place of may have been drawn anew meanwhile, as when a document was removed.
  for (const one of after(outcome.turn - 1)) one.remove();
  pending.replaceWith(fragment(outcome.html));
  $("#sources").append(fragment(outcome.sources));
  sources.show(outcome.turn);
  const turn = $(`#t-${outcome.turn}`);
  turn.scrollIntoView({ block: "start" });
  $("#announce").textContent = $(".answer", turn).textContent;
  conversations.arrived(outcome.conversation, outcome.title).catch(failed);
}

// Editing, asking again, undoing

function edit(turn, question, asItStands) {
  editing = Number(turn.dataset.turn) - 1;
  alone = asItStands;
  setBox(question);
  $("#editing").hidden = false;
  box.focus();
}

function stopEditing() {
  editing = null;
  alone = false;
  $("#editing").hidden = true;
}

const turnOf = (button) => button.closest(".turn");

action("stop", () => running?.abort());
action("edit", (button) => edit(turnOf(button), turnOf(button).dataset.question, false));
action("edit-asked", (button) => edit(turnOf(button), turnOf(button).dataset.asked, true));
action("cancel-edit", () => {
  stopEditing();
  setBox("");
  box.focus();
});
action("example", (button) => ask(button.dataset.question));
action("retry", (button) => {
  const turn = turnOf(button);
  return ask(turn.dataset.question, Number(turn.dataset.turn) - 1);
});
action("undo", async (button) => {
  const turn = turnOf(button);
  await keepFirst(Number(turn.dataset.turn) - 1, turn.dataset.question);
});
action("clear", async () => {
  if (await sure(strings.clearSure, $("[data-action=clear]").textContent)) await keepFirst(0, "");
});

// Drops the questions after the first few; `words` are in the box then.
async function keepFirst(count, words) {
  const conversation = document.body.dataset.conversation;
  await send("POST", `/chat/${conversation}/keep`, { keep: count });
  for (const one of after(count)) one.remove();
  stopEditing();
  setBox(words);
  box.focus();
  sources.showLast();
  welcome();
  await Promise.all([refreshWelcome(), conversations.refresh()]);
}

// Opinions and copies

action("verdict", async (button) => {
  const taken = button.getAttribute("aria-pressed") === "true";
  await opine(turnOf(button), { verdict: taken ? null : button.dataset.verdict });
});

export async function opine(turn, opinion) {
  const conversation = document.body.dataset.conversation;
  const number = Number(turn.dataset.turn);
  const response = await send("POST", `/chat/${conversation}/opinion`, { turn: number, ...opinion });
  const { verdict, told: words } = await response.json();
  for (const thumb of $$(".thumb", turn)) {
    const pressed = thumb.dataset.verdict === (verdict === "unanswerable" ? "wrong" : verdict);
    thumb.setAttribute("aria-pressed", String(pressed));
  }
  const correction = $(".correction", turn);
  correction.hidden = verdict !== "wrong" && verdict !== "unanswerable";
  $(".told", correction).textContent = correction.hidden ? "" : words;
  if (correction.hidden) say(words);
}

action("copy", async (button) => {
  await copy(button.dataset.copy);
  say(strings.copied);
});

async function copy(words) {
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(words);
    return;
  }
  // Without TLS, from another machine, browsers have the old way only.
  const field = element("textarea", { value: words, className: "visually-hidden" });
  document.body.append(field);
  field.select();
  document.execCommand("copy");
  field.remove();
}
