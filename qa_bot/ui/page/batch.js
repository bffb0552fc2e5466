// Files of questions: drop one, watch it being answered, stop, go on, keep the answers.

import { download, Failed, send } from "./api.js";
import { byId, icon, make, say, shownTime, takeFiles } from "./dom.js";

const BUSY = 1500;
const KINDS = { csv: "CSV", html: "HTML", md: "Markdown", jsonl: "JSON Lines" };
const list = byId("batch-list");
let timer;

/** Wait for files, and for the tab to be opened. */
export function startBatches() {
  takeFiles(byId("batch-drop"), byId("batch-choose"), byId("batch-files"), start);
  byId("batch").addEventListener("shown", fill);
}

async function start(files) {
  tell("");
  for (const file of files) {
    let answer;
    try {
      answer = await fetch(`batches?name=${encodeURIComponent(file.name)}`, { method: "PUT", body: file });
      const { error } = await answer.json();
      if (error) throw new Failed(error);
    } catch (fault) {
      tell(fault instanceof Failed ? fault.message : say("lost"));
    }
  }
  fill();
}

const tell = (text) => {
  byId("batch-fault").textContent = text;
  byId("batch-fault").hidden = !text;
};

async function fill() {
  clearTimeout(timer);
  let found;
  try {
    found = (await send("GET", "batches")).batches;
  } catch (fault) {
    return tell(fault.message);
  }
  const focused = document.activeElement?.dataset.key;
  list.replaceChildren(...(found.length ? found.map(row) : [make("li", { class: "small" }, say("batch_empty"))]));
  if (focused) list.querySelector(`[data-key="${focused}"]`)?.focus();
  if (found.some((item) => item.state === "running") && !byId("batch").hidden) timer = setTimeout(fill, BUSY);
}

function row(item) {
  const done = (item.answered || 0) + (item.refused || 0) + (item.failed || 0);
  const bar = make("progress", { "aria-label": item.name });
  bar.max = Math.max(1, item.total);
  bar.value = done;
  const running = item.state === "running";
  const act = (name, work) =>
    make("button", { type: "button", class: "plain", "data-key": `${name}-${item.id}`, onclick: () => doing(work) }, say(name));
  const left = running && item.left != null ? say("batch_left", { time: minutes(item.left) }) : "";
  return make(
    "li",
    { class: "card" },
    make("div", { class: "row" }, make("strong", { dir: "auto" }, item.name), make("span", { class: "small" }, shownTime(item.at))),
    bar,
    make("p", { class: "small", role: "status" }, [
      say(`batch_${item.state}`),
      say("batch_counts", { done, total: item.total, refused: item.refused || 0, failed: item.failed || 0 }),
      left,
    ].filter(Boolean).join(" · ")),
    item.error ? make("p", { class: "warning" }, item.error) : null,
    make(
      "div",
      { class: "actions" },
      running ? act("stop", () => send("POST", `batches/${item.id}/stop`)) : null,
      !running && (done < item.total || item.failed) ? act("batch_resume", () => send("POST", `batches/${item.id}/resume`)) : null,
      ...(done ? Object.entries(KINDS).map(([kind, text]) => keep(item, kind, text)) : []),
      make("button", {
        type: "button", class: "tool", "data-key": `delete-${item.id}`,
        title: say("delete"), "aria-label": `${say("delete")}: ${item.name}`,
        onclick: () => confirm(say("delete_sure", { name: item.name })) && doing(() => send("DELETE", `batches/${item.id}`)),
      }, icon("delete")),
    ),
  );
}

function keep(item, kind, text) {
  const get = () => doing(() => download(`batches/${item.id}/answers?as=${kind}`, `${item.name.replace(/\.\w+$/, "")}-answers.${kind}`));
  return make("button", { type: "button", class: "plain", "data-key": `${kind}-${item.id}`, "aria-label": `${say("download")} ${text}: ${item.name}`, onclick: get }, `↓ ${text}`);
}

async function doing(work) {
  tell("");
  try {
    await work();
  } catch (fault) {
    tell(fault.message);
  }
  fill();
}

const minutes = (seconds) => (seconds < 100 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`);
