// What answers depend on: the model, the index and the version in use, each explained.

import { send } from "./api.js";
import { byId, make, say } from "./dom.js";
import { line, state } from "./server.js";

/** What is shown, in this order: the name in the server's answer. */
const SHOWN = ["model", "context_window", "embedder", "documents", "version"];

/** Open it from the state line. */
export function startAbout() {
  byId("state").addEventListener("click", async () => {
    byId("about").showModal();
    let known;
    try {
      known = await send("GET", "about");
    } catch {
      known = { version: state().version, model: line(state()) }; // still loading
    }
    byId("about-list").replaceChildren(...SHOWN.filter((name) => known[name] != null).map((name) => item(name, known[name])));
  });
}

function item(name, value) {
  return make(
    "div",
    {},
    make("dt", {}, say(`about_${name}`)),
    make("dd", {}, make("strong", {}, String(value)), make("p", { class: "small" }, say(`about_${name}_why`))),
  );
}
