// Evaluations: drop a test set, watch it being answered, stop, go on. Finished ones are runs.js's.

import { Failed, send } from "./api.js";
import { byId, icon, make, say, takeFiles } from "./dom.js";
import { listRuns } from "./runs.js";

const BUSY = 1500;
const list = byId("evaluate-list");
let timer;
/** Whether one was running when we last looked. */
let running = false;

/** Wait for a test set, and for the tab to be opened. */
export function startEvaluations() {
  takeFiles(byId("evaluate-drop"), byId("evaluate-choose"), byId("evaluate-files"), ([file]) => file && start(() => put(file)));
  byId("evaluate-cases").addEventListener("click", () => start(() => send("POST", "runs")));
  byId("runs").addEventListener("shown", fill);
}

async function put(file) {
  const answer = await fetch(`runs?name=${encodeURIComponent(file.name)}`, { method: "PUT", body: file });
  const { error } = await answer.json();
  if (error) throw new Failed(error);
}

/** Do something to an evaluation, then show how all of them are. */
async function start(work) {
  tell("");
  try {
    await work();
    running = true; // a short one may end before we look
  } catch (fault) {
    tell(fault instanceof Failed ? fault.message : say("lost"));
  }
  fill();
}

const tell = (text) => {
  byId("evaluate-fault").textContent = text;
  byId("evaluate-fault").hidden = !text;
};

async function fill() {
  clearTimeout(timer);
  let found;
  try {
    found = await send("GET", "runs");
  } catch (fault) {
    return tell(fault.message);
  }
  byId("evaluate-cases").hidden = !found.cases;
  byId("evaluate-cases").textContent = say("eval_cases", { n: found.cases });
  const focused = document.activeElement?.dataset.key;
  list.replaceChildren(...found.unfinished.map(card));
  if (focused) list.querySelector(`[data-key="${focused}"]`)?.focus();
  const before = running;
  running = found.unfinished.some((item) => item.state === "running");
  if (before && !running) listRuns(); // it may be among the finished ones now
  if (running && !byId("runs").hidden) timer = setTimeout(fill, BUSY);
}

function card(item) {
  const going = item.state === "running";
  const path = `runs/${encodeURIComponent(item.name)}`;
  const act = (name, work) =>
    make("button", { type: "button", class: "plain", "data-key": `${name}-${item.name}`, onclick: () => start(work) }, say(name));
  const bar = make("progress", { "aria-label": item.name });
  if (item.total) [bar.max, bar.value] = [item.total, item.done];
  const state = item.total ? say("eval_counts", item) : say("eval_loading");
  return make(
    "li",
    { class: "card" },
    make("strong", { dir: "auto" }, item.name),
    going ? bar : null,
    make("p", { class: "small", role: "status" }, [say(`batch_${item.state}`), going && state].filter(Boolean).join(" · ")),
    item.error ? make("p", { class: "warning" }, item.error) : null,
    ...(item.notes ?? []).map((note) => make("p", { class: "warning" }, note)),
    make(
      "div",
      { class: "actions" },
      going ? act("stop", () => send("POST", `${path}/stop`)) : act("batch_resume", () => send("POST", `${path}/resume`)),
      make("button", {
        type: "button", class: "tool", "data-key": `delete-${item.name}`,
        title: say("delete"), "aria-label": `${say("delete")}: ${item.name}`,
        onclick: () => confirm(say("delete_sure", { name: item.name })) && start(() => send("DELETE", path)),
      }, icon("delete")),
    ),
  );
}
