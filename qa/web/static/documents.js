// The documents: sent with their progress told, listed, searched, read again, removed.

import { $, $$, Problem, action, element, failed, fill, fragment, say, send, settled, strings, sure, text } from "./dom.js";
import { refreshWelcome } from "./chat.js";
import * as conversations from "./conversations.js";
import * as filter from "./filter.js";
import { showLast } from "./sources.js";
import { show } from "./tabs.js";

const AT_ONCE = 2; // one is sent while another is read
const POLL = 400; // milliseconds
const waiting = [];
let sending = 0;
let posting = 0;

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
        take(event.dataTransfer.files);
      }
    });
  }
  window.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) drop.classList.remove("over");
  });
}

function take(files) {
  for (const file of files) waiting.push({ file, row: line(file.name) });
  next();
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
    const { file, row } = waiting.shift();
    through(file, row)
      .catch((error) => {
        if (!(error instanceof Problem)) throw error;
        tell(row, { state: "failed", message: error.message, warnings: [] });
      })
      .finally(() => {
        sending -= 1;
        next();
        // Its questions to begin with are thought of once, not after each of many files.
        if (!sending) refreshWelcome().catch(failed);
      });
  }
}

async function through(file, row) {
  const most = Number($("#files").dataset.megabytes);
  if (file.size > most * 1_000_000) throw new Problem(fill(strings.tooLarge, most));
  let report = await post(file, row);
  while (!report.done) {
    tell(row, report.files[0]);
    await new Promise((resolve) => setTimeout(resolve, POLL));
    report = await (await send("GET", `/api/uploads/${report.id}`)).json();
  }
  tell(row, report.files[0]);
  await refresh().catch(failed);
}

// XMLHttpRequest, because fetch does not tell how much has been sent.
function post(file, row) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const form = new FormData();
    form.append("files", file);
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
    request.onerror = () => reject(new Problem(strings.unreachable));
    request.onload = () => {
      if (request.status === 200) resolve(request.response);
      else reject(new Problem(String(request.response?.detail ?? request.statusText)));
    };
    request.send(form);
  });
}

function tell(row, file) {
  const bar = $("progress", row);
  const passages = fill(strings.passages[file.passages === 1 ? 0 : 1], file.passages);
  const over = !["waiting", "reading"].includes(file.state);
  row.className = file.state;
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
action("read-again", async (button) => {
  const row = button.closest("tr");
  const { files } = await (await send("POST", `/api/documents/${row.dataset.document}/read`)).json();
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
  await changed();
  // Its quotes are gone from what is stored: so they go from what is shown.
  if (document.body.dataset.conversation) {
    const page = fragment(await text(`/c/${document.body.dataset.conversation}`));
    for (const place of ["#turns", "#sources"]) $(place).replaceChildren(...$(place, page).childNodes);
    showLast();
  }
  await conversations.refresh();
});
action("ask-chosen", () => {
  show("ask");
  $("#question").focus();
});
