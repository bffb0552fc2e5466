// The drawer with the conversations of this browser: find, open, rename, delete, save to a file.

import { begin, reopen } from "./chat.js";
import { byId, make, say, shownDate } from "./dom.js";
import { conversations, current, remove, removeAll, rename } from "./store.js";

const drawer = byId("history");
const list = byId("history-list");

/** Wait for the drawer to be opened and for conversations to be saved. */
export function startHistory() {
  byId("open-history").addEventListener("click", () => toggle(drawer.hidden));
  byId("close-history").addEventListener("click", () => toggle(false));
  byId("find").addEventListener("input", fill);
  byId("delete-all").addEventListener("click", () => {
    if (!confirm(say("delete_all_sure"))) return;
    removeAll();
    begin();
    fill();
  });
  addEventListener("storage", fill); // another tab has talked
  addEventListener("conversation", fill);
  const menu = byId("save");
  for (const button of menu.querySelectorAll("button")) {
    button.addEventListener("click", () => {
      menu.open = false;
      save(button.dataset.kind);
    });
  }
  document.addEventListener("click", (event) => {
    if (!menu.contains(event.target)) menu.open = false;
  });
  fill();
}

function toggle(open) {
  drawer.hidden = !open;
  byId("open-history").setAttribute("aria-expanded", String(open));
  (open ? byId("find") : byId("open-history")).focus();
}

function fill() {
  const wanted = byId("find").value.trim().toLowerCase();
  const here = current();
  const said = (item) => [item.name, ...item.records.flatMap((record) => [record.question, record.answer])];
  const found = conversations().filter((item) => !wanted || said(item).some((text) => text.toLowerCase().includes(wanted)));
  list.replaceChildren(...(found.length ? found.map((item) => row(item, item.id === here?.id)) : [make("li", { class: "small" }, say("history_empty"))]));
  byId("save").hidden = !here;
}

function row(item, here) {
  const open = make(
    "button",
    { class: "open", dir: "auto", "aria-current": here ? "true" : undefined, onclick: () => (reopen(item.id), fill()) },
    make("span", { class: "name" }, item.name),
    make("span", { class: "small" }, shownDate(new Date(item.at).toISOString().slice(0, 10))),
  );
  const renaming = () => {
    const name = prompt(say("new_name"), item.name)?.trim();
    if (name) rename(item.id, name);
    fill();
  };
  const deleting = () => {
    if (!confirm(say("delete_sure", { name: item.name }))) return;
    remove(item.id);
    if (here) begin();
    fill();
  };
  return make(
    "li",
    {},
    open,
    make("button", { class: "tool", title: say("rename"), "aria-label": `${say("rename")}: ${item.name}`, onclick: renaming }, "✎"),
    make("button", { class: "tool", title: say("delete"), "aria-label": `${say("delete")}: ${item.name}`, onclick: deleting }, "×"),
  );
}

async function save(kind) {
  const answer = await fetch(`export?as=${kind}`, { method: "POST", body: JSON.stringify(current().records) });
  if (!answer.ok) return;
  const link = make("a", { href: URL.createObjectURL(await answer.blob()) });
  link.download = `conversation.${kind}`;
  link.click();
  URL.revokeObjectURL(link.href);
}
