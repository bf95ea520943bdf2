// The documents: sent with their progress told, listed, searched, read again, removed.

import { $, $$, Problem, action, element, failed, fill, fragment, say, send, settled, strings, sure, text } from "./dom.js";
import { refreshWelcome } from "./chat.js";
import * as conversations from "./conversations.js";
import * as filter from "./filter.js";
import { showLast } from "./sources.js";
import { show } from "./tabs.js";

const AT_ONCE = 2; // one is sent while another is read
const POLL = 400; // milliseconds
const RELIST = 2000; // milliseconds: with many documents the list takes the server a while
const waiting = [];
let sending = 0;
let posting = 0;
let listed = 0; // when the list was last asked for

export function start() {
  const input = $("#files");
  const drop = $("#drop");
  input.addEventListener("change", () => {
    take(input.files);
    input.value = "";
  });
  settled($("#search-documents"), () => refresh());
  // Others may have added some meanwhile.
  document.addEventListener("view", (event) => {
    if (event.detail === "documents") refresh().catch(failed);
  });
  window.addEventListener("beforeunload", (event) => {
    if (posting) event.preventDefault();
  });
  for (const name of ["dragover", "drop"]) {
    window.addEventListener(name, (event) => {
      if (![...event.dataTransfer.types].includes("Files")) return;
      event.preventDefault();
      drop.classList.toggle("over", name === "dragover");
      if (name === "drop") {
        show("documents");
        dropped(event.dataTransfer).catch(failed);
      }
    });
  }
  window.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) drop.classList.remove("over");
  });
}

function take(files) {
  for (const file of files) enqueue(file, file.name);
  next();
}

function enqueue(file, name) {
  waiting.push({ file, name, row: line(name) });
}

// Takes in what was dropped: files as they are, of folders the files that can be read.
async function dropped(transfer) {
  // Entries are to be had while the event lasts, and no longer.
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.());
  const folders = entries.filter((entry) => entry?.isDirectory);
  const names = new Set(folders.map((folder) => folder.name));
  take([...transfer.files].filter((file) => !names.has(file.name)));
  for (const folder of folders) await takeFolder(folder);
  next();
}

async function takeFolder(folder) {
  const suffixes = $("#files").accept.split(",");
  let others = 0;
  let found = 0;
  for await (const entry of filesBelow(folder)) {
    if (!suffixes.some((suffix) => entry.name.toLowerCase().endsWith(suffix))) {
      others += 1;
      continue;
    }
    // With its folders, or files of one name would replace each other.
    const name = entry.fullPath.split("/").filter(Boolean).join(" - ");
    found += 1;
    try {
      enqueue(await new Promise((resolve, reject) => entry.file(resolve, reject)), name);
    } catch {
      tell(line(name), { state: "failed", message: strings.unreadable, warnings: [] });
    }
  }
  const left = fill(strings.files[others === 1 ? 0 : 1], others);
  if (!found) say(fill(strings.noFiles, folder.name));
  else if (others) say(fill(strings.leftOut, folder.name, left));
}

async function* filesBelow(folder) {
  const reader = folder.createReader();
  for (;;) {
    // A hundred at a time, until there are no more.
    const entries = await new Promise((resolve, reject) => reader.readEntries(resolve, reject)).catch(() => {
      throw new Problem(strings.unreadable);
    });
    if (!entries.length) return;
    for (const entry of entries) {
      if (entry.name.startsWith(".")) continue;
      if (entry.isDirectory) yield* filesBelow(entry);
      else yield entry;
    }
  }
}

function line(name) {
  const state = element("span", { className: "state", textContent: strings.states.waiting });
  const bar = element("progress", { max: 1, value: 0 });
  bar.setAttribute("aria-label", name);
  const row = element("li", {}, element("bdi", { textContent: name }), bar, state);
  $("#uploads").hidden = false;
  $("#uploads ul").append(row);
  return row;
}

function next() {
  while (sending < AT_ONCE && waiting.length) {
    sending += 1;
    const { file, name, row } = waiting.shift();
    through(file, name, row)
      .catch((error) => {
        if (!(error instanceof Problem)) throw error;
        tell(row, { state: "failed", message: error.message, warnings: [] });
      })
      .finally(() => {
        sending -= 1;
        next();
        // Once, not after each of many files.
        if (!sending) changed().catch(failed);
        else if (Date.now() - listed > RELIST) refresh().catch(failed);
      });
  }
}

