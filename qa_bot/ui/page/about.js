// The dialog of the settings; and what else answers depend on: model, index and version, explained.

import { send } from "./api.js";
import { byId, make, say } from "./dom.js";
import { line, look, state } from "./server.js";
import { offerSettings } from "./settings.js";

/** What is shown, in this order: the name in the server's answer. */
const SHOWN = ["model", "context_window", "embedder", "documents", "version"];

/** Open it from the bar, and from beside the question. */
export function startAbout() {
  for (const id of ["state", "open-settings", "settings-line"]) byId(id).addEventListener("click", open);
  byId("models").addEventListener("submit", (event) => {
    event.preventDefault();
    use(byId("set-model").value);
  });
}

async function open() {
  byId("about").showModal();
  await fill();
}

async function fill() {
  let known;
  try {
    known = await send("GET", "about");
    offerSettings(known);
  } catch {
    known = { version: state().version, model: line(state()) }; // still loading
  }
  const several = known.models?.length > 1;
  byId("models").hidden = !several;
  if (several) offerModels(known.models);
  byId("about-list").replaceChildren(...SHOWN.filter((name) => known[name] != null && !(several && name === "model")).map((name) => item(name, known[name])));
}

/** The one in use comes first. */
function offerModels(models) {
  byId("set-model").replaceChildren(
    ...models.map((name) => {
      const option = make("option", {}, name);
      option.value = name;
      return option;
    }),
  );
}

async function use(name) {
  const button = byId("models").querySelector("button");
  button.disabled = true;
  tell(say("switching", { name }));
  setTimeout(look, 100);
  try {
    await send("POST", "model", { name });
    tell("");
    await fill();
  } catch (fault) {
    tell(fault.message, true);
  }
  button.disabled = false;
  look();
}

function tell(text, bad = false) {
  byId("model-doing").textContent = text;
  byId("model-doing").className = bad ? "warning" : "small";
  byId("model-doing").hidden = !text;
}

function item(name, value) {
  return make(
    "div",
    {},
    make("dt", {}, say(`about_${name}`)),
    make("dd", {}, make("strong", {}, String(value)), make("p", { class: "small" }, say(`about_${name}_why`))),
  );
}
