// The list of conversations: searched, renamed, deleted; and where the page is among them.

import { $, $$, action, failed, fill, fragment, settled, send, strings, sure, text, visit } from "./dom.js";

const body = document.body;
const overlaid = matchMedia("(max-width: 1100px)");
const here = () => body.dataset.conversation;
let listings = 0;

export function start() {
  settled($("#search-conversations"), refresh);
  $("#naming form").addEventListener("submit", () => rename().catch(failed));
}

export async function refresh() {
  const query = $("#search-conversations").value;
  const address = `/chat/list?${new URLSearchParams({ query, current: here() })}`;
  const mine = ++listings;
  const listed = await text(address);
  // What was asked for before, and comes after, is of an earlier search.
  if (mine === listings) $("#conversations").replaceChildren(fragment(listed));
}

// A question was answered: a new conversation has an address from now on.
export async function arrived(conversation, title) {
  if (conversation !== here()) {
    body.dataset.conversation = conversation;
    visit(`/c/${conversation}`);
    $("nav [data-tab=ask]").href = `/c/${conversation}`;
    for (const link of $$("[data-export]")) {
      link.href = `/chat/${conversation}/export?kind=${link.dataset.export}`;
    }
  }
  $("#head").hidden = false;
  named(title);
  await refresh();
}

function named(title) {
  $("#title").textContent = title;
  document.title = fill(strings.title, title);
}

action("rename", () => {
  $("#menu").open = false;
  $("#new-title").value = $("#title").textContent;
  $("#naming").showModal();
  $("#new-title").select();
});
action("close-naming", () => $("#naming").close());

async function rename() {
  const response = await send("POST", `/chat/${here()}/title`, { title: $("#new-title").value });
  named((await response.json()).title);
  await refresh();
}

action("delete", async (button) => {
  $("#menu").open = false;
  if (!(await sure(strings.deleteSure, button.textContent))) return;
  await send("DELETE", `/chat/${here()}`);
  location.assign("/");
});
action("new", () => location.assign("/"));

// In a narrow window the list lies over the page.
function list(open) {
  $("#list").classList.toggle("open", open);
  $("#open-list").setAttribute("aria-expanded", String(open));
  if (overlaid.matches) for (const main of $$("main")) main.inert = open;
}
action("open-list", () => {
  list(true);
  $("#new").focus();
});
action("close-list", () => {
  list(false);
  $("#open-list").focus();
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && $("#list").classList.contains("open")) {
    list(false);
    $("#open-list").focus();
  }
  if (event.key === "Escape" && $("#menu").open) $("#menu").open = false;
});
document.addEventListener("click", (event) => {
  if (!event.target.closest("#menu summary")) $("#menu").open = false;
});