async function through(file, name, row) {
  const most = Number($("#files").dataset.megabytes);
  if (file.size > most * 1_000_000) throw new Problem(fill(strings.tooLarge, most));
  let report = await post(file, name, row);
  while (!report.done) {
    tell(row, report.files[0]);
    await new Promise((resolve) => setTimeout(resolve, POLL));
    report = await (await send("GET", `/api/uploads/${report.id}`)).json();
  }
  tell(row, report.files[0]);
}

// XMLHttpRequest, because fetch does not tell how much has been sent.
function post(file, name, row) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const form = new FormData();
    form.append("files", file, name);
    request.open("POST", "/api/documents?wait=false");
    request.responseType = "json";
    $(".state", row).textContent = strings.states.sending;
    request.upload.onprogress = (event) => {
      $("progress", row).value = event.loaded / event.total;
    };
    posting += 1;
    request.onloadend = () => {
      posting -= 1;
    };
    request.onerror = () => gone(file).then(reject);
    request.onload = () => {
      if (request.status === 200) resolve(request.response);
      else reject(new Problem(String(request.response?.detail ?? request.statusText)));
    };
    request.send(form);
  });
}

// Why nothing was sent: the file cannot be read any more, or the server is gone.
async function gone(file) {
  const readable = await file.slice(0, 1).arrayBuffer().then(() => true, () => false);
  return new Problem(readable ? strings.unreachable : strings.unreadable);
}

function tell(row, file) {
  const bar = $("progress", row);
  const passages = fill(strings.passages[file.passages === 1 ? 0 : 1], file.passages);
  const over = !["waiting", "reading"].includes(file.state);
  row.className = file.state;
  row.dataset.document = file.document ?? "";
  $(".state", row).textContent = fill(strings.states[file.state], file.passages ? passages : "");
  if (over) bar?.remove();
  else bar?.removeAttribute("value");
  for (const old of $$(".message", row)) old.remove();
  for (const message of [file.message, ...file.warnings].filter(Boolean)) {
    row.append(element("span", { className: "message", textContent: message, dir: "auto" }));
  }
}

// Documents came or went.
async function changed() {
  await Promise.all([refresh(), refreshWelcome()]);
}

export async function refresh() {
  listed = Date.now();
  const query = $("#search-documents").value;
  const rows = await text(`/documents/list?${new URLSearchParams({ query })}`);
  $("#documents").replaceChildren(fragment(rows));
  arrived();
}

function arrived() {
  const over = $("#documents [data-over]");
  $("#over-name").textContent = over.dataset.name;
  $("#over-size").textContent = over.dataset.size;
  $("#about-seeds").hidden = over.dataset.kind !== "seeds";
  filter.show();
}

action("more-documents", async (button) => {
  const query = new URLSearchParams({ query: $("#search-documents").value, offset: button.dataset.offset });
  const rows = element("table", {}, element("tbody"));
  $("tbody", rows).append(fragment(`<table><tbody>${await text(`/documents/list?${query}`)}</tbody></table>`));
  button.closest("tr").replaceWith(...$$("tr", rows));
  filter.show();
});
action("seeds", async () => {
  await send("POST", "/documents/seeds");
  await changed();
});
action("read-again", async (button) => {
  const row = button.closest("tr");
  button.disabled = true;
  const { files } = await (
    await send("POST", `/api/documents/${row.dataset.document}/read`).finally(() => {
      button.disabled = false;
    })
  ).json();
  const bad = files.find((file) => file.status === "failed");
  if (bad) throw new Problem(bad.message);
  say(files.every((file) => file.status === "unchanged") ? strings.upToDate : strings.read);
  await changed();
});
action("remove", async (button) => {
  const row = button.closest("tr");
  if (!(await sure(`${row.dataset.title}\n${strings.removeSure}`, button.textContent))) return;
  await send("DELETE", `/api/documents/${row.dataset.document}`);
  filter.choose(row.dataset.document, "", false);
  for (const one of $$("#uploads li")) if (one.dataset.document === row.dataset.document) one.remove();
  $("#uploads").hidden = !$("#uploads li");
  await Promise.all([drawAnew(), changed(), conversations.refresh()]);
});

// The quotes of a document are gone from what is stored: so they go from what is shown. A question on its way
// stays: its answer does not quote it.
async function drawAnew() {
  if (!document.body.dataset.conversation) return;
  const page = fragment(await text(`/c/${document.body.dataset.conversation}`));
  const pending = $$("#turns > .pending");
  for (const place of ["#turns", "#sources"]) $(place).replaceChildren(...$(place, page).childNodes);
  $("#turns").append(...pending);
  showLast();
}

action("ask-chosen", () => {
  show("ask");
  $("#question").focus();
});
