// The panel with the conversations that the server keeps: find, open, rename, delete, save to a file.

import { download, send } from "./api.js";
import { begin, current, reopen } from "./chat.js";
import { byId, icon, make, say, shownTime } from "./dom.js";

const OPEN = "qa_bot.history";
const PATIENCE = 200;
const wide = matchMedia("(min-width: 90rem)");
const drawer = byId("history");
const list = byId("history-list");
let timer;

/** Wait for the panel to be opened and for conversations to be saved. */
export function startHistory() {
  byId("open-history").addEventListener("click", () => {
    toggle(drawer.hidden);
    localStorage.setItem(OPEN, drawer.hidden ? "no" : "yes");
    (drawer.hidden ? byId("open-history") : byId("find")).focus();
  });
  byId("close-history").addEventListener("click", () => byId("open-history").click());
  byId("find").addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(fill, PATIENCE);
  });
  byId("testset").addEventListener("click", () => download("testset", "testset.jsonl"));
  byId("delete-all").addEventListener("click", async () => {
    if (!confirm(say("delete_all_sure"))) return;
    await send("DELETE", "conversations");
    begin();
  });
  addEventListener("conversation", fill);
  document.addEventListener("visibilitychange", () => document.hidden || fill()); // another tab may have talked
  const menu = byId("save");
  for (const button of menu.querySelectorAll("button")) {
    button.addEventListener("click", () => {
      menu.open = false;
      download(`conversations/${current().id}/export?as=${button.dataset.kind}`, `conversation.${button.dataset.kind}`);
    });
  }
  document.addEventListener("click", (event) => {
    if (!menu.contains(event.target)) menu.open = false;
  });
  toggle(wide.matches && localStorage.getItem(OPEN) !== "no");
  fill();
}

function toggle(open) {
  drawer.hidden = !open;
  byId("open-history").setAttribute("aria-expanded", String(open));
}

async function fill() {
  const here = current();
  byId("save").hidden = !here?.turns.length;
  let found;
  try {
    found = await send("GET", `conversations?find=${encodeURIComponent(byId("find").value)}`);
  } catch {
    return; // the state line says that the server is away
  }
  const rows = found.conversations.map((item) => row(item, item.id === current()?.id));
  list.replaceChildren(...(rows.length ? rows : [make("li", { class: "small" }, say("history_empty"))]));
  byId("delete-all").hidden = !rows.length;
  byId("testset").hidden = !found.cases;
  byId("testset").textContent = say("cases", { n: found.cases });
}

function row(item, here) {
  const open = make(
    "button",
    { class: "open", dir: "auto", "aria-current": here ? "true" : undefined, onclick: () => go(item.id) },
    make("span", { class: "name" }, item.name),
    make("span", { class: "small" }, shownTime(item.at)),
  );
  const renaming = async () => {
    const name = prompt(say("new_name"), item.name)?.trim();
    if (!name) return;
    await send("PATCH", `conversations/${item.id}`, { name });
    fill();
  };
  const deleting = async () => {
    if (!confirm(say("delete_sure", { name: item.name }))) return;
    await send("DELETE", `conversations/${item.id}`);
    if (item.id === current()?.id) begin();
    else fill();
  };
  const tool = (name, text, onclick) =>
    make("button", { class: "tool", title: text, "aria-label": `${text}: ${item.name}`, onclick }, icon(name));
  return make("li", {}, open, tool("edit", say("rename"), renaming), tool("delete", say("delete"), deleting));
}

async function go(id) {
  await reopen(id);
  if (!matchMedia("(min-width: 60rem)").matches) toggle(false); // there it lies over the page
}
