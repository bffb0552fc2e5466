// What the server is doing: polled while it is busy, and now and then otherwise.

import { say } from "./dom.js";

const BUSY = 700;
const IDLE = 15000;

let known = { state: "loading" };
let timer;
const watchers = new Set();

/** What is known by now. */
export const state = () => known;

/** Be told of every new state, and of the present one. */
export function watch(watcher) {
  watchers.add(watcher);
  watcher(known);
}

/** Resolves once questions can be answered. */
export function ready() {
  return new Promise((resolve) => {
    const watcher = (state) => {
      if (state.state !== "ready" && state.state !== "indexing") return;
      watchers.delete(watcher);
      resolve();
    };
    watch(watcher);
  });
}

/** Look now, and go on looking. */
export async function look() {
  clearTimeout(timer);
  try {
    const answer = await fetch("state");
    if (answer.status === 401) location.reload(); // the login has run out
    known = await answer.json();
  } catch {
    known = { state: "failed", fault: say("lost"), lost: true };
  }
  for (const watcher of [...watchers]) watcher(known);
  timer = setTimeout(look, known.state === "ready" || (known.state === "failed" && !known.lost) ? IDLE : BUSY);
}

/** Try to load once more. */
export async function retry() {
  await fetch("retry", { method: "POST" }).catch(() => {});
  await look();
}

/** A state as a short line. */
export function line(state) {
  const { doing } = state;
  if (state.switching) return say("switching", { name: state.switching });
  if (doing?.what === "indexing") return doing.total ? say("loading_index", doing) : say("indexing");
  if (doing && doing.total) return say("loading_fetch", { percent: Math.floor((100 * doing.done) / doing.total) });
  if (state.state === "ready") return say("ready", { n: state.documents });
  return say(state.state === "failed" ? "not_ready" : "loading");
}
